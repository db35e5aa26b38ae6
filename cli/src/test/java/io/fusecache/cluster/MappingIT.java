package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Shared mappings: what is stored through them is written, whenever the descriptor was closed. */
final class MappingIT {
    private static final int BYTES = 8192;
    private static final int MORE_THAN_A_BLOCK = 5 << 20;

    private Cluster cluster;

    @AfterEach
    void stop() throws Exception {
        cluster.close();
    }

    private static void put(MemorySegment mapping, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        MemorySegment.copy(bytes, 0, mapping, ValueLayout.JAVA_BYTE, 0, bytes.length);
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void whatIsStoredAfterTheCloseIsCommittedWhenTheMappingEnds(String passthrough) throws Exception {
        cluster = Cluster.start(2, "-passthrough", passthrough);
        Path here = cluster.node(1).mount().resolve("mapped");
        Path there = cluster.node(2).mount().resolve("mapped");
        try (Arena arena = Arena.ofShared()) {
            MemorySegment mapping;
            try (FileChannel channel = FileChannel.open(
                    here, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                mapping = channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, arena);
                put(mapping, "first");
            }
            // The page is dirty already: these stores change no time of the file.
            put(mapping, "second");
            assertThat(Files.readString(here, StandardCharsets.US_ASCII)).startsWith("second");
        }
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(Files.readString(there, StandardCharsets.US_ASCII))
                        .startsWith("second")
                        .hasSize(BYTES));
        Path object = cluster.bucket().resolve("mapped");
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(Files.readString(object, StandardCharsets.US_ASCII))
                        .startsWith("second"));
        assertThat(Files.readString(here, StandardCharsets.US_ASCII)).startsWith("second");
    }

    /** The kernel had told the times before, and may go on with what it knows where it maps the file below. */
    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void whatIsStoredShowsInTheTimesAfterFsyncAndClose(String passthrough) throws Exception {
        cluster = Cluster.start(1, "-passthrough", passthrough);
        Path file = cluster.node(1).mount().resolve("timed");
        Files.write(file, new byte[BYTES]);
        FileTime synced;
        try (Arena arena = Arena.ofShared();
                FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MemorySegment mapping = channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, arena);
            assertThat(mapping.get(ValueLayout.JAVA_BYTE, 0)).isZero();
            FileTime before = Files.getLastModifiedTime(file);
            assertThat(Files.getLastModifiedTime(file)).isEqualTo(before);
            tick();
            put(mapping, "first");
            channel.force(true);
            synced = Files.getLastModifiedTime(file);
            assertThat(synced).isGreaterThan(before);
            tick();
            put(mapping, "second");
        }
        assertThat(Files.getLastModifiedTime(file)).isGreaterThan(synced);
    }

    /** The clock of a disk's times goes in steps of up to 10 ms. */
    private static void tick() throws InterruptedException {
        Thread.sleep(20);
    }

    /** Programs that share a file by mappings, as SQLite's do: one of them leaves, the other goes on. */
    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void whatIsStoredBetweenTwoClosesIsCommittedByTheSecond(String passthrough) throws Exception {
        cluster = Cluster.start(2, "-passthrough", passthrough);
        for (int bytes : new int[] {BYTES, MORE_THAN_A_BLOCK}) {
            Path here = cluster.node(1).mount().resolve("shared" + bytes);
            try (FileChannel channel = FileChannel.open(
                            here, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
                    Arena arena = Arena.ofShared()) {
                MemorySegment mapping = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
                put(mapping, "first");
                FileChannel.open(here, StandardOpenOption.READ, StandardOpenOption.WRITE)
                        .close();
                // The page is dirty already: these stores change no time of the file.
                put(mapping, "second");
            }
            assertThat(Files.readString(cluster.node(2).mount().resolve("shared" + bytes), StandardCharsets.US_ASCII))
                    .startsWith("second");
        }
    }
}
