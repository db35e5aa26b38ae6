package io.fusecache.tiers.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.HomeReply;
import io.fusecache.cache.HomeRequest;
import io.fusecache.cache.Homes;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.testkit.FaultyPeer;
import io.fusecache.testkit.HomesContract;
import io.fusecache.testkit.RandomRun;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executors;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Homes over HTTP: the contract, what the network does to it, and what nobody should send. */
final class HomeClientTest extends HomesContract {
    private final BufferArena buffers = new BufferArena(4 << 20, 64 << 10, 1 << 20);
    private final HttpClient stranger = HttpClient.newHttpClient();
    private final QueuedThreadPool threads = new QueuedThreadPool();
    private final Server server = new Server(threads);
    private @Nullable FaultyPeer inBetween;

    @Override
    protected NodeAddress serve(Homes.Host served) throws Exception {
        threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
        ServerConnector connector = new ServerConnector(server, 1, 1);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        server.setHandler(new HomeHandler(served, buffers, PeerAccess.token("secret")));
        server.start();
        inBetween = new FaultyPeer(connector.getLocalPort());
        return new NodeAddress(new NodeId("home"), "127.0.0.1:" + proxy().port(), "");
    }

    private FaultyPeer proxy() {
        return Objects.requireNonNull(inBetween);
    }

    @Override
    protected Homes open() {
        return client("secret");
    }

    private static HomeClient client(String token) {
        Duration timeout = Duration.ofSeconds(30);
        return new HomeClient(
                Duration.ofSeconds(5), new HomeClient.Timeouts(Duration.ofSeconds(8), timeout, timeout), token);
    }

    @AfterEach
    void stop() throws Exception {
        stranger.close();
        proxy().close();
        server.stop();
        assertThat(buffers.usedBytes()).isZero();
        buffers.close();
    }

    @Test
    void whoDoesNotKnowTheTokenIsRefused() throws Exception {
        try (HomeClient other = client("guessed")) {
            assertThatThrownBy(() -> other.ask(home, GUEST, new HomeRequest.Inspect(2), MemorySegment.NULL))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("refuses our token");
        }
        assertThat(host.requests).isEmpty();
    }

    @Test
    void aFlippedBitOfAnAnswerIsFound() throws Exception {
        host.content = new byte[100_000];
        MemorySegment target = memory.allocate(100_000);
        proxy().inject(new FaultyPeer.Fault.FlipBit(50_000));
        assertThatThrownBy(() -> homes.ask(home, GUEST, new HomeRequest.Read(2, 3, 0), target))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("changed on the way");
    }

    @Test
    void anAnswerThatBreaksOffOrDoesNotComeIsAnError() throws Exception {
        host.content = new byte[100_000];
        MemorySegment target = memory.allocate(100_000);
        for (FaultyPeer.Fault fault :
                List.of(new FaultyPeer.Fault.Truncate(50_000), new FaultyPeer.Fault.Reset(50_000))) {
            proxy().inject(fault);
            assertThatThrownBy(() -> homes.ask(home, GUEST, new HomeRequest.Read(2, 3, 0), target))
                    .isInstanceOf(IOException.class);
        }
        proxy().inject(new FaultyPeer.Fault.Stall(0));
        assertThatThrownBy(() -> ask(new HomeRequest.Inspect(2)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("did not answer within 8000 ms");
        proxy().inject(new FaultyPeer.Fault.None());
        assertThat(ask(new HomeRequest.Inspect(2))).isEqualTo(new HomeReply.Done(0, null));
    }

    @Test
    void aNodeThatIsNotThereIsAnError() {
        NodeAddress nowhere = new NodeAddress(new NodeId("nowhere"), "127.0.0.1:1", "");
        assertThatThrownBy(() -> homes.ask(nowhere, GUEST, new HomeRequest.Inspect(2), MemorySegment.NULL))
                .isInstanceOf(IOException.class);
        NodeAddress nameless = new NodeAddress(new NodeId("nameless"), "no address at all", "");
        assertThatThrownBy(() -> homes.ask(nameless, GUEST, new HomeRequest.Inspect(2), MemorySegment.NULL))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no address");
    }

    private HttpResponse<String> send(String method, byte[] body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + home.http() + "/homes"))
                .header("Authorization", "Bearer secret")
                .method(method, HttpRequest.BodyPublishers.ofByteArray(body))
                .timeout(Duration.ofSeconds(30))
                .build();
        return stranger.send(request, HttpResponse.BodyHandlers.ofString());
    }

