package io.fusecache.fuse.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.fusecache.fuse.session.Capabilities;
import io.fusecache.fuse.session.FuseHandler;
import io.fusecache.fuse.session.FuseSession;
import io.fusecache.fuse.session.Reply;
import io.fusecache.fuse.session.SessionOptions;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.Errno;
import io.fusecache.fuse.wire.FuseRequest;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Mounting where it cannot be, and without the right to. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FuseMountIT {
    private static final MountOptions OPTIONS = MountOptions.of("test", "fusecache");
    private static final String AS_USER = "setpriv --reuid=65534 --regid=65534 --clear-groups ";
    private static final FuseHandler NOTHING = (request, reply) -> reply.error(Errno.ENOSYS);

    @TempDir
    private Path directory;

    private void assertRefused(Path mountPoint, String... parts) {
        assertThatThrownBy(() -> FuseMount.mount(mountPoint, OPTIONS))
                .isInstanceOf(MountException.class)
                .hasMessageContainingAll(parts)
                .hasMessageNotContaining("\n");
    }

    @Test
    void aMountPointThatWillNotDoIsNamedWithTheWayOut() throws IOException {
        Path missing = directory.resolve("missing");
        assertRefused(missing, "mount point " + missing + " does not exist", "mkdir -p " + missing);
        Path file = Files.createFile(directory.resolve("file"));
        assertRefused(file, file + " is not a directory");
        assertRefused(directory, directory + " is not empty", "it holds file");
    }

    @Test
    void aMountPointInUseIsNamedWithTheWayOut() throws Exception {
        Path point = Files.createDirectory(directory.resolve("mnt"));
        try (Arena arena = Arena.ofShared();
                FuseSession session = FuseSession.start(point, SessionOptions.of(OPTIONS), NOTHING, arena)) {
            assertThat(session.mountPoint()).isEqualTo(point.toRealPath());
            assertRefused(point, "is mounted already (test, type fuse.fusecache)", "umount " + point);
        }
    }

    @Test
    void aDeadMountIsNamedWithTheWayOut() throws Exception {
        Path point = Files.createDirectory(directory.resolve("mnt"));
        FuseMount mount = FuseMount.mount(point, OPTIONS);
        // The last descriptor closed is the process gone.
        Posix.close(mount.fd());
        try {
            assertRefused(point, "umount", point.toString());
        } finally {
            mount.detach();
        }
        assertThat(MountTable.find(point)).isEmpty();
    }

    @Test
    void aMountThatAHandlerRefusesLeavesNothing() throws Exception {
        Path point = Files.createDirectory(directory.resolve("mnt"));
        FuseHandler refusing = new FuseHandler() {
            @Override
            public void init(Capabilities negotiated) {
                throw new IllegalStateException("not today");
            }

            @Override
            public void handle(FuseRequest request, Reply reply) {
                reply.error(Errno.EIO);
            }
        };
        try (Arena arena = Arena.ofShared()) {
            assertThatThrownBy(() -> FuseSession.start(point, SessionOptions.of(OPTIONS), refusing, arena))
                    .isInstanceOf(MountException.class)
                    .hasMessageContaining("not today");
        }
        assertThat(MountTable.find(point)).isEmpty();
    }

    /**
     * An ordinary user's mount, by fusermount3, in a process of its own: in a mount namespace where the device may be opened
     * by anyone, as distributions have it and this machine may not.
     */
    @Test
    void anOrdinaryUserMountsByFusermount() throws Exception {
        assumeThat(Fusermount.isInstalled()).as("fusermount3 (package fuse3)").isTrue();
        Path base = Files.createTempDirectory("fusecache-user");
        Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxrwxrwx"));
        Path point = Files.createDirectory(base.resolve("mnt"));
        Files.setAttribute(point, "unix:uid", 65534);
        // As another user this tree's class path is out of reach: it goes along.
        String classPath = copyClassPath(base.resolve("lib"));
        String device = base.resolve("device").toString();
        Process process = start(
                "unshare -m --propagation private sh -ec 'mknod -m 666 " + device + " c 10 229; mount --bind " + device
                        + " /dev/fuse; exec " + AS_USER + Path.of(System.getProperty("java.home"), "bin/java")
                        + " --enable-native-access=ALL-UNNAMED -cp " + classPath
                        + " io.fusecache.fuse.example.HelloFileSystem " + point + " private'");
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            assertThat(out.readLine()).contains("mounted by fusermount3");
            String inside = "nsenter -t " + process.pid() + " -m ";
            assertThat(output(start(inside + AS_USER + "cat " + point + "/hello")))
                    .isEqualTo("Hello, world!\n");
            assertThat(output(start(inside + "cat /proc/self/mountinfo"))).contains("fuse.hello");
            // It stays in the namespace, which would otherwise go with the file system's process.
            Process witness = start(inside + "sh -c 'echo in; read line || cat /proc/self/mountinfo'");
            assertThat(witness.getInputStream().readNBytes(3)).isEqualTo("in\n".getBytes(StandardCharsets.UTF_8));
            // Ended as any program is: its close() unmounts, by fusermount3 again.
            process.destroy();
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            witness.getOutputStream().close();
            assertThat(output(witness)).contains("/proc").doesNotContain("fuse.hello");
        } finally {
            process.destroyForcibly().waitFor();
            deleteTree(base);
        }
    }

    private static Process start(String script) throws IOException {
        return new ProcessBuilder("sh", "-ec", "exec " + script)
                .redirectErrorStream(true)
                .start();
    }

    private static String output(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void whatFusermountRefusesIsExplained() throws Exception {
        assumeThat(Fusermount.isInstalled()).as("fusermount3 (package fuse3)").isTrue();
        Path file = Files.createFile(directory.resolve("file"));
        assertThatThrownBy(() -> Fusermount.mount(file.resolve("below"), OPTIONS))
                .isInstanceOf(MountException.class)
                .hasMessageContaining("fusermount3")
                .hasMessageContaining(file.toString())
                .hasMessageNotContaining("\n");
    }

    private static String copyClassPath(Path target) throws IOException {
        Files.createDirectory(target);
        List<String> copies = new ArrayList<>();
        int n = 0;
        for (String element : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path source = Path.of(element);
            if (Files.isRegularFile(source)
                    && !source.getFileName().toString().matches("(slf4j|logback|fusecache).*")) {
                continue;
            }
            if (!Files.exists(source)) {
                continue;
            }
            Path copy = target.resolve(n++ + "-" + source.getFileName());
            try (var files = Files.walk(source)) {
                for (Path file : files.toList()) {
                    Files.copy(file, copy.resolve(source.relativize(file).toString()));
                }
            }
            copies.add(copy.toString());
        }
        return String.join(File.pathSeparator, copies);
    }

    private static void deleteTree(Path base) throws IOException {
        try (var files = Files.walk(base)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }
}
