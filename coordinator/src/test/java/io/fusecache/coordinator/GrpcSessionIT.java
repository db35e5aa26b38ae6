package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.wire.GrpcTransport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients over loopback gRPC, a coordinator that stops and starts under them: what SessionsTest shows without a network. */
final class GrpcSessionIT {
    private static final SessionLimits LIMITS = SessionLimits.DEFAULT.withLease(Duration.ofSeconds(2));

    @TempDir
    Path folder;

    private CoordinatorServer server;
    private int port;
    private final List<Metadata> clients = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        start(0);
        port = server.grpcPort();
    }

    private void start(int grpcPort) throws IOException {
        server = CoordinatorServer.start(new CoordinatorConfiguration("127.0.0.1", 0, grpcPort, folder, null), LIMITS);
    }

    @AfterEach
    void stop() {
        clients.forEach(Metadata::close);
        server.close();
    }

    private Metadata node(String id, Recorder recorder) throws IOException {
        return node(id, recorder, "");
    }

    private Metadata node(String id, Recorder recorder, String prefix) throws IOException {
        InetSocketAddress address = InetSocketAddress.createUnresolved("127.0.0.1", port);
        Metadata client = CoordinatorClient.builder(new NodeAddress(new NodeId(id), "h:1", "h:2"), recorder)
                .keyPrefix(prefix)
                .connect(new GrpcTransport(GrpcTransport.Options.grpc(List.of(address), null)));
        clients.add(client);
        return client;
    }

    @Test
    void whatOneNodeChangesTheOtherSees() throws Exception {
        Recorder onB = new Recorder();
        Metadata a = node("a", new Recorder());
        Metadata b = node("b", onB);
        Inode made = a.create(Inode.ROOT, name("f"), file(true));
        assertThat(b.lookup(Inode.ROOT, name("f"))).isEqualTo(made);
        for (int i = 0; i < 200; i++) {
            a.setAttributes(made.ino(), new AttributeChange(i, null, null, null, null, false));
            assertThat(b.inode(made.ino()).permissions()).isEqualTo(i);
        }
        assertThat(onB.recalled).contains(made.ino());
    }

    @Test
    void changesAreExecutedOnceThroughRestarts() throws Exception {
        Recorder recorder = new Recorder();
        Metadata a = node("a", recorder);
        CompletableFuture<List<String>> made = CompletableFuture.supplyAsync(() -> {
            List<String> failures = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
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
            Thread.sleep(300);
            server.close();
            start(port);
        }
        assertThat(made.get()).isEmpty();
        assertThat(a.usage().inodes()).isEqualTo(301);
        assertThat(recorder.resets).doesNotContain(true);
    }

    @Test
    void aFileBeingWrittenIsCommittedAfterARestart() throws Exception {
        Metadata a = node("a", new Recorder());
        Inode made = a.create(Inode.ROOT, name("f"), file(true));
        server.close();
        Awaitility.await().until(() -> !a.connected());
        assertThat(a.cachedInode(made.ino())).isEqualTo(made);
        start(port);
        FileVersion version = new FileVersion(made.ino(), 1, 5, 4096, new int[] {7}, null);
        a.commit(version, Timestamp.EPOCH, Timestamp.EPOCH, 4096);
        assertThat(node("b", new Recorder()).content(made.ino())).isEqualTo(version);
    }

    @Test
    void aCoordinatorThatIsNotThereIsNamedInOneLine() {
        server.close();
        assertThatThrownBy(() -> node("a", new Recorder()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("127.0.0.1:" + port)
                .hasMessageNotContaining("\n");
    }

    @Test
    void anotherPrefixIsRefusedInOneLine() throws Exception {
        node("a", new Recorder(), "data/");
        assertThatThrownBy(() -> node("b", new Recorder(), "other/"))
                .hasMessageContaining("'other/'")
                .hasMessageContaining("'data/'")
                .hasMessageNotContaining("\n");
    }
}
