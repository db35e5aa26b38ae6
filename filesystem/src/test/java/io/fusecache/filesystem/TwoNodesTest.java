package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What programs on two nodes see of each other. */
final class TwoNodesTest {
    private static final int BLOCK = TestCluster.BLOCK_BYTES;

    @TempDir
    Path folder = Path.of("/");

    TestCluster cluster;
    TestNode nodeA;
    TestNode nodeB;
    Programs a;
    Programs b;

    @BeforeEach
    void start() throws IOException {
        cluster = new TestCluster(folder);
        // Nothing reaches the bucket by itself here: what B reads, it reads from A.
        nodeA = cluster.node("a", TestNode.Setup.of(true).withUploadDelay(Duration.ofMinutes(10)));
        nodeB = cluster.node("b", TestNode.Setup.of(true).withUploadDelay(Duration.ofMinutes(10)));
        a = nodeA.programs();
        b = nodeB.programs();
    }

    @AfterEach
    void stop() throws IOException {
        cluster.close();
    }

    @Test
    void whatOneNodeClosedTheOtherReads() throws Exception {
        byte[] small = OneNodeSuite.bytes(1, 100);
        byte[] large = OneNodeSuite.bytes(2, 9 * BLOCK + 3);
        a.mkdir("/d");
        a.write("/d/small", small);
        a.write("/d/large", large);
        assertThat(b.list("/d")).containsExactly("small", "large");
        assertThat(b.stat("/d/large").size()).isEqualTo(large.length);
        assertThat(b.stat("/d/large").modified()).isEqualTo(a.stat("/d/large").modified());
        assertThat(b.read("/d/small")).isEqualTo(small);
        assertThat(b.read("/d/large")).isEqualTo(large);
    }

    @Test
    void whatANodeAloneHasIsReadWhenThatComesBack() throws Exception {
        byte[] content = OneNodeSuite.bytes(1, 3 * BLOCK);
        a.write("/f", content);
        nodeA.kill();
        FutureTask<byte[]> read = new FutureTask<>(() -> b.read("/f"));
        Thread reader = Thread.ofPlatform().start(read);
        Awaitility.await().until(() -> reader.getState() == Thread.State.TIMED_WAITING);
        nodeA = cluster.node("a", TestNode.Setup.of(true).withUploadDelay(Duration.ofMinutes(10)));
        assertThat(read.get()).isEqualTo(content);
    }

    /** As right after close(2), before the kernel's release has come through. */
    @Test
    void whatOneNodeSetsTheOtherSeesWhileItStillHasTheFileOpenForWriting() throws Exception {
        try (Programs.Fd fd = a.create("/f")) {
            fd.write(0, OneNodeSuite.bytes(1, 100));
            fd.flush();
            Timestamp set = new Timestamp(1_000_000_000, 5);
            b.utimens("/f", set);
            assertThat(a.stat("/f").modified()).isEqualTo(set);
            b.chmod("/f", 0600);
            assertThat(a.stat("/f").changed()).isEqualTo(b.stat("/f").changed());
        }
        assertThat(a.stat("/f").modified()).isEqualTo(b.stat("/f").modified());
        assertThat(a.stat("/f").changed()).isEqualTo(b.stat("/f").changed());
    }

    /** Two versions of it are open: the last close of one is not that of the file. */
    @Test
    void aRemovedFileLivesUntilNoVersionOfItIsOpen() throws Exception {
        byte[] first = OneNodeSuite.bytes(1, BLOCK);
        b.write("/f", first);
        try (Programs.Fd before = a.open("/f", OpenMode.READ)) {
            b.write("/f", OneNodeSuite.bytes(2, 100));
            Programs.Fd after = a.open("/f", OpenMode.READ);
            assertThat(after.id).isNotEqualTo(before.id);
            a.unlink("/f");
            a.forget(after.id);
            after.close();
            assertThat(before.read(0, first.length)).isEqualTo(first);
            // Comes behind whatever the close told the coordinator.
            a.mkdir("/later");
            assertThat(nodeB.metadata.exists(NodeIds.ino(before.id))).isTrue();
        }
    }

    @Test
    void aSmallFileIsPassedThroughAtOnceAndALargeOneWhenItIsWhole() throws Exception {
        a.write("/small", OneNodeSuite.bytes(1, 100));
        a.write("/large", OneNodeSuite.bytes(2, 9 * BLOCK));
        try (Programs.Fd fd = b.open("/small", OpenMode.READ)) {
            assertThat(fd.file.passthrough()).isTrue();
        }
        try (Programs.Fd fd = b.open("/large", OpenMode.READ)) {
            assertThat(fd.file.passthrough()).isFalse();
            assertThat(fd.read(5L * BLOCK, 10)).hasSize(10);
        }
        long ino = b.find("/large").id();
        Awaitility.await().until(() -> {
            try (var file = nodeB.local.find(ino).orElseThrow()) {
                return file.whole();
            }
        });
        try (Programs.Fd fd = b.open("/large", OpenMode.READ)) {
            assertThat(fd.file.passthrough()).isTrue();
        }
    }

