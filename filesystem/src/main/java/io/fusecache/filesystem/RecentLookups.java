package io.fusecache.filesystem;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Files that a name led to a moment ago, which are most likely to be opened next: OPEN comes with the inode alone, so one that
 * another node removes in between is kept for it, as if it were open already. The kernel looks a name up anew only once when an
 * inode is gone, so without this a program would be told ESTALE about a name that existed all the time, being replaced by rename.
 */
final class RecentLookups {
    /** How long a lookup counts at least; twice that at most. */
    static final Duration WINDOW = Duration.ofSeconds(1);

    private static final int MOST = 1 << 16;

    private record Generation(long sinceNanos, Set<Long> inodes, Set<Long> before) {
        static Generation after(long nanos, Set<Long> before) {
            return new Generation(nanos, ConcurrentHashMap.newKeySet(), before);
        }
    }

    private volatile Generation now = Generation.after(System.nanoTime(), Set.of());

    void add(long ino) {
        Set<Long> inodes = turned().inodes();
        if (!inodes.contains(ino) && inodes.size() < MOST) {
            inodes.add(ino);
        }
    }

    boolean contains(long ino) {
        Generation generation = turned();
        return generation.inodes().contains(ino) || generation.before().contains(ino);
    }

    private Generation turned() {
        Generation generation = now;
        return System.nanoTime() - generation.sinceNanos() < WINDOW.toNanos() ? generation : turn();
    }

    private synchronized Generation turn() {
        long nanos = System.nanoTime();
        long age = nanos - now.sinceNanos();
        if (age >= WINDOW.toNanos()) {
            now = Generation.after(nanos, age < 2 * WINDOW.toNanos() ? now.inodes() : Set.of());
        }
        return now;
    }
}
