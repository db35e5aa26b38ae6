package io.fusecache.metadata.delegation;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Operation.DelegatedChange;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes that were answered and that the coordinator is still to get: one batch at a time, in their order, by a thread of its own.
 * They wait for at most {@link #LONGEST_WAIT}, and not at all where somebody asks for them.
 */
final class PendingChanges implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PendingChanges.class);
    static final Duration LONGEST_WAIT = Duration.ofMillis(100);
    private static final int BATCH = 256;
    private static final int MOST_PENDING = 4096;
    private static final int NUMBERS = 8192;
    private static final long RETRY_MILLIS = 200;
    private static final long FAREWELL_MILLIS = 5_000;

    /** The coordinator's end. */
    interface Coordinator {
        CompletableFuture<Answer> send(Operation.Delegated changes) throws ErrnoException;
    }

    /** Hears that nothing that waited will ever be taken, {@code changes}, under the lock. */
    interface Loss {
        void lost(String reason, List<DelegatedChange> changes);
    }

    private record Pending(long number, DelegatedChange change, long[] inodes, long sinceNanos) {}

    private final ReentrantLock lock;
    private final Condition changed;
    private final Coordinator coordinator;
    private final ChangeJournal journal;
    private final Loss loss;
    private final Duration bound;
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();
    private final Map<Long, Long> dirty = new HashMap<>();
    private final Thread sender =
            Thread.ofPlatform().name("delegations").daemon().unstarted(this::send);
    private long last;
    private long taken;
    private long wanted;
    private long nextInode;
    private long inodes;
    private boolean closed;

    /** @param lock guards this, the journal, and whoever notes changes */
    PendingChanges(
            ReentrantLock lock,
            Coordinator coordinator,
            ChangeJournal journal,
            Loss loss,
            Duration bound,
            long last,
            Answer.Delegation given) {
        this.lock = lock;
        this.changed = lock.newCondition();
        this.coordinator = coordinator;
        this.journal = journal;
        this.loss = loss;
        this.bound = bound;
        this.last = last;
        this.taken = last;
        take(given);
    }

    void start() {
        sender.start();
    }

    private void take(Answer.Delegation given) {
        if (given.count() > 0) {
            nextInode = given.firstInode();
            inodes = given.count();
        }
    }

    // under the lock

    /** The number of an inode that is to be made; 0 where there is none now. */
    long number() {
        if (inodes == 0) {
            return 0;
        }
        inodes--;
        return nextInode++;
    }

    void note(DelegatedChange change, long... changedInodes) throws ErrnoException {
        long number = last + 1;
        try {
            journal.append(number, change);
        } catch (IOException e) {
            throw new ErrnoException(Errno.EIO, "the journal of changes cannot be written: " + e.getMessage(), e);
        }
        last = number;
        pending.add(new Pending(number, change, changedInodes, System.nanoTime()));
        for (long ino : changedInodes) {
            dirty.put(ino, number);
        }
        if (pending.size() == 1 || pending.size() == BATCH) {
            changed.signalAll();
        }
    }

    boolean isDirty(long ino) {
        return dirty.containsKey(ino);
    }

    /** Up to which number the coordinator has to come, to know all of an inode. */
    long last(long ino) {
        return dirty.getOrDefault(ino, 0L);
    }

    long last() {
        return last;
    }

    int size() {
        return pending.size();
    }

    /** Waits, the lock given up, until there is room. EIO after the bound. */
    void awaitRoom() throws ErrnoException {
        if (pending.size() >= MOST_PENDING) {
            await(taken + 1);
        }
    }

    /** Waits, the lock given up, until the coordinator has all up to that number, or never will. EIO after the bound. */
    void await(long number) throws ErrnoException {
        if (!awaitUpTo(number, bound)) {
            throw new ErrnoException(
                    Errno.EIO, "the coordinator has not taken changes for " + bound.toSeconds() + " s");
        }
    }

    /** Without a bound but the end of this: for who must not go on before. */
    void awaitAll() {
        long number = last;
        while (!closed && taken < number && !Thread.currentThread().isInterrupted()) {
            boolean done = awaitQuietly(number);
            LOG.debug("changes up to {} are taken: {}", number, done);
        }
    }

    private boolean awaitQuietly(long number) {
        try {
            return awaitUpTo(number, bound);
        } catch (ErrnoException interrupted) {
            return false;
        }
    }

    private boolean awaitUpTo(long number, Duration most) throws ErrnoException {
        long left = most.toNanos();
        while (taken < number && !closed) {
            if (wanted < number) {
                wanted = number;
                changed.signalAll();
            }
            if (left <= 0) {
                return false;
            }
            left = awaitChange(left);
        }
        return taken >= number;
    }

    /** Somebody waiting has reason to look again. */
    void tell() {
        changed.signalAll();
    }

    /** Waits for {@link #tell}, or for progress; what is left of that time. */
    @SuppressWarnings("WaitNotInLoop") // its callers look again
    long awaitChange(long nanos) throws ErrnoException {
        try {
            return changed.awaitNanos(nanos);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "interrupted while waiting for the coordinator");
        }
    }

    /** Nothing that waits will be taken. */
    void lose(String reason) {
        List<DelegatedChange> lost = pending.stream().map(Pending::change).toList();
        pending.clear();
        dirty.clear();
        taken = last;
        loss.lost(reason, lost);
        changed.signalAll();
    }

    // sending

    private void send() {
        while (true) {
            List<Pending> batch = next();
            if (batch.isEmpty()) {
                return;
            }
            List<DelegatedChange> changes = batch.stream().map(Pending::change).toList();
            Answer answer = ask(batch.getFirst().number(), changes);
            if (answer != null && !heard(batch, answer)) {
                pause();
            }
        }
    }

    /** What is due, as it becomes due; empty at the end. */
    private List<Pending> next() {
        lock.lock();
        try {
            while (!closed) {
                Pending oldest = pending.peek();
                long age = oldest == null ? 0 : System.nanoTime() - oldest.sinceNanos();
                if (oldest != null && (pending.size() >= BATCH || wanted > taken || age >= LONGEST_WAIT.toNanos())) {
                    return pending.stream().limit(BATCH).toList();
                }
                long left = oldest == null ? Long.MAX_VALUE : LONGEST_WAIT.toNanos() - age;
                if (changed.awaitNanos(left) < 0) {
                    LOG.trace("changes are due");
                }
            }
            return List.of();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Answer ask(long first, List<DelegatedChange> changes) {
        int numbers;
        lock.lock();
        try {
            numbers = inodes < NUMBERS / 2 ? NUMBERS : 0;
        } finally {
            lock.unlock();
        }
        try {
            return coordinator
                    .send(new Operation.Delegated(first, changes, numbers))
                    .get();
        } catch (ErrnoException e) {
            LOG.debug("changes wait: {}", e.getMessage());
            pause();
        } catch (ExecutionException e) {
            // The session was lost, which its end tells in its own way, or it is closed.
            LOG.debug("changes were not answered: {}", String.valueOf(e.getCause()));
            pause();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return null;
    }

    private static void pause() {
        try {
            Thread.sleep(RETRY_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** False where the same is to be tried again. */
    private boolean heard(List<Pending> batch, Answer answer) {
        lock.lock();
        try {
            Pending oldest = pending.peek();
            if (oldest == null || oldest.number() != batch.getFirst().number()) {
                // Lost meanwhile.
                return true;
            }
            Answer.Failure failure = answer.failure();
            if (failure != null) {
                if (failure.errno() != Errno.EIO) {
                    lose("the coordinator did not take it: " + failure.message());
                }
                return failure.errno() != Errno.EIO;
            }
            if (answer.result() instanceof Answer.Delegation given) {
                take(given);
            }
            for (Pending done : batch) {
                Pending first = pending.remove();
                taken = first.number();
                for (long ino : done.inodes()) {
                    dirty.remove(ino, taken);
                }
            }
            journal.done(taken);
        } catch (IOException e) {
            // The coordinator knows what it has: after a restart it leaves that out.
            LOG.warn("the journal of changes cannot be shortened: {}", e.getMessage());
        } finally {
            changed.signalAll();
            lock.unlock();
        }
        return true;
    }

    /** The same as {@link #send} does, of what a process of before has left: all at once, and nobody waits meanwhile. */
    static void replay(Coordinator coordinator, long first, List<DelegatedChange> changes)
            throws ErrnoException, IOException {
        for (int from = 0; from < changes.size(); from += BATCH) {
            List<DelegatedChange> batch =
                    new ArrayList<>(changes.subList(from, Math.min(changes.size(), from + BATCH)));
            ask(coordinator, new Operation.Delegated(first + from, batch, 0));
        }
    }

    /** How far the coordinator is, and numbers to begin with. */
    static Answer.Delegation greet(Coordinator coordinator) throws ErrnoException, IOException {
        return ask(coordinator, new Operation.Delegated(0, List.of(), NUMBERS));
    }

    private static Answer.Delegation ask(Coordinator coordinator, Operation.Delegated operation)
            throws ErrnoException, IOException {
        try {
            Answer answer = coordinator.send(operation).get();
            Answer.Failure failure = answer.failure();
            if (failure != null) {
                throw new ErrnoException(failure.errno(), failure.message());
            }
            return (Answer.Delegation) answer.result();
        } catch (ExecutionException e) {
            throw new IOException("the coordinator did not answer: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for the coordinator", e);
        }
    }

    /** Sends what waits, for up to 5 s; what is left then the next process sends. */
    @Override
    public void close() {
        lock.lock();
        try {
            boolean all = awaitUpTo(last, Duration.ofMillis(FAREWELL_MILLIS));
            if (!all) {
                LOG.warn("{} changes are not with the coordinator yet: the next start sends them", pending.size());
            }
            closed = true;
            changed.signalAll();
        } catch (ErrnoException e) {
            closed = true;
        } finally {
            lock.unlock();
        }
        sender.interrupt();
        try {
            sender.join(TimeUnit.SECONDS.toMillis(1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
