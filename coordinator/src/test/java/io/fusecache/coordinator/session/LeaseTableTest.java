package io.fusecache.coordinator.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.namespace.Outcome;
import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.View;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Answer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class LeaseTableTest {
    private static final int SESSIONS = 5;
    private static final int INODES = 40;

    private static final View NOTHING = new View() {
        @Override
        public byte @Nullable [] get(byte[] key) {
            return null;
        }

        @Override
        public void scan(byte[] from, byte[] to, Visitor visitor) {}
    };

    private final LeaseTable table = new LeaseTable(Integer.MAX_VALUE);

    /** Against sets, one for each inode. */
    @Test
    void whoHoldsALeaseIsKnownWhoeverSharesIt() {
        List<Session> sessions = new ArrayList<>();
        for (int i = 1; i <= SESSIONS; i++) {
            NodeAddress address = new NodeAddress(new NodeId("n" + i), "http:1", "grpc:1");
            sessions.add(new Session(i, i, address, () -> 0, 0));
        }
        List<Set<Session>> expected = new ArrayList<>();
        for (int ino = 0; ino < INODES; ino++) {
            expected.add(new HashSet<>());
        }
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 5000; i++) {
            int ino = 1 + random.nextInt(INODES - 1);
            Session session = sessions.get(random.nextInt(SESSIONS));
            if (random.nextInt(20) == 0) {
                table.ended(ino);
                expected.get(ino).clear();
            } else if (random.nextBoolean()) {
                table.grant(ino, session);
                expected.get(ino).add(session);
            } else {
                table.drop(ino, session);
                expected.get(ino).remove(session);
            }
            assertThat(recalled(ino)).isEqualTo(expected.get(ino));
            assertThat(sessions).allSatisfy(one -> {
                assertThat(table.holds(ino, one)).isEqualTo(expected.get(ino).contains(one));
                assertThat((long) one.leases())
                        .isEqualTo(expected.stream()
                                .filter(set -> set.contains(one))
                                .count());
            });
        }
        table.forget(sessions.getFirst());
        for (int ino = 1; ino < INODES; ino++) {
            expected.get(ino).remove(sessions.getFirst());
            assertThat(recalled(ino)).isEqualTo(expected.get(ino));
        }
    }

    private Set<Session> recalled(long ino) {
        Outcome outcome = new Outcome(
                Answer.of(new Answer.Nothing()),
                new Changes(NOTHING),
                Set.of(ino),
                Set.of(),
                Map.of(),
                Set.of(),
                Set.of(),
                false,
                null,
                Map.of());
        return table.conflicts(outcome, null).keySet();
    }
}