    @Test
    void aChangeIsSeenByTheNextOpen() throws Exception {
        a.write("/f", OneNodeSuite.bytes(1, 3 * BLOCK));
        assertThat(b.read("/f")).isEqualTo(OneNodeSuite.bytes(1, 3 * BLOCK));
        a.write("/f", OneNodeSuite.bytes(2, 2 * BLOCK));
        assertThat(b.stat("/f").size()).isEqualTo(2 * BLOCK);
        assertThat(b.read("/f")).isEqualTo(OneNodeSuite.bytes(2, 2 * BLOCK));
        b.write("/f", OneNodeSuite.bytes(3, 4 * BLOCK));
        assertThat(a.read("/f")).isEqualTo(OneNodeSuite.bytes(3, 4 * BLOCK));
    }

    @Test
    void theKernelIsToldWhatChangedElsewhere() throws Exception {
        a.write("/f", OneNodeSuite.bytes(1, 10));
        long id = b.find("/f").id();
        assertThat(b.stat("/f").permissions()).isEqualTo(0644);
        int named = nodeB.kernel.namesChanged.get();
        a.chmod("/f", 0600);
        assertThat(nodeB.kernel.wasTold(id)).isTrue();
        assertThat(nodeB.kernel.namesChanged.get()).isEqualTo(named);
        assertThat(b.stat("/f").permissions()).isEqualTo(0600);
        a.rename("/f", "/g");
        assertThat(nodeB.kernel.namesChanged.get()).isGreaterThan(named);
        assertThat(b.exists("/f")).isFalse();
        assertThat(b.exists("/g")).isTrue();
    }

    @Test
    void whoHasAnOlderVersionOpenGoesOnWithIt() throws Exception {
        byte[] before = OneNodeSuite.bytes(1, 3 * BLOCK);
        byte[] after = OneNodeSuite.bytes(2, 5 * BLOCK);
        a.write("/f", before);
        assertThat(b.read("/f")).isEqualTo(before);
        Awaitility.await().until(() -> {
            try (Programs.Fd fd = b.open("/f", OpenMode.READ)) {
                return fd.file.passthrough();
            }
        });
        try (Programs.Fd old = b.open("/f", OpenMode.READ)) {
            assertThat(old.file.passthrough()).isTrue();
            a.write("/f", after);
            assertThat(old.read(0, before.length)).isEqualTo(before);
            assertThat(old.stat().size()).isEqualTo(before.length);
            OneNodeSuite.fails(Errno.ESTALE, () -> b.openNode(old.id, OpenMode.READ));
            try (Programs.Fd fresh = b.open("/f", OpenMode.READ)) {
                assertThat(fresh.id).isNotEqualTo(old.id);
                assertThat(NodeIds.ino(fresh.id)).isEqualTo(NodeIds.ino(old.id));
                assertThat(fresh.stat().ino()).isEqualTo(old.stat().ino());
                assertThat(fresh.read(0, after.length)).isEqualTo(after);
            }
            assertThat(old.read(0, before.length)).isEqualTo(before);
        }
        assertThat(b.read("/f")).isEqualTo(after);
        assertThat(nodeB.kernel.backing).isEmpty();
    }

