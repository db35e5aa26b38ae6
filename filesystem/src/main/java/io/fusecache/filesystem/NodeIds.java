package io.fusecache.filesystem;

import io.fusecache.metadata.Inode;

/** The kernel's node id of a file: the incarnation in the top 16 bits, the inode number below; decoded without a table. */
public final class NodeIds {
    private static final int INO_BITS = 48;

    private NodeIds() {}

    public static long of(int incarnation, long ino) {
        return (long) incarnation << INO_BITS | ino;
    }

    public static long ino(long nodeId) {
        return nodeId & Inode.MAX;
    }

    public static int incarnation(long nodeId) {
        return (int) (nodeId >>> INO_BITS);
    }
}
