package io.fusecache.coordinator.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.CoordinatorConfiguration;
import io.fusecache.coordinator.CoordinatorServer;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Recall;
import io.fusecache.metadata.RecallListener;
import io.fusecache.metadata.Timestamp;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class RestIT {
    private static final String LOCATION = "/api/files/location";

    @TempDir
    private Path data;

    private final HttpClient http = HttpClient.newHttpClient();
    private final JsonMapper mapper = new JsonMapper();
    private CoordinatorServer server;
    private JsonNode document;

    @BeforeEach
    void start() throws Exception {
        server = CoordinatorServer.start(new CoordinatorConfiguration("127.0.0.1", 0, 0, data, null));
        document = mapper.readTree(get("/api/openapi.json").body());
    }

    @AfterEach
    void stop() {
        http.close();
        server.close();
    }

    // peers

    @Test
    void aPeerThatRegisteredIsListedToTheOthers() throws Exception {
        Instant before = Instant.now().minusSeconds(1);
        ok("POST", "/api/peers/register", """
                {"id":"n1","address":"10.0.0.1:8081","grpc_address":"10.0.0.1:9081","nvme_path":"/nvme",
                 "available_space":10,"used_space":5,"status":"active","last_heartbeat":"2020-01-01T00:00:00Z"}""");
        ok("POST", "/api/peers/register", "{\"id\":\"n2\",\"address\":\"10.0.0.2:8081\"}");

        JsonNode peers = ok("GET", "/api/peers?requester_id=n2", null);
        assertThat(peers.size()).isEqualTo(1);
        JsonNode peer = peers.get(0);
        assertThat(peer.get("id").asString()).isEqualTo("n1");
        assertThat(peer.get("address").asString()).isEqualTo("10.0.0.1:8081");
        assertThat(peer.get("nvme_path").asString()).isEqualTo("/nvme");
        assertThat(Instant.parse(peer.get("last_heartbeat").asString())).isAfter(before);

        ok("PUT", "/api/peers/status", "{\"peer_id\":\"n1\",\"status\":\"active\",\"used_space\":7}");
        peer = ok("GET", "/api/peers?requester_id=n2", null).get(0);
        assertThat(peer.get("available_space").asLong()).isEqualTo(10);
        assertThat(peer.get("used_space").asLong()).isEqualTo(7);

        ok("PUT", "/api/peers/status", "{\"peer_id\":\"n1\",\"status\":\"draining\"}");
        assertThat(ok("GET", "/api/peers?requester_id=n2", null).size()).isZero();
    }

    @Test
    void aNodeWithASessionIsAPeerAndItsOwnTruth() throws Exception {
        try (Metadata node = node("n1")) {
            JsonNode peers = ok("GET", "/api/peers", null);
            assertThat(peers.size()).isEqualTo(1);
            assertThat(peers.get(0).get("address").asString()).isEqualTo("127.0.0.1:8081");
            assertThat(peers.get(0).get("status").asString()).isEqualTo("active");

            ok("POST", "/api/peers/register", "{\"id\":\"n1\",\"address\":\"127.0.0.1:8081\"}");
            ok("PUT", "/api/peers/status", "{\"peer_id\":\"n1\",\"status\":\"draining\"}");
            refused(409, "peer_exists", "POST", "/api/peers/register", "{\"id\":\"n1\",\"address\":\"elsewhere:1\"}");
            assertThat(ok("GET", "/api/peers", null).size()).isEqualTo(1);
            assertThat(node.connected()).isTrue();
        }
        assertThat(ok("GET", "/api/peers", null).size()).isZero();
    }

    @Test
    void whatIsNoPeerIsRefusedAndChangesNothing() throws Exception {
        String register = "/api/peers/register";
        refused(400, "invalid_json", "POST", register, "");
        refused(400, "invalid_json", "POST", register, "null");
        refused(400, "invalid_json", "POST", register, "{\"id\":");
        refused(400, "invalid_json", "POST", register, "{\"id\":\"a\",\"address\":\"b:1\"} x");
        refused(400, "invalid_json", "POST", register, "{\"id\":\"a\",\"id\":\"b\",\"address\":\"b:1\"}");
        refused(400, "invalid_field", "POST", register, "[]");
        refused(400, "unknown_field", "POST", register, "{\"id\":\"a\",\"address\":\"b:1\",\"colour\":1}");
        refused(400, "missing_field", "POST", register, "{\"id\":\"a\"}");
        refused(400, "missing_field", "POST", register, "{\"address\":\"b:1\"}");
        refused(400, "invalid_field", "POST", register, "{\"id\":\"a/../b\",\"address\":\"b:1\"}");
        refused(400, "invalid_field", "POST", register, "{\"id\":7,\"address\":\"b:1\"}");
        refused(400, "invalid_field", "POST", register, "{\"id\":\"a\",\"address\":\"b 1\"}");
        refused(400, "invalid_field", "POST", register, "{\"id\":\"a\",\"address\":\"b:1\",\"used_space\":-1}");
        refused(400, "invalid_field", "POST", register, "{\"id\":\"a\",\"address\":\"b:1\",\"used_space\":1.5}");
        refused(400, "invalid_field", "POST", register, "{\"id\":\"a\",\"address\":\"b:1\",\"used_space\":\"1\"}");
        refused(400, "invalid_field", "POST", register, "{\"id\":\"a\",\"address\":\"b:1\",\"status\":\"<b>\"}");
        refused(
                400,
                "invalid_field",
                "POST",
                register,
                "{\"id\":\"a\",\"address\":\"b:1\",\"last_heartbeat\":\"now\"}");
        refused(413, "body_too_large", "POST", register, " ".repeat((1 << 20) + 1));
        refused(404, "unknown_peer", "PUT", "/api/peers/status", "{\"peer_id\":\"a\"}");
        refused(400, "missing_field", "PUT", "/api/peers/status", "{}");
        assertThat(ok("GET", "/api/peers", null).size()).isZero();
    }

    /** Else its client would send the next request on a connection that ends. */
    @Test
    void whoseBodyIsNotReadIsToldThatTheConnectionEnds() throws Exception {
        String register = "POST /api/peers/register HTTP/1.1\r\nHost: h\r\n";
        assertThat(exchanged(register + "Content-Length: " + (1L << 30) + "\r\n\r\n{"))
                .startsWith("HTTP/1.1 413 ")
                .containsIgnoringCase("\r\nConnection: close\r\n");
        assertThat(exchanged("PUT /api/none HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{"))
                .startsWith("HTTP/1.1 404 ")
                .containsIgnoringCase("\r\nConnection: close\r\n");
    }

    // files

    @Test
    void filesOfTheVolumeAreWhereTheirHoldersAre() throws Exception {
        try (Metadata node = node("n1")) {
            Inode directory = node.create(Inode.ROOT, FileName.of("d"), inode(FileType.DIRECTORY, false));
            long small = file(node, directory.ino(), "a b", 5);
            file(node, directory.ino(), "big", 10 << 20);
            file(node, Inode.ROOT, "other", 1);

            JsonNode location = ok("GET", LOCATION + "?path=/d/a%20b", null);
            assertThat(location.get("file_path").asString()).isEqualTo("/d/a b");
            assertThat(location.get("peer_id").asString()).isEqualTo("n1");
            assertThat(location.get("storage_tier").asString()).isEqualTo("nvme");
            assertThat(location.get("file_size").asLong()).isEqualTo(5);
            assertThat(location.get("is_chunked").asBoolean()).isFalse();
            location = ok("GET", LOCATION + "?path=d/big", null);
            assertThat(location.get("is_chunked").asBoolean()).isTrue();
            assertThat(location.get("chunks").size()).isEqualTo(3);
            assertThat(location.get("chunks").get(2).get("peer_id").asString()).isEqualTo("n1");

            assertThat(paths("?prefix=/d/")).containsExactly("/d/a b", "/d/big");
            assertThat(paths("?prefix=/d/b")).containsExactly("/d/big");
            assertThat(paths("?prefix=d")).containsExactly("/d/a b", "/d/big");
            assertThat(paths("")).containsExactlyInAnyOrder("/other", "/d/a b", "/d/big");
            assertThat(paths("?prefix=/nothing/here")).isEmpty();
            assertThat(paths("?limit=1")).hasSize(1);
            assertThat(get("/api/files/locations?limit=1").headers().firstValue("X-Truncated"))
                    .hasValue("true");

            String key = node.beginUpload(small, 1).orElseThrow().key();
            assertThat(key).isEqualTo("d/a b");
            node.finishUpload(small, 1, new ObjectRef(key, "e"));
            refused(404, "no_such_file", "GET", LOCATION + "?path=/d", null);
            refused(404, "no_such_file", "GET", LOCATION + "?path=/d/none", null);
            refused(409, "in_namespace", "PUT", LOCATION, told("/d/big"));
        }
        JsonNode location = ok("GET", LOCATION + "?path=/d/a%20b", null);
        assertThat(location.get("storage_tier").asString()).isEqualTo("cloud");
        assertThat(location.get("storage_path").asString()).isEqualTo("d/a b");
        assertThat(location.get("peer_id").asString()).isEmpty();
    }

    @Test
    void aLocationThatWasToldIsFound() throws Exception {
        ok("PUT", LOCATION, """
                {"file_path":"/x/y","peer_id":"n9","storage_tier":"peer","storage_path":"/nvme/y","file_size":9,
                 "last_accessed":"2026-01-02T03:04:05+01:00","is_chunked":true,
                 "chunks":[{"index":0,"peer_id":"n9","chunk_id":"c0"}]}""");

        JsonNode location = ok("GET", LOCATION + "?path=x/y", null);
        assertThat(location.get("peer_id").asString()).isEqualTo("n9");
        assertThat(location.get("last_accessed").asString()).isEqualTo("2026-01-02T02:04:05Z");
        assertThat(location.get("chunks").get(0).get("chunk_id").asString()).isEqualTo("c0");
        assertThat(paths("?prefix=/x")).containsExactly("/x/y");
    }

    @Test
    void whatIsNoPathIsRefusedAndChangesNothing() throws Exception {
        for (String path :
                List.of("../etc/passwd", "/a/../b", "/a//b", "/a/./b", "/%2e%2e/b", "/a%00b", "/a/", "x".repeat(256))) {
            refused(400, "invalid_path", "GET", LOCATION + "?path=" + path, null);
        }
        refused(400, "path_too_long", "GET", LOCATION + "?path=" + "/y".repeat(2100), null);
        refused(400, "missing_query", "GET", LOCATION, null);
        refused(400, "invalid_query", "GET", "/api/files/locations?limit=-1", null);
        refused(400, "invalid_query", "GET", "/api/files/locations?limit=10001", null);
        refused(400, "invalid_path", "GET", "/api/files/locations?prefix=/../", null);
        assertThat(raw("GET " + LOCATION + "?path=%zz"))
                .startsWith("HTTP/1.1 400")
                .contains("\"error\"");
        assertThat(raw("GET " + LOCATION + "?path=" + "z".repeat(30_000)))
                .startsWith("HTTP/1.1 414")
                .contains("\"error\"");
        for (String path : List.of("/../b", "/", "", "/a/../b")) {
            refused(400, "invalid_path", "PUT", LOCATION, told(path));
        }
        refused(400, "path_too_long", "PUT", LOCATION, told("/y".repeat(2100)));
        refused(400, "invalid_field", "PUT", LOCATION, told("/a").replace("nvme", "tape"));
        refused(400, "missing_field", "PUT", LOCATION, "{\"file_path\":\"/a\",\"peer_id\":\"n\"}");
        refused(400, "missing_field", "PUT", LOCATION, told("/a").replace("}", ",\"chunks\":[null]}"));
        assertThat(paths("")).isEmpty();
    }

    private static String told(String path) {
        return "{\"file_path\":\"" + path + "\",\"peer_id\":\"n\",\"storage_tier\":\"nvme\"}";
    }

    // the rest

    @Test
    void healthTellsWhereGrpcIs() throws Exception {
        JsonNode health = ok("GET", "/api/health", null);
        assertThat(health.get("status").asString()).isEqualTo("healthy");
        assertThat(health.get("service").asString()).isEqualTo("coordinator");
        assertThat(health.get("timestamp").asLong()).isBetween(1_700_000_000L, 10_000_000_000L);
        assertThat(health.get("grpc_address").asString()).isEqualTo("127.0.0.1:" + server.grpcPort());
    }

    @Test
    void statsAndMetricsCount() throws Exception {
        try (Metadata node = node("n1")) {
            file(node, Inode.ROOT, "f", 5);
            JsonNode stats = ok("GET", "/api/stats", null);
            assertThat(stats.at("/peers/active").asInt()).isEqualTo(1);
            assertThat(stats.at("/files/inodes").asInt()).isGreaterThanOrEqualTo(1);
            assertThat(stats.get("commands").asLong()).isPositive();

            HttpResponse<String> metrics = get("/metrics");
            assertThat(metrics.headers().firstValue("Content-Type").orElse("")).startsWith("text/plain");
            assertThat(metrics.body())
                    .contains("fuse_coordinator_peers_active 1.0")
                    .contains("fuse_coordinator_commands_total")
                    .contains("fuse_coordinator_recalls_total");
        }
    }

    @Test
    void whatIsRemovedIsListedAndComesBackAfterARestartToo() throws Exception {
        assertThat(ok("GET", "/api/trash/keeping", null).get("keep_seconds").asLong())
                .isZero();
        ok("PUT", "/api/trash/keeping", "{\"keep_seconds\":604800}");
        refused(400, "invalid_field", "PUT", "/api/trash/keeping", "{\"keep_seconds\":-1}");
        refused(400, "missing_field", "PUT", "/api/trash/keeping", "{}");
        long id;
        try (Metadata node = node("n1")) {
            Inode d = node.create(Inode.ROOT, FileName.of("d"), inode(FileType.DIRECTORY, false));
            id = file(node, d.ino(), "f", 5);
            node.unlink(d.ino(), FileName.of("f"));
            file(node, Inode.ROOT, "g", 6);
            node.unlink(Inode.ROOT, FileName.of("g"));
        }
        server.close();
        server = CoordinatorServer.start(new CoordinatorConfiguration("127.0.0.1", 0, 0, data, null));

        assertThat(ok("GET", "/api/trash/keeping", null).get("keep_seconds").asLong())
                .isEqualTo(604_800);
        JsonNode below = ok("GET", "/api/trash?path=/d", null);
        assertThat(below.size()).isEqualTo(1);
        assertThat(below.at("/0/id").asLong()).isEqualTo(id);
        assertThat(below.at("/0/path").asString()).isEqualTo("/d/f");
        assertThat(below.at("/0/size").asLong()).isEqualTo(5);
        assertThat(below.at("/0/removed_by").asString()).isEqualTo("n1");
        HttpResponse<String> page = get("/api/trash?limit=1");
        assertThat(page.headers().firstValue("X-Truncated")).hasValue("true");
        String next = page.headers().firstValue("X-Next").orElseThrow();
        assertThat(ok("GET", "/api/trash?limit=1&after=" + next, null)
                        .at("/0/path")
                        .asString())
                .isEqualTo("/g");
        refused(400, "invalid_query", "GET", "/api/trash?after=%21", null);

        String restore = "/api/trash/restore";
        refused(400, "missing_field", "POST", restore, "{}");
        refused(400, "missing_field", "POST", restore, "{\"id\":1,\"path\":\"/d/f\"}");
        refused(404, "not_in_trash", "POST", restore, "{\"path\":\"/d/none\"}");
        refused(404, "not_in_trash", "POST", restore, "{\"id\":1}");
        refused(409, "no_directory", "POST", restore, "{\"path\":\"/d/f\",\"to\":\"/gone/f\"}");
        refused(409, "exists", "POST", restore, "{\"path\":\"/d/f\",\"to\":\"/d\"}");
        refused(400, "invalid_field", "POST", restore, "{\"path\":\"/d/f\",\"to\":\"/\"}");
        assertThat(ok("POST", restore, "{\"path\":\"/d/f\"}").get("path").asString())
                .isEqualTo("/d/f");
        assertThat(ok("GET", LOCATION + "?path=/d/f", null).get("file_size").asLong())
                .isEqualTo(5);

        assertThat(ok("DELETE", "/api/trash?older_than_seconds=3600", null)
                        .get("removed")
                        .asLong())
                .isZero();
        assertThat(ok("DELETE", "/api/trash", null).get("removed").asLong()).isEqualTo(1);
        assertThat(ok("GET", "/api/trash", null).size()).isZero();
    }

    @Test
    void theTrashIsSweptAndTheStartMaySayHowLongItKeeps() throws Exception {
        server.close();
        Duration keep = Duration.ofMillis(1);
        server = CoordinatorServer.start(new CoordinatorConfiguration("127.0.0.1", 0, 0, data, null, keep));
        try (Metadata node = node("n1")) {
            long ino = file(node, Inode.ROOT, "f", 5);
            node.unlink(Inode.ROOT, FileName.of("f"));
            node.releaseUnlinked(Set.of(ino)).join();
            Awaitility.await().until(() -> ok("GET", "/api/trash", null).size() == 0);
            assertThatThrownBy(() -> node.content(ino)).hasMessageContaining("no inode");
        }
    }

    @Test
    void theDocumentNamesWhatThereIs() throws Exception {
        Set<String> described = new TreeSet<>();
        for (Map.Entry<String, JsonNode> path : document.get("paths").properties()) {
            for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
                described.add(method.getKey().toUpperCase(java.util.Locale.ROOT) + " " + path.getKey());
                boolean open = method.getValue().path("security").isArray();
                assertThat(open || method.getValue().path("responses").has("401"))
                        .as(path.getKey() + " is open or may answer 401")
                        .isTrue();
            }
        }
        Set<String> routes = new TreeSet<>();
        new Endpoints(server.coordinator(), 1, Instant::now, DumpEndpoints.PACE, null)
                .routes()
                .forEach(route -> routes.add(route.method() + " " + route.path()));
        assertThat(described).isEqualTo(routes);
    }

    @Test
    void whatIsNotThereIsNamed() throws Exception {
        refused(404, "not_found", "GET", "/api/nothing", null);
        refused(404, "not_found", "GET", "/", null);
        HttpResponse<String> wrong = send("DELETE", LOCATION, null, null);
        assertThat(wrong.statusCode()).isEqualTo(405);
        assertThat(wrong.headers().firstValue("Allow")).hasValue("GET, HEAD, PUT");
        assertThat(send("HEAD", "/api/health", null, null).statusCode()).isEqualTo(200);
    }

    @Test
    void withAKeyOnlyHealthMetricsAndTheDocumentAreOpen(@TempDir Path other) throws Exception {
        server.close();
        server = CoordinatorServer.start(new CoordinatorConfiguration("127.0.0.1", 0, 0, other, "s3cret"));

        assertThat(get("/api/health").statusCode()).isEqualTo(200);
        assertThat(get("/metrics").statusCode()).isEqualTo(200);
        refused(401, "unauthorized", "GET", "/api/peers", null);
        refused(401, "unauthorized", "PUT", LOCATION, told("/a"));
        assertThat(send("GET", "/api/peers", null, "wrong").statusCode()).isEqualTo(401);
        assertThat(send("GET", "/api/peers", null, "s3cret").statusCode()).isEqualTo(200);
        assertThat(send("GET", LOCATION + "?path=/a", null, "s3cret").statusCode())
                .isEqualTo(404);
    }

    @Test
    void withoutReplicasThereAreNoMembers() throws Exception {
        assertThat(ok("GET", "/api/members", null).at("/members").size()).isZero();
        refused(409, "no_replicas", "POST", "/api/members", "{}");
        refused(409, "no_replicas", "DELETE", "/api/members?id=a", null);
    }

    // helping

    private Metadata node(String id) throws Exception {
        RecallListener nothingOpen = new RecallListener() {
            @Override
            public Set<Long> recalled(Recall recall) {
                return Set.of();
            }

            @Override
            public void reset(boolean fenced) {
                // Nothing is cached.
            }
        };
        return CoordinatorClient.builder(new NodeAddress(new NodeId(id), "127.0.0.1:8081", ""), nothingOpen)
                .connect(server.coordinator().transport());
    }

    private static NewInode inode(FileType type, boolean write) {
        return new NewInode(type, 0755, 0, 0, 0, null, write);
    }

    private static long file(Metadata node, long parent, String name, int bytes) throws Exception {
        Inode inode = node.create(parent, FileName.of(name), inode(FileType.REGULAR, true));
        FileVersion content = new FileVersion(inode.ino(), 1, bytes, FileVersion.DEFAULT_BLOCK_BYTES, null, null);
        node.commit(content, Timestamp.EPOCH, Timestamp.EPOCH, bytes);
        node.seal(inode.ino(), 1, new int[content.blocks()]);
        node.endWrite(inode.ino());
        return inode.ino();
    }

    private List<String> paths(String query) throws Exception {
        List<String> paths = new ArrayList<>();
        ok("GET", "/api/files/locations" + query, null)
                .forEach(location -> paths.add(location.get("file_path").asString()));
        return paths;
    }

    private JsonNode ok(String method, String target, @Nullable String body) throws Exception {
        return described(200, method, target, body);
    }

    private void refused(int status, String code, String method, String target, @Nullable String body)
            throws Exception {
        JsonNode answer = described(status, method, target, body);
        assertThat(answer.at("/error/code").asString()).as(answer.toString()).isEqualTo(code);
    }

    /** The answer, which is as the document describes it. */
    private JsonNode described(int status, String method, String target, @Nullable String body) throws Exception {
        HttpResponse<String> response = send(method, target, body, null);
        assertThat(response.statusCode()).as(target + ": " + response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
        JsonNode answer = mapper.readTree(response.body());
        String path = URI.create("http://h" + target).getPath();
        JsonNode described = document.get("paths").path(path).path(method.toLowerCase(java.util.Locale.ROOT));
        if (!described.isMissingNode()) {
            JsonNode schema = described.path("responses").path("" + status).at("/content/application~1json/schema");
            assertThat(schema.isMissingNode())
                    .as(method + " " + path + " may answer " + status)
                    .isFalse();
            assertThat(new JsonSchema(document).misfits(schema, answer)).isEmpty();
        }
        return answer;
    }

    private HttpResponse<String> get(String target) throws Exception {
        return send("GET", target, null, null);
    }

    private HttpResponse<String> send(String method, String target, @Nullable String body, @Nullable String key)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + target))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (key != null) {
            request.header("Authorization", "Bearer " + key);
        }
        return http.send(request.build(), BodyHandlers.ofString());
    }

    /** What an HTTP client would refuse to send. */
    private String raw(String requestLine) throws Exception {
        return exchanged(requestLine + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    }

    private String exchanged(String request) throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            InputStream answer = socket.getInputStream();
            return new String(answer.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
