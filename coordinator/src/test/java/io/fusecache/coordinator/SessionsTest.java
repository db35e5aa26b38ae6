package io.fusecache.coordinator;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.WriteLease;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several nodes of one process on one coordinator: leases, recalls, fencing, write leases, unlinked files. */
final class SessionsTest {
    private static final Duration LEASE = Duration.ofMillis(400);

    @TempDir
    Path folder;

    private Coordinator coordinator;
    private final Recorder onA = new Recorder();
    private final Recorder onB = new Recorder();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private Metadata a;
    private Metadata b;

    @BeforeEach
    void start() throws IOException {
        coordinator = Coordinator.open(folder, SessionLimits.DEFAULT.withLease(LEASE));
        a = coordinator.connect(new NodeId("a"), onA);
        b = coordinator.connect(new NodeId("b"), onB);
    }

    @AfterEach
    void stop() {
        onA.gate.countDown();
        onB.gate.countDown();
        threads.shutdownNow();
        a.close();
        b.close();
        coordinator.close();
    }

    static FileName name(String text) {
        try {
            return FileName.of(text);
        } catch (ErrnoException e) {
            throw new AssertionError(e);
        }
    }

    static NewInode file(boolean writing) {
        return new NewInode(FileType.REGULAR, 0644, 1000, 1000, 0, null, writing);
    }

    static NewInode directory() {
        return new NewInode(FileType.DIRECTORY, 0755, 1000, 1000, 0, null, false);
    }

    private static AttributeChange mode(int permissions) {
        return new AttributeChange(permissions, null, null, null, null, false);
    }

    /** What the node writes on top of, with the lease that it must get. */
    private static FileVersion base(Metadata node, long ino) throws ErrnoException {
        return ((WriteLease.Granted) node.beginWrite(ino, Duration.ZERO)).base();
    }

    private static FileVersion next(FileVersion base, long size) {
        return new FileVersion(base.ino(), base.version() + 1, size, base.blockBytes(), null, null);
    }

