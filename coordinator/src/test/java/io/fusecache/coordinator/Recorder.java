package io.fusecache.coordinator;

import io.fusecache.metadata.Recall;
import io.fusecache.metadata.RecallListener;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;

/** A node's file system as far as recalls know it: what it has open, what it was told, and a hand on its acknowledgement. */
final class Recorder implements RecallListener {
    final Set<Long> open = ConcurrentHashMap.newKeySet();
    final List<Long> recalled = new CopyOnWriteArrayList<>();
    final List<Recall> recalls = new CopyOnWriteArrayList<>();
    final List<Boolean> resets = new CopyOnWriteArrayList<>();
    volatile CountDownLatch gate = new CountDownLatch(0);

    @Override
    public Set<Long> recalled(Recall recall) {
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
    public void reset(boolean fenced) {
        resets.add(fenced);
    }
}
