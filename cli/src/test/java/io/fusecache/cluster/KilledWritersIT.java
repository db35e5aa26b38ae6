package io.fusecache.cluster;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32C;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * kill -9 of a node while programs of several nodes append records to one file, and rewrite others in place: what fsync(2)
 * acknowledged is there once and whole, and nothing is torn.
 */
@Timeout(300)
final class KilledWritersIT {
    private static final int NODES = 3;
    private static final int WRITERS_PER_NODE = 2;
    private static final int ROUNDS = 2;
    private static final int SLOT_BYTES = 300;
    private static final int BETWEEN_SYNCS = 3;

    /** What a program may be told whose own node was killed. */
    private static final String NODE_GONE =
            "Transport endpoint is not connected|Software caused connection abort|Input/output error";

    private final Random random = new Random(3);
    private Cluster cluster;

    @AfterEach
    void stop() throws Exception {
        cluster.close();
    }

    private void start() throws Exception {
        cluster = Cluster.start(0);
        for (int node = 0; node < NODES; node++) {
            cluster.addNode("-passthrough", node % 2 == 0 ? "auto" : "off");
        }
    }

    /** A program with records of its own at the end of the file, and one at the beginning that it writes over. */
    private static final class Writer {
        final int id;
        final int node;
        final Set<Integer> acknowledged = new HashSet<>();
        private final List<Integer> unsynced = new ArrayList<>();
        private FileChannel appended;
        private FileChannel rewritten;
        private volatile int begun;
        private volatile int synced;

        Writer(int id, int node) {
            this.id = id;
            this.node = node;
        }

        void open(Path file) throws IOException {
            appended = FileChannel.open(file, WRITE, APPEND);
            rewritten = FileChannel.open(file, WRITE);
        }

        Void writeUntil(AtomicBoolean stopped) throws IOException {
            unsynced.clear();
            while (!stopped.get()) {
                int number = begun + 1;
                begun = number;
                unsynced.add(number);
                write(appended, -1, record(number, 40 + 37 * (number % 60)));
                write(rewritten, (long) id * SLOT_BYTES, record(number, SLOT_BYTES));
                if (number % BETWEEN_SYNCS == 0) {
                    (number % 2 == 0 ? appended : rewritten).force(number % 4 == 0);
                    acknowledged.addAll(unsynced);
                    unsynced.clear();
                    synced = number;
                }
            }
            return null;
        }

        private static void write(FileChannel file, long offset, byte[] record) throws IOException {
            ByteBuffer bytes = ByteBuffer.wrap(record);
            int count = offset < 0 ? file.write(bytes) : file.write(bytes, offset);
            assertThat(count).isEqualTo(record.length);
        }

        private byte[] record(int number, int length) {
            String text = id + " " + number + " ";
            String filled = text + "x".repeat(length - text.length() - 10) + " ";
            return (filled + sum(filled) + "\n").getBytes(US_ASCII);
        }

        /** Whatever close(2) says where the file, or the node, is gone. */
        void close(boolean broken) throws IOException {
            for (FileChannel file : List.of(appended, rewritten)) {
                Throwable failure = catchThrowable(file::close);
                if (failure != null) {
                    assertThat(broken).as("close fails: %s", failure).isTrue();
                }
            }
        }
    }

    private static String sum(String text) {
        CRC32C sum = new CRC32C();
        sum.update(text.getBytes(US_ASCII));
        return "%08x".formatted(sum.getValue());
    }

    /** {@code number} of a whole record. */
    private static int number(String record, int writer) {
        int end = record.length() - 8;
        assertThat(record.substring(end)).as("the sum of '%s'", record).isEqualTo(sum(record.substring(0, end)));
        String[] words = record.split(" ", -1);
        assertThat(words[0]).isEqualTo(Integer.toString(writer));
        return Integer.parseInt(words[1]);
    }

    private static void check(byte[] content, List<Writer> writers) {
        int header = writers.size() * SLOT_BYTES;
        for (Writer writer : writers) {
            int from = writer.id * SLOT_BYTES;
            String slot = new String(content, from, SLOT_BYTES, US_ASCII);
            assertThat(slot).endsWith("\n");
            assertThat(number(slot.strip(), writer.id))
                    .as("the record that writer %d writes over", writer.id)
                    .isBetween(writer.synced, writer.begun);
        }
        String appended = new String(content, header, content.length - header, US_ASCII);
        assertThat(appended).endsWith("\n");
        List<List<Integer>> found = new ArrayList<>();
        writers.forEach(writer -> found.add(new ArrayList<>()));
        for (String record : appended.strip().split("\n", -1)) {
            int writer = Integer.parseInt(record.substring(0, record.indexOf(' ')));
            found.get(writer).add(number(record, writer));
        }
        for (Writer writer : writers) {
            List<Integer> numbers = found.get(writer.id);
            assertThat(numbers).as("records of writer %d", writer.id).isSorted().doesNotHaveDuplicates();
            assertThat(numbers).containsAll(writer.acknowledged);
            assertThat(numbers.getLast()).isLessThanOrEqualTo(writer.begun);
        }
    }

