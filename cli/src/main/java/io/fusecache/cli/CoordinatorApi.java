package io.fusecache.cli;

import io.fusecache.client.RunningNode;
import io.fusecache.client.StartupException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Asks the coordinator of a mount, or the one that the line names, over its HTTP API. Of several, which are the members of a replica
 * group, the one that leads: an election is waited for.
 */
final class CoordinatorApi {
    private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(90);
    private static final Duration LONGEST = Duration.ofDays(1);
    /** Several elections. */
    private static final Duration LEADER_WITHIN = Duration.ofSeconds(20);

    /** Of one member: one that is stopped takes connections still. */
    private static final Duration HEALTH_WITHIN = Duration.ofSeconds(3);

    private static final long LOOK_AGAIN_MILLIS = 250;

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(CONNECT_WITHIN).build();

    private final JsonMapper mapper = new JsonMapper();
    private final List<String> addresses;
    private final Duration leaderWithin;
    private final String apiKey;
    private final Optional<RunningNode> node;

    CoordinatorApi(List<String> addresses, Duration leaderWithin, String apiKey, Optional<RunningNode> node) {
        this.addresses = List.copyOf(addresses);
        this.leaderWithin = leaderWithin;
        this.apiKey = apiKey;
        this.node = node;
    }

    /** Of the mount that holds {@code path}, or that runs here; or the one of {@code --coordinator}. */
    static CoordinatorApi of(VerbLine line, Optional<Path> path)
            throws StartupException, IOException, InterruptedException {
        String apiKey = apiKey(line);
        Optional<String> named = line.option("coordinator");
        if (named.isPresent()) {
            return new CoordinatorApi(
                    Arrays.stream(named.get().split(",")).map(String::strip).toList(),
                    LEADER_WITHIN,
                    apiKey,
                    Optional.empty());
        }
        RunningNode running = NodeApi.running(path).getFirst();
        List<String> addresses = addresses(NodeApi.of(running, line).get("/api/status"));
        if (addresses.isEmpty()) {
            throw new StartupException("node " + running.id()
                    + " was told no HTTP address of its coordinator: give --coordinator HOST:PORT");
        }
        return new CoordinatorApi(addresses, LEADER_WITHIN, apiKey, Optional.of(running));
    }

    /** Where these are all that there are. */
    static CoordinatorApi at(List<String> addresses, String apiKey) {
        return new CoordinatorApi(addresses, LEADER_WITHIN, apiKey, Optional.empty());
    }

    static CoordinatorApi at(List<String> addresses, VerbLine line, Duration leaderWithin) {
        return new CoordinatorApi(addresses, leaderWithin, apiKey(line), Optional.empty());
    }

    private static String apiKey(VerbLine line) {
        return line.option("api-key")
                .or(() -> Optional.ofNullable(System.getenv("FUSE_API_KEY")))
                .orElse("");
    }

    /** What a node's status says of where its coordinator answers HTTP. */
    static List<String> addresses(JsonNode status) {
        return status.at("/coordinator/http")
                .valueStream()
                .map(JsonNode::asString)
                .toList();
    }

    /** A path on this machine as one of the volume; where no mount was asked for, it is one already. */
    String volumePath(String given) {
        if (node.isEmpty()) {
            return given;
        }
        Path below =
                node.get().mount().relativize(Path.of(given).toAbsolutePath().normalize());
        return "/"
                + StreamSupport.stream(below.spliterator(), false)
                        .map(Path::toString)
                        .collect(Collectors.joining("/"));
    }

    JsonNode get(String path) throws StartupException, InterruptedException {
        return page(path).body();
    }

    JsonNode put(String path, Object body) throws StartupException, InterruptedException {
        return reply(path, request -> request.PUT(json(body))).body();
    }

    JsonNode post(String path, Object body) throws StartupException, InterruptedException {
        return reply(path, request -> request.POST(json(body))).body();
    }

