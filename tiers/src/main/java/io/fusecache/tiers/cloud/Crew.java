package io.fusecache.tiers.cloud;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.BitSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A few threads that work off numbered pieces of one task, the calling thread among them.
 *
 * <p>The first failure ends the whole: pieces under way are interrupted, none is begun. It returns when the last thread
 * has let go of its piece, so that buffers can be given back.
 */
final class Crew {
    private final int pieces;
    private final Piece piece;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    /** Guarded by this, as is {@link #struck}. */
    private final @Nullable Thread[] threads;

    /** The threads that were interrupted from here. */
    private final BitSet struck = new BitSet();

    private Crew(int pieces, int workers, Piece piece) {
        this.pieces = pieces;
        this.piece = piece;
        this.threads = new Thread[workers];
    }

    @FunctionalInterface
    interface Piece {
        void work(int index) throws IOException;
    }

    static void workOff(int pieces, int workers, Executor executor, Piece piece) throws IOException {
        new Crew(pieces, Math.max(1, Math.min(workers, pieces)), piece).run(executor);
    }

    private void run(Executor executor) throws IOException {
        CountDownLatch others = new CountDownLatch(threads.length - 1);
        for (int i = 1; i < threads.length; i++) {
            int worker = i;
            executor.execute(() -> {
                try {
                    work(worker);
                } finally {
                    others.countDown();
                }
            });
        }
        work(0);
        await(others);
        Throwable failed = failure.get();
        switch (failed) {
            case null -> {}
            case IOException io -> throw io;
            case RuntimeException unexpected -> throw unexpected;
            case Error error -> throw error;
            default -> throw new AssertionError(failed);
        }
    }

    private void work(int worker) {
        if (!join(worker)) {
            return;
        }
        try {
            for (int i = next.getAndIncrement(); i < pieces && failure.get() == null; i = next.getAndIncrement()) {
                piece.work(i);
            }
        } catch (Throwable failed) {
            fail(failed);
        } finally {
            leave(worker);
        }
    }

    private synchronized boolean join(int worker) {
        if (failure.get() != null) {
            return false;
        }
        threads[worker] = Thread.currentThread();
        return true;
    }

    private synchronized void leave(int worker) {
        threads[worker] = null;
        if (struck.get(worker)) {
            // It may have come when the piece had just ended.
            Thread.interrupted();
        }
    }

    private synchronized void fail(Throwable failed) {
        if (!failure.compareAndSet(null, failed)) {
            return;
        }
        for (int i = 0; i < threads.length; i++) {
            Thread thread = threads[i];
            if (thread != null && thread.threadId() != Thread.currentThread().threadId()) {
                struck.set(i);
                thread.interrupt();
            }
        }
    }

    private void await(CountDownLatch others) {
        boolean interrupted = false;
        while (true) {
            try {
                others.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
                fail(new InterruptedIOException("interrupted while waiting for parallel requests"));
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
