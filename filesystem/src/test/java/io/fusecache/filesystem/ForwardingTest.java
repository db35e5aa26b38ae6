package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.cache.HomeRequest;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file that several nodes have open while one of them writes it: one disk for all. */
final class ForwardingTest {
    private static final int BLOCK = TestCluster.BLOCK_BYTES;

    @TempDir
    Path folder = Path.of("/");

    TestCluster cluster;
    TestNode nodeA;
    TestNode nodeB;
    TestNode nodeC;
    Programs a;
    Programs b;
    Programs c;

    @BeforeEach
    void start() throws IOException {
        cluster = new TestCluster(folder);
        nodeA = cluster.node("a", TestNode.Setup.of(true).withUploadDelay(Duration.ofMinutes(10)));
        nodeB = cluster.node("b", TestNode.Setup.of(true).withUploadDelay(Duration.ofMinutes(10)));
        nodeC = cluster.node("c", TestNode.Setup.of(false).withUploadDelay(Duration.ofMinutes(10)));
        a = nodeA.programs();
        b = nodeB.programs();
        c = nodeC.programs();
    }

    @AfterEach
    void stop() throws IOException {
        cluster.close();
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String read(Programs.Fd fd) throws Exception {
        return new String(fd.read(0, 1000), StandardCharsets.UTF_8);
    }

    private @Nullable NodeId writer(String path) throws Exception {
        return nodeC.metadata.inode(NodeIds.ino(c.find(path).id())).writer();
    }

    private void awaitNoWriter(String path) {
        Awaitility.await().until(() -> writer(path) == null);
    }

    @Test
    void writersOnTwoNodesSeeEachOthersBytesAtOnce() throws Exception {
        a.write("/f", text("..........."));
        try (Programs.Fd atA = a.open("/f", Programs.READ_WRITE);
                Programs.Fd atB = b.open("/f", Programs.READ_WRITE)) {
            assertThat(atB.file.direct()).isTrue();
            assertThat(atB.file.passthrough()).isFalse();
            atA.write(0, text("one"));
            assertThat(read(atB)).isEqualTo("one........");
            atB.write(8, text("two"));
            assertThat(read(atA)).isEqualTo("one.....two");
            assertThat(nodeA.kernel.wasTold(atA.id)).isTrue();
        }
        awaitNoWriter("/f");
        assertThat(new String(c.read("/f"), StandardCharsets.UTF_8)).isEqualTo("one.....two");
        assertThat(c.stat("/f").version()).isGreaterThan(1);
    }

    @Test
    void aReaderSeesWhatAWriterElsewhereHasNotClosedYet() throws Exception {
        try (Programs.Fd atA = a.create("/f")) {
            atA.write(0, text("fresh"));
            assertThat(b.stat("/f").size()).isEqualTo(5);
            try (Programs.Fd atB = b.open("/f", OpenMode.READ)) {
                assertThat(read(atB)).isEqualTo("fresh");
                assertThat(atB.stat().size()).isEqualTo(5);
                atA.write(5, text("er"));
                assertThat(read(atB)).isEqualTo("fresher");
                assertThat(atB.stat().size()).isEqualTo(7);
                assertThat(atB.stat().modified()).isEqualTo(atA.stat().modified());
                OneNodeSuite.fails(Errno.EBADF, () -> atB.write(0, text("x")));
            }
        }
        assertThat(new String(b.read("/f"), StandardCharsets.UTF_8)).isEqualTo("fresher");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void tenAppendersOnThreeNodesLoseAndTearNoLine(boolean passthrough) throws Exception {
        Programs home = cluster.node("home", TestNode.Setup.of(passthrough).withUploadDelay(Duration.ofMinutes(10)))
                .programs();
        home.create("/log").close();
        int lines = 60;
        List<String> expected = new ArrayList<>();
        try (Programs.Fd keeps = home.open("/log", Programs.READ_WRITE);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> appenders = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                Programs at = List.of(home, b, c).get(i % 3);
                String name = "appender " + i;
                for (int line = 0; line < lines; line++) {
                    expected.add(line(name, line));
                }
                appenders.add(threads.submit(() -> {
                    try (Programs.Fd fd = at.open("/log", Programs.READ_WRITE)) {
                        for (int line = 0; line < lines; line++) {
                            fd.append(text(line(name, line) + "\n"));
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> one : appenders) {
                one.get(60, TimeUnit.SECONDS);
            }
            assertThat(keeps.stat().size()).isPositive();
        }
        String content = new String(b.read("/log"), StandardCharsets.UTF_8);
        assertThat(new TreeSet<>(Arrays.asList(content.split("\n", -1)))).containsAll(expected);
        assertThat(content.split("\n", -1)).hasSize(expected.size() + 1);
    }

    private static String line(String name, int number) {
        return (name + " line " + number + " ").repeat(1 + number % 7);
    }

    @Test
    void theHomeMovesWhenItsLastWriterCloses() throws Exception {
        a.write("/f", text("0"));
        Programs.Fd atA = a.open("/f", Programs.READ_WRITE);
        Programs.Fd atB = b.open("/f", Programs.READ_WRITE);
        atA.close();
        assertThat(writer("/f")).isEqualTo(new NodeId("a"));
        atB.write(1, text("1"));
        atB.close();
        awaitNoWriter("/f");
        try (Programs.Fd again = b.open("/f", Programs.READ_WRITE)) {
            assertThat(writer("/f")).isEqualTo(new NodeId("b"));
            again.write(2, text("2"));
            try (Programs.Fd back = a.open("/f", OpenMode.READ)) {
                assertThat(read(back)).isEqualTo("012");
            }
        }
        assertThat(new String(a.read("/f"), StandardCharsets.UTF_8)).isEqualTo("012");
    }

    @Test
    void truncationReachesTheHomeInEveryWay() throws Exception {
        a.write("/f", OneNodeSuite.bytes(1, 3 * BLOCK));
        try (Programs.Fd atA = a.open("/f", Programs.READ_WRITE)) {
            try (Programs.Fd atB = b.open("/f", Programs.READ_WRITE)) {
                atB.truncate(2 * BLOCK);
                assertThat(atA.stat().size()).isEqualTo(2 * BLOCK);
                assertThat(atB.stat().size()).isEqualTo(2 * BLOCK);
            }
            c.truncate("/f", BLOCK);
            assertThat(atA.stat().size()).isEqualTo(BLOCK);
            try (Programs.Fd atC = c.open("/f", Programs.TRUNCATE)) {
                assertThat(atA.stat().size()).isZero();
                atC.write(0, text("new"));
                assertThat(read(atA)).isEqualTo("new");
            }
            assertThat(writer("/f")).isEqualTo(new NodeId("a"));
        }
    }

    @Test
    void holesAllocationAndTimesAreThoseOfTheHome() throws Exception {
        a.write("/f", OneNodeSuite.bytes(1, 10));
        try (Programs.Fd atA = a.open("/f", Programs.READ_WRITE);
                Programs.Fd atB = b.open("/f", Programs.READ_WRITE)) {
            atB.allocate(0, 0, BLOCK);
            assertThat(atA.stat().size()).isEqualTo(BLOCK);
            assertThat(atB.seek(5, 3)).isEqualTo(5);
            OneNodeSuite.fails(Errno.ENXIO, () -> atB.seek(BLOCK + 5, 3));
            b.utimens("/f", new Timestamp(12345, 678));
            assertThat(atA.stat().modified()).isEqualTo(new Timestamp(12345, 678));
            assertThat(c.stat("/f").modified()).isEqualTo(new Timestamp(12345, 678));
            atB.fsync();
        }
        awaitNoWriter("/f");
        assertThat(c.stat("/f").modified()).isEqualTo(new Timestamp(12345, 678));
    }

    @Test
    void whatOneClosedOfSeveralIsCommitted() throws Exception {
        a.write("/f", text("old"));
        try (Programs.Fd atA = a.open("/f", Programs.READ_WRITE)) {
            long before = c.stat("/f").version();
            try (Programs.Fd atB = b.open("/f", Programs.READ_WRITE)) {
                atB.write(0, text("new"));
            }
            assertThat(c.stat("/f").version()).isGreaterThan(before);
            assertThat(read(atA)).isEqualTo("new");
        }
    }

    @Test
    void whoReadAVersionBeforeTheWriterCameGoesOnWithIt() throws Exception {
        byte[] before = OneNodeSuite.bytes(1, 3 * BLOCK);
        a.write("/f", before);
        assertThat(b.read("/f")).isEqualTo(before);
        try (Programs.Fd old = b.open("/f", OpenMode.READ);
                Programs.Fd atA = a.open("/f", Programs.READ_WRITE)) {
            atA.write(0, new byte[10]);
            atA.truncate(BLOCK);
            assertThat(old.read(0, before.length)).isEqualTo(before);
            assertThat(old.stat().size()).isEqualTo(before.length);
            assertThat(b.stat("/f").size()).isEqualTo(BLOCK);
            try (Programs.Fd live = b.open("/f", OpenMode.READ)) {
                assertThat(live.id).isNotEqualTo(old.id);
                assertThat(live.read(0, 10)).isEqualTo(new byte[10]);
            }
            assertThat(old.read(0, before.length)).isEqualTo(before);
        }
        assertThat(b.stat("/f").size()).isEqualTo(BLOCK);
    }

    @Test
    void whoDoesNotHaveItsVersionWholeReadsTheLiveBytes() throws Exception {
        byte[] before = OneNodeSuite.bytes(1, 40 * BLOCK);
        a.write("/f", before);
        try (Programs.Fd old = b.open("/f", OpenMode.READ);
                Programs.Fd atA = a.open("/f", Programs.READ_WRITE)) {
            byte[] live = OneNodeSuite.bytes(2, 40 * BLOCK);
            atA.write(0, live);
            assertThat(old.read(39L * BLOCK, 100)).isEqualTo(Arrays.copyOfRange(live, 39 * BLOCK, 39 * BLOCK + 100));
        }
    }

    @Test
    void aChangeWhoseAnswerIsLostIsMadeOnce() throws Exception {
        a.create("/f").close();
        try (Programs.Fd atA = a.open("/f", Programs.READ_WRITE);
                Programs.Fd atB = b.open("/f", Programs.READ_WRITE)) {
            AtomicInteger lost = new AtomicInteger();
            cluster.wire = (request, executed) -> {
                if (executed && !(request instanceof HomeRequest.Release) && lost.incrementAndGet() % 2 == 1) {
                    throw new IOException("the answer to " + request + " is lost");
                }
            };
            for (int i = 0; i < 20; i++) {
                atB.append(text(i + ";"));
            }
            try (Programs.Fd more = c.open("/f", Programs.READ_WRITE)) {
                more.append(text("end"));
            }
            cluster.wire = (request, executed) -> {};
            assertThat(lost.get()).isGreaterThan(20);
            assertThat(read(atA)).isEqualTo("0;1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;end");
        }
        awaitNoWriter("/f");
    }

    @Test
    void aHomeThatDiesFailsItsGuestsAndLeavesTheLastCommittedVersion() throws Exception {
        a.write("/f", text("KEPT"));
        cluster.flushUploads();
        Programs.Fd atA = a.open("/f", Programs.READ_WRITE);
        Programs.Fd atB = b.open("/f", Programs.READ_WRITE);
        Programs.Fd readsAtC = c.open("/f", OpenMode.READ);
        atB.write(0, text("lost"));
        nodeA.kill();
        OneNodeSuite.fails(Errno.EIO, () -> atB.write(0, text("more")));
        OneNodeSuite.fails(Errno.EIO, () -> readsAtC.read(0, 10));
        OneNodeSuite.fails(Errno.EIO, atB::close);
        readsAtC.close();
        assertThat(atA.file.passthrough()).isTrue();
        try (Programs.Fd again = b.open("/f", Programs.READ_WRITE)) {
            assertThat(read(again)).isEqualTo("KEPT");
            again.write(4, text("!"));
            assertThat(new String(c.read("/f"), StandardCharsets.UTF_8)).isEqualTo("KEPT!");
        }
        assertThat(new String(c.read("/f"), StandardCharsets.UTF_8)).isEqualTo("KEPT!");
    }

    @Test
    void aHomeThatComesBackKnowsNoHandleOfBefore() throws Exception {
        a.write("/f", text("before"));
        Programs.Fd atA = a.open("/f", Programs.READ_WRITE);
        Programs.Fd atB = b.open("/f", Programs.READ_WRITE);
        atB.write(0, text("BEFORE"));
        assertThat(read(atA)).isEqualTo("BEFORE");
        nodeA.kill();
        nodeA = cluster.node("a", true);
        OneNodeSuite.fails(Errno.EIO, () -> atB.write(0, text("x")));
        OneNodeSuite.fails(Errno.EIO, atB::close);
        assertThat(new String(b.read("/f"), StandardCharsets.UTF_8)).isEqualTo("BEFORE");
    }

    @Test
    void aGuestThatDiesLeavesTheHomeFree() throws Exception {
        a.write("/f", text("0"));
        Programs.Fd atA = a.open("/f", Programs.READ_WRITE);
        Programs.Fd atB = b.open("/f", Programs.READ_WRITE);
        atB.append(text("1"));
        nodeB.kill();
        atA.close();
        assertThat(writer("/f")).isEqualTo(new NodeId("a"));
        nodeB = cluster.node("b", true);
        b = nodeB.programs();
        try (Programs.Fd again = b.open("/f", Programs.READ_WRITE)) {
            assertThat(read(again)).isEqualTo("01");
        }
        awaitNoWriter("/f");
        assertThat(new String(c.read("/f"), StandardCharsets.UTF_8)).isEqualTo("01");
    }

    @Test
    void aHomeThatIsStoppedCommitsWhatItsGuestsWrote() throws Exception {
        a.write("/f", text("0"));
        Programs.Fd atA = a.open("/f", Programs.READ_WRITE);
        Programs.Fd atB = b.open("/f", Programs.READ_WRITE);
        atB.append(text("1"));
        atA.close();
        nodeA.files.leaveCluster();
        OneNodeSuite.fails(Errno.EIO, () -> atB.append(text("2")));
        OneNodeSuite.fails(Errno.EIO, atB::close);
        try (Programs.Fd again = b.open("/f", Programs.READ_WRITE)) {
            assertThat(read(again)).isEqualTo("01");
        }
    }

    @Test
    void aPartitionBetweenTwoNodesEndsAfterABound() throws Exception {
        a.write("/f", text("0"));
        try (Programs.Fd atA = a.open("/f", Programs.READ_WRITE)) {
            Programs.Fd atB = b.open("/f", Programs.READ_WRITE);
            cluster.wire = (request, executed) -> {
                throw new IOException("no way");
            };
            OneNodeSuite.fails(Errno.EIO, () -> atB.append(text("1")));
            OneNodeSuite.fails(Errno.EBUSY, () -> c.open("/f", Programs.READ_WRITE));
            assertThat(c.stat("/f").size()).isEqualTo(1);
            cluster.wire = (request, executed) -> {};
            atB.append(text("2"));
            assertThat(read(atA)).isEqualTo("02");
            atB.close();
        }
    }

    @Test
    void copyingIsLeftToTheCaller() throws Exception {
        a.write("/f", text("0"));
        try (Programs.Fd atA = a.open("/f", Programs.READ_WRITE);
                Programs.Fd atB = b.open("/f", Programs.READ_WRITE);
                Programs.Fd to = b.create("/g")) {
            assertThat(atA.stat().size()).isEqualTo(1);
            OneNodeSuite.fails(Errno.EOPNOTSUPP, () -> nodeB.files.copy(atB.id, 0, to.id, to.file.handle(), 0, 1));
            OneNodeSuite.fails(Errno.EOPNOTSUPP, () -> nodeB.files.copy(to.id, 0, atB.id, atB.file.handle(), 0, 1));
        }
    }

    /** Each program has bytes of its own, and changes them on whatever node it is; all see all of it at the end. */
    @Test
    void noUpdateIsLostWhereverItIsMade() throws Exception {
        int programs = 6;
        int part = BLOCK + 100;
        a.write("/f", new byte[programs * part]);
        List<Programs> nodes = List.of(a, b, c);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<byte[]>> running = new ArrayList<>();
            for (int i = 0; i < programs; i++) {
                int own = i;
                running.add(threads.submit(() -> {
                    Random random = new Random(own);
                    byte[] content = new byte[part];
                    for (int round = 0; round < 30; round++) {
                        Programs at = nodes.get(random.nextInt(nodes.size()));
                        try (Programs.Fd fd = at.open("/f", Programs.READ_WRITE)) {
                            for (int change = 0; change < 3; change++) {
                                byte[] bytes = new byte[1 + random.nextInt(200)];
                                random.nextBytes(bytes);
                                int offset = random.nextInt(part - bytes.length);
                                fd.write((long) own * part + offset, bytes);
                                System.arraycopy(bytes, 0, content, offset, bytes.length);
                                assertThat(fd.read((long) own * part, part)).isEqualTo(content);
                            }
                        }
                    }
                    return content;
                }));
            }
            for (int i = 0; i < programs; i++) {
                byte[] own = running.get(i).get(120, TimeUnit.SECONDS);
                for (Programs at : nodes) {
                    assertThat(Arrays.copyOfRange(at.read("/f"), i * part, (i + 1) * part))
                            .isEqualTo(own);
                }
            }
        }
        awaitNoWriter("/f");
    }
}
