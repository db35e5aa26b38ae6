package io.fusecache.coordinator.raft;

import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.Log;
import io.fusecache.coordinator.state.Overlay;
import io.fusecache.coordinator.state.View;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The log of a leader, from the beginning of its reign to its end.
 *
 * <p>What is appended lies in the {@link Overlay} at once; one thread sends it to the replicas, one entry at a time, and all that
 * came meanwhile in the next: so entries cannot overtake each other, and the cost of a round is shared by everyone who waits for
 * it.
 *
 * <p><b>Who may be deposed says nothing.</b> When an entry is committed, a majority took it after it was sent, and none of them
 * votes for another leader before the shortest election timeout has passed. So from the moment of sending, this leader may speak for
 * less than that ({@link RaftTiming#confirmed}), by the monotonic clock. Without such a confirmation {@link #durable} is negative,
 * which keeps every answer back, and asks for one: an entry that changes nothing. A leader that nobody asks sends none.
 */
public final class ReignLog implements Log {
    private static final long OVERLAY_BYTES = 64L << 20;
    private static final int ENTRY_BYTES = 1 << 20;
    private static final long END_SECONDS = 5;

    private final RaftMember member;
    private final Listener listener;
    private final long reign;
    private final Overlay overlay;
    private final long confirmedNanos;
    private final long renewedNanos;
    private final long patienceNanos;
    private final Thread sender;

    private record Waiting(long position, byte[] changes) {}

    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by lock.
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private boolean closed;
    private @Nullable IOException failure;

    /** Written under the lock. */
    private volatile long position;

    // Written by the sender.
    private volatile long committed;
    private volatile long speaksUntilNanos;
    private volatile long sentNanos;

    private volatile boolean asked;
    private volatile boolean silent;

    private ReignLog(RaftMember member, RaftTiming timing, long reign, Listener listener) {
        this.member = member;
        this.reign = reign;
        this.listener = listener;
        this.overlay = new Overlay(member.state(), OVERLAY_BYTES);
        this.confirmedNanos = timing.confirmed().toNanos();
        this.renewedNanos = timing.renewed().toNanos();
        this.patienceNanos = timing.patience().toNanos();
        this.sender = Thread.ofPlatform().name("replica-log").daemon().unstarted(this::sendAll);
    }

    /**
     * Begins a reign: when this returns, the member's state has everything that any leader before had committed, and nothing of
     * theirs comes after it.
     *
     * @throws IOException where this member does not lead, or nothing comes of it in time
     */
    public static ReignLog begin(RaftMember member, RaftTiming timing, Listener listener)
            throws IOException, InterruptedException {
        long reign = ThreadLocalRandom.current().nextLong();
        ReignLog log = new ReignLog(member, timing, reign, listener);
        long sent = System.nanoTime();
        try {
            log.commit(Proposal.begin(reign));
        } catch (ExecutionException refused) {
            throw new IOException(reason(refused), refused);
        } catch (TimeoutException late) {
            throw log.tooLate(late);
        }
        log.confirmed(sent, 0);
        return log;
    }

    /** Has a majority take an entry. */
    private void commit(byte[] proposal) throws ExecutionException, InterruptedException, TimeoutException {
        member.propose(proposal).get(patienceNanos, TimeUnit.NANOSECONDS);
    }

    private IOException tooLate(TimeoutException late) {
        return new IOException(
                "an entry was not committed and applied within " + TimeUnit.NANOSECONDS.toMillis(patienceNanos) + " ms",
                late);
    }

    private static String reason(ExecutionException failed) {
        Throwable cause = failed;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }

    /** Begins to send; before this, batches wait. */
    public void start() {
        sender.start();
    }

    /** The state with all that was appended. */
    public View view() {
        return overlay;
    }

    @Override
    public long append(Changes batch) throws IOException {
        byte[] changes = Proposal.changes(batch.entries());
        if (changes.length + Proposal.BATCH_HEADER_BYTES > Proposal.MOST_BYTES) {
            throw new IOException(
                    "a command that changes " + changes.length + " bytes: at most " + Proposal.MOST_BYTES);
        }
        lock.lock();
        try {
            if (failure != null || closed) {
                throw new IOException(failure == null ? "the log is closed" : failure.getMessage(), failure);
            }
            long next = position + 1;
            if (!overlay.add(next, batch)) {
                throw new IOException("too much waits for the other replicas");
            }
            waiting.add(new Waiting(next, changes));
            position = next;
            LockSupport.unpark(sender);
            return next;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long position() {
        return position;
    }

    /** Negative where another leader may be there: then nothing may be said. */
    @Override
    public long durable() {
        long upTo = committed;
        long now = System.nanoTime();
        boolean speaks = now - speaksUntilNanos < 0 && !silent;
        if (!speaks || now - sentNanos > renewedNanos) {
            asked = true;
            LockSupport.unpark(sender);
        }
        return speaks ? upTo : -1;
    }

    // the sender

    private void sendAll() {
        long sequence = 0;
        while (true) {
            List<byte[]> batches = new ArrayList<>();
            long upTo = take(batches);
            if (upTo < 0) {
                return;
            }
            if (batches.isEmpty() && !asked) {
                LockSupport.park(this);
                continue;
            }
            asked = false;
            long sent = System.nanoTime();
            try {
                byte[] proposal = batches.isEmpty() ? Proposal.tick(reign) : Proposal.batch(reign, ++sequence, batches);
                commit(proposal);
                confirmed(sent, upTo);
                overlay.applied(upTo);
                listener.durable();
            } catch (ExecutionException refused) {
                fail(new IOException("another member leads, or may: " + reason(refused), refused));
                return;
            } catch (TimeoutException late) {
                fail(tooLate(late));
                return;
            } catch (InterruptedException ended) {
                fail(new IOException("interrupted", ended));
                return;
            } catch (RuntimeException | Error broken) {
                fail(new IOException("the log of this reign broke: " + broken, broken));
                return;
            }
        }
    }

    /** What goes into the next entry; the position that it reaches, or -1 at the end. */
    private long take(List<byte[]> batches) {
        lock.lock();
        try {
            long upTo = committed;
            int bytes = 0;
            while (!waiting.isEmpty()
                    && (batches.isEmpty() || bytes + waiting.element().changes().length <= ENTRY_BYTES)) {
                Waiting next = waiting.remove();
                batches.add(next.changes());
                bytes += next.changes().length;
                upTo = next.position();
            }
            return closed && batches.isEmpty() ? -1 : upTo;
        } finally {
            lock.unlock();
        }
    }

    private void confirmed(long sent, long upTo) {
        committed = upTo;
        sentNanos = sent;
        speaksUntilNanos = sent + confirmedNanos;
    }

    private void fail(IOException cause) {
        // First: that a command could not be appended, for one, is the next leader's to say, or not.
        silence();
        lock.lock();
        try {
            failure = cause;
            waiting.clear();
        } finally {
            lock.unlock();
        }
        listener.failed(cause);
    }

    /** Nothing is said any more, whatever is committed. */
    public void silence() {
        silent = true;
    }

    /** What was not committed so far is waited for no longer: this member is at its end. */
    public void abandon() {
        silence();
        sender.interrupt();
    }

    /** Sends what was appended, where the others take it in time. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            LockSupport.unpark(sender);
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
        while (sender.isAlive()) {
            try {
                if (!sender.join(java.time.Duration.ofNanos(Math.max(1, end - System.nanoTime())))) {
                    sender.interrupt();
                    end = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
