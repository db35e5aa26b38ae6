package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CloudTier.Permit;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.testkit.FaultProxy;
import io.fusecache.testkit.FaultProxy.Fault;
import io.fusecache.tiers.cloud.ObjectStore.Depth;
import io.fusecache.tiers.cloud.ObjectStore.Listed;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/**
 * What the tier makes of a network and a server that go wrong: every read that completes is right, every write is whole or has failed,
 * nothing is done twice, and all of it ends in its time.
 */
public final class StoreFaults {
    /** Of one attempt. */
    public static final Duration TIMEOUT = Duration.ofSeconds(2);

    private static final int ATTEMPTS = 4;
    private static final int RANGE = 256 << 10;
    private static final int SIZE = 4 * RANGE + 77;
    private static final int USUAL_READS = 160;
    private static final int ALWAYS = 1_000_000;
    private static final Map<String, String> ATTRIBUTES = Map.of("fusecache-mode", "640");

    /** All attempts of one request and the pauses between them, on a machine that has other things to do. */
    private static final Duration ALL_ATTEMPTS = TIMEOUT.multipliedBy(ATTEMPTS + 4L);

    private final URI server;
    private final Function<URI, ObjectStore> opening;
    private final Named slowDown;
    private final Named expired;
    private final boolean tellsOfChangedBytes;

    /** @param fault that passes */
    private record Named(String name, Fault fault) {}

    /**
     * @param server of which the stores are
     * @param opening a store that reaches the server by this address, with {@link #TIMEOUT}
     * @param slowDown what the server says when it wants fewer requests
     * @param expired what the server says of credentials that are over
     * @param tellsOfChangedBytes whether it says of a whole object, and of what completes one, that they are not what was sent: of parts
     *     all do
     */
    public StoreFaults(
            URI server,
            Function<URI, ObjectStore> opening,
            Fault slowDown,
            Fault expired,
            boolean tellsOfChangedBytes) {
        this.server = server;
        this.opening = opening;
        this.slowDown = new Named("slow down", slowDown);
        this.tellsOfChangedBytes = tellsOfChangedBytes;
        this.expired = new Named("expired credentials", expired);
    }

    private List<Named> onAnyRequest() {
        return List.of(
                new Named("reset", new Fault.ResetBefore()),
                new Named("reset in the answer", new Fault.ResetAnswer()),
                new Named("no answer", new Fault.LoseAnswer()),
                new Named("silence", new Fault.StaySilent()),
                new Named("internal error", new Fault.Answer(500, "", "")),
                slowDown,
                expired);
    }

    private List<Named> onReads() {
        return List.of(
                new Named("truncated", new Fault.Truncate()),
                new Named("half-closed", new Fault.HalfClose()),
                new Named("stalled", new Fault.Stall()),
                new Named("slow", new Fault.Slow(2L << 20, 16 << 10)));
    }

    public Stream<DynamicTest> tests() {
        return Stream.of(
                        Stream.concat(onAnyRequest().stream(), onReads().stream())
                                .map(each -> test("a read meets: " + each.name(), run -> run.readMeets(each.fault()))),
                        Stream.concat(onAnyRequest().stream(), Stream.of(corrupt()))
                                .map(each -> test(
                                        "puts meet: " + each.name(),
                                        run -> run.putsMeet(each.fault(), partsAlone(each.fault())))),
                        Stream.of(new Named("no answer", new Fault.LoseAnswer()), corrupt(), slowDown)
                                .map(each -> test(
                                        "a put never meets but: " + each.name(), run -> run.putFails(each.fault()))),
                        Stream.of(new Named("truncated", new Fault.Truncate()), slowDown)
                                .map(each -> test(
                                        "a read never meets but: " + each.name(), run -> run.readFails(each.fault()))),
                        Stream.of(test("a stalled range is asked for twice", Run::stalledIsAskedForTwice)))
                .flatMap(tests -> tests);
    }

    private boolean partsAlone(Fault fault) {
        return fault instanceof Fault.CorruptRequest && !tellsOfChangedBytes;
    }

    private static Named corrupt() {
        return new Named("bytes that change on the way", new Fault.CorruptRequest());
    }

    private interface Check {
        void run(Run run) throws IOException;
    }

    private DynamicTest test(String name, Check check) {
        return DynamicTest.dynamicTest(name, () -> {
            BucketOptions options = new BucketOptions(
                    RANGE, RANGE, 6, 2, ATTEMPTS, TIMEOUT, Duration.ofMillis(10), Duration.ofMillis(100));
            try (FaultProxy proxy = FaultProxy.to(server);
                    ObjectStore plain = opening.apply(server);
                    BufferArena buffers = new BufferArena(16L << 20, 4096, 4 << 20);
                    BucketTier tier = new BucketTier(opening.apply(proxy.endpoint()), buffers, options);
                    Arena memory = Arena.ofShared()) {
                // What is wrong with credentials may pass once there has been an answer.
                tier.check();
                check.run(new Run(proxy, plain, tier, memory));
                assertThat(buffers.usedBytes()).as("buffers in use").isZero();
            }
        });
    }

    private static void content(int seed, long offset, MemorySegment target) {
        for (long i = 0; i < target.byteSize(); i++) {
            target.set(ValueLayout.JAVA_BYTE, i, (byte) (seed + (offset + i) * 37 + ((offset + i) >> 13)));
        }
    }

