package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.WriteLease;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The coordinator goes and comes back; its clients stay, or they go too. */
final class RestartTest {
    private static final SessionLimits LIMITS = SessionLimits.DEFAULT.withLease(Duration.ofMillis(500));

    @TempDir
    Path folder;

    private @Nullable Coordinator coordinator;
    private final List<Metadata> clients = new ArrayList<>();

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
    void up() throws IOException {
        coordinator = Coordinator.open(folder, LIMITS);
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

    private Metadata node(String id, Recorder recorder) throws IOException {
        return node(id, recorder, Duration.ofSeconds(10));
    }

    private Metadata node(String id, Recorder recorder, Duration bound) throws IOException {
        Metadata client = CoordinatorClient.builder(new NodeAddress(new NodeId(id), "h:1", "h:2"), recorder)
                .bound(bound)
                .connect(now);
        clients.add(client);
        return client;
    }

    private static FileVersion next(FileVersion base, long size) {
        return new FileVersion(base.ino(), base.version() + 1, size, base.blockBytes(), null, null);
    }

    @Test
    void clientsGoOnWhereTheyWere() throws Exception {
        Recorder recorder = new Recorder();
        Metadata a = node("a", recorder);
        Inode made = a.create(Inode.ROOT, name("f"), file(true));
        a.advertise(made.ino(), 1, null);
        down();
        assertThat(a.cachedInode(made.ino())).as("cached answers go on").isEqualTo(made);
        Awaitility.await().until(() -> !a.connected());
        CompletableFuture<Inode> waiting = CompletableFuture.supplyAsync(() -> {
            try {
                return a.create(Inode.ROOT, name("g"), file(false));
            } catch (ErrnoException e) {
                throw new AssertionError(e);
            }
        });
        up();
        assertThat(waiting.get().ino()).isGreaterThan(made.ino());
        assertThat(recorder.resets).containsExactly(false);
        assertThat(a.cachedInode(made.ino())).isNull();
        assertThat(a.commit(next(a.content(made.ino()), 5), Timestamp.EPOCH, Timestamp.EPOCH, 5)
                        .size())
                .isEqualTo(5);
        Metadata b = node("b", new Recorder());
        Awaitility.await().until(() -> b.holders(made.ino(), 1).size() == 1);
    }

    @Test
    void aClientThatHasInodesOfAnotherNamespaceIsRefused() throws Exception {
        CoordinatorClient a = (CoordinatorClient) node("a", new Recorder(), Duration.ofMillis(200));
        String namespace = a.namespace();
        assertThat(namespace).hasSize(32);
        a.create(Inode.ROOT, name("f"), file(false));
        down();
        up();
        Awaitility.await().until(a::connected);
        assertThat(a.namespace()).as("a restart keeps it").isEqualTo(namespace);

        down();
        Awaitility.await().until(() -> !a.connected());
        coordinator = Coordinator.open(folder.resolve("other"), LIMITS);
        assertThatThrownBy(() -> a.lookup(Inode.ROOT, name("f")))
                .as("an inode number means something else there")
                .hasMessageContaining("EIO");
        CoordinatorClient b = (CoordinatorClient) node("b", new Recorder());
        assertThat(b.namespace()).hasSize(32).isNotEqualTo(namespace);
        assertThatThrownBy(() -> now.open(
                        new Hello(
                                Hello.PROTOCOL,
                                "",
                                new NodeAddress(new NodeId("c"), "h:1", "h:2"),
                                "",
                                "",
                                namespace,
                                0,
                                0),
                        new SessionTransport.Receiver() {
                            @Override
                            public void received(Downstream message) {
                                throw new AssertionError(message);
                            }

                            @Override
                            public void broken(String reason) {}
                        }))
                .isInstanceOf(SessionTransport.RefusedException.class)
                .hasMessageContaining(namespace)
                .hasMessageContaining(b.namespace());

        down();
        up();
        Awaitility.await("and goes on where its own is back").until(a::connected);
        assertThat(a.lookup(Inode.ROOT, name("f")).regular()).isTrue();
    }

    @Test
    void whatNeedsTheCoordinatorFailsWhenTheBoundHasPassed() throws Exception {
        Metadata a = node("a", new Recorder(), Duration.ofMillis(200));
        down();
        Awaitility.await().until(() -> !a.connected());
        assertThatThrownBy(() -> a.create(Inode.ROOT, name("f"), file(false)))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
        up();
        Awaitility.await().until(a::connected);
        assertThatThrownBy(() -> a.lookup(Inode.ROOT, name("f")))
                .as("a request that was given up before it was sent is never carried out")
                .hasMessageContaining("ENOENT");
    }

    @Test
    void changesAreExecutedOnceThroughRestarts() throws Exception {
        Metadata a = node("a", new Recorder());
        CompletableFuture<List<String>> made = CompletableFuture.supplyAsync(() -> {
            List<String> failures = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
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
            Thread.sleep(100);
            down();
            up();
        }
        assertThat(made.get()).isEmpty();
        assertThat(a.usage().inodes()).isEqualTo(401);
    }

    @Test
    void unlinkedFilesAreKeptForWhoComesBackAndDroppedForWhoBeginsAnew() throws Exception {
        Recorder onB = new Recorder();
        Metadata a = node("a", new Recorder());
        Metadata b = node("b", onB);
        Inode made = a.create(Inode.ROOT, name("f"), file(false));
        b.inode(made.ino());
        onB.open.add(made.ino());
        down();
        up();
        Awaitility.await().until(() -> a.connected() && b.connected());
        // The leases were forgotten: that b has it open is learnt by asking everyone of before.
        a.unlink(Inode.ROOT, name("f"));
        a.releaseUnlinked(Set.of(made.ino())).join();
        assertThat(b.inode(made.ino()).links()).isZero();
        b.close();
        assertThat(b.connected()).isFalse();
        Awaitility.await().until(() -> a.usage().inodes() == 1);
    }

    @Test
    void aRestartedNodeHasItsWriteLeasesAndLosesItsUnlinkedFiles() throws Exception {
        Metadata a = node("a", new Recorder());
        Metadata b = node("b", new Recorder());
        Inode written = a.create(Inode.ROOT, name("written"), file(true));
        Inode unlinked = a.create(Inode.ROOT, name("unlinked"), file(false));
        a.unlink(Inode.ROOT, name("unlinked"));
        assertThat(b.inode(unlinked.ino()).links()).isZero();
        kill(a);
        Metadata again = node("a", new Recorder());
        assertThat(b.inode(written.ino()).writer()).isEqualTo(new NodeId("a"));
        again.commit(next(again.content(written.ino()), 3), Timestamp.EPOCH, Timestamp.EPOCH, 3);
        assertThat(b.content(written.ino()).size()).isEqualTo(3);
        Awaitility.await().until(() -> b.usage().inodes() == 2);
    }

    @Test
    void theWriteLeaseOfANodeThatIsGoneGoesToWhoAsks() throws Exception {
        Metadata a = node("a", new Recorder());
        Metadata b = node("b", new Recorder());
        Inode written = a.create(Inode.ROOT, name("written"), file(true));
        kill(a);
        assertThat(b.beginWrite(written.ino(), Duration.ZERO)).isEqualTo(new WriteLease.HeldBy(new NodeId("a")));
        assertThat(b.awaitWriter(written.ino(), Duration.ofSeconds(5))).isEmpty();
        assertThat(b.beginWrite(written.ino(), Duration.ZERO)).isInstanceOf(WriteLease.Granted.class);
        assertThat(b.inode(written.ino()).writer()).isEqualTo(new NodeId("b"));
    }

    /** As if its process had ended: no goodbye, and never again a word. */
    private void kill(Metadata client) {
        clients.remove(client);
        Coordinator current = coordinator;
        coordinator = null;
        if (current != null) {
            current.sessions().broken("killed");
        }
        Awaitility.await().until(() -> !client.connected());
        client.close();
        coordinator = current;
        Awaitility.await().until(() -> clients.stream().allMatch(Metadata::connected));
    }

    @Test
    void aNewerFormatIsRefusedByName() throws Exception {
        down();
        try (var options = new org.rocksdb.Options();
                var db = org.rocksdb.RocksDB.open(options, folder.toString())) {
            db.put(new byte[] {'F'}, "fuse-cache coordinator 99".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        assertThatThrownBy(this::up)
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("'fuse-cache coordinator 99'");
    }

    @Test
    void aFolderInUseOrUnusableIsNamed() throws Exception {
        assertThatThrownBy(() -> Coordinator.open(folder))
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("another coordinator");
        Path file = Files.writeString(folder.resolve("plain"), "no folder");
        assertThatThrownBy(() -> Coordinator.open(file)).hasMessageContaining(file.toString());
    }
}
