package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.cache.CloudTier.OccupiedException;
import io.fusecache.cache.CloudTier.Over;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.ObjectStore.Copy;
import io.fusecache.tiers.cloud.ObjectStore.Depth;
import io.fusecache.tiers.cloud.ObjectStore.Listed;
import io.fusecache.tiers.cloud.ObjectStore.Page;
import io.fusecache.tiers.cloud.ObjectStore.Part;
import io.fusecache.tiers.cloud.ObjectStore.Upload;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What every {@link ObjectStore} does. A subclass says how an empty one is had. */
public abstract class ObjectStoreContract extends StoreUnderTest {
    @Test
    void whatWasPutIsReadInRanges() throws Exception {
        ObjectRef object = put("a/b", 10_000, 1);
        assertThat(object.key()).isEqualTo("a/b");
        assertThat(read(object, 0, 10_000)).isEqualTo(array(10_000, 1));
        assertThat(read(object, 4_321, 100)).isEqualTo(java.util.Arrays.copyOfRange(array(10_000, 1), 4_321, 4_421));
        assertThat(read(object, 9_999, 1)).hasSize(1);
    }

    @Test
    void anEmptyObjectIsAnObject() throws Exception {
        ObjectRef object = put("empty", 0, 0);
        assertThat(store.head("empty")).contains(new StoredObject(object, 0, Map.of()));
        assertThat(store.read(object, 0, memory.allocate(1).asSlice(0, 0))).isTrue();
    }

    @Test
    void onlyWhatIsToBeReplacedIsReplaced() throws Exception {
        Over nothing = new Over.Nothing();
        ObjectRef first = store.put("k", bytes(100, 1), ATTRIBUTES, nothing);
        assertThatThrownBy(() -> store.put("k", bytes(100, 2), Map.of(), nothing))
                .isInstanceOf(OccupiedException.class);
        assertThat(read(first, 0, 100)).isEqualTo(array(100, 1));
        ObjectRef second = store.put("k", bytes(100, 3), Map.of(), new Over.Version(first.etag()));
        assertThatThrownBy(() -> store.put("k", bytes(100, 4), Map.of(), new Over.Version(first.etag())))
                .isInstanceOf(OccupiedException.class);
        assertThat(read(second, 0, 100)).isEqualTo(array(100, 3));
        assertThatThrownBy(() -> store.put("none", bytes(100, 4), Map.of(), new Over.Version(first.etag())))
                .isInstanceOf(OccupiedException.class);
        assertThat(store.head("none")).isEmpty();
    }

    @Test
    void anUploadInPartsReplacesOnlyWhatItIsTo() throws Exception {
        ObjectRef first = put("k", 100, 1);
        Upload upload = store.startUpload("k", partBytes() + 7, partBytes(), ATTRIBUTES);
        MemorySegment all = bytes(partBytes() + 7, 2);
        List<Part> parts = List.of(
                putPart(upload, 1, all.asSlice(0, partBytes())), putPart(upload, 2, all.asSlice(partBytes(), 7)));
        assertThatThrownBy(() -> store.completeUpload(upload, parts, new Over.Nothing()))
                .isInstanceOf(OccupiedException.class);
        assertThatThrownBy(() -> store.completeUpload(upload, parts, new Over.Version("other")))
                .isInstanceOf(OccupiedException.class);
        assertThat(read(first, 0, 100)).isEqualTo(array(100, 1));
        Over known = new Over.Version(first.etag());
        ObjectRef second = store.completeUpload(upload, parts, known);
        assertThat(read(second, 0, partBytes() + 7)).isEqualTo(array(partBytes() + 7, 2));
        assertThat(store.completeUpload(upload, parts, known)).isEqualTo(second);
    }