    /** What runs at the same time, and how each ended. */
    private final class Run implements AutoCloseable {
        private final ExecutorService threads =
                Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory());
        private final AtomicBoolean stopped = new AtomicBoolean();
        private final List<Writer> writers;
        private final List<Future<Void>> running = new ArrayList<>();

        Run(String name, List<Writer> writers) throws IOException {
            this.writers = writers;
            for (Writer writer : writers) {
                writer.open(cluster.node(writer.node).mount().resolve(name));
            }
            for (Writer writer : writers) {
                running.add(threads.submit(() -> writer.writeUntil(stopped)));
            }
        }

        void awaitSynced(int further) {
            List<Integer> before = writers.stream().map(writer -> writer.synced).toList();
            Awaitility.await()
                    .atMost(Duration.ofMinutes(1))
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> writers.stream()
                            .allMatch(writer -> writer.synced >= before.get(writers.indexOf(writer)) + further));
        }

        /** How that writer ended; null where it did as it should. */
        Throwable end(Writer writer) {
            return catchThrowable(() -> running.get(writers.indexOf(writer)).get(1, TimeUnit.MINUTES));
        }

        @Override
        public void close() {
            stopped.set(true);
            threads.close();
        }
    }

    /** The home first, so that it is the home. */
    private static List<Writer> writers(int home) {
        List<Writer> writers = new ArrayList<>();
        for (int i = 0; i < NODES; i++) {
            int node = (home - 1 + i) % NODES + 1;
            for (int j = 0; j < WRITERS_PER_NODE; j++) {
                writers.add(new Writer(writers.size(), node));
            }
        }
        return writers;
    }

    private void create(String name, List<Writer> writers) throws IOException {
        Files.write(cluster.node(1).mount().resolve(name), new byte[writers.size() * SLOT_BYTES]);
    }

    /** All nodes have the same, and it is right. */
    private void check(String name, List<Writer> writers) throws IOException {
        byte[] content = Files.readAllBytes(cluster.node(1).mount().resolve(name));
        check(content, writers);
        for (int node = 2; node <= NODES; node++) {
            byte[] other = Files.readAllBytes(cluster.node(node).mount().resolve(name));
            assertThat(Arrays.equals(other, content))
                    .as("node %d has what node 1 has", node)
                    .isTrue();
        }
    }

    /** Nobody else writes until it is back: what its disk has is committed then. Those on other nodes get EIO, as documented. */
    @Test
    void whatWasSyncedAtAHomeThatIsKilledIsThereWhenItIsBack() throws Exception {
        start();
        for (int round = 0; round < ROUNDS; round++) {
            String name = "f" + round;
            int home = 1 + round % 2;
            List<Writer> writers = writers(home);
            create(name, writers);
            try (Run run = new Run(name, writers)) {
                run.awaitSynced(1 + random.nextInt(60));
                cluster.node(home).daemon().kill();
                for (Writer writer : writers) {
                    String expected = writer.node == home ? NODE_GONE : "Input/output error";
                    assertThat(run.end(writer)).rootCause().hasMessageMatching(expected);
                    writer.close(true);
                }
            }
            cluster.node(home).kill();
            cluster.node(home).start();
            check(name, writers);
            goOn(name, writers);
        }
    }

    @Test
    void whoseNodeLivesWritesOnWhenAGuestIsKilled() throws Exception {
        start();
        for (int round = 0; round < ROUNDS; round++) {
            String name = "f" + round;
            int home = 1 + round % 2;
            int guest = home % NODES + 1;
            List<Writer> writers = writers(home);
            create(name, writers);
            try (Run run = new Run(name, writers)) {
                run.awaitSynced(1 + random.nextInt(60));
                cluster.node(guest).daemon().kill();
                List<Writer> alive = new ArrayList<>();
                for (Writer writer : writers) {
                    if (writer.node == guest) {
                        assertThat(run.end(writer)).rootCause().hasMessageMatching(NODE_GONE);
                        writer.close(true);
                    } else {
                        alive.add(writer);
                    }
                }
                cluster.node(guest).kill();
                cluster.node(guest).start();
                run.stopped.set(true);
                for (Writer writer : alive) {
                    assertThat(run.end(writer)).isNull();
                    writer.close(false);
                }
            }
            check(name, writers);
            goOn(name, writers);
        }
    }

    private void goOn(String name, List<Writer> writers) throws IOException {
        try (Run run = new Run(name, writers)) {
            run.awaitSynced(BETWEEN_SYNCS);
            run.stopped.set(true);
            for (Writer writer : writers) {
                assertThat(run.end(writer)).isNull();
                writer.close(false);
            }
        }
        check(name, writers);
    }
}
