package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.directory;
import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static java.util.Objects.requireNonNull;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.Listing;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.WriteLease;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Node b changes a directory that node a is asked to give up, and a asks for something there before it says that it has: its
 * kernel may have to be answered that first.
 */
final class OvertakingTest {
    private static final Duration SHORT = Duration.ofSeconds(2);

    @TempDir
    Path folder;

    private SessionLimits limits = SessionLimits.DEFAULT.withLease(Duration.ofMinutes(1));
    private @Nullable Coordinator coordinator;
    private final Recorder onA = new Recorder();
    private final Recorder onB = new Recorder();
    private final Recorder onC = new Recorder();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private Metadata a;
    private Metadata b;
    private Metadata c;
    private long shared;
    private long aside;

    /** To whichever coordinator runs now. */
    private final SessionTransport now = new SessionTransport() {
        @Override
        public Stream open(Hello hello, Receiver receiver) throws IOException {
            Coordinator current = coordinator;
            if (current == null) {
                throw new IOException("no coordinator");
            }
            return current.transport().open(hello, receiver);
        }

        @Override
        public void close() {}
    };

    @BeforeEach
    void start() throws IOException, ErrnoException {
        up();
        a = node("a", onA);
        b = node("b", onB);
        c = node("c", onC);
        shared = b.create(Inode.ROOT, name("shared"), directory()).ino();
        aside = b.create(Inode.ROOT, name("aside"), directory()).ino();
        assertErrno(Errno.ENOENT, () -> a.lookup(shared, name("none")));
    }

    private void up() throws IOException {
        coordinator = Coordinator.open(folder, limits);
    }

    private void down() {
        Coordinator before = coordinator;
        coordinator = null;
        if (before != null) {
            before.close();
        }
    }

    private Metadata node(String id, Recorder recorder) throws IOException {
        return CoordinatorClient.builder(new NodeAddress(new NodeId(id), "h:1", "h:2"), recorder)
                .connect(now);
    }

    @AfterEach
    void stop() {
        onA.gate.countDown();
        onB.gate.countDown();
        onC.gate.countDown();
        threads.shutdownNow();
        a.close();
        b.close();
        c.close();
        down();
    }

