package io.fusecache.filesystem;

import io.fusecache.metadata.NodeId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** The handles that this process has at other nodes, and the signs of life for them, as long as there are any. */
final class GuestHandles {
    private static final long BEAT_MILLIS = 3000;

    private final SignOfLife sign;
    private final Executor executor;

    /** Guarded by this, as is everything below: a list goes out with the newest number of its moment. */
    private final Map<NodeId, TreeSet<Long>> open = new HashMap<>();

    private long newest;
    private boolean beating;
    private boolean closed;

    /** To one home. */
    interface SignOfLife {
        void give(NodeId home, long newest, List<Long> open);
    }

    GuestHandles(SignOfLife sign, Executor executor) {
        this.sign = sign;
        this.executor = executor;
    }

    /** A new handle, before the home hears of it. */
    synchronized long add(NodeId home) {
        long handle = ++newest;
        open.computeIfAbsent(home, none -> new TreeSet<>()).add(handle);
        if (!beating && !closed) {
            beating = true;
            later();
        }
        return handle;
    }

    /** A home that none is left at is not told again: it hears of the last one, or takes us for gone. */
    synchronized void remove(NodeId home, long handle) {
        TreeSet<Long> left = open.get(home);
        if (left != null && left.remove(handle) && left.isEmpty()) {
            open.remove(home);
        }
    }

    private void later() {
        CompletableFuture.delayedExecutor(BEAT_MILLIS, TimeUnit.MILLISECONDS, executor)
                .execute(this::beat);
    }

    private void beat() {
        Map<NodeId, List<Long>> now = new HashMap<>();
        long latest;
        synchronized (this) {
            if (open.isEmpty() || closed) {
                beating = false;
                return;
            }
            open.forEach((home, handles) -> now.put(home, List.copyOf(handles)));
            latest = newest;
            later();
        }
        // A home that does not answer must not keep the others waiting.
        now.forEach((home, handles) -> executor.execute(() -> sign.give(home, latest, handles)));
    }

    void close() {
        List<NodeId> homes;
        long latest;
        synchronized (this) {
            closed = true;
            homes = List.copyOf(open.keySet());
            open.clear();
            latest = newest;
        }
        homes.forEach(home -> sign.give(home, latest, List.of()));
    }
}
