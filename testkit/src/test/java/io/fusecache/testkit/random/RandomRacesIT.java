package io.fusecache.testkit.random;

import io.fusecache.testkit.RandomRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Races on the disk of this machine: what a verdict allows must be what ext4 does. */
final class RandomRacesIT {
    private static final int SEEDS = 2;
    private static final int ROUNDS = 200;

    @Test
    void ext4() throws Exception {
        Path disk = Files.createDirectories(Path.of("target").toAbsolutePath());
        Assumptions.assumeTrue(Files.getFileStore(disk).type().equals("ext4"), disk + " is not on ext4");
        Path directory = Files.createTempDirectory(disk, "random-races-");
        RandomRun.ofSeeds(SEEDS, seed -> new RandomRaces(List.of(directory, directory), 2).check(seed, ROUNDS));
        Files.delete(directory);
    }
}