    private static void assertErrno(Errno errno, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    private static AttributeChange mode(int permissions) {
        return new AttributeChange(permissions, null, null, null, null, false);
    }

    private static void hold(Recorder node) {
        node.recalls.clear();
        node.recalled.clear();
        node.gate = new CountDownLatch(1);
    }

    /** Begins a call that waits for that node, which was told to hold. */
    private <T> Future<T> awaiting(Recorder node, long ino, Callable<T> call) {
        Future<T> begun = threads.submit(call);
        Awaitility.await().until(() -> node.recalled.contains(ino));
        return begun;
    }

    @Test
    void whoIsAwaitedIsAnsweredFirstAndGetsNoLease() throws Exception {
        Inode child = b.create(aside, name("child"), file(false));
        b.link(child.ino(), shared, name("child"));
        assertThat(a.lookup(shared, name("child")).links()).isEqualTo(2);
        hold(onA);
        Future<Inode> waits = awaiting(onA, shared, () -> b.link(child.ino(), shared, name("made")));
        assertErrno(Errno.ENOENT, () -> a.lookup(shared, name("other")));
        assertErrno(Errno.ENOENT, () -> a.lookup(shared, name("made")));
        assertThat(a.inode(shared).directory()).isTrue();
        assertThat(a.list(shared, 0, 100)).hasSize(1);
        assertThat(a.setAttributes(shared, mode(0700)).permissions()).isEqualTo(0700);
        Inode mine = a.create(shared, name("mine"), file(false));
        assertThat(a.cachedInode(mine.ino())).as("nobody waits for that").isEqualTo(mine);
        assertThat(a.cachedInode(shared)).as("of the directory").isNull();
        assertThat(a.cachedInode(child.ino())).as("of what it was shown").isNull();
        assertThat(a.cachedLookup(shared, name("mine"))).isNull();
        assertThat(waits.isDone()).isFalse();
        onA.gate.countDown();
        assertThat(waits.get(5, SECONDS).links()).isEqualTo(3);
        assertThat(a.lookup(shared, name("made")).links()).isEqualTo(3);
        assertThat(b.lookup(shared, name("mine"))).isEqualTo(mine);
        assertThat(b.inode(shared).permissions()).isEqualTo(0700);
        assertThat(a.cachedLookup(shared, name("made"))).isNotNull();
    }

    @Test
    void whatWaitedIsExecutedOnWhatItFinds() throws Exception {
        hold(onA);
        Future<Inode> waits = awaiting(onA, shared, () -> b.create(shared, name("same"), file(false)));
        Inode mine = a.create(shared, name("same"), file(false));
        onA.gate.countDown();
        assertThatThrownBy(() -> waits.get(5, SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("EEXIST");
        assertThat(b.lookup(shared, name("same"))).isEqualTo(mine);
    }

    @Test
    void whatOpensAFileComesBehind() throws Exception {
        Inode file = b.create(shared, name("file"), file(false));
        assertThat(a.lookup(shared, name("file"))).isEqualTo(file);
        hold(onA);
        Future<Inode> waits = awaiting(onA, file.ino(), () -> b.unlink(shared, name("file")));
        Future<?> content = threads.submit(() -> a.content(file.ino()));
        Future<?> writing = threads.submit(() -> a.beginWrite(file.ino(), Duration.ZERO));
        Future<?> found = threads.submit(() -> a.lookup(shared, name("file")));
        assertErrno(Errno.ENOENT, () -> a.lookup(shared, name("other")));
        assertThat(content.isDone() || writing.isDone() || found.isDone()).isFalse();
        onA.gate.countDown();
        assertThat(waits.get(5, SECONDS).links()).isZero();
        assertThatThrownBy(() -> found.get(5, SECONDS)).hasMessageContaining("ENOENT");
    }

    /**
     * The end of a write, which nobody waits for, comes behind c's unlink; a's own rename overtakes that, and the next write comes behind it.
     * As c's is ready first it has to let a's go before, and what was behind it comes last of all.
     */
    @Test
    void aWriteBeginsAfterTheEndOfTheOneBefore() throws Exception {
        Inode file = a.create(shared, name("file"), file(true));
        assertThat(c.lookup(shared, name("file"))).isEqualTo(a.inode(file.ino()));
        assertErrno(Errno.ENOENT, () -> b.lookup(aside, name("none")));
        onA.open.add(file.ino());
        hold(onA);
        hold(onB);
        Future<Inode> byC = awaiting(onA, file.ino(), () -> c.unlink(shared, name("file")));
        executing(() -> a.endWrite(file.ino()));
        Future<?> byA = awaiting(onB, aside, () -> a.rename(shared, name("file"), aside, name("moved"), 0));
        Future<WriteLease> begun = threads.submit(() -> a.beginWrite(file.ino(), Duration.ofSeconds(5)));
        executing(onA.gate::countDown);
        assertThat(List.of(byA.isDone(), byC.isDone(), begun.isDone())).containsOnly(false);
        onB.gate.countDown();
        byA.get(5, SECONDS);
        assertThatThrownBy(() -> byC.get(5, SECONDS)).hasMessageContaining("ENOENT");
        WriteLease.Granted lease = (WriteLease.Granted) begun.get(5, SECONDS);
        FileVersion next = new FileVersion(
                file.ino(), lease.base().version() + 1, 0, FileVersion.DEFAULT_BLOCK_BYTES, new int[0], null);
        assertThat(a.commit(next, file.modified(), file.changed(), 0).writer()).isEqualTo(new NodeId("a"));
    }

    /** Returns when the coordinator has looked at what this asks for, or at what waited for this. */
    private void executing(Runnable request) {
        Coordinator current = requireNonNull(coordinator);
        long before = current.sessions().commands();
        request.run();
        Awaitility.await().until(() -> current.sessions().commands() > before);
    }

    @Test
    void whoHasGivenUpComesBehind() throws Exception {
        assertErrno(Errno.ENOENT, () -> c.lookup(shared, name("none")));
        hold(onA);
        Future<Inode> waits = awaiting(onA, shared, () -> b.create(shared, name("made"), file(false)));
        Awaitility.await().until(() -> onC.recalled.contains(shared));
        Future<?> behind = threads.submit(() -> c.lookup(shared, name("made")));
        assertErrno(Errno.ENOENT, () -> a.lookup(shared, name("made")));
        assertThat(behind.isDone()).isFalse();
        onA.gate.countDown();
        assertThat(behind.get(5, SECONDS)).isEqualTo(waits.get(5, SECONDS));
    }

    @Test
    void twoThatAwaitEachOtherAreBothHeard() throws Exception {
        assertErrno(Errno.ENOENT, () -> b.lookup(shared, name("none")));
        hold(onA);
        hold(onB);
        Future<Inode> byB = awaiting(onA, shared, () -> b.create(shared, name("b"), file(false)));
        Future<Inode> byA = awaiting(onB, shared, () -> a.create(shared, name("a"), file(false)));
        assertErrno(Errno.ENOENT, () -> b.lookup(shared, name("a")));
        assertErrno(Errno.ENOENT, () -> a.lookup(shared, name("b")));
        onA.gate.countDown();
        Inode made = byB.get(5, SECONDS);
        assertThat(byA.isDone()).as("b has not given up").isFalse();
        onB.gate.countDown();
        Inode other = byA.get(5, SECONDS);
        assertThat(b.lookup(shared, name("a"))).isEqualTo(other);
        assertThat(a.lookup(shared, name("b"))).isEqualTo(made);
    }

    /** A goes on with what it has leased while both of its changes wait for b. */
    @Test
    void whoMakesTwoChangesAtOnceKnowsOfBoth() throws Exception {
        assertErrno(Errno.ENOENT, () -> a.lookup(shared, name("first")));
        assertErrno(Errno.ENOENT, () -> a.lookup(shared, name("second")));
        assertErrno(Errno.ENOENT, () -> b.lookup(shared, name("none")));
        hold(onB);
        long recalls = recallsSent();
        Future<Inode> first = awaiting(onB, shared, () -> a.create(shared, name("first"), file(false)));
        Future<Inode> second = threads.submit(() -> a.create(shared, name("second"), file(false)));
        Awaitility.await().until(() -> recallsSent() == recalls + 2);
        onB.gate.countDown();
        assertThat(first.get(5, SECONDS)).isEqualTo(a.lookup(shared, name("first")));
        assertThat(second.get(5, SECONDS)).isEqualTo(a.lookup(shared, name("second")));
        assertThat(a.list(shared, 0, 100)).hasSize(2);
    }

    private long recallsSent() {
        return requireNonNull(coordinator).sessions().recallsSent();
    }

    @Test
    void aNumberThatIsNotTakenYetKeepsNobodyWaiting() throws Exception {
        hold(onA);
        Future<Inode> waits = awaiting(onA, shared, () -> b.create(shared, name("made"), file(false)));
        Inode first = c.create(aside, name("first"), file(false));
        Inode mine = a.create(shared, name("mine"), file(false));
        onA.gate.countDown();
        assertThat(Set.of(first.ino(), mine.ino(), waits.get(5, SECONDS).ino())).hasSize(3);
    }

    /** C has it open, which concerns nobody as long as a further name is left. */
    @Test
    void whoHasAFileOpenIsAskedWhereItsLastNameGoesOnlyThen() throws Exception {
        Inode file = b.create(aside, name("first"), file(false));
        b.link(file.ino(), shared, name("to"));
        b.create(shared, name("from"), file(false));
        assertThat(c.inode(file.ino()).links()).isEqualTo(2);
        onC.open.add(file.ino());
        b.setAttributes(file.ino(), mode(0600));
        assertThat(a.lookup(shared, name("to")).links()).isEqualTo(2);
        hold(onA);
        Future<?> waits = awaiting(onA, file.ino(), () -> b.rename(shared, name("from"), shared, name("to"), 0));
        assertThat(a.unlink(aside, name("first")).links()).isEqualTo(1);
        onC.recalled.clear();
        onA.gate.countDown();
        waits.get(5, SECONDS);
        assertThat(onC.recalled).contains(file.ino());
        b.releaseUnlinked(Set.of(file.ino())).join();
        a.releaseUnlinked(Set.of(file.ino())).join();
        assertThat(c.inode(file.ino()).links()).isZero();
    }

    @Test
    void whatAFencedSessionHadAskedForIsDroppedAndWhatItOvertookGoesOn() throws Exception {
        down();
        limits = SessionLimits.DEFAULT.withLease(SHORT);
        up();
        // A client that is connected again has yet to say so to its listener.
        Awaitility.await().until(() -> b.connected() && onA.resets.contains(false) && onC.resets.contains(false));
        onA.resets.clear();
        onC.resets.clear();
        a.create(shared, name("file"), file(false));
        assertErrno(Errno.ENOENT, () -> c.lookup(aside, name("none")));
        hold(onA);
        hold(onC);
        Future<Inode> waits = awaiting(onA, shared, () -> b.create(shared, name("made"), file(false)));
        // So that a is fenced before c is.
        Thread.sleep(SHORT.dividedBy(2));
        Future<?> moves = awaiting(onC, aside, () -> a.rename(shared, name("file"), aside, name("moved"), 0));
        assertThat(waits.get(5, SECONDS)).isEqualTo(b.lookup(shared, name("made")));
        assertThat(onC.resets).as("it is waited for no more").isEmpty();
        onC.gate.countDown();
        onA.gate.countDown();
        assertThatThrownBy(() -> moves.get(5, SECONDS)).isInstanceOf(ExecutionException.class);
        assertThat(onA.resets).containsExactly(true);
        assertThat(b.lookup(shared, name("file")).regular()).isTrue();
        assertErrno(Errno.ENOENT, () -> b.lookup(aside, name("moved")));
    }

    @Test
    void bothAreExecutedOnceWhenTheCoordinatorComesAnewMeanwhile() throws Exception {
        assertErrno(Errno.ENOENT, () -> c.lookup(shared, name("none")));
        hold(onA);
        hold(onC);
        Future<Inode> byB = awaiting(onA, shared, () -> b.create(shared, name("b"), file(false)));
        Awaitility.await().until(() -> onC.recalled.contains(shared));
        Future<Inode> byA = threads.submit(() -> a.create(shared, name("a"), file(false)));
        assertErrno(Errno.ENOENT, () -> a.lookup(shared, name("b")));
        down();
        onA.gate.countDown();
        onC.gate.countDown();
        up();
        Inode first = byA.get(10, SECONDS);
        Inode second = byB.get(10, SECONDS);
        assertThat(c.lookup(shared, name("a")).ino()).isEqualTo(first.ino());
        assertThat(c.lookup(shared, name("b")).ino()).isEqualTo(second.ino());
        assertThat(c.list(shared, 0, 100)).hasSize(2);
    }

    /** What is taken over from the bucket is other names after something else came first. */
    @Test
    void whatChangesFurtherNamesByThenAsksForThose() throws Exception {
        onA.named.add(shared);
        Listing listing = b.beginListing(shared);
        hold(onA);
        Future<Integer> waits = awaiting(
                onA,
                shared,
                () -> b.importListing(listing, List.of(object("x"), object("y")), null, null, file(false)));
        assertThat(onA.recalls.getLast().directories()).containsEntry(shared, Set.of(name("x"), name("y")));
        a.create(shared, name("x"), file(false));
        onA.recalls.clear();
        onA.gate.countDown();
        assertThat(waits.get(5, SECONDS)).isEqualTo(1);
        assertThat(onA.recalls).as("of y it was asked already").isEmpty();
        assertThat(a.lookup(shared, name("y")).regular()).isTrue();
    }

    private static ListedObject object(String name) {
        return new ListedObject(name(name), false, 5, "etag", Timestamp.EPOCH, Map.of());
    }
}
