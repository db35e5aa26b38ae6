package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.RandomRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One file, random operations in random order, against an array of bytes: in the manner of fsx. */
final class RandomFileTest {
    private static final int BLOCK = TestCluster.BLOCK_BYTES;
    private static final int MAX_SIZE = 6 * BLOCK;
    private static final int OPERATIONS = 120;

    @TempDir
    Path folder = Path.of("/");

    private int clusters;

    @Test
    void passedThrough() {
        RandomRun.of(6, random -> run(random, true));
    }

    @Test
    void throughTheDaemon() {
        RandomRun.of(6, random -> run(random, false));
    }

    private void run(RandomGenerator random, boolean passthrough) throws Exception {
        Path place = Files.createDirectories(folder.resolve("run" + clusters++));
        try (TestCluster cluster = new TestCluster(place)) {
            new Model(cluster, random, passthrough).run();
        }
    }

    /** The file as it must be, and the handles on it. */
    private static final class Model {
        private final TestCluster cluster;
        private final RandomGenerator random;
        private final boolean passthrough;
        private TestNode node;
        private Programs programs;
        private byte[] content = new byte[0];
        private final List<Programs.Fd> handles = new ArrayList<>();
        private final List<String> history = new ArrayList<>();

        Model(TestCluster cluster, RandomGenerator random, boolean passthrough) throws IOException {
            this.cluster = cluster;
            this.random = random;
            this.passthrough = passthrough;
            this.node = cluster.node("a", passthrough);
            this.programs = node.programs();
        }

        void run() throws Exception {
            programs.create("/f").close();
            try {
                for (int i = 0; i < OPERATIONS; i++) {
                    step();
                }
                closeAll();
                check();
                cluster.flushUploads();
                assertThat(Arrays.mismatch(cluster.object("f"), content)).isEqualTo(-1);
                assertThat(node.kernel.backing).isEmpty();
            } catch (Exception | AssertionError e) {
                throw new AssertionError("after\n" + String.join("\n", history) + "\n" + brief(e), e);
            }
        }

        private static String brief(Throwable e) {
            String text = String.valueOf(e.getMessage());
            return text.length() > 300 ? text.substring(0, 300) + "..." : text;
        }

        private void step() throws Exception {
            switch (random.nextInt(15)) {
                case 0, 1, 2 -> write();
                case 3, 4 -> read();
                case 5 -> truncate();
                case 6 -> open();
                case 7 -> close();
                case 8 -> punch();
                case 9 -> flush();
                case 10 -> copyWithin();
                case 11 -> otherNode();
                case 12 -> evict();
                case 13 -> restart();
                default -> stat();
            }
        }

        private void said(String what) {
            history.add(what);
        }

        private Programs.Fd handle() throws Exception {
            if (handles.isEmpty()) {
                open();
            }
            return handles.get(random.nextInt(handles.size()));
        }

        private void open() throws Exception {
            if (handles.size() < 3) {
                boolean truncate = random.nextInt(8) == 0;
                said("open" + (truncate ? " truncated" : ""));
                handles.add(programs.open("/f", new OpenMode(true, true, truncate)));
                content = truncate ? new byte[0] : content;
            }
        }

        private void close() throws Exception {
            if (!handles.isEmpty()) {
                said("close");
                handles.remove(random.nextInt(handles.size())).close();
            }
        }

        private void closeAll() throws Exception {
            said("close all");
            for (Programs.Fd handle : handles) {
                handle.close();
            }
            handles.clear();
        }

        private void write() throws Exception {
            int offset = random.nextInt(MAX_SIZE);
            byte[] bytes = new byte[1 + random.nextInt(random.nextBoolean() ? 100 : 2 * BLOCK)];
            random.nextBytes(bytes);
            said("write " + bytes.length + " at " + offset);
            handle().write(offset, bytes);
            content = Arrays.copyOf(content, Math.max(content.length, offset + bytes.length));
            System.arraycopy(bytes, 0, content, offset, bytes.length);
        }

        private void read() throws Exception {
            int offset = random.nextInt(MAX_SIZE);
            int length = 1 + random.nextInt(3 * BLOCK);
            Programs.Fd fd = handle();
            said("read " + length + " at " + offset);
            byte[] expected = offset >= content.length
                    ? new byte[0]
                    : Arrays.copyOfRange(content, offset, Math.min(content.length, offset + length));
            same(fd.read(offset, length), expected, offset);
        }

        private void truncate() throws Exception {
            int size = random.nextInt(MAX_SIZE);
            said("truncate to " + size);
            if (random.nextBoolean()) {
                handle().truncate(size);
            } else {
                programs.truncate("/f", size);
            }
            content = Arrays.copyOf(content, size);
        }

        private void punch() throws Exception {
            int offset = random.nextInt(MAX_SIZE);
            int length = 1 + random.nextInt(2 * BLOCK);
            boolean grow = random.nextInt(3) == 0;
            said((grow ? "allocate " : "punch ") + length + " at " + offset);
            handle().allocate(grow ? 0 : 3, offset, length);
            if (grow) {
                content = Arrays.copyOf(content, Math.max(content.length, offset + length));
            } else if (offset < content.length) {
                Arrays.fill(content, offset, Math.min(content.length, offset + length), (byte) 0);
            }
        }

        private void copyWithin() throws Exception {
            Programs.Fd fd = handle();
            if (content.length < 2) {
                return;
            }
            int length = 1 + random.nextInt(content.length / 2);
            int from = random.nextInt(content.length - length + 1);
            int to = content.length + random.nextInt(100);
            if (to + length > MAX_SIZE) {
                return;
            }
            said("copy " + length + " from " + from + " to " + to);
            long copied = node.files.copy(fd.id, from, fd.id, fd.file.handle(), to, length);
            assertThat(copied).isEqualTo(length);
            byte[] piece = Arrays.copyOfRange(content, from, from + length);
            content = Arrays.copyOf(content, to + length);
            System.arraycopy(piece, 0, content, to, length);
        }

        private void flush() throws Exception {
            said("flush, fsync");
            Programs.Fd fd = handle();
            fd.flush();
            fd.fsync();
            assertThat(node.metadata.inode(fd.id).size()).isEqualTo(content.length);
        }

        private void stat() throws Exception {
            said("stat");
            assertThat(programs.stat("/f").size()).isEqualTo(content.length);
        }

        private void check() throws Exception {
            same(programs.read("/f"), content, 0);
        }

        private static void same(byte[] found, byte[] expected, int offset) {
            int at = Arrays.mismatch(found, expected);
            if (at >= 0) {
                throw new AssertionError("%d bytes instead of %d, and other ones from %d on"
                        .formatted(found.length, expected.length, offset + at));
            }
        }

        /** The next operations happen on another node, which has nothing of the file or an older version. */
        private void otherNode() throws Exception {
            closeAll();
            String next = node.name.equals("a") ? "b" : "a";
            said("go on on node " + next);
            TestNode before = node;
            node = cluster.running(next, passthrough);
            programs = node.programs();
            assertThat(node).isNotSameAs(before);
            stat();
        }

        private void evict() throws Exception {
            closeAll();
            said("upload, evict");
            cluster.flushUploads();
            node.local.discard(NodeIds.ino(programs.find("/f").id()));
        }

        /** kill -9 with the file open or closed: what the kernel wrote stays. */
        private void restart() throws Exception {
            said("kill, start");
            node.kill();
            handles.clear();
            node = cluster.node(node.name, passthrough);
            programs = node.programs();
            check();
        }
    }
}
