package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.namespace.Trash;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.session.Answer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Removed files whose bytes only this node has: kept where there is a trash, and only there. */
final class TrashedFilesTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    Path folder = Path.of("/");

    TestCluster cluster;

    @BeforeEach
    void start() throws IOException {
        cluster = new TestCluster(folder);
        cluster.coordinator.keepRemoved(Duration.ofDays(7));
    }

    @AfterEach
    void stop() throws IOException {
        cluster.close();
    }

    private static TestNode.Setup slow() {
        return TestNode.Setup.of(true).withUploadDelay(Duration.ofMinutes(10));
    }

    private static byte[] content(int seed) {
        return OneNodeSuite.bytes(seed, 3 * TestCluster.BLOCK_BYTES + 1);
    }

    private static String trashKey(long ino) {
        return ".fusecache/trash/" + Long.toHexString(ino);
    }

    private void restore(long ino, String name) throws Exception {
        FileName wanted = FileName.of(name);
        Answer answer = cluster.coordinator
                .sessions()
                .change((context, view) -> Trash.restore(ino, Inode.ROOT, wanted, context, view))
                .get();
        assertThat(answer.failure()).isNull();
    }

    private static long remove(TestNode node, String path) throws Exception {
        long id = node.programs().find(path).id();
        node.programs().unlink(path);
        return NodeIds.ino(id);
    }

    @Test
    void aFileRemovedBeforeItsUploadReachesTheTrashOfTheBucket() throws Exception {
        TestNode node = cluster.node("a", slow());
        node.programs().write("/f", content(1));
        long ino = remove(node, "/f");
        node.programs().write("/f", content(2));
        assertThat(node.files.pendingUploads().files()).isEqualTo(2);
        assertThat(node.files.flushUploads(LONG)).isTrue();
        assertThat(cluster.object(trashKey(ino))).isEqualTo(content(1));
        assertThat(cluster.object("f")).isEqualTo(content(2));
        node.close();

        restore(ino, "g");
        TestNode other = cluster.node("b", true);
        assertThat(other.programs().read("/g")).isEqualTo(content(1));
        Awaitility.await().until(() -> cluster.hasObject("g"));
    }

    @Test
    void whatIsWrittenUntilTheLastCloseIsKept() throws Exception {
        TestNode node = cluster.node("a", slow());
        Programs.Fd fd = node.programs().create("/f");
        fd.write(0, content(1));
        fd.flush();
        long ino = remove(node, "/f");
        assertThat(node.metadata.inode(ino).links()).isZero();
        fd.write(0, content(2));
        fd.close();
        restore(ino, "f");
        assertThat(node.programs().read("/f")).isEqualTo(content(2));
        assertThat(cluster.node("b", true).programs().read("/f")).isEqualTo(content(2));
    }

    @Test
    void whatIsWrittenToAFileRemovedElsewhereIsKept() throws Exception {
        TestNode node = cluster.node("a", slow());
        TestNode other = cluster.node("b", true);
        Programs.Fd fd = node.programs().create("/f");
        fd.write(0, content(1));
        fd.flush();
        long ino = remove(other, "/f");
        fd.write(0, content(2));
        fd.close();
        restore(ino, "f");
        assertThat(other.programs().read("/f")).isEqualTo(content(2));
    }

    @Test
    void aKilledNodeStillUploadsWhatWasRemovedOnIt() throws Exception {
        TestNode node = cluster.node("a", slow());
        node.programs().write("/closed", content(1));
        Programs.Fd open = node.programs().create("/open");
        open.write(0, content(2));
        long closed = remove(node, "/closed");
        long written = remove(node, "/open");
        node.kill();
        TestNode again = cluster.node("a", slow());
        assertThat(again.files.flushUploads(LONG)).isTrue();
        assertThat(cluster.object(trashKey(closed))).isEqualTo(content(1));
        assertThat(cluster.object(trashKey(written))).isEqualTo(content(2));
    }

    @Test
    void whatEndsWhileItIsOpenIsReadableToItsLastCloseAndLeavesNothing() throws Exception {
        TestNode node = cluster.node("a", slow());
        node.programs().write("/f", content(1));
        Programs.Fd fd = node.programs().open("/f", OpenMode.READ);
        long ino = remove(node, "/f");
        cluster.coordinator
                .sessions()
                .change((context, view) -> Trash.drop(java.util.List.of(ino), Long.MAX_VALUE, context, view))
                .get();
        assertThat(fd.read(0, content(1).length)).isEqualTo(content(1));
        fd.close();
        Awaitility.await().until(() -> cluster.isGone(ino));
        assertThat(node.files.flushUploads(LONG)).isTrue();
        Awaitility.await()
                .untilAsserted(
                        () -> assertThat(node.local.usage().unpersistedBytes()).isZero());
        assertThat(cluster.hasObject(trashKey(ino))).isFalse();
    }
}
