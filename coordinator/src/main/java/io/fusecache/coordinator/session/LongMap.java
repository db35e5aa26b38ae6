package io.fusecache.coordinator.session;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A hash map from positive numbers, without an object per entry: a million leases have to fit. Open addressing. */
final class LongMap<V> {
    private static final int SMALLEST = 64;

    private long[] keys = new long[SMALLEST];
    private @Nullable Object[] values = new Object[SMALLEST];
    private int size;

    int size() {
        return size;
    }

    @SuppressWarnings("unchecked")
    @Nullable V get(long key) {
        for (int i = slot(key); keys[i] != 0; i = next(i)) {
            if (keys[i] == key) {
                return (V) values[i];
            }
        }
        return null;
    }

    void put(long key, V value) {
        int i = slot(key);
        for (; keys[i] != 0; i = next(i)) {
            if (keys[i] == key) {
                values[i] = value;
                return;
            }
        }
        keys[i] = key;
        values[i] = value;
        if (++size * 2 > keys.length) {
            resize(keys.length * 2);
        }
    }

    void remove(long key) {
        int i = slot(key);
        while (keys[i] != key) {
            if (keys[i] == 0) {
                return;
            }
            i = next(i);
        }
        size--;
        // Close the gap, so that no search ends too early.
        int gap = i;
        for (int j = next(i); keys[j] != 0; j = next(j)) {
            int home = slot(keys[j]);
            boolean reachesOverGap = gap <= j ? home <= gap || home > j : home <= gap && home > j;
            if (reachesOverGap) {
                keys[gap] = keys[j];
                values[gap] = values[j];
                gap = j;
            }
        }
        keys[gap] = 0;
        values[gap] = null;
        if (size * 8 < keys.length && keys.length > SMALLEST) {
            resize(keys.length / 2);
        }
    }

    long[] keys() {
        return Arrays.stream(keys).filter(key -> key != 0).toArray();
    }

    private void resize(int length) {
        long[] oldKeys = keys;
        @Nullable Object[] oldValues = values;
        keys = new long[length];
        values = new Object[length];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != 0) {
                int j = slot(oldKeys[i]);
                while (keys[j] != 0) {
                    j = next(j);
                }
                keys[j] = oldKeys[i];
                values[j] = oldValues[i];
            }
        }
    }

    private int slot(long key) {
        long mixed = key * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 32) & (keys.length - 1);
    }

    private int next(int i) {
        return (i + 1) & (keys.length - 1);
    }
}
