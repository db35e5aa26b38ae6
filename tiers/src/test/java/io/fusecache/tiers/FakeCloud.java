package io.fusecache.tiers;

import io.fusecache.cache.CloudTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.ObjectRef;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** A bucket that has every object, by the content of {@link BlockFetcherTest}; only reads are asked of it. */
final class FakeCloud implements CloudTier {
    final AtomicInteger wrongReads = new AtomicInteger();
    final ConcurrentLinkedQueue<Long> reads = new ConcurrentLinkedQueue<>();
    volatile boolean gone;
    volatile boolean guardsRanges = true;

    @Override
    public boolean guardsRanges() {
        return guardsRanges;
    }

    @Override
    public ReadOutcome read(ObjectRef object, long offset, MemorySegment target) {
        if (gone) {
            return new ReadOutcome.Miss();
        }
        reads.add(offset);
        BlockFetcherTest.fill(target, offset);
        if (wrongReads.getAndDecrement() > 0) {
            target.set(ValueLayout.JAVA_BYTE, 7, (byte) (target.get(ValueLayout.JAVA_BYTE, 7) ^ 1));
        }
        return new ReadOutcome.Hit((int) target.byteSize());
    }

    @Override
    public ObjectRef put(
            String key, long size, Map<String, String> attributes, RangeReader content, Over over, Permit permit) {
        throw new AssertionError("not asked for");
    }

    @Override
    public Optional<ObjectRef> copy(ObjectRef from, String toKey, Over over, Permit permit) {
        throw new AssertionError("not asked for");
    }

    @Override
    public boolean delete(ObjectRef object, Permit permit) {
        throw new AssertionError("not asked for");
    }

    @Override
    public void delete(String key, Permit permit) {
        throw new AssertionError("not asked for");
    }

    @Override
    public long largestObject() {
        throw new AssertionError("not asked for");
    }

    @Override
    public Duration timeout() {
        throw new AssertionError("not asked for");
    }

    @Override
    public Pages list(String prefix) {
        throw new AssertionError("not asked for");
    }

    @Override
    public Optional<StoredObject> head(String key) {
        throw new AssertionError("not asked for");
    }

    @Override
    public void check() {}

    @Override
    public void close() {}
}
