package io.fusecache.fuse.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fusecache.fuse.mount.MountTable;
import io.fusecache.fuse.sys.Linux;
import io.fusecache.fuse.sys.LocalFile;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.Errno;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.InitFlag;
import io.fusecache.fuse.wire.MalformedRequest;
import io.fusecache.fuse.wire.OpenReply;
import io.fusecache.fuse.wire.ReplyEncoder;
import io.fusecache.fuse.wire.RequestDecoder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every request is answered, once: late, from another thread, interrupted, dropped, or at the end of the session. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AnswerIT {
    /** What a READ of the file "slow" is handed to instead of being answered. */
    private interface SlowRead {
        void handle(FuseRequest.Read read, Reply reply);
    }

    private final BlockingQueue<Reply> held = new LinkedBlockingQueue<>();
    private volatile SlowRead slowRead = (read, reply) -> held.add(reply);
    private final MemoryFileSystem.Node[] slow = new MemoryFileSystem.Node[1];
    private final MemoryFileSystem files = new MemoryFileSystem() {
        @Override
        public void handle(FuseRequest request, Reply reply) {
            switch (request) {
                case FuseRequest.Read read when read.nodeId() == slow[0].id -> slowRead.handle(read, reply);
                // No page cache, so that every read(2) is a READ.
                case FuseRequest.Open open
                when open.nodeId() == slow[0].id -> reply.opened(OpenReply.of(1, OpenReply.DIRECT_IO));
                default -> super.handle(request, reply);
            }
        }
    };

    AnswerIT() {
        slow[0] = files.add(files.root(), "slow", MemoryFileSystem.REGULAR | 0644, new byte[1 << 20]);
    }

    private Reply heldReply() throws InterruptedException {
        Reply reply = held.poll(10, TimeUnit.SECONDS);
        assertThat(reply).isNotNull();
        return reply;
    }

    @Test
    void anAnswerMayComeLateAndFromAnyThread() throws Exception {
        try (Mounted mounted = Mounted.of(files)) {
            Process reader = mounted.start("head -c 5 \"$M/slow\"");
            Reply reply = heldReply();
            await().until(() -> mounted.session.requestsInFlight() == 1);
            Thread answerer =
                    Thread.startVirtualThread(() -> reply.data(MemorySegment.ofArray("later".getBytes(UTF_8))));
            assertThat(reader.getInputStream().readAllBytes()).isEqualTo("later".getBytes(UTF_8));
            answerer.join();
            await().until(() -> mounted.session.requestsInFlight() == 0);
        }
    }

    @Test
    void aSecondAnswerIsAMistake() throws Exception {
        try (Mounted mounted = Mounted.of(files)) {
            Process reader = mounted.start("cat \"$M/slow\" || true");
            Reply reply = heldReply();
            assertThat(reply.error(Errno.EACCES)).isTrue();
            assertThatThrownBy(() -> reply.error(Errno.EIO)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> reply.buffer(10)).isInstanceOf(IllegalStateException.class);
            assertThat(new String(reader.getInputStream().readAllBytes(), UTF_8))
                    .contains("Permission denied");
        }
    }

    @Test
    void anInterruptedReadHearsOfItAndIsOverWhenAnswered() throws Exception {
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        slowRead = (read, reply) -> {
            reply.onInterrupt(() -> {
                seen.add("interrupted");
                reply.error(Errno.EINTR);
            });
            seen.add("waiting");
        };
        try (Mounted mounted = Mounted.of(files)) {
            Process reader = mounted.start("exec cat \"$M/slow\"");
            assertThat(seen.poll(10, TimeUnit.SECONDS)).isEqualTo("waiting");
            reader.destroy();
            assertThat(seen.poll(10, TimeUnit.SECONDS)).isEqualTo("interrupted");
            assertThat(reader.waitFor(10, TimeUnit.SECONDS)).isTrue();
            await().until(() -> mounted.session.requestsInFlight() == 0);
        }
    }

    @Test
    void anInterruptReachesAReadThatItsReaderStillHandles() throws Exception {
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        slowRead = (read, reply) -> {
            Thread reader = Thread.currentThread();
            reply.onInterrupt(reader::interrupt);
            seen.add("waiting");
            try {
                Thread.sleep(Duration.ofSeconds(30));
                reply.error(Errno.EIO);
            } catch (InterruptedException e) {
                reply.error(Errno.EINTR);
                seen.add("interrupted");
            }
        };
        try (Mounted mounted = Mounted.of(files)) {
            Process reader = mounted.start("exec cat \"$M/slow\"");
            assertThat(seen.poll(10, TimeUnit.SECONDS)).isEqualTo("waiting");
            reader.destroy();
            assertThat(seen.poll(10, TimeUnit.SECONDS)).isEqualTo("interrupted");
            assertThat(reader.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    /**
     * The test is the reader that has taken a request and not shown it yet, while the session's reader of another descriptor
     * gets the INTERRUPT.
     */
    @Test
    void anInterruptThatOvertakesItsRequestComesAgain() throws Exception {
        List<CountDownLatch> release = List.of(new CountDownLatch(1), new CountDownLatch(1));
        BlockingQueue<Integer> stuck = new LinkedBlockingQueue<>();
        slowRead = (read, reply) -> {
            int reader = Thread.currentThread().getName().endsWith("-0") ? 0 : 1;
            stuck.add(reader);
            try {
                release.get(reader).await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            reply.error(Errno.EINTR);
        };
        try (Mounted mounted = Mounted.of(files, options -> options.withReaders(2));
                LocalFile slowFile = LocalFile.open(mounted.resolve("slow"), Posix.O_RDONLY, 0);
                Arena arena = Arena.ofShared()) {
            Asker first = new Asker(slowFile);
            Asker second = new Asker(slowFile);
            assertThat(List.of(stuck.take(), stuck.take())).containsExactlyInAnyOrder(0, 1);
            Asker third = new Asker(slowFile);
            int device = mounted.session.descriptors().get(1);
            MemorySegment message = arena.allocate(2 << 20);
            FuseRequest taken = take(device, message);
            assertThat(taken).isInstanceOf(FuseRequest.Read.class);
            assertThat(Linux.signalThread(third.threadId.get(), SIGNAL)).isZero();
            release.get(0).countDown();
            long unique = taken.header().unique();
            assertThat(take(device, message))
                    .isInstanceOfSatisfying(
                            FuseRequest.Interrupt.class,
                            interrupt -> assertThat(interrupt.target()).isEqualTo(unique));
            ReplyEncoder.header(message, 0, ReplyEncoder.HEADER_LENGTH, Errno.EINTR, unique);
            assertThat(Posix.write(device, message, ReplyEncoder.HEADER_LENGTH)).isEqualTo(ReplyEncoder.HEADER_LENGTH);
            release.get(1).countDown();
            for (Asker asker : List.of(first, second, third)) {
                assertThat(asker.answer.get(10, TimeUnit.SECONDS)).isEqualTo(-Errno.EINTR);
            }
        }
    }

    private static final int SIGNAL = 60;

    /** A thread in pread(2), whose signals do nothing but interrupt it. */
    private static final class Asker {
        final CompletableFuture<Integer> threadId = new CompletableFuture<>();
        final CompletableFuture<Long> answer = new CompletableFuture<>();

        Asker(LocalFile file) {
            Thread.ofPlatform().daemon().start(() -> {
                try (Arena arena = Arena.ofConfined()) {
                    threadId.complete(Linux.threadId());
                    answer.complete(Posix.pread(file.fd(), arena.allocate(16), 16, 0));
                }
            });
        }
    }

    private static FuseRequest take(int device, MemorySegment message) throws MalformedRequest {
        long length = Posix.read(device, message, message.byteSize());
        return new RequestDecoder(true).decode(message, Math.toIntExact(length));
    }

    @Test
    void aReplyDroppedUnansweredAnswersEio() throws Exception {
        slowRead = (read, reply) -> {};
        try (Mounted mounted = Mounted.of(files)) {
            Process reader = mounted.start("cat \"$M/slow\" || true");
            await().pollInterval(Duration.ofMillis(50)).until(() -> {
                System.gc();
                return !reader.isAlive();
            });
            assertThat(new String(reader.getInputStream().readAllBytes(), UTF_8))
                    .contains("Input/output error");
        }
    }

    @Test
    void aHandlerThatThrowsAnswersEio() throws Exception {
        slowRead = (read, reply) -> {
            throw new IllegalStateException("thrown by the test's handler, on purpose");
        };
        try (Mounted mounted = Mounted.of(files)) {
            assertThat(mounted.shell("cat \"$M/slow\" || true")).contains("Input/output error");
            assertThat(mounted.resolve("slow")).exists();
        }
    }

    @Test
    void whatIsInFlightAtTheEndAnswersEio() throws Exception {
        Mounted mounted = Mounted.of(files, options -> options.withDrainTimeout(Duration.ofMillis(300)));
        Process reader = mounted.start("cat \"$M/slow\" || true");
        Reply late = heldReply();
        mounted.close();
        assertThat(new String(reader.getInputStream().readAllBytes(), UTF_8)).contains("Input/output error");
        assertThat(reader.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(late.error(Errno.EACCES)).isFalse();
        assertThat(files.destroyed).isTrue();
        assertThat(mounted.session.requestsInFlight()).isZero();
    }

    @Test
    void aHandlerThatNeverReturnsDoesNotKeepTheEndFromComing() throws Exception {
        CountDownLatch stuck = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        slowRead = (read, reply) -> {
            stuck.countDown();
            try {
                released.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            held.add(reply);
        };
        Mounted mounted = Mounted.of(files, options -> options.withDrainTimeout(Duration.ofMillis(100)));
        Process reader = mounted.start("cat \"$M/slow\" || true");
        stuck.await();
        mounted.session.close();
        assertThat(new String(reader.getInputStream().readAllBytes(), UTF_8)).contains("Input/output error");
        released.countDown();
        assertThat(heldReply().error(Errno.EACCES)).isFalse();
        mounted.close();
    }

    @Test
    void aResentRequestSaysSoAndTheFirstAnswerIsTooLate() throws Exception {
        List<Boolean> resent = new CopyOnWriteArrayList<>();
        slowRead = (read, reply) -> {
            resent.add(read.header().resent());
            held.add(reply);
        };
        try (Mounted mounted = Mounted.of(files)) {
            Process reader = mounted.start("head -c 3 \"$M/slow\"");
            Reply first = heldReply();
            mounted.session.notifier().resend();
            Reply second = heldReply();
            assertThat(resent).containsExactly(false, true);
            assertThat(first.error(Errno.EACCES)).isFalse();
            assertThat(second.data(MemorySegment.ofArray("two".getBytes(UTF_8))))
                    .isTrue();
            assertThat(reader.getInputStream().readAllBytes()).isEqualTo("two".getBytes(UTF_8));
        }
    }

    @Test
    void anAbortedConnectionIsUnmounted() throws Exception {
        try (Mounted mounted = Mounted.of(files)) {
            Path control = Files.createDirectory(mounted.beside("fusectl"));
            int minor = MountTable.find(mounted.path).orElseThrow().deviceMinor();
            mounted.shell("mount -t fusectl none " + control + "; echo 1 > " + control + "/" + minor + "/abort; umount "
                    + control);
            mounted.session.awaitUnmount();
            assertThat(MountTable.find(mounted.path)).isEmpty();
            assertThat(files.destroyed).isTrue();
        }
    }

    @Test
    void openFilesAreServedUntilTheDrainTimeout() throws Exception {
        files.add(files.root(), "file", MemoryFileSystem.REGULAR | 0644, "content".getBytes(UTF_8));
        Mounted mounted = Mounted.of(files, options -> options.withDrainTimeout(Duration.ofSeconds(20)));
        Process reader = mounted.start("exec 3<\"$M/file\"; echo open; read line; cat <&3");
        reader.getInputStream().readNBytes(5);
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        Thread closer = Thread.ofPlatform().start(() -> {
            try {
                mounted.close();
            } catch (IOException e) {
                failure.set(e);
            }
        });
        await().until(() -> !Files.readString(Path.of("/proc/self/mountinfo")).contains(mounted.path.toString()));
        reader.getOutputStream().write("go\n".getBytes(UTF_8));
        reader.getOutputStream().close();
        assertThat(new String(reader.getInputStream().readAllBytes(), UTF_8)).isEqualTo("content");
        // The last open file is closed, and that ends it: long before the timeout.
        assertThat(closer.join(Duration.ofSeconds(10))).isTrue();
        assertThat(failure).hasValue(null);
        assertThat(files.destroyed).isTrue();
    }

    @Test
    void bytesOfAFileComeBySpliceAndByCopyAndEndWhereItDoes() throws Exception {
        byte[] bytes = new byte[(2 << 20) + 777];
        new Random(11).nextBytes(bytes);
        for (boolean splice : new boolean[] {true, false}) {
            try (Mounted mounted =
                    Mounted.of(files, options -> splice ? options : options.without(InitFlag.SPLICE_WRITE))) {
                Path backing = Files.write(mounted.beside("backing"), bytes);
                try (LocalFile file = LocalFile.open(backing, Posix.O_RDONLY, 0)) {
                    slowRead = (read, reply) -> reply.dataFromFile(file.fd(), read.offset(), read.size());
                    mounted.shell("dd if=\"$M/slow\" bs=1000 status=none | cmp - " + backing);
                    mounted.shell("dd if=\"$M/slow\" bs=1M status=none | cmp - " + backing);
                    long before = mounted.session.splicedAnswers();
                    mounted.shell("dd if=\"$M/slow\" bs=512k status=none | cmp - " + backing);
                    // Four whole answers, the file's end, and one at it: a short one goes the same way. Counted when
                    // the
                    // kernel has it, so a moment after the reader may be done.
                    boolean possible = mounted.session.negotiated().longestSpliceBytes() >= 512 << 10;
                    long expected = before + (splice && possible ? 6 : 0);
                    await().until(() -> mounted.session.splicedAnswers() == expected);
                    assertThat(mounted.session.negotiated().describe()).contains(splice ? "splice o" : "splice off");
                    assertThat(possible || !splice)
                            .as("pipes of 1 MiB, which any process may have")
                            .isTrue();
                    slowRead = (read, reply) -> reply.dataFromFile(-1, read.offset(), read.size());
                    assertThat(mounted.shell("dd if=\"$M/slow\" bs=1M 2>&1 || true"))
                            .contains("Bad file descriptor");
                }
            }
        }
    }

    @Test
    void aPooledBufferIsTheFastWayToAnswer() throws Exception {
        slowRead = (read, reply) -> {
            var buffer = reply.buffer(read.size());
            buffer.fill((byte) 'b');
            reply.data(read.offset() == 0 ? buffer : buffer.asSlice(0, 0));
        };
        try (Mounted mounted = Mounted.of(files)) {
            for (int i = 0; i < 100; i++) {
                assertThat(mounted.shell("dd if=\"$M/slow\" bs=1M count=2 status=none | tr -d b | wc -c")
                                .strip())
                        .isEqualTo("0");
            }
        }
    }
}
