package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A bit flipped on disk or on the way: found, counted, fetched again from elsewhere, never returned. */
final class CorruptionIT {
    private static final int SIZE = 11_000_000;

    private static byte[] content() {
        byte[] bytes = new byte[SIZE];
        new Random(42).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void aFlippedBitOnDiskIsNeverReturned(String passthrough) throws Exception {
        try (Cluster cluster = Cluster.start(1, "-passthrough", passthrough)) {
            ClusterNode node = cluster.node(1);
            Path file = node.mount().resolve("file");
            Files.write(file, content());
            node.flush();
            node.stop();
            flip(backingFile(node.cache()), 5_000_000);
            node.start();

            assertThat(Files.readAllBytes(file)).isEqualTo(content());
            assertThat(node.stat("/nvme/corrupt_blocks")).isEqualTo(1);
            assertThat(node.cloudBytes()).as("fetched again").isPositive();
            assertThat(Files.readAllBytes(file)).isEqualTo(content());
        }
    }

    @Test
    void aFlippedBitFromAPeerIsNeverReturned() throws Exception {
        try (Cluster cluster = Cluster.start(0);
                FlippingProxy proxy = new FlippingProxy()) {
            ClusterNode writer = cluster.prepareNode("-advertise", "127.0.0.1:" + proxy.port());
            proxy.forwardTo(writer.port());
            writer.start();
            ClusterNode reader = cluster.addNode();
            Files.write(writer.mount().resolve("file"), content());
            writer.flush();

            assertThat(Files.readAllBytes(reader.mount().resolve("file"))).isEqualTo(content());
            assertThat(proxy.flipped()).as("bits flipped on the way").isPositive();
            assertThat(reader.stat("/nvme/corrupt_blocks")).isPositive();
            assertThat(reader.cloudBytes()).as("fetched from elsewhere").isPositive();
        }
    }

    private static Path backingFile(Path cache) throws IOException {
        try (Stream<Path> files = Files.walk(cache)) {
            return files.filter(Files::isRegularFile)
                    .filter(path -> path.toFile().length() == SIZE)
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no backing file of " + SIZE + " bytes in " + cache));
        }
    }

    private static void flip(Path path, long offset) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.seek(offset);
            int old = file.read();
            file.seek(offset);
            file.write(old ^ 1);
        }
    }
}
