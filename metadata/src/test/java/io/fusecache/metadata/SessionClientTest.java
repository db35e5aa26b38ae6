package io.fusecache.metadata;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
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

    @Test
    void nobodyWaitsWithTheEndOfAStreamThatWasNotTaken() throws Exception {
        CompletableFuture<Void> told = new CompletableFuture<>();
        SessionTransport breaksAtOnce = new SessionTransport() {
            @Override
            public Stream open(Hello hello, Receiver receiver) throws IOException {
                Thread.startVirtualThread(() -> {
                    receiver.broken("gone again");
                    told.complete(null);
                });
                throw new IOException("no welcome");
            }

            @Override
            public void close() {}
        };
        CoordinatorClient.Builder client = CoordinatorClient.builder(NODE, OPEN_HERE);
        assertThatThrownBy(() -> client.connect(breaksAtOnce)).hasMessage("no welcome");
        assertThat(told).succeedsWithin(Duration.ofSeconds(60));
    }

    /** Streams to one of several coordinators that answers signs of life, or not. */
    private static final class Members implements SessionTransport {
        final AtomicInteger opened = new AtomicInteger();
        final AtomicInteger beats = new AtomicInteger();
        volatile boolean silent;
        volatile Duration lease = Duration.ofMillis(60);
        volatile @Nullable Receiver latest;
        private final boolean several;

        Members(boolean several) {
            this.several = several;
        }

        @Override
        public boolean several() {
            return several;
        }

        @Override
        public Stream open(Hello hello, Receiver receiver) {
            opened.incrementAndGet();
            boolean deaf = silent;
            silent = false;
            latest = receiver;
            return new Stream() {
                @Override
                public Welcome welcome() {
                    return new Welcome(1, 2, hello.session() == 1, false, "", 8, lease, Welcome.Locks.KEPT);
                }

                @Override
                public void send(Upstream message) {
                    if (message instanceof Upstream.Heartbeat) {
                        beats.incrementAndGet();
                        if (!deaf) {
                            receiver.received(new Downstream.HeartbeatHeard());
                        }
                    }
                }

                @Override
                public void close() {
                    Thread.ofVirtual().start(() -> receiver.broken("closed"));
                }
            };
        }

        @Override
        public void close() {}
    }

    @Test
    void oneOfSeveralThatLeavesSignsOfLifeUnansweredIsLeft() throws Exception {
        Members members = new Members(true);
        members.silent = true;
        CoordinatorClient client = CoordinatorClient.builder(NODE, OPEN_HERE).connect(members);
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> members.opened.get() == 2);
        int before = members.beats.get();
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> members.beats.get() > before + 10);
        assertThat(members.opened).as("who answers is not left").hasValue(2);
        client.close();
    }

    @Test
    void theOnlyOneIsNotLeft() throws Exception {
        Members only = new Members(false);
        only.silent = true;
        CoordinatorClient client = CoordinatorClient.builder(NODE, OPEN_HERE).connect(only);
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> only.beats.get() > 10);
        assertThat(only.opened).hasValue(1);
        client.close();
    }

    @Test
    void signsOfLifeAreAsOftenAsTheLeaseOfTheCoordinatorNeedsThatIsThereNow() throws Exception {
        Members members = new Members(false);
        members.lease = Duration.ofHours(1);
        CoordinatorClient client = CoordinatorClient.builder(NODE, OPEN_HERE).connect(members);
        members.lease = Duration.ofMillis(60);
        requireNonNull(members.latest).broken("it comes again with other settings");
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> members.beats.get() > 10);
        assertThat(members.opened).hasValue(2);
        client.close();
    }
}
