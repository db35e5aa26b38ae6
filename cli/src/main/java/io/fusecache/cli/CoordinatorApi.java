package io.fusecache.cli;

import io.fusecache.client.RunningNode;
import io.fusecache.client.StartupException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Asks the coordinator of a mount, or the one that the line names, over its HTTP API. */
final class CoordinatorApi {
    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorApi.class);
    private static final Duration CONNECT_WITHIN = Duration.ofSeconds(5);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(90);
    private static final Duration LONGEST = Duration.ofDays(1);

    /** A member of a replica group that follows says where the leader is. */
    private final HttpClient client = HttpClient.newBuilder()
            .connectTimeout(CONNECT_WITHIN)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build();

    private final JsonMapper mapper = new JsonMapper();
    private final String address;
    private final String apiKey;
    private final Optional<RunningNode> node;

    private CoordinatorApi(String address, String apiKey, Optional<RunningNode> node) {
        this.address = address;
        this.apiKey = apiKey;
        this.node = node;
    }

    /** At the first of these addresses where somebody answers. */
    static CoordinatorApi at(List<String> addresses, String apiKey) throws StartupException, InterruptedException {
        for (String address : addresses.subList(0, addresses.size() - 1)) {
            CoordinatorApi api = new CoordinatorApi(address, apiKey, Optional.empty());
            try {
                api.get("/api/health");
                return api;
            } catch (StartupException silent) {
                LOG.debug("no coordinator at {}", address, silent);
            }
        }
        return new CoordinatorApi(addresses.getLast(), apiKey, Optional.empty());
    }

    /** Of the mount that holds {@code path}, or that runs here; or the one of {@code --coordinator}. */
    static CoordinatorApi of(VerbLine line, Optional<Path> path)
            throws StartupException, IOException, InterruptedException {
        String apiKey = line.option("api-key")
                .or(() -> Optional.ofNullable(System.getenv("FUSE_API_KEY")))
                .orElse("");
        Optional<String> named = line.option("coordinator");
        if (named.isPresent()) {
            return new CoordinatorApi(named.get(), apiKey, Optional.empty());
        }
        RunningNode running = NodeApi.running(path).getFirst();
        String address = NodeApi.of(running, line)
                .get("/api/status")
                .at("/coordinator/http/0")
                .asString("");
        if (address.isEmpty()) {
            throw new StartupException("node " + running.id()
                    + " was told no HTTP address of its coordinator: give --coordinator HOST:PORT");
        }
        return new CoordinatorApi(address, apiKey, Optional.of(running));
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
        return send(request(path).GET());
    }

    JsonNode put(String path, Object body) throws StartupException, InterruptedException {
        return send(request(path).PUT(BodyPublishers.ofString(mapper.writeValueAsString(body))));
    }

    JsonNode post(String path, Object body) throws StartupException, InterruptedException {
        return send(request(path).POST(BodyPublishers.ofString(mapper.writeValueAsString(body))));
    }

    JsonNode post(String path) throws StartupException, InterruptedException {
        return send(request(path).POST(BodyPublishers.noBody()));
    }

    JsonNode delete(String path) throws StartupException, InterruptedException {
        return send(request(path).DELETE());
    }

    /** Opens what is sent; may be asked again, where another member leads. */
    @FunctionalInterface
    interface Source {
        InputStream open() throws IOException;
    }

    /** Sends what may be large, and waits as long as it takes. */
    JsonNode upload(String path, Source source) throws StartupException, InterruptedException {
        return reply(request(path)
                        .POST(BodyPublishers.ofInputStream(() -> {
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
                            .formatted(path, address, broken),
                    broken);
        }
    }

    /** What may be large, as it comes; IOException where it is refused, or breaks off. */
    InputStream open(String path) throws IOException, InterruptedException {
        HttpRequest.Builder request;
        try {
            request = request(path).GET();
        } catch (StartupException wrong) {
            throw new IOException(wrong.getMessage(), wrong);
        }
        if (!apiKey.isEmpty()) {
            request.header("X-API-Key", apiKey);
        }
        HttpResponse<InputStream> reply = client.send(request.build(), BodyHandlers.ofInputStream());
        if (reply.statusCode() == 200) {
            return reply.body();
        }
        try (InputStream body = reply.body()) {
            String text = new String(body.readAllBytes(), StandardCharsets.UTF_8);
            throw new IOException(mapper.readTree(text).at("/error/message").asString(text));
        }
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private HttpRequest.Builder request(String path) throws StartupException {
        try {
            return HttpRequest.newBuilder(URI.create("http://" + address + path))
                    .timeout(ANSWER_WITHIN);
        } catch (IllegalArgumentException wrong) {
            throw new StartupException("'" + address + "' is no address: expected HOST:PORT", wrong);
        }
    }

    /** A part of a list; {@code next} asks for the one after it. */
    record Page(JsonNode body, Optional<String> next) {}

    Page page(String path) throws StartupException, InterruptedException {
        return reply(request(path).GET());
    }

    private JsonNode send(HttpRequest.Builder request) throws StartupException, InterruptedException {
        return reply(request).body();
    }

    private Page reply(HttpRequest.Builder request) throws StartupException, InterruptedException {
        if (!apiKey.isEmpty()) {
            request.header("X-API-Key", apiKey);
        }
        try {
            HttpResponse<String> reply = client.send(request.build(), BodyHandlers.ofString());
            JsonNode body = mapper.readTree(reply.body());
            if (reply.statusCode() == 401) {
                throw new StartupException(
                        "the coordinator at " + address + " wants its API key: give --api-key or set FUSE_API_KEY");
            }
            if (reply.statusCode() / 100 == 3) {
                throw new StartupException("another member leads: give --coordinator "
                        + reply.headers().firstValue("Location").orElse("HOST:PORT"));
            }
            if (reply.statusCode() != 200) {
                throw new StartupException(body.at("/error/message").asString(reply.body()));
            }
            return new Page(body, reply.headers().firstValue("X-Next"));
        } catch (IOException | JacksonException silent) {
            throw new StartupException(
                    "the coordinator at %s does not answer (%s): see its log, or give --coordinator HOST:PORT"
                            .formatted(address, silent),
                    silent);
        }
    }
}
