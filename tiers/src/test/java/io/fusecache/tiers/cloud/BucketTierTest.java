package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CloudTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Timestamp;
import io.fusecache.testkit.CloudTierContract;
import io.fusecache.tiers.cloud.FaultyObjectStore.Call;
import io.fusecache.tiers.cloud.FaultyObjectStore.Fault;
import io.fusecache.tiers.cloud.ObjectStore.Listed;
import io.fusecache.tiers.cloud.ObjectStore.Page;
import io.fusecache.tiers.cloud.file.FolderStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@SuppressWarnings("NullAway.Init")
final class BucketTierTest extends CloudTierContract {
    private static final int RANGE = 16 << 10;
    private static final int PART = 32 << 10;
    private static final int REQUESTS = 6;
    private static final int PUTS = 3;
    private static final int ATTEMPTS = 4;
    private static final int LARGE = 10 * PART + 77;

    @TempDir
    Path folder;

    private final BufferArena buffers = new BufferArena(1 << 20, 4096, 64 << 10);
    private final Queue<Duration> pauses = new ConcurrentLinkedQueue<>();
    private FaultyObjectStore store;
    private BucketTier tier;

    @Override
    protected CloudTier open() {
        store = new FaultyObjectStore(new FolderStore(folder, new FolderStore.Options(false, true, 7)));
        tier = tier(Duration.ofSeconds(20));
        return tier;
    }

    private BucketTier tier(Duration timeout) {
        return new BucketTier(
                store,
                buffers,
                new BucketOptions(
                        RANGE, PART, REQUESTS, PUTS, ATTEMPTS, timeout, Duration.ofMillis(100), Duration.ofMillis(300)),
                null,
                pauses::add);
    }

    @Override
    protected int largeBytes() {
        return LARGE;
    }

    @AfterEach
    void givesAllBuffersBack() {
        assertThat(buffers.usedBytes()).isZero();
        buffers.close();
    }

