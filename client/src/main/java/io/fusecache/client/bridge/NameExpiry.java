package io.fusecache.client.bridge;

import io.fusecache.fuse.sys.PosixException;
import io.fusecache.fuse.wire.FileName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it that the kernel uses none of the names any more that may lead elsewhere: expires each of those that it was given, and
 * where that is not done in time, drops all names of the mount at once.
 *
 * <p>An expired name is validated at its next use, and what it leads to lives on where it is the same node still: an overlay that
 * has it open never notices. But expiring takes the directory's lock, which a request in that directory may hold while it waits
 * for the coordinator, and that for the very recall that this is for. So a few threads carry it out, and whoever ordered it
 * waits for a bounded time; then an epoch ends all names, which takes no lock and waits for nobody, and which the threads
 * that are stuck in the kernel do not keep from anything.
 *
 * <p>When the kernel validates a name it holds no lock, so it may take note of our answer after it was told that the name is
 * over. Where such an answer left less than {@link #LATE} ago, the name is expired once more when that is over, and again
 * somewhat later, in case the program that asked did not get to run for so long.
 */
final class NameExpiry implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NameExpiry.class);

    /** How long a recall waits for the locks of directories: as long as a request may take that holds one. */
    static final Duration PATIENCE = Duration.ofSeconds(1);

    /** How long for a while after that was in vain, so that recalls do not queue up behind locks that are not let go. */
    static final Duration PATIENCE_AFTER_FAILURE = Duration.ofMillis(100);

    private static final Duration HOPELESS = Duration.ofSeconds(10);

    static final Duration LATE = Duration.ofMillis(100);
    private static final Duration MUCH_LATER = Duration.ofSeconds(1);

    /** When all leases are gone nobody waits for us, but all who ask. */
    private static final Duration PATIENCE_FOR_ALL = Duration.ofSeconds(1);

    private static final int CARRIERS = 4;
    private static final int MOST_QUEUED = 1024;

    /** Names that one task expires, one after the other. */
    private static final int BATCH = 64;

    /** The kernel's side. */
    interface Kernel {
        void expire(long directory, FileName name) throws PosixException;

        /** Drops every name of the mount. */
        void drop();
    }

    private final GivenNames names;
    private final Kernel kernel;
    private final AtomicLong dropped = new AtomicLong();
    private final AtomicLong expired = new AtomicLong();
    private final AtomicInteger threads = new AtomicInteger();

    private final ThreadPoolExecutor carriers = new ThreadPoolExecutor(
            CARRIERS, CARRIERS, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MOST_QUEUED), this::thread);

    private final ThreadPoolExecutor idle =
            new ThreadPoolExecutor(1, 1, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MOST_QUEUED), this::thread);

    /** When all of a directory's names have waited in vain, the next one's will not wait as long. */
    private volatile long hopelessUntilNanos = System.nanoTime();

    private final ScheduledExecutorService later = new ScheduledThreadPoolExecutor(1, this::thread);

    NameExpiry(GivenNames names, Kernel kernel) {
        this.names = names;
        this.kernel = kernel;
        carriers.allowCoreThreadTimeOut(true);
        idle.allowCoreThreadTimeOut(true);
    }

    private Thread thread(Runnable task) {
        return Thread.ofPlatform()
                .daemon()
                .name("kernel-names-" + threads.getAndIncrement())
                .unstarted(task);
    }

    void changed(GivenNames.Doubtful doubtful) {
        names.contend(doubtful.names().keySet());
        boolean hopeless = System.nanoTime() - hopelessUntilNanos < 0;
        expire(() -> names.of(doubtful), hopeless ? PATIENCE_AFTER_FAILURE : PATIENCE);
    }

    /** Expires these without haste: nobody changes them. One after the other, so that it takes no thread from a recall. */
    void whenPossible(List<GivenNames.Given> these) {
        if (these.isEmpty()) {
            return;
        }
        try {
            idle.execute(() -> {
                if (!carryOut(these)) {
                    LOG.debug("{} names stay", these.size());
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("too many names wait, or the mount is going away", e);
        }
    }

    void allChanged() {
        expire(names::all, PATIENCE_FOR_ALL);
    }

    private void expire(Supplier<List<GivenNames.Given>> outstanding, Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        List<GivenNames.Given> late = new ArrayList<>();
        for (List<GivenNames.Given> left = outstanding.get(); !left.isEmpty(); left = outstanding.get()) {
            long now = System.nanoTime();
            left.stream()
                    .filter(given -> GivenNames.mayComeLate(given, now, LATE))
                    .forEach(late::add);
            if (now - deadline >= 0 || !carryOut(left, deadline)) {
                drop(left);
                return;
            }
        }
        if (late.isEmpty()) {
            return;
        }
        try {
            // Nothing tells when the kernel has taken note of an answer.
            Thread.sleep(LATE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (carryOut(late, System.nanoTime() + patience.toNanos())) {
            again(late, MUCH_LATER);
        } else {
            drop(late);
        }
    }

    private void drop(Collection<GivenNames.Given> instead) {
        LOG.debug("all names are dropped: {} of them could not be expired in time", instead.size());
        dropped.incrementAndGet();
        hopelessUntilNanos = System.nanoTime() + HOPELESS.toNanos();
        // Before, so that what is given meanwhile stays known; a name that was asked for before is of the old epoch.
        names.clear();
        kernel.drop();
    }

    /** Whether all are expired before the deadline. */
    private boolean carryOut(List<GivenNames.Given> these, long deadline) {
        int tasks = (these.size() + BATCH - 1) / BATCH;
        CountDownLatch done = new CountDownLatch(tasks);
        AtomicInteger failed = new AtomicInteger();
        boolean inTime = false;
        try {
            for (int i = 0; i < tasks; i++) {
                List<GivenNames.Given> part = these.subList(i * BATCH, Math.min(these.size(), (i + 1) * BATCH));
                carriers.execute(() -> {
                    // Once it failed, or was given up, the rest is not wanted.
                    if (failed.get() == 0 && !carryOut(part)) {
                        failed.incrementAndGet();
                    }
                    done.countDown();
                });
            }
            inTime = done.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS) && failed.get() == 0;
            return inTime;
        } catch (RejectedExecutionException e) {
            LOG.debug("names wait for locks already", e);
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            if (!inTime) {
                failed.incrementAndGet();
            }
        }
    }

    private boolean carryOut(List<GivenNames.Given> part) {
        try {
            for (GivenNames.Given given : part) {
                kernel.expire(given.directory, given.name);
                names.expired(given);
                expired.incrementAndGet();
            }
            return true;
        } catch (PosixException e) {
            LOG.debug("names cannot be expired", e);
            return false;
        }
    }

    /** Expires these after that time, where nobody waits for it. */
    @SuppressWarnings("FutureReturnValueIgnored") // what goes wrong is logged
    void again(List<GivenNames.Given> these, Duration after) {
        if (these.isEmpty()) {
            return;
        }
        try {
            later.schedule(() -> carriers.execute(() -> carryOut(these)), after.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the mount is going away", e);
        }
    }

    /** How often all names had to go. */
    long dropped() {
        return dropped.get();
    }

    long expired() {
        return expired.get();
    }

    @Override
    public void close() {
        later.shutdownNow();
        carriers.shutdownNow();
        idle.shutdownNow();
    }
}
