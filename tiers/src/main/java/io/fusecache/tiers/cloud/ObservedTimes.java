package io.fusecache.tiers.cloud;

import java.util.Arrays;
import java.util.OptionalLong;

/** How long the last reads of each size took; sizes within a factor of two are one. */
final class ObservedTimes {
    private static final int KEPT = 256;
    private static final int FEWEST = 32;
    private static final int SORTED_EVERY = 16;

    private final Times[] bySize = new Times[Long.SIZE + 1];

    ObservedTimes() {
        Arrays.setAll(bySize, size -> new Times());
    }

    private static final class Times {
        private long[] nanos = new long[0];
        private long count;
        private long p99 = -1;

        synchronized void add(long time) {
            if (nanos.length == 0) {
                nanos = new long[KEPT];
            }
            nanos[(int) (count++ % KEPT)] = time;
            if (count >= FEWEST && count % SORTED_EVERY == 0) {
                long[] sorted = Arrays.copyOf(nanos, (int) Math.min(count, KEPT));
                Arrays.sort(sorted);
                p99 = sorted[Math.ceilDiv(sorted.length * 99, 100) - 1];
            }
        }

        synchronized long p99() {
            return p99;
        }
    }

    private Times of(long bytes) {
        return bySize[Long.SIZE - Long.numberOfLeadingZeros(Math.max(0, bytes - 1))];
    }

    void add(long bytes, long nanos) {
        of(bytes).add(nanos);
    }

    /** What 99 of 100 did not exceed; empty while there are too few to say. */
    OptionalLong p99(long bytes) {
        long nanos = of(bytes).p99();
        return nanos < 0 ? OptionalLong.empty() : OptionalLong.of(nanos);
    }
}
