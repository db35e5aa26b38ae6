package io.fusecache.metadata;

import io.fusecache.metadata.lock.FileLock;
import io.fusecache.metadata.lock.FileLocks;
import io.fusecache.metadata.lock.LockKind;
import io.fusecache.metadata.lock.LockType;
import io.fusecache.metadata.lock.LockedRanges;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file locks of one session, as its client knows them, and its requests for more.
 *
 * <p><b>What is held</b> follows the stream: answers and decisions are taken in by the thread that reads it, in the order in
 * which the coordinator executed them. So when the stream breaks, the coordinator may be ahead by requests that have no
 * answer yet, and by nothing else. On the next stream this side says what it knows, which takes the coordinator back to
 * there, or to there again after a restart; then the unanswered requests go out again, in their order.
 *
 * <p><b>What waits</b> at the coordinator is forgotten there when the stream breaks, and asked for again on the next. A
 * request that is cancelled meanwhile is simply not asked for again.
 *
 * <p>Guarded by its own monitor, which is never held while something is sent or decided.
 */
final class SessionLocks implements FileLocks {
    private static final Logger LOG = LoggerFactory.getLogger(SessionLocks.class);
    private static final int LOCKS_PER_MESSAGE = 10_000;
    private static final int LOST_TO_NAME = 10;

    private record Owner(long ino, LockKind kind, long id) {
        static Owner of(FileLock lock) {
            return new Owner(lock.ino(), lock.kind(), lock.owner());
        }
    }

    private enum Stage {
        NEW,
        /** In a slot. */
        SENT,
        /** With the coordinator. */
        QUEUED,
        /** It was queued when the stream broke. */
        ADRIFT
    }

    private final SessionClient session;
    private final Map<Long, Ticket> tickets = new HashMap<>();
    private final Map<Owner, LockedRanges> held = new HashMap<>();
    private final Set<Owner> lost = new HashSet<>();
    private long lastTicket;

    SessionLocks(SessionClient session) {
        this.session = session;
    }

    /** As {@link Decision}, with what was answered. */
    private interface Outcome {
        void granted(Answer.Result result);

        void refused(ErrnoException why);
    }

    /** A request without a decision. */
    private final class Ticket implements Request {
        final Operation operation;
        final long number;
        final FileLock lock;
        final Outcome outcome;
        Stage stage = Stage.NEW;
        boolean cancelled;

        Ticket(long number, Operation operation, FileLock lock, Outcome outcome) {
            this.number = number;
            this.operation = operation;
            this.lock = lock;
            this.outcome = outcome;
        }

        @Override
        public void send() {
            if (ownerLostLocks()) {
                refuse(
                        Errno.EIO,
                        "a lock of this owner on inode " + lock.ino() + " was lost: unlock or close the file");
                return;
            }
            if (!register()) {
                return;
            }
            try {
                session.call(operation, Duration.ZERO);
            } catch (ErrnoException e) {
                unsent();
                refuse(e);
                return;
            }
            if (cancelledInQueue()) {
                askToCancel();
            }
        }

        private boolean ownerLostLocks() {
            synchronized (SessionLocks.this) {
                if (lock.type() == LockType.UNLOCKED) {
                    lost.remove(Owner.of(lock));
                }
                return lost.contains(Owner.of(lock));
            }
        }

        /** False where it was cancelled before. */
        private boolean register() {
            synchronized (SessionLocks.this) {
                if (!cancelled) {
                    stage = Stage.SENT;
                    tickets.put(number, this);
                }
                return !cancelled;
            }
        }

        /** What is given back is not claimed again, whether or not the coordinator has heard of it. */
        private void unsent() {
            synchronized (SessionLocks.this) {
                if (lock.type() == LockType.UNLOCKED) {
                    hold(lock);
                }
            }
        }

        private boolean cancelledInQueue() {
            synchronized (SessionLocks.this) {
                return cancelled && stage == Stage.QUEUED && tickets.containsKey(number);
            }
        }

        @Override
        public void cancel() {
            boolean here;
            synchronized (SessionLocks.this) {
                cancelled = true;
                here = stage == Stage.NEW || stage == Stage.ADRIFT || !session.connected();
            }
            if (here) {
                refuse(Errno.EINTR, "interrupted while waiting for a lock");
            } else {
                askToCancel();
            }
        }

