package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Trees of all that a file system can hold, copied, archived and laid over others: as between two disks. */
final class CopiesIT {
    private Cluster cluster;

    @BeforeEach
    void onlyAsRoot() {
        assumeTrue("root".equals(System.getProperty("user.name")), "owners, devices and overlays take root");
    }

    @AfterEach
    void stop() throws IOException, InterruptedException {
        if (cluster != null) {
            cluster.close();
        }
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void rsyncAndTarCarryEverythingBothWays(String passthrough) throws Exception {
        cluster = Cluster.start(2, "-passthrough", passthrough);
        Path disk = Files.createDirectory(cluster.directory().resolve("disk"));
        String copies = Shell.script(
                disk,
                "copies.sh",
                disk,
                cluster.node(1).mount(),
                cluster.node(2).mount());
        assertThat(copies).endsWith("nothing differs\n");
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void anOverlayWritesToTheMountAsToADisk(String passthrough) throws Exception {
        cluster = Cluster.start(1, "-passthrough", passthrough);
        assertThat(overlay("mounted", cluster.node(1).mount()))
                .isEqualTo(overlay("plain", cluster.directory().resolve("upper")));
    }

    private String overlay(String name, Path upper) throws IOException, InterruptedException {
        Path work = Files.createDirectory(cluster.directory().resolve(name));
        Path above = Files.createDirectories(upper.resolve("layers"));
        return Shell.script(work, "overlay.sh", work, above);
    }
}