    @Test
    void aCopyReplacesOnlyWhatItIsTo() throws Exception {
        ObjectRef from = put("from", 100, 1);
        ObjectRef there = put("to", 100, 2);
        assertThatThrownBy(() -> store.copy(from, "to", new Over.Nothing())).isInstanceOf(OccupiedException.class);
        assertThatThrownBy(() -> store.copy(from, "to", new Over.Version("other")))
                .isInstanceOf(OccupiedException.class);
        assertThat(read(there, 0, 100)).isEqualTo(array(100, 2));
        Over known = new Over.Version(there.etag());
        assertThat(store.copy(new ObjectRef("from", "other"), "to", known)).isEqualTo(new Copy.NoSource());
        ObjectRef made = copied(store.copy(from, "to", known)).orElseThrow();
        assertThat(read(made, 0, 100)).isEqualTo(array(100, 1));
        assertThat(copied(store.copy(from, "new", new Over.Nothing()))).isPresent();
    }

    @Test
    void onlyTheObjectThatIsMeantIsRemoved() throws Exception {
        ObjectRef first = put("k", 100, 1);
        ObjectRef second = put("k", 100, 2);
        assertThat(store.delete(first)).isFalse();
        assertThat(read(second, 0, 100)).isEqualTo(array(100, 2));
        assertThat(store.delete(second)).isTrue();
        assertThat(store.head("k")).isEmpty();
        assertThat(store.delete(second)).isTrue();
    }

    @Test
    void aReadPastTheEndFails() throws Exception {
        ObjectRef object = put("short", 100, 1);
        assertThatThrownBy(() -> store.read(object, 50, memory.allocate(51))).isInstanceOf(IOException.class);
    }

    @Test
    void anotherETagIsAMiss() throws Exception {
        ObjectRef first = put("k", 100, 1);
        ObjectRef second = put("k", 100, 2);
        assertThat(second.etag()).isNotEqualTo(first.etag());
        assertThat(store.read(first, 0, memory.allocate(100))).isFalse();
        assertThat(read(second, 0, 100)).isEqualTo(array(100, 2));
    }

    @Test
    void whatIsNotThereIsAMissAndNoErrorToDelete() throws Exception {
        ObjectRef object = put("k", 100, 1);
        store.delete("k");
        assertThat(store.read(object, 0, memory.allocate(100))).isFalse();
        assertThat(store.head("k")).isEmpty();
        assertThat(store.head("k/below")).isEmpty();
        assertThat(copy(object, "elsewhere")).isEmpty();
        store.delete("k");
        store.delete("never/was");
        store.delete("never/was/");
        assertThat(store.list("never/", Depth.TREE, null)).isEqualTo(new Page(List.of(), List.of(), null));
    }

    @Test
    void attributesComeBack() throws Exception {
        ObjectRef object = store.put("k", bytes(10, 1), ATTRIBUTES);
        assertThat(store.head("k")).contains(new StoredObject(object, 10, ATTRIBUTES));
        store.put("k", bytes(10, 2), Map.of());
        assertThat(store.head("k").orElseThrow().attributes()).isEmpty();
    }

    @Test
    void twoKilobytesOfAttributesComeBack() throws Exception {
        Map<String, String> large = Map.of("large", "x".repeat(2_000));
        store.put("k", bytes(10, 1), large);
        assertThat(store.head("k").orElseThrow().attributes()).isEqualTo(large);
    }

    @Test
    void aCopyHasBytesAndAttributes() throws Exception {
        ObjectRef object = store.put("from", bytes(100_000, 1), ATTRIBUTES);
        put("to/there", 5, 9);
        ObjectRef copy = copy(object, "to/there").orElseThrow();
        assertThat(copy.key()).isEqualTo("to/there");
        assertThat(read(copy, 0, 100_000)).isEqualTo(array(100_000, 1));
        assertThat(store.head("to/there")).contains(new StoredObject(copy, 100_000, ATTRIBUTES));
        assertThat(read(object, 0, 100_000)).isEqualTo(array(100_000, 1));
    }

