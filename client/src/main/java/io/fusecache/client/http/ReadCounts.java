package io.fusecache.client.http;

/** What each tier served and missed since start, and what was written; METRICS.md says what each figure counts. */
public record ReadCounts(Tier nvme, Tier peer, Tier cloud, long writes, long writtenBytes, BucketRequests requests) {
    /**
     * What became of requests to the bucket.
     *
     * @param repeated had to be sent again
     * @param throttled were refused because they were too many
     * @param limit in flight at most, at this moment
     * @param hedged sent a second time, because the answer to the first was late
     * @param hedgesWon of those, whose answer came first
     * @param hedgedBytes of those, what they asked for
     */
    public record BucketRequests(
            long repeated, long throttled, int limit, long hedged, long hedgesWon, long hedgedBytes) {}

    /** @param nanos time spent waiting for the bytes */
    public record Tier(long hits, long misses, long bytes, long nanos) {
        double secondsSpent() {
            return nanos / 1e9;
        }

        /** MB/s over all reads so far; 0 before the first. */
        double megabytesPerSecond() {
            return nanos == 0 ? 0 : bytes * 1e3 / nanos;
        }
    }
}
