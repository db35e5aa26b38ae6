package io.fusecache.tiers.cloud;

import io.fusecache.cache.BufferArena;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a range, and asks for it a second time where the answer takes longer than it took 99 of 100 before: whichever comes first is
 * taken, and the other given up. (Dean, Barroso: The Tail at Scale, 2013.)
 *
 * <p>A second request is for what may be spared: it takes a request slot and a buffer that nobody waits for, or is not made, and all of
 * them together ask for one byte of twenty that are read at most. It runs on a thread of its own with a buffer of its own, so the caller's
 * is touched by the caller alone.
 */
final class HedgedReads {
    /** Sooner a second request is of no use. */
    private static final long SHORTEST_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private static final int ONE_BYTE_OF = 20;
    private static final Logger LOG = LoggerFactory.getLogger(HedgedReads.class);

    private final ObjectStore store;
    private final BufferArena buffers;
    private final RequestSlots slots;
    private final Executor workers;
    private final ScheduledExecutorService timer;
    /** What may be asked for twice before anything else was read. */
    private final long firstBytes;

    private final ObservedTimes times = new ObservedTimes();
    private final LongAdder readBytes = new LongAdder();
    private final LongAdder hedges = new LongAdder();
    private final LongAdder hedgedBytes = new LongAdder();
    private final LongAdder won = new LongAdder();

    HedgedReads(
            ObjectStore store,
            BufferArena buffers,
            RequestSlots slots,
            Executor workers,
            ScheduledExecutorService timer,
            long firstBytes) {
        this.store = store;
        this.buffers = buffers;
        this.slots = slots;
        this.workers = workers;
        this.timer = timer;
        this.firstBytes = firstBytes;
    }

    /** Second requests, since start. */
    long hedges() {
        return hedges.sum();
    }

    /** Those that were answered first. */
    long won() {
        return won.sum();
    }

    /** What second requests asked for. */
    long hedgedBytes() {
        return hedgedBytes.sum();
    }

    /** As {@link ObjectStore#read}; the caller has a request slot. */
    boolean read(ObjectRef object, long offset, MemorySegment target) throws IOException {
        long start = System.nanoTime();
        OptionalLong usual = times.p99(target.byteSize());
        boolean hit = usual.isEmpty()
                ? store.read(object, offset, target)
                : race(object, offset, target, Math.max(SHORTEST_NANOS, usual.getAsLong()));
        if (hit) {
            readBytes.add(target.byteSize());
            times.add(target.byteSize(), System.nanoTime() - start);
        }
        return hit;
    }

    private boolean race(ObjectRef object, long offset, MemorySegment target, long patienceNanos) throws IOException {
        Race race = new Race(Thread.currentThread());
        Future<?> bell = timer.schedule(
                () -> workers.execute(() -> second(race, object, offset, target.byteSize())),
                patienceNanos,
                TimeUnit.NANOSECONDS);
        boolean hit = false;
        boolean answered = false;
        try {
            hit = store.read(object, offset, target);
            answered = true;
        } catch (IOException failed) {
            if (!race.secondArrived()) {
                throw failed;
            }
        } finally {
            bell.cancel(false);
            try (BufferArena.Lease arrived = race.end()) {
                if (arrived != null && !answered) {
                    target.copyFrom(arrived.segment());
                    won.increment();
                    hit = true;
                }
            }
        }
        return hit;
    }

    private void second(Race race, ObjectRef object, long offset, long bytes) {
        boolean spared = hedgedBytes.sum() + bytes <= firstBytes + readBytes.sum() / ONE_BYTE_OF;
        if (!spared || bytes > buffers.largestLease() || !slots.tryAcquire()) {
            return;
        }
        try {
            BufferArena.Lease lease = buffers.tryLease(bytes);
            if (lease == null) {
                return;
            }
            boolean handedOver = false;
            try {
                if (race.join(Thread.currentThread())) {
                    hedges.increment();
                    hedgedBytes.add(bytes);
                    handedOver = store.read(object, offset, lease.segment()) && race.win(lease);
                }
            } catch (IOException failed) {
                LOG.debug("the second request for '{}' from byte {}", object.key(), offset, failed);
            } finally {
                if (!handedOver) {
                    lease.close();
                }
            }
        } finally {
            slots.release();
        }
    }

    /** Two requests for the same bytes. */
    private static final class Race {
        private final Thread first;
        private @Nullable Thread second;
        private BufferArena.@Nullable Lease arrived;
        private boolean over;

        Race(Thread first) {
            this.first = first;
        }

        /** False where the first has had its answer. */
        synchronized boolean join(Thread thread) {
            second = over ? null : thread;
            return !over;
        }

        /** Ends the first request; false where it has ended: the buffer is the second's still. */
        synchronized boolean win(BufferArena.Lease lease) {
            second = null;
            if (over) {
                return false;
            }
            arrived = lease;
            first.interrupt();
            return true;
        }

        synchronized boolean secondArrived() {
            return arrived != null;
        }

        /** By the first, once. What the second has brought is the caller's; and where it is still at it, it is ended. */
        synchronized BufferArena.@Nullable Lease end() {
            over = true;
            if (arrived != null) {
                Thread.interrupted();
            }
            Thread other = second;
            if (other != null) {
                other.interrupt();
            }
            return arrived;
        }
    }
}
