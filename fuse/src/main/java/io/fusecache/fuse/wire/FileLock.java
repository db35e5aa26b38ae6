package io.fusecache.fuse.wire;

/**
 * A byte-range lock of fcntl(2), or a whole-file one of flock(2).
 *
 * @param start the first byte
 * @param end the last byte, included; {@link #TO_END} for up to the end of the file however it grows
 */
public record FileLock(long start, long end, int type, int pid) {
    public static final int READ = 0;
    public static final int WRITE = 1;
    public static final int UNLOCKED = 2;
    public static final long TO_END = Long.MAX_VALUE;
}
