package io.fusecache.metadata.wire;

import com.google.protobuf.MessageLite;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Messages on their way onto one gRPC call: in the order of the offers, one at a time, no faster than the call takes
 * them, and bounded in bytes. A call is written to by any thread through here, because gRPC's calls serve one at a time.
 *
 * <p>Closed until {@link #open}, so that what is offered early does not overtake the greeting.
 */
public final class Outbox<M extends MessageLite> {
    /** Room for the largest message and plenty of usual ones. */
    private static final long MAX_WAITING_BYTES = 2L * StreamCodec.MAX_MESSAGE_BYTES;

    private final Call<M> call;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition room = lock.newCondition();

    // Guarded by lock.
    private final ArrayDeque<M> waiting = new ArrayDeque<>();
    private long waitingBytes;
    private boolean opened;
    private boolean closed;

    public Outbox(Call<M> call) {
        this.call = call;
    }

    /** What a gRPC call offers to its writer; neither method blocks. */
    public interface Call<M> {
        boolean isReady();

        void sendMessage(M message);
    }

    /** Sends {@code greeting}, then what was offered before, and from now on as offered. */
    public void open(M greeting) {
        lock.lock();
        try {
            if (!closed) {
                call.sendMessage(greeting);
                opened = true;
                drainLocked();
            }
        } finally {
            lock.unlock();
        }
    }

    /** False where there is no room. What is offered after the end vanishes. */
    public boolean offer(M message) {
        lock.lock();
        try {
            return closed || offerLocked(message);
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #offer}, but waits for room. Not for the thread that calls {@link #drain}. */
    public void put(M message) {
        lock.lock();
        try {
            while (!closed && !offerLocked(message)) {
                room.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #offer}, with or without room: for what the protocol itself keeps small and few. */
    public void add(M message) {
        lock.lock();
        try {
            if (!closed) {
                addLocked(message, message.getSerializedSize());
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean offerLocked(M message) {
        int bytes = message.getSerializedSize();
        if (waitingBytes + bytes > MAX_WAITING_BYTES) {
            return false;
        }
        addLocked(message, bytes);
        return true;
    }

    private void addLocked(M message, int bytes) {
        waiting.add(message);
        waitingBytes += bytes;
        drainLocked();
    }

    /** The call takes messages again. */
    public void drain() {
        lock.lock();
        try {
            drainLocked();
        } finally {
            lock.unlock();
        }
    }

    private void drainLocked() {
        while (opened && !closed && call.isReady()) {
            @Nullable M next = waiting.poll();
            if (next == null) {
                return;
            }
            waitingBytes -= next.getSerializedSize();
            room.signalAll();
            call.sendMessage(next);
        }
    }

    /** Nothing is sent any more; {@code last} is done with the call, alone with it. The first close counts. */
    public void close(Runnable last) {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            waiting.clear();
            waitingBytes = 0;
            room.signalAll();
            last.run();
        } finally {
            lock.unlock();
        }
    }
}
