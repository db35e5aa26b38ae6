package io.fusecache.fuse.wire;

/**
 * A file or directory opened.
 *
 * <p>The kernel holds one I/O mode per inode, decided by its opens; see the package documentation of {@code
 * io.fusecache.fuse.session} before mixing them.
 *
 * @param fh the handle: whatever the file system wants to see in later requests
 * @param flags {@link #DIRECT_IO} and so on
 * @param backingId the id of a registered backing file with {@link #PASSTHROUGH}, else 0
 */
public record OpenReply(long fh, int flags, int backingId) {
    /** Reads and writes go past the page cache to the file system. */
    public static final int DIRECT_IO = 1;
    /** The page cache of the last open stays. */
    public static final int KEEP_CACHE = 1 << 1;

    public static final int NONSEEKABLE = 1 << 2;
    /** The kernel may cache what READDIR answers. */
    public static final int CACHE_DIR = 1 << 3;

    public static final int STREAM = 1 << 4;
    /** close(2) sends no FLUSH. */
    public static final int NOFLUSH = 1 << 5;
    /** Direct writes to one inode may run at the same time. */
    public static final int PARALLEL_DIRECT_WRITES = 1 << 6;
    /** The kernel reads and writes the backing file itself. */
    public static final int PASSTHROUGH = 1 << 7;

    public static OpenReply of(long fh, int flags) {
        return new OpenReply(fh, flags, 0);
    }

    public static OpenReply passthrough(long fh, int backingId) {
        return new OpenReply(fh, PASSTHROUGH, backingId);
    }
}
