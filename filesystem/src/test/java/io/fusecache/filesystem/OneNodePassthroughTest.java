package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

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
}
