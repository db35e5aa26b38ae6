package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Trees of all that a file system can hold, copied, archived and laid over others: as between two disks. */
final class CopiesIT {
    /** What the names of node 2 begin with: overlay.sh takes them for none of its own. */
    private static final String OTHERS = ".other";

    private static final int FIRST_CONTACTS = 30;

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

    /**
     * Node 2 is the first but node 1 to change names of a directory, while node 1 makes, finds and removes names there: its kernel holds
     * the very lock that it takes to expire a name.
     */
    @Test
    void anOverlayLivesOnWhereAnotherNodeChangesADirectoryForTheFirstTime() throws Exception {
        cluster = Cluster.start(2);
        Path layers = Files.createDirectory(cluster.node(1).mount().resolve("layers"));
        Path upper = Files.createDirectory(layers.resolve("upper"));
        Path disk = Files.createDirectory(cluster.directory().resolve("disk"));
        Path merged = Files.createDirectories(disk.resolve("merged"));
        Path others = cluster.node(2).mount().resolve("layers/upper");
        Shell.sh(
                disk,
                "mkdir lower '" + layers + "/work' && mount -t overlay fusecache-test -o lowerdir=lower,upperdir='"
                        + upper + "',workdir='" + layers + "/work' merged");
        try {
            for (int i = 0; i < FIRST_CONTACTS; i++) {
                Path directory = Files.createDirectory(merged.resolve("d" + i));
                Files.writeString(directory.resolve("kept"), "kept " + i);
            }
            for (int i = 0; i < FIRST_CONTACTS; i++) {
                Path mine = upper.resolve("d" + i);
                AtomicInteger rounds = new AtomicInteger();
                AtomicBoolean over = new AtomicBoolean();
                List<CompletableFuture<Void>> busy = IntStream.range(0, 2)
                        .mapToObj(thread ->
                                CompletableFuture.runAsync(() -> workIn(mine, "w" + thread + ".", rounds, over)))
                        .toList();
                try {
                    Awaitility.await().until(() -> rounds.get() > 2);
                    for (int j = 0; j < 3; j++) {
                        Files.writeString(others.resolve("d" + i).resolve(OTHERS + j), "here");
                    }
                } finally {
                    over.set(true);
                }
                for (CompletableFuture<Void> work : busy) {
                    work.get();
                }
                assertThat(merged.resolve("d" + i).resolve("kept")).hasContent("kept " + i);
                Files.writeString(merged.resolve("d" + i).resolve("more"), "more");
                assertThat(mine.resolve(OTHERS + 2)).hasContent("here");
                assertThat(others.resolve("d" + i).resolve("more")).hasContent("more");
            }
        } finally {
            Shell.run(disk, "umount", merged.toString()).orFail();
        }
        assertThat(cluster.node(1).namesDropped()).isZero();
        assertThat(cluster.node(2).namesDropped()).isZero();
    }

    private static void workIn(Path directory, String prefix, AtomicInteger rounds, AtomicBoolean over) {
        try {
            while (!over.get()) {
                int round = rounds.incrementAndGet();
                assertThat(directory.resolve("none" + round)).doesNotExist();
                Path made = directory.resolve(prefix + round);
                Files.createFile(made);
                assertThat(directory.resolve("kept")).exists();
                Files.move(made, directory.resolve(prefix + "moved"), StandardCopyOption.REPLACE_EXISTING);
                Files.delete(directory.resolve(prefix + "moved"));
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
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
