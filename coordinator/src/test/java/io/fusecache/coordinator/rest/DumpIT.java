package io.fusecache.coordinator.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.Coordinator;
import io.fusecache.coordinator.CoordinatorConfiguration;
import io.fusecache.coordinator.CoordinatorServer;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Recall;
import io.fusecache.metadata.RecallListener;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Dumps over HTTP, as the API's document describes them. */
final class DumpIT {
    @TempDir
    private Path data;

    private final JsonMapper mapper = new JsonMapper();

    private CoordinatorServer server() throws Exception {
        return CoordinatorServer.start(new CoordinatorConfiguration("127.0.0.1", 0, 0, data, null));
    }

    private static HttpResponse<String> send(CoordinatorServer to, String method, String path, String body)
            throws Exception {
        return send(to.port(), method, path, body);
    }

    private static HttpResponse<String> send(int port, String method, String path, String body) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + port + path);
            return http.send(
                    HttpRequest.newBuilder(uri)
                            .method(method, BodyPublishers.ofString(body))
                            .build(),
                    BodyHandlers.ofString());
        }
    }

    @Test
    void anEmptyCoordinatorTakesADumpAndSaysWhatIsWrongWithAnother() throws Exception {
        try (CoordinatorServer server = server()) {
            JsonNode document =
                    mapper.readTree(send(server, "GET", "/api/openapi.json", "").body());
            HttpResponse<String> dump = send(server, "GET", "/api/dump", "");
            assertThat(dump.statusCode()).isEqualTo(200);
            assertThat(dump.headers().firstValue("Content-Type")).hasValue("application/jsonl");
            assertThat(dump.body().lines()).hasSize(3);

            refused(document, send(server, "POST", "/api/load", "{}\n"), 400, "invalid_dump", "line 1: ");
            String cut = dump.body().substring(0, dump.body().length() - 2);
            refused(document, send(server, "POST", "/api/load", cut), 400, "invalid_dump", "line 3: ");

            HttpResponse<String> loaded = send(server, "POST", "/api/load", dump.body());
            assertThat(loaded.statusCode()).as(loaded.body()).isEqualTo(200);
            JsonNode answer = mapper.readTree(loaded.body());
            assertThat(new JsonSchema(document).misfits(document.at("/components/schemas/Loaded"), answer))
                    .isEmpty();
            assertThat(answer.at("/inodes").asInt()).isEqualTo(1);
            assertThat(dump.body()).doesNotContain(answer.at("/namespace").asString());
        }
    }

    @Test
    void whatAwaitsALoadIsNotDumped() throws Exception {
        CoordinatorConfiguration waiting =
                new CoordinatorConfiguration("127.0.0.1", 0, 0, data, null, null, null, true);
        try (CoordinatorServer server = CoordinatorServer.start(waiting)) {
            JsonNode document =
                    mapper.readTree(send(server, "GET", "/api/openapi.json", "").body());
            refused(document, send(server, "GET", "/api/dump", ""), 503, "loading", "a dump is being loaded");
        }
    }

    /** With more lines than fit between two ends of a connection. */
    private static void fill(Coordinator coordinator) throws Exception {
        byte[] target = new byte[4_000];
        Arrays.fill(target, (byte) 'x');
        try (Metadata node = coordinator.connect(new NodeId("n"), NOTHING_OPEN)) {
            for (int i = 0; i < 6_000; i++) {
                node.create(
                        Inode.ROOT,
                        FileName.of("link-" + i),
                        new NewInode(FileType.SYMLINK, 0777, 1, 2, 0, target, false));
            }
        }
    }

    private static final RecallListener NOTHING_OPEN = new RecallListener() {
        @Override
        public Set<Long> recalled(Recall recall) {
            return Set.of();
        }

        @Override
        public void reset(boolean fenced) {
            // Nothing is cached.
        }
    };

    /** Asks for a dump, and reads no more of it than its status. */
    private static Socket reader(int port) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(16 << 10);
        socket.setSoTimeout(60_000);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.getOutputStream().write("GET /api/dump HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(socket.getInputStream().readNBytes(15))
                .asString(StandardCharsets.US_ASCII)
                .isEqualTo("HTTP/1.1 200 OK");
        return socket;
    }

    @Test
    void twoDumpsAtOnceAreEnoughAndWhoDoesNotReadIsCutOff() throws Exception {
        Duration grace = Duration.ofSeconds(3);
        try (Coordinator coordinator = Coordinator.open(data);
                RestServer server = RestServer.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            fill(coordinator);
            server.serve(coordinator, 1, null, InstantSource.system(), new PacedOutput.Pace(128 << 10, grace));
            long begun = System.nanoTime();
            try (Socket first = reader(server.port());
                    Socket second = reader(server.port())) {
                HttpResponse<String> third = send(server.port(), "GET", "/api/dump", "");
                assertThat(third.statusCode()).isEqualTo(503);
                assertThat(third.headers().firstValue("Retry-After")).hasValue("30");
                assertThat(third.body()).contains("busy");

                // Others get their turn, although nobody reads and nobody hangs up.
                Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                    HttpResponse<String> whole = send(server.port(), "GET", "/api/dump", "");
                    assertThat(whole.statusCode()).isEqualTo(200);
                    assertThat(whole.body().lines()).hasSize(12_003);
                });
                assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThan(grace);
                for (Socket slow : List.of(first, second)) {
                    assertThat(rest(slow)).doesNotContain("\"kind\":\"end\"");
                }
            }
        }
    }

    /** What was on its way when the connection ended, however it did. */
    private static String rest(Socket of) {
        ByteArrayOutputStream rest = new ByteArrayOutputStream();
        try {
            of.getInputStream().transferTo(rest);
        } catch (SocketException reset) {
            // As good an end as any; a timeout is none.
            return rest.toString(StandardCharsets.UTF_8);
        } catch (IOException unforeseen) {
            throw new UncheckedIOException(unforeseen);
        }
        return rest.toString(StandardCharsets.UTF_8);
    }

    private void refused(JsonNode document, HttpResponse<String> response, int status, String code, String message) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        JsonNode answer = mapper.readTree(response.body());
        assertThat(new JsonSchema(document).misfits(document.at("/components/schemas/Error"), answer))
                .isEmpty();
        assertThat(answer.at("/error/code").asString()).isEqualTo(code);
        assertThat(answer.at("/error/message").asString()).startsWith(message);
    }
}
