package io.fusecache.fuse.wire;

/**
 * What every request starts with: who asks, about which node.
 *
 * @param unique the request's id; its reply carries it back
 * @param nodeId the node the request is about; 1 is the root
 * @param pid the asking thread's process, 0 where the kernel asks on nobody's behalf
 * @param extensions groups and security contexts that ride along where negotiated, else empty
 */
public record RequestHeader(long unique, long nodeId, int uid, int gid, int pid, RequestExtensions extensions) {
    /** The root directory's node id. */
    public static final long ROOT_NODE_ID = 1;

    private static final long RESENT = 1L << 63;

    /** Whether this is a second delivery after a resend notification: the first may have been executed. */
    public boolean resent() {
        return (unique & RESENT) != 0;
    }
}
