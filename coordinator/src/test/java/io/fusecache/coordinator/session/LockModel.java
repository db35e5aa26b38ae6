package io.fusecache.coordinator.session;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.lock.LockKind;
import io.fusecache.metadata.lock.LockType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@link LockTable} is to do, byte by byte and without any cleverness: every owner has an array of what it holds of
 * each byte of each file. The last element stands for everything behind.
 */
final class LockModel {
    static final int BYTES = 17;

    /** {@code process}: no two owners here are of one. */
    record Owner(int session, LockKind kind, long id) {}

    record Place(long ino, LockKind kind) {}

    record Wish(Owner owner, Place place, LockType type, int start, int end, long ticket) {}

    record Decision(int session, long ticket, @Nullable Errno refused) {}

    private final boolean queues;
    final Map<Place, Map<Owner, LockType[]>> held = new HashMap<>();
    final List<Wish> waiting = new ArrayList<>();
    final List<Decision> decisions = new ArrayList<>();

    LockModel(boolean queues) {
        this.queues = queues;
    }

    LockType[] bytes(Place place, Owner owner) {
        return held.computeIfAbsent(place, none -> new HashMap<>()).computeIfAbsent(owner, none -> {
            LockType[] bytes = new LockType[BYTES];
            Arrays.fill(bytes, LockType.UNLOCKED);
            return bytes;
        });
    }

    /** Null where it was granted, EINPROGRESS's stand-in {@link Errno#EINTR} where it waits. */
    @Nullable Errno set(Wish wish, boolean waits) {
        LockType[] mine = bytes(wish.place(), wish.owner());
        if (wish.place().kind() == LockKind.WHOLE_FILE && wish.type() != LockType.UNLOCKED) {
            if (mine[0] == wish.type()) {
                return null;
            }
            Arrays.fill(mine, LockType.UNLOCKED);
        }
        Errno answer = null;
        boolean free = !blocked(wish);
        if (free && !(waits && behind(wish))) {
            fill(wish);
        } else if (!waits) {
            answer = Errno.EAGAIN;
        } else if (!free && deadlocks(wish)) {
            answer = Errno.EDEADLK;
        } else {
            waiting.add(wish);
            answer = Errno.EINTR;
        }
        wake();
        return answer;
    }

    private void fill(Wish wish) {
        Arrays.fill(bytes(wish.place(), wish.owner()), wish.start(), wish.end() + 1, wish.type());
    }

    boolean blocked(Wish wish) {
        return !blockers(wish).isEmpty();
    }

    Set<Owner> blockers(Wish wish) {
        Set<Owner> found = new HashSet<>();
        held.getOrDefault(wish.place(), Map.of()).forEach((owner, bytes) -> {
            for (int i = wish.start(); i <= wish.end(); i++) {
                if (!owner.equals(wish.owner()) && bytes[i].excludes(wish.type())) {
                    found.add(owner);
                }
            }
        });
        return found;
    }

    private boolean behind(Wish wish) {
        boolean holds = held.values().stream()
                .flatMap(owners -> owners.entrySet().stream())
                .anyMatch(entry -> entry.getKey().session() == wish.owner().session()
                        && entry.getKey().id() == wish.owner().id()
                        && Arrays.stream(entry.getValue()).anyMatch(type -> type != LockType.UNLOCKED));
        if (!queues || holds) {
            return false;
        }
        for (Wish earlier : waiting) {
            if (earlier.equals(wish)) {
                return false;
            }
            if (earlier.place().equals(wish.place())
                    && !earlier.owner().equals(wish.owner())
                    && earlier.start() <= wish.end()
                    && wish.start() <= earlier.end()
                    && earlier.type().excludes(wish.type())) {
                return true;
            }
        }
        return false;
    }

    private boolean deadlocks(Wish wish) {
        if (wish.place().kind() != LockKind.BYTES) {
            return false;
        }
        Set<Owner> reached = new HashSet<>(blockers(wish));
        List<Owner> next = new ArrayList<>(reached);
        while (!next.isEmpty()) {
            Owner owner = next.removeLast();
            for (Wish other : waiting) {
                if (other.owner().equals(owner) && !owner.equals(wish.owner())) {
                    blockers(other).stream().filter(reached::add).forEach(next::add);
                }
            }
        }
        return reached.contains(wish.owner());
    }

    void wake() {
        for (Wish wish = grantable(); wish != null; wish = grantable()) {
            Wish granted = wish;
            waiting.remove(granted);
            fill(granted);
            decisions.add(new Decision(granted.owner().session(), granted.ticket(), null));
            if (waiting.stream().anyMatch(other -> other.owner().equals(granted.owner()))) {
                refuseDeadlocked(granted.place());
            }
        }
    }

    private @Nullable Wish grantable() {
        return waiting.stream()
                .filter(wish -> !blocked(wish) && !behind(wish))
                .findFirst()
                .orElse(null);
    }

    private void refuseDeadlocked(Place place) {
        for (Wish wish : List.copyOf(waiting)) {
            if (wish.place().equals(place) && deadlocks(wish)) {
                waiting.remove(wish);
                decisions.add(new Decision(wish.owner().session(), wish.ticket(), Errno.EDEADLK));
            }
        }
    }
}
