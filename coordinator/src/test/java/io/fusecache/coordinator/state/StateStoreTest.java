package io.fusecache.coordinator.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StateStoreTest {
    private static final int DUE_MILLIS = 40;
    private static final int SMALL_CACHE_BYTES = 256 << 10;

    @TempDir
    Path folder;

    /** Queues among them, whose heads move. */
    @Test
    void aScanFindsWhatIsThere() throws Exception {
        long seed = Long.getLong("fusecache.seed", 1);
        Random random = new Random(seed);
        TreeMap<byte[], byte[]> model = new TreeMap<>(Arrays::compareUnsigned);
        try (StateStore store = StateStore.open(folder)) {
            for (int i = 0; i < 5_000; i++) {
                byte[] key = key(random);
                if (random.nextBoolean()) {
                    Changes changes = new Changes(store);
                    byte[] value = {(byte) i};
                    changes.put(key, value);
                    model.put(key, value);
                    model.headMap(key(random)).keySet().stream()
                            .limit(random.nextInt(4))
                            .toList()
                            .forEach(gone -> {
                                changes.delete(gone);
                                model.remove(gone);
                            });
                    store.write(changes);
                    continue;
                }
                byte[] from = random.nextBoolean() ? new byte[] {key[0]} : key;
                byte[] to = random.nextBoolean() ? Keys.after(new byte[] {key[0]}) : key(random);
                if (Arrays.compareUnsigned(from, to) < 0) {
                    int most = 1 + random.nextInt(5);
                    assertThat(scan(store, from, to, most))
                            .as("seed %d, step %d", seed, i)
                            .isEqualTo(model.subMap(from, to).keySet().stream()
                                    .limit(most)
                                    .map(Arrays::toString)
                                    .toList());
                }
            }
        }
    }

    /** A filter that is read whole for each key that is not there would make every look as slow as the state is large. */
    @Test
    void whatIsNotThereIsFoundOutWithoutReadingMuch() throws Exception {
        int files = 5;
        int looks = 1_000;
        for (int file = 0; file < files; file++) {
            // Opening writes what the log has into a file, and the fourth of them makes one of all.
            try (StateStore store = StateStore.open(folder, SMALL_CACHE_BYTES)) {
                Changes changes = new Changes(store);
                for (int i = file; i < 300_000; i += files) {
                    changes.put(Keys.objectKey("key-%08d".formatted(i)), new byte[0]);
                }
                store.write(changes);
            }
        }
        try (StateStore store = StateStore.open(folder, SMALL_CACHE_BYTES)) {
            Awaitility.await("files made one").until(() -> files() <= 2);
            long before = bytesRead();
            for (int i = 0; i < looks; i++) {
                assertThat(store.get(Keys.objectKey("key-%08d-not".formatted(i))))
                        .isNull();
            }
            assertThat(bytesRead() - before).isLessThan(looks * 50_000L);
        }
    }

    private long files() throws IOException {
        try (var all = Files.list(folder)) {
            return all.filter(file -> file.toString().endsWith(".sst")).count();
        }
    }

    /** By this process, from wherever. */
    private static long bytesRead() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/io")).stream()
                .filter(line -> line.startsWith("rchar: "))
                .mapToLong(line -> Long.parseLong(line.substring("rchar: ".length())))
                .sum();
    }

    private static byte[] key(Random random) {
        return switch (random.nextInt(3)) {
            case 0 -> Keys.due(random.nextInt(DUE_MILLIS), random.nextInt(3));
            case 1 -> Keys.quota(random.nextInt(DUE_MILLIS));
            default -> Keys.inode(random.nextInt(DUE_MILLIS));
        };
    }

    private static List<String> scan(View view, byte[] from, byte[] to, int most) {
        List<String> found = new ArrayList<>();
        view.scan(from, to, (key, _) -> {
            found.add(Arrays.toString(key));
            return found.size() < most;
        });
        return found;
    }
}