    private static void assertErrno(Errno errno, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    private <T> Future<T> start(Callable<T> call) {
        return threads.submit(call);
    }

    @Test
    void oneNodeSeesWhatTheOtherMade() throws Exception {
        Inode made = a.create(Inode.ROOT, name("x"), file(false));
        Inode seen = b.lookup(Inode.ROOT, name("x"));
        assertThat(seen.ino()).isEqualTo(made.ino());
        assertThat(b.cachedLookup(Inode.ROOT, name("x"))).isEqualTo(seen);
        assertThat(a.cachedLookup(Inode.ROOT, name("x"))).isEqualTo(made);
        a.setAttributes(made.ino(), mode(0600));
        assertThat(b.cachedInode(made.ino())).isNull();
        assertThat(onB.recalled).contains(made.ino());
        assertThat(b.inode(made.ino()).permissions()).isEqualTo(0600);
    }

    @Test
    void namesThatLeadNowhereAreCachedAndTakenBack() throws Exception {
        assertErrno(Errno.ENOENT, () -> b.lookup(Inode.ROOT, name("later")));
        assertErrno(Errno.ENOENT, () -> b.cachedLookup(Inode.ROOT, name("later")));
        a.create(Inode.ROOT, name("later"), file(false));
        assertThat(b.cachedLookup(Inode.ROOT, name("later"))).isNull();
        assertThat(b.lookup(Inode.ROOT, name("later")).regular()).isTrue();
    }

    @Test
    void ownChangesStayInTheOwnCacheWithoutARecall() throws Exception {
        Inode made = a.create(Inode.ROOT, name("own"), file(false));
        a.setAttributes(made.ino(), mode(0700));
        Inode cached = a.cachedInode(made.ino());
        assertThat(cached).isNotNull().extracting(Inode::permissions).isEqualTo(0700);
        a.unlink(Inode.ROOT, name("own"));
        assertErrno(Errno.ENOENT, () -> a.cachedLookup(Inode.ROOT, name("own")));
        assertThat(onA.recalled).isEmpty();
    }

    @Test
    void aChangeWaitsForTheAcknowledgementAndNobodyGetsALeaseMeanwhile() throws Exception {
        Inode made = a.create(Inode.ROOT, name("slow"), file(false));
        b.inode(made.ino());
        onB.gate = new CountDownLatch(1);
        Future<Inode> change = start(() -> a.setAttributes(made.ino(), mode(0)));
        Awaitility.await().until(() -> onB.recalled.contains(made.ino()));
        Future<Inode> read = start(() -> b.inode(made.ino()));
        Thread.sleep(50);
        assertThat(change.isDone()).isFalse();
        assertThat(read.isDone()).isFalse();
        onB.gate.countDown();
        assertThat(change.get(5, SECONDS).permissions()).isZero();
        assertThat(read.get(5, SECONDS).permissions()).isZero();
    }

    @Test
    void whoDoesNotAcknowledgeIsFencedAndComesBackWithoutItsLeases() throws Exception {
        Inode made = b.create(Inode.ROOT, name("held"), file(true));
        b.inode(made.ino());
        onB.gate = new CountDownLatch(1);
        a.setAttributes(made.ino(), mode(0));
        Awaitility.await().until(() -> onB.resets.equals(List.of(true)));
        onB.gate.countDown();
        FileVersion base = FileVersion.empty(made.ino(), FileVersion.DEFAULT_BLOCK_BYTES);
        assertErrno(Errno.ESTALE, () -> b.commit(next(base, 10), Timestamp.EPOCH, Timestamp.EPOCH, 4096));
        assertThat(base(a, made.ino()).version()).isZero();
    }

    @Test
    void aSecondWriterWaitsAndThenIsToldWhoHoldsTheFile() throws Exception {
        Inode made = a.create(Inode.ROOT, name("w"), file(true));
        WriteLease heldByA = new WriteLease.HeldBy(new NodeId("a"));
        assertThat(b.beginWrite(made.ino(), Duration.ZERO)).isEqualTo(heldByA);
        assertThat(b.beginWrite(made.ino(), Duration.ofMillis(100))).isEqualTo(heldByA);
        assertThat(b.awaitWriter(made.ino(), Duration.ofMillis(100))).contains(new NodeId("a"));
        assertThat(a.awaitWriter(made.ino(), Duration.ofMillis(100))).isEmpty();
        Future<Optional<NodeId>> watcher = start(() -> b.awaitWriter(made.ino(), Duration.ofSeconds(10)));
        Future<WriteLease> second = start(() -> b.beginWrite(made.ino(), Duration.ofSeconds(10)));
        FileVersion base = a.content(made.ino());
        a.commit(next(base, 5), new Timestamp(7, 0), Timestamp.EPOCH, 4096);
        assertThat(second.isDone()).isFalse();
        a.endWrite(made.ino());
        assertThat(second.get(5, SECONDS)).isEqualTo(new WriteLease.Granted(next(base, 5)));
        assertThat(watcher.get(5, SECONDS)).isEmpty();
        assertThat(b.inode(made.ino()).writer()).isEqualTo(new NodeId("b"));
        assertThat(a.inode(made.ino()).writer()).isEqualTo(new NodeId("b"));
    }

    @Test
    void attributesOfADirectoryAreRecalledWithoutItsNamesAndItsNamesStillWhenTheyChange() throws Exception {
        Inode directory = a.create(Inode.ROOT, name("d"), directory());
        assertErrno(Errno.ENOENT, () -> b.lookup(directory.ino(), name("x")));
        onB.recalls.clear();
        a.setAttributes(directory.ino(), mode(0700));
        assertThat(onB.recalls)
                .singleElement()
                .satisfies(recall -> assertThat(recall.names()).isFalse());
        onB.recalls.clear();
        a.create(directory.ino(), name("x"), file(false));
        assertThat(onB.recalls).singleElement().satisfies(recall -> {
            assertThat(recall.names()).isTrue();
            assertThat(recall.inodes()).containsExactly(directory.ino());
        });
        onB.recalls.clear();
        a.create(directory.ino(), name("y"), file(false));
        assertThat(onB.recalls).isEmpty();
    }

    @Test
    void aRecallSaysWhichNamesChangeAndIsRepeatedWhileOthersAreLeft() throws Exception {
        Inode directory = a.create(Inode.ROOT, name("d"), directory());
        assertErrno(Errno.ENOENT, () -> b.lookup(directory.ino(), name("kept")));
        onB.named.add(directory.ino());
        onB.recalls.clear();
        a.create(directory.ino(), name("x"), file(false));
        a.rename(directory.ino(), name("x"), Inode.ROOT, name("y"), 0);
        onB.named.clear();
        a.create(directory.ino(), name("z"), file(false));
        a.create(directory.ino(), name("unknown"), file(false));
        assertThat(onB.recalls)
                .extracting(recall -> recall.directories().get(directory.ino()))
                .containsExactly(Set.of(name("x")), Set.of(name("x")), Set.of(name("z")));
    }

    @Test
    void takingTheLeaseRightAfterGivingItBackKeepsIt() throws Exception {
        Inode made = a.create(Inode.ROOT, name("again"), file(true));
        for (int i = 0; i < 50; i++) {
            b.inode(made.ino());
            a.endWrite(made.ino());
            FileVersion base = base(a, made.ino());
            a.commit(next(base, i), Timestamp.EPOCH, Timestamp.EPOCH, 0);
        }
        assertThat(b.content(made.ino()).version()).isEqualTo(50);
    }

    @Test
    void anUnlinkedFileLivesWhileSomeNodeHasItOpen() throws Exception {
        Inode made = a.create(Inode.ROOT, name("tmp"), file(false));
        b.content(made.ino());
        onB.open.add(made.ino());
        assertThat(a.unlink(Inode.ROOT, name("tmp")).links()).isZero();
        a.releaseUnlinked(Set.of(made.ino())).join();
        assertThat(b.inode(made.ino()).links()).isZero();
        b.releaseUnlinked(Set.of(made.ino())).join();
        assertThat(b.cachedInode(made.ino())).isNull();
        assertErrno(Errno.ESTALE, () -> a.content(made.ino()));
        assertThat(a.usage().inodes()).isEqualTo(1);
    }

    @Test
    void aFileThatWasOpenBeforeARecallLivesOnAfterALaterUnlink() throws Exception {
        Inode made = a.create(Inode.ROOT, name("tmp"), file(false));
        b.inode(made.ino());
        onB.open.add(made.ino());
        a.setAttributes(made.ino(), mode(0600));
        assertThat(b.cachedInode(made.ino())).isNull();
        a.unlink(Inode.ROOT, name("tmp"));
        a.releaseUnlinked(Set.of(made.ino())).join();
        assertThat(b.inode(made.ino()).links()).isZero();
    }

    @Test
    void everythingIsThereAfterARestartAndLeasesAreDropped() throws Exception {
        Inode made = a.create(Inode.ROOT, name("kept"), file(true));
        a.commit(next(FileVersion.empty(made.ino(), 1 << 20), 42), new Timestamp(3, 4), Timestamp.EPOCH, 4096);
        b.inode(made.ino());
        a.close();
        b.close();
        coordinator.close();
        coordinator = Coordinator.open(folder, SessionLimits.DEFAULT.withLease(LEASE));
        a = coordinator.connect(new NodeId("a"), onA);
        b = coordinator.connect(new NodeId("b"), onB);
        assertThat(b.lookup(Inode.ROOT, name("kept")).size()).isEqualTo(42);
        assertThat(b.content(made.ino()).blockBytes()).isEqualTo(1 << 20);
    }

    @Test
    void aNodeThatRestartsGetsItsWriteLeasesBack() throws Exception {
        Inode made = a.create(Inode.ROOT, name("crash"), file(true));
        CoordinatorClient killed = (CoordinatorClient) a;
        var broken = coordinator.transport();
        assertThat(killed.connected()).isTrue();
        // The process is gone without a goodbye: its stream breaks, and a new one of the same node comes.
        coordinator.sessions().broken("killed");
        Awaitility.await().until(() -> killed.connected());
        killed.close();
        a = CoordinatorClient.builder(new NodeAddress(new NodeId("a"), "", ""), onA)
                .connect(broken);
        assertThat(a.inode(made.ino()).writer()).isNull();
    }

    @Test
    void afterABrokenStreamTheSessionGoesOn() throws Exception {
        Inode made = a.create(Inode.ROOT, name("on"), file(true));
        coordinator.sessions().broken("a cable");
        Awaitility.await().until(() -> a.connected() && b.connected());
        assertThat(onA.resets).containsExactly(false);
        assertThat(a.cachedInode(made.ino())).isNull();
        assertThat(a.commit(next(a.content(made.ino()), 1), Timestamp.EPOCH, Timestamp.EPOCH, 1)
                        .version())
                .isEqualTo(1);
    }

    @Test
    void changesAreExecutedOnceHoweverOftenTheStreamBreaks() throws Exception {
        Future<List<String>> made = start(() -> {
            List<String> failures = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                try {
                    a.create(Inode.ROOT, name("f" + i), file(false));
                    a.rename(Inode.ROOT, name("f" + i), Inode.ROOT, name("g" + i), 1);
                } catch (ErrnoException e) {
                    failures.add(i + " " + e.getMessage());
                }
            }
            return failures;
        });
        while (!made.isDone()) {
            Thread.sleep(15);
            coordinator.sessions().broken("again");
        }
        assertThat(made.get()).isEmpty();
        assertThat(b.usage().inodes()).isEqualTo(2001);
        assertThat(onA.resets).isNotEmpty().doesNotContain(true);
    }

