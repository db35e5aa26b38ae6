package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bytes of files in directories that a node works in alone: read elsewhere at once, there after its end, and kept where nobody took them. */
final class DelegatedFilesTest {
    private static final byte[] CONTENT = OneNodeSuite.bytes(1, TestCluster.BLOCK_BYTES + 7);

    @TempDir
    Path folder;

    private TestCluster cluster;

    @BeforeEach
    void start() throws Exception {
        cluster = new TestCluster(folder);
    }

    @AfterEach
    void stop() throws Exception {
        cluster.close();
    }

    private static TestNode.Setup alone() {
        return TestNode.Setup.of(true).withDelegations();
    }

    @Test
    void whatWasClosedIsReadElsewhereAtOnce() throws Exception {
        TestNode a = cluster.node("a", alone());
        TestNode b = cluster.node("b", true);
        a.programs().mkdir("/d");
        for (int i = 0; i < 20; i++) {
            a.programs().write("/d/draft" + i, CONTENT);
            a.programs().rename("/d/draft" + i, "/d/f" + i);
            assertThat(b.programs().read("/d/f" + i)).isEqualTo(CONTENT);
        }
        assertThat(a.files.flushUploads(Duration.ofSeconds(20))).isTrue();
        assertThat(cluster.object("d/f3")).isEqualTo(CONTENT);
        assertThat(a.metadata.setAside()).isZero();
    }

    @Test
    void whatWasClosedIsThereAfterTheNodesEnd() throws Exception {
        TestNode a = cluster.node("a", alone());
        a.programs().mkdir("/d");
        a.programs().write("/d/f", CONTENT);
        Programs.Fd open = a.programs().create("/d/g");
        open.write(0, CONTENT);
        a.kill();
        TestNode again = cluster.node("a", alone());
        assertThat(again.programs().read("/d/f")).isEqualTo(CONTENT);
        assertThat(again.programs().read("/d/g")).isEqualTo(CONTENT);
        assertThat(again.files.flushUploads(Duration.ofSeconds(20))).isTrue();
        assertThat(cluster.object("d/g")).isEqualTo(CONTENT);
    }

    @Test
    void bytesOfWhatNobodyTookAreKept() throws Exception {
        TestNode a = cluster.node("a", alone().withUploadDelay(Duration.ofMinutes(1)));
        a.programs().mkdir("/d");
        a.losesChanges();
        a.programs().write("/d/f", CONTENT);
        a.kill();
        TestNode b = cluster.node("b", true);
        assertThat(b.programs().list("/d")).isEmpty();
        TestNode again = cluster.node("a", alone());
        assertThat(again.metadata.setAside()).isPositive();
        Awaitility.await().until(() -> Files.isDirectory(again.cache.resolve("lost")));
        List<Path> kept;
        try (var files = Files.list(again.cache.resolve("lost"))) {
            kept = files.toList();
        }
        assertThat(kept).hasSize(1);
        assertThat(Files.readAllBytes(kept.getFirst())).isEqualTo(CONTENT);
    }
}
