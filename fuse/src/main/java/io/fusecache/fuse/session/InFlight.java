package io.fusecache.fuse.session;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The requests read and not answered: each reader's current one, and those that a handler kept for later.
 *
 * <p>A request answered while its handler runs, the fast way, is never put into a table.
 */
final class InFlight {
    private static final long RECHECK_NANOS = 10_000_000L;

    /** Where a reader shows what it is at. */
    static final class Desk {
        private volatile @Nullable Pending current;

        void current(@Nullable Pending pending) {
            current = pending;
        }
    }

    private final List<Desk> desks = new CopyOnWriteArrayList<>();
    private final ConcurrentHashMap<Long, Pending> kept = new ConcurrentHashMap<>();
    private volatile @Nullable Thread waiter;

    Desk desk() {
        Desk desk = new Desk();
        desks.add(desk);
        return desk;
    }

    /** The handler has returned without answering. */
    void keep(Pending pending) {
        pending.registered = true;
        kept.put(pending.unique, pending);
        if (pending.isAnswered()) {
            // It was answered between the look and the entry; whoever answered may have looked here too early.
            kept.remove(pending.unique, pending);
        }
    }

    void answered(Pending pending) {
        if (pending.registered) {
            kept.remove(pending.unique, pending);
        }
        Thread thread = waiter;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    /** The request with this id, unless it is answered, or only just being read by another reader. */
    @Nullable Pending find(long unique) {
        for (Desk desk : desks) {
            Pending pending = desk.current;
            if (pending != null && pending.unique == unique) {
                return pending;
            }
        }
        return kept.get(unique);
    }

    /** Requests that wait for their answer now. */
    int count() {
        // One that is just being kept is both on its reader's desk and in the table.
        Set<Long> waiting = new HashSet<>(kept.keySet());
        for (Desk desk : desks) {
            Pending pending = desk.current;
            if (pending != null && !pending.isAnswered()) {
                waiting.add(pending.unique);
            }
        }
        return waiting.size();
    }

    /** Calls {@code answerer} for every request that nobody has begun to answer. */
    void abandonAll(Consumer<Pending> answerer) {
        for (Desk desk : desks) {
            Pending pending = desk.current;
            if (pending != null && pending.claimForSession()) {
                answerer.accept(pending);
            }
        }
        for (Pending pending : kept.values()) {
            if (pending.claimForSession()) {
                answerer.accept(pending);
            }
        }
    }

    /** Waits until every answer that was begun has been written. */
    void awaitNone() {
        waiter = Thread.currentThread();
        try {
            while (count() > 0) {
                LockSupport.parkNanos(this, RECHECK_NANOS);
            }
        } finally {
            waiter = null;
        }
    }
}
