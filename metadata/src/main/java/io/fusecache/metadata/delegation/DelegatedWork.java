package io.fusecache.metadata.delegation;

import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Operation.DelegatedChange;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is delegated to this node now, and how it comes and goes: one lock around the {@link DelegatedTree}, what is pending of it and
 * the journal. The lock is given up by whoever waits for the coordinator; the journal is written under it, without a sync, because
 * the order of its records is the order of what was answered.
 */
final class DelegatedWork implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DelegatedWork.class);
    private static final int MOST_INODES = 200_000;

    private final CoordinatorClient coordinator;
    private final Delegations.Options options;
    private final ReentrantLock lock = new ReentrantLock();
    private final DelegatedTree tree;
    private final PendingChanges pending;
    private final ChangeJournal journal;

    /** Directories on their way to the coordinator, and how many wait for that. */
    private final Map<Long, Integer> closing = new HashMap<>();

    /** By directory that was given up, and that the coordinator takes for delegated still: what no read lease covered then. */
    private final Map<Long, Set<Long>> unleased = new HashMap<>();

    private final Set<Long> lost = new HashSet<>();
    private long setAside;

    /** Directories that are being made, to be delegated; {@link #missed} were recalled meanwhile. */
    private int asked;

    private final Set<Long> missed = new HashSet<>();

    /** @param aside inodes that were made and set aside before, {@code refused} changes just now */
    DelegatedWork(
            CoordinatorClient coordinator,
            Delegations.Options options,
            ChangeJournal journal,
            long last,
            Answer.Delegation given,
            Set<Long> aside,
            long refused) {
        this.coordinator = coordinator;
        this.options = options;
        this.journal = journal;
        lost.addAll(aside);
        setAside = refused;
        pending = new PendingChanges(lock, coordinator::delegated, journal, this::lost, options.bound(), last, given);
        tree = new DelegatedTree(coordinator.self(), options.clock(), pending::number, pending::note);
    }

    void start() {
        pending.start();
    }

    private void count(List<DelegatedChange> refused) {
        setAside += refused.size();
        refused.stream()
                .filter(change -> change.operation() instanceof Operation.Create)
                .forEach(change -> lost.add(change.ino()));
    }

    /** Under the lock. */
    private void lost(String reason, List<DelegatedChange> changes) {
        missed.addAll(tree.directories());
        tree.clear();
        closing.clear();
        unleased.clear();
        if (changes.isEmpty()) {
            return;
        }
        count(changes);
        try {
            LOG.error("{} changes are set aside in {}: {}", changes.size(), journal.setAside(reason), reason);
        } catch (IOException e) {
            LOG.error("{} changes will never be taken ({}), and cannot be set aside", changes.size(), reason, e);
        }
    }

    /** All delegations have ended without this node's doing. */
    void lose(String reason) {
        lock.lock();
        try {
            pending.lose(reason);
        } finally {
            lock.unlock();
        }
    }

    /** How many changes the coordinator did not take, because the delegation had ended by force. */
    long setAside() {
        lock.lock();
        try {
            return setAside;
        } finally {
            lock.unlock();
        }
    }

    boolean lost(long ino) {
        lock.lock();
        try {
            return lost.contains(ino);
        } finally {
            lock.unlock();
        }
    }

    /** How many inodes this node answers for. */
    int delegatedInodes() {
        lock.lock();
        try {
            return tree.size();
        } finally {
            lock.unlock();
        }
    }

    /** How many changes the coordinator is still to get. */
    int pendingChanges() {
        lock.lock();
        try {
            return pending.size();
        } finally {
            lock.unlock();
        }
    }

    // local, or not

    /** Something of the tree: null where it cannot say. */
    interface Local<T> {
        @Nullable T in(DelegatedTree tree) throws ErrnoException;
    }

    /** Changes the tree, where that may be now. Null where it is not to be done here. */
    <T> @Nullable T change(Local<T> change, long... inodes) throws ErrnoException {
        lock.lock();
        try {
            awaitOpen(inodes);
            if (!coordinator.connected()) {
                return null;
            }
            pending.awaitRoom();
            awaitOpen(inodes);
            return change.in(tree);
        } finally {
            lock.unlock();
        }
    }

    <T> @Nullable T ask(Local<T> question) throws ErrnoException {
        lock.lock();
        try {
            return question.in(tree);
        } finally {
            lock.unlock();
        }
    }

    private boolean isClosing(long... inodes) {
        for (long ino : inodes) {
            if (closing.containsKey(tree.home(ino))) {
                return true;
            }
        }
        return false;
    }

    private void awaitOpen(long... inodes) throws ErrnoException {
        long left = options.bound().toNanos();
        while (!closing.isEmpty() && isClosing(inodes)) {
            if (left <= 0) {
                throw new ErrnoException(
                        Errno.EIO, "a directory is being given back to the coordinator, which does not answer");
            }
            left = pending.awaitChange(left);
        }
    }

    /** The coordinator knows all of these when this returns. */
    void settleAll(long... inodes) throws ErrnoException {
        lock.lock();
        try {
            long number = 0;
            for (long ino : inodes) {
                number = Math.max(number, pending.last(ino));
            }
            if (number > 0) {
                pending.await(number);
            }
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #settleAll}, and what the inodes are here with is here no more. */
    void end(long... inodes) throws ErrnoException {
        lock.lock();
        try {
            awaitOpen(inodes);
            Set<Long> ending = new HashSet<>();
            for (long ino : inodes) {
                if (tree.contains(ino)) {
                    ending.add(tree.home(ino));
                }
            }
            if (!ending.isEmpty()) {
                ending.forEach(ino -> closing.merge(ino, 1, Integer::sum));
                boolean done = false;
                try {
                    pending.await(pending.last());
                    done = true;
                } finally {
                    closed(ending, done);
                }
            }
        } finally {
            lock.unlock();
        }
        settleAll(inodes);
    }

    private void closed(Set<Long> ending, boolean dropped) {
        if (dropped) {
            for (long directory : ending) {
                Set<Long> loose = tree.inodes(directory);
                loose.removeIf(ino -> coordinator.cachedInode(ino) != null);
                if (!loose.isEmpty()) {
                    unleased.computeIfAbsent(directory, none -> new HashSet<>()).addAll(loose);
                }
                tree.drop(directory);
            }
        }
        ending.forEach(ino -> closing.computeIfPresent(ino, (same, users) -> users == 1 ? null : users - 1));
        pending.tell();
    }

    /**
     * Somebody else looks at one of these. What programs may have seen of them, while no read lease covered it, is returned: it can change
     * as soon as this is acknowledged.
     */
    Set<Long> giveBack(Set<Long> recalled) {
        lock.lock();
        try {
            Set<Long> ending = new HashSet<>();
            for (long ino : recalled) {
                if (tree.hasDirectory(ino)) {
                    ending.add(ino);
                } else if (asked > 0) {
                    missed.add(ino);
                }
            }
            if (!ending.isEmpty()) {
                ending.forEach(ino -> closing.merge(ino, 1, Integer::sum));
                pending.awaitAll();
                closed(ending, true);
            }
            Set<Long> loose = new HashSet<>();
            for (long ino : recalled) {
                loose.addAll(unleased.getOrDefault(ino, Set.of()));
                unleased.remove(ino);
            }
            return loose;
        } finally {
            lock.unlock();
        }
    }

    /** So that what is here stays within its bound. */
    void makeRoom() throws ErrnoException {
        long some = 0;
        lock.lock();
        try {
            if (tree.size() > MOST_INODES) {
                some = tree.directories().iterator().next();
            }
        } finally {
            lock.unlock();
        }
        if (some != 0) {
            end(some);
        }
    }

    /** Null where it is not here. */
    @Nullable Inode find(long ino) {
        lock.lock();
        try {
            return tree.inode(ino);
        } finally {
            lock.unlock();
        }
    }

    /** As it is by now. */
    Inode current(Inode inode) {
        lock.lock();
        try {
            Inode here = tree.inode(inode.ino());
            return here == null ? inode : here;
        } finally {
            lock.unlock();
        }
    }

    // coming

    /** A directory is about to be made that may be delegated. */
    void asks() {
        lock.lock();
        try {
            asked++;
        } finally {
            lock.unlock();
        }
    }

    /** It was made, or not; what was recalled meanwhile is not ours alone any more. */
    void answered(@Nullable Inode made, long parent) {
        lock.lock();
        try {
            if (made != null && coordinator.self().equals(made.writer()) && !missed.contains(made.ino())) {
                tree.add(made, parent);
            }
            if (--asked == 0) {
                missed.clear();
            }
        } finally {
            lock.unlock();
        }
    }

    // what is pending

    /** Whether the coordinator has all of it. */
    boolean settled(long ino) {
        lock.lock();
        try {
            return !pending.isDirty(ino);
        } finally {
            lock.unlock();
        }
    }

    /** Of a file whose inode the coordinator has not all of; else null: what the bucket has of it the coordinator alone knows. */
    @Nullable FileVersion pendingContent(long ino) {
        lock.lock();
        try {
            return pending.isDirty(ino) ? tree.content(ino) : null;
        } finally {
            lock.unlock();
        }
    }

    /** The coordinator has all that was answered when this returns. */
    void settleAll() throws ErrnoException {
        lock.lock();
        try {
            pending.await(pending.last());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        pending.close();
        try {
            journal.close();
        } catch (IOException e) {
            LOG.warn("the journal of changes was not closed: {}", e.getMessage());
        }
    }
}
