package io.fusecache.cli;

import io.fusecache.client.NodeConfiguration.HostPort;
import io.fusecache.client.RunningNode;
import io.fusecache.client.StartupException;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Asks a running node over its HTTP API. */
final class NodeApi {
    /** Longer than the longest wait that a node grants. */
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(90);

    private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(CONNECT_WITHIN).build();
    private final JsonMapper mapper = new JsonMapper();
    private final RunningNode node;
    private final String apiKey;

    private NodeApi(RunningNode node, String apiKey) {
        this.node = node;
        this.apiKey = apiKey;
    }

    static NodeApi of(RunningNode node, VerbLine line) {
        return new NodeApi(
                node,
                line.option("api-key")
                        .or(() -> Optional.ofNullable(System.getenv("FUSE_API_KEY")))
                        .orElse(""));
    }

    /** The nodes that run here: the one whose mount holds {@code path}, or all. Never empty. */
    static List<RunningNode> running(Optional<Path> path) throws StartupException, IOException {
        List<RunningNode> all = RunningNode.all();
        if (path.isEmpty()) {
            if (all.isEmpty()) {
                throw new StartupException(
                        "no node of this user runs here: start one with bin/client or fusecache mount");
            }
            return all;
        }
        Path wanted = path.get().toAbsolutePath().normalize();
        Optional<RunningNode> owner = all.stream()
                .filter(node -> wanted.startsWith(node.mount()))
                .max(java.util.Comparator.comparingInt(node -> node.mount().getNameCount()));
        return List.of(owner.orElseThrow(() -> new StartupException(
                wanted + " lies in no mount of a node that runs here: fusecache status lists them")));
    }

    /** An absolute path as the API has it: {@code /NAME/NAME}, percent-encoded; empty for the mount itself. */
    static String below(RunningNode node, Path path) {
        return path.equals(node.mount())
                ? ""
                : StreamSupport.stream(node.mount().relativize(path).spliterator(), false)
                        .map(name -> URLEncoder.encode(name.toString(), StandardCharsets.UTF_8)
                                .replace("+", "%20"))
                        .collect(Collectors.joining("/", "/", ""));
    }

    RunningNode node() {
        return node;
    }

    JsonNode get(String path) throws StartupException, InterruptedException {
        return send(HttpRequest.newBuilder(uri(path)).GET());
    }

    JsonNode post(String path) throws StartupException, InterruptedException {
        return send(HttpRequest.newBuilder(uri(path)).POST(BodyPublishers.noBody()));
    }

    private URI uri(String path) {
        HostPort http = node.http();
        return URI.create("http://" + http + path);
    }

    private JsonNode send(HttpRequest.Builder request) throws StartupException, InterruptedException {
        if (!apiKey.isEmpty()) {
            request.header("X-API-Key", apiKey);
        }
        try {
            HttpResponse<String> reply =
                    client.send(request.timeout(ANSWER_WITHIN).build(), BodyHandlers.ofString());
            JsonNode body = mapper.readTree(reply.body());
            if (reply.statusCode() == 401) {
                throw new StartupException(
                        "node " + node.id() + " wants its API key: give --api-key or set FUSE_API_KEY");
            }
            if (reply.statusCode() != 200) {
                throw new StartupException(body.at("/error/message").asString(reply.body()));
            }
            return body;
        } catch (IOException | JacksonException silent) {
            throw new StartupException(
                    "node %s at %s (pid %d) does not answer on %s (%s): see its log"
                            .formatted(node.id(), node.mount(), node.pid(), node.http(), silent),
                    silent);
        }
    }
}
