package io.fusecache.fuse.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fusecache.fuse.sys.LocalFile;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.sys.PosixException;
import io.fusecache.fuse.wire.Errno;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.InitFlag;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Files that the kernel reads and writes by itself. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PassthroughIT {
    private final AtomicInteger readsAndWrites = new AtomicInteger();
    private final MemoryFileSystem files = new MemoryFileSystem() {
        @Override
        public void handle(FuseRequest request, Reply reply) {
            if (request instanceof FuseRequest.Read || request instanceof FuseRequest.Write) {
                readsAndWrites.incrementAndGet();
            }
            super.handle(request, reply);
        }
    };

    @Test
    void readsAndWritesGoToTheBackingFileAndNotToTheHandler() throws Exception {
        MemoryFileSystem.Node node = files.add(files.root(), "file", MemoryFileSystem.REGULAR | 0644, new byte[0]);
        byte[] bytes = new byte[3 << 20];
        new Random(3).nextBytes(bytes);
        try (Mounted mounted = Mounted.of(files)) {
            assertThat(mounted.session.negotiated().passthrough()).isTrue();
            Files.write(mounted.beside("backing"), bytes);
            files.back(node, mounted.session, mounted.beside("backing"));

            assertThat(Files.readAllBytes(mounted.resolve("file"))).isEqualTo(bytes);
            Files.write(mounted.resolve("file"), "tail".getBytes(UTF_8), StandardOpenOption.APPEND);
            assertThat(Files.size(mounted.resolve("file"))).isEqualTo(bytes.length + 4);
            assertThat(Files.size(mounted.beside("backing"))).isEqualTo(bytes.length + 4);
            // Mapped, by a process whose safepoints do not wait for this one's threads.
            mounted.shell("cmp \"$M/file\" " + mounted.beside("backing"));
            try (RandomAccessFile random =
                    new RandomAccessFile(mounted.resolve("file").toFile(), "rw")) {
                random.setLength(5);
            }
            assertThat(Files.readAllBytes(mounted.beside("backing"))).hasSize(5);
            assertThat(readsAndWrites).hasValue(0);
            close(node);
        }
    }

    @Test
    void opensOfOneInodeShareOneBackingFileOrFail() throws Exception {
        MemoryFileSystem.Node node = files.add(files.root(), "file", MemoryFileSystem.REGULAR | 0644, new byte[0]);
        try (Mounted mounted = Mounted.of(files)) {
            Files.writeString(mounted.beside("backing"), "backing");
            files.back(node, mounted.session, mounted.beside("backing"));
            BackingFile first = Objects.requireNonNull(node.registered);
            int fd = Objects.requireNonNull(node.backing).fd();
            try (var open = Files.newInputStream(mounted.resolve("file"))) {
                node.registered = null;
                assertThatThrownBy(() -> Files.readString(mounted.resolve("file")))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("Input/output error");

                // The same file registered anew is another backing file to the kernel.
                try (BackingFile second = mounted.session.registerBacking(fd)) {
                    node.registered = second;
                    assertThatThrownBy(() -> Files.readString(mounted.resolve("file")))
                            .hasMessageContaining("Input/output error");
                }
                node.registered = first;
                assertThat(Files.readString(mounted.resolve("file"))).isEqualTo("backing");
                // Given back: no new opens by it, but those that have it read on.
                first.close();
                assertThatThrownBy(() -> Files.readString(mounted.resolve("file")))
                        .hasMessageContaining("Input/output error");
                assertThat(open.readAllBytes()).isEqualTo("backing".getBytes(UTF_8));
            }
            node.registered = null;
            node.content = "memory!".getBytes(UTF_8);
            // RELEASE is sent in the background: until it is processed the inode keeps its mode.
            await().ignoreException(IOException.class)
                    .until(() -> Files.readString(mounted.resolve("file")).equals("memory!"));
            try (var cached = Files.newInputStream(mounted.resolve("file"));
                    BackingFile third = mounted.session.registerBacking(fd)) {
                node.registered = third;
                assertThatThrownBy(() -> Files.readString(mounted.resolve("file")))
                        .hasMessageContaining("Input/output error");
                assertThat(cached.read()).isEqualTo('m');
            }
            close(node);
        }
    }

    @Test
    void withoutPassthroughRegisteringSaysSo() throws Exception {
        try (Mounted mounted = Mounted.of(files, options -> options.without(InitFlag.PASSTHROUGH))) {
            assertThat(mounted.session.negotiated().passthrough()).isFalse();
            assertThat(mounted.session.negotiated().describe()).contains("passthrough off: not asked for");
            Files.writeString(mounted.beside("backing"), "");
            try (LocalFile file = LocalFile.open(mounted.beside("backing"), Posix.O_RDWR, 0)) {
                assertThatThrownBy(() -> mounted.session.registerBacking(file.fd()))
                        .isInstanceOfSatisfying(
                                PosixException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EPERM))
                        .hasMessageContaining("passthrough is off");
            }
        }
    }

    @Test
    void theWritebackCacheTakesPassthroughsPlace() throws Exception {
        try (Mounted mounted = Mounted.of(files, options -> options.with(InitFlag.WRITEBACK_CACHE))) {
            Capabilities agreed = mounted.session.negotiated();
            assertThat(agreed.has(InitFlag.WRITEBACK_CACHE)).isTrue();
            assertThat(agreed.passthrough()).isFalse();
            assertThat(agreed.whyOff(InitFlag.PASSTHROUGH))
                    .hasValueSatisfying(why -> assertThat(why).contains("WRITEBACK_CACHE"));
        }
    }

    private static void close(MemoryFileSystem.Node node) throws PosixException {
        if (node.registered != null) {
            node.registered.close();
        }
        if (node.backing != null) {
            node.backing.close();
        }
    }
}
