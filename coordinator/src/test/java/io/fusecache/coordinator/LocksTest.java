package io.fusecache.coordinator;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.lock.FileLock;
import io.fusecache.metadata.lock.FileLocks;
import io.fusecache.metadata.lock.LockKind;
import io.fusecache.metadata.lock.LockType;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** File locks of several nodes, while streams break, nodes die and the coordinator restarts. */
final class LocksTest {
    /** Whoever does not come back for that long loses what he holds, as a machine that is busy enough makes of anybody. */
    private static final Duration LONG_LEASE = Duration.ofMinutes(2);

    private static final Duration SHORT_LEASE = Duration.ofMillis(500);
    private static final long INO = 7;

    @TempDir
    Path folder;

    private Duration lease = LONG_LEASE;
    private @Nullable Coordinator coordinator;
    private final List<Metadata> clients = new ArrayList<>();
    private final Set<NodeId> cutOff = new HashSet<>();

    /** To whichever coordinator runs now. */
    private final SessionTransport now = new SessionTransport() {
        @Override
        public Stream open(Hello hello, Receiver receiver) throws IOException {
            Coordinator current = coordinator;
            if (current == null || cutOff.contains(hello.node().id())) {
                throw new IOException("no coordinator");
            }
            return current.transport().open(hello, receiver);
        }

        @Override
        public void close() {}
    };

    @BeforeEach
    void up() throws IOException {
        coordinator = Coordinator.open(folder, SessionLimits.DEFAULT.withLease(lease));
    }

    private void withShortLease() throws IOException {
        down();
        lease = SHORT_LEASE;
        up();
    }

    private void down() {
        Coordinator current = coordinator;
        coordinator = null;
        if (current != null) {
            current.close();
        }
    }

    @AfterEach
    void end() {
        clients.forEach(Metadata::close);
        down();
    }

    private Metadata node(String id) throws IOException {
        Metadata client = CoordinatorClient.builder(new NodeAddress(new NodeId(id), "h:1", "h:2"), new Recorder())
                .bound(Duration.ofSeconds(60))
                .connect(now);
        clients.add(client);
        return client;
    }

    private static FileLock lock(long owner, LockType type, long start, long end) {
        return new FileLock(INO, LockKind.BYTES, owner, (int) owner, type, start, end);
    }

    private static FileLock exclusive(long owner) {
        return lock(owner, LockType.EXCLUSIVE, 0, 9);
    }

    /** A request with its decision: null where it was granted. */
    private static final class Asked implements FileLocks.Decision {
        final CompletableFuture<@Nullable Errno> decided = new CompletableFuture<>();
        final FileLocks.Request request;

        Asked(Metadata node, FileLock lock, boolean waits) {
            request = node.locks().request(lock, waits, this);
            request.send();
        }

        @Override
        public void granted() {
            assertThat(decided.complete(null)).isTrue();
        }

        @Override
        public void refused(ErrnoException why) {
            assertThat(decided.complete(why.errno())).isTrue();
        }

        @Nullable Errno decision() throws Exception {
            return decided.get(60, SECONDS);
        }
    }

    private static @Nullable Errno take(Metadata node, FileLock lock) throws Exception {
        return new Asked(node, lock, false).decision();
    }

    private void breakStreams() {
        Coordinator current = coordinator;
        if (current == null) {
            throw new AssertionError("the coordinator is down");
        }
        current.sessions().broken("cut");
    }

