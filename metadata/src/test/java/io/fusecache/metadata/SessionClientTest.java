package io.fusecache.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The client's end of a session, against streams that do what real ones do at an inconvenient moment. */
final class SessionClientTest {
    private static final NodeAddress NODE = new NodeAddress(new NodeId("n"), "", "");

    /** Behind the welcome comes a recall, before the client has taken its stream over. */
    private static final class RecallsAtOnce implements SessionTransport {
        final CompletableFuture<Upstream.RecallDone> acknowledged = new CompletableFuture<>();
        private final AtomicInteger asked = new AtomicInteger();

        @Override
        public Stream open(Hello hello, Receiver receiver) {
            Thread.ofVirtual().start(() -> receiver.received(new Downstream.RecallRequest(1, Set.of(5L), true)));
            return new Stream() {
                @Override
                public Welcome welcome() {
                    if (asked.incrementAndGet() > 1) {
                        // It is received by now, and not taken over: here an acknowledgement would be lost.
                        try {
                            acknowledged.get(5, TimeUnit.SECONDS);
                        } catch (TimeoutException lost) {
                            // The test says so.
                        } catch (Exception broken) {
                            throw new AssertionError(broken);
                        }
                    }
                    return new Welcome(1, 2, false, false, "", 8, Duration.ofSeconds(10), Welcome.Locks.KEPT);
                }

                @Override
                public void send(Upstream message) {
                    if (message instanceof Upstream.RecallDone done) {
                        acknowledged.complete(done);
                    }
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public void close() {}
    }

    private static final RecallListener OPEN_HERE = new RecallListener() {
        @Override
        public Set<Long> recalled(Recall recall) {
            return Set.of(5L);
        }

        @Override
        public void reset(boolean writeLeasesLost) {}
    };

    @Test
    void aRecallRightBehindTheWelcomeIsAcknowledged() throws Exception {
        RecallsAtOnce transport = new RecallsAtOnce();
        CoordinatorClient client = CoordinatorClient.builder(NODE, OPEN_HERE).connect(transport);
        assertThat(transport.acknowledged).isCompletedWithValue(new Upstream.RecallDone(1, Set.of(5L)));
        client.close();
    }
}
