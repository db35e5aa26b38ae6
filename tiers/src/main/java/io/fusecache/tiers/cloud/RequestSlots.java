package io.fusecache.tiers.cloud;

import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;

/**
 * Bounds the requests in flight, and finds out how many the store bears: half as many when it says that they are too many, one more
 * whenever all that are allowed have been answered once (additive increase, multiplicative decrease, as TCP does).
 *
 * <p>What was sent before a cut says nothing of the number after it: a burst of refusals is one.
 */
final class RequestSlots {
    private final int most;
    private final Permits permits;
    private final LongAdder throttled = new LongAdder();

    /** Changed under this alone. */
    private volatile int limit;

    private int answers;
    private long cutAtNanos;
    private boolean cut;

    RequestSlots(int most) {
        this.most = most;
        this.limit = most;
        this.permits = new Permits(most);
    }

    private static final class Permits extends Semaphore {
        private static final long serialVersionUID = 1L;

        Permits(int count) {
            super(count, true);
        }

        void drop(int count) {
            reducePermits(count);
        }
    }

    void acquire() throws InterruptedException {
        permits.acquire();
    }

    /** Waits for nothing, and is not in the queue: for what may as well not be. */
    boolean tryAcquire() {
        return permits.availablePermits() > 0 && permits.tryAcquire();
    }

    void release() {
        permits.release();
    }

    /** Requests in flight at most, at this moment. */
    int limit() {
        return limit;
    }

    /** Requests that were refused because they were too many, since start. */
    long throttled() {
        return throttled.sum();
    }

    /** @param sentAtNanos when the request began that was answered so */
    void refused(long sentAtNanos, long nowNanos) {
        throttled.increment();
        synchronized (this) {
            if (cut && sentAtNanos - cutAtNanos < 0) {
                return;
            }
            cut = true;
            cutAtNanos = nowNanos;
            answers = 0;
            int fewer = Math.max(1, limit / 2);
            permits.drop(limit - fewer);
            limit = fewer;
        }
    }

    /** The store has done what it was asked for. */
    void answered() {
        if (limit == most) {
            return;
        }
        synchronized (this) {
            if (limit < most && ++answers >= limit) {
                answers = 0;
                limit++;
                permits.release();
            }
        }
    }
}
