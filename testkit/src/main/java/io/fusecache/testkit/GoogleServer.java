package io.fusecache.testkit;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The XML API of Google Cloud Storage, as its reference describes it, in memory and on a port of loopback; and who gives tokens for it. It
 * knows what our requests need, and refuses what Google refuses: headers of Amazon with a bearer token, headers of both kinds in one
 * request, copies of parts, an upload's end with more than numbers and ETags of its parts.
 */
public final class GoogleServer implements AutoCloseable {
    public static final String ACCESS_KEY = "GOOG1TEST";
    public static final String SECRET_KEY = "test-hmac-secret";

    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;

    private final HttpServer server;
    private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
    private final Map<String, MemoryBucket> buckets = new ConcurrentHashMap<>();
    private final GoogleIdentities identities = new GoogleIdentities();

    private GoogleServer(HttpServer server) {
        this.server = server;
    }

    public static GoogleServer start(String... buckets) throws IOException {
        HttpServer listening = XmlAnswer.listening();
        GoogleServer google = new GoogleServer(listening);
        for (String bucket : buckets) {
            google.makeBucket(bucket);
        }
        listening.setExecutor(google.workers);
        listening.createContext("/", google::serve);
        listening.createContext("/oauth2/token", google::exchange);
        listening.createContext("/computeMetadata/", google::machine);
        listening.start();
        return google;
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    public void makeBucket(String name) {
        buckets.put(name, new MemoryBucket(false));
    }

    public List<String> keys(String bucket) {
        return bucket(bucket).keys();
    }

    public byte[] bytes(String bucket, String key) {
        return Objects.requireNonNull(bucket(bucket).find(key), key).bytes();
    }

    /** As somebody else would. */
    public void put(String bucket, String key, String text) {
        bucket(bucket).put(key, text.getBytes(StandardCharsets.UTF_8), Map.of());
    }

    private MemoryBucket bucket(String name) {
        return Objects.requireNonNull(buckets.get(name), name);
    }

    /** The file by which a program is a service account that may use the buckets. */
    public Path serviceAccountKey(Path folder) throws IOException {
        return Files.writeString(
                folder.resolve("service-account.json"),
                identities.serviceAccountKey(endpoint().resolve("/oauth2/token")));
    }

    /** Tokens given so far. */
    public int tokens() {
        return identities.issued();
    }

    /** Of tokens that are given from now on. */
    public void tokenLifetime(Duration time) {
        identities.lifetime(time);
    }

    public void revokeTokens() {
        identities.revokeAll();
    }

    private void serve(HttpExchange exchange) throws IOException {
        if (exchange.getRequestURI().getPath().equals("/")) {
            machine(exchange);
            return;
        }
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            XmlAnswer refused = refusal(exchange, body);
            if (refused != null) {
                refused.send(exchange);
                return;
            }
            String[] path = exchange.getRequestURI().getPath().split("/", 3);
            MemoryBucket bucket = buckets.get(path[1]);
            XmlAnswer answer = bucket == null
                    ? XmlAnswer.error(NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist.")
                    : new XmlRequest(exchange, body, bucket, path.length > 2 ? path[2] : "", dialect(exchange))
                            .answer();
            answer.send(exchange);
        }
    }

    private @org.jspecify.annotations.Nullable XmlAnswer refusal(HttpExchange exchange, byte[] body) {
        String authorization = exchange.getRequestHeaders().getFirst("Authorization");
        if (authorization == null) {
            return XmlAnswer.error(UNAUTHORIZED, "AuthenticationRequired", "Authentication required.");
        }
        if (authorization.startsWith("Bearer ")) {
            if (!identities.knows(authorization.substring("Bearer ".length()))) {
                return XmlAnswer.error(UNAUTHORIZED, "AuthenticationRequired", "Authentication required.");
            }
            return any(exchange, "x-amz-")
                    ? XmlAnswer.error(BAD_REQUEST, "InvalidArgument", "Invalid argument.")
                    : null;
        }
        if (any(exchange, "x-goog-")) {
            return XmlAnswer.error(
                    BAD_REQUEST, "ExcessHeaderValues", "Requests cannot specify both x-amz and x-goog headers.");
        }
        if (!SignatureV4.accessKey(authorization).equals(ACCESS_KEY)) {
            return XmlAnswer.error(FORBIDDEN, "InvalidSecurity", "The provided security credentials are not valid.");
        }
        try {
            return SignatureV4.matches(exchange, body, SECRET_KEY)
                    ? null
                    : XmlAnswer.error(FORBIDDEN, "SignatureDoesNotMatch", "Access denied.");
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static XmlDialect dialect(HttpExchange exchange) {
        return exchange.getRequestHeaders().getFirst("Authorization").startsWith("Bearer ")
                ? XmlDialect.GOOGLE_TOKEN
                : XmlDialect.GOOGLE_KEY;
    }

    private static boolean any(HttpExchange exchange, String family) {
        return exchange.getRequestHeaders().keySet().stream()
                .anyMatch(name -> name.regionMatches(true, 0, family, 0, family.length()));
    }

    private void exchange(HttpExchange exchange) throws IOException {
        try (exchange) {
            String form = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.US_ASCII);
            String token = identities.exchanged(form);
            if (token.isEmpty()) {
                XmlAnswer.json(
                                BAD_REQUEST,
                                "{\"error\": \"invalid_grant\", \"error_description\": \"Invalid JWT Signature.\"}")
                        .send(exchange);
            } else {
                XmlAnswer.json(OK, token).send(exchange);
            }
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private void machine(HttpExchange exchange) throws IOException {
        try (exchange) {
            boolean asked = "Google".equals(exchange.getRequestHeaders().getFirst("Metadata-Flavor"));
            boolean token = exchange.getRequestURI().getPath().endsWith("/service-accounts/default/token");
            exchange.getResponseHeaders().set("Metadata-Flavor", "Google");
            boolean root = exchange.getRequestURI().getPath().equals("/");
            XmlAnswer answer = asked && token
                    ? XmlAnswer.json(OK, identities.fresh())
                    : XmlAnswer.json(!asked ? FORBIDDEN : root ? OK : NOT_FOUND, "{}");
            answer.send(exchange);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        workers.shutdownNow();
    }
}