    /**
     * One check.
     *
     * @param plain the store without a proxy
     * @param tier by way of the proxy
     */
    private record Run(FaultProxy proxy, ObjectStore plain, BucketTier tier, Arena memory) {
        private MemorySegment bytes(int size, int seed) {
            MemorySegment bytes = memory.allocate(size);
            content(seed, 0, bytes);
            return bytes;
        }

        private ObjectRef put(String key, int size, int seed) throws IOException {
            return tier.put(key, size, ATTRIBUTES, (offset, target) -> content(seed, offset, target), Permit.FOR_GOOD);
        }

        private int largeSize() {
            return (int) Math.max(plain.limits().parts().smallest(), RANGE) * 2 + 100;
        }

        private void assertIs(ObjectRef object, int size, int seed) throws IOException {
            assertThat(plain.head(object.key())).contains(new StoredObject(object, size, ATTRIBUTES));
            MemorySegment found = memory.allocate(size);
            assertThat(plain.read(object, 0, found)).isTrue();
            assertThat(found.mismatch(bytes(size, seed))).isEqualTo(-1);
        }

        void readMeets(Fault fault) throws IOException {
            ObjectRef object = plain.put("read", bytes(SIZE, 1), ATTRIBUTES);
            proxy.next(2, fault, "GET .*/read");
            MemorySegment found = memory.allocate(SIZE);
            long start = System.nanoTime();
            assertThat(tier.read(object, 0, found)).isEqualTo(new ReadOutcome.Hit(SIZE));
            assertEndedInTime(start);
            assertThat(found.mismatch(bytes(SIZE, 1))).isEqualTo(-1);
            assertThat(proxy.met()).hasSize(2);
        }

        void putsMeet(Fault fault, boolean partsAlone) throws IOException {
            if (!partsAlone) {
                proxy.next(1, fault, "PUT .*/small");
                proxy.next(1, fault, "(POST .*/large\\?uploads|PUT .*/large.*comp=blocklist)");
                proxy.next(1, fault, "(POST .*/large.*uploadId=|PUT .*/large.*comp=blocklist)");
            }
            proxy.next(1, fault, "PUT .*/large.*(partNumber=2|comp=block&)");
            long start = System.nanoTime();
            ObjectRef small = put("small", 10_000, 2);
            ObjectRef large = put("large", largeSize(), 3);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(ALL_ATTEMPTS.multipliedBy(4));
            assertThat(proxy.met()).hasSizeBetween(partsAlone ? 1 : 3, partsAlone ? 1 : 4);
            assertIs(small, 10_000, 2);
            assertIs(large, largeSize(), 3);
        }

        void putFails(Fault fault) throws IOException {
            ObjectRef before = plain.put("kept", bytes(1000, 4), ATTRIBUTES);
            proxy.next(ALWAYS, fault, "PUT .*/kept");
            long start = System.nanoTime();
            assertThatThrownBy(() -> put("kept", 2000, 5)).isInstanceOf(IOException.class);
            assertEndedInTime(start);
            StoredObject now = plain.head("kept").orElseThrow();
            if (fault instanceof Fault.LoseAnswer) {
                // It was heard, and the bytes that were put arrived whole.
                assertIs(now.object(), 2000, 5);
            } else {
                assertThat(now.object()).isEqualTo(before);
                assertIs(before, 1000, 4);
            }
            proxy.heal();
            assertIs(put("kept", 2000, 6), 2000, 6);
            assertThat(plain.list("", Depth.TREE, null).objects().stream().map(Listed::key))
                    .filteredOn(key -> key.startsWith("kept"))
                    .containsExactly("kept");
        }

        void readFails(Fault fault) throws IOException {
            ObjectRef object = plain.put("read", bytes(SIZE, 7), ATTRIBUTES);
            proxy.next(ALWAYS, fault, "GET .*/read");
            MemorySegment found = memory.allocate(SIZE);
            long start = System.nanoTime();
            assertThatThrownBy(() -> tier.read(object, 0, found)).isInstanceOf(IOException.class);
            assertEndedInTime(start);
            proxy.heal();
            assertThat(tier.read(object, 0, found)).isEqualTo(new ReadOutcome.Hit(SIZE));
            assertThat(found.mismatch(bytes(SIZE, 7))).isEqualTo(-1);
        }

        void stalledIsAskedForTwice() throws IOException {
            ObjectRef object = plain.put("read", bytes(SIZE, 8), ATTRIBUTES);
            MemorySegment found = memory.allocate(RANGE);
            for (int i = 0; i < USUAL_READS; i++) {
                assertThat(tier.read(object, 0, found)).isEqualTo(new ReadOutcome.Hit(RANGE));
            }
            long before = tier.requests().hedgesWon();
            proxy.next(1, new Fault.Stall(), "GET .*/read");
            // As the fetcher of blocks does: a socket lets go of a virtual thread that is interrupted.
            FutureTask<ReadOutcome> reading = new FutureTask<>(() -> tier.read(object, RANGE, found));
            Thread.ofVirtual().start(reading);
            assertThat(reading).succeedsWithin(ALL_ATTEMPTS).isEqualTo(new ReadOutcome.Hit(RANGE));
            assertThat(found.mismatch(bytes(SIZE, 8).asSlice(RANGE, RANGE))).isEqualTo(-1);
            assertThat(tier.requests().hedgesWon()).isEqualTo(before + 1);
        }

        private static void assertEndedInTime(long start) {
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(ALL_ATTEMPTS);
        }
    }
}
