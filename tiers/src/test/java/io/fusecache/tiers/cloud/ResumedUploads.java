package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CloudTier.NoPermitException;
import io.fusecache.cache.CloudTier.Permit;
import io.fusecache.cache.CloudTier.RangeReader;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.FaultyObjectStore.Call;
import io.fusecache.tiers.cloud.FaultyObjectStore.Fault;
import io.fusecache.tiers.cloud.ObjectStore.Part;
import io.fusecache.tiers.cloud.ObjectStore.Upload;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** A node that ends in the midst of an upload, and the one that starts after it: over a store that keeps parts. */
public final class ResumedUploads {
    private static final int WINDOW = 256 << 10;
    private static final int PARTS = 6;
    private static final Map<String, String> ATTRIBUTES = Map.of("fusecache-mode", "640");
    private static final BucketOptions OPTIONS = new BucketOptions(
            1 << 20, WINDOW, 6, 1, 2, Duration.ofSeconds(30), Duration.ofMillis(10), Duration.ofMillis(20));

    private final Supplier<ObjectStore> stores;
    private final Path folder;
    private final int size;
    private final InstantSource clock = InstantSource.system();

    /**
     * @param stores each call makes another client of the same bucket
     * @param folder for notes
     */
    public ResumedUploads(Supplier<ObjectStore> stores, Path folder) {
        this.stores = stores;
        this.folder = folder;
        try (ObjectStore store = stores.get()) {
            this.size = (int) Math.max(store.limits().parts().smallest(), WINDOW) * (PARTS - 1) + 100;
        }
    }

    private record Bytes(int seed, String name) implements RangeReader {
        @Override
        public void read(long offset, MemorySegment target) {
            for (long i = 0; i < target.byteSize(); i++) {
                target.set(ValueLayout.JAVA_BYTE, i, (byte)
                        ((offset + i) * 37 + ((offset + i) >> 13) * seed + ((offset + i) >> 20) * 11 + seed));
            }
        }

        @Override
        public Optional<String> version() {
            return name.isEmpty() ? Optional.empty() : Optional.of(name);
        }
    }

    private interface Life {
        void live(BucketTier tier, FaultyObjectStore store) throws Exception;
    }

    /** From its start to its end, as one process. */
    private void node(InstantSource now, Life life) throws Exception {
        FaultyObjectStore store = new FaultyObjectStore(stores.get());
        try (BufferArena buffers = new BufferArena(4L << 20, 4096, 1 << 20);
                BucketTier tier = new BucketTier(store, buffers, OPTIONS, UploadNotes.open(folder, now))) {
            life.live(tier, store);
        }
    }

    /** Ends when so many attempts were permitted, as a node does that loses its coordinator or its life. */
    private static Permit endingAfter(int attempts) {
        AtomicInteger left = new AtomicInteger(attempts);
        return longest -> {
            if (left.getAndDecrement() <= 0) {
                throw new NoPermitException("the end");
            }
        };
    }

    private void breakOff(Bytes bytes) throws Exception {
        node(clock, (tier, store) -> {
            // Two checks for each attempt: the start of the upload, and three parts.
            assertThatThrownBy(() -> tier.put("k", size, ATTRIBUTES, bytes, endingAfter(8)))
                    .hasMessage("the end");
            assertThat(store.calls(Call.PART)).isEqualTo(3);
            assertThat(store.calls(Call.ABORT)).isZero();
        });
        assertThat(UploadNotes.open(folder, clock).find("k")).isPresent();
    }

    private void assertHolds(BucketTier tier, ObjectRef object, Bytes bytes) throws IOException {
        assertThat(tier.head("k")).contains(new StoredObject(object, size, ATTRIBUTES));
        try (Arena memory = Arena.ofShared()) {
            MemorySegment expected = memory.allocate(size);
            bytes.read(0, expected);
            MemorySegment found = memory.allocate(size);
            assertThat(tier.read(object, 0, found)).isEqualTo(new ReadOutcome.Hit(size));
            assertThat(found.mismatch(expected)).isEqualTo(-1);
        }
    }

    /** What arrived before is not sent again, and what is there is the whole. */
    public void theNextProcessSendsTheRest() throws Exception {
        Bytes bytes = new Bytes(1, "7.1");
        breakOff(bytes);
        node(clock, (tier, store) -> {
            ObjectRef object = tier.put("k", size, ATTRIBUTES, bytes, Permit.FOR_GOOD);
            assertThat(store.calls(Call.START)).isZero();
            assertThat(store.calls(Call.PART)).as("parts that were sent again").isEqualTo(PARTS - 3);
            assertHolds(tier, object, bytes);
        });
        assertThat(UploadNotes.open(folder, clock).all()).isEmpty();
    }