    @Test
    void aCopyOfAnotherETagDoesNothing() throws Exception {
        ObjectRef first = put("from", 100, 1);
        put("from", 100, 2);
        assertThat(copy(first, "to")).isEmpty();
        assertThat(store.head("to")).isEmpty();
    }

    @Test
    void aLargeCopyGoesInPartsAndHasBytesAndAttributes() throws Exception {
        Optional<ObjectStore> narrow = copyingAtMost(2L * partBytes());
        if (narrow.isEmpty()) {
            assertThat(store.limits().largestCopy()).isEqualTo(Long.MAX_VALUE);
            return;
        }
        int part = partBytes();
        int size = 2 * part + 100;
        try (ObjectStore inParts = narrow.get()) {
            ObjectRef object = putInParts("from", size, 1, ATTRIBUTES);
            put("to", 5, 9);
            assertThat(inParts.copy(object, "to")).isEqualTo(new Copy.TooLarge(size));
            assertThat(inParts.copy(new ObjectRef("from", "other-2"), "to")).isEqualTo(new Copy.NoSource());
            assertThat(inParts.startCopy(new ObjectRef("from", "other-2"), "to", size, part))
                    .isEmpty();
            Upload upload = inParts.startCopy(object, "to", size, part).orElseThrow();
            List<Part> parts = new ArrayList<>();
            for (int number : List.of(2, 3, 1, 1)) {
                parts.add(inParts.copyPart(upload, number, object).orElseThrow());
            }
            List<Part> inOrder = List.of(parts.get(3), parts.get(0), parts.get(1));
            ObjectRef copy = inParts.completeUpload(upload, inOrder);
            assertThat(read(copy, 0, size)).isEqualTo(array(size, 1));
            assertThat(inParts.head("to")).contains(new StoredObject(copy, size, ATTRIBUTES));
            assertThat(inParts.completeUpload(upload, inOrder)).isEqualTo(copy);
            assertThat(read(object, 0, size)).isEqualTo(array(size, 1));
        }
    }

    @Test
    void aSourceThatChangesInTheMidstOfALargeCopyIsNotMixed() throws Exception {
        Optional<ObjectStore> narrow = copyingAtMost(partBytes());
        if (narrow.isEmpty()) {
            assertThat(store.limits().largestCopy()).isEqualTo(Long.MAX_VALUE);
            return;
        }
        int part = partBytes();
        int size = 2 * part;
        try (ObjectStore inParts = narrow.get()) {
            ObjectRef object = putInParts("from", size, 1, ATTRIBUTES);
            Upload upload = inParts.startCopy(object, "to", size, part).orElseThrow();
            assertThat(inParts.copyPart(upload, 1, object)).isPresent();
            putInParts("from", size, 2, ATTRIBUTES);
            assertThat(inParts.copyPart(upload, 2, object)).isEmpty();
            store.delete("from");
            assertThat(inParts.copyPart(upload, 2, object)).isEmpty();
            inParts.abortUpload(upload);
            assertThat(inParts.head("to")).isEmpty();
        }
    }

    @Test
    void partsMakeAnObjectOnceAllAreThere() throws Exception {
        int part = partBytes();
        int size = 2 * part + 100;
        ObjectRef old = put("k", 10, 9);
        Upload upload = store.startUpload("k", size, part, ATTRIBUTES);
        MemorySegment all = bytes(size, 3);
        Part third = putPart(upload, 3, all.asSlice(2L * part, 100));
        putPart(upload, 1, all.asSlice(part, part));
        Part first = putPart(upload, 1, all.asSlice(0, part));
        Part second = putPart(upload, 2, all.asSlice(part, part));
        assertThat(read(old, 0, 10)).isEqualTo(array(10, 9));
        ObjectRef object = store.completeUpload(upload, List.of(first, second, third));
        assertThat(read(object, 0, size)).isEqualTo(array(size, 3));
        assertThat(store.head("k")).contains(new StoredObject(object, size, ATTRIBUTES));
        assertThat(store.completeUpload(upload, List.of(first, second, third))).isEqualTo(object);
    }

