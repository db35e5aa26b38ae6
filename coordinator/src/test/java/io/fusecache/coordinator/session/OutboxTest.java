package io.fusecache.coordinator.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Downstream.RecallRequest;
import io.fusecache.metadata.session.Welcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What waits for the log, and what the log is asked for it. */
final class OutboxTest {
    private static final long LEASE = 100;

    private long durable = -1;
    private int asked;
    private final List<Downstream> sent = new ArrayList<>();
    private final Session session = new Session(1, 2, new NodeAddress(new NodeId("a"), "", ""), this::durable, 0);
    private final Outbox outbox = session.outbox();

    private long durable() {
        asked++;
        return durable;
    }

    private Sink stream() {
        return new Sink() {
            @Override
            public void welcome(Welcome welcome) {}

            @Override
            public void send(Downstream message) {
                sent.add(message);
            }

            @Override
            public void close(String reason) {}
        };
    }

    private void recall(long number) {
        session.recalls().put(number, new Session.Recalling(null, Set.of(7L), false, Map.of(), Set.of(), 0));
        outbox.add(5, new RecallRequest(number, Set.of(7L), false));
        outbox.drain();
    }

    @Test
    void theLogIsNotAskedForNothing() {
        outbox.connect(stream());
        outbox.drain();
        assertThat(asked).isZero();
        recall(1);
        assertThat(asked).isOne();
        assertThat(sent).isEmpty();
        durable = 5;
        outbox.drain();
        assertThat(sent).containsExactly(new RecallRequest(1, Set.of(7L), false));
        int before = asked;
        outbox.drain();
        assertThat(asked).isEqualTo(before);
    }

    @Test
    void aRecallThatCouldNotLeaveYetIsHeldAgainstNobody() {
        outbox.connect(stream());
        recall(1);
        assertThat(session.leavesRecall(1_000, LEASE)).isFalse();
        durable = 5;
        outbox.drain();
        assertThat(sent).hasSize(1);
        // The right to speak comes and goes: what was sent stays sent.
        durable = -1;
        assertThat(session.leavesRecall(1_000 + LEASE, LEASE)).isFalse();
        assertThat(session.leavesRecall(1_001 + LEASE, LEASE)).isTrue();
    }

    @Test
    void aRecallIsDueAnewOnANewStreamButNotWithoutOne() {
        durable = 5;
        outbox.connect(stream());
        recall(1);
        outbox.connect(stream());
        assertThat(session.leavesRecall(1_000, LEASE)).isFalse();
        outbox.connect(null);
        assertThat(session.leavesRecall(1_000 + LEASE, LEASE)).isFalse();
        assertThat(session.leavesRecall(1_001 + LEASE, LEASE)).isTrue();
    }
}
