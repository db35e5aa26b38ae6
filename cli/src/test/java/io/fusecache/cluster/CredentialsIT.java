package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.FaultProxy;
import io.fusecache.testkit.S3Server;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a node makes of credentials that a bucket does not take, or no longer; and that it keeps them to itself. */
final class CredentialsIT {
    private static final int ALWAYS = 1_000_000;

    @TempDir
    Path folder;

    private S3Server server;
    private FaultProxy proxy;

    @BeforeEach
    void startServer() throws Exception {
        server = S3Server.start(folder, "models");
        proxy = FaultProxy.to(server.endpoint());
    }

    @AfterEach
    void stopServer() throws Exception {
        proxy.close();
        server.close();
    }

    /** The secret is in a file, because everybody sees what is on a command line. */
    private List<String> store(String bucket) throws Exception {
        Path file = folder.resolve("node.properties");
        Files.writeString(
                file,
                "s3-access-key-id = %s\ns3-secret-access-key = %s\n"
                        .formatted(S3Server.ACCESS_KEY, S3Server.SECRET_KEY));
        return List.of(
                "-config",
                file.toString(),
                "-cloud-provider",
                "s3",
                "-s3-bucket",
                bucket,
                "-s3-endpoint",
                proxy.endpoint().toString(),
                "-s3-force-path-style");
    }

    @ParameterizedTest
    @CsvSource({
        "403, RequestTimeTooSkewed, clock is off",
        "301, PermanentRedirect, in another region",
        "400, AuthorizationHeaderMalformed, in another region",
        "404, NoSuchBucket, make the bucket",
        "403, AccessDenied, s3:ListBucket",
    })
    void whatIsWrongIsOneLineAtTheStart(int status, String code, String help) throws Exception {
        proxy.next(ALWAYS, FaultProxy.s3Error(status, code), ".");
        try (Cluster cluster = Cluster.startOn(store("models"), 0)) {
            ClusterNode node = cluster.prepareNode("-mount-retries", "0");
            Daemon daemon = node.launch();
            assertThat(daemon.awaitEnd()).isEqualTo(1);
            assertThat(daemon.output())
                    .contains("S3 bucket 'models'", code, help)
                    .doesNotContain("\tat ")
                    .doesNotContain(S3Server.SECRET_KEY);
            assertThat(daemon.output().lines().filter(line -> line.startsWith("client: ")))
                    .hasSize(1);
            assertThat(proxy.met()).as("asked once").hasSize(1);
            assertThat(node.mountedByFuse()).isFalse();
        }
    }

    @Test
    void secretsAreNowhereToBeSeenAndExpiredCredentialsAreAskedAgain() throws Exception {
        try (Cluster cluster = Cluster.startOn(store("models"), 1)) {
            ClusterNode node = cluster.node(1);
            proxy.next(2, FaultProxy.s3Error(400, "ExpiredToken"), "PUT .*/first");
            proxy.next(3, FaultProxy.s3Error(503, "SlowDown"), "PUT .*/second");
            Files.writeString(node.mount().resolve("first"), "bytes");
            Files.writeString(node.mount().resolve("second"), "bytes");
            node.flush();
            assertThat(folder.resolve("buckets/models/first")).hasContent("bytes");
            assertThat(folder.resolve("buckets/models/second")).hasContent("bytes");
            proxy.next(ALWAYS, FaultProxy.s3Error(403, "AccessDenied"), "PUT .*/refused");
            Files.writeString(node.mount().resolve("refused"), "bytes");
            Awaitility.await("the refusal")
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> node.daemon().output().contains("AccessDenied"));

            assertThat(node.stat("/bucket_requests/throttled")).isEqualTo(3);
            assertThat(node.stat("/bucket_requests/repeated")).isGreaterThanOrEqualTo(5);
            String seen = node.daemon().output()
                    + Files.readString(Path.of("/proc/" + node.daemon().pid() + "/cmdline"))
                    + page(node, "/metrics")
                    + page(node, "/api/status")
                    + page(node, "/api/cache/stats")
                    + page(node, "/api/health");
            assertThat(seen)
                    .contains("fuse_bucket_requests_throttled_total 3.0")
                    .contains("models")
                    .doesNotContain(S3Server.SECRET_KEY);
            assertThat(ProcessHandle.allProcesses()
                            .flatMap(process -> process.info().commandLine().stream())
                            .filter(line -> line.contains(folder.toString())))
                    .noneMatch(line -> line.contains(S3Server.SECRET_KEY));
            proxy.heal();
        }
    }

    private static String page(ClusterNode node, String path) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            URI address = node.uri(path);
            return http.send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofString())
                    .body();
        }
    }
}
