package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** The coordinator's state is gone: inode numbers begin again, and the caches of the nodes have them for other files. */
final class LostStateIT {
    private static final String FIRST = "of the file that was here first";
    private static final String SECOND = "of a file that came afterwards!";
    private static final String WAITING = "not in the bucket yet";

    @Test
    void nodesServeNothingOfTheFormerNamespaceAndKeepWhatOnlyTheyHave() throws Exception {
        try (Cluster cluster = Cluster.start(1, "-upload-delay", "1h", "-coordinator-timeout", "2s")) {
            ClusterNode node = cluster.node(1);
            Path mount = node.mount();
            Files.writeString(mount.resolve("first"), FIRST);
            Files.writeString(mount.resolve("second"), SECOND);
            node.flush();
            Files.writeString(mount.resolve("waiting"), WAITING);

            cluster.killCoordinator();
            Shell.remove(cluster.directory().resolve("coordinator"));
            // So that the second file gets the number that the first one had.
            Files.delete(cluster.bucket().resolve("first"));
            cluster.startCoordinator();
            Awaitility.await("the node, which is refused")
                    .atMost(Cluster.UP_WITHIN)
                    .until(() -> node.daemon().output().contains("has inodes of the namespace"));

            node.kill();
            node.start();
            assertThat(mount.resolve("second")).hasContent(SECOND);
            assertThat(mount.resolve("first")).doesNotExist();
            assertThat(mount.resolve("waiting")).doesNotExist();
            try (Stream<Path> lost = Files.list(node.cache().resolve("lost"))) {
                assertThat(lost.filter(file -> !file.toString().endsWith(".record")))
                        .singleElement()
                        .satisfies(kept -> assertThat(kept).hasContent(WAITING));
            }
            assertThat(node.daemon().output()).contains("1 files of the former namespace");
        }
    }
}
