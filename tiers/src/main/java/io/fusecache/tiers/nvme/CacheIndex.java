package io.fusecache.tiers.nvme;

import io.fusecache.cache.EvictionPolicy;
import io.fusecache.cache.LeastRecentlyUsed;
import io.fusecache.cache.LocalTier;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the tier holds, who has it pinned, what may go, and the bytes of it all. In memory only: no method does I/O.
 *
 * <p>An incarnation is in the eviction order exactly while nobody has it pinned, it is current, and the bucket (or the
 * node that wrote it) has its bytes. Lock order: the lock of a {@link BackingFile}, then this one.
 */
final class CacheIndex {
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Long, CacheEntry> current = new HashMap<>();
    /** Incarnations that are not current: doomed and still pinned, or being removed from the disk. */
    private final Map<Long, List<CacheEntry>> leaving = new HashMap<>();

    private final EvictionPolicy<CacheEntry> evictable = new LeastRecentlyUsed<>();
    private final Set<CacheEntry> unpersisted = new HashSet<>();
    private long usedBytes;
    private long unpersistedBytes;
    private long evictions;
    private long corruptBlocks;

    /** A pinned entry, and whether it is this caller who has to open it. */
    record Pinned(CacheEntry entry, CompletableFuture<BackingFile> backing, boolean first) {}

    @Nullable Pinned pin(long ino) {
        lock.lock();
        try {
            CacheEntry entry = current.get(ino);
            if (entry == null) {
                return null;
            }
            evictable.removed(entry);
            entry.pins++;
            CompletableFuture<BackingFile> backing = entry.backing;
            if (backing != null) {
                return new Pinned(entry, backing, false);
            }
            backing = new CompletableFuture<>();
            entry.backing = backing;
            return new Pinned(entry, backing, true);
        } finally {
            lock.unlock();
        }
    }

    /** What there is to do when a pin is given back: at most both. */
    record Unpinned(@Nullable CompletableFuture<BackingFile> close, boolean remove) {}

    Unpinned unpin(CacheEntry entry) {
        lock.lock();
        try {
            entry.pins--;
            if (entry.pins > 0) {
                return new Unpinned(null, false);
            }
            CompletableFuture<BackingFile> backing = entry.backing;
            entry.backing = null;
            if (!entry.doomed) {
                order(entry);
            }
            return new Unpinned(backing, entry.doomed);
        } finally {
            lock.unlock();
        }
    }

    private void order(CacheEntry entry) {
        if (entry.pins == 0 && !entry.facts.unpersisted() && !entry.facts.writing()) {
            evictable.used(entry);
        } else {
            evictable.removed(entry);
        }
    }

    /** A number that no living incarnation of the inode has, taken for {@link #add}. */
    CacheEntry reserve(long ino, IntFunction<CacheEntry> make) {
        lock.lock();
        try {
            CacheEntry before = current.get(ino);
            List<CacheEntry> others = leaving.getOrDefault(ino, List.of());
            int number = before == null ? 0 : (before.incarnation + 1) & 0xffff;
            while (inUse(others, number)) {
                number = (number + 1) & 0xffff;
            }
            CacheEntry entry = make.apply(number);
            entry.pins = 1;
            // Until it is added it counts among those on their way: the number is taken.
            leaving.computeIfAbsent(ino, i -> new ArrayList<>()).add(entry);
            return entry;
        } finally {
            lock.unlock();
        }
    }

    private static boolean inUse(List<CacheEntry> others, int number) {
        return others.stream().anyMatch(other -> other.incarnation == number);
    }

    /**
     * A reserved entry becomes the current one; the one before it is doomed, and returned where nobody has it pinned, for
     * the caller to remove.
     */
    @Nullable CacheEntry add(CacheEntry entry, BackingFile backing, CacheEntry.Facts facts) {
        lock.lock();
        try {
            forget(entry);
            entry.backing = CompletableFuture.completedFuture(backing);
            CacheEntry before = current.put(entry.ino, entry);
            account(entry, facts);
            return before == null ? null : doom(before);
        } finally {
            lock.unlock();
        }
    }

    /** An incarnation found on disk at start. Returns the one of two that loses, to be removed. */
    @Nullable CacheEntry addFound(CacheEntry entry, CacheEntry.Facts facts) {
        lock.lock();
        try {
            CacheEntry other = current.get(entry.ino);
            if (other != null && newer(other.facts, facts)) {
                return entry;
            }
            current.put(entry.ino, entry);
            account(entry, facts);
            order(entry);
            return other == null ? null : doom(other);
        } finally {
            lock.unlock();
        }
    }

    private static boolean newer(CacheEntry.Facts a, CacheEntry.Facts b) {
        return a.version() != b.version() ? a.version() > b.version() : a.createdMillis() > b.createdMillis();
    }

    /** The inode has no current incarnation any more; returns it where nobody has it pinned. */
    @Nullable CacheEntry discard(long ino) {
        lock.lock();
        try {
            CacheEntry entry = current.remove(ino);
            return entry == null ? null : doom(entry);
        } finally {
            lock.unlock();
        }
    }

