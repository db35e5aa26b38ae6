package io.fusecache.testkit.posix;

import io.fusecache.testkit.posix.PosixContract.Excuses;
import io.fusecache.testkit.posix.scene.Runner.Leftovers;
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

    private static final Map<String, String> INAPPLICABLE =
            Map.of("^write(v)?\\(2\\): EFBIG beyond the largest file", "lseek(2) does not go there");

    @TestFactory
    Stream<DynamicTest> ext4() throws IOException, InterruptedException {
        Path disk = Files.createDirectories(Path.of("target").toAbsolutePath());
        Assumptions.assumeTrue(Files.getFileStore(disk).type().equals("ext4"), disk + " is not on ext4");
        Assumptions.assumeTrue(Files.getOwner(disk).getName().equals("root"), "the suite must be run as root");
        return PosixContract.of(
                PosixSuite.rules(), disk, THREADS, Leftovers.REMOVED, new Excuses(Map.of(), INAPPLICABLE));
    }
}