    /** Within one process, too: a bucket that was away for a while costs no part twice. */
    public void thePutAfterAFailureSendsTheRest() throws Exception {
        Bytes bytes = new Bytes(1, "7.1");
        node(clock, (tier, store) -> {
            store.next(Call.COMPLETE, OPTIONS.attempts(), Fault.FAIL);
            assertThatThrownBy(() -> tier.put("k", size, ATTRIBUTES, bytes, Permit.FOR_GOOD))
                    .hasMessageContaining("made to fail: COMPLETE");
            assertThat(store.calls(Call.PART)).isEqualTo(PARTS);
            ObjectRef object = tier.put("k", size, ATTRIBUTES, bytes, Permit.FOR_GOOD);
            assertThat(store.calls(Call.PART)).isEqualTo(PARTS);
            assertThat(store.calls(Call.ABORT)).isZero();
            assertHolds(tier, object, bytes);
        });
    }

    /** Parts are compared: a version that says it is the same, and is not, is put as it is. */
    public void partsOfOtherBytesAreSentAgain() throws Exception {
        breakOff(new Bytes(1, "7.1"));
        Bytes others = new Bytes(2, "7.1");
        node(clock, (tier, store) -> {
            ObjectRef object = tier.put("k", size, ATTRIBUTES, others, Permit.FOR_GOOD);
            assertThat(store.calls(Call.PART)).isEqualTo(PARTS);
            assertHolds(tier, object, others);
        });
    }

    /** Other versions, bytes without a name and small objects end what was left for their key. */
    public void whatNobodyGoesOnWithIsDropped() throws Exception {
        for (Bytes next : List.of(new Bytes(1, "7.2"), new Bytes(1, ""))) {
            breakOff(new Bytes(1, "7.1"));
            Upload left =
                    UploadNotes.open(folder, clock).find("k").orElseThrow().upload();
            node(clock, (tier, store) -> {
                ObjectRef object = tier.put("k", size, ATTRIBUTES, next, Permit.FOR_GOOD);
                assertThat(store.calls(Call.ABORT)).isEqualTo(1);
                assertThat(store.calls(Call.PART)).isEqualTo(PARTS);
                assertHolds(tier, object, next);
            });
            assertEnded(left);
        }
        breakOff(new Bytes(1, "7.1"));
        Upload left = UploadNotes.open(folder, clock).find("k").orElseThrow().upload();
        node(clock, (tier, store) -> {
            ObjectRef small = tier.put("k", 10, Map.of(), new Bytes(3, "7.2"), Permit.FOR_GOOD);
            assertThat(tier.head("k").orElseThrow().object()).isEqualTo(small);
            assertThat(store.calls(Call.ABORT)).isEqualTo(1);
        });
        assertEnded(left);
    }

    /** A node that was away for longer than anybody waits drops what it left when it starts. */
    public void whatIsOldIsDroppedAtTheStart() throws Exception {
        breakOff(new Bytes(1, "7.1"));
        Upload left = UploadNotes.open(folder, clock).find("k").orElseThrow().upload();
        InstantSource soon = () -> clock.instant().plus(PartedPut.KEPT).minusSeconds(60);
        node(soon, (tier, store) -> tier.check());
        assertThat(UploadNotes.open(folder, clock).find("k")).isPresent();
        InstantSource late = () -> clock.instant().plus(PartedPut.KEPT).plusSeconds(60);
        UploadNotes notes = UploadNotes.open(folder, late);
        try (BufferArena buffers = new BufferArena(4L << 20, 4096, 1 << 20);
                BucketTier tier = new BucketTier(new FaultyObjectStore(stores.get()), buffers, OPTIONS, notes)) {
            await().until(() -> notes.find("k").isEmpty());
            tier.check();
        }
        assertEnded(left);
    }

    /** Nothing of it is left in the store, or nothing that it would show. */
    private void assertEnded(Upload upload) throws IOException {
        assertThat(UploadNotes.open(folder, clock).all()).isEmpty();
        try (ObjectStore store = stores.get()) {
            Optional<List<Part>> parts = store.parts(upload);
            if (keptByTheStore(store)) {
                return;
            }
            assertThat(parts.orElse(List.of()))
                    .as("S3Proxy lists no parts of an upload that has ended, and does not say so")
                    .isEmpty();
        }
    }

    /** Azure has no request that ends an upload: a week does. */
    private static boolean keptByTheStore(ObjectStore store) {
        return store.name().startsWith("Azure");
    }
}
