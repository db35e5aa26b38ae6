package io.fusecache.client.http;

/** What each tier served and missed since start, and what was written; METRICS.md says what each figure counts. */
public record ReadCounts(Tier nvme, Tier peer, Tier cloud, long writes, long writtenBytes) {
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
