package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** After kill -9 of a client: what had been closed or synced is there and whole, and reaches the bucket. */
final class RecoveryTest {
    private static final int BLOCK = TestCluster.BLOCK_BYTES;
    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    Path folder = Path.of("/");

    TestCluster cluster;

    @BeforeEach
    void start() throws IOException {
        cluster = new TestCluster(folder);
    }

    @AfterEach
    void stop() throws IOException {
        cluster.close();
    }

    private static TestNode.Setup slow() {
        return TestNode.Setup.of(true).withUploadDelay(Duration.ofMinutes(10));
    }

    @Test
    void closedFilesAreUploadedAfterTheRestart() throws Exception {
        TestNode node = cluster.node("a", slow());
        byte[] content = OneNodeSuite.bytes(1, 5 * BLOCK + 1);
        node.programs().write("/f", content);
        node.kill();
        TestNode again = cluster.node("a", slow());
        assertThat(again.files.pendingUploads()).isEqualTo(new Uploads.Pending(1, content.length, 0));
        assertThat(again.programs().read("/f")).isEqualTo(content);
        assertThat(again.files.flushUploads(LONG)).isTrue();
        assertThat(cluster.object("f")).isEqualTo(content);
    }

    @Test
    void whatWasBeingWrittenIsCommittedAsItIs() throws Exception {
        TestNode node = cluster.node("a", slow());
        byte[] content = OneNodeSuite.bytes(1, 5 * BLOCK + 1);
        Programs.Fd fd = node.programs().create("/f");
        fd.write(0, content);
        fd.fsync();
        Programs.Fd flushed = node.programs().create("/g");
        flushed.write(0, content);
        flushed.flush();
        node.kill();
        TestNode again = cluster.node("a", slow());
        assertThat(again.programs().stat("/f").size()).isEqualTo(content.length);
        assertThat(again.programs().read("/f")).isEqualTo(content);
        assertThat(again.programs().read("/g")).isEqualTo(content);
        assertThat(again.programs().stat("/g").version()).isEqualTo(1);
        assertThat(again.files.flushUploads(LONG)).isTrue();
        assertThat(cluster.object("f")).isEqualTo(content);
        assertThat(cluster.object("g")).isEqualTo(content);
    }

    @Test
    void aFileChangedInPartIsWholeAfterwards() throws Exception {
        TestNode writer = cluster.node("w", true);
        byte[] content = OneNodeSuite.bytes(1, 12 * BLOCK);
        writer.programs().write("/f", content);
        assertThat(writer.files.flushUploads(LONG)).isTrue();
        TestNode node = cluster.node("a", slow());
        Programs.Fd fd = node.programs().open("/f", Programs.READ_WRITE);
        fd.write(7L * BLOCK + 3, new byte[] {1, 2, 3});
        node.kill();
        TestNode again = cluster.node("a", slow());
        byte[] expected = content.clone();
        System.arraycopy(new byte[] {1, 2, 3}, 0, expected, 7 * BLOCK + 3, 3);
        assertThat(again.programs().read("/f")).isEqualTo(expected);
        assertThat(writer.programs().read("/f")).isEqualTo(expected);
    }

    @Test
    void whatWasRemovedMeanwhileIsGone() throws Exception {
        TestNode node = cluster.node("a", slow());
        Programs.Fd open = node.programs().create("/f");
        open.write(0, new byte[10]);
        node.programs().write("/g", new byte[10]);
        long f = open.id;
        node.kill();
        TestNode other = cluster.node("b", true);
        other.programs().unlink("/g");
        TestNode again = cluster.node("a", slow());
        assertThat(again.programs().exists("/g")).isFalse();
        assertThat(again.programs().exists("/f")).isTrue();
        assertThat(NodeIds.ino(again.programs().find("/f").id())).isEqualTo(f);
        assertThat(again.files.pendingUploads().files()).isEqualTo(1);
    }

    @Test
    void blocksThatRottedOnDiskAreFetchedAgain() throws Exception {
        TestNode node = cluster.node("a", true);
        byte[] content = OneNodeSuite.bytes(1, 6 * BLOCK);
        node.programs().write("/f", content);
        assertThat(node.files.flushUploads(LONG)).isTrue();
        Path backing;
        try (var file = node.local.find(node.programs().find("/f").id()).orElseThrow()) {
            backing = file.path();
        }
        node.kill();
        byte[] rotten = Files.readAllBytes(backing);
        rotten[3 * BLOCK + 77] ^= 4;
        Files.write(backing, rotten);
        TestNode again = cluster.node("a", true);
        assertThat(again.programs().read("/f")).isEqualTo(content);
        assertThat(again.local.usage().corruptBlocks()).isEqualTo(1);
        try (Stream<Path> lost =
                Files.exists(again.cache.resolve("lost")) ? Files.list(again.cache.resolve("lost")) : Stream.of()) {
            assertThat(lost).isEmpty();
        }
        assertThat(Arrays.equals(Files.readAllBytes(backing), content)).isTrue();
    }
}
