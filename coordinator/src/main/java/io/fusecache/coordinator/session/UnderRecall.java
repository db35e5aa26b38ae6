package io.fusecache.coordinator.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The inodes that are being recalled, each with the turns that wait for that: nobody gets a lease on them.
 *
 * <p>A session that is awaited may have to be heard before it can give an inode up: its kernel holds the lock of a directory for
 * the very request that would have to wait. So what such a session asks for about that inode overtakes: it comes on top of the
 * turns that wait, and may wait for recalls itself, and be overtaken in turn. Of those that wait for one inode the last is first.
 * Nobody has heard of what any of them comes to, so every order among them is one that there can be.
 */
final class UnderRecall {
    private final Map<Long, ArrayDeque<Turn>> turns = new HashMap<>();

    boolean isEmpty() {
        return turns.isEmpty();
    }

    /** The turn waits for these inodes, before all others that do. */
    void hold(Turn turn, Set<Long> inodes) {
        Set<Long> now = new HashSet<>(turn.blocked);
        for (long ino : inodes) {
            ArrayDeque<Turn> stack = turns.computeIfAbsent(ino, none -> new ArrayDeque<>(2));
            if (!now.add(ino)) {
                stack.remove(turn);
            }
            stack.push(turn);
        }
        turn.blocked = now;
    }

    void release(Turn turn) {
        for (long ino : turn.blocked) {
            ArrayDeque<Turn> stack = turns.get(ino);
            if (stack != null && stack.remove(turn) && stack.isEmpty()) {
                turns.remove(ino);
            }
        }
        turn.blocked = Set.of();
    }

    /** Behind whom the turn has to come, which concerns these inodes; null where it may go on. */
    @Nullable Turn ahead(Turn turn, List<Set<Long>> concerned, LongPredicate isDirectory) {
        for (Set<Long> inodes : concerned) {
            for (long ino : inodes) {
                ArrayDeque<Turn> stack = turns.get(ino);
                Turn other = stack == null ? null : ahead(turn, ino, stack, isDirectory);
                if (other != null) {
                    return other;
                }
            }
        }
        return null;
    }

    private static @Nullable Turn ahead(Turn turn, long ino, ArrayDeque<Turn> stack, LongPredicate isDirectory) {
        for (Iterator<Turn> all = stack.iterator(); all.hasNext(); ) {
            Turn other = all.next();
            if (other == turn) {
                // The rest it has overtaken.
                return null;
            }
            if (!overtakes(turn, other, ino, isDirectory)) {
                return other;
            }
        }
        return null;
    }

    private static boolean overtakes(Turn turn, Turn other, long ino, LongPredicate isDirectory) {
        Session session = turn.session;
        // Between what one session asks for at the same time there is no order.
        return session != null
                && (other.session == session || session.isAwaited(other, ino))
                && switch (turn.overtakes) {
                    case NOTHING -> false;
                    case DIRECTORIES -> isDirectory.test(ino);
                    case ALL -> true;
                };
    }

    /** Those of the inodes that other turns wait for. */
    Set<Long> heldByOthers(Turn turn, Set<Long> inodes) {
        Set<Long> held = new HashSet<>();
        if (!turns.isEmpty()) {
            for (long ino : inodes) {
                ArrayDeque<Turn> stack = turns.get(ino);
                if (stack != null && stack.stream().anyMatch(other -> other != turn)) {
                    held.add(ino);
                }
            }
        }
        return held;
    }

    /** What a session asked for and waits for. */
    List<Turn> of(Session session) {
        Set<Turn> found = new LinkedHashSet<>();
        for (ArrayDeque<Turn> stack : turns.values()) {
            stack.stream().filter(turn -> turn.session == session).forEach(found::add);
        }
        return new ArrayList<>(found);
    }
}
