package io.fusecache.coordinator.session;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.lock.FileLock;
import io.fusecache.metadata.lock.LockKind;
import io.fusecache.metadata.lock.LockType;
import io.fusecache.metadata.lock.LockedRanges;
import io.fusecache.metadata.lock.LockedRanges.Range;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The file locks of all sessions, and who waits for which: flock(2) and fcntl_locking(2), as one machine would have them.
 *
 * <p><b>Who waits for whom.</b> A request that waits is granted as soon as no lock is in its way and nobody who waits longer
 * wants what it excludes. The second part keeps a row of readers from starving a writer. It holds only for a process that has
 * no lock at all: nobody can wait for such a one, so standing behind others adds no circle to who waits for whom. It
 * holds for a lease at most, because a process that was forked may depend on locks that its parent took. What does not wait
 * is granted whenever no lock is in its way, as on Linux: a program that is told EAGAIN finds somebody who has the lock.
 *
 * <p><b>Deadlock.</b> A lock of {@link LockKind#BYTES} that would wait for somebody who waits, through any number of others,
 * for its own owner gets EDEADLK; so does one that comes to do so later. Linux leaves out locks of open file descriptions,
 * which the kernel does not tell apart here: a circle counts only where all in it are different processes.
 *
 * <p>Bounded by what each session may have. Guarded by the sequencer's lock.
 */
final class LockTable {
    /** Ranges that are locked and requests that wait, of one session; about 150 bytes each. */
    static final int MOST_PER_SESSION = 1 << 17;

    /** Hears what became of requests that had to wait. */
    interface Ears {
        void decided(Session session, long ticket, Answer answer);
    }

    /** Looks after nodes that are gone. */
    interface Fence {
        /** Ends the session where its node is gone for good, as far as can be told. Returns whether it did. */
        boolean endIfGone(Session session);
    }

    private record Key(long ino, LockKind kind) {}

    /** An owner on whatever file: a process has the same number on all of them. */
    private record Owner(Session session, LockKind kind, long id) {}

    private record Program(Session session, int pid) {}

    private record Ticket(Session session, long number) {}

    /** What an owner holds of one file, and which process took it last. */
    private static final class Holding {
        final LockedRanges ranges = new LockedRanges();
        int pid;
    }

    private record Waiter(Owner owner, long ticket, FileLock lock, long sinceNanos) {}

    private static final class File {
        final Map<Owner, Holding> held = new LinkedHashMap<>();
        /** In the order in which they came. */
        final Map<Ticket, Waiter> waiters = new LinkedHashMap<>();
    }

    private final Ears ears;
    private final Fence fence;
    private final long patienceNanos;
    private final Map<Key, File> files = new HashMap<>();
    private final Map<Ticket, Key> waiting = new HashMap<>();
    private final Map<Owner, Set<Waiter>> waitsOf = new HashMap<>();
    /** On how many files a process holds something. */
    private final Map<Program, Integer> holders = new HashMap<>();

    private final Map<Program, Integer> waitsOfPrograms = new HashMap<>();
    /** Where more may be grantable, because a process has a lock now and stands behind nobody any more. */
    private final Set<Key> unsettled = new LinkedHashSet<>();

    private final Map<Session, Integer> used = new HashMap<>();

    LockTable(Ears ears, Fence fence, long patienceNanos) {
        this.ears = ears;
        this.fence = fence;
        this.patienceNanos = patienceNanos;
    }

    // asking

    Answer set(Session session, Operation.SetLock request, long nowNanos) {
        FileLock lock = request.lock();
        if (lock.start() < 0 || lock.end() < lock.start()) {
            return Answer.failed(Errno.EINVAL, "a lock from " + lock.start() + " to " + lock.end());
        }
        Owner owner = owner(session, lock);
        Key key = new Key(lock.ino(), lock.kind());
        if (lock.type() == LockType.UNLOCKED) {
            put(key, owner, lock);
            wake(key, nowNanos);
            return Answer.of(new Answer.Locked(false));
        }
        if (used.getOrDefault(session, 0) >= MOST_PER_SESSION) {
            return Answer.failed(
                    Errno.ENOLCK, "node " + session.node() + " has " + MOST_PER_SESSION + " locks already");
        }
        Answer answer = take(key, owner, request, nowNanos);
        wake(key, nowNanos);
        return answer;
    }

    private Answer take(Key key, Owner owner, Operation.SetLock request, long nowNanos) {
        FileLock lock = request.lock();
        if (key.kind() == LockKind.WHOLE_FILE && !giveUpOther(key, owner, lock.type())) {
            return Answer.of(new Answer.Locked(false));
        }
        Blocker blocker = liveBlocker(key, owner, lock);
        Waiter waiter = new Waiter(owner, request.ticket(), lock, nowNanos);
        if (blocker == null && !(request.waits() && standsBehind(files.get(key), waiter, nowNanos))) {
            put(key, owner, lock);
            return Answer.of(new Answer.Locked(false));
        }
        if (!request.waits()) {
            return Answer.failed(Errno.EAGAIN, "another owner has the lock");
        }
        if (blocker != null && deadlocks(key, waiter)) {
            return Answer.failed(Errno.EDEADLK, "whoever has the lock waits for one of this owner");
        }
        enqueue(key, waiter);
        return Answer.of(new Answer.Locked(true));
    }

    /** Who is in the way, and not gone. */
    private @Nullable Blocker liveBlocker(Key key, Owner owner, FileLock lock) {
        Blocker blocker = blocker(key, owner, lock);
        while (blocker != null
                && blocker.owner().session() != owner.session()
                && fence.endIfGone(blocker.owner().session())) {
            blocker = blocker(key, owner, lock);
        }
        return blocker;
    }

    /** Converting a lock of flock(2) is giving it up and asking for the other. False where it is that already. */
    private boolean giveUpOther(Key key, Owner owner, LockType type) {
        File file = files.get(key);
        Holding holding = file == null ? null : file.held.get(owner);
        if (holding == null) {
            return true;
        }
        if (holding.ranges.all().iterator().next().type() == type) {
            return false;
        }
        put(key, owner, FileLock.release(key.ino(), key.kind(), owner.id()));
        return true;
    }

    Answer find(Session session, FileLock lock) {
        Key key = new Key(lock.ino(), lock.kind());
        Blocker blocker = liveBlocker(key, owner(session, lock), lock);
        return Answer.of(
                blocker == null
                        ? new Answer.Obstacle(null, false)
                        : new Answer.Obstacle(
                                lock(key, blocker.owner(), blocker.range()),
                                blocker.owner().session() == session));
    }

    /** False where it does not wait any more. */
    boolean cancel(Session session, long number, long nowNanos) {
        Ticket ticket = new Ticket(session, number);
        Key key = waiting.get(ticket);
        if (key == null) {
            return false;
        }
        dequeue(key, ticket);
        wake(key, nowNanos);
        return true;
    }

    private static Owner owner(Session session, FileLock lock) {
        return new Owner(session, lock.kind(), lock.owner());
    }

    // who is in the way

    private record Blocker(Owner owner, Range range) {}

    private @Nullable Blocker blocker(Key key, Owner owner, FileLock lock) {
        File file = files.get(key);
        if (file == null) {
            return null;
        }
        Blocker first = null;
        for (Map.Entry<Owner, Holding> other : file.held.entrySet()) {
            if (!other.getKey().equals(owner)) {
                Range range = other.getValue().ranges.obstacle(lock.start(), lock.end(), lock.type());
                if (range != null
                        && (first == null || range.start() < first.range().start())) {
                    first = new Blocker(other.getKey(), range);
                }
            }
        }
        return first;
    }

    private boolean standsBehind(@Nullable File file, Waiter waiter, long nowNanos) {
        FileLock lock = waiter.lock();
        if (file == null
                || nowNanos - waiter.sinceNanos() > patienceNanos
                || lock.pid() == 0
                || holders.containsKey(new Program(waiter.owner().session(), lock.pid()))) {
            return false;
        }
        for (Waiter earlier : file.waiters.values()) {
            if (earlier.equals(waiter)) {
                return false;
            }
            if (!earlier.owner().equals(waiter.owner())
                    && earlier.lock().overlaps(lock)
                    && earlier.lock().type().excludes(lock.type())) {
                return true;
            }
        }
        return false;
    }

    private boolean deadlocks(Key key, Waiter waiter) {
        return key.kind() == LockKind.BYTES
                && leadsTo(waiter.owner(), key, waiter, new HashSet<>(), new HashSet<>(Set.of(program(waiter))));
    }

    private static Program program(Waiter waiter) {
        return new Program(waiter.owner().session(), waiter.lock().pid());
    }

    /** Whether what {@code waiter} waits for waits for {@code target}. */
    private boolean leadsTo(Owner target, Key key, Waiter waiter, Set<Owner> seen, Set<Program> path) {
        File file = files.get(key);
        if (file == null) {
            return false;
        }
        FileLock lock = waiter.lock();
        for (Map.Entry<Owner, Holding> other : file.held.entrySet()) {
            Owner owner = other.getKey();
            if (owner.equals(waiter.owner())
                    || other.getValue().ranges.obstacle(lock.start(), lock.end(), lock.type()) == null) {
                continue;
            }
            if (owner.equals(target)) {
                return true;
            }
            if (seen.add(owner)) {
                for (Waiter next : waitsOf.getOrDefault(owner, Set.of())) {
                    Program program = program(next);
                    if (path.add(program)) {
                        Key at = new Key(next.lock().ino(), next.lock().kind());
                        if (leadsTo(target, at, next, seen, path)) {
                            return true;
                        }
                        path.remove(program);
                    }
                }
            }
        }
        return false;
    }

    // changing

    private void put(Key key, Owner owner, FileLock lock) {
        File file = files.computeIfAbsent(key, none -> new File());
        Holding holding = file.held.get(owner);
        if (holding == null) {
            if (lock.type() == LockType.UNLOCKED) {
                dropIfEmpty(key, file);
                return;
            }
            holding = new Holding();
            file.held.put(owner, holding);
        } else {
            count(holders, new Program(owner.session(), holding.pid), -1);
        }
        int before = holding.ranges.size();
        holding.ranges.set(lock.start(), lock.end(), lock.type(), lock.pid());
        count(used, owner.session(), holding.ranges.size() - before);
        if (holding.ranges.isEmpty()) {
            file.held.remove(owner);
            dropIfEmpty(key, file);
        } else {
            holding.pid = lock.type() == LockType.UNLOCKED ? holding.pid : lock.pid();
            holds(new Program(owner.session(), holding.pid));
        }
    }

    private void holds(Program program) {
        count(holders, program, 1);
        if (waitsOfPrograms.containsKey(program)) {
            waiting.forEach((ticket, key) -> {
                Waiter waiter = Objects.requireNonNull(files.get(key)).waiters.get(ticket);
                if (waiter != null && program(waiter).equals(program)) {
                    unsettled.add(key);
                }
            });
        }
    }

    private static <K> void count(Map<K, Integer> counts, K key, int more) {
        counts.merge(key, more, Integer::sum);
        counts.remove(key, 0);
    }

    private void dropIfEmpty(Key key, File file) {
        if (file.held.isEmpty() && file.waiters.isEmpty()) {
            files.remove(key);
        }
    }

    private void enqueue(Key key, Waiter waiter) {
        Ticket ticket = new Ticket(waiter.owner().session(), waiter.ticket());
        files.computeIfAbsent(key, none -> new File()).waiters.put(ticket, waiter);
        waiting.put(ticket, key);
        waitsOf.computeIfAbsent(waiter.owner(), none -> new LinkedHashSet<>()).add(waiter);
        count(waitsOfPrograms, program(waiter), 1);
        count(used, waiter.owner().session(), 1);
    }

    private @Nullable Waiter dequeue(Key key, Ticket ticket) {
        File file = files.get(key);
        Waiter waiter = file == null ? null : file.waiters.remove(ticket);
        if (file == null || waiter == null) {
            return null;
        }
        waiting.remove(ticket);
        Set<Waiter> others = waitsOf.get(waiter.owner());
        if (others != null && others.remove(waiter) && others.isEmpty()) {
            waitsOf.remove(waiter.owner());
        }
        count(waitsOfPrograms, program(waiter), -1);
        count(used, ticket.session(), -1);
        dropIfEmpty(key, file);
        return waiter;
    }

    /** Grants what can be granted now, the longest waiting first, until nothing more can: a grant may give something up. */
    private void wake(Key key, long nowNanos) {
        unsettled.add(key);
        settle(nowNanos);
    }

    private void settle(long nowNanos) {
        while (!unsettled.isEmpty()) {
            Key here = unsettled.iterator().next();
            Ticket next = grantable(here, nowNanos);
            if (next == null) {
                unsettled.remove(here);
            } else {
                grant(
                        here,
                        next,
                        Objects.requireNonNull(files.get(here)).waiters.get(next));
            }
        }
    }

    private @Nullable Ticket grantable(Key key, long nowNanos) {
        File file = files.get(key);
        if (file == null || excludesAll(file)) {
            return null;
        }
        for (Map.Entry<Ticket, Waiter> entry : file.waiters.entrySet()) {
            Waiter waiter = entry.getValue();
            if (blocker(key, waiter.owner(), waiter.lock()) == null && !standsBehind(file, waiter, nowNanos)) {
                return entry.getKey();
            }
        }
        return null;
    }

    /** The one holder has everything, and does not wait for less: no need to look at thousands who wait. */
    private boolean excludesAll(File file) {
        if (file.held.size() != 1) {
            return false;
        }
        Map.Entry<Owner, Holding> only = file.held.entrySet().iterator().next();
        Range first = only.getValue().ranges.all().iterator().next();
        return first.type() == LockType.EXCLUSIVE
                && first.start() == 0
                && first.end() == FileLock.TO_END
                && !waitsOf.containsKey(only.getKey());
    }

    private void grant(Key key, Ticket ticket, @Nullable Waiter waiter) {
        if (waiter == null) {
            throw new AssertionError(ticket + " does not wait");
        }
        dequeue(key, ticket);
        put(key, waiter.owner(), waiter.lock());
        ears.decided(ticket.session(), ticket.number(), Answer.of(new Answer.Locked(false)));
        if (key.kind() == LockKind.BYTES && waitsOf.containsKey(waiter.owner())) {
            // It waits elsewhere as well: whoever waits for it now may close a circle.
            refuseDeadlocked(key);
        }
    }

    private void refuseDeadlocked(Key key) {
        File file = files.get(key);
        for (Map.Entry<Ticket, Waiter> entry :
                file == null ? List.<Map.Entry<Ticket, Waiter>>of() : List.copyOf(file.waiters.entrySet())) {
            if (deadlocks(key, entry.getValue())) {
                Ticket ticket = entry.getKey();
                dequeue(key, ticket);
                Answer answer = Answer.failed(Errno.EDEADLK, "whoever has the lock waits for one of this owner");
                ears.decided(ticket.session(), ticket.number(), answer);
            }
        }
    }

    // sessions

    /** Its stream broke: the client asks again for what it waits for, on the next. */
    void forgetWaiters(Session session, long nowNanos) {
        for (Map.Entry<Ticket, Key> entry : List.copyOf(waiting.entrySet())) {
            if (entry.getKey().session() == session) {
                dequeue(entry.getValue(), entry.getKey());
                unsettled.add(entry.getValue());
            }
        }
        settle(nowNanos);
    }

    /** The session is no more, and neither are its locks. */
    void forget(Session session, long nowNanos) {
        if (used.containsKey(session)) {
            dropAllBut(session, List.of());
            forgetWaiters(session, nowNanos);
        }
    }

    /** Leaves the session no more than it says it has. */
    void keepOnly(Session session, Collection<FileLock> claimed, long nowNanos) {
        dropAllBut(session, claimed);
        settle(nowNanos);
    }

    private void dropAllBut(Session session, Collection<FileLock> claimed) {
        Map<Key, Map<Owner, LockedRanges>> claims = new HashMap<>();
        for (FileLock lock : claimed) {
            claims.computeIfAbsent(new Key(lock.ino(), lock.kind()), none -> new HashMap<>())
                    .computeIfAbsent(owner(session, lock), none -> new LockedRanges())
                    .set(lock.start(), lock.end(), lock.type(), lock.pid());
        }
        for (Key key : List.copyOf(files.keySet())) {
            File file = files.get(key);
            for (Owner owner : file == null ? List.<Owner>of() : List.copyOf(file.held.keySet())) {
                if (owner.session() == session) {
                    Map<Owner, LockedRanges> here = claims.getOrDefault(key, Map.of());
                    keepOnly(key, owner, here.getOrDefault(owner, new LockedRanges()));
                    unsettled.add(key);
                }
            }
        }
    }

    private void keepOnly(Key key, Owner owner, LockedRanges claimed) {
        File file = files.get(key);
        Holding holding = file == null ? null : file.held.get(owner);
        if (holding == null) {
            return;
        }
        LockedRanges kept = new LockedRanges();
        holding.ranges.all().forEach(range -> kept.set(range.start(), range.end(), range.type(), range.pid()));
        kept.keepOnly(claimed);
        put(key, owner, FileLock.release(key.ino(), key.kind(), owner.id()));
        for (Range range : kept.all()) {
            put(key, owner, lock(key, owner, range));
        }
    }

    private static FileLock lock(Key key, Owner owner, Range range) {
        return new FileLock(key.ino(), key.kind(), owner.id(), range.pid(), range.type(), range.start(), range.end());
    }

    /** Takes over what the session had before this coordinator began. False where somebody else has it. */
    boolean claim(Session session, FileLock lock) {
        Key key = new Key(lock.ino(), lock.kind());
        Owner owner = owner(session, lock);
        boolean valid = lock.start() >= 0 && lock.end() >= lock.start() && blocker(key, owner, lock) == null;
        if (valid) {
            put(key, owner, lock);
        }
        return valid;
    }

    /** Sessions that have what somebody waits for, and requests that stood behind others for long enough. */
    Set<Session> review(long nowNanos) {
        Set<Session> obstructing = new HashSet<>();
        for (Key key : new HashSet<>(waiting.values())) {
            wake(key, nowNanos);
            File file = files.get(key);
            if (file != null && !file.waiters.isEmpty()) {
                file.held.keySet().forEach(owner -> obstructing.add(owner.session()));
            }
        }
        return obstructing;
    }

    int size() {
        return used.values().stream().mapToInt(Integer::intValue).sum();
    }
}
