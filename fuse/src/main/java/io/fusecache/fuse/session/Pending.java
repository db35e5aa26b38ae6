package io.fusecache.fuse.session;

import io.fusecache.fuse.session.BufferPool.Buffer;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * A request read and not answered yet: what is known of it without the {@link Reply} object, so that the collector can
 * find a reply dropped while this is still on the books.
 *
 * <p>{@code OPEN} goes to {@code CLAIMED} by whoever is to answer, once, and to {@code ANSWERED} when the kernel has it.
 */
final class Pending {
    private static final int OPEN = 0;
    private static final int CLAIMED = 1;
    private static final int ANSWERED = 2;
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Pending.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    /** The descriptor the request came from: the kernel wants the answer on the same one. */
    final int fd;

    final long unique;

    @SuppressWarnings("UnusedVariable") // written through STATE
    private volatile int state;

    /** Whether the session took the answering over; the file system's own then comes too late, which is no mistake. */
    private volatile boolean abandoned;

    /** Whether it may be among those in flight, and has to be taken off there. */
    volatile boolean registered;

    volatile Cleaner.@Nullable Cleanable watch;

    private @Nullable Buffer payload;
    private @Nullable Buffer answer;
    private @Nullable Runnable onInterrupt;
    private boolean interrupted;

    Pending(int fd, long unique) {
        this.fd = fd;
        this.unique = unique;
    }

    /** What stands for a request that wants no answer: one that has been given. */
    static Pending unanswerable() {
        Pending pending = new Pending(-1, 0);
        pending.state = ANSWERED;
        return pending;
    }

    /**
     * Makes the caller the one to answer.
     *
     * @return false when the session has answered in the file system's stead
     * @throws IllegalStateException on a second answer
     */
    boolean claim() {
        if (STATE.compareAndSet(this, OPEN, CLAIMED)) {
            return true;
        }
        if (abandoned) {
            return false;
        }
        throw new IllegalStateException("request " + Long.toUnsignedString(unique) + " has been answered already");
    }

    /** Makes the caller, the session, the one to answer, if nobody is. */
    boolean claimForSession() {
        if (STATE.compareAndSet(this, OPEN, CLAIMED)) {
            abandoned = true;
            return true;
        }
        return false;
    }

    boolean isClaimed() {
        return state != OPEN;
    }

    boolean isAnswered() {
        return state == ANSWERED;
    }

    /** The kernel has the answer: the buffers go back. */
    void answered() {
        Buffer first;
        Buffer second;
        synchronized (this) {
            first = payload;
            second = answer;
            payload = null;
            answer = null;
            onInterrupt = null;
        }
        state = ANSWERED;
        if (first != null) {
            first.giveBack();
        }
        if (second != null) {
            second.giveBack();
        }
        Cleaner.Cleanable cleanable = watch;
        if (cleanable != null) {
            cleanable.clean();
        }
    }

    /** Before the request is dispatched: no other thread knows of it. */
    void payload(Buffer buffer) {
        payload = buffer;
    }

    synchronized void answer(Buffer buffer) {
        if (state == ANSWERED) {
            // The session answered while this buffer was waited for: its taker may still write to it, so it stays his.
            return;
        }
        if (answer != null) {
            buffer.giveBack();
            throw new IllegalStateException("a reply has one buffer, and this one has it already");
        }
        answer = buffer;
    }

    synchronized boolean isInterrupted() {
        return interrupted;
    }

    void onInterrupt(Runnable action) {
        boolean now;
        synchronized (this) {
            now = interrupted;
            if (!now) {
                onInterrupt = action;
            }
        }
        if (now) {
            action.run();
        }
    }

    void interrupt() {
        Runnable action;
        synchronized (this) {
            interrupted = true;
            action = onInterrupt;
            onInterrupt = null;
        }
        if (action != null) {
            action.run();
        }
    }
}