    /** That incarnation goes when its last pin is given back. */
    void supersede(CacheEntry entry) {
        lock.lock();
        try {
            if (current.remove(entry.ino, entry)) {
                doom(entry);
            }
        } finally {
            lock.unlock();
        }
    }

    private @Nullable CacheEntry doom(CacheEntry entry) {
        entry.doomed = true;
        evictable.removed(entry);
        leaving.computeIfAbsent(entry.ino, i -> new ArrayList<>()).add(entry);
        // What is doomed waits for nobody's upload.
        account(entry, withoutDuty(entry.facts));
        return entry.pins == 0 ? entry : null;
    }

    private static CacheEntry.Facts withoutDuty(CacheEntry.Facts facts) {
        return new CacheEntry.Facts(
                facts.version(),
                facts.size(),
                facts.bytes(),
                facts.whole(),
                false,
                false,
                facts.createdMillis(),
                facts.committedMillis());
    }

    /** The coldest one that {@code directory} (null: any) can lose; it is then on its way out. */
    @Nullable CacheEntry evict(@Nullable CacheDirectory directory) {
        lock.lock();
        try {
            CacheEntry entry = evictable.victim(e -> directory == null || e.directory == directory);
            if (entry == null) {
                return null;
            }
            current.remove(entry.ino, entry);
            evictions++;
            return doom(entry);
        } finally {
            lock.unlock();
        }
    }

    /** The files of a doomed entry are gone from the disk, or a reserved one was given up. */
    void removed(CacheEntry entry) {
        lock.lock();
        try {
            forget(entry);
            account(entry, CacheEntry.Facts.NONE);
        } finally {
            lock.unlock();
        }
    }

    private void forget(CacheEntry entry) {
        leaving.computeIfPresent(entry.ino, (ino, list) -> {
            list.remove(entry);
            return list.isEmpty() ? null : list;
        });
    }

    /** The record changed. */
    void update(CacheEntry entry, CacheEntry.Facts facts) {
        lock.lock();
        try {
            account(entry, entry.doomed ? withoutDuty(facts) : facts);
        } finally {
            lock.unlock();
        }
    }

    private void account(CacheEntry entry, CacheEntry.Facts facts) {
        CacheEntry.Facts before = entry.facts;
        usedBytes += facts.bytes() - before.bytes();
        unpersistedBytes += duty(facts) - duty(before);
        entry.facts = facts;
        if (facts.unpersisted()) {
            unpersisted.add(entry);
        } else {
            unpersisted.remove(entry);
        }
    }

    private static long duty(CacheEntry.Facts facts) {
        return facts.unpersisted() ? facts.bytes() : 0;
    }

    @Nullable CompletableFuture<BackingFile> opened(CacheEntry entry) {
        lock.lock();
        try {
            return entry.backing;
        } finally {
            lock.unlock();
        }
    }

    void corruptBlock() {
        lock.lock();
        try {
            corruptBlocks++;
        } finally {
            lock.unlock();
        }
    }

    void verified(CacheEntry entry, boolean all) {
        lock.lock();
        try {
            entry.verified = all;
        } finally {
            lock.unlock();
        }
    }

    boolean verified(CacheEntry entry) {
        lock.lock();
        try {
            return entry.verified;
        } finally {
            lock.unlock();
        }
    }

    long usedBytes() {
        lock.lock();
        try {
            return usedBytes;
        } finally {
            lock.unlock();
        }
    }

    int files() {
        lock.lock();
        try {
            return current.size();
        } finally {
            lock.unlock();
        }
    }

    /** Current ones with bytes that the bucket has not, oldest commit first. */
    List<CacheEntry> unpersisted() {
        lock.lock();
        try {
            return unpersisted.stream()
                    .sorted(Comparator.comparingLong((CacheEntry e) -> e.facts.committedMillis())
                            .thenComparingLong(e -> e.facts.createdMillis())
                            .thenComparingLong(e -> e.ino))
                    .toList();
        } finally {
            lock.unlock();
        }
    }

    List<CacheEntry> writing() {
        lock.lock();
        try {
            return unpersisted.stream().filter(e -> e.facts.writing()).toList();
        } finally {
            lock.unlock();
        }
    }

    /** Pinned and unpersisted ones first, then by last use. */
    List<LocalTier.CachedFileSummary> summaries(int limit) {
        lock.lock();
        try {
            List<CacheEntry> idle = evictable.hottest(limit);
            Stream<CacheEntry> busy =
                    current.values().stream().filter(e -> e.pins > 0 || e.facts.unpersisted() || e.facts.writing());
            return Stream.concat(busy, idle.stream())
                    .limit(limit)
                    .map(CacheIndex::summary)
                    .toList();
        } finally {
            lock.unlock();
        }
    }

    private static LocalTier.CachedFileSummary summary(CacheEntry entry) {
        CacheEntry.Facts facts = entry.facts;
        return new LocalTier.CachedFileSummary(
                entry.ino, facts.version(), facts.size(), facts.bytes(), facts.whole(), !facts.unpersisted());
    }

    LocalTier.Usage usage(long capacityBytes) {
        lock.lock();
        try {
            return new LocalTier.Usage(
                    capacityBytes, usedBytes, unpersistedBytes, current.size(), evictions, corruptBlocks);
        } finally {
            lock.unlock();
        }
    }
}