    @Test
    void aPartLargerThanItsWindowArrivesWhole() throws Exception {
        int part = partBytes() + 1234;
        MemorySegment all = bytes(part, 3);
        PartBody body = new PartBody(
                (offset, target) -> target.copyFrom(all.asSlice(offset, target.byteSize())),
                0,
                part,
                memory.allocate(1000));
        Upload upload = store.startUpload("k", part, part, ATTRIBUTES);
        Part only = store.putPart(upload, 1, body, Duration.ofSeconds(30));
        ObjectRef object = store.completeUpload(upload, List.of(only));
        assertThat(read(object, 0, part)).isEqualTo(array(part, 3));
    }

    @Test
    void anUploadThatIsDroppedLeavesNothing() throws Exception {
        int part = partBytes();
        Upload upload = store.startUpload("k", 2L * part, part, Map.of());
        putPart(upload, 1, bytes(part, 1));
        store.abortUpload(upload);
        store.abortUpload(upload);
        assertThat(store.head("k")).isEmpty();
        assertThat(tree("")).isEmpty();
    }

    @Test
    void anUploadWithoutAPartIsRefused() throws Exception {
        int part = partBytes();
        Upload upload = store.startUpload("k", 2L * part, part, Map.of());
        Part second = putPart(upload, 2, bytes(part, 1));
        assertThatThrownBy(() -> store.completeUpload(upload, List.of(second))).isInstanceOf(RefusedException.class);
        assertThat(store.head("k")).isEmpty();
        store.abortUpload(upload);
    }

    @Test
    void markersStandForDirectories() throws Exception {
        ObjectRef marker = store.put("d/e/", MemorySegment.NULL, Map.of());
        assertThat(store.head("d/e/").orElseThrow().object()).isEqualTo(marker);
        assertThat(store.head("d/e")).isEmpty();
        assertThat(level("d/")).containsExactly("d/e/");
        assertThat(level("d/e/")).containsExactly("d/e/");
        assertThat(tree("")).contains("d/e/");
        put("d/e/f", 1, 1);
        store.delete("d/e/f");
        assertThat(store.head("d/e/")).isPresent();
        store.delete("d/e/");
        assertThat(store.head("d/e/")).isEmpty();
        assertThat(tree("")).isEmpty();
    }

    @Test
    void aMarkerGoesAndWhatIsBelowStays() throws Exception {
        store.put("d/", MemorySegment.NULL, Map.of());
        ObjectRef object = put("d/e", 10, 1);
        store.delete("d/");
        assertThat(read(object, 0, 10)).isEqualTo(array(10, 1));
        assertThat(tree("")).containsExactly("d/e");
        store.delete("d/e");
        assertThat(level("")).isEmpty();
    }

    @Test
    void aLevelShowsObjectsAndDirectories() throws Exception {
        put("p/a", 1, 1);
        put("p/b/c", 2, 1);
        put("p/b/d/e", 3, 1);
        put("p.x", 4, 1);
        assertThat(level("p/")).containsExactlyInAnyOrder("p/a", "p/b/");
        assertThat(level("")).containsExactlyInAnyOrder("p/", "p.x");
        assertThat(tree("p/")).containsExactlyInAnyOrder("p/a", "p/b/c", "p/b/d/e");
        assertThat(tree("")).containsExactlyInAnyOrder("p/a", "p/b/c", "p/b/d/e", "p.x");
        Listed listed = store.list("p/", Depth.LEVEL, null).objects().getFirst();
        assertThat(listed.key()).isEqualTo("p/a");
        assertThat(listed.size()).isEqualTo(1);
        assertThat(listed.etag())
                .isEqualTo(store.head("p/a").orElseThrow().object().etag());
        assertThat(listed.modified().toInstant())
                .isCloseTo(java.time.Instant.now(), org.assertj.core.api.Assertions.within(Duration.ofMinutes(10)));
    }