    @Test
    void holdersAreNodesThatLive() throws Exception {
        Inode made = a.create(Inode.ROOT, name("h"), file(true));
        a.commit(next(a.content(made.ino()), 9), Timestamp.EPOCH, Timestamp.EPOCH, 9);
        assertThat(b.holders(made.ino(), 1)).singleElement().satisfies(holder -> {
            assertThat(holder.node().id()).isEqualTo(new NodeId("a"));
            assertThat(holder.blocks()).isNull();
        });
        assertThat(a.holders(made.ino(), 1)).isEmpty();
        java.util.BitSet some = new java.util.BitSet();
        some.set(3);
        b.advertise(made.ino(), 1, some);
        Awaitility.await().until(() -> a.holders(made.ino(), 1).size() == 1);
        assertThat(a.holders(made.ino(), 1).getFirst().blocks()).isEqualTo(some);
        b.withdraw(made.ino(), 1);
        Awaitility.await().until(() -> a.holders(made.ino(), 1).isEmpty());
    }

    @Test
    void nothingIsKeptOfAnInodeThatIsNoMore() throws Exception {
        int leased = coordinator.sessions().leasedInodes();
        for (int i = 0; i < 10; i++) {
            Inode made = a.create(Inode.ROOT, name("x" + i), file(true));
            for (int version = 0; version < 3; version++) {
                a.commit(next(a.content(made.ino()), 9), Timestamp.EPOCH, Timestamp.EPOCH, 9);
            }
            a.endWrite(made.ino());
            assertThat(b.lookup(Inode.ROOT, name("x" + i)).version()).isEqualTo(3);
            assertThat(b.holders(made.ino(), 3)).isNotEmpty();
            assertThat(a.unlink(Inode.ROOT, name("x" + i)).links()).isZero();
            a.releaseUnlinked(Set.of(made.ino())).join();
        }
        // The root's, at most, is new.
        assertThat(coordinator.sessions().leasedInodes()).isLessThanOrEqualTo(leased + 1);
        assertThat(coordinator.sessions().blocks().size()).isZero();
    }

