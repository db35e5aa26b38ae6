package io.fusecache.client.http;

import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.NodeAddress;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Health, peers, cache, status and metrics of this node. */
final class NodeEndpoint {
    private static final int DEFAULT_FILES = 1000;
    private static final int MAX_FILES = 100_000;
    private static final Duration MAX_FLUSH = Duration.ofSeconds(60);

    private final NodeInsight insight;
    private final MetricsText metrics;
    private final InstantSource clock;

    NodeEndpoint(NodeInsight insight, InstantSource clock) {
        this.insight = insight;
        this.metrics = new MetricsText(insight);
        this.clock = clock;
    }

    List<Route> routes() {
        return List.of(
                new Route("GET", "/api/health", true, this::health),
                new Route("GET", "/metrics", true, this::metrics),
                new Route("GET", "/api/openapi.json", true, this::document),
                new Route("GET", "/api/peers", false, this::peers),
                new Route("GET", "/api/peers/{id}", false, this::peer),
                new Route("POST", "/api/peers/{id}/heartbeat", false, this::heartbeat),
                new Route("GET", "/api/cache", false, this::cache),
                new Route("GET", "/api/cache/stats", false, this::stats),
                new Route("GET", "/api/status", false, this::status),
                new Route("GET", "/api/explain/{path}", false, this::explain),
                new Route("POST", "/api/flush", false, this::flush));
    }

    private void health(Exchange exchange, String rest) throws IOException {
        exchange.reply(
                200, Map.of("status", "healthy", "timestamp", clock.instant().getEpochSecond(), "service", "client"));
    }

    private void metrics(Exchange exchange, String rest) throws IOException {
        exchange.reply(200, MetricsText.CONTENT_TYPE, metrics.render());
    }

    private void document(Exchange exchange, String rest) throws IOException {
        try (InputStream document = NodeEndpoint.class.getResourceAsStream("openapi.json")) {
            if (document == null) {
                throw new AssertionError("openapi.json is not beside the classes");
            }
            exchange.reply(200, "application/json", document.readAllBytes());
        }
    }

    private void peers(Exchange exchange, String rest) throws ErrnoException, IOException {
        exchange.reply(
                200, insight.peers().stream().map(NodeEndpoint::described).toList());
    }

    private void peer(Exchange exchange, String id) throws HttpFailure, ErrnoException, IOException {
        exchange.reply(200, described(known(id)));
    }

    /** The session with the coordinator keeps nodes alive; this answers whether the peer is among the live ones. */
    private void heartbeat(Exchange exchange, String id) throws HttpFailure, ErrnoException, IOException {
        exchange.jsonBody();
        known(id);
        exchange.reply(200, Map.of("success", true));
    }

    private NodeAddress known(String id) throws HttpFailure, ErrnoException {
        return insight.peers().stream()
                .filter(node -> node.id().value().equals(id))
                .findFirst()
                .orElseThrow(() -> new HttpFailure(404, "unknown_peer", "no live node is called " + id));
    }

    private static Map<String, Object> described(NodeAddress node) {
        return Map.of("id", node.id().value(), "address", node.http(), "grpc_address", node.grpc(), "status", "active");
    }

    private void cache(Exchange exchange, String rest) throws HttpFailure, IOException {
        exchange.reply(200, insight.cachedFiles(number(exchange, "limit", DEFAULT_FILES, MAX_FILES)));
    }

    private void stats(Exchange exchange, String rest) throws IOException {
        NodeStatus status = insight.status();
        ReadCounts reads = insight.reads();
        Map<String, Object> stats = new LinkedHashMap<>();
        stats.put("nvme", status.nvme());
        stats.put("uploads", status.uploads());
        stats.put("reads", Map.of("nvme", reads.nvme(), "peer", reads.peer(), "cloud", reads.cloud()));
        stats.put("writes", Map.of("count", reads.writes(), "bytes", reads.writtenBytes()));
        stats.put("bucket_requests", reads.requests());
        exchange.reply(200, stats);
    }

    private void status(Exchange exchange, String rest) throws IOException {
        exchange.reply(200, insight.status());
    }

    private void explain(Exchange exchange, String rest) throws HttpFailure, ErrnoException, IOException {
        exchange.reply(200, insight.explain(FilePath.decode(rest)));
    }

    private void flush(Exchange exchange, String rest) throws HttpFailure, IOException, InterruptedException {
        int seconds = number(exchange, "timeout_seconds", 30, (int) MAX_FLUSH.toSeconds());
        exchange.reply(200, insight.flush(Duration.ofSeconds(seconds)));
    }

    static int number(Exchange exchange, String name, int absent, int max) throws HttpFailure {
        Optional<String> text = exchange.query(name);
        if (text.isEmpty()) {
            return absent;
        }
        if (!text.get().matches("\\d{1,9}") || Integer.parseInt(text.get()) > max) {
            throw new HttpFailure(400, "invalid_query", name + ": expected a number from 0 to " + max);
        }
        return Integer.parseInt(text.get());
    }
}
