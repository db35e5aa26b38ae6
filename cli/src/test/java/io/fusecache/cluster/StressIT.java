package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Programs that were written to find wrong bytes and wrong answers: the filesystem class of stress-ng, fio, dbench and fs_mark.
 * Left out of the class: binderfs and procfs are file systems of their own, bind-mount and verity need one that was made for it,
 * eventfd and ioprio use none, and fiemap is an ioctl that the kernel keeps from FUSE.
 */
final class StressIT {
    /** What reads and writes bytes, which passthrough changes the way of. */
    private static final List<String> BYTES = List.of(
            "copy-file",
            "fallocate",
            "fanotify",
            "file-ioctl",
            "fpunch",
            "fsize",
            "fstat",
            "hdd",
            "io",
            "iomix",
            "lease",
            "open",
            "sync-file");

    private static final List<String> NAMES = List.of(
            "access",
            "chattr",
            "chdir",
            "chmod",
            "chown",
            "dentry",
            "dir",
            "dirdeep",
            "dirmany",
            "dnotify",
            "dup",
            "fcntl",
            "filename",
            "flock",
            "getdent",
            "handle",
            "inode-flags",
            "inotify",
            "link",
            "locka",
            "lockf",
            "lockofd",
            "mknod",
            "rename",
            "symlink",
            "touch",
            "utime",
            "xattr");

    private Cluster cluster;

    @AfterEach
    void stop() throws IOException, InterruptedException {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void stressNgFindsNothingInWhatConcernsNames() throws Exception {
        stress("auto", NAMES);
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void stressNgFindsNothingInWhatConcernsBytes(String passthrough) throws Exception {
        stress(passthrough, BYTES);
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void loadIsVerified(String passthrough) throws Exception {
        assumeInstalled("fio", "dbench", "fs_mark");
        Path mount = mounted(passthrough);
        Path disk = disk();
        assertThat(Shell.script(disk, "load.sh", mount, disk)).isEqualTo("Throughput\n500\n500\n");
    }

    private void stress(String passthrough, List<String> stressors) throws IOException, InterruptedException {
        assumeInstalled("stress-ng");
        List<Object> arguments = new ArrayList<>(stressors);
        arguments.addFirst(mounted(passthrough));
        assertThat(Shell.script(disk(), "stress.sh", arguments.toArray())).isEqualTo("nothing found\n");
    }

    private Path mounted(String passthrough) throws IOException, InterruptedException {
        cluster = Cluster.start(1, "-passthrough", passthrough);
        return Files.createDirectory(cluster.node(1).mount().resolve("load"));
    }

    private Path disk() throws IOException {
        return Files.createDirectory(cluster.directory().resolve("disk"));
    }

    private static void assumeInstalled(String... programs) throws IOException, InterruptedException {
        for (String program : programs) {
            boolean installed =
                    Shell.run(Path.of("/"), "sh", "-c", "command -v " + program).status() == 0;
            assumeTrue(installed, program + " is not installed: scripts/install-deps.sh does it");
        }
    }
}
