package io.fusecache.coordinator;

import io.fusecache.metadata.Recall;
import io.fusecache.metadata.RecallListener;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/** A node's file system as far as recalls know it: what it has open, what it was told, and a hand on its acknowledgement. */
final class Recorder implements RecallListener {
    final Set<Long> open = ConcurrentHashMap.newKeySet();
    final List<Long> recalled = new CopyOnWriteArrayList<>();
    final List<Recall> recalls = new CopyOnWriteArrayList<>();
    /** Directories of which it knows further names than change. */
    final Set<Long> named = ConcurrentHashMap.newKeySet();

    final List<Boolean> resets = new CopyOnWriteArrayList<>();
    volatile CountDownLatch gate = new CountDownLatch(0);
    private final int longestHoldNanos;

    Recorder() {
        this(0);
    }

    Recorder(int longestHoldNanos) {
        this.longestHoldNanos = longestHoldNanos;
    }

    @Override
    public Set<Long> recalled(Recall recall) {
        if (longestHoldNanos > 0) {
            LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(longestHoldNanos));
        }
        recalls.add(recall);
        recalled.addAll(recall.inodes());
        try {
            gate.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return recall.inodes().stream().filter(open::contains).collect(Collectors.toSet());
    }

    @Override
    public Set<Long> namesLeft(Recall recall) {
        return recall.directories().keySet().stream().filter(named::contains).collect(Collectors.toSet());
    }

    @Override
    public void reset(boolean fenced) {
        resets.add(fenced);
    }
}