    private static void awaitConnected(Metadata... nodes) {
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> List.of(nodes).stream().allMatch(Metadata::connected));
    }

    @Test
    void anotherNodeWaitsAndGetsItWhenItIsFree() throws Exception {
        Metadata a = node("a");
        Metadata b = node("b");
        assertThat(take(a, exclusive(1))).isNull();
        assertThat(take(b, exclusive(1))).as("the same number on another node").isEqualTo(Errno.EAGAIN);
        FileLocks.Obstacle found = b.locks().find(exclusive(1));
        assertThat(found).isEqualTo(new FileLocks.Obstacle(exclusive(1), false));
        Asked waiting = new Asked(b, exclusive(1), true);
        assertThat(waiting.decided).isNotDone();
        assertThat(take(a, FileLock.release(INO, LockKind.BYTES, 1))).isNull();
        assertThat(waiting.decision()).isNull();
        assertThat(a.locks().find(lock(2, LockType.SHARED, 5, 5))).isNotNull();
    }

    @Test
    void aCancelledRequestLeavesNothingBehind() throws Exception {
        Metadata a = node("a");
        Metadata b = node("b");
        assertThat(take(a, exclusive(1))).isNull();
        Asked waiting = new Asked(b, exclusive(2), true);
        waiting.request.cancel();
        assertThat(waiting.decision()).isEqualTo(Errno.EINTR);
        assertThat(take(a, FileLock.release(INO, LockKind.BYTES, 1))).isNull();
        assertThat(a.locks().find(exclusive(1))).as("no lock of a ghost").isNull();
    }

    @Test
    void locksAndWaitersSurviveABrokenStream() throws Exception {
        Metadata a = node("a");
        Metadata b = node("b");
        assertThat(take(a, exclusive(1))).isNull();
        Asked waiting = new Asked(b, exclusive(2), true);
        Asked givenUp = new Asked(b, exclusive(3), true);
        cutOff.addAll(List.of(a.self(), b.self()));
        breakStreams();
        Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> !a.connected() && !b.connected());
        givenUp.request.cancel();
        assertThat(givenUp.decision()).as("though nobody can be asked").isEqualTo(Errno.EINTR);
        cutOff.clear();
        awaitConnected(a, b);
        assertThat(take(b, exclusive(4))).isEqualTo(Errno.EAGAIN);
        assertThat(waiting.decided).isNotDone();
        assertThat(take(a, FileLock.release(INO, LockKind.BYTES, 1))).isNull();
        assertThat(waiting.decision()).isNull();
        assertThat(take(b, FileLock.release(INO, LockKind.BYTES, 2))).isNull();
        assertThat(a.locks().find(exclusive(1))).isNull();
    }

    @Test
    void aRestartedCoordinatorGivesNothingToOthersBeforeItHasHeardOfTheLocks() throws Exception {
        Metadata a = node("a");
        Metadata b = node("b");
        assertThat(take(a, lock(1, LockType.EXCLUSIVE, 0, 9))).isNull();
        assertThat(take(a, lock(1, LockType.SHARED, 3, 5))).isNull();
        Asked waiting = new Asked(b, exclusive(2), true);
        cutOff.add(a.self());
        down();
        up();
        awaitConnected(b);
        Asked thief = new Asked(b, exclusive(3), false);
        assertThat(thief.decided).as("b is back, a is not").isNotDone();
        cutOff.clear();
        assertThat(thief.decision()).isEqualTo(Errno.EAGAIN);
        assertThat(take(b, lock(4, LockType.SHARED, 3, 5))).isNull();
        assertThat(take(b, lock(4, LockType.UNLOCKED, 3, 5))).isNull();
        assertThat(waiting.decided).isNotDone();
        assertThat(take(a, FileLock.release(INO, LockKind.BYTES, 1))).isNull();
        assertThat(waiting.decision()).isNull();
    }

    @Test
    void whoStaysAwayAfterARestartForALeaseHasLostItsLocks() throws Exception {
        withShortLease();
        Metadata a = node("a");
        Metadata b = node("b");
        assertThat(take(a, exclusive(1))).isNull();
        cutOff.add(a.self());
        down();
        up();
        awaitConnected(b);
        Asked waiting = new Asked(b, exclusive(2), true);
        assertThat(waiting.decision()).isNull();
        cutOff.clear();
        awaitConnected(a);
        assertThat(take(a, lock(1, LockType.SHARED, 50, 50)))
                .as("its owner hears of it")
                .isEqualTo(Errno.EIO);
        assertThat(take(a, FileLock.release(INO, LockKind.BYTES, 1))).isNull();
        assertThat(take(a, lock(1, LockType.SHARED, 50, 50))).isNull();
        assertThat(take(a, exclusive(1))).isEqualTo(Errno.EAGAIN);
    }

    @Test
    void aNodeThatIsGoneForALeaseLosesItsSessionToWhoWantsItsLock() throws Exception {
        withShortLease();
        Metadata a = node("a");
        Metadata b = node("b");
        assertThat(take(a, exclusive(1))).isNull();
        Asked waiting = new Asked(b, exclusive(2), true);
        cutOff.add(a.self());
        breakStreams();
        assertThat(waiting.decision()).isNull();
        cutOff.clear();
        awaitConnected(a);
        assertThat(take(a, exclusive(1))).isEqualTo(Errno.EIO);
    }

    @Test
    void aNodeThatIsGoneKeepsItsLocksWhileNobodyWantsThem() throws Exception {
        withShortLease();
        Metadata a = node("a");
        Metadata b = node("b");
        assertThat(take(a, exclusive(1))).isNull();
        cutOff.add(a.self());
        breakStreams();
        Thread.sleep(SHORT_LEASE.toMillis() * 2);
        assertThat(take(b, lock(1, LockType.EXCLUSIVE, 100, 100))).isNull();
        cutOff.clear();
        awaitConnected(a);
        assertThat(take(b, exclusive(1))).isEqualTo(Errno.EAGAIN);
    }

    @Test
    void aNodeThatBeginsAnewHasNone() throws Exception {
        Metadata a = node("a");
        Metadata b = node("b");
        assertThat(take(a, exclusive(1))).isNull();
        clients.remove(a);
        a.close();
        assertThat(take(b, exclusive(1))).isNull();
    }

    @Test
    void thousandsWaitWithoutAThreadOrASlotEach() throws Exception {
        Metadata a = node("a");
        Metadata b = node("b");
        assertThat(take(a, exclusive(1))).isNull();
        List<Asked> waiting = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            waiting.add(new Asked(b, exclusive(2 + i), true));
        }
        assertThat(b.usage().inodes()).as("other requests go on").isEqualTo(1);
        breakStreams();
        awaitConnected(a, b);
        assertThat(take(a, FileLock.release(INO, LockKind.BYTES, 1))).isNull();
        for (int i = 0; i < waiting.size(); i++) {
            assertThat(waiting.get(i).decision()).isNull();
            assertThat(take(b, FileLock.release(INO, LockKind.BYTES, 2 + i))).isNull();
        }
    }

    @Test
    void oneThatIsAskedForAgainAndAgainWhileTheCoordinatorRestartsIsHeldByOneAtATime() throws Exception {
        Metadata[] nodes = {node("a"), node("b"), node("c")};
        int[] inside = {0};
        CompletableFuture<?>[] all = new CompletableFuture<?>[nodes.length];
        for (int n = 0; n < nodes.length; n++) {
            Metadata node = nodes[n];
            all[n] = CompletableFuture.runAsync(() -> {
                for (int i = 0; i < 150; i++) {
                    try {
                        assertThat(new Asked(node, exclusive(1), true).decision())
                                .isNull();
                        synchronized (inside) {
                            assertThat(++inside[0]).isEqualTo(1);
                        }
                        Thread.sleep(1);
                        synchronized (inside) {
                            inside[0]--;
                        }
                        assertThat(take(node, FileLock.release(INO, LockKind.BYTES, 1)))
                                .isNull();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                }
            });
        }
        CompletableFuture<Void> done = CompletableFuture.allOf(all);
        for (int i = 0; !done.isDone(); i++) {
            Thread.sleep(30);
            if (i % 3 == 0) {
                down();
                up();
            } else {
                breakStreams();
            }
        }
        done.get();
    }
}
