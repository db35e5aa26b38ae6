package io.fusecache.tiers.cloud;

import io.fusecache.cache.CloudTier;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * Runs single requests of a store: a bounded number at once, each against a deadline, again after a pause where it failed.
 *
 * <p>A request runs on the thread that asks for it. Its deadline is an interrupt of that thread, and the attempt is over
 * only when the request has returned: so nobody writes into a buffer whose owner has given up and moved on. The pause
 * doubles from attempt to attempt and is drawn at random from its upper half, so that what failed together does not come
 * back together.
 *
 * <p>A request is given up when it has failed so many times, or when its attempts and the pauses between them have taken three times what
 * one may: then none is begun any more. That it was one too many (see {@link RequestSlots}) counts for the time alone. What it waits for a
 * slot is not in it: that is others' time.
 */
final class Attempts {
    private static final int TIMEOUTS_IN_ALL = 3;

    private final BucketOptions options;
    private final RequestSlots requests;
    private final ScheduledExecutorService timer;
    private final Sleeper sleeper;
    private final RandomGenerator random;
    private final LongAdder repeated = new LongAdder();

    Attempts(
            BucketOptions options,
            RequestSlots requests,
            ScheduledExecutorService timer,
            Sleeper sleeper,
            RandomGenerator random) {
        this.options = options;
        this.requests = requests;
        this.timer = timer;
        this.sleeper = sleeper;
        this.random = random;
    }

    /** What waits between two attempts. */
    @FunctionalInterface
    interface Sleeper {
        void sleep(Duration pause) throws InterruptedException;
    }

    @FunctionalInterface
    interface Request<T> {
        T send() throws IOException;
    }

    /** Attempts after the first, since start. */
    long repeated() {
        return repeated.sum();
    }

    <T> T run(String what, Request<T> request) throws IOException {
        return run(what, CloudTier.Permit.FOR_GOOD, request);
    }

    /** @param permit asked before each attempt, when nothing keeps it from being sent any more */
    <T> T run(String what, CloudTier.Permit permit, Request<T> request) throws IOException {
        return run(what, permit, options.timeout(), request);
    }

    /** @param timeout of each attempt */
    <T> T run(String what, CloudTier.Permit permit, Duration timeout, Request<T> request) throws IOException {
        long left = timeout.multipliedBy(TIMEOUTS_IN_ALL).toNanos();
        int failures = 0;
        for (int attempt = 1; ; attempt++) {
            Attempt made = new Attempt();
            try {
                return once(what, permit, timeout, made, request);
            } catch (RefusedException | CloudTier.NoPermitException | CloudTier.OccupiedException last) {
                throw last;
            } catch (IOException failed) {
                if (Thread.currentThread().isInterrupted()) {
                    throw failed;
                }
                failures += failed instanceof ThrottledException ? 0 : 1;
                Duration pause = pause(attempt);
                left -= made.nanos + pause.toNanos();
                if (failures == options.attempts() || left < 0) {
                    throw new IOException(
                            "%s failed %d times, at last: %s".formatted(what, attempt, reason(failed)), failed);
                }
                sleep(what, pause);
                repeated.increment();
            }
        }
    }

    /** How long it took from when it was sent. */
    private static final class Attempt {
        private long nanos;
    }

    private <T> T once(String what, CloudTier.Permit permit, Duration timeout, Attempt attempt, Request<T> request)
            throws IOException {
        // It may ask the coordinator, which must not hold up those who only read.
        permit.check(timeout);
        try {
            requests.acquire();
        } catch (InterruptedException e) {
            throw interrupted(what);
        }
        boolean permitted = false;
        try {
            permit.recheck(timeout);
            permitted = true;
        } finally {
            if (!permitted) {
                requests.release();
            }
        }
        long start = System.nanoTime();
        Deadline deadline = new Deadline(Thread.currentThread());
        Future<?> bell = timer.schedule(deadline, timeout.toNanos(), TimeUnit.NANOSECONDS);
        try {
            T answer = request.send();
            requests.answered();
            return answer;
        } catch (RuntimeException | IOException failed) {
            if (deadline.end()) {
                throw new IOException("no answer within " + timeout.toMillis() + " ms", failed);
            }
            if (Thread.currentThread().isInterrupted()) {
                throw interrupted(what);
            }
            if (failed instanceof ThrottledException) {
                requests.refused(start, System.nanoTime());
            }
            throw failed;
        } finally {
            attempt.nanos = System.nanoTime() - start;
            deadline.end();
            bell.cancel(false);
            requests.release();
        }
    }

    private Duration pause(int attempt) {
        long longest = options.longestPause().toNanos();
        long nanos = Math.min(longest, options.firstPause().toNanos() << Math.min(attempt - 1, 20));
        if (nanos < 0) {
            nanos = longest;
        }
        return Duration.ofNanos(nanos / 2 + random.nextLong(nanos / 2 + 1));
    }

    private void sleep(String what, Duration pause) throws InterruptedIOException {
        try {
            sleeper.sleep(pause);
        } catch (InterruptedException e) {
            throw interrupted(what);
        }
    }

    static InterruptedIOException interrupted(String what) {
        Thread.currentThread().interrupt();
        return new InterruptedIOException(what + " was interrupted");
    }

    private static String reason(IOException failed) {
        return failed.getMessage() == null ? failed.toString() : failed.getMessage();
    }

    /** Interrupts a thread, unless what it does has ended before. */
    private static final class Deadline implements Runnable {
        private final Thread thread;
        private boolean ended;
        private boolean passed;

        Deadline(Thread thread) {
            this.thread = thread;
        }

        @Override
        public synchronized void run() {
            if (!ended) {
                passed = true;
                thread.interrupt();
            }
        }

        /** From now on the thread is left alone, and an interrupt of ours is taken back. True where it had passed. */
        synchronized boolean end() {
            if (!ended && passed) {
                Thread.interrupted();
            }
            ended = true;
            return passed;
        }
    }
}
