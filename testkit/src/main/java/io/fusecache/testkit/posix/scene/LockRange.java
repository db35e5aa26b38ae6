package io.fusecache.testkit.posix.scene;

/** A {@code struct flock} as F_GETLK leaves it. */
public record LockRange(int type, int whence, long start, long length, int pid) {}