    @Test
    void attributesAreCachedTheAbsentOnesToo() throws Exception {
        Inode made = a.create(Inode.ROOT, name("x"), file(false));
        FileName key = name("user.k");
        assertErrno(Errno.ENODATA, () -> b.attribute(made.ino(), key));
        long before = coordinator.sessions().commands();
        assertErrno(Errno.ENODATA, () -> b.attribute(made.ino(), key));
        assertThat(coordinator.sessions().commands()).isEqualTo(before);
        a.setAttribute(made.ino(), key, new byte[] {1}, 0);
        assertThat(b.attribute(made.ino(), key)).containsExactly(1);
        assertThat(a.attribute(made.ino(), key)).containsExactly(1);
        b.removeAttribute(made.ino(), key);
        assertErrno(Errno.ENODATA, () -> a.attribute(made.ino(), key));
    }

    @Test
    void leasesPastTheBoundAreAskedBackAndNothingIsStaleForIt() throws Exception {
        try (Coordinator small = Coordinator.open(folder.resolve("small"), new SessionLimits(LEASE, 64, 64));
                Metadata writer = small.connect(new NodeId("w"), new Recorder());
                Metadata reader = small.connect(new NodeId("r"), new Recorder())) {
            List<Inode> made = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                made.add(writer.create(Inode.ROOT, name("f" + i), file(false)));
            }
            for (int round = 0; round < 5; round++) {
                for (Inode inode : made) {
                    reader.inode(inode.ino());
                }
                Inode changed = made.get(round * 37);
                writer.setAttributes(changed.ino(), mode(0400 + round));
                assertThat(reader.inode(changed.ino()).permissions()).isEqualTo(0400 + round);
            }
            for (Inode inode : made) {
                writer.setAttributes(inode.ino(), mode(0111));
                assertThat(reader.inode(inode.ino()).permissions()).isEqualTo(0111);
            }
            Awaitility.await().until(() -> small.sessions().leasedInodes() < 200);
        }
    }

    @Test
    void leasesAreAskedBackUntilTheBoundHoldsThoughNothingMoreIsAskedFor() throws Exception {
        try (Coordinator small = Coordinator.open(folder.resolve("small"), new SessionLimits(LEASE, 64, 64));
                Metadata writer = small.connect(new NodeId("w"), new Recorder());
                Metadata reader = small.connect(new NodeId("r"), new Recorder())) {
            for (int i = 0; i < 300; i++) {
                writer.create(Inode.ROOT, name("f" + i), file(false));
            }
            assertThat(reader.list(Inode.ROOT, 0, 300)).hasSize(300);
            Awaitility.await().until(() -> small.sessions().nodes().stream().allMatch(node -> node.leases() <= 64));
        }
    }

    @Test
    void aSecondNodeOfTheSameIdIsRefused() {
        assertThatThrownBy(() -> coordinator.connect(new NodeId("a"), new Recorder()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("'a' is connected already");
    }

    @Test
    void renameTellsWhatItReplaced() throws Exception {
        Inode from = a.create(Inode.ROOT, name("from"), file(false));
        Inode to = b.create(Inode.ROOT, name("to"), file(false));
        Optional<Inode> replaced = a.rename(Inode.ROOT, name("from"), Inode.ROOT, name("to"), 0);
        assertThat(replaced).get().satisfies(inode -> {
            assertThat(inode.ino()).isEqualTo(to.ino());
            assertThat(inode.links()).isZero();
        });
        assertThat(b.lookup(Inode.ROOT, name("to")).ino()).isEqualTo(from.ino());
        assertErrno(Errno.ENOENT, () -> b.lookup(Inode.ROOT, name("from")));
        assertThat(a.rename(Inode.ROOT, name("to"), Inode.ROOT, name("free"), 0))
                .isEmpty();
    }
}
