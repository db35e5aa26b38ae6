package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.S3Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bucket is one of a real S3 server. */
final class S3IT {
    private static final int SMALL_FILES = 200;
    /** More than one part, and more than one range. */
    private static final int LARGE_BYTES = 21 << 20;

    @TempDir
    Path folder;

    private static List<String> store(S3Server server, String secret) {
        return List.of(
                "-cloud-provider",
                "s3",
                "-s3-bucket",
                "models",
                "-s3-endpoint",
                server.endpoint().toString(),
                "-s3-force-path-style",
                "-s3-access-key-id",
                S3Server.ACCESS_KEY,
                "-s3-secret-access-key",
                secret);
    }

    private static void write(Path directory) throws IOException {
        Random random = new Random(1);
        for (int i = 0; i < SMALL_FILES; i++) {
            Path below = Files.createDirectories(directory.resolve("d" + i % 10));
            byte[] bytes = new byte[random.nextInt(30_000)];
            random.nextBytes(bytes);
            Files.write(below.resolve("file " + i + " ümläut+%41"), bytes);
        }
        byte[] large = new byte[LARGE_BYTES];
        random.nextBytes(large);
        Files.write(directory.resolve("large.bin"), large);
        Files.createFile(directory.resolve("empty"));
    }

    @Test
    void aTreeIsThereAsPlainObjectsAndOnEveryNode() throws Exception {
        try (S3Server server = S3Server.start(folder, "models");
                Cluster cluster = Cluster.startOn(store(server, S3Server.SECRET_KEY), 2)) {
            Path bucket = folder.resolve("buckets/models");
            Path tree = Files.createDirectory(cluster.node(1).mount().resolve("tree"));
            write(tree);
            var sums = Trees.sums(tree);
            cluster.node(1).flush();
            assertThat(Trees.sums(bucket.resolve("tree"))).as("plain objects").isEqualTo(sums);
            assertThat(Trees.sums(cluster.node(2).mount().resolve("tree"))).isEqualTo(sums);

            cluster.node(1).stop();
            cluster.node(2).stop();
            ClusterNode third = cluster.addNode();
            assertThat(Trees.sums(third.mount().resolve("tree")))
                    .as("from the bucket alone")
                    .isEqualTo(sums);
            assertThat(third.cloudBytes()).isGreaterThan(LARGE_BYTES);

            Files.move(third.mount().resolve("tree/d1"), third.mount().resolve("moved"));
            Files.delete(third.mount().resolve("tree/large.bin"));
            Awaitility.await("the objects, which follow")
                    .atMost(Duration.ofMinutes(2))
                    .untilAsserted(() -> {
                        assertThat(bucket.resolve("tree/large.bin")).doesNotExist();
                        assertThat(Trees.sums(bucket.resolve("moved")))
                                .isEqualTo(Trees.sums(third.mount().resolve("moved")));
                    });
        }
    }

    @Test
    void aWrongSecretIsOneLineAtTheStart() throws Exception {
        try (S3Server server = S3Server.start(folder, "models");
                Cluster cluster = Cluster.startOn(store(server, "not-the-secret"), 0)) {
            Daemon daemon = cluster.prepareNode("-mount-retries", "0").launch();
            assertThat(daemon.awaitEnd()).isEqualTo(1);
            assertThat(daemon.output())
                    .contains("S3 bucket 'models'")
                    .contains("check AWS_SECRET_ACCESS_KEY")
                    .doesNotContain("not-the-secret");
        }
    }
}
