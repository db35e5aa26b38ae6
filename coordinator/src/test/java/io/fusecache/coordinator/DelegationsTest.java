package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.directory;
import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.namespace.Quotas;
import io.fusecache.coordinator.namespace.Trash;
import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.delegation.DelegationRecalls;
import io.fusecache.metadata.delegation.Delegations;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one node does alone is everybody's as soon as anybody looks, and outlives the node's end; or it is kept aside, whole. */
final class DelegationsTest {
    private static final Duration LEASE = Duration.ofMillis(500);

    @TempDir
    Path folder;

    private Coordinator coordinator;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private Metadata b;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    @BeforeEach
    void start() throws IOException {
        coordinator = Coordinator.open(folder.resolve("state"), SessionLimits.DEFAULT.withLease(LEASE));
        b = coordinator.connect(new NodeId("b"), new Recorder());
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable one : opened.reversed()) {
            one.close();
        }
        threads.shutdownNow();
        b.close();
        coordinator.close();
    }

    /** The way to the coordinator, which loses changes of delegated directories, or what is said of them, and can be cut. */
    private final class Way implements SessionTransport {
        private final SessionTransport through = coordinator.transport();
        volatile boolean losesChanges;
        volatile boolean losesAnswers;
        private volatile boolean cut;
        private volatile SessionTransport.@Nullable Stream last;

        @Override
        public SessionTransport.Stream open(Hello hello, Receiver receiver) throws IOException {
            if (cut) {
                throw new IOException("cut");
            }
            SessionTransport.Stream stream = through.open(hello, new Receiver() {
                @Override
                public void received(Downstream message) {
                    if (!losesAnswers || !(message instanceof Downstream.Reply)) {
                        receiver.received(message);
                    }
                }

                @Override
                public void broken(String reason) {
                    receiver.broken(reason);
                }
            });
            last = stream;
            return new SessionTransport.Stream() {
                @Override
                public Welcome welcome() {
                    return stream.welcome();
                }

                @Override
                public void send(Upstream message) {
                    boolean changes = message instanceof Upstream.Request request
                            && request.operation() instanceof Operation.Delegated;
                    if (!cut && !(losesChanges && changes)) {
                        stream.send(message);
                    }
                }

                @Override
                public void close() {
                    stream.close();
                }
            };
        }

        void cut() {
            cut = true;
            SessionTransport.Stream open = last;
            if (open != null) {
                open.close();
            }
        }

        void mend() {
            losesChanges = false;
            cut = false;
        }

        @Override
        public void close() {
            through.close();
        }
    }

    private record Worker(Way way, CoordinatorClient session, Delegations files) implements AutoCloseable {
        @Override
        public void close() {
            if (way.cut) {
                // A process that was killed says nothing.
                way.losesChanges = true;
            }
            files.close();
            session.close();
        }

        void kill() {
            way.cut();
        }
    }

    private Worker worker(boolean delegated) throws Exception {
        Way way = new Way();
        DelegationRecalls recalls = new DelegationRecalls(new Recorder());
        CoordinatorClient session = CoordinatorClient.builder(new NodeAddress(new NodeId("a"), "", ""), recalls)
                .bound(Duration.ofSeconds(5))
                .connect(way);
        Delegations files = Delegations.open(
                session,
                recalls,
                new Delegations.Options(
                        folder.resolve("changes"),
                        folder.resolve("setaside"),
                        delegated,
                        Duration.ofSeconds(5),
                        InstantSource.system()));
        Worker worker = new Worker(way, session, files);
        opened.add(worker);
        return worker;
    }

    private static Inode write(Metadata node, long parent, String name, int bytes) throws ErrnoException {
        Inode made = node.create(parent, name(name), file(true));
        FileVersion version = new FileVersion(made.ino(), 1, bytes, 4 << 20, new int[] {7}, null);
        node.commit(version, Timestamp.EPOCH, Timestamp.EPOCH, bytes);
        node.endWrite(made.ino());
        return node.inode(made.ino());
    }

    private static List<String> names(Metadata node, long directory) throws ErrnoException {
        return node.list(directory, 0, 1000).stream()
                .map(entry -> entry.name().toString())
                .toList();
    }

    private static void assertErrno(Errno errno, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    /** Its number may be asked for still, by a file handle. */
    @Test
    void whatIsRemovedIsNotRemembered() throws Exception {
        Worker a = worker(true);
        Inode directory = a.files.create(Inode.ROOT, name("d"), directory());
        long file = write(a.files, directory.ino(), "f", 10).ino();
        a.files.settle();
        assertThat(a.session.cachedInode(file)).isNotNull();
        a.files.unlink(directory.ino(), name("f"));
        a.files.releaseUnlinked(Set.of(file)).join();
        a.files.settle();
        assertThat(a.session.cachedInode(file)).isNull();
        assertThatThrownBy(() -> a.files.inode(file)).hasMessageContaining("ESTALE");
    }

    @Test
    void whatOneNodeDoesAloneCostsNoRoundTripEach() throws Exception {
        Worker a = worker(true);
        long top = a.files.create(Inode.ROOT, name("d"), directory()).ino();
        long before = coordinator.sessions().commands();
        for (int i = 0; i < 1000; i++) {
            write(a.files, top, "f" + i, 5);
            a.files.rename(top, name("f" + i), top, name("g" + i), 0);
            if (i % 2 == 0) {
                Inode gone = a.files.unlink(top, name("g" + i));
                CompletableFuture<?> ignored = a.files.releaseUnlinked(Set.of(gone.ino()));
                assertThat(a.files.exists(gone.ino())).isFalse();
            }
        }
        a.files.settle();
        assertThat(coordinator.sessions().commands() - before).isLessThan(200);
        assertThat(b.list(top, 0, 1000)).hasSize(500);
    }

    @Test
    void whoeverLooksSeesAllOfIt() throws Exception {
        Worker a = worker(true);
        a.way.losesChanges = false;
        long top = a.files.create(Inode.ROOT, name("d"), directory()).ino();
        long sub = a.files.create(top, name("s"), directory()).ino();
        Inode made = write(a.files, sub, "f", 5);
        assertThat(b.lookup(Inode.ROOT, name("d"))).isEqualTo(b.inode(top));
        assertThat(b.inode(top).links()).isEqualTo(3);
        Inode seen = b.lookup(sub, name("f"));
        assertThat(seen).isEqualTo(made);
        assertThat(b.content(seen.ino()).size()).isEqualTo(5);
        assertThat(b.holders(seen.ino(), 1)).hasSize(1);
        a.files.unlink(sub, name("f"));
        assertErrno(Errno.ENOENT, () -> b.lookup(sub, name("f")));
    }

    @Test
    void anyOperationOfAnotherNodeFindsWhatIsThere() throws Exception {
        Worker a = worker(true);
        for (int i = 0; i < 6; i++) {
            long top = a.files.create(Inode.ROOT, name("d" + i), directory()).ino();
            write(a.files, top, "f", 5);
        }
        long[] d = new long[6];
        for (int i = 0; i < 6; i++) {
            d[i] = a.session.lookup(Inode.ROOT, name("d" + i)).ino();
        }
        assertErrno(Errno.ENOTEMPTY, () -> b.rmdir(Inode.ROOT, name("d0")));
        assertErrno(Errno.EEXIST, () -> b.create(d[1], name("f"), file(false)));
        assertThat(b.unlink(d[2], name("f")).links()).isZero();
        b.create(Inode.ROOT, name("e"), directory());
        assertErrno(Errno.ENOTEMPTY, () -> b.rename(Inode.ROOT, name("e"), Inode.ROOT, name("d3"), 0));
        b.rename(d[4], name("f"), Inode.ROOT, name("moved"), 0);
        assertThat(names(b, d[5])).containsExactly("f");
        assertErrno(Errno.ENOENT, () -> a.files.lookup(d[4], name("f")));
        assertThat(a.files.lookup(Inode.ROOT, name("moved")).size()).isEqualTo(5);
    }

    @Test
    void twoNodesInOneDirectoryAgreeThroughout() throws Exception {
        Worker a = worker(true);
        long top = a.files.create(Inode.ROOT, name("d"), directory()).ino();
        List<Future<?>> both = new ArrayList<>();
        for (Metadata node : List.<Metadata>of(a.files, b)) {
            String own = node.self().value();
            both.add(threads.submit(() -> {
                for (int i = 0; i < 40; i++) {
                    long sub = node.create(top, name(own + i), directory()).ino();
                    write(node, sub, "f", i + 1);
                    node.rename(sub, name("f"), sub, name("g"), 0);
                }
                return null;
            }));
            both.add(threads.submit(() -> {
                for (int i = 0; i < 40; i++) {
                    for (DirectoryEntry entry : node.list(top, 0, 1000)) {
                        for (DirectoryEntry below : node.list(entry.inode().ino(), 0, 10)) {
                            assertThat(below.inode().links()).isEqualTo(1);
                        }
                    }
                }
                return null;
            }));
        }
        for (Future<?> one : both) {
            one.get();
        }
        assertThat(names(a.files, top)).hasSize(80).isEqualTo(names(b, top));
        assertThat(a.files.setAside()).isZero();
    }

    @Test
    void changesOutliveTheNode() throws Exception {
        Worker a = worker(true);
        long top = a.files.create(Inode.ROOT, name("d"), directory()).ino();
        a.way.losesChanges = true;
        Inode made = write(a.files, top, "f", 5);
        Inode gone = write(a.files, top, "g", 5);
        a.files.unlink(top, name("g"));
        a.kill();
        Future<List<String>> waiting = threads.submit(() -> names(b, top));
        Worker again = worker(false);
        assertThat(waiting.get()).containsExactly("f");
        assertThat(again.files.inode(made.ino()).size()).isEqualTo(5);
        Awaitility.await().until(() -> !again.session.exists(gone.ino()));
        assertThat(again.files.setAside()).isZero();
    }

    @Test
    void changesThatWereTakenAreNotTakenTwice() throws Exception {
        Worker a = worker(true);
        long top = a.files.create(Inode.ROOT, name("d"), directory()).ino();
        a.way.losesAnswers = true;
        long before = coordinator.sessions().commands();
        Inode made = write(a.files, top, "f", 5);
        Awaitility.await().until(() -> coordinator.sessions().commands() > before);
        a.kill();
        Worker again = worker(true);
        assertThat(again.files.inode(made.ino()).version()).isEqualTo(1);
        write(
                again.files,
                again.files.create(Inode.ROOT, name("e"), directory()).ino(),
                "f",
                6);
        assertThat(names(b, top)).containsExactly("f");
        assertThat(again.files.setAside()).isZero();
    }

    @Test
    void aStreamThatBreaksLosesNothing() throws Exception {
        Worker a = worker(true);
        long top = a.files.create(Inode.ROOT, name("d"), directory()).ino();
        a.way.losesChanges = true;
        write(a.files, top, "f", 5);
        a.way.cut();
        a.way.mend();
        Awaitility.await().until(a.files::connected);
        assertThat(names(b, top)).containsExactly("f");
        write(a.files, top, "g", 5);
        assertThat(names(b, top)).containsExactly("f", "g");
    }

    @Test
    void whoWasCutOffForTooLongChangesNothingAndKeepsHisWorkAside() throws Exception {
        Worker a = worker(true);
        long top = a.files.create(Inode.ROOT, name("d"), directory()).ino();
        a.way.losesChanges = true;
        Inode made = write(a.files, top, "f", 5);
        a.way.cut();
        // It waits for as long as a might come back.
        assertThat(names(b, top)).isEmpty();
        Inode newer = write(b, top, "f", 9);
        a.way.mend();
        Awaitility.await().until(() -> a.files.setAside() > 0);
        Awaitility.await().until(a.files::connected);
        assertThat(a.files.lookup(top, name("f")).ino()).isEqualTo(newer.ino());
        assertThat(a.files.content(newer.ino()).size()).isEqualTo(9);
        assertErrno(Errno.ESTALE, () -> a.files.inode(made.ino()));
        assertThat(a.files.lost(made.ino())).isTrue();
        assertThat(keptAside()).contains("Create", "Commit");
        // And it works alone again.
        long other = a.files.create(Inode.ROOT, name("e"), directory()).ino();
        write(a.files, other, "f", 5);
        assertThat(names(b, other)).containsExactly("f");
    }

    @Test
    void whoWasKilledAndFencedKeepsHisWorkAside() throws Exception {
        Worker a = worker(true);
        long top = a.files.create(Inode.ROOT, name("d"), directory()).ino();
        a.way.losesChanges = true;
        Inode made = write(a.files, top, "f", 5);
        a.kill();
        assertThat(names(b, top)).isEmpty();
        Worker again = worker(true);
        assertThat(again.files.setAside()).isEqualTo(3);
        assertThat(again.files.lost(made.ino())).isTrue();
        assertThat(keptAside()).contains("Create", "Commit");
        assertThat(names(again.files, top)).isEmpty();
    }

    private String keptAside() throws IOException {
        StringBuilder all = new StringBuilder();
        try (var files = Files.walk(folder.resolve("setaside"))) {
            for (Path readme : files.filter(path -> path.endsWith("README")).toList()) {
                all.append(Files.readString(readme));
            }
        }
        return all.toString();
    }

    @Test
    void aRestartOfTheCoordinatorIsNothingToHim() throws Exception {
        Worker a = worker(true);
        long top = a.files.create(Inode.ROOT, name("d"), directory()).ino();
        write(a.files, top, "f", 5);
        a.files.settle();
        Worker idle = a;
        idle.kill();
        coordinator.close();
        coordinator = Coordinator.open(folder.resolve("state"), SessionLimits.DEFAULT.withLease(LEASE));
        b.close();
        b = coordinator.connect(new NodeId("b"), new Recorder());
        Worker again = worker(true);
        assertThat(names(b, top)).containsExactly("f");
        assertThat(again.files.setAside()).isZero();
    }

    @Test
    void trashAndQuotasEndThemAll() throws Exception {
        Worker a = worker(true);
        long top = a.files.create(Inode.ROOT, name("d"), directory()).ino();
        write(a.files, top, "f", 5);
        coordinator
                .sessions()
                .change((context, view) -> Quotas.limit(Inode.ROOT, 0, 3, context, view))
                .get();
        assertThat(a.files.delegatedInodes()).isZero();
        write(a.files, top, "g", 5);
        assertErrno(Errno.EDQUOT, () -> a.files.create(top, name("h"), file(false)));
        coordinator
                .sessions()
                .change((context, view) -> Quotas.lift(Inode.ROOT, context, view))
                .get();
        long other = a.files.create(Inode.ROOT, name("e"), directory()).ino();
        write(a.files, other, "f", 5);
        coordinator
                .sessions()
                .change((context, view) -> Trash.keep(Duration.ofDays(1), context, view))
                .get();
        assertThat(a.files.delegatedInodes()).isZero();
        assertThat(a.files.unlink(other, name("f")).kept()).isTrue();
    }

    @Test
    void whatIsNotForOneNodeAloneIsDoneAsEver() throws Exception {
        Worker a = worker(true);
        long top = a.files.create(Inode.ROOT, name("d"), directory()).ino();
        Inode made = write(a.files, top, "f", 5);
        assertThat(a.files.link(made.ino(), Inode.ROOT, name("l")).links()).isEqualTo(2);
        long next = a.files.create(Inode.ROOT, name("e"), directory()).ino();
        Inode other = write(a.files, next, "f", 5);
        a.files.setAttribute(other.ino(), name("user.x"), new byte[] {1}, 0);
        assertThat(a.files.attribute(other.ino(), name("user.x"))).containsExactly(1);
        assertThat(b.attribute(other.ino(), name("user.x"))).containsExactly(1);
        a.files.setAttributes(next, new AttributeChange(0700, null, null, null, null, false));
        assertThat(b.inode(next).permissions()).isEqualTo(0700);
        long last = a.files.create(Inode.ROOT, name("x"), directory()).ino();
        write(a.files, last, "f", 5);
        a.files.rename(Inode.ROOT, name("x"), Inode.ROOT, name("y"), 0);
        assertThat(names(b, b.lookup(Inode.ROOT, name("y")).ino())).containsExactly("f");
        assertThat(a.files.setAside()).isZero();
    }
}