    JsonNode post(String path) throws StartupException, InterruptedException {
        return reply(path, request -> request.POST(BodyPublishers.noBody())).body();
    }

    JsonNode delete(String path) throws StartupException, InterruptedException {
        return reply(path, HttpRequest.Builder::DELETE).body();
    }

    private BodyPublisher json(Object body) {
        return BodyPublishers.ofString(mapper.writeValueAsString(body));
    }

    /** Opens what is sent; may be asked again, where another member leads. */
    @FunctionalInterface
    interface Source {
        InputStream open() throws IOException;
    }

    /** Sends what may be large, and waits as long as it takes. */
    JsonNode upload(String path, Source source) throws StartupException, InterruptedException {
        return reply(
                        path,
                        request -> request.POST(BodyPublishers.ofInputStream(() -> {
                                    try {
                                        return source.open();
                                    } catch (IOException unreadable) {
                                        throw new UncheckedIOException(unreadable);
                                    }
                                }))
                                .timeout(LONGEST))
                .body();
    }

    /** Receives what may be large. StartupException where it does not come whole. */
    void download(String path, OutputStream to) throws StartupException, InterruptedException {
        try (InputStream body = open(path)) {
            body.transferTo(to);
        } catch (IOException | JacksonException broken) {
            throw new StartupException(
                    "%s of the coordinator at %s did not come whole (%s): see its log, or give --coordinator HOST:PORT"
                            .formatted(path, String.join(", ", addresses), broken),
                    broken);
        }
    }

