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
 * @param timeout of one attempt; more for a part that is larger than {@code partBytes}, see {@link #timeoutOf}
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
    /** Of a part of any size. */
    public static final Duration LONGEST_PART = Duration.ofMinutes(5);

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

    /**
     * What one attempt at a part may take, that it be no faster than a small one has to be. Bounded, because a permit to change the
     * bucket is, and whoever has it gets it anew only between two attempts.
     */
    Duration timeoutOf(long bytes) {
        long smallOnes = Math.max(1, (bytes + partBytes - 1) / partBytes);
        Duration all = timeout.multipliedBy(smallOnes);
        Duration most = timeout.compareTo(LONGEST_PART) > 0 ? timeout : LONGEST_PART;
        return all.compareTo(most) > 0 ? most : all;
    }

    /** Small objects being put at most, beside the large: half of all requests stays to reads. */
    int smallPuts() {
        return Math.max(1, requests / 2 - puts);
    }

    public static BucketOptions of(Duration timeout) {
        return new BucketOptions(8 << 20, 8 << 20, 24, 4, 5, timeout, Duration.ofMillis(100), Duration.ofSeconds(5));
    }
}
