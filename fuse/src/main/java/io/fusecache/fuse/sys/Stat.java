package io.fusecache.fuse.sys;

/**
 * What statx(2) says of a file.
 *
 * @param blocks in units of 512 bytes, holes not counted
 * @param birthNanos with {@code birthSeconds} 0 where the file system does not keep it
 */
public record Stat(
        long ino,
        long size,
        long blocks,
        int mode,
        int links,
        int uid,
        int gid,
        int blockSize,
        long atimeSeconds,
        int atimeNanos,
        long mtimeSeconds,
        int mtimeNanos,
        long ctimeSeconds,
        int ctimeNanos,
        long birthSeconds,
        int birthNanos,
        int rdevMajor,
        int rdevMinor,
        int deviceMajor,
        int deviceMinor) {
    private static final int TYPE_MASK = 0xf000;
    private static final int DIRECTORY = 0x4000;
    private static final int REGULAR = 0x8000;

    public boolean isDirectory() {
        return (mode & TYPE_MASK) == DIRECTORY;
    }

    public boolean isRegular() {
        return (mode & TYPE_MASK) == REGULAR;
    }

    public long mtimeEpochNanos() {
        return mtimeSeconds * 1_000_000_000L + mtimeNanos;
    }

    public long ctimeEpochNanos() {
        return ctimeSeconds * 1_000_000_000L + ctimeNanos;
    }
}
