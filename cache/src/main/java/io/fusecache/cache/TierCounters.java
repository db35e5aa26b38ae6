package io.fusecache.cache;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** What each tier was asked and what it gave, since start: the figures behind {@code fuse_cache_TIER_...}. */
public final class TierCounters {
    private final Map<TierKind, Counter> counters = new EnumMap<>(TierKind.class);

    public TierCounters() {
        for (TierKind tier : TierKind.values()) {
            counters.put(tier, new Counter());
        }
    }

    private static final class Counter {
        final LongAdder hits = new LongAdder();
        final LongAdder misses = new LongAdder();
        final LongAdder failures = new LongAdder();
        final LongAdder corrupt = new LongAdder();
        final LongAdder bytes = new LongAdder();
        final LongAdder nanos = new LongAdder();
    }

    /**
     * Figures of one tier.
     *
     * @param hits reads that it answered with bytes
     * @param misses reads that it had nothing for
     * @param failures reads that broke
     * @param corruptBlocks blocks that it gave with wrong bytes
     * @param bytes that it gave
     * @param nanos that the hits took, one beside the other
     */
    public record Figures(long hits, long misses, long failures, long corruptBlocks, long bytes, long nanos) {}

    private Counter of(TierKind tier) {
        return java.util.Objects.requireNonNull(counters.get(tier));
    }

    public void hit(TierKind tier, long bytes, long nanos) {
        Counter counter = of(tier);
        counter.hits.increment();
        counter.bytes.add(bytes);
        counter.nanos.add(nanos);
    }

    public void miss(TierKind tier) {
        of(tier).misses.increment();
    }

    public void failure(TierKind tier) {
        of(tier).failures.increment();
    }

    public void corruptBlock(TierKind tier) {
        of(tier).corrupt.increment();
    }

    public Figures figures(TierKind tier) {
        Counter counter = of(tier);
        return new Figures(
                counter.hits.sum(),
                counter.misses.sum(),
                counter.failures.sum(),
                counter.corrupt.sum(),
                counter.bytes.sum(),
                counter.nanos.sum());
    }
}