    /** The first line of the answer to a request that says how long it is going to be. */
    private String announce(int length) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy().port())) {
            String head = "POST /homes HTTP/1.1\r\nHost: home\r\nAuthorization: Bearer secret\r\nContent-Length: "
                    + length + "\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            return String.valueOf(in.readLine());
        }
    }

    private static byte[] message(HomeRequest request, int wanted, byte[] data) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        HomeMessage.write(out, HomeProtocol.encode(GUEST, request, wanted), MemorySegment.ofArray(data));
        return out.toByteArray();
    }

    @Test
    void whatIsNoMessageIsRefusedAndChangesNothing() throws Exception {
        byte[] good = message(new HomeRequest.Write(2, 3, 4, 5), 0, new byte[1000]);
        assertThat(send("POST", good).statusCode()).isEqualTo(200);
        host.requests.clear();

        assertThat(send("GET", new byte[0]).statusCode()).isEqualTo(405);
        assertThat(send("POST", new byte[0]).statusCode()).isEqualTo(400);
        assertThat(announce(3 << 20)).contains(" 413 ");
        assertThat(send("POST", Arrays.copyOf(good, good.length - 1)).statusCode())
                .isEqualTo(400);
        assertThat(send("POST", Arrays.copyOf(good, good.length + 1)).statusCode())
                .isEqualTo(400);
        byte[] longHead = good.clone();
        ByteBuffer.wrap(longHead).putInt(0, Integer.MAX_VALUE);
        assertThat(send("POST", longHead).statusCode()).isEqualTo(400);
        byte[] noHead = good.clone();
        ByteBuffer.wrap(noHead).putInt(0, -1);
        assertThat(send("POST", noHead).statusCode()).isEqualTo(400);
        assertThat(send("POST", message(new HomeRequest.Inspect(2), 0, new byte[1]))
                        .statusCode())
                .isEqualTo(400);
        assertThat(send("POST", message(new HomeRequest.Inspect(2), 100, new byte[0]))
                        .statusCode())
                .isEqualTo(400);
        assertThat(send("POST", message(new HomeRequest.Read(2, 3, 4), -1, new byte[0]))
                        .statusCode())
                .isEqualTo(400);
        assertThat(send("POST", message(new HomeRequest.Inspect(0), 0, new byte[0]))
                        .statusCode())
                .isEqualTo(400);
        assertThat(send("POST", message(new HomeRequest.Inspect(1L << 48), 0, new byte[0]))
                        .statusCode())
                .isEqualTo(400);
        assertThat(host.requests).isEmpty();
        assertThat(host.written).hasSize(1);
    }

    @Test
    void anyByteThatChangesOnTheWayIsFound() {
        RandomRun.of(3, random -> {
            byte[] good = message(new HomeRequest.Append(2, 3, 4), 0, new byte[200]);
            for (int i = 0; i < 100; i++) {
                byte[] bad = good.clone();
                bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
                assertThat(send("POST", bad).statusCode()).isEqualTo(400);
            }
            assertThat(host.requests).isEmpty();
        });
    }

    @Test
    void noHeadOfAnyKindBreaksTheDecoder() {
        RandomRun.of(20, random -> {
            for (int i = 0; i < 2000; i++) {
                byte[] head = new byte[random.nextInt(120)];
                random.nextBytes(head);
                if (head.length > 40) {
                    // A plausible beginning, so that the rest is looked at.
                    byte[] name = HomeProtocol.encode(GUEST, new HomeRequest.Inspect(2), 0);
                    System.arraycopy(name, 0, head, 0, Math.min(21, head.length));
                    head[21] = (byte) random.nextInt(16);
                }
                try {
                    assertThat(HomeProtocol.decodeRequest(head)).isNotNull();
                } catch (HomeProtocol.Malformed expected) {
                    assertThat(expected.getMessage()).isNotEmpty();
                }
                try {
                    assertThat(HomeProtocol.decodeReply(head)).isNotNull();
                } catch (HomeProtocol.Malformed expected) {
                    assertThat(expected.getMessage()).isNotEmpty();
                }
            }
        });
    }
}