    /** It had nothing of it yet, and the only one who did went on from it. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5})
    void whoHasNothingOfAnOlderVersionReadsTheNewest(int blocks) throws Exception {
        a.write("/f", OneNodeSuite.bytes(1, 3 * BLOCK));
        try (Programs.Fd old = b.open("/f", OpenMode.READ)) {
            for (int seed = 2; seed < 4; seed++) {
                byte[] after = OneNodeSuite.bytes(seed, blocks * BLOCK);
                a.write("/f", after);
                assertThat(old.read(BLOCK, BLOCK)).isEqualTo(Arrays.copyOfRange(after, BLOCK, 2 * BLOCK));
                assertThat(old.stat().size()).isEqualTo(after.length);
                assertThat(old.read(0, 6 * BLOCK)).isEqualTo(after);
            }
            assertThat(nodeB.kernel.wasTold(old.id)).isTrue();
            byte[] own = OneNodeSuite.bytes(4, BLOCK);
            try (Programs.Fd writer = b.open("/f", Programs.READ_WRITE)) {
                assertThat(writer.id).isNotEqualTo(old.id);
                writer.write(BLOCK, own);
                assertThat(writer.read(BLOCK, BLOCK)).isEqualTo(own);
                assertThat(old.read(BLOCK, BLOCK)).isEqualTo(own);
            }
            assertThat(old.read(BLOCK, BLOCK)).isEqualTo(own);
            b.write("/f", own);
            assertThat(old.read(0, 6 * BLOCK)).isEqualTo(own);
        }
        assertThat(a.read("/f")).isEqualTo(OneNodeSuite.bytes(4, BLOCK));
    }

    /** Nobody can have what was opened while its writer has it open, either. */
    @Test
    void whatIsBeingWrittenIsCopiedByReading() throws Exception {
        byte[] before = OneNodeSuite.bytes(1, 3 * BLOCK);
        a.write("/f", before);
        try (Programs.Fd old = b.open("/f", OpenMode.READ);
                Programs.Fd to = b.create("/to");
                Programs.Fd writer = a.open("/f", Programs.READ_WRITE)) {
            byte[] now = OneNodeSuite.bytes(2, BLOCK);
            writer.write(0, now);
            assertThat(old.read(0, BLOCK)).isEqualTo(now);
            OneNodeSuite.fails(Errno.EOPNOTSUPP, () -> nodeB.files.copy(old.id, 0, to.id, to.file.handle(), 0, BLOCK));
        }
    }

    @Test
    void aFileThatIsNotWholeIsChangedInPart() throws Exception {
        byte[] content = OneNodeSuite.bytes(1, 12 * BLOCK + 100);
        a.write("/f", content);
        try (Programs.Fd fd = b.open("/f", Programs.READ_WRITE)) {
            assertThat(fd.file.passthrough()).isFalse();
            fd.write(3L * BLOCK + 50, new byte[] {1, 2, 3});
            assertThat(fd.read(3L * BLOCK + 49, 5)[2]).isEqualTo((byte) 2);
            fd.truncate(10L * BLOCK + 7);
            fd.write(11L * BLOCK, new byte[] {9});
            assertThat(fd.stat().size()).isEqualTo(11L * BLOCK + 1);
        }
        byte[] expected = Arrays.copyOf(Arrays.copyOf(content, 10 * BLOCK + 7), 11 * BLOCK + 1);
        expected[3 * BLOCK + 50] = 1;
        expected[3 * BLOCK + 51] = 2;
        expected[3 * BLOCK + 52] = 3;
        expected[11 * BLOCK] = 9;
        assertThat(b.read("/f")).isEqualTo(expected);
        assertThat(a.read("/f")).isEqualTo(expected);
    }

    /** What is noted of each of its blocks has no other bound. */
    @Test
    void aFileThatIsNotWholeGrowsAsFarAsTheDiskHasFiles() throws Exception {
        a.write("/f", OneNodeSuite.bytes(1, 12 * BLOCK));
        long longest = (1L << 44) - 4096;
        try (Programs.Fd fd = b.open("/f", Programs.READ_WRITE)) {
            OneNodeSuite.fails(Errno.EFBIG, () -> fd.write(longest, new byte[1]));
            OneNodeSuite.fails(Errno.EFBIG, () -> fd.truncate(longest + 1));
            OneNodeSuite.fails(Errno.EFBIG, () -> fd.allocate(0, longest, 1));
            assertThat(fd.stat().size()).isEqualTo(12L * BLOCK);
        }
    }

    @Test
    void aFileRemovedElsewhereLivesWhileItIsOpen() throws Exception {
        byte[] content = OneNodeSuite.bytes(1, 100);
        a.write("/f", content);
        Programs.Fd fd = b.open("/f", OpenMode.READ);
        a.unlink("/f");
        assertThat(b.exists("/f")).isFalse();
        assertThat(fd.read(0, 100)).isEqualTo(content);
        assertThat(fd.stat().links()).isZero();
        fd.close();
        Awaitility.await().until(() -> nodeB.local.find(fd.id).isEmpty());
        a.forget(fd.id);
        Awaitility.await().until(() -> cluster.isGone(fd.id));
    }

