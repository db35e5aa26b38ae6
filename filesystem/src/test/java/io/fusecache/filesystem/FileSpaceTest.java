package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.cache.DiskException;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileVersion;
import org.junit.jupiter.api.Test;

final class FileSpaceTest {
    private static final FileVersion VERSION = new FileVersion(5, 1, 10, FileVersion.DEFAULT_BLOCK_BYTES, null, null);

    @Test
    void aFileOf8TiBHasBlocks() throws Exception {
        assertThat(FileSpace.block(8L << 40, VERSION)).isEqualTo(2 << 20);
    }

    @Test
    void anOffsetBeyondAllDisksGivesEfbig() {
        for (long offset : new long[] {Long.MAX_VALUE, Long.MAX_VALUE / 2, 1L << 53, Long.MIN_VALUE}) {
            assertThatThrownBy(() -> FileSpace.block(offset, VERSION))
                    .isInstanceOfSatisfying(
                            DiskException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EFBIG));
        }
    }
}
