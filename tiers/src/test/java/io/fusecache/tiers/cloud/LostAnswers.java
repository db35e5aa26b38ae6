package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CloudTier.Permit;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.testkit.FaultProxy;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** What is done although the answer did not arrive is asked for again, recognised, and there once. */
public final class LostAnswers {
    private static final int WINDOW = 256 << 10;
    private static final Map<String, String> ATTRIBUTES = Map.of("fusecache-mode", "640", "fusecache-btime", "7.5");

    private LostAnswers() {}

    private static void content(long offset, MemorySegment target) {
        for (long i = 0; i < target.byteSize(); i++) {
            target.set(ValueLayout.JAVA_BYTE, i, (byte) ((offset + i) * 37 + ((offset + i) >> 13)));
        }
    }

    /**
     * Puts, copies and removes, while the proxy loses the first answer of each kind.
     *
     * @param store that speaks with its server through the proxy
     * @param kinds of requests for "small", for "large" with more than one part, and for "copy"
     */
    public static void assertHarmless(ObjectStore store, FaultProxy proxy, String... kinds) throws IOException {
        BucketOptions options = new BucketOptions(
                1 << 20, WINDOW, 6, 2, 3, Duration.ofSeconds(30), Duration.ofMillis(10), Duration.ofMillis(20));
        int size = (int) Math.max(store.limits().parts().smallest(), WINDOW) * 2 + 100;
        try (Arena memory = Arena.ofShared();
                BufferArena buffers = new BufferArena(4L << 20, 4096, 1 << 20);
                BucketTier tier = new BucketTier(store, buffers, options)) {
            MemorySegment expected = memory.allocate(size);
            content(0, expected);
            proxy.loseOnce(kinds);

            ObjectRef small = tier.put("small", 1000, ATTRIBUTES, LostAnswers::content, Permit.FOR_GOOD);
            assertThat(tier.head("small")).contains(new StoredObject(small, 1000, ATTRIBUTES));
            ObjectRef large = tier.put("large", size, ATTRIBUTES, LostAnswers::content, Permit.FOR_GOOD);
            assertThat(tier.head("large")).contains(new StoredObject(large, size, ATTRIBUTES));
            Optional<ObjectRef> copy = tier.copy(large, "copy", Permit.FOR_GOOD);
            assertThat(tier.head("copy").map(StoredObject::object)).isEqualTo(copy);
            tier.delete("small", Permit.FOR_GOOD);
            assertThat(tier.head("small")).isEmpty();

            for (ObjectRef object : new ObjectRef[] {large, copy.orElseThrow()}) {
                MemorySegment found = memory.allocate(size);
                assertThat(tier.read(object, 0, found)).isEqualTo(new ReadOutcome.Hit(size));
                assertThat(found.mismatch(expected)).isEqualTo(-1);
            }
            assertThat(proxy.met()).hasSize(kinds.length);
            assertThat(tier.requests().repeated()).isGreaterThanOrEqualTo(kinds.length);
        }
    }
}
