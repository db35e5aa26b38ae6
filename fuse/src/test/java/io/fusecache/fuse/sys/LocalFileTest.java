package io.fusecache.fuse.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.fuse.wire.Errno;
import java.io.EOFException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalFileTest {
    @TempDir
    private Path directory;

    private static void assertErrno(int errno, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        PosixException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void bytesGoInAndOutAtAnyOffset() throws Exception {
        try (Arena arena = Arena.ofConfined();
                LocalFile file = LocalFile.open(directory.resolve("f"), Posix.O_RDWR | Posix.O_CREAT, 0640)) {
            MemorySegment text = arena.allocateFrom("hello");
            file.write(text.asSlice(0, 5), 10_000);
            MemorySegment back = arena.allocate(20);
            assertThat(file.read(back, 9_998)).isEqualTo(7);
            assertThat(back.asSlice(0, 7).toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(new byte[] {0, 0, 'h', 'e', 'l', 'l', 'o'});
            assertThatThrownBy(() -> file.readFully(back, 9_998))
                    .isInstanceOf(EOFException.class)
                    .hasMessageContaining("ends at 10005");
            assertThat(file.stat().size()).isEqualTo(10_005);
            assertThat(file.stat().mode() & 0777).isEqualTo(0640);
            assertThat(file.stat().isRegular()).isTrue();
            file.truncate(3);
            assertThat(Files.size(file.path())).isEqualTo(3);
            file.sync();
            file.syncData();
            file.startWriteback(0, 3);
            file.advise(0, 0, Posix.POSIX_FADV_DONTNEED);
        }
    }

    @Test
    void holesAreFoundAndPunched() throws Exception {
        try (Arena arena = Arena.ofConfined();
                LocalFile file = LocalFile.open(directory.resolve("f"), Posix.O_RDWR | Posix.O_CREAT, 0600)) {
            file.truncate(1 << 20);
            assertErrno(Errno.ENXIO, () -> file.seek(0, Posix.SEEK_DATA));
            file.write(arena.allocate(65536).fill((byte) 1), 512 << 10);
            assertThat(file.seek(0, Posix.SEEK_DATA)).isEqualTo(512 << 10);
            assertThat(file.seek(512 << 10, Posix.SEEK_HOLE)).isEqualTo((512 << 10) + 65536);
            file.allocate(Posix.FALLOC_FL_PUNCH_HOLE | Posix.FALLOC_FL_KEEP_SIZE, 512 << 10, 65536);
            assertErrno(Errno.ENXIO, () -> file.seek(0, Posix.SEEK_DATA));
            assertThat(file.stat().blocks()).isZero();
        }
    }

    @Test
    void appendsOfSeveralDescriptorsComeOneAfterTheOther() throws Exception {
        Path path = directory.resolve("log");
        int threads = 4;
        int lines = 500;
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<?>> appenders = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                byte[] line = (t + " ".repeat(50 * t) + "\n").getBytes(StandardCharsets.US_ASCII);
                appenders.add(executor.submit(() -> {
                    try (LocalFile file = LocalFile.open(path, Posix.O_RDWR | Posix.O_CREAT, 0600);
                            Arena arena = Arena.ofConfined()) {
                        MemorySegment source = arena.allocate(line.length);
                        MemorySegment.copy(line, 0, source, ValueLayout.JAVA_BYTE, 0, line.length);
                        for (int i = 0; i < lines; i++) {
                            file.append(source);
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> appender : appenders) {
                appender.get();
            }
        }
        List<String> written = Files.readAllLines(path);
        assertThat(written).hasSize(threads * lines);
        for (int t = 0; t < threads; t++) {
            assertThat(written).filteredOn((t + " ".repeat(50 * t))::equals).hasSize(lines);
        }
    }

    @Test
    void timesHaveNanoseconds() throws Exception {
        try (LocalFile file = LocalFile.open(directory.resolve("f"), Posix.O_RDWR | Posix.O_CREAT, 0600)) {
            file.times(0, Posix.UTIME_OMIT, 1_234_567_890L, 123_456_789);
            assertThat(Files.getLastModifiedTime(file.path()))
                    .isEqualTo(FileTime.from(1_234_567_890_123_456_789L, TimeUnit.NANOSECONDS));
            assertThat(file.stat().mtimeEpochNanos()).isEqualTo(1_234_567_890_123_456_789L);
            assertThat(file.stat().birthSeconds()).isPositive();
        }
    }

    @Test
    void filesAreCopiedWithinTheKernel() throws Exception {
        Files.writeString(directory.resolve("a"), "0123456789");
        try (LocalFile from = LocalFile.open(directory.resolve("a"), Posix.O_RDONLY, 0);
                LocalFile to = LocalFile.open(directory.resolve("b"), Posix.O_WRONLY | Posix.O_CREAT, 0600)) {
            assertThat(from.copyTo(to, 5, 1, 100)).isEqualTo(5);
            assertThat(from.copyTo(to, 10, 0, 100)).isZero();
            assertThat(Posix.sendfile(to.fd(), from.fd(), 0, 1)).isEqualTo(1);
        }
        assertThat(Files.readString(directory.resolve("b"))).isEqualTo("056789");
    }

    @Test
    void anErrorNamesCallFileAndNumber() throws Exception {
        Path missing = directory.resolve("missing");
        assertThatThrownBy(() -> LocalFile.open(missing, Posix.O_RDONLY, 0)).hasMessage("open " + missing + ": ENOENT");
        LocalFile file = LocalFile.open(directory.resolve("f"), Posix.O_RDONLY | Posix.O_CREAT, 0600);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(10);
            assertErrno(Errno.EBADF, () -> file.write(buffer, 0));
            assertThatThrownBy(() -> Posix.pread(file.fd(), buffer, 11, 0))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
        file.close();
        file.close();
        assertThatThrownBy(() -> Posix.open("a\0b", 0, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aLockKeepsOthersOut() throws Exception {
        Path path = directory.resolve("lock");
        try (LocalFile one = LocalFile.open(path, Posix.O_RDWR | Posix.O_CREAT, 0600);
                LocalFile two = LocalFile.open(path, Posix.O_RDWR, 0)) {
            assertThat(one.tryLock()).isTrue();
            assertThat(two.tryLock()).isFalse();
        }
    }

    @Test
    void entriesAreLinkedRenamedAndRemoved() throws Exception {
        String a = Files.writeString(directory.resolve("a"), "A").toString();
        String b = directory.resolve("b").toString();
        assertThat(Posix.linkat(Posix.AT_FDCWD, a, Posix.AT_FDCWD, b, 0)).isZero();
        assertThat(Posix.linkat(Posix.AT_FDCWD, a, Posix.AT_FDCWD, b, 0)).isEqualTo(-Errno.EEXIST);
        assertThat(Posix.unlinkat(Posix.AT_FDCWD, a, 0)).isZero();
        assertThat(Posix.renameat2(Posix.AT_FDCWD, b, Posix.AT_FDCWD, a, 0)).isZero();
        assertThat(Posix.mkdirat(Posix.AT_FDCWD, b, 0700)).isZero();
        assertThat(Posix.statx(Posix.AT_FDCWD, b, Posix.AT_SYMLINK_NOFOLLOW).isDirectory())
                .isTrue();
        assertThat(Posix.unlinkat(Posix.AT_FDCWD, b, Posix.AT_REMOVEDIR)).isZero();
        int fd = Posix.open(directory.toString(), Posix.O_RDONLY | Posix.O_DIRECTORY, 0);
        FileSystemStat stat = Posix.fstatvfs(fd);
        assertThat(stat.totalBytes()).isEqualTo(Files.getFileStore(directory).getTotalSpace());
        assertThat(stat.nameLength()).isEqualTo(255);
        assertThat(Posix.close(fd)).isZero();
        assertThat(Posix.close(fd)).isEqualTo(-Errno.EBADF);
    }

    @Test
    void manyThreadsKeepTheirErrorsApart() throws Exception {
        Thread[] threads = new Thread[200];
        int[] wrong = new int[threads.length];
        for (int i = 0; i < threads.length; i++) {
            int number = i;
            threads[i] = Thread.ofVirtual().start(() -> {
                for (int n = 0; n < 500; n++) {
                    int answer = number % 2 == 0 ? Posix.close(-1) : Posix.open("/nonexistent/x", Posix.O_RDONLY, 0);
                    if (answer != (number % 2 == 0 ? -Errno.EBADF : -Errno.ENOENT)) {
                        wrong[number]++;
                    }
                }
            });
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(wrong).containsOnly(0);
    }
}
