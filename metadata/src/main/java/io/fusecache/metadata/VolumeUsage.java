package io.fusecache.metadata;

/** What statfs(2) tells of the volume, exact. */
public record VolumeUsage(long usedBytes, long inodes) {}
