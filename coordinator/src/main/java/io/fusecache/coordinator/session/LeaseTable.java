package io.fusecache.coordinator.session;

import io.fusecache.coordinator.namespace.Outcome;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which session may cache which inode; which may have one open, or know names of a directory, without a lease on it.
 *
 * <p>All bring a session into a recall: a lease when the inode changes in any way; an open file only when its last name
 * goes, so that the file lives on; known names only when names of the directory change, for a recall of its attributes
 * alone leaves them with the kernel. A session that came back after a restart, or after its stream broke, holds no lease of before
 * once it has said something, and may have any inode of before open; until then it may still answer its programs from what it had
 * leased, and is asked for it as ever. Guarded by the sequencer's lock.
 */
final class LeaseTable {
    /** A {@link Session}, or an array of several where an inode is shared: there may be millions of those. */
    private final LongMap<Object> leases = new LongMap<>();

    private final Map<Long, Set<Session>> open = new HashMap<>();
    private final Map<Long, Set<Session>> named = new HashMap<>();
    private final Set<Session> suspects = new HashSet<>();
    private final int mostPerSession;

    LeaseTable(int mostPerSession) {
        this.mostPerSession = mostPerSession;
    }

    int size() {
        return leases.size();
    }

    void grant(long ino, Session session) {
        Object holder = leases.get(ino);
        if (holder == null) {
            leases.put(ino, session);
        } else if (holder == session) {
            session.grantedAgain(ino);
            return;
        } else if (holder instanceof Session other) {
            leases.put(ino, new Session[] {other, session});
        } else {
            Session[] several = (Session[]) holder;
            if (contains(several, session)) {
                session.grantedAgain(ino);
                return;
            }
            Session[] more = Arrays.copyOf(several, several.length + 1);
            more[several.length] = session;
            leases.put(ino, more);
        }
        session.granted(ino);
        if (session.mostlyStale()) {
            session.compact(granted -> holds(granted, session));
        }
    }

    /** Leases of {@code session} past its bound, the oldest first, that it should be asked to give up. */
    Set<Long> surplus(Session session) {
        Set<Long> oldest = new HashSet<>();
        if (session.leases() > mostPerSession && !session.givingUp()) {
            int many = Math.max(1, mostPerSession / 16);
            for (long ino = session.oldestGrant(); ino != 0 && oldest.size() < many; ino = session.oldestGrant()) {
                if (holds(ino, session)) {
                    oldest.add(ino);
                }
            }
            if (!oldest.isEmpty()) {
                session.giveUp(oldest);
            }
        }
        return oldest;
    }

    boolean holds(long ino, Session session) {
        Object holder = leases.get(ino);
        return holder == session || (holder instanceof Session[] several && contains(several, session));
    }

    private static boolean contains(Session[] several, Session session) {
        for (Session one : several) {
            if (one == session) {
                return true;
            }
        }
        return false;
    }

    void drop(long ino, Session session) {
        Object holder = leases.get(ino);
        if (holder == session) {
            leases.remove(ino);
            session.dropped();
        } else if (holder instanceof Session[] several && contains(several, session)) {
            leases.put(ino, without(several, session));
            session.dropped();
        }
    }

    /** There is no such inode any more, and no other will have its number. */
    void ended(long ino) {
        Object holder = leases.get(ino);
        if (holder instanceof Session one) {
            one.dropped();
        } else if (holder instanceof Session[] several) {
            for (Session one : several) {
                one.dropped();
            }
        }
        leases.remove(ino);
        open.remove(ino);
        named.remove(ino);
    }

    private static Object without(Session[] several, Session session) {
        Session[] left = Arrays.stream(several).filter(one -> one != session).toArray(Session[]::new);
        return left.length == 1 ? left[0] : left;
    }

    private static void mark(Map<Long, Set<Session>> marks, long ino, Session session, boolean set) {
        if (set) {
            marks.computeIfAbsent(ino, none -> new HashSet<>()).add(session);
            return;
        }
        Set<Session> sessions = marks.get(ino);
        if (sessions != null && sessions.remove(session) && sessions.isEmpty()) {
            marks.remove(ino);
        }
    }

    /** The session gave up these, has those of them open that are {@code inUse}, and names left of {@code directories}. */
    void recalled(Session session, Iterable<Long> inodes, Set<Long> inUse, Set<Long> directories) {
        for (long ino : inodes) {
            drop(ino, session);
            mark(open, ino, session, inUse.contains(ino));
            mark(named, ino, session, directories.contains(ino));
        }
    }

    /**
     * All leases of the session are void but those that it got on its new stream; what it has open of the inodes below {@code ino}, nobody
     * knows.
     */
    void suspect(Session session, long below) {
        Set<Long> kept = session.spokeAgain();
        for (long ino : leases.keys()) {
            if (!kept.contains(ino)) {
                drop(ino, session);
            }
        }
        named.values().removeIf(sessions -> sessions.remove(session) && sessions.isEmpty());
        session.mayHaveOpenBelow(below);
        suspects.add(session);
    }

    void forget(Session session) {
        for (long ino : leases.keys()) {
            drop(ino, session);
        }
        suspects.remove(session);
        named.values().removeIf(sessions -> sessions.remove(session) && sessions.isEmpty());
        open.values().removeIf(sessions -> sessions.remove(session) && sessions.isEmpty());
    }

    /** Whom to ask, about which inodes, before the outcome is applied; {@code asker} is left out. */
    Map<Session, Set<Long>> conflicts(Outcome outcome, @Nullable Session asker) {
        Map<Session, Set<Long>> found = new LinkedHashMap<>();
        for (long ino : outcome.touched()) {
            Object holder = leases.get(ino);
            if (holder instanceof Session one) {
                add(found, one, ino, asker);
            } else if (holder instanceof Session[] several) {
                for (Session one : several) {
                    add(found, one, ino, asker);
                }
            }
        }
        for (long ino : outcome.renamed().keySet()) {
            for (Session one : named.getOrDefault(ino, Set.of())) {
                add(found, one, ino, asker);
            }
        }
        for (long ino : outcome.unlinked()) {
            for (Session one : open.getOrDefault(ino, Set.of())) {
                add(found, one, ino, asker);
            }
            for (Session one : suspects) {
                if (one.mayHaveOpen(ino)) {
                    add(found, one, ino, asker);
                }
            }
        }
        return found;
    }

    private static void add(Map<Session, Set<Long>> to, Session session, long ino, @Nullable Session asker) {
        if (session != asker) {
            to.computeIfAbsent(session, none -> new LinkedHashSet<>()).add(ino);
        }
    }
}
