package io.fusecache.metadata.session;

import io.fusecache.metadata.lock.FileLock;
import java.util.List;
import java.util.Set;

/** What a client says on its stream after {@link Hello}. */
public sealed interface Upstream {
    /**
     * An operation to execute. A session has a fixed number of slots, and one request at a time in each: that is what lets
     * the coordinator keep the results that may be asked for again in bounded space.
     *
     * @param slot from 0 below {@link Welcome#slots}
     * @param sequence grows with every new request in the slot, from 1
     * @param resent whether it may have been executed before
     */
    record Request(int slot, long sequence, boolean resent, Operation operation) implements Upstream {}

    /**
     * What a recall covered is dropped.
     *
     * @param inUse those of its inodes that are open here
     * @param named those of which names are left that do not change
     */
    record RecallDone(long recall, Set<Long> inUse, Set<Long> named) implements Upstream {
        public RecallDone(long recall, Set<Long> inUse) {
            this(recall, inUse, Set.of());
        }
    }

    /** The session is alive; the node's disk is as full as this. Answered by {@link Downstream.HeartbeatHeard}. */
    record Heartbeat(long availableBytes, long usedBytes) implements Upstream {}

    /**
     * The locks that this side knows of, the first thing on every further stream of a session, in one message or more. Where
     * the coordinator knows more, those were never answered, and are dropped; where it has forgotten all, it takes them over.
     */
    record HeldLocks(List<FileLock> locks, boolean last) implements Upstream {}

    /** The session ends: its leases are given back. */
    record Goodbye() implements Upstream {}
}
