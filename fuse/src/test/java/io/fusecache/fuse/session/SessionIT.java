package io.fusecache.fuse.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.FuseRequest;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ordinary use of a real mount, through the kernel. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SessionIT {
    private final MemoryFileSystem files = new MemoryFileSystem();

    @Test
    void namesAttributesAndBytesComeThrough() throws IOException {
        files.add(files.root(), "greeting", MemoryFileSystem.REGULAR | 0640, "hello".getBytes(UTF_8));
        try (Mounted mounted = Mounted.of(files)) {
            Path greeting = mounted.resolve("greeting");
            assertThat(Files.readString(greeting)).isEqualTo("hello");
            assertThat(Files.getPosixFilePermissions(greeting)).isEqualTo(PosixFilePermissions.fromString("rw-r-----"));
            assertThat(Files.getLastModifiedTime(greeting).toInstant())
                    .isEqualTo(Instant.ofEpochSecond(1_700_000_000L, 123_456_789));
            assertThat(Files.getAttribute(greeting, "unix:ino")).isEqualTo(2L);
            assertThat(mounted.resolve("absent")).doesNotExist();
            assertThat(Files.getFileStore(greeting).getTotalSpace()).isEqualTo(1000 * 4096L);
        }
    }

    @Test
    void everyOrdinaryOperationReachesTheHandler() throws IOException {
        try (Mounted mounted = Mounted.of(files)) {
            Path directory = Files.createDirectories(mounted.resolve("a/b"));
            Path file = Files.writeString(directory.resolve("file"), "one");
            Files.writeString(file, " two", java.nio.file.StandardOpenOption.APPEND);
            assertThat(Files.readString(file)).isEqualTo("one two");
            Path moved = Files.move(file, mounted.resolve("moved"), StandardCopyOption.ATOMIC_MOVE);
            assertThat(file).doesNotExist();
            Path link = Files.createSymbolicLink(mounted.resolve("link"), Path.of("moved"));
            assertThat(Files.readSymbolicLink(link)).hasToString("moved");
            assertThat(Files.readString(link)).isEqualTo("one two");
            Path hard = Files.createLink(mounted.resolve("hard"), moved);
            assertThat(Files.getAttribute(hard, "unix:nlink")).isEqualTo(2);
            Files.setPosixFilePermissions(moved, PosixFilePermissions.fromString("rwx--x---"));
            assertThat(Files.getPosixFilePermissions(hard)).isEqualTo(PosixFilePermissions.fromString("rwx--x---"));
            try (RandomAccessFile random = new RandomAccessFile(moved.toFile(), "rw")) {
                random.setLength(3);
                random.seek(10);
                random.write('x');
            }
            assertThat(Files.readAllBytes(moved)).isEqualTo("one\0\0\0\0\0\0\0x".getBytes(UTF_8));
            Files.delete(hard);
            Files.delete(link);
            assertThatThrownBy(() -> Files.delete(mounted.resolve("a")))
                    .isInstanceOf(java.nio.file.DirectoryNotEmptyException.class);
            Files.delete(directory);
            assertThatThrownBy(() -> Files.createDirectory(mounted.resolve("a")))
                    .isInstanceOf(FileAlreadyExistsException.class);
        }
    }

    @Test
    void renameFlagsComeThrough() throws Exception {
        try (Mounted mounted = Mounted.of(files)) {
            Path a = Files.writeString(mounted.resolve("a"), "A");
            Path b = Files.writeString(mounted.resolve("b"), "B");
            assertThat(Posix.renameat2(Posix.AT_FDCWD, a.toString(), Posix.AT_FDCWD, b.toString(), 1))
                    .isEqualTo(-17);
            assertThat(Posix.renameat2(
                            Posix.AT_FDCWD, a.toString(), Posix.AT_FDCWD, b.toString(), FuseRequest.Rename.EXCHANGE))
                    .isZero();
            assertThat(Files.readString(a)).isEqualTo("B");
            assertThat(Files.readString(b)).isEqualTo("A");
        }
    }

    @Test
    void namesAreBytes() throws Exception {
        try (Mounted mounted = Mounted.of(files)) {
            mounted.shell("n=$(printf 'caf\\351 \\001\\377'); echo odd > \"$M/$n\"; test \"$(cat \"$M/$n\")\" = odd");
            byte[] name = files.root().children.firstKey().toByteArray();
            assertThat(name).isEqualTo(new byte[] {'c', 'a', 'f', (byte) 0xe9, ' ', 1, (byte) 0xff});
            String longest = "n".repeat(255);
            Files.writeString(mounted.resolve(longest), "");
            assertThat(mounted.shell("ls $M | wc -l").strip()).isEqualTo("2");
        }
    }

    @Test
    void aLargeDirectoryIsListedWhole() throws Exception {
        for (int i = 0; i < 5000; i++) {
            files.add(files.root(), "entry-" + i, MemoryFileSystem.REGULAR | 0644, new byte[i % 7]);
        }
        try (Mounted mounted = Mounted.of(files, options -> options.withCountLookups(true))) {
            try (var entries = Files.list(mounted.path)) {
                assertThat(entries).hasSize(5000);
            }
            long before = files.lookups.get();
            assertThat(mounted.shell("ls -l $M | wc -l").strip()).isEqualTo("5001");
            // READDIRPLUS brought most names' attributes along; the kernel goes over to it once it sees them asked for.
            assertThat(files.lookups.get() - before).isLessThan(2500);
            assertThat(mounted.session.lookups().orElseThrow().nodes()).isEqualTo(5000);
        }
    }

    @Test
    void largeAndSmallWritesArriveWhole() throws IOException {
        byte[] bytes = new byte[5 * (1 << 20) + 12345];
        new Random(7).nextBytes(bytes);
        try (Mounted mounted = Mounted.of(files)) {
            Path file = Files.write(mounted.resolve("large"), bytes);
            try (RandomAccessFile random = new RandomAccessFile(file.toFile(), "rw")) {
                for (int i = 0; i < 200; i++) {
                    random.seek(i * 10_007L);
                    random.write(i);
                    bytes[i * 10_007] = (byte) i;
                }
            }
            assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
            assertThat(files.node(2).content).isEqualTo(bytes);
        }
    }

    @Test
    void extendedAttributesComeThrough() throws IOException {
        try (Mounted mounted = Mounted.of(files)) {
            Path file = Files.writeString(mounted.resolve("file"), "");
            Files.setAttribute(file, "user:colour", "green".getBytes(UTF_8));
            assertThat((byte[]) Files.getAttribute(file, "user:colour")).isEqualTo("green".getBytes(UTF_8));
        }
    }

    @Test
    void anUnmountedSessionLeavesNothingBehind() throws Exception {
        Mounted mounted = Mounted.of(files);
        Files.writeString(mounted.resolve("file"), "x");
        mounted.close();
        assertThat(files.destroyed).isTrue();
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain(mounted.path.toString());
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.isAlive() && thread.getName().startsWith("fuse-mnt"));
        try (var fds = Files.list(Path.of("/proc/self/fd"))) {
            assertThat(fds.filter(fd -> {
                        try {
                            return Files.readSymbolicLink(fd).toString().equals("/dev/fuse");
                        } catch (IOException e) {
                            return false;
                        }
                    }))
                    .isEmpty();
        }
    }

    @Test
    void anUnmountFromOutsideEndsTheSession() throws Exception {
        try (Mounted mounted = Mounted.of(files)) {
            mounted.shell("umount $M");
            mounted.session.awaitUnmount();
            assertThat(files.destroyed).isTrue();
            assertThat(mounted.session.requestsInFlight()).isZero();
        }
    }

    @Test
    void readAheadIsRaised() throws IOException {
        try (Mounted mounted = Mounted.of(files, options -> options.withReadAheadKib(2048))) {
            assertThat(mounted.session.negotiated().readAheadKib()).isEqualTo(2048);
        }
    }
}
