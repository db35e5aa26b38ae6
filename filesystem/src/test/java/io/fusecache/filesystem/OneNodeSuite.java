package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What programs on one node see, whichever way the bytes go. */
abstract class OneNodeSuite {
    private static final int BLOCK = TestCluster.BLOCK_BYTES;
    private static final int KEEP_SIZE = 1;
    private static final int PUNCH_HOLE = 2;

    @TempDir
    Path folder = Path.of("/");

    TestCluster cluster;
    TestNode node;
    Programs programs;

    abstract boolean passthrough();

    @BeforeEach
    void start() throws IOException {
        cluster = new TestCluster(folder);
        node = cluster.node("a", passthrough());
        programs = node.programs();
    }

    @AfterEach
    void stop() throws IOException {
        cluster.close();
    }

    static byte[] bytes(int seed, int count) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static void fails(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void whatIsWrittenIsReadBack() throws Exception {
        programs.mkdir("/d");
        byte[] content = bytes(1, 5 * BLOCK + 17);
        programs.write("/d/f", content);
        assertThat(programs.read("/d/f")).isEqualTo(content);
        assertThat(programs.stat("/d/f").size()).isEqualTo(content.length);
        assertThat(programs.list("/d")).containsExactly("f");
        assertThat(node.kernel.backing).isEmpty();
    }

    @Test
    void anEmptyFileIsThere() throws Exception {
        programs.create("/empty").close();
        assertThat(programs.read("/empty")).isEmpty();
        assertThat(programs.stat("/empty").size()).isZero();
    }

    @Test
    void aFileThatIsCreatedForReadingIsReleasedWhole() throws Exception {
        programs.create("/f", OpenMode.READ).close();
        programs.truncate("/f", 123);
        assertThat(programs.stat("/f").size()).isEqualTo(123);
        assertThat(node.kernel.backing).isEmpty();
    }

    @Test
    void writesToASetIdFileAreSeenByTheDaemonWhichIsToldToClearTheBits() throws Exception {
        programs.write("/f", text("x"));
        programs.chmod("/f", 06755);
        try (Programs.Fd fd = programs.open("/f", OpenMode.WRITE)) {
            assertThat(fd.file.passthrough()).isFalse();
            node.files.clearSetId(programs.find("/f").id());
            assertThat(programs.stat("/f").permissions()).isEqualTo(0755);
        }
    }

    @Test
    void theWayOfTheBytesIsAsConfigured() throws Exception {
        try (Programs.Fd fd = programs.create("/f")) {
            assertThat(fd.file.passthrough()).isEqualTo(passthrough());
            fd.write(0, text("x"));
        }
        try (Programs.Fd fd = programs.open("/f", OpenMode.READ)) {
            assertThat(fd.file.passthrough()).isEqualTo(passthrough());
        }
    }

    @Test
    void allOpensOfAFileShareOneBackingFile() throws Exception {
        programs.write("/f", text("one"));
        try (Programs.Fd one = programs.open("/f", OpenMode.READ);
                Programs.Fd two = programs.open("/f", Programs.READ_WRITE);
                Programs.Fd three = programs.open("/f", OpenMode.READ)) {
            assertThat(two.file.backingId()).isEqualTo(one.file.backingId());
            assertThat(three.file.backingId()).isEqualTo(one.file.backingId());
            two.write(0, text("two"));
            assertThat(one.read(0, 10)).isEqualTo(text("two"));
        }
        assertThat(node.kernel.backing).isEmpty();
        assertThat(programs.read("/f")).isEqualTo(text("two"));
    }

    @Test
    void statSeesWritesBeforeTheyAreCommitted() throws Exception {
        try (Programs.Fd fd = programs.create("/f")) {
            fd.write(100, text("x"));
            assertThat(fd.stat().size()).isEqualTo(101);
            assertThat(programs.find("/f").inode().size()).isEqualTo(101);
        }
        assertThat(node.metadata.inode(programs.find("/f").id()).size()).isEqualTo(101);
    }

    @Test
    void openingForWritingAloneChangesNothing() throws Exception {
        programs.write("/f", text("x"));
        Inode before = programs.stat("/f");
        programs.open("/f", Programs.READ_WRITE).close();
        Inode after = programs.stat("/f");
        assertThat(after.version()).isEqualTo(before.version());
        assertThat(after.modified()).isEqualTo(before.modified());
        assertThat(after.changed()).isEqualTo(before.changed());
    }

    @Test
    void timesAreTheSameBeforeAndAfterClose() throws Exception {
        Inode open;
        try (Programs.Fd fd = programs.create("/f")) {
            fd.write(0, text("hello"));
            open = fd.stat();
        }
        Inode closed = programs.stat("/f");
        assertThat(closed.modified()).isEqualTo(open.modified());
        assertThat(closed.changed()).isEqualTo(open.changed());
        assertThat(closed.changed()).isGreaterThanOrEqualTo(closed.modified());
    }

    @Test
    void utimensOfAnOpenFileLasts() throws Exception {
        Timestamp then = new Timestamp(1_234_567_890, 123_456_789);
        try (Programs.Fd fd = programs.create("/f")) {
            fd.write(0, text("hello"));
            fd.utimens(then);
            assertThat(fd.stat().modified()).isEqualTo(then);
        }
        assertThat(programs.stat("/f").modified()).isEqualTo(then);
        assertThat(programs.stat("/f").size()).isEqualTo(5);
    }

    @Test
    void touchingAnOpenFileMakesNoNewVersion() throws Exception {
        programs.write("/f", text("x"));
        long version = programs.stat("/f").version();
        try (Programs.Fd fd = programs.open("/f", OpenMode.WRITE)) {
            fd.utimens(new Timestamp(1000, 1));
        }
        assertThat(programs.stat("/f").version()).isEqualTo(version);
        assertThat(programs.stat("/f").modified()).isEqualTo(new Timestamp(1000, 1));
    }

    @Test
    void truncateByPathAndByHandle() throws Exception {
        byte[] content = bytes(2, 3 * BLOCK);
        programs.write("/f", content);
        programs.truncate("/f", BLOCK + 5);
        assertThat(programs.read("/f")).isEqualTo(Arrays.copyOf(content, BLOCK + 5));
        programs.truncate("/f", 2 * BLOCK);
        assertThat(programs.read("/f")).isEqualTo(Arrays.copyOf(Arrays.copyOf(content, BLOCK + 5), 2 * BLOCK));
        try (Programs.Fd fd = programs.open("/f", Programs.READ_WRITE)) {
            fd.truncate(0);
            fd.write(3, text("x"));
        }
        assertThat(programs.read("/f")).isEqualTo(new byte[] {0, 0, 0, 'x'});
        programs.truncate("/f", 0);
        assertThat(programs.stat("/f").size()).isZero();
        fails(Errno.EISDIR, () -> programs.truncate("/", 0));
    }

    @Test
    void openWithTruncateIsACommitEvenWithoutWrites() throws Exception {
        programs.write("/f", text("x"));
        long version = programs.stat("/f").version();
        programs.open("/f", Programs.TRUNCATE).close();
        assertThat(programs.stat("/f").size()).isZero();
        assertThat(programs.stat("/f").version()).isGreaterThan(version);
    }

    @Test
    void everyCloseOfADescriptorCommits() throws Exception {
        try (Programs.Fd fd = programs.create("/f")) {
            fd.write(0, text("one"));
            fd.flush();
            assertThat(node.metadata.inode(fd.id).size()).isEqualTo(3);
            fd.write(3, text("two"));
            fd.flush();
            long version = node.metadata.inode(fd.id).version();
            assertThat(node.metadata.inode(fd.id).size()).isEqualTo(6);
            fd.flush();
            assertThat(node.metadata.inode(fd.id).version()).isEqualTo(version);
        }
        assertThat(programs.read("/f")).isEqualTo(text("onetwo"));
    }

    @Test
    void whatAMappingWritesAfterTheLastFlushIsCommittedByTheRelease() throws Exception {
        Programs.Fd fd = programs.create("/f");
        fd.write(0, text("one"));
        fd.flush();
        fd.write(0, text("two"));
        node.files.release(fd.id, fd.file.handle());
        assertThat(programs.read("/f")).isEqualTo(text("two"));
        assertThat(node.metadata.inode(fd.id).version()).isEqualTo(2);
    }

    @Test
    void whatAMappingStoresBetweenTwoClosesIsCommittedByTheSecond() throws Exception {
        Programs.Fd fd = programs.create("/f");
        fd.write(0, text("one"));
        fd.flush();
        fd.store(0, text("two"));
        fd.flush();
        assertThat(node.metadata.inode(fd.id).version()).isEqualTo(2);
        fd.flush();
        assertThat(node.metadata.inode(fd.id).version()).isEqualTo(2);
        fd.close();
        assertThat(programs.read("/f")).isEqualTo(text("two"));
    }

    @Test
    void aTimeThatIsSetOutlivesTheDoubtWhetherAMappingWrites() throws Exception {
        Programs.Fd writer = programs.create("/f");
        writer.write(0, text("one"));
        Programs.Fd reader = programs.open("/f", OpenMode.READ);
        node.disk.mapped(true);
        writer.close();
        Timestamp set = Timestamp.of(Instant.parse("2001-02-03T04:05:06.123456789Z"));
        programs.utimens("/f", set);
        reader.close();
        node.disk.mapped(false);
        assertThat(node.files.flushUploads(Duration.ofSeconds(60))).isTrue();
        Awaitility.await().until(() -> node.metadata.inode(reader.id).writer() == null);
        assertThat(programs.stat("/f").modified()).isEqualTo(set);
        assertThat(programs.read("/f")).isEqualTo(text("one"));
    }

    @Test
    void aTimeThatIsSetByPathOutlivesAnUploadThatWaitedWhileTheFileWasTouched() throws Exception {
        TestNode slow = cluster.node("slow", TestNode.Setup.of(passthrough()).withUploadDelay(Duration.ofHours(1)));
        Programs there = slow.programs();
        there.write("/f", text("one"));
        try (Programs.Fd fd = there.open("/f", OpenMode.WRITE)) {
            fd.utimens(new Timestamp(1000, 1));
        }
        Timestamp set = new Timestamp(2000, 2);
        there.utimens("/f", set);
        Inode before = there.stat("/f");
        assertThat(slow.files.flushUploads(Duration.ofSeconds(60))).isTrue();
        Inode after = slow.metadata.inode(before.ino());
        assertThat(after.modified()).isEqualTo(set);
        assertThat(after.changed()).isEqualTo(before.changed());
        assertThat(after.version()).isEqualTo(before.version());
        assertThat(slow.metadata.content(before.ino()).persisted()).isTrue();
    }

    @Test
    void anOpenThatARemovalOvertookReadsWhatWasThere() throws Exception {
        programs.write("/f", text("one"));
        long id = programs.find("/f").id();
        node.files.unlink(Inode.ROOT, FileName.of("f"));
        try (Programs.Fd fd = programs.openNode(id, OpenMode.READ)) {
            assertThat(fd.read(0, 10)).isEqualTo(text("one"));
        }
    }

    @Test
    void anUnlinkedFileLivesWhileItIsOpen() throws Exception {
        Programs.Fd fd = programs.create("/f");
        fd.write(0, text("one"));
        programs.unlink("/f");
        assertThat(programs.exists("/f")).isFalse();
        fd.write(3, text("two"));
        assertThat(fd.read(0, 10)).isEqualTo(text("onetwo"));
        assertThat(fd.stat().size()).isEqualTo(6);
        assertThat(fd.stat().links()).isZero();
        fd.close();
        programs.forget(fd.id);
        Awaitility.await().until(() -> cluster.isGone(fd.id));
        Awaitility.await().until(() -> node.local.find(fd.id).isEmpty());
    }

    @Test
    void aReaderOfAnUnlinkedFileSeesItsSizeWhenTheWriterIsGone() throws Exception {
        Programs.Fd writer = programs.create("/f");
        Programs.Fd reader = programs.open("/f", OpenMode.READ);
        programs.unlink("/f");
        writer.write(0, text("hello"));
        writer.close();
        assertThat(reader.stat().size()).isEqualTo(5);
        assertThat(reader.read(0, 10)).isEqualTo(text("hello"));
        reader.close();
    }

    @Test
    void aFileWithoutANameGetsOne() throws Exception {
        Programs.Fd fd = programs.tmpfile("/");
        fd.write(0, text("hidden"));
        assertThat(programs.list("/")).isEmpty();
        node.files.link(fd.id, Inode.ROOT, FileName.of("seen"));
        fd.close();
        assertThat(programs.read("/seen")).isEqualTo(text("hidden"));
    }

    @Test
    void aFileWithoutANameEndsWithItsHandle() throws Exception {
        Programs.Fd fd = programs.tmpfile("/");
        fd.write(0, text("hidden"));
        fd.close();
        programs.forget(fd.id);
        Awaitility.await().until(() -> cluster.isGone(fd.id));
    }

    @Test
    void renameReplacesAndExchanges() throws Exception {
        programs.write("/a", text("a"));
        programs.write("/b", text("b"));
        fails(Errno.EEXIST, () -> programs.rename("/a", "/b", 1));
        programs.rename("/a", "/b", 2);
        assertThat(programs.read("/a")).isEqualTo(text("b"));
        programs.rename("/a", "/b");
        assertThat(programs.exists("/a")).isFalse();
        assertThat(programs.read("/b")).isEqualTo(text("b"));
        fails(Errno.EINVAL, () -> programs.rename("/b", "/c", 8));
        fails(Errno.EINVAL, () -> programs.rename("/b", "/c", 3));
        programs.mkdir("/d");
        programs.write("/d/f", text("f"));
        programs.rename("/d", "/e");
        assertThat(programs.read("/e/f")).isEqualTo(text("f"));
    }

    @Test
    void linksAndSymlinks() throws Exception {
        programs.write("/f", text("x"));
        assertThat(programs.link("/f", "/g").inode().links()).isEqualTo(2);
        try (Programs.Fd fd = programs.open("/g", Programs.READ_WRITE)) {
            fd.write(0, text("y"));
        }
        programs.unlink("/f");
        assertThat(programs.read("/g")).isEqualTo(text("y"));
        programs.symlink("some/where", "/s");
        assertThat(node.files.readLink(programs.find("/s").id())).isEqualTo(text("some/where"));
        fails(Errno.EINVAL, () -> node.files.readLink(programs.find("/g").id()));
    }

    @Test
    void specialFilesAndRegularOnesByMknod() throws Exception {
        NewInode device = new NewInode(FileType.CHARACTER_DEVICE, 0600, 0, 0, 0x103, null, false);
        Node made = node.files.make(Inode.ROOT, FileName.of("null"), device);
        assertThat(made.inode().deviceNumber()).isEqualTo(0x103);
        node.files.make(Inode.ROOT, FileName.of("fifo"), Programs.inode(FileType.FIFO, 0600));
        Node regular = node.files.make(Inode.ROOT, FileName.of("regular"), Programs.inode(FileType.REGULAR, 0600));
        assertThat(regular.inode().size()).isZero();
        assertThat(programs.read("/regular")).isEmpty();
    }

    @Test
    void extendedAttributes() throws Exception {
        programs.write("/f", text("x"));
        long id = programs.find("/f").id();
        FileName name = FileName.ofAttribute(text("user.a/note"));
        fails(Errno.ENODATA, () -> node.files.extendedAttribute(id, name));
        fails(Errno.ENODATA, () -> node.files.tryExtendedAttribute(id, name));
        node.files.setExtendedAttribute(id, name, text("hello"), 0);
        node.files.tryExtendedAttribute(id, name);
        assertThat(node.files.extendedAttribute(id, name)).isEqualTo(text("hello"));
        assertThat(node.files.extendedAttributes(id)).containsExactly(name);
        node.files.removeExtendedAttribute(id, name);
        fails(Errno.ENODATA, () -> node.files.extendedAttribute(id, name));
    }

    @Test
    void holesAndAllocation() throws Exception {
        byte[] content = bytes(3, 3 * BLOCK);
        programs.write("/f", content);
        try (Programs.Fd fd = programs.open("/f", Programs.READ_WRITE)) {
            fd.allocate(PUNCH_HOLE | KEEP_SIZE, 100, BLOCK);
            fd.allocate(0, 3L * BLOCK, 50);
            assertThat(fd.stat().size()).isEqualTo(3L * BLOCK + 50);
        }
        byte[] expected = Arrays.copyOf(content, 3 * BLOCK + 50);
        Arrays.fill(expected, 100, 100 + BLOCK, (byte) 0);
        assertThat(programs.read("/f")).isEqualTo(expected);
        try (Programs.Fd fd = programs.open("/f", OpenMode.READ)) {
            assertThat(node.files.seek(fd.id, 10, 3)).isEqualTo(10);
            fails(Errno.ENXIO, () -> node.files.seek(fd.id, 4 * BLOCK, 4));
            fails(Errno.EBADF, () -> fd.allocate(0, 0, 10));
        }
    }

    @Test
    void copyFileRange() throws Exception {
        byte[] content = bytes(4, 2 * BLOCK + 9);
        programs.write("/from", content);
        try (Programs.Fd from = programs.open("/from", OpenMode.READ);
                Programs.Fd to = programs.create("/to")) {
            long copied = node.files.copy(from.id, 5, to.id, to.file.handle(), 2, 10L * BLOCK);
            assertThat(copied).isEqualTo(content.length - 5);
        }
        byte[] expected = new byte[content.length - 3];
        System.arraycopy(content, 5, expected, 2, content.length - 5);
        assertThat(programs.read("/to")).isEqualTo(expected);
    }

    @Test
    void namesThatCannotBe() throws Exception {
        fails(Errno.ENOENT, () -> programs.find("/absent"));
        fails(Errno.ENAMETOOLONG, () -> programs.mkdir("/" + "x".repeat(256)));
        fails(Errno.EPERM, () -> programs.mkdir("/.fusecache"));
        fails(Errno.ENOENT, () -> programs.find("/.fusecache"));
        programs.mkdir("/d");
        fails(Errno.EEXIST, () -> programs.mkdir("/d"));
        programs.write("/d/f", text("x"));
        fails(Errno.ENOTEMPTY, () -> programs.rmdir("/d"));
        fails(Errno.ENOTDIR, () -> programs.find("/d/f/g"));
    }

    @Test
    void aReaderCannotWrite() throws Exception {
        programs.write("/f", text("x"));
        try (Programs.Fd fd = programs.open("/f", OpenMode.READ)) {
            java.lang.foreign.MemorySegment source =
                    java.lang.foreign.Arena.ofAuto().allocate(1);
            fails(Errno.EBADF, () -> node.files.write(fd.id, fd.file.handle(), 0, source));
        }
        fails(
                Errno.EBADF,
                () -> node.files.read(
                        programs.find("/f").id(),
                        0,
                        java.lang.foreign.Arena.ofAuto().allocate(1),
                        true));
    }
}
