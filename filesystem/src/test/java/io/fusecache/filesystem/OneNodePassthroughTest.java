package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** {@link OneNodeSuite} with files that the kernel reads and writes itself. */
final class OneNodePassthroughTest extends OneNodeSuite {
    @Override
    boolean passthrough() {
        return true;
    }

    /** The kernel does not see that the file below changed, and would show the times it has. */
    @Test
    void whatAMappingMayHaveStoredShowsInTheTimesAfterFsyncAndClose() throws Exception {
        programs.write("/f", new byte[10]);
        Programs.Fd fd = programs.open("/f", Programs.READ_WRITE);
        node.kernel.changedAttributes.clear();
        fd.write(0, new byte[] {1});
        fd.fsync();
        assertThat(node.kernel.wasTold(fd.id)).isTrue();
        node.kernel.changedAttributes.clear();
        fd.write(0, new byte[] {2});
        fd.flush();
        assertThat(node.kernel.wasTold(fd.id)).isTrue();
        fd.close();
    }

    /** Of a mapping that was gone again when the daemon looked: the kernel releases the descriptor at close(2). */
    @Test
    void whatAMappingStoredBetweenTheLastCloseAndItsReleaseIsCommitted() throws Exception {
        Programs.Fd fd = programs.create("/f");
        fd.write(0, text("one"));
        fd.flush();
        fd.store(0, text("two"));
        node.files.release(fd.id, fd.file.handle());
        assertThat(node.metadata.inode(fd.id).version()).isEqualTo(2);
        assertServedByTheBucket(fd.id, text("two"));
    }

    /** The same while a program reads the file, so that nobody can tell whether it is mapped. */
    @Test
    void whatAMappingStoredWhileAReaderStayedIsCommittedWhenItLeaves() throws Exception {
        Programs.Fd writer = programs.create("/f");
        writer.write(0, text("one"));
        Programs.Fd reader = programs.open("/f", OpenMode.READ);
        node.disk.mapped(true);
        writer.close();
        // Bytes of the first version are in the bucket before the mapping goes on.
        assertThat(node.files.flushUploads(Duration.ofSeconds(60))).isTrue();
        reader.store(0, text("two"));
        node.disk.mapped(false);
        reader.close();
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> node.metadata.inode(reader.id).version() == 2);
        assertServedByTheBucket(reader.id, text("two"));
    }

    private void assertServedByTheBucket(long ino, byte[] content) throws Exception {
        assertThat(node.files.flushUploads(Duration.ofSeconds(60))).isTrue();
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> node.metadata.inode(ino).writer() == null);
        assertThat(node.files.flushUploads(Duration.ofSeconds(60))).isTrue();
        node.local.discard(ino);
        assertThat(programs.read("/f")).isEqualTo(content);
    }
}