    /** What may be large, as it comes; IOException where it is refused, or breaks off. */
    InputStream open(String path) throws IOException, InterruptedException {
        try {
            return lead(address -> {
                HttpResponse<InputStream> reply =
                        client.send(request(address, path, HttpRequest.Builder::GET), BodyHandlers.ofInputStream());
                if (reply.statusCode() == 200) {
                    return reply.body();
                }
                try (InputStream body = reply.body()) {
                    String text = new String(body.readAllBytes(), StandardCharsets.UTF_8);
                    throw refusal(address, reply, text);
                }
            });
        } catch (StartupException refused) {
            throw new IOException(refused.getMessage(), refused);
        }
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private HttpRequest request(String address, String path, UnaryOperator<HttpRequest.Builder> words)
            throws StartupException {
        HttpRequest.Builder request;
        try {
            request = HttpRequest.newBuilder(URI.create("http://" + address + path));
        } catch (IllegalArgumentException wrong) {
            throw new StartupException("'" + address + "' is no address: expected HOST:PORT", wrong);
        }
        if (!apiKey.isEmpty()) {
            request.header("X-API-Key", apiKey);
        }
        return words.apply(request.timeout(ANSWER_WITHIN)).build();
    }

    /** A part of a list; {@code next} asks for the one after it. */
    record Page(JsonNode body, Optional<String> next) {}

    Page page(String path) throws StartupException, InterruptedException {
        return reply(path, HttpRequest.Builder::GET);
    }

    /** Whoever was asked does not lead, and did nothing. */
    private static final class ElsewhereException extends Exception {
        private static final long serialVersionUID = 1L;
        private final Optional<String> leader;

        ElsewhereException(String message, Optional<String> leader) {
            super(message);
            this.leader = leader;
        }
    }

    private Page reply(String path, UnaryOperator<HttpRequest.Builder> words)
            throws StartupException, InterruptedException {
        return lead(address -> ask(address, request(address, path, words)));
    }

    /** Asks a member. */
    @FunctionalInterface
    private interface Asking<T> {
        /** @throws IOException where nobody is there, or what it says is no answer */
        T of(String address) throws IOException, ElsewhereException, StartupException, InterruptedException;
    }

    /** Asks one after the other until the one that leads is found. */
    private <T> T lead(Asking<T> asking) throws StartupException, InterruptedException {
        long end = System.nanoTime() + leaderWithin.toNanos();
        while (true) {
            List<String> reasons = new ArrayList<>();
            boolean anybody = false;
            Deque<String> left = new ArrayDeque<>(addresses);
            Set<String> named = new HashSet<>();
            while (!left.isEmpty()) {
                String address = left.removeFirst();
                try {
                    if (addresses.size() > 1) {
                        requireLeader(address);
                    }
                    return asking.of(address);
                } catch (ElsewhereException elsewhere) {
                    anybody = true;
                    reasons.add(address + " (" + elsewhere.getMessage() + ")");
                    elsewhere.leader.filter(named::add).ifPresent(leader -> {
                        left.remove(leader);
                        left.addFirst(leader);
                    });
                } catch (IOException | JacksonException silent) {
                    // Who took the connection may be slow, or one that is stopped: of several another one leads then.
                    anybody |= addresses.size() > 1
                            && silent instanceof HttpTimeoutException
                            && !(silent instanceof HttpConnectTimeoutException);
                    reasons.add(address + " (" + silent + ")");
                }
            }
            // Where nobody answers at all there is nothing to wait for.
            if (!anybody || System.nanoTime() - end >= 0) {
                throw new StartupException(
                        anybody
                                ? "no member of the coordinator's replica group leads: " + String.join(", ", reasons)
                                : "no coordinator answers at %s: see its log, or give --coordinator HOST:PORT"
                                        .formatted(String.join(", ", reasons)));
            }
            Thread.sleep(LOOK_AGAIN_MILLIS);
        }
    }

    /** Before a request goes to one of several: it might never be answered by one that is stopped. */
    private void requireLeader(String address)
            throws IOException, ElsewhereException, StartupException, InterruptedException {
        HttpResponse<String> reply = client.send(
                request(address, "/api/health", health -> health.timeout(HEALTH_WITHIN)), BodyHandlers.ofString());
        JsonNode health = mapper.readTree(reply.body());
        String role = health.path("role").asString("leader");
        if (!role.equals("leader")) {
            String leader = health.path("leader").asString("");
            throw new ElsewhereException(
                    role, leader.isEmpty() || leader.equals(address) ? Optional.empty() : Optional.of(leader));
        }
    }

    private Page ask(String address, HttpRequest built)
            throws IOException, ElsewhereException, StartupException, InterruptedException {
        HttpResponse<String> reply;
        try {
            reply = client.send(built, BodyHandlers.ofString());
        } catch (ConnectException | HttpConnectTimeoutException nobody) {
            throw nobody;
        } catch (IOException silent) {
            if (built.method().equals("GET")) {
                throw silent;
            }
            throw new StartupException(
                    "the coordinator at %s has not answered (%s): it may or may not have done it"
                            .formatted(address, silent),
                    silent);
        }
        if (reply.statusCode() != 200) {
            throw refusal(address, reply, reply.body());
        }
        return new Page(mapper.readTree(reply.body()), reply.headers().firstValue("X-Next"));
    }

    /** @throws ElsewhereException where whoever was asked does not lead, and did nothing */
    private StartupException refusal(String address, HttpResponse<?> reply, String text) throws ElsewhereException {
        if (reply.statusCode() == 307) {
            throw new ElsewhereException(
                    "it follows",
                    reply.headers()
                            .firstValue("Location")
                            .map(there -> URI.create(there).getAuthority()));
        }
        JsonNode body = mapper.readTree(text);
        String code = body.at("/error/code").asString("");
        if (reply.statusCode() == 503 && code.equals("no_leader")) {
            throw new ElsewhereException("it knows of no leader", Optional.empty());
        }
        if (code.equals("not_leader") && reply.request().method().equals("GET")) {
            // Of a change nobody knows whether it was done.
            throw new ElsewhereException("it may lead no more", Optional.empty());
        }
        return new StartupException(
                reply.statusCode() == 401
                        ? "the coordinator at " + address + " wants its API key: give --api-key or set FUSE_API_KEY"
                        : body.at("/error/message").asString(text));
    }
}
