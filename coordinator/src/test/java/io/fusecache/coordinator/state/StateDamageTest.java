package io.fusecache.coordinator.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is damaged in a state's folder is found and named, or changes nothing of what is read. */
final class StateDamageTest {
    private static final long SEED = Long.getLong("fusecache.seed", 1);
    private static final int DAMAGES = 150;
    private static final int SMALL_CACHE_BYTES = 1 << 20;

    @TempDir
    Path scratch;

    private final Random random = new Random(SEED);
    private final TreeMap<byte[], byte[]> model = new TreeMap<>(Arrays::compareUnsigned);
    private Path folder = Path.of("");

    /** Half of it in a table, half of it in the log. */
    @BeforeEach
    void fill() throws IOException {
        folder = scratch.resolve("state");
        for (int half = 0; half < 2; half++) {
            try (StateStore store = open()) {
                for (int i = 0; i < 200; i++) {
                    write(store);
                    store.sync();
                }
            }
        }
    }

    private StateStore open() throws IOException {
        return StateStore.open(folder, SMALL_CACHE_BYTES);
    }

    private void write(StateStore store) throws IOException {
        Changes changes = new Changes(store);
        byte[] key = Keys.inode(random.nextInt(1_000));
        byte[] value = new byte[random.nextInt(200)];
        random.nextBytes(value);
        changes.put(key, value);
        store.write(changes);
        model.put(key, value);
    }

    private static Map<String, String> contents(StateStore store) {
        Map<String, String> found = new TreeMap<>();
        store.scan(new byte[] {0}, new byte[] {(byte) 0xff}, (key, value) -> {
            if (!Arrays.equals(key, Keys.format())) {
                found.put(HexFormat.of().formatHex(key), HexFormat.of().formatHex(value));
            }
            return true;
        });
        return found;
    }

    private Map<String, String> expected() {
        Map<String, String> all = new TreeMap<>();
        model.forEach((key, value) ->
                all.put(HexFormat.of().formatHex(key), HexFormat.of().formatHex(value)));
        return all;
    }

    private List<Path> files(String end) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(Files::isRegularFile)
                    .filter(file -> file.toString().endsWith(end))
                    .sorted()
                    .toList();
        }
    }

    private Path log() throws IOException {
        return files(".log").getLast();
    }

    private static void flip(Path file, long at) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) at] ^= 0x10;
        Files.write(file, bytes);
    }

    private static void truncate(Path file, long to) throws IOException {
        try (FileChannel opened = FileChannel.open(file, StandardOpenOption.WRITE)) {
            opened.truncate(to);
        }
    }

    private void isRefused(String reason) throws IOException {
        byte[] before = Files.readAllBytes(log());
        for (int again = 0; again < 2; again++) {
            assertThatThrownBy(this::open)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("data directory " + folder + " is damaged")
                    .hasMessageContaining(reason);
        }
        assertThat(Files.readAllBytes(log())).isEqualTo(before);
    }

    @Test
    void aDamagedLogIsRefusedByNameAndLeftAsItIs() throws Exception {
        flip(log(), Files.size(log()) / 2);
        isRefused("was durable up to change");
    }

    @Test
    void aTruncatedLogIsRefusedByNameAndLeftAsItIs() throws Exception {
        truncate(log(), Files.size(log()) - 20);
        isRefused("was durable up to change");
    }

    @Test
    void aLogThatIsGoneIsRefusedByName() throws Exception {
        Files.delete(log());
        assertThatThrownBy(this::open)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("data directory " + folder + " is damaged");
    }

    @Test
    void aStateWithoutItsFirstFileIsNotBegunAnew() throws Exception {
        Files.delete(folder.resolve("CURRENT"));
        isRefused("CURRENT is gone");
        Files.delete(log());
        List<Path> tables = files(".sst");
        assertThat(tables).isNotEmpty();
        assertThatThrownBy(this::open).isInstanceOf(IOException.class).hasMessageContaining("CURRENT is gone");
        assertThat(files(".sst")).isEqualTo(tables);
    }

    @Test
    void whatWasNeverDurableMayBeGone() throws Exception {
        Map<String, String> durable = expected();
        long size;
        Path log;
        try (StateStore store = open()) {
            log = log();
            size = Files.size(log);
            write(store);
        }
        // As the machine's crash may leave it: the last record is there in part.
        truncate(log, size + 10);
        try (StateStore store = open()) {
            assertThat(contents(store)).isEqualTo(durable);
        }
    }

    @Test
    void aMarkThatTheMachineDidNotWriteOutIsNone() throws Exception {
        Files.write(folder.resolve(DurableMark.FILE), new byte[16]);
        try (StateStore store = open()) {
            assertThat(contents(store)).isEqualTo(expected());
        }
        truncate(folder.resolve(DurableMark.FILE), 0);
        try (StateStore store = open()) {
            assertThat(contents(store)).isEqualTo(expected());
        }
    }

    @Test
    void noDamageIsUsedSilently() throws Exception {
        Path whole = folder;
        for (int i = 0; i < DAMAGES; i++) {
            folder = scratch.resolve("damaged-" + i);
            copy(whole, folder);
            List<Path> all = files("").stream()
                    .filter(file -> file.toFile().length() > 0)
                    // Without its last records it reads as an older one.
                    .filter(file -> !file.getFileName().toString().startsWith("MANIFEST"))
                    .toList();
            Path file = all.get(random.nextInt(all.size()));
            long at = random.nextInt((int) Files.size(file));
            boolean cut = random.nextInt(3) == 0;
            if (cut) {
                truncate(file, at);
            } else {
                flip(file, at);
            }
            String what = "seed %d, damage %d: %s at byte %d %s".formatted(SEED, i, file, at, cut ? "cut" : "flipped");
            try (StateStore store = open()) {
                assertThat(contents(store)).as(what).isEqualTo(expected());
            } catch (IOException refused) {
                assertThat(refused).as(what).hasMessageContaining(folder.toString());
            } catch (StateStore.StateException unreadable) {
                assertThat(unreadable).as(what).hasMessageContaining("the state cannot be read");
            }
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> all = Files.list(from)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }
}
