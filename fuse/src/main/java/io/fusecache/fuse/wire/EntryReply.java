package io.fusecache.fuse.wire;

/**
 * A name resolved: the node, and for how long the kernel may trust both the name and the attributes.
 *
 * <p>Every such answer with a node id other than 0 adds one to the kernel's lookup count of that node; FORGET takes it
 * back. Until the count is zero the node id must go on meaning this inode.
 *
 * @param nodeId 0 says that the name does not exist and that this may be cached (a negative entry)
 * @param generation with the node id unique for the life of the file system
 */
public record EntryReply(
        long nodeId, long generation, long entryValidNanos, long attributesValidNanos, Attributes attributes) {
    private static final Attributes NOTHING = new Attributes(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /** The name does not exist, and will not for so long. */
    public static EntryReply negative(long entryValidNanos) {
        return new EntryReply(0, 0, entryValidNanos, 0, NOTHING);
    }
}
