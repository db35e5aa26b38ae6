package io.fusecache.metadata;

/** One block of one version of one file, the unit of transfer and of checksums. */
public record BlockKey(long ino, long version, int index) {}