        private void askToCancel() {
            try {
                Answer answer = session.call(new Operation.CancelLock(number), Duration.ZERO);
                if (answer.result() instanceof Answer.Truth(boolean wasThere) && wasThere) {
                    refuse(Errno.EINTR, "interrupted while waiting for a lock");
                }
                // Else it is decided, or its own request comes later on the stream and is cancelled then.
            } catch (ErrnoException e) {
                refuse(e);
            }
        }

        private void refuse(Errno errno, String message) {
            refuse(new ErrnoException(errno, message));
        }

        private void refuse(ErrnoException why) {
            boolean first;
            synchronized (SessionLocks.this) {
                first = tickets.remove(number) != null || stage == Stage.NEW;
                stage = Stage.SENT;
            }
            if (first) {
                outcome.refused(why);
            }
        }
    }

    // asking

    @Override
    public Request request(FileLock lock, boolean wait, Decision decision) {
        long number = nextTicket();
        return new Ticket(number, new Operation.SetLock(number, wait, lock), lock, new Outcome() {
            @Override
            public void granted(Answer.Result result) {
                decision.granted();
            }

            @Override
            public void refused(ErrnoException why) {
                decision.refused(why);
            }
        });
    }

    private synchronized long nextTicket() {
        return ++lastTicket;
    }

    @Override
    public @Nullable Obstacle find(FileLock lock) throws ErrnoException {
        CompletableFuture<Answer.Result> decided = new CompletableFuture<>();
        long number = nextTicket();
        Ticket ticket = new Ticket(number, new Operation.FindLock(number, lock), lock, new Outcome() {
            @Override
            public void granted(Answer.Result result) {
                decided.complete(result);
            }

            @Override
            public void refused(ErrnoException why) {
                decided.completeExceptionally(why);
            }
        });
        ticket.send();
        try {
            Answer.Obstacle obstacle = (Answer.Obstacle) decided.get();
            return obstacle.lock() == null ? null : new Obstacle(obstacle.lock(), obstacle.here());
        } catch (ExecutionException e) {
            throw e.getCause() instanceof ErrnoException errno
                    ? errno
                    : new ErrnoException(Errno.EIO, String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            ticket.cancel();
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "interrupted while waiting for the coordinator");
        }
    }

    // what the stream says, in its order

    void answered(Operation operation, Answer answer) {
        switch (operation) {
            case Operation.SetLock set -> decided(set.ticket(), set.lock(), answer);
            case Operation.FindLock find -> decided(find.ticket(), find.lock(), answer);
            default -> {}
        }
    }

    void decided(long ticket, Answer answer) {
        FileLock lock;
        synchronized (this) {
            Ticket known = tickets.get(ticket);
            lock = known == null ? null : known.lock;
        }
        if (lock != null) {
            decided(ticket, lock, answer);
        }
    }

    private void decided(long number, FileLock lock, Answer answer) {
        boolean queued = answer.result() instanceof Answer.Locked(boolean still) && still;
        Ticket ticket;
        synchronized (this) {
            if (answer.failure() == null && answer.result() instanceof Answer.Locked && !queued) {
                hold(lock);
            } else if (lock.kind() == LockKind.WHOLE_FILE) {
                // flock(2) gives up the lock of before to get another.
                held.remove(Owner.of(lock));
            }
            ticket = queued ? tickets.get(number) : tickets.remove(number);
            if (ticket != null) {
                ticket.stage = queued ? Stage.QUEUED : ticket.stage;
            }
        }
        if (queued && ticket == null) {
            // Whoever asked has been told that the coordinator did not answer in time.
            session.later(() -> cancel(number), Duration.ZERO);
        } else if (ticket != null && !queued) {
            Answer.Failure failure = answer.failure();
            if (failure == null) {
                ticket.outcome.granted(answer.result());
            } else {
                ticket.outcome.refused(new ErrnoException(failure.errno(), failure.message()));
            }
        }
    }

