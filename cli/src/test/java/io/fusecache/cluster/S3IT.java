package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.S3Server;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
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

    /** What is fetched for it is a small part of a block, and nothing follows in the background. */
    @Test
    void aRandomReadOfALargeObjectFetchesLittle() throws Exception {
        byte[] large = new byte[64 << 20];
        new Random(3).nextBytes(large);
        try (S3Server server = S3Server.start(folder, "models")) {
            Files.write(folder.resolve("buckets/models/foreign.bin"), large);
            readsFetchLittle(server, large);
        }
    }

    private void readsFetchLittle(S3Server server, byte[] large) throws Exception {
        try (Cluster cluster = Cluster.startOn(store(server, S3Server.SECRET_KEY), 1)) {
            Files.write(cluster.node(1).mount().resolve("ours.bin"), large);
            cluster.node(1).flush();
            Awaitility.await().until(() -> Files.exists(folder.resolve("buckets/models/ours.bin")));
            cluster.node(1).stop();
            ClusterNode reader = cluster.addNode();
            for (String name : List.of("ours.bin", "foreign.bin")) {
                Path file = reader.mount().resolve(name);
                Awaitility.await().until(() -> Files.exists(file));
                long before = reader.cloudBytes();
                try (FileChannel channel = FileChannel.open(file)) {
                    for (int offset : List.of(50_000_001, 20_000_000, 33_554_430)) {
                        ByteBuffer found = ByteBuffer.allocate(4096);
                        assertThat(channel.read(found, offset)).isEqualTo(4096);
                        assertThat(found.array()).isEqualTo(Arrays.copyOfRange(large, offset, offset + 4096));
                    }
                }
                assertThat(reader.cloudBytes() - before)
                        .as("fetched for three reads of %s", name)
                        .isBetween(3 * 4096L, 3 * (256L << 10));
                assertThat(Files.readAllBytes(file)).as("all of %s", name).isEqualTo(large);
            }
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
