package io.fusecache.filesystem;

import io.fusecache.cache.HomeReply;
import java.util.concurrent.atomic.AtomicInteger;

/** A file of this node that a program of another node has open. */
final class GuestFile {
    private static final int CLOSED = Integer.MIN_VALUE;
    private static final int MOST_RESULTS = 256;

    private final long nodeId;
    private final long handle;
    private final RecentResults changes = new RecentResults(MOST_RESULTS);

    /** Calls under way; with the sign bit once it is closed. */
    private final AtomicInteger calls = new AtomicInteger();

    /** @param handle of this file system, as a local open would have it */
    GuestFile(long nodeId, long handle) {
        this.nodeId = nodeId;
        this.handle = handle;
    }

    long nodeId() {
        return nodeId;
    }

    long handle() {
        return handle;
    }

    HomeReply once(long sequence, RecentResults.Execution change) {
        return changes.once(sequence, change);
    }

    /** False where it is closed. */
    boolean enter() {
        return calls.getAndUpdate(n -> n < 0 ? n : n + 1) >= 0;
    }

    /** True where it was closed meanwhile, and this was the last call: the caller gives it back. */
    boolean leave() {
        return calls.decrementAndGet() == CLOSED;
    }

    /** As {@link #leave}: true where no call is under way. */
    boolean close() {
        return calls.getAndUpdate(n -> n < 0 ? n : n + CLOSED) == 0;
    }
}