    private void cancel(long number) {
        try {
            session.send(new Operation.CancelLock(number));
        } catch (ErrnoException e) {
            LOG.warn("a request for a lock that nobody waits for is not taken back: {}", e.getMessage());
        }
    }

    private void hold(FileLock lock) {
        Owner owner = Owner.of(lock);
        LockedRanges ranges = held.computeIfAbsent(owner, none -> new LockedRanges());
        ranges.set(lock.start(), lock.end(), lock.type(), lock.pid());
        if (ranges.isEmpty()) {
            held.remove(owner);
        }
    }

    // the stream breaks, and there is another

    /** Whoever wants to stop waiting need not wait for the next stream. */
    void broken() {
        List<Ticket> cancelled = new ArrayList<>();
        synchronized (this) {
            for (Ticket ticket : tickets.values()) {
                if (ticket.cancelled) {
                    cancelled.add(ticket);
                } else if (ticket.stage == Stage.QUEUED) {
                    ticket.stage = Stage.ADRIFT;
                }
            }
        }
        cancelled.forEach(ticket -> ticket.refuse(Errno.EINTR, "interrupted while waiting for a lock"));
    }

    /** What goes first on the new stream. */
    synchronized List<Upstream.HeldLocks> resumed(Welcome welcome) {
        for (Ticket ticket : tickets.values()) {
            if (ticket.stage == Stage.QUEUED) {
                ticket.stage = Stage.ADRIFT;
            }
        }
        if (!welcome.resumed() || welcome.locks() == Welcome.Locks.LOST) {
            loseAll();
            return List.of();
        }
        List<FileLock> all = new ArrayList<>();
        held.forEach((owner, ranges) -> ranges.all()
                .forEach(range -> all.add(new FileLock(
                        owner.ino(),
                        owner.kind(),
                        owner.id(),
                        range.pid(),
                        range.type(),
                        range.start(),
                        range.end()))));
        List<Upstream.HeldLocks> messages = new ArrayList<>();
        for (int from = 0; from == 0 || from < all.size(); from += LOCKS_PER_MESSAGE) {
            int to = Math.min(all.size(), from + LOCKS_PER_MESSAGE);
            messages.add(new Upstream.HeldLocks(List.copyOf(all.subList(from, to)), to == all.size()));
        }
        return messages;
    }

    private void loseAll() {
        if (held.isEmpty()) {
            return;
        }
        LOG.error(
                "the locks of this node on {} files were lost, because the coordinator had to do without it for longer than a"
                        + " lease: their owners get EIO for further locks on them until they unlock or close; the first are {}",
                held.size(),
                held.keySet().stream().limit(LOST_TO_NAME).toList());
        lost.addAll(held.keySet());
        held.clear();
    }

    /** Whether a request that was sent is wanted no more, and need not be sent again. */
    synchronized boolean cancelled(Operation operation) {
        return switch (operation) {
            case Operation.SetLock set -> set.lock().type() != LockType.UNLOCKED && !tickets.containsKey(set.ticket());
            case Operation.FindLock find -> !tickets.containsKey(find.ticket());
            default -> false;
        };
    }

    /** Queues again what was queued when the stream broke. */
    void sendAgain() {
        List<Ticket> adrift = new ArrayList<>();
        synchronized (this) {
            for (Ticket ticket : tickets.values()) {
                if (ticket.stage == Stage.ADRIFT) {
                    ticket.stage = Stage.SENT;
                    adrift.add(ticket);
                }
            }
        }
        if (!adrift.isEmpty()) {
            Thread.ofVirtual().name("locks-asked-for-again").start(() -> adrift.forEach(this::sendAgain));
        }
    }

    private void sendAgain(Ticket ticket) {
        try {
            session.send(ticket.operation);
        } catch (ErrnoException e) {
            ticket.refuse(e);
            return;
        }
        boolean cancelled;
        synchronized (this) {
            cancelled = ticket.cancelled && tickets.containsKey(ticket.number);
        }
        if (cancelled) {
            ticket.askToCancel();
        }
    }

    void close() {
        List<Ticket> open;
        synchronized (this) {
            open = List.copyOf(tickets.values());
        }
        open.forEach(ticket -> ticket.refuse(Errno.EIO, "the session was closed"));
    }
}
