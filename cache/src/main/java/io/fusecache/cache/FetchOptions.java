package io.fusecache.cache;

import java.time.Duration;

/**
 * Bounds of a {@link BlockFetcher}.
 *
 * @param concurrent transfers at once that somebody waits for
 * @param concurrentAhead transfers at once that nobody waits for yet
 * @param batchBytes how much adjacent blocks make one request at most; at least one block is fetched
 * @param busyPatience how long sources that are busy are asked again
 * @param plan what the order of sources assumes
 */
public record FetchOptions(
        int concurrent, int concurrentAhead, long batchBytes, Duration busyPatience, ReadPlan.Settings plan) {
    public FetchOptions {
        if (concurrent < 1 || concurrentAhead < 1 || batchBytes < 1) {
            throw new IllegalArgumentException(
                    "%d transfers, %d ahead, batches of %d bytes".formatted(concurrent, concurrentAhead, batchBytes));
        }
    }

    public static FetchOptions of(ReadPlan.Settings plan) {
        return new FetchOptions(16, 6, 8 << 20, Duration.ofSeconds(30), plan);
    }
}
