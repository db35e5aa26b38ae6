package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.RandomRun;
import io.fusecache.testkit.random.RandomTree;
import io.fusecache.testkit.random.Surroundings.Incident;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random operations on a tree by two nodes in turn, against a model in memory: every result and every error, on whichever node,
 * is that of one local disk, while the programs behind the mounts are killed. A seed is had again with
 * {@code -Dfusecache.seed=SEED}.
 */
@Timeout(1800)
final class RandomTreeIT {
    private static final int SEEDS = 4;
    private static final int OPERATIONS = Integer.getInteger("fusecache.operations", 1000);

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void twoNodesDoAsTheModelDoes(String passthrough) throws Exception {
        // Small blocks, so that a small file has several.
        try (Cluster cluster = Cluster.start(2, "-passthrough", passthrough, "-chunk-size", "1")) {
            RandomRun.ofFirstSeeds(SEEDS, seed -> check(cluster, seed));
        }
    }

    private static void check(Cluster cluster, long seed) throws Exception {
        String name = "seed" + seed;
        Files.createDirectory(cluster.node(1).mount().resolve(name));
        Misfortunes misfortunes = new Misfortunes(
                cluster,
                List.of(
                        new Incident(Misfortunes.COORDINATOR_KILLED, false),
                        new Incident(Misfortunes.NODE_KILLED, true),
                        new Incident(Misfortunes.NODE_RESTARTED, true)));
        List<Path> directories = Stream.of(1, 2)
                .map(node -> cluster.node(node).mount().resolve(name))
                .toList();
        RandomTree.Left left = new RandomTree(directories, misfortunes).check(seed, OPERATIONS);
        misfortunes.end();
        cluster.node(1).flush();
        cluster.node(2).flush();
        Path objects = cluster.bucket().resolve(name).resolve(left.name());
        // Moves and removals follow their names in the background.
        Awaitility.await("the objects of seed " + seed)
                .atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(200))
                .untilAsserted(() -> sameObjects(left.files(), objects));
    }

    /** A file with several names is the object of one of them. */
    private static void sameObjects(Map<List<String>, byte[]> files, Path objects) throws IOException {
        TreeSet<String> found = new TreeSet<>();
        try (Stream<Path> all = Files.walk(objects)) {
            all.filter(Files::isRegularFile)
                    .map(path -> objects.relativize(path).toString())
                    .forEach(found::add);
        }
        for (Map.Entry<List<String>, byte[]> file : files.entrySet()) {
            List<String> own = file.getKey().stream().filter(found::contains).collect(Collectors.toList());
            assertThat(own)
                    .as("objects of the file %s, of %s", file.getKey(), found)
                    .hasSize(1);
            byte[] object = Files.readAllBytes(objects.resolve(own.getFirst()));
            assertThat(Arrays.mismatch(object, file.getValue()))
                    .as("mismatch of object %s", own)
                    .isEqualTo(-1);
            found.removeAll(own);
        }
        assertThat(found).as("objects that are no file").isEmpty();
    }
}
