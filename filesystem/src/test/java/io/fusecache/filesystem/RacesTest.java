package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.testkit.RandomRun;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs that run at the same time, on one node and on two: what each may rely on whatever the others do. */
final class RacesTest {
    private static final int MOST_LOOKUPS = 20;
    private static final int BLOCK = TestCluster.BLOCK_BYTES;
    private static final int ROUNDS = 40;

    @TempDir
    Path folder = Path.of("/");

    private int clusters;

    private TestCluster cluster() throws IOException {
        return new TestCluster(Files.createDirectories(folder.resolve("run" + clusters++)));
    }

    private static void together(List<Callable<Void>> programs) throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Void>> running = new ArrayList<>();
            for (Callable<Void> program : programs) {
                running.add(threads.submit(program));
            }
            for (Future<Void> one : running) {
                one.get(120, TimeUnit.SECONDS);
            }
        }
    }

    /** Content that tells whether it is whole: a seed, and what follows from it. */
    private static byte[] whole(int seed, int size) {
        byte[] bytes = new byte[Math.max(8, size)];
        new Random(seed).nextBytes(bytes);
        ByteBuffer.wrap(bytes).putInt(0, seed).putInt(4, bytes.length);
        return bytes;
    }

    private static void assertWhole(byte[] content) {
        ByteBuffer header = ByteBuffer.wrap(content);
        assertThat(content).isEqualTo(whole(header.getInt(0), header.getInt(4)));
    }

    /** Written aside and renamed over: who opens the name gets one of the contents, whole. */
    @Test
    void whatIsReplacedByRenameIsNeverSeenInPart() {
        RandomRun.of(2, random -> {
            try (TestCluster cluster = cluster()) {
                Programs a = cluster.node("a", true).programs();
                Programs b = cluster.node("b", true).programs();
                a.write("/f", whole(0, BLOCK));
                AtomicInteger seeds = new AtomicInteger();
                List<Callable<Void>> programs = new ArrayList<>();
                for (Programs at : List.of(a, b)) {
                    long writerSeed = random.nextLong();
                    programs.add(() -> replacing(at, at == a ? "a" : "b", seeds, new SplittableRandom(writerSeed)));
                    programs.add(() -> reading(at));
                    programs.add(() -> reading(at));
                }
                together(programs);
                assertThat(a.read("/f")).isEqualTo(b.read("/f"));
                cluster.flushUploads();
                assertThat(cluster.object("f")).isEqualTo(a.read("/f"));
                // Names of before may have been uploaded, and are removed behind.
                await().untilAsserted(() -> assertThat(cluster.keys()).containsExactly("f"));
            }
        });
    }

    private static Void replacing(Programs at, String own, AtomicInteger seeds, RandomGenerator random)
            throws Exception {
        for (int i = 0; i < ROUNDS; i++) {
            at.write("/" + own, whole(seeds.incrementAndGet(), random.nextInt(4 * BLOCK)));
            at.rename("/" + own, "/f");
        }
        return null;
    }

    private static Void reading(Programs at) throws Exception {
        for (int i = 0; i < 2 * ROUNDS; i++) {
            try (Programs.Fd fd = opened(at)) {
                assertWhole(fd.read(0, (int) fd.stat().size()));
            }
        }
        return null;
    }

    private static Programs.Fd opened(Programs at) throws Exception {
        for (int tries = 0; ; tries++) {
            try {
                return at.open("/f", OpenMode.READ);
            } catch (ErrnoException e) {
                // Looked up, then replaced and gone before it was opened: the kernel looks it up again, twice at most.
                if (e.errno() != Errno.ESTALE || tries == MOST_LOOKUPS) {
                    throw e;
                }
            }
        }
    }

    /** One writer at a time, on any node: each reads what the one before wrote, and adds to it. */
    @Test
    void whoOpensAfterACloseSeesWhatWasWritten() {
        RandomRun.of(3, random -> {
            try (TestCluster cluster = cluster()) {
                List<Programs> nodes = List.of(
                        cluster.node("a", true).programs(),
                        cluster.node("b", true).programs(),
                        cluster.node("c", false).programs());
                nodes.getFirst().create("/f").close();
                ReentrantLock turn = new ReentrantLock(true);
                AtomicInteger count = new AtomicInteger();
                List<Callable<Void>> programs = new ArrayList<>();
                for (Programs at : nodes) {
                    long seed = random.nextLong();
                    programs.add(() -> counting(at, turn, count, new SplittableRandom(seed)));
                }
                together(programs);
                assertThat(count.get()).isEqualTo(nodes.size() * ROUNDS);
            }
        });
    }

    private static Void counting(Programs at, ReentrantLock turn, AtomicInteger count, RandomGenerator random)
            throws Exception {
        for (int i = 0; i < ROUNDS; i++) {
            turn.lock();
            try {
                int before = count.get();
                byte[] content = at.read("/f");
                assertThat(content).isEqualTo(counted(before));
                try (Programs.Fd fd = at.open("/f", Programs.READ_WRITE)) {
                    byte[] piece = piece(before);
                    fd.write(content.length, piece);
                    if (random.nextBoolean()) {
                        fd.flush();
                    }
                }
                count.set(before + 1);
            } finally {
                turn.unlock();
            }
        }
        return null;
    }

    private static byte[] piece(int number) {
        byte[] piece = new byte[700];
        new Random(number).nextBytes(piece);
        return piece;
    }

    private static byte[] counted(int count) {
        ByteBuffer all = ByteBuffer.allocate(700 * count);
        for (int i = 0; i < count; i++) {
            all.put(piece(i));
        }
        return all.array();
    }

    /** Close, seal and upload of one writer meet the open of the next. */
    @Test
    void aFileThatIsReopenedWhileItIsUploadedEndsUpWhole() {
        RandomRun.of(2, random -> {
            try (TestCluster cluster = cluster()) {
                TestNode node = cluster.node(
                        "a", TestNode.Setup.of(random.nextBoolean()).withUploadDelay(Duration.ofMillis(1)));
                Programs programs = node.programs();
                List<Callable<Void>> writers = new ArrayList<>();
                for (int writer = 0; writer < 4; writer++) {
                    int own = writer;
                    long seed = random.nextLong();
                    writers.add(() -> overwriting(programs, own, new SplittableRandom(seed)));
                }
                programs.write("/f", new byte[4 * 2 * BLOCK]);
                together(writers);
                byte[] content = programs.read("/f");
                for (int writer = 0; writer < 4; writer++) {
                    assertThat(content[writer * 2 * BLOCK]).isEqualTo((byte) (ROUNDS - 1));
                    assertThat(content[(writer + 1) * 2 * BLOCK - 1]).isEqualTo((byte) (ROUNDS - 1));
                }
                cluster.flushUploads();
                assertThat(cluster.object("f")).isEqualTo(content);
                node.local.discard(NodeIds.ino(programs.find("/f").id()));
                assertThat(programs.read("/f")).isEqualTo(content);
            }
        });
    }

    /** Each writer has a part of its own. */
    private static Void overwriting(Programs at, int own, RandomGenerator random) throws Exception {
        for (int i = 0; i < ROUNDS; i++) {
            byte[] part = new byte[2 * BLOCK];
            java.util.Arrays.fill(part, (byte) i);
            try (Programs.Fd fd = at.open("/f", Programs.READ_WRITE)) {
                fd.write((long) own * part.length, part);
                if (random.nextInt(4) == 0) {
                    TimeUnit.MILLISECONDS.sleep(random.nextInt(5));
                }
            }
        }
        return null;
    }
}
