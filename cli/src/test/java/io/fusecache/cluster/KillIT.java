package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** kill -9 at any moment: what close() or fsync() promised is there, and nothing is ever wrong. */
final class KillIT {
    private static final int WRITERS = 4;
    private static final int MAX_FILE_BYTES = 12 << 20;

    /** Files by name; the bytes follow from the name. A file is promised from the moment its close or fsync returned. */
    private static final class Writers {
        private final Map<String, Integer> promised = new ConcurrentHashMap<>();
        private final Map<String, Integer> begun = new ConcurrentHashMap<>();
        private final AtomicBoolean stopped = new AtomicBoolean();
        private final List<Thread> threads;

        Writers(Path directory) {
            threads = Stream.iterate(0, i -> i + 1)
                    .limit(WRITERS)
                    .map(i -> Thread.ofPlatform().start(() -> write(directory, i)))
                    .toList();
        }

        private void write(Path directory, int writer) {
            Random random = new Random(writer);
            for (int i = 0; !stopped.get(); i++) {
                String name = "w" + writer + "-" + i;
                int size = random.nextInt(3) == 0 ? random.nextInt(MAX_FILE_BYTES) : random.nextInt(20_000);
                boolean sync = random.nextInt(4) == 0;
                begun.put(name, size);
                try (FileChannel file = FileChannel.open(
                        directory.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                    ByteBuffer bytes = ByteBuffer.wrap(content(name, size));
                    while (bytes.hasRemaining()) {
                        bytes.limit(Math.min(bytes.capacity(), bytes.position() + 100_000));
                        file.write(bytes);
                        bytes.limit(bytes.capacity());
                    }
                    if (sync) {
                        file.force(true);
                        promised.put(name, size);
                    }
                } catch (IOException killed) {
                    return;
                }
                promised.put(name, size);
            }
        }

        void awaitPromised(int count) {
            Awaitility.await("files written")
                    .atMost(Duration.ofMinutes(1))
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> promised.size() >= count);
        }

        void stop() throws InterruptedException {
            stopped.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    private static byte[] content(String name, int size) {
        byte[] bytes = new byte[size];
        new Random(name.hashCode()).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void aKilledClientKeepsWhatItPromised(String passthrough) throws Exception {
        try (Cluster cluster = Cluster.start(2, "-passthrough", passthrough)) {
            ClusterNode node = cluster.node(1);
            for (int round = 0; round < 3; round++) {
                Path directory = Files.createDirectory(node.mount().resolve("round" + round));
                Writers writers = new Writers(directory);
                writers.awaitPromised(40);
                node.daemon().kill();
                writers.stop();
                node.kill();
                node.start();

                check(directory, writers);
                node.flush();
                check(cluster.bucket().resolve("round" + round), writers);
                check(cluster.node(2).mount().resolve("round" + round), writers);
            }
        }
    }

    private static void check(Path directory, Writers writers) throws IOException {
        for (Map.Entry<String, Integer> file : writers.promised.entrySet()) {
            assertThat(directory.resolve(file.getKey())).isRegularFile();
            assertThat(Files.readAllBytes(directory.resolve(file.getKey())))
                    .as("promised file %s", file.getKey())
                    .isEqualTo(content(file.getKey(), file.getValue()));
        }
        for (Map.Entry<String, Integer> file : writers.begun.entrySet()) {
            Path path = directory.resolve(file.getKey());
            if (writers.promised.containsKey(file.getKey()) || !Files.exists(path)) {
                continue;
            }
            byte[] found = Files.readAllBytes(path);
            byte[] whole = content(file.getKey(), file.getValue());
            assertThat(found.length).as("half-written file %s", path).isLessThanOrEqualTo(whole.length);
            assertThat(found).as("half-written file %s", path).isEqualTo(java.util.Arrays.copyOf(whole, found.length));
        }
    }

    @Test
    void aKilledCoordinatorKeepsWhatItAcknowledged() throws Exception {
        try (Cluster cluster = Cluster.start(2)) {
            Path directory = Files.createDirectory(cluster.node(1).mount().resolve("d"));
            for (int round = 0; round < 3; round++) {
                Path below = Files.createDirectory(directory.resolve("round" + round));
                Writers writers = new Writers(below);
                writers.awaitPromised(60);
                cluster.killCoordinator();
                cluster.startCoordinator();
                int before = writers.promised.size();
                writers.awaitPromised(before + 20);
                writers.stop();

                check(below, writers);
                check(cluster.node(2).mount().resolve("d/round" + round), writers);
            }
            cluster.node(1).flush();
            assertThat(Trees.sums(cluster.bucket().resolve("d"))).isEqualTo(Trees.sums(directory));
        }
    }

    @Test
    void bothKilledAtOnce() throws Exception {
        try (Cluster cluster = Cluster.start(1)) {
            ClusterNode node = cluster.node(1);
            Path directory = Files.createDirectory(node.mount().resolve("d"));
            Writers writers = new Writers(directory);
            writers.awaitPromised(40);
            cluster.killCoordinator();
            node.daemon().kill();
            writers.stop();
            node.kill();
            cluster.startCoordinator();
            node.start();

            check(directory, writers);
            node.flush();
            check(cluster.bucket().resolve("d"), writers);
        }
    }

    /** SIGTERM in the middle of work is a clean end: nothing mounted, exit status 0, and a restart goes on. */
    @Test
    void aTerminatedClientUnmountsAndDrains() throws Exception {
        try (Cluster cluster = Cluster.start(1)) {
            ClusterNode node = cluster.node(1);
            Path directory = Files.createDirectory(node.mount().resolve("d"));
            Writers writers = new Writers(directory);
            writers.awaitPromised(30);
            assertThat(node.daemon().stop()).isZero();
            writers.stop();

            assertThat(node.mounted()).isFalse();
            node.start();
            check(directory, writers);
            node.flush();
            check(cluster.bucket().resolve("d"), writers);
        }
    }
}