    private MemorySegment read(ObjectRef object, int size) throws IOException {
        MemorySegment target = memory.allocate(size);
        assertThat(tier.read(object, 0, target)).isEqualTo(new ReadOutcome.Hit(size));
        return target;
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"FAIL", "BREAK_OFF", "LOSE_ANSWER"})
    void aReadThatFailsIsRepeated(Fault fault) throws Exception {
        ObjectRef object = tier.put("k", LARGE, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        store.next(Call.READ, ATTEMPTS - 1, fault);
        assertThat(read(object, LARGE).mismatch(expected(0, LARGE, 1))).isEqualTo(-1);
        assertThat(tier.requests().repeated()).isEqualTo(ATTEMPTS - 1);
    }

    @Test
    void pausesDoubleUpToABound() throws Exception {
        ObjectRef object = tier.put("k", 10, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        store.next(Call.READ, ATTEMPTS, Fault.FAIL);
        assertThatThrownBy(() -> read(object, 10))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("failed 4 times")
                .hasMessageContaining("made to fail: READ")
                .hasMessageContaining("'k'");
        List<Long> millis = pauses.stream().map(Duration::toMillis).toList();
        assertThat(millis).hasSize(3);
        assertThat(millis.get(0)).isBetween(50L, 100L);
        assertThat(millis.get(1)).isBetween(100L, 200L);
        assertThat(millis.get(2)).isBetween(150L, 300L);
        assertThat(read(object, 10).byteSize()).isEqualTo(10);
    }

    @Test
    void whatIsRefusedIsNotRepeated() {
        store.next(Call.HEAD, 1, Fault.REFUSE);
        assertThatThrownBy(() -> tier.head("k")).isInstanceOf(RefusedException.class);
        assertThat(store.calls(Call.HEAD)).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"FAIL", "LOSE_ANSWER"})
    void everyStepOfAPutIsRepeated(Fault fault) throws Exception {
        for (Call call : List.of(Call.PUT, Call.START, Call.PART, Call.COMPLETE)) {
            store.next(call, 2, fault);
        }
        ObjectRef small = tier.put("small", 100, ATTRIBUTES, content(1), CloudTier.Permit.FOR_GOOD);
        assertThat(read(small, 100).mismatch(expected(0, 100, 1))).isEqualTo(-1);
        ObjectRef large = tier.put("large", LARGE, ATTRIBUTES, content(2), CloudTier.Permit.FOR_GOOD);
        assertThat(read(large, LARGE).mismatch(expected(0, LARGE, 2))).isEqualTo(-1);
        assertThat(tier.head("large").orElseThrow().object()).isEqualTo(large);
    }

    @Test
    void aPutThatFailsForGoodDropsItsParts() throws Exception {
        store.next(Call.PART, 100, Fault.FAIL);
        assertThatThrownBy(() -> tier.put("k", LARGE, Map.of(), content(1), CloudTier.Permit.FOR_GOOD))
                .isInstanceOf(IOException.class);
        assertThat(store.calls(Call.ABORT)).isEqualTo(1);
        assertThat(tier.head("k")).isEmpty();
        assertThat(store.inFlight()).isZero();
    }

    @Test
    void aRequestThatDoesNotAnswerIsEndedAndRepeated() throws Exception {
        ObjectRef object = tier.put("k", LARGE, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        try (BucketTier hasty = tier(Duration.ofMillis(400))) {
            store.next(Call.READ, 2, Fault.STALL);
            MemorySegment target = memory.allocate(RANGE);
            assertThat(hasty.read(object, 0, target)).isEqualTo(new ReadOutcome.Hit(RANGE));
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
            store.next(Call.HEAD, ATTEMPTS, Fault.STALL);
            assertThatThrownBy(() -> hasty.head("k")).hasMessageContaining("no answer within 400 ms");
            assertThat(store.inFlight()).isZero();
        }
    }

    @Test
    void aStoreThatHasTooManyRequestsGetsFewerAndIsWaitedFor() throws Exception {
        ObjectRef object = tier.put("k", LARGE, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        assertThat(tier.requests().limit()).isEqualTo(REQUESTS);
        store.next(Call.HEAD, 3 * ATTEMPTS, Fault.THROTTLE);
        assertThat(tier.head("k").orElseThrow().object()).isEqualTo(object);
        assertThat(tier.requests().throttled()).isEqualTo(3 * ATTEMPTS);
        assertThat(tier.requests().limit()).isEqualTo(2);
        for (int i = 0; i < 3; i++) {
            assertThat(read(object, LARGE).mismatch(expected(0, LARGE, 1))).isEqualTo(-1);
        }
        assertThat(tier.requests().limit()).isEqualTo(REQUESTS);
    }

    @Test
    void aStoreThatHasTooManyRequestsForGoodIsGivenUp() {
        store.next(Call.HEAD, 1_000_000, Fault.THROTTLE);
        assertThatThrownBy(() -> tier.head("k")).hasMessageContaining("made to be throttled");
        long waited = pauses.stream().mapToLong(Duration::toMillis).sum();
        assertThat(waited).as("of three timeouts of 20 s").isBetween(58_000L, 60_000L);
    }

    private void warm(BucketTier reader, ObjectRef object, int reads) throws IOException {
        MemorySegment target = memory.allocate(RANGE);
        for (int i = 0; i < reads; i++) {
            assertThat(reader.read(object, 0, target)).isEqualTo(new ReadOutcome.Hit(RANGE));
        }
    }

    @Test
    void aReadThatTakesUnusuallyLongIsAskedForTwice() throws Exception {
        ObjectRef object = tier.put("k", LARGE, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        warm(tier, object, 40);
        long before = tier.requests().hedged();
        store.next(Call.READ, 1, Fault.STALL);
        MemorySegment target = memory.allocate(RANGE);
        assertThat(tier.read(object, RANGE, target)).isEqualTo(new ReadOutcome.Hit(RANGE));
        assertThat(target.mismatch(expected(RANGE, RANGE, 1))).isEqualTo(-1);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        BucketTier.Requests requests = tier.requests();
        assertThat(requests.hedgesWon()).isPositive();
        assertThat(requests.hedged()).isEqualTo(before + 1);
        assertThat(requests.hedgedBytes()).isEqualTo(requests.hedged() * RANGE);
        assertThat(requests.repeated()).isZero();
        await().until(() -> store.inFlight() == 0);
    }

    @Test
    void ofTwoRequestsOneMayFail() throws Exception {
        ObjectRef object = tier.put("k", LARGE, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        warm(tier, object, 40);
        CountDownLatch gate = new CountDownLatch(1);
        store.hold(gate);
        store.next(Call.READ, 1, Fault.FAIL);
        MemorySegment target = memory.allocate(RANGE);
        try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<ReadOutcome> reading = workers.submit(() -> tier.read(object, RANGE, target));
            await().until(() -> store.inFlight() == 2);
            gate.countDown();
            assertThat(reading.get()).isEqualTo(new ReadOutcome.Hit(RANGE));
        }
        assertThat(target.mismatch(expected(RANGE, RANGE, 1))).isEqualTo(-1);
    }

    @Test
    void secondRequestsAreABoundedShareOfWhatIsRead() throws Exception {
        ObjectRef object = tier.put("k", LARGE, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        try (BucketTier hasty = tier(Duration.ofMillis(400))) {
            warm(hasty, object, 40);
            for (int i = 0; i < 5; i++) {
                store.next(Call.READ, 1, Fault.STALL);
                warm(hasty, object, 1);
            }
            assertThat(hasty.requests().hedged()).isBetween(1L, 3L);
            assertThat(hasty.requests().hedgedBytes()).isLessThanOrEqualTo(RANGE + 45L * RANGE / 20);
            assertThat(hasty.requests().repeated()).isBetween(2L, 5L);
        }
    }

    @Test
    void anInterruptEndsALargeReadAndAllItsRequests() throws Exception {
        ObjectRef object = tier.put("k", LARGE, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        store.next(Call.READ, 100, Fault.STALL);
        try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> reading = workers.submit(() -> tier.read(object, 0, memory.allocate(LARGE)));
            await().until(() -> store.inFlight() == REQUESTS);
            reading.cancel(true);
        }
        assertThat(store.inFlight()).isZero();
        assertThat(pauses).isEmpty();
    }

    @Test
    void requestsAndMemoryAreBounded() throws Exception {
        ObjectRef object = tier.put("k", LARGE, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        CountDownLatch gate = new CountDownLatch(1);
        store.hold(gate);
        try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<ObjectRef>> puts = IntStream.range(0, 4)
                    .mapToObj(i -> workers.submit(
                            () -> tier.put("p" + i, LARGE, Map.of(), content(i), CloudTier.Permit.FOR_GOOD)))
                    .toList();
            List<Future<ReadOutcome>> reads = IntStream.range(0, 4)
                    .mapToObj(i -> workers.submit(() -> tier.read(object, 0, memory.allocate(LARGE))))
                    .toList();
            await().until(() -> store.inFlight() == REQUESTS);
            gate.countDown();
            for (Future<ObjectRef> put : puts) {
                assertThat(put.get().etag()).isNotEmpty();
            }
            for (Future<ReadOutcome> read : reads) {
                assertThat(read.get()).isEqualTo(new ReadOutcome.Hit(LARGE));
            }
        }
        assertThat(store.mostInFlight()).isEqualTo(REQUESTS);
        assertThat(buffers.peakBytes()).isLessThanOrEqualTo((long) PUTS * PART);
    }

    @Test
    void aBitThatFlipsOnTheWayIsForTheChecksumToFind() throws Exception {
        ObjectRef object = tier.put("k", 100, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        store.next(Call.READ, 1, Fault.FLIP_BIT);
        assertThat(read(object, 100).mismatch(expected(0, 100, 1))).isEqualTo(50);
    }

    @Test
    void keysThatNoFileCanHaveAreLeftOutAndDirectoriesHideObjectsOfTheirPage() throws Exception {
        store.nextPage(new Page(
                List.of(listed("d/"), listed("d/ok"), listed("d/.."), listed("d/" + "x".repeat(256)), listed("d/both")),
                List.of("d//", "d/./", "d/also/", "d/both/"),
                "more"));
        store.nextPage(new Page(List.of(listed("d/z")), List.of(), null));
        CloudTier.Pages pages = tier.list("d/");
        assertThat(pages.next().orElseThrow())
                .extracting(name -> name.name() + (name.directory() ? "/" : ""))
                .containsExactly("also/", "both/", "ok");
        assertThat(pages.next().orElseThrow())
                .extracting(name -> name.name().toString())
                .containsExactly("z");
        assertThat(pages.next()).isEmpty();
        assertThat(tier.keysLeftOut())
                .as("d/.., one too long, d/both, and what is in d// and d/./")
                .isEqualTo(5);
    }

    @Test
    void aStoreThatListsInAnotherOrderIsToldOf() throws Exception {
        store.nextPage(new Page(List.of(listed("d/m")), List.of(), "more"));
        store.nextPage(new Page(List.of(listed("d/a")), List.of(), null));
        CloudTier.Pages pages = tier.list("d/");
        assertThat(pages.next()).isPresent();
        assertThatThrownBy(pages::next).isInstanceOf(IOException.class).hasMessageContaining("'a' after 'm'");
    }

    private static Listed listed(String key) {
        return new Listed(key, 1, "etag", Timestamp.EPOCH, Map.of());
    }

    private void limitParts(PartSizes parts) {
        store.limit(new ObjectStore.Limits(1 << 30, parts, Long.MAX_VALUE));
    }

    @Test
    void partsGrowAsTheirNumberDemandsAndMemoryDoesNot() throws Exception {
        int size = 5 * PART + 77;
        limitParts(new PartSizes(1, 1 << 20, 2, 2 << 20));
        for (Fault fault : List.of(Fault.FAIL, Fault.LOSE_ANSWER)) {
            int before = store.calls(Call.PART);
            store.next(Call.PART, 1, fault);
            ObjectRef object = tier.put("k", size, ATTRIBUTES, content(3), CloudTier.Permit.FOR_GOOD);
            assertThat(store.calls(Call.PART) - before).isEqualTo(3);
            assertThat(read(object, size).mismatch(expected(0, size, 3))).isEqualTo(-1);
        }
        assertThat(buffers.peakBytes()).isLessThanOrEqualTo((long) PUTS * PART);
    }

    @Test
    void aLargerPartHasMoreTimeWhileAPermitLasts() throws Exception {
        BucketOptions options = BucketOptions.of(Duration.ofMinutes(1));
        assertThat(options.timeoutOf(1)).isEqualTo(Duration.ofMinutes(1));
        assertThat(options.timeoutOf(options.partBytes())).isEqualTo(Duration.ofMinutes(1));
        assertThat(options.timeoutOf(options.partBytes() + 1)).isEqualTo(Duration.ofMinutes(2));
        assertThat(options.timeoutOf(4000L << 20)).isEqualTo(BucketOptions.LONGEST_PART);

        limitParts(new PartSizes(1, 1 << 20, 1, 1 << 20));
        Queue<Duration> asked = new ConcurrentLinkedQueue<>();
        ObjectRef object = tier.put("k", 5 * PART, ATTRIBUTES, content(3), asked::add);
        assertThat(object.key()).isEqualTo("k");
        assertThat(asked).contains(tier.timeout().multipliedBy(5));
    }

    @Test
    void aSourceThatBreaksInTheMidstOfAPartIsNotReadAgain() {
        limitParts(new PartSizes(1, 1 << 20, 1, 1 << 20));
        assertThatThrownBy(() -> tier.put(
                        "k",
                        5 * PART,
                        Map.of(),
                        (offset, target) -> {
                            if (offset > 2 * PART) {
                                throw new IOException("the disk is broken");
                            }
                        },
                        CloudTier.Permit.FOR_GOOD))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("the disk is broken");
        assertThat(pauses).isEmpty();
        assertThat(store.calls(Call.PART)).isEqualTo(1);
    }

    private BucketTier copyingAtMost(long bytes) {
        store = new FaultyObjectStore(new FolderStore(folder, new FolderStore.Options(false, true, 7, bytes)));
        return tier(Duration.ofSeconds(20));
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"FAIL", "LOSE_ANSWER"})
    void everyStepOfALargeCopyIsRepeated(Fault fault) throws Exception {
        ObjectRef object = tier.put("from", LARGE, ATTRIBUTES, content(1), CloudTier.Permit.FOR_GOOD);
        try (BucketTier narrow = copyingAtMost(PART)) {
            for (Call call : List.of(Call.COPY, Call.START, Call.COPY_PART, Call.COMPLETE)) {
                store.next(call, 2, fault);
            }
            ObjectRef copy =
                    narrow.copy(object, "to", CloudTier.Permit.FOR_GOOD).orElseThrow();
            assertThat(read(copy, LARGE).mismatch(expected(0, LARGE, 1))).isEqualTo(-1);
            assertThat(tier.head("to").orElseThrow().attributes()).isEqualTo(ATTRIBUTES);
            assertThat(store.calls(Call.COPY_PART))
                    .as("11 parts, two of them again")
                    .isEqualTo(13);
            assertThat(store.mostInFlight()).isLessThanOrEqualTo(REQUESTS / 3);
        }
    }

    @Test
    void aLargeCopyThatFailsForGoodDropsItsParts() throws Exception {
        ObjectRef object = tier.put("from", LARGE, ATTRIBUTES, content(1), CloudTier.Permit.FOR_GOOD);
        try (BucketTier narrow = copyingAtMost(PART)) {
            store.next(Call.COPY_PART, 100, Fault.FAIL);
            assertThatThrownBy(() -> narrow.copy(object, "to", CloudTier.Permit.FOR_GOOD))
                    .isInstanceOf(IOException.class);
            assertThat(store.calls(Call.ABORT)).isEqualTo(1);
            assertThat(tier.head("to")).isEmpty();
        }
    }

    @Test
    void aLargeCopyWhoseSourceChangesIsNone() throws Exception {
        ObjectRef object = tier.put("from", LARGE, ATTRIBUTES, content(1), CloudTier.Permit.FOR_GOOD);
        try (BucketTier narrow = copyingAtMost(PART)) {
            store.afterCopiedPart(() -> {
                try {
                    tier.put("from", LARGE, Map.of(), content(2), CloudTier.Permit.FOR_GOOD);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            assertThat(narrow.copy(object, "to", CloudTier.Permit.FOR_GOOD)).isEmpty();
            assertThat(store.calls(Call.ABORT)).isEqualTo(1);
            assertThat(tier.head("to")).isEmpty();
        }
    }

    @Test
    void aPermitThatEndsEndsALargeCopy() throws Exception {
        ObjectRef object = tier.put("from", LARGE, ATTRIBUTES, content(1), CloudTier.Permit.FOR_GOOD);
        AtomicInteger left = new AtomicInteger(5);
        try (BucketTier narrow = copyingAtMost(PART)) {
            assertThatThrownBy(() -> narrow.copy(object, "to", longest -> {
                        assertThat(longest).isEqualTo(narrow.timeout());
                        if (left.getAndDecrement() <= 0) {
                            throw new CloudTier.NoPermitException("no more");
                        }
                    }))
                    .hasMessage("no more");
            assertThat(store.calls(Call.ABORT)).isEqualTo(1);
            assertThat(tier.head("to")).isEmpty();
        }
    }

    @Test
    void aCopyThatGoesOnIsFollowedToItsEnd() throws Exception {
        ObjectRef object = tier.put("from", 100, ATTRIBUTES, content(1), CloudTier.Permit.FOR_GOOD);
        store.goOn(6);
        AtomicInteger asked = new AtomicInteger();
        ObjectRef copy =
                tier.copy(object, "to", longest -> asked.incrementAndGet()).orElseThrow();
        assertThat(read(copy, 100).mismatch(expected(0, 100, 1))).isEqualTo(-1);
        assertThat(store.calls(Call.COPY)).isEqualTo(1);
        assertThat(store.calls(Call.FOLLOW)).isEqualTo(6);
        assertThat(pauses.stream().map(Duration::toSeconds)).containsExactly(1L, 2L, 4L, 8L, 8L, 8L);
        assertThat(asked).as("a permit is kept up meanwhile").hasValueGreaterThanOrEqualTo(7);
    }

    @Test
    void anObjectLargerThanAnyCanBeIsRefused() {
        assertThatThrownBy(() -> tier.put("k", 1L << 62, Map.of(), content(1), CloudTier.Permit.FOR_GOOD))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("an object has at most");
        assertThat(store.calls(Call.START)).isZero();
    }
}
