package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Operations on one file do on the mount what they do on the disk below it: allocation, holes, copies, sparse files of 8 TiB,
 * direct I/O, mappings, limits. One script prints what it sees in either place.
 */
@Timeout(180)
final class FileOperationsIT {
    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void theMountDoesAsTheDiskDoes(String passthrough) throws Exception {
        try (Cluster cluster = Cluster.start(1, "-passthrough", passthrough)) {
            Path script = cluster.directory().resolve("file_operations.py");
            try (InputStream source =
                    Objects.requireNonNull(FileOperationsIT.class.getResourceAsStream("file_operations.py"))) {
                Files.copy(source, script);
            }
            Path disk = Files.createDirectory(cluster.directory().resolve("plain"));
            Path mount = Files.createDirectory(cluster.node(1).mount().resolve("here"));
            assertThat(seen(script, mount)).isEqualTo(seen(script, disk));
        }
    }

    private static String seen(Path script, Path directory) throws IOException, InterruptedException {
        return Shell.run(directory, "python3", script.toString(), directory.toString())
                .orFail();
    }
}
