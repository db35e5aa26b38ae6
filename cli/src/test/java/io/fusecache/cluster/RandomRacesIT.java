package io.fusecache.cluster;

import io.fusecache.testkit.RandomRun;
import io.fusecache.testkit.random.RandomRaces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Programs of two nodes that do the same thing at the same moment: what comes of it is what could have come of it on one disk. A
 * seed is had again with {@code -Dfusecache.seed=SEED}, as far as it decides.
 */
@Timeout(1200)
final class RandomRacesIT {
    private static final int SEEDS = 4;
    private static final int ROUNDS = 40;
    private static final int THREADS = 2;

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void namesHaveOneHistory(String passthrough) throws Exception {
        try (Cluster cluster = Cluster.start(2, "-passthrough", passthrough)) {
            RandomRun.ofFirstSeeds(SEEDS, seed -> races(cluster, seed).check(seed, ROUNDS));
        }
    }

    /** What was under way is done once. */
    @Test
    void namesHaveOneHistoryThroughARestartOfTheCoordinator() throws Exception {
        try (Cluster cluster = Cluster.start(2)) {
            RandomRun.ofFirstSeeds(SEEDS, seed -> {
                CompletableFuture<?> restart = CompletableFuture.runAsync(() -> restart(cluster));
                races(cluster, seed).check(seed, ROUNDS);
                restart.join();
            });
        }
    }

    private static RandomRaces races(Cluster cluster, long seed) throws IOException {
        String name = "seed" + seed;
        Files.createDirectory(cluster.node(1).mount().resolve(name));
        List<Path> directories = Stream.of(1, 2)
                .map(node -> cluster.node(node).mount().resolve(name))
                .toList();
        return new RandomRaces(directories, THREADS);
    }

    private static void restart(Cluster cluster) {
        try {
            cluster.killCoordinator();
            cluster.startCoordinator();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }
}
