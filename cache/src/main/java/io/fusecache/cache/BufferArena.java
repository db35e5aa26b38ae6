package io.fusecache.cache;

import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A fixed amount of off-heap memory for I/O, handed out in runs of slots and awaited when it is all out.
 *
 * <p>It consists of regions that are allocated when first needed and never given back, so that a node that does little
 * takes little. A lease lies within one region. Waiters are served in the order in which they came: a large lease is not
 * starved by small ones. Whoever holds a lease must not wait for another one of the same arena.
 */
public final class BufferArena implements AutoCloseable {
    private final int slotBytes;
    private final int regionSlots;
    private final Arena memory = Arena.ofShared();

    /** Guards everything below. Nothing is waited for under it but its conditions. */
    private final ReentrantLock lock = new ReentrantLock();

    private final @Nullable MemorySegment[] regions;
    private final BitSet[] taken;
    private final ArrayDeque<Condition> queue = new ArrayDeque<>();
    private long usedSlots;
    private long peakSlots;

    /**
     * @param totalBytes rounded down to whole regions, at least one
     * @param slotBytes the unit of handing out
     * @param regionBytes the largest lease
     */
    public BufferArena(long totalBytes, int slotBytes, int regionBytes) {
        if (slotBytes <= 0 || regionBytes % slotBytes != 0 || totalBytes < regionBytes) {
            throw new IllegalArgumentException("arena of %d bytes in regions of %d and slots of %d bytes"
                    .formatted(totalBytes, regionBytes, slotBytes));
        }
        this.slotBytes = slotBytes;
        this.regionSlots = regionBytes / slotBytes;
        int count = Math.toIntExact(totalBytes / regionBytes);
        this.regions = new MemorySegment[count];
        this.taken = new BitSet[count];
        for (int i = 0; i < count; i++) {
            taken[i] = new BitSet(regionSlots);
        }
    }

    /**
     * Hands out {@code bytes} of memory, whose content is arbitrary; waits while there is no room.
     *
     * @throws IllegalArgumentException where no lease can be that large
     * @throws InterruptedIOException where the thread was interrupted while it waited
     */
    public Lease lease(long bytes) throws InterruptedIOException {
        int slots = slots(bytes);
        lock.lock();
        try {
            Lease now = queue.isEmpty() ? take(slots, bytes) : null;
            return now != null ? now : await(slots, bytes);
        } finally {
            lock.unlock();
        }
    }

    /** The same without waiting: null where there is no room now, or others wait for it. */
    public @Nullable Lease tryLease(long bytes) {
        int slots = slots(bytes);
        lock.lock();
        try {
            return queue.isEmpty() ? take(slots, bytes) : null;
        } finally {
            lock.unlock();
        }
    }

    private int slots(long bytes) {
        if (bytes < 0 || bytes > largestLease()) {
            throw new IllegalArgumentException("a lease of %d bytes: at most %d".formatted(bytes, largestLease()));
        }
        return Math.max(1, Math.toIntExact((bytes + slotBytes - 1) / slotBytes));
    }

    private Lease await(int slots, long bytes) throws InterruptedIOException {
        Condition turn = lock.newCondition();
        queue.addLast(turn);
        try {
            while (true) {
                turn.await();
                Lease lease = turn.equals(queue.peekFirst()) ? take(slots, bytes) : null;
                if (lease != null) {
                    return lease;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for " + bytes + " bytes of buffer");
        } finally {
            queue.remove(turn);
            wakeFirst();
        }
    }

    private @Nullable Lease take(int slots, long bytes) {
        for (int region = 0; region < regions.length; region++) {
            int first = freeRun(taken[region], slots);
            if (first < 0) {
                continue;
            }
            MemorySegment base = regions[region];
            if (base == null) {
                base = memory.allocate((long) regionSlots * slotBytes, 4096);
                regions[region] = base;
            }
            taken[region].set(first, first + slots);
            usedSlots += slots;
            peakSlots = Math.max(peakSlots, usedSlots);
            return new Lease(this, region, first, slots, base.asSlice((long) first * slotBytes, bytes));
        }
        return null;
    }

    private int freeRun(BitSet slotsTaken, int slots) {
        int first = slotsTaken.nextClearBit(0);
        while (first + slots <= regionSlots) {
            int next = slotsTaken.nextSetBit(first);
            if (next < 0 || next - first >= slots) {
                return first;
            }
            first = slotsTaken.nextClearBit(next);
        }
        return -1;
    }

    private void giveBack(Lease lease) {
        lock.lock();
        try {
            taken[lease.region].clear(lease.first, lease.first + lease.slots);
            usedSlots -= lease.slots;
            wakeFirst();
        } finally {
            lock.unlock();
        }
    }

    private void wakeFirst() {
        Condition first = queue.peekFirst();
        if (first != null) {
            first.signal();
        }
    }

    public long largestLease() {
        return (long) regionSlots * slotBytes;
    }

    public long totalBytes() {
        return largestLease() * regions.length;
    }

    public long usedBytes() {
        lock.lock();
        try {
            return usedSlots * slotBytes;
        } finally {
            lock.unlock();
        }
    }

    public long peakBytes() {
        lock.lock();
        try {
            return peakSlots * slotBytes;
        } finally {
            lock.unlock();
        }
    }

    /** For the start line: "256 MiB in 16 regions of 16 MiB, slots of 64 KiB". */
    @Override
    public String toString() {
        return "%d MiB in %d regions of %d MiB, slots of %d KiB"
                .formatted(totalBytes() >> 20, regions.length, largestLease() >> 20, slotBytes >> 10);
    }

    /** Frees the memory. Every lease must have been given back. */
    @Override
    public void close() {
        long used = usedBytes();
        if (used != 0) {
            throw new AssertionError(used + " bytes of buffer are still out");
        }
        memory.close();
    }

    /** Memory on loan. Closing gives it back, once. */
    public static final class Lease implements AutoCloseable {
        private final BufferArena arena;
        private final int region;
        private final int first;
        private final int slots;
        private final MemorySegment segment;
        private final java.util.concurrent.atomic.AtomicBoolean returned =
                new java.util.concurrent.atomic.AtomicBoolean();

        private Lease(BufferArena arena, int region, int first, int slots, MemorySegment segment) {
            this.arena = arena;
            this.region = region;
            this.first = first;
            this.slots = slots;
            this.segment = segment;
        }

        /** As many bytes as were asked for. Not to be touched after {@link #close}. */
        public MemorySegment segment() {
            return segment;
        }

        @Override
        public void close() {
            if (returned.compareAndSet(false, true)) {
                arena.giveBack(this);
            }
        }
    }
}
