package io.fusecache.tiers.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.PeerTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.testkit.FaultyPeer;
import io.fusecache.testkit.FaultyPeer.Fault;
import io.fusecache.testkit.PeerTierContract;
import io.fusecache.testkit.ServedFiles;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.VirtualThreads;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of the tier over a real server, and what happens to files while they are sent. */
@SuppressWarnings("NullAway.Init")
final class PeerTransferIT extends PeerTierContract {
    private static final int MOST_SERVES = 2;
    private static final NodeAddress OTHER = new NodeAddress(new NodeId("other"), "10.0.0.3:8081", "10.0.0.3:9081");

    private final BufferArena buffers = new BufferArena(16 << 20, 64 << 10, 4 << 20);
    private PeerBlockHandler handler;
    private Server server;
    private FaultyPeer proxy;
    private PeerClient client;

    @Override
    protected NodeAddress serve(ServedFiles served) throws Exception {
        handler = new PeerBlockHandler(
                served, buffers, PeerAccess.token("key"), (ino, version) -> List.of(OTHER), MOST_SERVES);
        QueuedThreadPool threads = new QueuedThreadPool(16);
        threads.setVirtualThreadsExecutor(VirtualThreads.getNamedVirtualThreadsExecutor("http-"));
        server = new Server(threads);
        ServerConnector connector = new ServerConnector(server, 1, 1);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        server.setHandler(handler);
        server.start();
        proxy = new FaultyPeer(connector.getLocalPort());
        return address(proxy.port());
    }

    private static NodeAddress address(int port) {
        return new NodeAddress(new NodeId("peer"), "127.0.0.1:" + port, "");
    }

    @Override
    protected PeerTier open() {
        client = new PeerClient(Duration.ofSeconds(2), Duration.ofSeconds(20), "key");
        return client;
    }

    @AfterEach
    void stop() throws Exception {
        proxy.close();
        server.stop();
        assertThat(buffers.usedBytes()).isZero();
        buffers.close();
    }

    private FileVersion hold(int size, boolean sealed) {
        return files.hold(INO, 7, BLOCK, content(size, 1), sealed);
    }

    @Test
    void connectionsAreUsedAgain() throws Exception {
        byte[] content = content(2 * BLOCK, 1);
        FileVersion version = files.hold(INO, 7, BLOCK, content, true);
        for (int i = 0; i < 20; i++) {
            assertReads(version, content, i, BLOCK);
            assertMisses(new FileVersion(INO, 8, 100, BLOCK, null, null), 0, 100);
        }
        assertThat(proxy.connections()).isEqualTo(1);
        assertThat(handler.servedBytes()).isEqualTo(20L * BLOCK);
    }

    @Test
    void aTargetIsNotTouchedAfterItsReadFailed() throws Exception {
        FileVersion version = hold(2 * BLOCK, true);
        NodeAddress peer = address(proxy.port());
        try (PeerClient hasty = new PeerClient(Duration.ofSeconds(2), Duration.ofMillis(200), "key")) {
            proxy.inject(new Fault.Delay(Duration.ofMillis(300)));
            MemorySegment target = memory.allocate(2 * BLOCK);
            assertThatThrownBy(() -> hasty.read(peer, version, 0, target)).isInstanceOf(IOException.class);
            target.fill((byte) 0x5A);
            proxy.inject(new Fault.None());
            await().pollDelay(Duration.ofMillis(300))
                    .until(() -> hasty.read(peer, version, 0, memory.allocate(2 * BLOCK))
                            .equals(new ReadOutcome.Hit(2 * BLOCK)));
            assertThat(target.mismatch(memory.allocate(2 * BLOCK).fill((byte) 0x5A)))
                    .isEqualTo(-1);
        }
    }

    @Test
    void aBusyPeerNamesOthers() throws Exception {
        byte[] content = content(BLOCK, 1);
        FileVersion version = files.hold(INO, 7, BLOCK, content, true);
        CountDownLatch begun = new CountDownLatch(MOST_SERVES);
        CountDownLatch gate = new CountDownLatch(1);
        files.beforeRead(() -> {
            begun.countDown();
            pass(gate);
        });
        try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<ReadOutcome>> served = List.of(
                    workers.submit(() -> read(version, 0, memory.allocate(BLOCK))),
                    workers.submit(() -> read(version, 0, memory.allocate(BLOCK))));
            begun.await();
            assertThat(read(version, 0, memory.allocate(BLOCK))).isEqualTo(new ReadOutcome.Busy(List.of(OTHER)));
            gate.countDown();
            for (Future<ReadOutcome> read : served) {
                assertThat(read.get()).isEqualTo(new ReadOutcome.Hit(BLOCK));
            }
        }
        // A slot is given back when its response is done, a moment after the last byte was received.
        await().untilAsserted(() -> assertReads(version, content, 0, BLOCK));
        assertThat(handler.busyAnswers()).isPositive();
    }

    private static void pass(CountDownLatch gate) {
        try {
            gate.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aFileThatIsWrittenBeforeTheFirstPieceIsAMiss() throws Exception {
        FileVersion version = hold(BLOCK, true);
        files.afterRead(() -> files.beginWriting(INO));
        assertMisses(version, 0, BLOCK);
    }

    @Test
    void bytesOfAFileThatIsWrittenMeanwhileAreNotSent() throws Exception {
        FileVersion version = hold(4 * BLOCK, true);
        AtomicInteger reads = new AtomicInteger();
        files.afterRead(() -> {
            if (reads.incrementAndGet() == 3) {
                files.beginWriting(INO);
            }
        });
        assertThatThrownBy(() -> read(version, 0, memory.allocate(4 * BLOCK))).isInstanceOf(IOException.class);
        files.afterRead(() -> {});
        byte[] content = content(BLOCK, 1);
        assertReads(files.hold(INO, 9, BLOCK, content, true), content, 0, BLOCK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"nowhere.invalid", "no such host:1", "127.0.0.1:0", "127.0.0.1:99999", "", ":"})
    void anAddressThatIsNoneFails(String http) {
        FileVersion version = hold(100, true);
        assertThatThrownBy(() ->
                        client.read(new NodeAddress(new NodeId("peer"), http, ""), version, 0, memory.allocate(100)))
                .isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "garbage",
                "HTTP/1.1 206 OK\r\nContent-Length: 100\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 104\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 104\r\nFusecache-Append: crc32c\r\n\r\n",
                "HTTP/1.1 200 OK\r\nFusecache-Append: crc32c\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 60\r\nFusecache-Append: crc32c\r\n\r\n",
                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
            })
    void anAnswerThatIsNotOursFails(String answer) throws Exception {
        FileVersion version = hold(100, true);
        try (ServerSocket stranger = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> answerAll(stranger, answer));
            NodeAddress address = address(stranger.getLocalPort());
            assertThatThrownBy(() -> client.read(address, version, 0, memory.allocate(100)))
                    .isInstanceOf(IOException.class);
        }
    }

    private static void answerAll(ServerSocket listener, String answer) {
        while (!listener.isClosed()) {
            try (Socket socket = listener.accept()) {
                assertThat(socket.getInputStream().read(new byte[4096])).isPositive();
                socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
                socket.getOutputStream().write(new byte[60]);
            } catch (IOException clientLeft) {
                // As it may, at such an answer.
            }
        }
    }
}
