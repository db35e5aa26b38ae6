package io.fusecache.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.state.Keys;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Recall;
import io.fusecache.metadata.RecallListener;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.session.SessionTransport.RefusedException;
import io.fusecache.metadata.wire.GrpcTransport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

/** Coordinator and clients over real ports. */
final class CoordinatorServerIT {
    @TempDir
    private Path folder;

    private static final class Recalls implements RecallListener {
        final List<Recall> heard = new CopyOnWriteArrayList<>();
        final List<Boolean> resets = new CopyOnWriteArrayList<>();

        @Override
        public Set<Long> recalled(Recall recall) {
            heard.add(recall);
            return Set.of();
        }

        @Override
        public void reset(boolean fenced) {
            resets.add(fenced);
        }
    }

    private static Metadata connect(InetSocketAddress grpc, String node, RecallListener listener) throws IOException {
        return CoordinatorClient.builder(new NodeAddress(new NodeId(node), "127.0.0.1:1", ""), listener)
                .connect(new GrpcTransport(GrpcTransport.Options.grpc(List.of(grpc), null)));
    }

    private CoordinatorServer start(@Nullable String apiKey) throws IOException {
        return CoordinatorServer.start(new CoordinatorConfiguration("127.0.0.1", 0, 0, folder.resolve("data"), apiKey));
    }

    private static InetSocketAddress grpc(CoordinatorServer server) {
        return InetSocketAddress.createUnresolved("127.0.0.1", server.grpcPort());
    }

    private static NewInode file() {
        return new NewInode(FileType.REGULAR, 0644, 1, 2, 0, null, false);
    }

    @Test
    void aRecallCrossesBeforeTheChangeReturns() throws Exception {
        Recalls recalls = new Recalls();
        try (CoordinatorServer server = start(null);
                Metadata one = connect(grpc(server), "n1", recalls);
                Metadata two = connect(grpc(server), "n2", new Recalls())) {
            Inode made = one.create(Inode.ROOT, FileName.of("f"), file());
            assertThat(one.cachedInode(made.ino())).isEqualTo(made);
            assertThat(two.lookup(Inode.ROOT, FileName.of("f"))).isEqualTo(made);

            Inode changed = two.setAttributes(made.ino(), new AttributeChange(0600, null, null, null, null, false));

            assertThat(recalls.heard).anyMatch(recall -> recall.inodes().contains(made.ino()));
            assertThat(one.cachedInode(made.ino())).isNull();
            assertThat(one.inode(made.ino())).isEqualTo(changed);
            assertThat(changed.permissions()).isEqualTo(0600);
            assertThat(one.nodes()).extracting(NodeAddress::id).contains(new NodeId("n2"));
        }
    }

    @Test
    void theHttpAddressIsEnoughToFindIt() throws Exception {
        try (CoordinatorServer server = start(null);
                Metadata node = CoordinatorClient.builder(
                                new NodeAddress(new NodeId("n1"), "127.0.0.1:1", ""), new Recalls())
                        .connect(new GrpcTransport(GrpcTransport.Options.http(
                                List.of(InetSocketAddress.createUnresolved("localhost", server.port())), null)))) {
            assertThat(node.inode(Inode.ROOT).directory()).isTrue();
        }
    }

    @Test
    void clientsOfAnotherProtocolOrWithoutTheKeyAreRefused() throws Exception {
        Hello newer = new Hello(Hello.PROTOCOL + 1, "", new NodeAddress(new NodeId("n1"), "a:1", ""), "", "", "", 0, 0);
        SessionTransport.Receiver deaf = new SessionTransport.Receiver() {
            @Override
            public void received(Downstream message) {
                throw new AssertionError(message);
            }

            @Override
            public void broken(String reason) {
                throw new AssertionError(reason);
            }
        };
        try (CoordinatorServer server = start("s3cret");
                GrpcTransport keyed = new GrpcTransport(GrpcTransport.Options.grpc(List.of(grpc(server)), "s3cret"));
                GrpcTransport wrong = new GrpcTransport(GrpcTransport.Options.grpc(List.of(grpc(server)), "guess"))) {
            assertThatThrownBy(() -> keyed.open(newer, deaf))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("speaks protocol " + (Hello.PROTOCOL + 1))
                    .hasMessageContaining("this coordinator " + Hello.PROTOCOL);
            assertThatThrownBy(() -> wrong.open(newer, deaf))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("API key");
            assertThatThrownBy(() -> connect(grpc(server), "n1", new Recalls()))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("-api-key");
        }
    }

