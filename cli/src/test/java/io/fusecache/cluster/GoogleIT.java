package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.GoogleServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bucket is one of Google Cloud Storage, as its reference describes it. */
final class GoogleIT {
    /** More than one part, and more than one range. */
    private static final int LARGE_LINES = 3_000_000;

    @TempDir
    Path folder;

    private static List<String> store(GoogleServer server, String bucket, String... credentials) {
        List<String> flags = new ArrayList<>(List.of(
                "-cloud-provider",
                "gcp",
                "-gcp-bucket",
                bucket,
                "-gcp-endpoint",
                server.endpoint().toString()));
        flags.addAll(List.of(credentials));
        return flags;
    }

    @Test
    void aTreeIsThereAsPlainObjectsAndOnEveryNode() throws Exception {
        try (GoogleServer server = GoogleServer.start("models")) {
            server.put("models", "theirs/object", "theirs");
            String key = server.serviceAccountKey(folder).toString();
            try (Cluster cluster = Cluster.startOn(store(server, "models", "-gcp-credentials", key), 2)) {
                Path mount = cluster.node(1).mount();
                assertThat(mount.resolve("theirs/object")).hasContent("theirs");
                Path tree = Files.createDirectory(mount.resolve("tree"));
                Shell.sh(
                        tree,
                        "mkdir a 'ü %41+' && seq " + LARGE_LINES + " > large && touch empty && ln -s large link"
                                + " && for i in $(seq 50); do seq $i > a/$i; done && seq 7 > 'ü %41+/x' && chmod 640 empty");
                var sums = Trees.sums(tree);
                cluster.node(1).flush();
                assertThat(server.bytes("models", "tree/a/7"))
                        .as("a plain object")
                        .asString()
                        .isEqualTo("1\n2\n3\n4\n5\n6\n7\n");
                assertThat(Trees.sums(cluster.node(2).mount().resolve("tree"))).isEqualTo(sums);

                cluster.node(1).stop();
                cluster.node(2).stop();
                ClusterNode third = cluster.addNode();
                Path again = third.mount().resolve("tree");
                assertThat(Trees.sums(again)).as("from the bucket alone").isEqualTo(sums);
                assertThat(Shell.sh(again, "stat -c %a empty && readlink link")).isEqualTo("640\nlarge\n");

                Files.move(again.resolve("a"), third.mount().resolve("moved"));
                Files.delete(again.resolve("large"));
                Awaitility.await("the objects, which follow")
                        .atMost(Duration.ofMinutes(2))
                        .untilAsserted(() -> assertThat(server.keys("models").stream()
                                        .filter(name -> name.startsWith("tree/a/")
                                                || name.equals("tree/large")
                                                || name.startsWith("moved/"))
                                        .filter(name -> !name.endsWith("/")))
                                .hasSize(50)
                                .allMatch(name -> name.startsWith("moved/")));
            }
        }
    }

    private static String refused(List<String> store) throws IOException, InterruptedException {
        try (Cluster cluster = Cluster.startOn(store, 0)) {
            Daemon daemon = cluster.prepareNode("-mount-retries", "0").launch();
            assertThat(daemon.awaitEnd()).isEqualTo(1);
            return daemon.output();
        }
    }

    @Test
    void aWrongKeyAndAMissingBucketAreOneLineAtTheStart() throws Exception {
        try (GoogleServer server = GoogleServer.start("models")) {
            assertThat(refused(store(
                            server,
                            "models",
                            "-gcp-access-key-id",
                            GoogleServer.ACCESS_KEY,
                            "-gcp-secret-access-key",
                            "not-the-secret")))
                    .contains("Google Cloud Storage bucket 'models'")
                    .contains("check GCP_SECRET_ACCESS_KEY")
                    .doesNotContain("not-the-secret");
            assertThat(refused(store(
                            server,
                            "absent",
                            "-gcp-credentials",
                            server.serviceAccountKey(folder).toString())))
                    .contains("Google Cloud Storage bucket 'absent'")
                    .contains("name another with -gcp-bucket")
                    .doesNotContain("PRIVATE");
        }
    }
}
