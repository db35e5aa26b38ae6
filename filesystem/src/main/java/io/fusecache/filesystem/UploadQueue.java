package io.fusecache.filesystem;

import io.fusecache.cache.Disk;
import io.fusecache.metadata.FileVersion;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Which versions wait for their upload, when each is due, and how many run. One entry per inode: a newer version replaces an
 * older one that has not begun. As long as the files that wait: it is the memory's index of bytes that the disk holds.
 */
final class UploadQueue {
    private static final long FIRST_RETRY_NANOS = Duration.ofMillis(500).toNanos();
    private static final long LAST_RETRY_NANOS = Duration.ofSeconds(60).toNanos();
    private static final long TURN_NANOS = Duration.ofSeconds(1).toNanos();

    /** How an attempt ended. */
    enum End {
        /** In the bucket, or not wanted there any more. */
        THROUGH,
        /** Something else has to happen in the bucket first. */
        WAITS,
        FAILED
    }

    /** One attempt to upload one version. */
    record Task(FileVersion version, Disk.@Nullable Stat stat, boolean forced, int attempts, long dueNanos) {
        Task dueAt(long nanos) {
            return new Task(version, stat, forced, attempts, nanos);
        }

        /** Nothing failed: its turn has not come. */
        Task waitingOn() {
            return dueAt(System.nanoTime() + TURN_NANOS);
        }

        Task again() {
            long wait = Math.min(LAST_RETRY_NANOS, FIRST_RETRY_NANOS << Math.min(attempts, 16));
            return new Task(version, stat, forced, attempts + 1, System.nanoTime() + wait);
        }
    }

    private final long delayNanos;
    private final int parallel;

    /** Guards all below; nothing is waited for under it but its conditions. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition work = lock.newCondition();
    private final Condition progress = lock.newCondition();
    private final Map<Long, Task> waiting = new HashMap<>();
    private final Map<Long, Task> running = new HashMap<>();
    private final TreeSet<Task> byDue = new TreeSet<>((a, b) -> a.dueNanos() == b.dueNanos()
            ? Long.compare(a.version().ino(), b.version().ino())
            : Long.signum(a.dueNanos() - b.dueNanos()));
    private long bytes;
    private final AtomicLong endings = new AtomicLong();
    private int draining;

    UploadQueue(Duration delay, int parallel) {
        this.delayNanos = delay.toNanos();
        this.parallel = parallel;
    }

    void add(FileVersion version, Disk.@Nullable Stat stat) {
        put(new Task(version, stat, false, 0, System.nanoTime() + delayNanos));
    }

    void addForced(FileVersion version) {
        put(new Task(version, null, true, 0, System.nanoTime()));
    }

    /** The file looks otherwise now than when this version was queued, without being another: its times were set. */
    void looks(FileVersion version, Disk.@Nullable Stat stat) {
        lock.lock();
        try {
            Task before = waiting.get(version.ino());
            if (before != null && before.version().version() == version.version()) {
                enqueue(new Task(version, stat, before.forced(), before.attempts(), before.dueNanos()));
            } else if (before == null && holds(running, version)) {
                enqueue(new Task(version, stat, false, 0, System.nanoTime()));
            }
        } finally {
            lock.unlock();
        }
    }

    private void put(Task task) {
        lock.lock();
        try {
            Task now = draining > 0 ? task.dueAt(System.nanoTime()) : task;
            enqueue(now);
        } finally {
            lock.unlock();
        }
    }

    private void enqueue(Task task) {
        Task before = waiting.put(task.version().ino(), task);
        if (before != null) {
            byDue.remove(before);
            bytes -= before.version().size();
        }
        bytes += task.version().size();
        byDue.add(task);
        work.signalAll();
    }

    void remove(long ino) {
        lock.lock();
        try {
            Task gone = waiting.remove(ino);
            if (gone != null) {
                byDue.remove(gone);
                bytes -= gone.version().size();
                progress.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The next task that is due, with a place among those that run; at most one per inode runs at a time. */
    Task take() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (true) {
                Task first = byDue.isEmpty() ? null : byDue.first();
                if (first == null || running.size() >= parallel) {
                    work.await();
                    continue;
                }
                long wait = first.dueNanos() - System.nanoTime();
                if (wait > 0) {
                    work.await(wait, TimeUnit.NANOSECONDS);
                    continue;
                }
                byDue.remove(first);
                if (running.containsKey(first.version().ino())) {
                    // Its turn comes when the older version is through.
                    Task later = first.dueAt(System.nanoTime() + FIRST_RETRY_NANOS);
                    waiting.put(later.version().ino(), later);
                    byDue.add(later);
                    continue;
                }
                waiting.remove(first.version().ino());
                running.put(first.version().ino(), first);
                return first;
            }
        } finally {
            lock.unlock();
        }
    }

    void finished(Task task, End end) {
        lock.lock();
        try {
            running.remove(task.version().ino());
            bytes -= task.version().size();
            if (end != End.THROUGH && !waiting.containsKey(task.version().ino())) {
                enqueue(end == End.WAITS ? task.waitingOn() : task.again());
            }
            endings.incrementAndGet();
            work.signalAll();
            progress.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void hurry() {
        lock.lock();
        try {
            hurryAll();
        } finally {
            lock.unlock();
        }
    }

    private void hurryAll() {
        long now = System.nanoTime();
        Task[] tasks = byDue.stream()
                .filter(t -> t.attempts() == 0 && t.dueNanos() - now > 0)
                .toArray(Task[]::new);
        for (Task task : tasks) {
            byDue.remove(task);
            Task due = task.dueAt(now);
            byDue.add(due);
            waiting.put(due.version().ino(), due);
        }
        work.signalAll();
    }

    boolean drain(Duration atMost) {
        return await(atMost, true, () -> waiting.isEmpty() && running.isEmpty());
    }

    boolean awaitGone(FileVersion version, Duration atMost) {
        return await(atMost, false, () -> !holds(waiting, version) && !holds(running, version));
    }

    private static boolean holds(Map<Long, Task> tasks, FileVersion version) {
        Task task = tasks.get(version.ino());
        return task != null && task.version().version() == version.version();
    }

    private boolean await(Duration atMost, boolean hurried, java.util.function.BooleanSupplier done) {
        lock.lock();
        draining += hurried ? 1 : 0;
        try {
            if (hurried) {
                hurryAll();
            }
            long left = atMost.toNanos();
            while (!done.getAsBoolean()) {
                if (left <= 0) {
                    return false;
                }
                left = progress.awaitNanos(left);
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            draining -= hurried ? 1 : 0;
            lock.unlock();
        }
    }

    /** Returns when an upload ended, or nothing happened for so long. */
    void awaitProgress(Duration atMost) {
        long before = endings.get();
        await(atMost, false, () -> endings.get() != before);
    }

    boolean contains(long ino) {
        lock.lock();
        try {
            return waiting.containsKey(ino) || running.containsKey(ino);
        } finally {
            lock.unlock();
        }
    }

    boolean waits(long ino) {
        lock.lock();
        try {
            return waiting.containsKey(ino);
        } finally {
            lock.unlock();
        }
    }

    int files() {
        lock.lock();
        try {
            return waiting.size() + running.size();
        } finally {
            lock.unlock();
        }
    }

    long bytes() {
        lock.lock();
        try {
            return bytes;
        } finally {
            lock.unlock();
        }
    }
}
