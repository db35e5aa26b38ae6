package io.fusecache.fuse.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.fuse.wire.Errno;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class MountTableTest {
    @Test
    void linesAreTakenApart() {
        List<MountTable.Entry> entries = MountTable.parse(List.of(
                "36 35 98:0 /mnt1 /mnt/two\\040words rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue",
                "40 35 0:39 / /b rw - fuse.fusecache my\\134source rw,user_id=0"));
        assertThat(entries)
                .containsExactly(
                        new MountTable.Entry(Path.of("/mnt/two words"), "ext3", "/dev/root", 98, 0),
                        new MountTable.Entry(Path.of("/b"), "fuse.fusecache", "my\\source", 0, 39));
    }

    @Test
    void aDeviceThatCannotBeOpenedIsExplainedWithTheRemedy() {
        assertThat(FuseDevice.explain(FuseDevice.PATH, Errno.ENOENT))
                .startsWith("/dev/fuse is not there")
                .contains("modprobe fuse")
                .contains("--device /dev/fuse");
        assertThat(FuseDevice.explain(FuseDevice.PATH, Errno.EACCES)).contains("chmod 0666 /dev/fuse");
        assertThat(FuseDevice.explain(FuseDevice.PATH, Errno.ENXIO)).contains("modprobe fuse");
        assertThat(FuseDevice.explain(FuseDevice.PATH, Errno.EMFILE)).contains("EMFILE");
    }
}
