package io.fusecache.testkit;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Directory buckets of S3 Express One Zone, as "Differences for directory buckets" describes them, in memory and on a port of loopback:
 * requests are signed with the key of a session, copies and the beginning of a session with one's own; no ETag is an MD5; listings have no
 * order, take only prefixes that end in '/', and show the directories of unfinished uploads.
 */
public final class DirectoryBucketServer implements AutoCloseable {
    public static final String ACCESS_KEY = "test-key";
    public static final String SECRET_KEY = "test-secret";

    private static final int OK = 200;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final Duration SESSION = Duration.ofMinutes(5);

    private final HttpServer server;
    private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
    private final Map<String, MemoryBucket> buckets = new ConcurrentHashMap<>();
    private final AtomicInteger sessions = new AtomicInteger();

    private DirectoryBucketServer(HttpServer server) {
        this.server = server;
    }

    public static DirectoryBucketServer start() throws IOException {
        DirectoryBucketServer made = new DirectoryBucketServer(XmlAnswer.listening());
        made.server.setExecutor(made.workers);
        made.server.createContext("/", made::serve);
        made.server.start();
        return made;
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    public void makeBucket(String name) {
        buckets.put(name, new MemoryBucket(true));
    }

    /** Begun so far. */
    public int sessions() {
        return sessions.get();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            String[] path = exchange.getRequestURI().getPath().split("/", 3);
            boolean begins = List.of("session", "session=")
                    .contains(String.valueOf(exchange.getRequestURI().getRawQuery()));
            boolean own = begins || exchange.getRequestHeaders().containsKey("x-amz-copy-source");
            XmlAnswer refused = own ? refusal(exchange, body, ACCESS_KEY, SECRET_KEY) : ofSession(exchange, body);
            MemoryBucket bucket = buckets.get(path[1]);
            XmlAnswer answer = refused != null
                    ? refused
                    : bucket == null
                            ? XmlAnswer.error(NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist.")
                            : begins
                                    ? session()
                                    : new XmlRequest(
                                                    exchange,
                                                    body,
                                                    bucket,
                                                    path.length > 2 ? path[2] : "",
                                                    XmlDialect.DIRECTORY)
                                            .answer();
            answer.send(exchange);
        }
    }

    private XmlAnswer session() {
        int number = sessions.incrementAndGet();
        return XmlAnswer.xml(
                OK,
                ("<CreateSessionResult><Credentials><SessionToken>token-%d</SessionToken><SecretAccessKey>secret-%d"
                                + "</SecretAccessKey><AccessKeyId>session-%d</AccessKeyId><Expiration>%s</Expiration></Credentials>"
                                + "</CreateSessionResult>")
                        .formatted(number, number, number, Instant.now().plus(SESSION)));
    }

    private @Nullable XmlAnswer ofSession(HttpExchange exchange, byte[] body) {
        String token = exchange.getRequestHeaders().getFirst("x-amz-s3session-token");
        String number = token == null || !token.startsWith("token-") ? "" : token.substring("token-".length());
        return number.isEmpty()
                ? XmlAnswer.error(FORBIDDEN, "AccessDenied", "A session is needed here.")
                : refusal(exchange, body, "session-" + number, "secret-" + number);
    }

    private static @Nullable XmlAnswer refusal(HttpExchange exchange, byte[] body, String id, String secret) {
        String authorization = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
        if (!SignatureV4.accessKey(authorization).equals(id)) {
            return XmlAnswer.error(FORBIDDEN, "InvalidAccessKeyId", "This key is not known here.");
        }
        try {
            return SignatureV4.matches(exchange, body, secret)
                    ? null
                    : XmlAnswer.error(FORBIDDEN, "SignatureDoesNotMatch", "The signature does not match.");
        } catch (GeneralSecurityException impossible) {
            throw new AssertionError(impossible);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        workers.shutdownNow();
    }
}