    @Test
    void pagesShowEveryKeyOnce() throws Exception {
        TreeSet<String> all = new TreeSet<>();
        for (int i = 0; i < 23; i++) {
            for (String key : List.of("k" + i, "d" + i + "/x", "d" + i + "/y/z", "d" + i + ".txt")) {
                put(key, 1, i);
                all.add(key);
            }
        }
        store.put("d5/", MemorySegment.NULL, Map.of());
        all.add("d5/");
        assertThat(tree("")).containsExactlyInAnyOrderElementsOf(all);
        assertThat(tree("d5/")).containsExactlyInAnyOrder("d5/", "d5/x", "d5/y/z");
        List<String> level = level("");
        assertThat(new TreeSet<>(level)).hasSize(23 * 3);
        assertThat(level.size() == 23 * 3).isEqualTo(showsDirectoriesOnce());
    }

    @Test
    void oddKeysAreKeysLikeOthers() throws Exception {
        List<String> odd = List.of(
                "with space",
                "ümläut/日本語/🦊",
                "%41",
                "a+b&c=d?e#f",
                "quote'\"`$(x);",
                "back\\slash",
                "..a",
                "...",
                "-rf",
                "new\nline",
                "tab\tand\u007f",
                "\ufffd",
                "e\u0301",
                "x".repeat(longestName()));
        odd = odd.stream()
                .filter(key -> key.chars().noneMatch(c -> unheldCharacters().indexOf(c) >= 0))
                .toList();
        for (int i = 0; i < odd.size(); i++) {
            put("odd/" + odd.get(i), 10 + i, i);
        }
        assertThat(tree("odd/"))
                .containsExactlyInAnyOrderElementsOf(
                        odd.stream().map(key -> "odd/" + key).toList());
        for (int i = 0; i < odd.size(); i++) {
            StoredObject found = store.head("odd/" + odd.get(i)).orElseThrow();
            assertThat(read(found.object(), 0, 10 + i)).isEqualTo(array(10 + i, i));
        }
    }

    @Test
    void aReaderNeverSeesAMixture() throws Exception {
        int size = 200_000;
        put("k", size, 0);
        AtomicBoolean done = new AtomicBoolean();
        try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Integer> reads = workers.submit(() -> {
                int hits = 0;
                MemorySegment target = memory.allocate(size);
                while (!done.get() || hits == 0) {
                    ObjectRef now = store.head("k").orElseThrow().object();
                    if (store.read(now, 0, target)) {
                        byte seed = target.get(ValueLayout.JAVA_BYTE, 0);
                        assertThat(target.mismatch(bytes(size, seed))).isEqualTo(-1);
                        hits++;
                    }
                }
                return hits;
            });
            for (int i = 1; i <= 30; i++) {
                put("k", size, i);
            }
            done.set(true);
            assertThat(reads.get()).isPositive();
        }
    }

    @Test
    void anInterruptEndsACall() throws Exception {
        ObjectRef object = put("k", 100_000, 1);
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> store.read(object, 0, memory.allocate(100_000)))
                    .isInstanceOf(IOException.class);
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(read(object, 0, 100_000)).isEqualTo(array(100_000, 1));
    }

    @Test
    void aBucketThatIsThereChecks() throws Exception {
        store.check();
    }

    /** The keys and directories of one level, over all pages. */
    protected final List<String> level(String prefix) throws IOException {
        return keys(prefix, Depth.LEVEL);
    }

    protected final List<String> tree(String prefix) throws IOException {
        return keys(prefix, Depth.TREE);
    }

    private List<String> keys(String prefix, Depth depth) throws IOException {
        List<String> keys = new ArrayList<>();
        String continuation = null;
        do {
            Page page = store.list(prefix, depth, continuation);
            page.objects().forEach(object -> keys.add(object.key()));
            keys.addAll(page.directories());
            continuation = page.continuation();
        } while (continuation != null);
        return keys;
    }
}
