package io.fusecache.metadata;

import java.util.Set;

/** Whoever caches what read leases cover: the file system, on behalf of the kernel. */
public interface RecallListener {
    /**
     * A recall has come, and what the lease cache had is dropped; {@link #recalled} follows on another thread, and
     * {@link #recallEnds} in any case. Called before anything behind the recall on the stream takes effect: an answer from there
     * may be of before the change all the same, since what this session asks for while it is awaited is executed first.
     */
    default void recallBegins() {}

    /** Those directories of a recall of names of which names are left with the kernel, after {@link #recalled} dropped those that change. */
    default Set<Long> namesLeft(Recall recall) {
        return Set.of();
    }

    /** The acknowledgement is on its way: what is asked for from here on comes after the change. */
    default void recallEnds() {}

    /**
     * Drops what is cached of these inodes, the kernel's caches included, before it returns; the acknowledgement goes out
     * then. It must not wait for any file system request (the kernel may hold a lock that such a request waits for)
     * and must not call {@link Metadata}.
     *
     * @return those of the inodes that are open here, so that an unlinked one lives on for this node
     */
    Set<Long> recalled(Recall recall);

    /**
     * The session was lost or fenced and all read leases with it: drops everything. With {@code fenced} the node's write
     * leases are gone as well, and what was not committed under them must be set aside, not committed.
     */
    void reset(boolean fenced);
}
