package io.fusecache.coordinator.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class OverlayTest {
    /** A state beneath that is a map. */
    private static final class Beneath implements View {
        final TreeMap<byte[], byte[]> map = new TreeMap<>(Arrays::compareUnsigned);

        @Override
        public byte @Nullable [] get(byte[] key) {
            return map.get(key);
        }

        @Override
        public void scan(byte[] from, byte[] to, Visitor visitor) {
            for (Map.Entry<byte[], byte[]> entry : map.subMap(from, to).entrySet()) {
                if (!visitor.visit(entry.getKey(), entry.getValue())) {
                    return;
                }
            }
        }

        void apply(Changes batch) {
            apply(batch, map);
        }

        static void apply(Changes batch, Map<byte[], byte[]> to) {
            for (Map.Entry<byte[], byte @Nullable []> entry : batch.entries()) {
                byte[] value = entry.getValue();
                if (value == null) {
                    to.remove(entry.getKey());
                } else {
                    to.put(entry.getKey(), value);
                }
            }
        }
    }

    /** Whatever is on its way and whatever has arrived, it shows what a map shows to which all was done at once. */
    @Test
    void itShowsAllThatWasAdded() {
        long seed = Long.getLong("fusecache.seed", 1);
        Random random = new Random(seed);
        Beneath beneath = new Beneath();
        TreeMap<byte[], byte[]> model = new TreeMap<>(Arrays::compareUnsigned);
        Overlay overlay = new Overlay(beneath, 1 << 20);
        ArrayDeque<Changes> underWay = new ArrayDeque<>();
        long added = 0;
        long applied = 0;
        for (int i = 0; i < 20_000; i++) {
            switch (random.nextInt(4)) {
                case 0 -> {
                    Changes batch = new Changes(overlay);
                    for (int j = random.nextInt(4); j >= 0; j--) {
                        byte[] key = key(random);
                        if (random.nextInt(3) == 0) {
                            batch.delete(key);
                        } else {
                            batch.put(key, new byte[] {(byte) i, (byte) j});
                        }
                    }
                    assertThat(overlay.add(++added, batch)).isTrue();
                    Beneath.apply(batch, model);
                    underWay.add(batch);
                }
                case 1 -> {
                    if (!underWay.isEmpty()) {
                        beneath.apply(underWay.remove());
                        applied++;
                        if (random.nextBoolean()) {
                            overlay.applied(applied);
                        }
                    }
                }
                case 2 -> {
                    byte[] key = key(random);
                    assertThat(overlay.get(key)).as("seed %d, step %d", seed, i).isEqualTo(model.get(key));
                }
                default -> {
                    byte[] from = key(random);
                    byte[] to = key(random);
                    if (Arrays.compareUnsigned(from, to) < 0) {
                        int most = 1 + random.nextInt(6);
                        List<String> expected = model.subMap(from, to).entrySet().stream()
                                .limit(most)
                                .map(entry -> text(entry.getKey(), entry.getValue()))
                                .toList();
                        assertThat(scan(overlay, from, to, most))
                                .as("seed %d, step %d", seed, i)
                                .isEqualTo(expected);
                    }
                }
            }
        }
        overlay.applied(applied);
        underWay.forEach(beneath::apply);
        overlay.applied(added);
        assertThat(overlay.bytes()).isZero();
        assertThat(scan(overlay, new byte[] {0}, new byte[] {(byte) 0xff}, 1_000))
                .isEqualTo(scan(beneath, new byte[] {0}, new byte[] {(byte) 0xff}, 1_000));
    }

    @Test
    void itIsBounded() {
        Overlay overlay = new Overlay(new Beneath(), 4_000);
        long position = 0;
        while (overlay.add(position + 1, batch())) {
            position++;
        }
        assertThat(position).isBetween(2L, 4L);
        assertThat(overlay.bytes()).isLessThanOrEqualTo(4_000);
        overlay.applied(1);
        assertThat(overlay.add(position + 1, batch())).isTrue();
    }

    private static Changes batch() {
        Changes batch = new Changes(new Beneath());
        batch.put(new byte[] {1}, new byte[1_000]);
        return batch;
    }

    private static byte[] key(Random random) {
        return new byte[] {(byte) random.nextInt(16), (byte) random.nextInt(8)};
    }

    private static List<String> scan(View view, byte[] from, byte[] to, int most) {
        List<String> found = new ArrayList<>();
        view.scan(from, to, (key, value) -> {
            found.add(text(key, value));
            return found.size() < most;
        });
        return found;
    }

    private static String text(byte[] key, byte[] value) {
        return Arrays.toString(key) + "=" + Arrays.toString(value);
    }
}
