package io.fusecache.filesystem;

import java.util.concurrent.atomic.LongAdder;

/** What the file system did on this node's own disk since its start; tiers 2 and 3 are counted by who reads them. */
public final class Activity {
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder readBytes = new LongAdder();
    private final LongAdder readNanos = new LongAdder();
    private final LongAdder commits = new LongAdder();
    private final LongAdder committedBytes = new LongAdder();

    Activity() {}

    /**
     * Figures at one moment.
     *
     * @param hits opens for reading of files that were whole here, and reads that the daemon answered from such files
     * @param misses opens for reading of files that were not
     * @param readBytes of those reads: what the kernel passes through is not seen
     * @param commits closes after which a file had new content
     * @param committedBytes the sizes of the files at those commits
     */
    public record Figures(long hits, long misses, long readBytes, long readNanos, long commits, long committedBytes) {}

    void opened(boolean whole) {
        (whole ? hits : misses).increment();
    }

    void read(long bytes, long nanos) {
        hits.increment();
        readBytes.add(bytes);
        readNanos.add(nanos);
    }

    void committed(long bytes) {
        commits.increment();
        committedBytes.add(bytes);
    }

    Figures figures() {
        return new Figures(
                hits.sum(), misses.sum(), readBytes.sum(), readNanos.sum(), commits.sum(), committedBytes.sum());
    }
}
