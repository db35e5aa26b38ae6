package io.fusecache.client.bridge;

import io.fusecache.filesystem.NodeIds;
import io.fusecache.fuse.wire.FileName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The names that the kernel was told it may use without asking: what has to be expired when they may lead elsewhere.
 *
 * <p><b>Why none is missed.</b> A name is put in before the answer that gives it is written, and taken out only when the
 * kernel has been told that it is over. An answer that was under way while leases were recalled gives nothing: it was asked
 * for at a {@link #moment} that is over. So whatever was answered before a recall and the kernel still has to hear of is in
 * here when the recall looks, and everything else comes without validity. What the kernel renames by itself, at the end of a
 * RENAME, is put in before that is executed.
 *
 * <p><b>Contended directories.</b> For a while after names of a directory were recalled, its names are given no validity: in
 * steady contention nothing is outstanding, so that a recall has nothing to expire and takes no lock of the kernel's.
 *
 * <p>Names without validity stay in here as well, to tell which the kernel knows: when it asks for one of those again it may
 * only want to validate it, and does so under no lock. Past the bound names are given no validity.
 */
@SuppressWarnings("NonAtomicVolatileUpdate") // under the lock; volatile for those who only read
final class GivenNames {
    /** About 200 bytes each. */
    static final int MOST = 1 << 16;

    /** How long names of a directory have no validity after they were recalled. */
    static final Duration CONTENDED = Duration.ofSeconds(8);

    private static final long PURGE_NANOS = Duration.ofSeconds(1).toNanos();

    /** That the kernel rounds times up, and counts from when it hears the answer. */
    private static final long SLACK_NANOS = Duration.ofSeconds(2).toNanos();

    /** A name of a directory with what it leads to. Its mutable parts are guarded by the registry. */
    static final class Given {
        final long directory;
        final FileName name;

        /** 0 where it leads nowhere, or where that is not known. */
        private final long child;

        private final long sinceNanos;
        private final long untilNanos;

        /** Whether the answer may have been to a validation, of which the kernel takes note under no lock. */
        private final boolean unlocked;

        private boolean valid;
        private @Nullable Given sameBefore;
        private @Nullable Given sameAfter;

        private Given(long directory, FileName name, long child, long sinceNanos, long validNanos, boolean unlocked) {
            this.directory = directory;
            this.name = name;
            this.child = child;
            this.sinceNanos = sinceNanos;
            this.untilNanos = sinceNanos + validNanos + SLACK_NANOS;
            this.unlocked = unlocked;
            this.valid = validNanos > 0;
        }

        @Override
        public String toString() {
            return "'" + name + "' in directory " + directory;
        }
    }

    private static final class Directory {
        final Map<FileName, Given> names = new HashMap<>(4);
        boolean contended;
        long contendedUntilNanos;
    }

    private final int most;
    private final LongSupplier nanos;
    private final Map<Long, Directory> directories = new HashMap<>();
    private final Map<Long, Given> leading = new HashMap<>();
    private int size;
    private long purgedNanos;

    /** Whether names that the kernel may know are missing here. */
    private boolean unsure;

    /** Whether the kernel must not move names, because a recall has found that none is left. */
    private boolean settled;

    private volatile long moment;
    private volatile int underWay;

    GivenNames(int most, LongSupplier nanos) {
        this.most = most;
        this.nanos = nanos;
        this.purgedNanos = nanos.getAsLong() - PURGE_NANOS;
    }

    // when

    /** Now, for an answer from what is leased at this very moment. */
    long moment() {
        return moment;
    }

    /** Now, for an answer that the coordinator is asked for: it may come without a lease while one is being recalled. */
    long quietMoment() {
        long now = moment;
        return underWay == 0 ? now : -1;
    }

    /** Whether no recall has begun or ended since. */
    boolean isStill(long asked) {
        return moment == asked;
    }

    /** Leases are being taken back, from here to {@link #recallEnds}. */
    synchronized void recallBegins() {
        // In this order, so that whoever sees the new moment sees the recall.
        underWay++;
        moment++;
    }

    synchronized void recallEnds() {
        underWay--;
        moment++;
    }

    // what is given

    /**
     * A name is about to be given, with what was asked for at {@code asked}. Returns for how long it may be valid: as
     * wanted, or 0.
     *
     * @param child a node id, 0 where the name leads nowhere
     */
    synchronized long give(long directory, FileName name, long child, long asked, long wantedNanos) {
        long now = nanos.getAsLong();
        Directory in = directories.get(directory);
        long validNanos = isStill(asked) && (in == null || !isContended(in, now)) ? wantedNanos : 0;
        Given before = in == null ? null : in.names.get(name);
        boolean unlocked = unsure || (before != null && child != 0 && before.child == child);
        if (before == null && size >= most && !purge(now)) {
            unsure = true;
            return 0;
        }
        // An answer of before may come later than this one.
        long left = before == null || !isValid(before) ? 0 : before.untilNanos - SLACK_NANOS - now;
        put(new Given(directory, name, child, now, Math.max(validNanos, left), unlocked), before);
        return validNanos;
    }

    private boolean isContended(Directory in, long now) {
        in.contended = in.contended && now - in.contendedUntilNanos < 0;
        return in.contended;
    }

    private void put(Given given, @Nullable Given before) {
        if (before != null) {
            take(before);
        }
        directories
                .computeIfAbsent(given.directory, none -> new Directory())
                .names
                .put(given.name, given);
        size++;
        if (given.child != 0) {
            Given same = leading.put(NodeIds.ino(given.child), given);
            given.sameAfter = same;
            if (same != null) {
                same.sameBefore = given;
            }
        }
    }

    private void take(Given given) {
        Directory in = directories.get(given.directory);
        if (in == null || !in.names.remove(given.name, given)) {
            return;
        }
        size--;
        if (in.names.isEmpty() && !in.contended) {
            directories.remove(given.directory);
        }
        Given before = given.sameBefore;
        Given after = given.sameAfter;
        if (after != null) {
            after.sameBefore = before;
        }
        if (before != null) {
            before.sameAfter = after;
        } else if (given.child != 0 && after != null) {
            leading.put(NodeIds.ino(given.child), after);
        } else if (given.child != 0) {
            leading.remove(NodeIds.ino(given.child));
        }
    }

    /** Makes room: names whose time is over go. Whether there is any. */
    private boolean purge(long now) {
        if (now - purgedNanos < PURGE_NANOS) {
            return false;
        }
        purgedNanos = now;
        List<Given> over = new ArrayList<>();
        for (Directory in : directories.values()) {
            if (!isContended(in, now)) {
                in.names.values().stream()
                        .filter(given -> !given.valid || now - given.untilNanos >= 0)
                        .forEach(over::add);
            }
        }
        over.forEach(this::take);
        directories.values().removeIf(in -> in.names.isEmpty() && !in.contended);
        unsure |= !over.isEmpty();
        return size < most;
    }

    /**
     * A rename is about to be executed: the kernel will move what it knows of the name, with its validity, once that is
     * answered. Returns the names that are to be expired where it comes to nothing, because what they lead to is not known here
     * any more.
     */
    synchronized List<Given> moves(
            long directory, FileName name, long newDirectory, FileName newName, boolean exchange) {
        awaitGoOn();
        Given from = findValid(directory, name);
        Given to = findValid(newDirectory, newName);
        List<Given> doubtful = new ArrayList<>();
        if (from != null) {
            Given moved = moved(from, newDirectory, newName);
            if (to != null) {
                doubtful.add(moved);
            }
        }
        if (exchange && to != null) {
            Given moved = moved(to, directory, name);
            if (from != null) {
                doubtful.add(moved);
            }
        }
        return doubtful;
    }

    private void awaitGoOn() {
        boolean interrupted = false;
        while (settled) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private Given moved(Given from, long directory, FileName name) {
        long now = nanos.getAsLong();
        Given moved = new Given(directory, name, from.child, now, from.untilNanos - now, false);
        put(moved, find(directory, name));
        return moved;
    }

    private @Nullable Given findValid(long directory, FileName name) {
        Given found = find(directory, name);
        return found == null || !isValid(found) ? null : found;
    }

    /** The kernel has no such name any more, or only as one that is not valid. */
    synchronized void removed(long directory, FileName name) {
        Given gone = find(directory, name);
        if (gone != null) {
            take(gone);
        }
    }

    private @Nullable Given find(long directory, FileName name) {
        Directory in = directories.get(directory);
        return in == null ? null : in.names.get(name);
    }

    // what is recalled

    /** From now on names of these directories, as far as the kernel was given any, have no validity. */
    synchronized void contend(Collection<Long> recalled) {
        long until = nanos.getAsLong() + CONTENDED.toNanos();
        for (long directory : recalled) {
            Directory in = directories.get(directory);
            if (in != null) {
                in.contended = true;
                in.contendedUntilNanos = until;
            }
        }
    }

    /**
     * Names that may lead elsewhere.
     *
     * @param names of these directories, any of them where there are none
     * @param inodes names of any directory that lead to one of them
     */
    record Doubtful(Map<Long, Set<FileName>> names, Set<Long> inodes) {
        static Doubtful all(Set<Long> directories, Set<Long> inodes) {
            Map<Long, Set<FileName>> names = new HashMap<>();
            directories.forEach(directory -> names.put(directory, Set.of()));
            return new Doubtful(names, inodes);
        }
    }

    /** Those of them that are valid. */
    synchronized List<Given> of(Doubtful doubtful) {
        Set<Given> found = new LinkedHashSet<>();
        doubtful.names().forEach((directory, only) -> {
            Directory in = directories.get(directory);
            if (in != null && only.isEmpty()) {
                addValid(found, in);
            }
            for (FileName name : only) {
                Given given = findValid(directory, name);
                if (given != null) {
                    found.add(given);
                }
            }
        });
        for (long ino : doubtful.inodes()) {
            for (Given given = leading.get(ino); given != null; given = given.sameAfter) {
                if (isValid(given)) {
                    found.add(given);
                }
            }
        }
        return List.copyOf(found);
    }

    /**
     * Whether nothing is left of what {@link #of} finds. Then no name is moved there until {@link #goOn}, which comes at once: a RENAME
     * that was asked for now would be executed before the change that the recall is for.
     */
    synchronized boolean settle(Doubtful doubtful) {
        settled = of(doubtful).isEmpty();
        return settled;
    }

    /** The recall that settled is acknowledged. */
    synchronized void goOn() {
        settled = false;
        notifyAll();
    }

    /** All valid names. */
    synchronized List<Given> all() {
        List<Given> found = new ArrayList<>();
        directories.values().forEach(in -> addValid(found, in));
        return found;
    }

    private void addValid(Collection<Given> to, Directory in) {
        for (Given given : in.names.values()) {
            if (isValid(given)) {
                to.add(given);
            }
        }
    }

    private boolean isValid(Given given) {
        given.valid = given.valid && nanos.getAsLong() - given.untilNanos < 0;
        return given.valid;
    }

    /** The kernel has been told that this name is over. */
    synchronized void expired(Given given) {
        given.valid = false;
    }

    /** Everything that was given is over. */
    synchronized void clear() {
        directories.values().forEach(in -> in.names.values().forEach(given -> given.valid = false));
    }

    /** Whether the kernel may take note of the answer later than it was told that the name is over. */
    static boolean mayComeLate(Given given, long now, Duration within) {
        return given.unlocked && now - given.sinceNanos < within.toNanos();
    }

    /** Names, those without validity included. */
    synchronized int size() {
        return size;
    }
}
