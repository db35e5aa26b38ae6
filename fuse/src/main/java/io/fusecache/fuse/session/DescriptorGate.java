package io.fusecache.fuse.session;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Keeps a descriptor open while calls on it are under way: its number may mean another file right after close(2). */
final class DescriptorGate {
    private static final int CLOSED = Integer.MIN_VALUE;
    private static final long RECHECK_NANOS = 10_000_000L;

    private final AtomicInteger inside = new AtomicInteger();
    private volatile @Nullable Thread closer;

    /** @return false when it is closed; otherwise {@link #leave} follows */
    boolean enter() {
        if (inside.incrementAndGet() > 0) {
            return true;
        }
        inside.decrementAndGet();
        return false;
    }

    void leave() {
        inside.decrementAndGet();
        Thread thread = closer;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    /** Lets nobody in any more and waits until all are out. */
    void close() {
        closer = Thread.currentThread();
        inside.updateAndGet(n -> n >= 0 ? n + CLOSED : n);
        while (inside.get() != CLOSED) {
            LockSupport.parkNanos(this, RECHECK_NANOS);
        }
        closer = null;
    }
}
