package io.fusecache.testkit.posix;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The suite on the disk of this machine: what a rule says must be what ext4 does. */
final class ReferenceIT {
    private static final int THREADS = 2;

    @TestFactory
    Stream<DynamicTest> ext4() throws IOException, InterruptedException {
        Path disk = Files.createDirectories(Path.of("target").toAbsolutePath());
        Assumptions.assumeTrue(Files.getFileStore(disk).type().equals("ext4"), disk + " is not on ext4");
        Assumptions.assumeTrue(Files.getOwner(disk).getName().equals("root"), "the suite must be run as root");
        return PosixContract.of(disk, THREADS, Map.of());
    }
}
