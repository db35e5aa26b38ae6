package io.fusecache.testkit.random;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.RandomRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Random operations on a tree on the disk of this machine: what the model says must be what ext4 does. */
final class RandomTreeIT {
    private static final int SEEDS = 2;
    private static final int OPERATIONS = 5000;

    @Test
    void ext4() throws Exception {
        Path disk = Files.createDirectories(Path.of("target").toAbsolutePath());
        Assumptions.assumeTrue(Files.getFileStore(disk).type().equals("ext4"), disk + " is not on ext4");
        Assumptions.assumeTrue(Files.getOwner(disk).getName().equals("root"), "it must be run as root");
        Path directory = Files.createTempDirectory(disk, "random-tree-");
        String before = umask();
        RandomRun.ofSeeds(SEEDS, seed -> {
            RandomTree.Left left =
                    new RandomTree(List.of(directory, directory), Surroundings.QUIET).check(seed, OPERATIONS);
            for (var file : left.files().entrySet()) {
                Path path = directory.resolve(left.name()).resolve(file.getKey().getFirst());
                assertThat(Files.readAllBytes(path)).isEqualTo(file.getValue());
            }
        });
        assertThat(umask()).as("the umask of who starts programs after a run").isEqualTo(before);
    }

    /** Of this thread: it goes to the programs that it starts. */
    private static String umask() throws IOException {
        return Files.readAllLines(Path.of("/proc/thread-self/status")).stream()
                .filter(line -> line.startsWith("Umask:"))
                .findFirst()
                .orElseThrow();
    }
}
