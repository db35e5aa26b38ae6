package io.fusecache.metadata.wire;

import java.time.Duration;
import java.util.random.RandomGenerator;

/** How long to wait after so many failures in a row: doubling from {@code first} to {@code most}, less up to half of it. */
record Backoff(Duration first, Duration most) {
    Duration after(int failures, RandomGenerator random) {
        if (failures == 0) {
            return Duration.ZERO;
        }
        long whole = Math.min(first.toNanos() << Math.min(failures - 1, 20), most.toNanos());
        return Duration.ofNanos(whole / 2 + random.nextLong(whole / 2 + 1));
    }
}