    @Test
    void whatKeepsItFromStartingIsNamedAndNothingStaysStarted() throws Exception {
        try (CoordinatorServer server = start(null)) {
            Path other = folder.resolve("other");
            assertThatThrownBy(() -> CoordinatorServer.start(
                            new CoordinatorConfiguration("127.0.0.1", server.port(), 0, other, null)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("port " + server.port() + " of 127.0.0.1 is in use")
                    .hasMessageContaining("-port");
            assertThatThrownBy(() -> CoordinatorServer.start(
                            new CoordinatorConfiguration("127.0.0.1", 0, server.grpcPort(), other, null)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("port " + server.grpcPort() + " of 127.0.0.1 is in use")
                    .hasMessageContaining("-grpc-port");
            assertThatThrownBy(() -> CoordinatorServer.start(
                            new CoordinatorConfiguration("no-such-host.invalid", 0, 0, other, null)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("no-such-host.invalid")
                    .hasMessageContaining("-listen");
            assertThat(other).doesNotExist();
            assertThatThrownBy(() -> start(null))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(folder.resolve("data").toString())
                    .hasMessageContaining("another coordinator");
        }
        Path plain = Files.writeString(folder.resolve("plain"), "");
        assertThatThrownBy(() -> CoordinatorServer.start(new CoordinatorConfiguration("127.0.0.1", 0, 0, plain, null)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(plain.toString());
        start(null).close();
        try (Options options = new Options().setCreateIfMissing(true);
                RocksDB newer = RocksDB.open(options, folder.resolve("newer").toString())) {
            newer.put(Keys.format(), "fuse-cache coordinator 99".getBytes(StandardCharsets.UTF_8));
        }
        assertThatThrownBy(() -> CoordinatorServer.start(
                        new CoordinatorConfiguration("127.0.0.1", 0, 0, folder.resolve("newer"), null)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.resolve("newer").toString())
                .hasMessageContaining("fuse-cache coordinator 99")
                .hasMessageContaining("use the release that wrote it");
    }

    @Test
    void aCleanStopAndStartKeepsSessions() throws Exception {
        Recalls recalls = new Recalls();
        int port;
        try (CoordinatorServer server = start(null)) {
            port = server.grpcPort();
            Metadata node = connect(grpc(server), "n1", recalls);
            Inode made = node.create(Inode.ROOT, FileName.of("f"), file());
            server.close();
            Awaitility.await().until(() -> !node.connected());
            try (CoordinatorServer again = CoordinatorServer.start(
                    new CoordinatorConfiguration("127.0.0.1", 0, port, folder.resolve("data"), null))) {
                Awaitility.await().until(node::connected);
                assertThat(node.inode(made.ino())).isEqualTo(made);
                assertThat(recalls.resets).containsExactly(false);
                node.close();
            }
        }
    }

    /**
     * Four threads on two nodes create files while the coordinator is killed and started again, three times. Whatever was
     * acknowledged is there; every create is answered, and none is carried out twice (its name would be taken already).
     */
    @Test
    void nothingAcknowledgedIsLostWhenItIsKilled() throws Exception {
        Random random = new Random(20_261_122);
        Path data = folder.resolve("data");
        CoordinatorProcess coordinator = CoordinatorProcess.start(data, 0);
        Set<String> acknowledged = new ConcurrentSkipListSet<>();
        List<ErrnoException> failures = new CopyOnWriteArrayList<>();
        try (Metadata one = connect(coordinator.grpc(), "n1", new Recalls());
                Metadata two = connect(coordinator.grpc(), "n2", new Recalls())) {
            AtomicBoolean stopped = new AtomicBoolean();
            List<Thread> creators = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                Metadata node = i % 2 == 0 ? one : two;
                String name = "f" + i + "-";
                creators.add(Thread.ofVirtual().start(() -> createUntil(stopped, node, name, acknowledged, failures)));
            }
            for (int round = 0; round < 3; round++) {
                int before = acknowledged.size();
                Awaitility.await().until(() -> acknowledged.size() > before + 200);
                Thread.sleep(random.nextInt(200));
                coordinator.kill();
                coordinator = CoordinatorProcess.start(data, coordinator.grpcPort());
            }
            int before = acknowledged.size();
            Awaitility.await().until(() -> acknowledged.size() > before + 200);
            stopped.set(true);
            for (Thread creator : creators) {
                creator.join();
            }
            assertThat(failures).isEmpty();
        }
        try (Metadata fresh = connect(coordinator.grpc(), "n3", new Recalls())) {
            assertThat(names(fresh)).isEqualTo(new TreeSet<>(acknowledged));
        } finally {
            coordinator.kill();
        }
    }

    private static void createUntil(
            AtomicBoolean stopped,
            Metadata node,
            String name,
            Set<String> acknowledged,
            List<ErrnoException> failures) {
        for (int i = 0; !stopped.get(); i++) {
            try {
                node.create(Inode.ROOT, FileName.of(name + i), file());
                acknowledged.add(name + i);
            } catch (ErrnoException failed) {
                failures.add(failed);
                return;
            }
        }
    }

    private static Set<String> names(Metadata node) throws ErrnoException {
        Set<String> names = new TreeSet<>();
        List<DirectoryEntry> entries = node.list(Inode.ROOT, 0, 1000);
        while (!entries.isEmpty()) {
            entries.forEach(entry -> names.add(entry.name().toString()));
            entries = node.list(Inode.ROOT, entries.getLast().cookie(), 1000);
        }
        return names;
    }
}