    /** As one disk has it: B has read nothing yet, and what was opened is nowhere any more. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsWrittenToARemovedFileIsReadElsewhereAfterItsLastClose(boolean passthrough) throws Exception {
        TestNode nodeC = cluster.node("c", TestNode.Setup.of(passthrough).withUploadDelay(Duration.ofMinutes(10)));
        Programs c = nodeC.programs();
        c.write("/f", OneNodeSuite.bytes(1, 3 * BLOCK));
        Programs.Fd reader = b.open("/f", OpenMode.READ);
        byte[] after = OneNodeSuite.bytes(2, 5 * BLOCK + 7);
        try (Programs.Fd writer = c.open("/f", Programs.READ_WRITE)) {
            c.unlink("/f");
            writer.write(0, after);
        }
        assertThat(reader.read(0, 6 * BLOCK)).isEqualTo(after);
        assertThat(reader.stat().size()).isEqualTo(after.length);
        assertThat(reader.stat().links()).isZero();
        reader.close();
        Awaitility.await().until(() -> cluster.isGone(reader.id));
        Awaitility.await()
                .until(() -> nodeB.local.find(reader.id).isEmpty()
                        && nodeC.local.find(reader.id).isEmpty());
    }

    @Test
    void whatNeverHadANameIsNotCommitted() throws Exception {
        Programs.Fd fd = a.tmpfile("/");
        fd.write(0, OneNodeSuite.bytes(1, BLOCK));
        fd.close();
        assertThat(nodeB.metadata.inode(fd.id).version()).isZero();
        a.forget(fd.id);
        Awaitility.await().until(() -> cluster.isGone(fd.id));
        assertThat(nodeA.local.find(fd.id)).isEmpty();
    }

    /** B has read nothing of it yet, the bucket has nothing, and A has no use of it any more: A's bytes stay for B. */
    @Test
    void whatOnlyTheNodeThatRemovedItHasIsStillReadElsewhere() throws Exception {
        byte[] content = OneNodeSuite.bytes(1, 9 * BLOCK);
        a.write("/f", content);
        CountDownLatch removed = new CountDownLatch(1);
        cluster.peerMood = () -> {
            try {
                removed.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        };
        Programs.Fd fd = b.open("/f", OpenMode.READ);
        a.unlink("/f");
        a.forget(fd.id);
        assertThat(nodeA.metadata.exists(fd.id)).isTrue();
        removed.countDown();
        assertThat(fd.read(0, content.length)).isEqualTo(content);
        fd.close();
        Awaitility.await().until(() -> cluster.isGone(fd.id));
        Awaitility.await()
                .until(() -> nodeA.local.find(fd.id).isEmpty()
                        && nodeB.local.find(fd.id).isEmpty());
    }

    /** Its upload finds out: nothing else would tell A, and unpersisted bytes are never evicted. */
    @Test
    void whatIsRemovedElsewhereBeforeItsUploadTakesNoRoom() throws Exception {
        TestNode nodeC = cluster.node("c", TestNode.Setup.of(true).withUploadDelay(Duration.ofMillis(300)));
        Programs c = nodeC.programs();
        c.write("/f", OneNodeSuite.bytes(1, 3 * BLOCK));
        long ino = c.find("/f").id();
        b.unlink("/f");
        b.forget(ino);
        c.forget(ino);
        Awaitility.await().until(() -> cluster.isGone(ino));
        Awaitility.await().until(() -> nodeC.local.find(ino).isEmpty());
    }

    /** LOOKUP and OPEN are two requests: what was looked up can be opened, though another node removed it in between. */
    @Test
    void whatWasJustLookedUpIsOpenedThoughItIsReplacedMeanwhile() throws Exception {
        byte[] content = OneNodeSuite.bytes(1, 3 * BLOCK);
        a.write("/f", content);
        a.write("/next", OneNodeSuite.bytes(2, 10));
        long id = b.find("/f").id();
        a.rename("/next", "/f");
        a.forget(id);
        try (Programs.Fd fd = b.openNode(id, OpenMode.READ)) {
            assertThat(fd.read(0, content.length)).isEqualTo(content);
            assertThat(fd.stat().links()).isZero();
        }
        Awaitility.await().until(() -> cluster.isGone(id));
    }

    @Test
    void whatWasLookedUpAndNotOpenedEndsWhenItIsRemovedElsewhere() throws Exception {
        a.write("/f", OneNodeSuite.bytes(1, 10));
        long id = b.find("/f").id();
        a.unlink("/f");
        a.forget(id);
        Awaitility.await().until(() -> cluster.isGone(id));
    }

    @Test
    void oneBlockThatIsWrongOnItsWayIsFetchedAgain() throws Exception {
        byte[] content = OneNodeSuite.bytes(1, 3 * BLOCK);
        a.write("/f", content);
        assertThat(a.stat("/f").version()).isEqualTo(1);
        Awaitility.await().until(() -> nodeA.metadata.content(a.find("/f").id()).sealed());
        assertThat(b.read("/f")).isEqualTo(content);
        assertThat(nodeB.counters.figures(io.fusecache.cache.TierKind.PEER).corruptBlocks())
                .isZero();
    }
}
