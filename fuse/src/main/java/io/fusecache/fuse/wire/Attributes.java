package io.fusecache.fuse.wire;

/**
 * The attributes of an inode as the kernel takes them.
 *
 * @param ino what stat(2) shows; need not be the node id
 * @param blocks in units of 512 bytes
 * @param mode type and permission bits
 * @param blockSize the preferred I/O size
 * @param flags 0, or {@link #SUBMOUNT}, {@link #DAX}
 */
public record Attributes(
        long ino,
        long size,
        long blocks,
        long atimeSeconds,
        int atimeNanos,
        long mtimeSeconds,
        int mtimeNanos,
        long ctimeSeconds,
        int ctimeNanos,
        int mode,
        int links,
        int uid,
        int gid,
        int rdev,
        int blockSize,
        int flags) {
    public static final int SUBMOUNT = 1;
    public static final int DAX = 1 << 1;
}
