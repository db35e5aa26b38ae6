package io.fusecache.coordinator.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.session.LockModel.Decision;
import io.fusecache.coordinator.session.LockModel.Owner;
import io.fusecache.coordinator.session.LockModel.Place;
import io.fusecache.coordinator.session.LockModel.Wish;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.lock.FileLock;
import io.fusecache.metadata.lock.LockKind;
import io.fusecache.metadata.lock.LockType;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import io.fusecache.testkit.RandomRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class LockTableTest {
    private static final int SESSIONS = 3;
    private static final int COMMANDS = 400;
    private static final List<LockType> TYPES = List.of(LockType.values());

    private final List<Session> sessions = new ArrayList<>();
    private final List<Decision> decisions = new ArrayList<>();
    private final Set<Session> goneNodes = new HashSet<>();

    private LockTable table(long patienceNanos) {
        sessions.clear();
        for (int i = 0; i < SESSIONS; i++) {
            sessions.add(
                    new Session(i + 1, 0, new NodeAddress(new NodeId("n" + i), "h:1", "h:2"), () -> Long.MAX_VALUE, 0));
        }
        return new LockTable(
                (session, ticket, answer) ->
                        decisions.add(new Decision(sessions.indexOf(session), ticket, failure(answer))),
                goneNodes::contains,
                patienceNanos);
    }

    private static @Nullable Errno failure(Answer answer) {
        return answer.failure() == null ? null : answer.failure().errno();
    }

    @Test
    void itDoesAsAModelOfEveryByteDoes() {
        RandomRun.of(300, random -> new Comparison(random, true).run());
        RandomRun.of(100, random -> new Comparison(random, false).run());
    }

    /**
     * One run of table and model side by side. Who stands in a queue depends on what a process has elsewhere, and so on the
     * order in which files are looked at, which is nobody's concern: with queues there is one file.
     */
    private final class Comparison {
        private final RandomGenerator random;
        private final boolean queues;
        private final LockModel model;
        private final LockTable table;
        private long lastTicket;

        Comparison(RandomGenerator random, boolean queues) {
            this.random = random;
            this.queues = queues;
            this.model = new LockModel(queues);
            this.table = table(queues ? Long.MAX_VALUE : -1);
            decisions.clear();
        }

        void run() {
            for (int i = 0; i < COMMANDS; i++) {
                decisions.clear();
                model.decisions.clear();
                int command = random.nextInt(20);
                switch (command) {
                    case 0 -> forget();
                    case 1 -> keepSome();
                    case 2, 3, 4 -> cancel();
                    case 5, 6 -> find();
                    default -> set();
                }
                if (command < 2 && decisions.stream().anyMatch(decision -> decision.refused() != null)) {
                    // Where locks on several files go at once, who closes a circle first is nobody's concern.
                    return;
                }
                assertThat(decisions).as("command %d", i).containsExactlyInAnyOrderElementsOf(model.decisions);
                assertThat(table.size() > 0)
                        .isEqualTo(!model.waiting.isEmpty()
                                || model.held.values().stream()
                                        .flatMap(owners -> owners.values().stream())
                                        .anyMatch(this::any));
            }
        }

        private boolean any(LockType[] bytes) {
            return Arrays.stream(bytes).anyMatch(type -> type != LockType.UNLOCKED);
        }

        private Wish wish() {
            LockKind kind = !queues && random.nextInt(4) == 0 ? LockKind.WHOLE_FILE : LockKind.BYTES;
            Owner owner = new Owner(random.nextInt(SESSIONS), kind, 1 + random.nextInt(3));
            int start = kind == LockKind.WHOLE_FILE ? 0 : random.nextInt(LockModel.BYTES);
            int end = kind == LockKind.WHOLE_FILE ? LockModel.BYTES - 1 : random.nextInt(start, LockModel.BYTES);
            LockType type = TYPES.get(random.nextInt(TYPES.size()));
            return new Wish(owner, new Place(queues ? 1 : 1 + random.nextInt(2), kind), type, start, end, ++lastTicket);
        }

        /** Owners of one number are of one process, whatever the kind. */
        private FileLock lock(Wish wish) {
            long end = wish.end() == LockModel.BYTES - 1 ? FileLock.TO_END : wish.end();
            return new FileLock(
                    wish.place().ino(),
                    wish.place().kind(),
                    wish.owner().id(),
                    (int) wish.owner().id(),
                    wish.type(),
                    wish.start(),
                    end);
        }

        private void set() {
            Wish wish = wish();
            boolean waits = random.nextBoolean();
            Errno expected = model.set(wish, waits);
            Operation.SetLock request = new Operation.SetLock(wish.ticket(), waits, lock(wish));
            Answer answer = table.set(sessions.get(wish.owner().session()), request, 0);
            boolean queued = answer.result() instanceof Answer.Locked(boolean still) && still;
            assertThat(queued ? Errno.EINTR : failure(answer)).as("%s", wish).isEqualTo(expected);
        }

        private void cancel() {
            long ticket = lastTicket - random.nextInt(10);
            for (int i = 0; i < SESSIONS; i++) {
                int session = i;
                Wish wish = model.waiting.stream()
                        .filter(w -> w.ticket() == ticket && w.owner().session() == session)
                        .findFirst()
                        .orElse(null);
                model.waiting.remove(wish);
                assertThat(table.cancel(sessions.get(i), ticket, 0)).isEqualTo(wish != null);
                if (wish != null) {
                    model.wake();
                }
            }
        }

        private void find() {
            Wish wish = wish();
            Answer.Obstacle found = (Answer.Obstacle)
                    table.find(sessions.get(wish.owner().session()), lock(wish)).result();
            FileLock obstacle = found.lock();
            if (wish.type() == LockType.UNLOCKED || !model.blocked(wish)) {
                assertThat(obstacle).isNull();
                return;
            }
            if (obstacle == null) {
                throw new AssertionError("nobody is in the way of " + wish);
            }
            int last = (int) Math.min(obstacle.end(), LockModel.BYTES - 1);
            boolean known = model.blockers(wish).stream()
                    .filter(owner -> owner.id() == obstacle.owner()
                            && found.here() == (owner.session() == wish.owner().session()))
                    .map(owner -> model.bytes(wish.place(), owner))
                    .anyMatch(bytes -> Arrays.stream(bytes, (int) obstacle.start(), last + 1)
                                    .allMatch(type -> type == obstacle.type())
                            && (obstacle.start() == 0 || bytes[(int) obstacle.start() - 1] != obstacle.type())
                            && (last == LockModel.BYTES - 1 || bytes[last + 1] != obstacle.type()));
            assertThat(known).as("%s in the way of %s", obstacle, wish).isTrue();
        }

        private void forget() {
            int session = random.nextInt(SESSIONS);
            List<Wish> gone = model.waiting.stream()
                    .filter(wish -> wish.owner().session() == session)
                    .toList();
            model.waiting.removeAll(gone);
            model.held.values().forEach(owners -> owners.keySet().removeIf(owner -> owner.session() == session));
            table.forget(sessions.get(session), 0);
            model.wake();
        }

        private void keepSome() {
            int session = random.nextInt(SESSIONS);
            List<FileLock> claims = new ArrayList<>();
            LockModel claimed = new LockModel(false);
            for (int i = random.nextInt(12); i > 0; i--) {
                Wish wish = wish();
                if (wish.owner().session() == session && wish.type() != LockType.UNLOCKED) {
                    Arrays.fill(claimed.bytes(wish.place(), wish.owner()), wish.start(), wish.end() + 1, wish.type());
                    claims.add(lock(wish));
                }
            }
            model.held.forEach((place, owners) -> owners.forEach((owner, bytes) -> {
                if (owner.session() == session) {
                    LockType[] allowed = claimed.bytes(place, owner);
                    for (int i = 0; i < bytes.length; i++) {
                        bytes[i] = bytes[i].compareTo(allowed[i]) < 0 ? bytes[i] : allowed[i];
                    }
                }
            }));
            table.keepOnly(sessions.get(session), claims, 0);
            model.wake();
        }
    }

    private Answer take(LockTable table, int session, LockType type, long start, long end, boolean waits, long ticket) {
        FileLock lock = new FileLock(1, LockKind.BYTES, ticket, (int) ticket, type, start, end);
        return table.set(sessions.get(session), new Operation.SetLock(ticket, waits, lock), 0);
    }

    @Test
    void aRowOfReadersDoesNotStarveAWriter() {
        LockTable table = table(1000);
        take(table, 0, LockType.SHARED, 0, 9, true, 1);
        take(table, 1, LockType.EXCLUSIVE, 0, 9, true, 2);
        assertThat(take(table, 2, LockType.SHARED, 0, 9, true, 3).result())
                .as("behind the writer")
                .isEqualTo(new Answer.Locked(true));
        assertThat(take(table, 2, LockType.SHARED, 0, 9, false, 4).result())
                .as("what does not wait is granted where nobody has the lock")
                .isEqualTo(new Answer.Locked(false));
        table.review(1001);
        assertThat(decisions).as("not for ever").containsExactly(new Decision(2, 3, null));
    }

    @Test
    void whoHasALockStandsBehindNobody() {
        LockTable table = table(Long.MAX_VALUE);
        FileLock elsewhere = new FileLock(2, LockKind.BYTES, 9, 3, LockType.EXCLUSIVE, 0, 0);
        take(table, 0, LockType.SHARED, 0, 9, true, 1);
        take(table, 1, LockType.EXCLUSIVE, 0, 9, true, 2);
        take(table, 2, LockType.SHARED, 0, 9, true, 3);
        table.set(sessions.get(2), new Operation.SetLock(4, true, elsewhere), 0);
        assertThat(decisions)
                .as("somebody may wait for it elsewhere, whom the writer waits for")
                .containsExactly(new Decision(2, 3, null));
    }

    @Test
    void fiveThousandWaitersAreServedInTheirOrder() {
        LockTable table = table(Long.MAX_VALUE);
        int many = 5000;
        for (int i = 1; i <= many; i++) {
            take(table, i % SESSIONS, LockType.EXCLUSIVE, 0, FileLock.TO_END, true, i);
        }
        for (int i = 1; i < many; i++) {
            take(table, i % SESSIONS, LockType.UNLOCKED, 0, FileLock.TO_END, false, i);
            assertThat(decisions.getLast()).isEqualTo(new Decision((i + 1) % SESSIONS, i + 1, null));
        }
        assertThat(decisions).hasSize(many - 1);
    }

    @Test
    void aSessionHasABoundOfLocks() {
        LockTable table = table(0);
        for (int i = 0; i < LockTable.MOST_PER_SESSION; i++) {
            take(table, 0, LockType.EXCLUSIVE, 2L * i, 2L * i, false, 1);
        }
        assertThat(failure(take(table, 0, LockType.EXCLUSIVE, 1L << 40, 1L << 40, false, 1)))
                .isEqualTo(Errno.ENOLCK);
        assertThat(take(table, 0, LockType.UNLOCKED, 0, FileLock.TO_END, false, 1)
                        .failure())
                .isNull();
        assertThat(table.size()).isZero();
    }
}
