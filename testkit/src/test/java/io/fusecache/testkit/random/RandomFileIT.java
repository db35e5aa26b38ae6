package io.fusecache.testkit.random;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.RandomRun;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Random operations on the disk of this machine: what the model says must be what ext4 does. */
final class RandomFileIT {
    private static final int SEEDS = 2;
    private static final int OPERATIONS = 10_000;

    @Test
    void ext4() throws Exception {
        Path disk = Files.createDirectories(Path.of("target").toAbsolutePath());
        Assumptions.assumeTrue(Files.getFileStore(disk).type().equals("ext4"), disk + " is not on ext4");
        Path directory = Files.createTempDirectory(disk, "random-file-");
        RandomRun.ofSeeds(SEEDS, seed -> {
            RandomFile.Left left = new RandomFile(directory, Surroundings.QUIET).check(seed, OPERATIONS);
            assertThat(Files.readAllBytes(left.file())).isEqualTo(left.content());
            Files.delete(left.file());
        });
        Files.delete(directory);
    }
}
