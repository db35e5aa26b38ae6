package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.RandomRun;
import io.fusecache.testkit.random.RandomFile;
import io.fusecache.testkit.random.Surroundings.Incident;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random operations on a file of the mount, against a model in memory, while the programs behind it are killed and the cache is
 * lost. A seed is had again with {@code -Dfusecache.seed=SEED}, and {@code -Dfusecache.operations=10000} is a shorter run.
 */
@Timeout(1800)
final class RandomFileIT {
    private static final int SEEDS = 4;
    private static final int OPERATIONS = Integer.getInteger("fusecache.operations", 100_000);

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void theMountDoesAsTheModelDoes(String passthrough) throws Exception {
        // Small blocks, so that a small file has several.
        try (Cluster cluster = Cluster.start(1, "-passthrough", passthrough, "-chunk-size", "1")) {
            RandomRun.ofFirstSeeds(SEEDS, seed -> check(cluster, seed));
        }
    }

    private static void check(Cluster cluster, long seed) throws Exception {
        ClusterNode node = cluster.node(1);
        Path directory = Files.createDirectory(node.mount().resolve("seed" + seed));
        Misfortunes misfortunes = new Misfortunes(
                cluster,
                List.of(
                        new Incident(Misfortunes.COORDINATOR_KILLED, false),
                        new Incident(Misfortunes.NODE_KILLED, true),
                        new Incident(Misfortunes.CACHE_LOST, true)));
        RandomFile.Left left = new RandomFile(directory, misfortunes).check(seed, OPERATIONS);
        misfortunes.end();
        assertThat(Files.readAllBytes(left.file())).isEqualTo(left.content());

        node.flush();
        Path object = cluster.bucket().resolve(node.mount().relativize(left.file()));
        assertThat(Files.readAllBytes(object)).as("the object of seed %d", seed).isEqualTo(left.content());
        misfortunes.happen(Misfortunes.CACHE_LOST);
        assertThat(Files.readAllBytes(left.file())).as("read from the bucket").isEqualTo(left.content());
    }
}
