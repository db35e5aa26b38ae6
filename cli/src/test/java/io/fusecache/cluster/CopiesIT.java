package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Trees of all that a file system can hold, copied, archived and laid over others: as between two disks. */
final class CopiesIT {
    /** What the names of node 2 begin with: overlay.sh takes them for none of its own. */
    private static final String OTHERS = ".other";

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

    /** An overlay keeps hold of what it once looked up below, and does not look again by itself. */
    @ParameterizedTest(name = "name cache {0}")
    @ValueSource(booleans = {true, false})
    void anOverlayLivesOnWhileOtherNodesChangeNames(boolean nameCache) throws Exception {
        cluster = Cluster.start(1, "-name-cache", Boolean.toString(nameCache));
        Path mount = cluster.node(1).mount();
        Path other = cluster.addNode().mount();
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Integer> changes = CompletableFuture.supplyAsync(() -> changeNames(other, mount, over));
        String above;
        try {
            above = overlay("mounted", mount);
        } finally {
            over.set(true);
        }
        assertThat(changes.get()).isPositive();
        String everything = "find layers -printf '%P %y %m %n %s %T@\\n' | sort";
        assertThat(Shell.sh(other, everything)).contains(" c ").isEqualTo(Shell.sh(mount, everything));
        assertThat(above).isEqualTo(overlay("plain", cluster.directory().resolve("upper")));
    }

    /** Node 2 renames what node 1 has just looked at, beside and in the layer. Returns how often. */
    private static int changeNames(Path mount, Path seen, AtomicBoolean over) {
        Map<String, Integer> changes = new HashMap<>();
        try {
            while (!over.get()) {
                for (String directory : List.of("", "layers", "layers/upper", "layers/work")) {
                    if (Files.exists(mount.resolve(directory))) {
                        changes.compute(directory, (path, before) -> changeName(mount, seen, path, before));
                    }
                }
            }
            for (Map.Entry<String, Integer> change : changes.entrySet()) {
                Files.delete(mount.resolve(change.getKey()).resolve(OTHERS + change.getValue()));
            }
            return changes.values().stream().mapToInt(Integer::intValue).sum();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static int changeName(Path mount, Path seen, String directory, @Nullable Integer before) {
        try {
            Path in = mount.resolve(directory);
            if (before == null) {
                Files.writeString(in.resolve(OTHERS + 0), "here");
                return 0;
            }
            assertThat(seen.resolve(directory).resolve(OTHERS + before)).hasContent("here");
            Files.move(in.resolve(OTHERS + before), in.resolve(OTHERS + (before + 1)));
            return before + 1;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private String overlay(String name, Path upper) throws IOException, InterruptedException {
        Path work = Files.createDirectory(cluster.directory().resolve(name));
        Path above = Files.createDirectories(upper.resolve("layers"));
        return Shell.script(work, "overlay.sh", work, above);
    }
}
