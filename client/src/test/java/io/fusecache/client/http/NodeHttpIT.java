package io.fusecache.client.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.client.StartupException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class NodeHttpIT {
    private final MemoryNode node = new MemoryNode();
    private final HttpClient client = HttpClient.newHttpClient();
    private final JsonMapper mapper = new JsonMapper();
    private NodeHttp http;

    @BeforeEach
    void start() throws StartupException {
        http = serving(null);
    }

    private NodeHttp serving(@Nullable String apiKey) throws StartupException {
        NodeHttp bound = NodeHttp.bind("127.0.0.1", 0);
        bound.serve(List.of(new NoBlocks()), node, node, apiKey, () -> Instant.ofEpochSecond(1_800_000_000));
        return bound;
    }

    @AfterEach
    void stop() {
        http.close();
        client.close();
    }

    @Test
    void aFileIsStoredReadAndRemoved() throws Exception {
        byte[] content = new byte[1_000_003];
        new Random(7).nextBytes(content);

        assertThat(put("/api/files/a/b%20c/%C3%A9%25", content).statusCode()).isEqualTo(201);
        assertThat(put("/api/files/a/b%20c/%C3%A9%25", content).statusCode()).isEqualTo(200);
        assertThat(node.contents).containsOnlyKeys("/a/b c/\u00e9%");
        assertThat(bytes("/api/files/a/b%20c/%C3%A9%25").body()).isEqualTo(content);
        assertThat(json("GET", "/api/files/a/b%20c/%C3%A9%25/size", 200).asLong())
                .isEqualTo(content.length);
        assertThat(send("HEAD", "/api/files/a/b%20c/%C3%A9%25").headers().firstValueAsLong("content-length"))
                .hasValue(content.length);
        assertThat(send("DELETE", "/api/files/a/b%20c/%C3%A9%25").statusCode()).isEqualTo(200);
        assertThat(send("GET", "/api/files/a/b%20c/%C3%A9%25").statusCode()).isEqualTo(404);
    }

    @Test
    void rangesAreHonoured() throws Exception {
        put("/api/files/f", "0123456789".getBytes(StandardCharsets.UTF_8));

        assertThat(range("bytes=2-4")).isEqualTo("206 bytes 2-4/10 234");
        assertThat(range("bytes=7-")).isEqualTo("206 bytes 7-9/10 789");
        assertThat(range("bytes=-3")).isEqualTo("206 bytes 7-9/10 789");
        assertThat(range("bytes=0-99")).isEqualTo("206 bytes 0-9/10 0123456789");
        assertThat(range("bytes=10-")).startsWith("416 bytes */10 ");
        assertThat(range("bytes=4-2")).isEqualTo("200  0123456789");
        assertThat(range("lines=1-2")).isEqualTo("200  0123456789");
        assertThat(range("bytes=1-2,4-5")).isEqualTo("200  0123456789");
    }

    @Test
    void anEmptyFileIsAnEmptyBody() throws Exception {
        put("/api/files/empty", new byte[0]);

        assertThat(bytes("/api/files/empty").body()).isEmpty();
        assertThat(json("GET", "/api/files/empty/size", 200).asLong()).isZero();
    }

    @Test
    void aFileCalledSizeIsNotHidden() throws Exception {
        put("/api/files/d/size", "x".getBytes(StandardCharsets.UTF_8));
        put("/api/files/size", "yy".getBytes(StandardCharsets.UTF_8));

        assertThat(bytes("/api/files/d/size").body())
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("x");
        assertThat(bytes("/api/files/size").body())
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("yy");
        assertThat(json("GET", "/api/files/d/size/size", 200).asLong()).isEqualTo(1);
    }

    @Test
    void whatNamesNoFileIsRefusedAndChangesNothing() throws Exception {
        put("/api/files/d/f", "x".getBytes(StandardCharsets.UTF_8));

        for (String path : List.of(
                "/api/files/../etc/passwd",
                "/api/files/%2e%2e/etc/passwd",
                "/api/files/d/./f",
                "/api/files/d%2ff",
                "/api/files/d//f",
                "/api/files/d/%00",
                "/api/files/" + "x".repeat(256),
                "/api/files/" + "y/".repeat(2100) + "y")) {
            assertThat(raw("GET " + path)).as(path).startsWith("HTTP/1.1 400").contains("\"error\"");
            assertThat(raw("DELETE " + path)).as(path).startsWith("HTTP/1.1 400");
        }
        assertThat(raw("GET /api/files/" + "z".repeat(30_000)))
                .startsWith("HTTP/1.1 414")
                .contains("\"error\"");
        assertThat(raw("GET /api/files/%zz")).startsWith("HTTP/1.1 400").contains("\"error\"");
        assertThat(json("GET", "/api/files/", 404).at("/error/code").asString()).isEqualTo("not_found");
        assertThat(json("GET", "/api/files/d", 409).at("/error/code").asString())
                .isEqualTo("EISDIR");
        assertThat(put("/api/files/d", new byte[1]).statusCode()).isEqualTo(409);
        assertThat(json("GET", "/api/nothing", 404).at("/error/code").asString())
                .isEqualTo("not_found");
        assertThat(json("PATCH", "/api/files/d/f", 405).at("/error/message").asString())
                .contains("DELETE");
        assertThat(json("GET", "/api/cache?limit=-1", 400).at("/error/code").asString())
                .isEqualTo("invalid_query");
        assertThat(node.contents).containsOnlyKeys("/d/f");
    }

    @Test
    void aBodyThatBreaksOffChangesNothing() throws Exception {
        String answer = raw("PUT /api/files/f", "Content-Length: 10\r\n", "abc");

        assertThat(answer).doesNotContain("HTTP/1.1 20");
        assertThat(node.contents).isEmpty();
    }

    @Test
    void heartbeatsAnswerForLivePeersOnly() throws Exception {
        assertThat(json("GET", "/api/peers", 200).at("/0/address").asString()).isEqualTo("localhost:8082");
        assertThat(json("GET", "/api/peers/node-2", 200).at("/status").asString())
                .isEqualTo("active");
        assertThat(json("GET", "/api/peers/node-9", 404).at("/error/code").asString())
                .isEqualTo("unknown_peer");
        assertThat(post("/api/peers/node-2/heartbeat", "{}").statusCode()).isEqualTo(200);
        assertThat(post("/api/peers/node-2/heartbeat", "").statusCode()).isEqualTo(200);
        assertThat(post("/api/peers/node-9/heartbeat", "{}").statusCode()).isEqualTo(404);
        assertThat(post("/api/peers/node-2/heartbeat", "{oops").body()).contains("invalid_json");
        assertThat(post("/api/peers/node-2/heartbeat", "[]").statusCode()).isEqualTo(400);
        assertThat(post("/api/peers/node-2/heartbeat", "{\"a\":\"" + "x".repeat(2 << 20) + "\"}")
                        .statusCode())
                .isEqualTo(413);
    }

    @Test
    void healthHasTheFieldsOfTheProbes() throws Exception {
        assertThat(json("GET", "/api/health", 200))
                .isEqualTo(mapper.readTree("{\"status\":\"healthy\",\"timestamp\":1800000000,\"service\":\"client\"}"));
    }

    @Test
    void dashboardsFindTheirFigures() throws Exception {
        String text = send("GET", "/metrics").body();

        assertThat(text)
                .contains(
                        "fuse_coordinator_available 1.0",
                        "fuse_nvme_used_bytes 40.0",
                        "fuse_nvme_capacity_bytes 100.0",
                        "fuse_cache_nvme_hits_total 1.0",
                        "fuse_cache_nvme_misses_total 2.0",
                        "fuse_cache_peer_hits_total 10.0",
                        "fuse_cache_peer_misses_total 20.0",
                        "fuse_cache_cloud_hits_total 100.0",
                        "fuse_cache_cloud_misses_total 200.0",
                        "fuse_cache_write_count_total 6.0",
                        "fuse_cache_write_bytes_total 7.0",
                        "fuse_cache_evictions_total 5.0",
                        "fuse_kernel_names_dropped_total 3.0",
                        "fuse_backup_newest_timestamp_seconds 7.0",
                        "fuse_backup_newest_bytes 77.0",
                        "fuse_cache_peer_read_bytes_total 2000000.0",
                        "fuse_cache_peer_read_seconds_total 1.0",
                        "fuse_bucket_requests_repeated_total 8.0",
                        "fuse_bucket_requests_throttled_total 9.0",
                        "fuse_bucket_requests_limit 10.0",
                        "fuse_bucket_requests_hedged_total 11.0",
                        "fuse_bucket_requests_hedges_won_total 12.0",
                        "fuse_bucket_hedged_bytes_total 13.0",
                        "fuse_bucket_keys_left_out 14.0",
                        "fuse_cache_peer_read_mbps 2.0",
                        "fuse_cache_cloud_read_mbps 0.0");
    }

    @Test
    void withoutTheKeyOnlyProbesAreAnswered() throws Exception {
        http.close();
        http = serving("sesame");
        node.contents.put("/f", new byte[3]);

        assertThat(json("GET", "/api/files/f", 401).at("/error/code").asString())
                .isEqualTo("unauthorized");
        assertThat(put("/api/files/g", new byte[1]).statusCode()).isEqualTo(401);
        assertThat(node.contents).containsOnlyKeys("/f");
        assertThat(send("GET", "/api/files/f", "X-API-Key", "wrong").statusCode())
                .isEqualTo(401);
        assertThat(send("GET", "/api/files/f", "X-API-Key", "sesame").statusCode())
                .isEqualTo(200);
        assertThat(send("GET", "/api/files/f", "Authorization", "Bearer sesame").statusCode())
                .isEqualTo(200);
        assertThat(send("GET", "/api/health").statusCode()).isEqualTo(200);
        assertThat(send("GET", "/metrics").statusCode()).isEqualTo(200);
    }

    @Test
    void aPortInUseIsNamedWithTheWayOut() {
        assertThatThrownBy(
                        () -> NodeHttp.bind("127.0.0.1", http.address().port()).close())
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("port " + http.address().port() + " of 127.0.0.1 is in use")
                .hasMessageContaining("-port");
    }

    @Test
    void theDocumentNamesEveryRouteAndNoOther() throws Exception {
        List<String> routes = NodeHttp.routes(node, node, Instant::now).stream()
                .map(route -> route.method() + " " + route.template() + (route.open() ? " open" : ""))
                .sorted()
                .toList();
        List<String> documented = new ArrayList<>();
        for (Map.Entry<String, JsonNode> path :
                json("GET", "/api/openapi.json", 200).get("paths").properties()) {
            for (Map.Entry<String, JsonNode> operation : path.getValue().properties()) {
                boolean open = operation.getValue().has("security");
                documented.add(operation.getKey().toUpperCase(java.util.Locale.ROOT) + " " + path.getKey()
                        + (open ? " open" : ""));
            }
        }

        assertThat(documented.stream().sorted().toList()).isEqualTo(routes);
    }

    @Test
    void answersHaveTheFieldsOfTheDocument() throws Exception {
        node.contents.put("/f", new byte[3]);
        JsonNode schemas = json("GET", "/api/openapi.json", 200).at("/components/schemas");

        assertThat(mismatches(schemas, schemas.get("Status"), json("GET", "/api/status", 200)))
                .isEmpty();
        assertThat(mismatches(schemas, schemas.get("CacheStats"), json("GET", "/api/cache/stats", 200)))
                .isEmpty();
        assertThat(mismatches(
                        schemas,
                        schemas.get("CachedFile"),
                        json("GET", "/api/cache", 200).get(0)))
                .isEmpty();
        assertThat(mismatches(schemas, schemas.get("Peer"), json("GET", "/api/peers/node-2", 200)))
                .isEmpty();
        assertThat(mismatches(schemas, schemas.get("Explanation"), json("GET", "/api/explain/f", 200)))
                .isEmpty();
        assertThat(mismatches(schemas, schemas.get("Uploads"), json("POST", "/api/flush", 200)))
                .isEmpty();
        assertThat(mismatches(schemas, schemas.get("Refreshed"), json("POST", "/api/refresh/f", 200)))
                .isEmpty();
        assertThat(mismatches(schemas, schemas.get("Error"), json("GET", "/api/nothing", 404)))
                .isEmpty();
    }

    @Test
    void aRefreshWaitsForAListingThatItBeganUnlessItJoinsOne() throws Exception {
        assertThat(json("POST", "/api/refresh", 200).at("/names_changed").asInt())
                .isEqualTo(7);
        node.listed = new CountDownLatch(1);
        JsonNode first = json("POST", "/api/refresh?timeout_seconds=0", 200);
        assertThat(List.of(first.at("/begun").asBoolean(), first.at("/done").asBoolean()))
                .containsExactly(true, false);
        JsonNode second = json("POST", "/api/refresh?timeout_seconds=0", 200);
        assertThat(List.of(second.at("/begun").asBoolean(), second.at("/done").asBoolean()))
                .containsOnly(false);
        assertThat(json("POST", "/api/refresh?timeout_seconds=0&join=true", 200)
                        .at("/done")
                        .asBoolean())
                .isFalse();
        Awaitility.await().until(() -> node.listings.get() == 2);
        node.listed.countDown();
        assertThat(json("POST", "/api/refresh", 200).at("/done").asBoolean()).isTrue();
        assertThat(node.listings).as("one more that saw all").hasValue(3);
        assertThat(json("POST", "/api/refresh/none", 404).at("/error/code").asString())
                .isEqualTo("ENOENT");
    }

    /** Fields that are missing, not described, or of another type. */
    private static List<String> mismatches(JsonNode schemas, JsonNode schema, JsonNode value) {
        List<String> found = new ArrayList<>();
        compare(schemas, schema, value, "", found);
        return found;
    }

    private static void compare(JsonNode schemas, JsonNode schema, JsonNode value, String at, List<String> found) {
        if (schema.has("$ref")) {
            String name = schema.get("$ref").asString();
            compare(schemas, schemas.get(name.substring(name.lastIndexOf('/') + 1)), value, at, found);
            return;
        }
        String type = schema.has("type") ? schema.get("type").toString() : "string";
        boolean fits = switch (value.getNodeType()) {
            case OBJECT -> type.contains("object");
            case ARRAY -> type.contains("array");
            case STRING -> type.contains("string");
            case NUMBER -> type.contains("integer");
            case BOOLEAN -> type.contains("boolean");
            case NULL -> type.contains("null");
            default -> false;
        };
        if (!fits) {
            found.add(at + " is " + value + ", described as " + type);
        } else if (value.isObject()) {
            for (Map.Entry<String, JsonNode> property : schema.get("properties").properties()) {
                if (value.has(property.getKey())) {
                    compare(
                            schemas,
                            property.getValue(),
                            value.get(property.getKey()),
                            at + "/" + property.getKey(),
                            found);
                } else {
                    found.add(at + "/" + property.getKey() + " is missing");
                }
            }
            for (String name : value.propertyNames()) {
                if (!schema.get("properties").has(name)) {
                    found.add(at + "/" + name + " is not described");
                }
            }
        } else if (value.isArray()) {
            for (JsonNode item : value) {
                compare(schemas, schema.get("items"), item, at + "/*", found);
            }
        }
    }

    private String range(String header) throws Exception {
        HttpResponse<String> reply = send("GET", "/api/files/f", "Range", header);
        return reply.statusCode() + " "
                + reply.headers().firstValue("content-range").orElse("") + " " + reply.body();
    }

    private JsonNode json(String method, String path, int status) throws Exception {
        HttpResponse<String> reply = send(method, path);
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(status);
        assertThat(reply.headers().firstValue("content-type")).hasValue("application/json");
        return mapper.readTree(reply.body());
    }

    private HttpResponse<String> send(String method, String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path)).method(method, BodyPublishers.noBody());
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private HttpResponse<String> post(String path, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri(path))
                .POST(BodyPublishers.ofString(body))
                .build();
        return client.send(request, BodyHandlers.ofString());
    }

    private HttpResponse<String> put(String path, byte[] body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri(path))
                .PUT(BodyPublishers.ofByteArray(body))
                .build();
        return client.send(request, BodyHandlers.ofString());
    }

    private HttpResponse<byte[]> bytes(String path) throws Exception {
        return client.send(HttpRequest.newBuilder(uri(path)).build(), BodyHandlers.ofByteArray());
    }

    private URI uri(String path) {
        return URI.create("http://" + http.address() + path);
    }

    private String raw(String requestLine) throws IOException {
        return raw(requestLine, "", "");
    }

    /** Past every client's own checks. */
    private String raw(String requestLine, String headers, String body) throws IOException {
        try (Socket socket = new Socket(http.address().host(), http.address().port())) {
            String text =
                    requestLine + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + "\r\n" + body;
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            try (InputStream in = socket.getInputStream()) {
                in.transferTo(answer);
            }
            return answer.toString(StandardCharsets.ISO_8859_1);
        }
    }

    /** Stands where the peer block handler is. */
    private static final class NoBlocks extends Handler.Abstract {
        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            return false;
        }
    }
}
