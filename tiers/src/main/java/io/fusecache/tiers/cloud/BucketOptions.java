package io.fusecache.tiers.cloud;

import java.time.Duration;

/**
 * The bounds of {@link BucketTier}.
 *
 * @param rangeBytes a larger read goes as several ranges at once
 * @param partBytes a larger object goes as several parts at once
 * @param requests in flight at most, all together
 * @param puts parts and small objects being put at most: they hold {@code puts * partBytes} of buffer, and leave the other
 *     requests to reads
 * @param attempts of one request, the first included
 * @param timeout of one attempt
 * @param firstPause before the second attempt, about; doubles from then on
 * @param longestPause between two attempts
 */
public record BucketOptions(
        int rangeBytes,
        int partBytes,
        int requests,
        int puts,
        int attempts,
        Duration timeout,
        Duration firstPause,
        Duration longestPause) {
    public BucketOptions {
        if (rangeBytes < 4096 || partBytes < 4096 || puts < 1 || requests <= puts || attempts < 1) {
            throw new IllegalArgumentException(
                    "ranges of %d bytes, parts of %d, %d requests, %d of them puts, %d attempts"
                            .formatted(rangeBytes, partBytes, requests, puts, attempts));
        }
        if (!timeout.isPositive() || firstPause.isNegative() || longestPause.compareTo(firstPause) < 0) {
            throw new IllegalArgumentException(
                    "timeout %s, pauses of %s to %s".formatted(timeout, firstPause, longestPause));
        }
    }

    public static BucketOptions of(Duration timeout) {
        return new BucketOptions(8 << 20, 8 << 20, 24, 4, 5, timeout, Duration.ofMillis(100), Duration.ofSeconds(5));
    }
}
