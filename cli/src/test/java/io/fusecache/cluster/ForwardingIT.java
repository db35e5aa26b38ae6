package io.fusecache.cluster;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file that programs on several mounts have open while some of them write it: one disk for all of them. */
final class ForwardingIT {
    private static final int LINES = 100;

    private Cluster cluster;

    @AfterEach
    void stop() throws Exception {
        cluster.close();
    }

    private void start(int nodes, String passthrough) throws Exception {
        cluster = Cluster.start(nodes, "-passthrough", passthrough);
    }

    private Path at(int node, String name) {
        return cluster.node(node).mount().resolve(name);
    }

    private FileChannel open(int node, String name, OpenOption... options) throws IOException {
        return FileChannel.open(at(node, name), options);
    }

    private static void put(FileChannel file, long offset, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
        int length = bytes.remaining();
        assertThat(offset < 0 ? file.write(bytes) : file.write(bytes, offset)).isEqualTo(length);
    }

    /** close(2) may say that the daemon is gone: EIO or ENOTCONN. */
    private static void closeOfDead(FileChannel file) {
        try {
            file.close();
        } catch (IOException expected) {
            assertThat(expected).hasMessageMatching("Input/output error|Transport endpoint is not connected.*");
        }
    }

    private static String text(FileChannel file) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
        int length = file.read(bytes, 0);
        return new String(bytes.array(), 0, Math.max(0, length), StandardCharsets.US_ASCII);
    }

    private static <T> List<T> together(List<Callable<T>> programs) throws Exception {
        try (ExecutorService threads =
                Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
            List<Future<T>> running = new ArrayList<>();
            programs.forEach(program -> running.add(threads.submit(program)));
            List<T> results = new ArrayList<>();
            for (Future<T> one : running) {
                results.add(one.get(5, TimeUnit.MINUTES));
            }
            return results;
        }
    }

    private static String line(int appender, int number) {
        return ("appender " + appender + " line " + number + " ").repeat(1 + number % 9);
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void tenAppendersOnThreeNodesLoseAndTearNoLine(String passthrough) throws Exception {
        start(3, passthrough);
        Files.createFile(at(1, "log"));
        List<String> expected = new ArrayList<>();
        List<Callable<Void>> appenders = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            int appender = i;
            for (int number = 0; number < LINES; number++) {
                expected.add(line(i, number));
            }
            appenders.add(() -> {
                // Most keep it open, some open it for every line: then the home moves.
                FileChannel kept = appender % 3 == 0 ? null : open(1 + appender % 3, "log", WRITE, APPEND);
                for (int number = 0; number < LINES; number++) {
                    if (kept != null) {
                        put(kept, -1, line(appender, number) + "\n");
                    } else {
                        try (FileChannel file = open(1 + number % 3, "log", WRITE, APPEND)) {
                            put(file, -1, line(appender, number) + "\n");
                        }
                    }
                }
                if (kept != null) {
                    kept.close();
                }
                return null;
            });
        }
        together(appenders);
        for (int node = 1; node <= 3; node++) {
            List<String> lines = Files.readAllLines(at(node, "log"), StandardCharsets.US_ASCII);
            assertThat(new TreeSet<>(lines)).as("node %d", node).isEqualTo(new TreeSet<>(expected));
            assertThat(lines).hasSize(expected.size());
        }
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void everyoneSeesEveryonesBytesAtOnce(String passthrough) throws Exception {
        start(2, passthrough);
        try (FileChannel one = open(1, "f", CREATE, READ, WRITE)) {
            put(one, 0, "not closed");
            assertThat(Files.size(at(2, "f"))).isEqualTo(10);
            try (FileChannel reader = open(2, "f", READ);
                    FileChannel two = open(2, "f", READ, WRITE)) {
                assertThat(text(reader)).isEqualTo("not closed");
                put(one, 4, "CLOSED");
                assertThat(text(reader)).isEqualTo("not CLOSED");
                put(two, 10, " by two");
                assertThat(text(one)).isEqualTo("not CLOSED by two");
                assertThat(one.size()).isEqualTo(17);
                assertThat(reader.size()).isEqualTo(17);
                two.truncate(3);
                assertThat(text(one)).isEqualTo("not");
                assertThat(one.size()).isEqualTo(3);
                one.truncate(2);
                assertThat(two.size()).isEqualTo(2);
                assertThat(text(reader)).isEqualTo("no");
                Shell.sh(cluster.node(2).mount(), "truncate -s 5 f");
                assertThat(text(one)).isEqualTo("no\0\0\0");
                try (FileChannel third = open(2, "f", WRITE, TRUNCATE_EXISTING)) {
                    assertThat(one.size()).isZero();
                    put(third, 0, "anew");
                }
                assertThat(text(one)).isEqualTo("anew");
                one.force(true);
                two.force(false);
            }
        }
        assertThat(Files.readString(at(1, "f"))).isEqualTo("anew");
        assertThat(Files.readString(at(2, "f"))).isEqualTo("anew");
        cluster.node(1).flush();
        cluster.node(2).flush();
        assertThat(Files.readString(cluster.bucket().resolve("f"))).isEqualTo("anew");
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void whoReadBeforeTheWriterCameGoesOnWithItsVersion(String passthrough) throws Exception {
        start(2, passthrough);
        Files.writeString(at(1, "f"), "before");
        try (FileChannel old = open(2, "f", READ);
                FileChannel writer = open(1, "f", READ, WRITE)) {
            put(writer, 0, "AFTER!, and more");
            assertThat(text(old)).isEqualTo("before");
            assertThat(Files.readString(at(2, "f"))).isEqualTo("AFTER!, and more");
            assertThat(Files.size(at(2, "f"))).isEqualTo(16);
            try (FileChannel writes = open(2, "f", READ, WRITE)) {
                put(writes, 0, "EVERY");
                assertThat(text(writer)).isEqualTo("EVERY!, and more");
            }
            assertThat(text(old)).isEqualTo("before");
        }
        assertThat(Files.readString(at(1, "f"))).isEqualTo("EVERY!, and more");
        assertThat(Files.readString(at(2, "f"))).isEqualTo("EVERY!, and more");
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void mappingsArePrivateOrRefused(String passthrough) throws Exception {
        start(2, passthrough);
        try (FileChannel writer = open(1, "f", CREATE, READ, WRITE);
                FileChannel there = open(2, "f", CREATE, READ, WRITE)) {
            put(writer, 0, "mapped");
            ByteBuffer mapping = there.map(FileChannel.MapMode.PRIVATE, 0, 6);
            byte[] bytes = new byte[6];
            mapping.get(bytes);
            assertThat(new String(bytes, StandardCharsets.US_ASCII)).isEqualTo("mapped");
            assertThatThrownBy(() -> there.map(FileChannel.MapMode.READ_WRITE, 0, 6))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("No such device");
        }
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void timesAndHolesAreThoseOfTheHome(String passthrough) throws Exception {
        start(2, passthrough);
        try (FileChannel writer = open(1, "f", CREATE, READ, WRITE);
                FileChannel there = open(2, "f", READ, WRITE)) {
            put(there, 0, "x");
            String script = """
                    touch -d '2001-02-03 04:05:06.123456789 UTC' f
                    fallocate -l 1M f
                    TZ=UTC stat -c '%s' f
                    fallocate -p -o 65536 -l 131072 f
                    du -k f | cut -f1
                    touch -d '2001-02-03 04:05:06.123456789 UTC' f
                    TZ=UTC stat -c '%y' f
                    """;
            assertThat(Shell.sh(cluster.node(2).mount(), script))
                    .isEqualTo("1048576\n896\n2001-02-03 04:05:06.123456789 +0000\n");
            assertThat(writer.size()).isEqualTo(1 << 20);
            assertThat(Shell.sh(cluster.node(1).mount(), "TZ=UTC stat -c '%y' f"))
                    .isEqualTo("2001-02-03 04:05:06.123456789 +0000\n");
        }
        assertThat(Shell.sh(cluster.node(2).mount(), "TZ=UTC stat -c '%s %y' f"))
                .isEqualTo("1048576 2001-02-03 04:05:06.123456789 +0000\n");
    }

    /** What each of the writers has written, if it heard of it; anything may be there of what it did not. */
    private static final class Writer implements Callable<Void> {
        private final FileChannel file;
        private final int part;
        private final AtomicBoolean stopped;
        private volatile int acknowledged;
        private volatile int begun;

        Writer(FileChannel file, int part, AtomicBoolean stopped) {
            this.file = file;
            this.part = part;
            this.stopped = stopped;
        }

        @Override
        public Void call() throws IOException {
            while (!stopped.get()) {
                begun = acknowledged + 1;
                file.write(ByteBuffer.allocate(4).putInt(0, begun), 4L * part);
                acknowledged = begun;
            }
            return null;
        }
    }

    /** kill -9 of the home while others write there: they fail in bounded time, and all agree on what is there. */
    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void aKilledHomeFailsItsGuestsAndAllAgreeAfterwards(String passthrough) throws Exception {
        start(3, passthrough);
        Random random = new Random(passthrough.hashCode());
        for (int round = 0; round < 2; round++) {
            String name = "f" + round;
            AtomicBoolean stopped = new AtomicBoolean();
            FileChannel kept = open(1, name, CREATE, READ, WRITE);
            Writer two = new Writer(open(2, name, READ, WRITE), 0, stopped);
            Writer three = new Writer(open(3, name, READ, WRITE), 1, stopped);
            ExecutorService threads =
                    Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory());
            Future<Void> atTwo = threads.submit(two);
            Future<Void> atThree = threads.submit(three);
            int enough = 20 + random.nextInt(200);
            Awaitility.await()
                    .atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> two.acknowledged > enough && three.acknowledged > 0);
            cluster.node(1).daemon().kill();
            for (Future<Void> one : List.of(atTwo, atThree)) {
                assertThatThrownBy(() -> one.get(2, TimeUnit.MINUTES)).hasRootCauseInstanceOf(IOException.class);
            }
            threads.shutdown();
            for (FileChannel file : List.of(kept, two.file, three.file)) {
                closeOfDead(file);
            }
            cluster.node(1).kill();
            cluster.node(1).start();
            byte[] content = Files.readAllBytes(at(1, name));
            assertThat(Files.readAllBytes(at(2, name))).isEqualTo(content);
            assertThat(Files.readAllBytes(at(3, name))).isEqualTo(content);
            // The home's kernel had the bytes when it was killed, so its recovery commits them.
            assertThat(ByteBuffer.wrap(content).getInt(0)).isBetween(two.acknowledged, two.begun);
            assertThat(ByteBuffer.wrap(content).getInt(4)).isBetween(three.acknowledged, three.begun);
            Files.writeString(at(2, name), "goes on");
            assertThat(Files.readString(at(3, name))).isEqualTo("goes on");
        }
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void aHomeThatStaysAwayLeavesTheLastCommittedVersion(String passthrough) throws Exception {
        start(2, passthrough);
        Files.writeString(at(1, "f"), "committed");
        cluster.node(1).flush();
        FileChannel kept = open(1, "f", READ, WRITE);
        FileChannel there = open(2, "f", READ, WRITE);
        put(there, 0, "COMMIT");
        cluster.node(1).daemon().kill();
        assertThatThrownBy(() -> put(there, 0, "more")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> there.read(ByteBuffer.allocate(1), 0)).isInstanceOf(IOException.class);
        assertThatThrownBy(there::close).isInstanceOf(IOException.class);
        try (FileChannel again = open(2, "f", READ, WRITE)) {
            assertThat(text(again)).isEqualTo("committed");
            put(again, 9, " again");
        }
        assertThat(Files.readString(at(2, "f"))).isEqualTo("committed again");
        closeOfDead(kept);
        cluster.node(1).kill();
        cluster.node(1).start();
        assertThat(Files.readString(at(1, "f"))).isEqualTo("committed again");
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void aKilledGuestLeavesTheHomeFree(String passthrough) throws Exception {
        start(3, passthrough);
        FileChannel kept = open(1, "f", CREATE, READ, WRITE);
        FileChannel there = open(2, "f", WRITE, APPEND);
        put(there, -1, "from two");
        cluster.node(2).daemon().kill();
        put(kept, 8, ", from one");
        kept.close();
        closeOfDead(there);
        cluster.node(2).kill();
        try (FileChannel three = open(3, "f", READ, WRITE)) {
            assertThat(text(three)).isEqualTo("from two, from one");
            put(three, 0, "FROM");
        }
        cluster.node(2).start();
        assertThat(Files.readString(at(2, "f"))).isEqualTo("FROM two, from one");
        try (FileChannel two = open(2, "f", READ, WRITE)) {
            put(two, 5, "TWO");
        }
        assertThat(Files.readString(at(1, "f"))).isEqualTo("FROM TWO, from one");
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void aDatabaseIsWrittenFromTwoMounts(String passthrough) throws Exception {
        start(2, passthrough);
        Shell.sh(
                cluster.node(1).mount(),
                "sqlite3 db 'PRAGMA journal_mode=DELETE; CREATE TABLE t(writer INTEGER, number INTEGER);'");
        List<Callable<String>> writers = new ArrayList<>();
        for (int writer = 0; writer < 4; writer++) {
            Path mount = cluster.node(1 + writer % 2).mount();
            String script = """
                    for i in $(seq 1 15); do
                        sqlite3 -cmd '.timeout 120000' db "BEGIN IMMEDIATE; INSERT INTO t VALUES(%d, $i); COMMIT;"
                    done
                    """.formatted(writer);
            writers.add(() -> Shell.sh(mount, script));
        }
        together(writers);
        for (int node = 1; node <= 2; node++) {
            assertThat(Shell.sh(
                            cluster.node(node).mount(),
                            "sqlite3 db 'SELECT count(*), count(DISTINCT writer * 100 + number) FROM t;"
                                    + " PRAGMA integrity_check;'"))
                    .isEqualTo("60|60\nok\n");
        }
    }

    /** Each has bytes of its own at random offsets of one file, and sees them and the others' come together. */
    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void noUpdateIsLost(String passthrough) throws Exception {
        start(3, passthrough);
        int part = 300_000;
        Files.write(at(1, "f"), new byte[6 * part]);
        List<Callable<byte[]>> writers = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int own = i;
            writers.add(() -> {
                Random random = new Random(own);
                byte[] content = new byte[part];
                for (int round = 0; round < 10; round++) {
                    try (FileChannel file = open(1 + random.nextInt(3), "f", READ, WRITE)) {
                        for (int change = 0; change < 5; change++) {
                            byte[] bytes = new byte[1 + random.nextInt(50_000)];
                            random.nextBytes(bytes);
                            int offset = random.nextInt(part - bytes.length);
                            file.write(ByteBuffer.wrap(bytes), (long) own * part + offset);
                            System.arraycopy(bytes, 0, content, offset, bytes.length);
                        }
                        ByteBuffer read = ByteBuffer.allocate(part);
                        while (read.hasRemaining() && file.read(read, (long) own * part + read.position()) > 0) {
                            // On to the next piece.
                        }
                        assertThat(read.array()).isEqualTo(content);
                    }
                }
                return content;
            });
        }
        List<byte[]> parts = together(writers);
        for (int node = 1; node <= 3; node++) {
            byte[] content = Files.readAllBytes(at(node, "f"));
            for (int i = 0; i < parts.size(); i++) {
                assertThat(Arrays.copyOfRange(content, i * part, (i + 1) * part))
                        .as("part %d on node %d", i, node)
                        .isEqualTo(parts.get(i));
            }
        }
    }
}
