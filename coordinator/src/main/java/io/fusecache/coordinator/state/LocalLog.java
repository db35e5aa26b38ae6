package io.fusecache.coordinator.state;

import java.io.IOException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The log of a single member: RocksDB's own. Batches are written as they come; one thread syncs, all that came meanwhile at
 * once, so that the cost of a sync is shared by everyone who waits for it.
 */
public final class LocalLog implements Log {
    private final StateStore store;
    private final Listener listener;
    private final Thread syncer;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition();
    private volatile long position;
    private volatile long durable;
    private boolean closed;
    private @Nullable IOException failure;

    public LocalLog(StateStore store, Listener listener) {
        this.store = store;
        this.listener = listener;
        this.syncer = Thread.ofPlatform().name("log-sync").daemon().unstarted(this::syncAll);
    }

    public void start() {
        syncer.start();
    }

    @Override
    public long append(Changes batch) throws IOException {
        lock.lock();
        try {
            if (failure != null) {
                throw new IOException(failure.getMessage(), failure);
            }
            store.write(batch);
            long next = position + 1;
            position = next;
            work.signal();
            return next;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public long durable() {
        return durable;
    }

    private void syncAll() {
        while (true) {
            long upTo = awaitWork();
            if (upTo < 0) {
                return;
            }
            try {
                store.sync();
            } catch (IOException e) {
                // After a failed sync nobody knows what is on disk: nothing more may be promised.
                lock.lock();
                try {
                    failure = e;
                } finally {
                    lock.unlock();
                }
                listener.failed(e);
                return;
            }
            durable = upTo;
            listener.durable();
        }
    }

    /** The position to sync up to, or -1 at the end. */
    private long awaitWork() {
        lock.lock();
        try {
            while (position == durable) {
                if (closed) {
                    return -1;
                }
                work.awaitUninterruptibly();
            }
            return position;
        } finally {
            lock.unlock();
        }
    }

    /** Makes durable what was appended, then ends. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            work.signal();
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (syncer.isAlive()) {
            try {
                syncer.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
