package io.fusecache.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.cache.CloudTier;
import io.fusecache.cache.CloudTier.RangeReader;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link CloudTier} does. A subclass says how one over an empty bucket is had. */
public abstract class CloudTierContract {
    protected static final Map<String, String> ATTRIBUTES = Map.of("fusecache-mode", "600", "fusecache-owner", "0:0");

    protected final Arena memory = Arena.ofShared();
    private CloudTier tier;

    /** Over an empty bucket. */
    protected abstract CloudTier open() throws Exception;

    /** Of a size that the tier does not move in one request. */
    protected abstract int largeBytes();

    @BeforeEach
    void openTier() throws Exception {
        tier = open();
    }

    @AfterEach
    void closeTier() {
        tier.close();
        memory.close();
    }

    /** The byte at an offset of the content that a seed stands for. */
    protected static byte at(long offset, int seed) {
        return (byte) (offset * 131 + (offset >> 12) + seed);
    }

    protected static RangeReader content(int seed) {
        return (offset, target) -> {
            for (long i = 0; i < target.byteSize(); i++) {
                target.set(ValueLayout.JAVA_BYTE, i, at(offset + i, seed));
            }
        };
    }

    protected final MemorySegment expected(long offset, int size, int seed) throws IOException {
        MemorySegment bytes = memory.allocate(Math.max(size, 1)).asSlice(0, size);
        content(seed).read(offset, bytes);
        return bytes;
    }

    private void assertReads(ObjectRef object, long offset, int size, int seed) throws IOException {
        MemorySegment target = memory.allocate(Math.max(size, 1)).asSlice(0, size);
        assertThat(tier.read(object, offset, target)).isEqualTo(new ReadOutcome.Hit(size));
        assertThat(target.mismatch(expected(offset, size, seed))).isEqualTo(-1);
    }

    @Test
    void smallAndEmptyObjectsComeBack() throws Exception {
        assertReads(tier.put("a/small", 1000, Map.of(), content(1), CloudTier.Permit.FOR_GOOD), 0, 1000, 1);
        ObjectRef empty = tier.put("a/empty", 0, ATTRIBUTES, content(1), CloudTier.Permit.FOR_GOOD);
        assertThat(tier.head("a/empty")).contains(new StoredObject(empty, 0, ATTRIBUTES));
    }

    @Test
    void aLargeObjectComesBackInRangesOfAnySize() throws Exception {
        int size = largeBytes();
        ObjectRef object = tier.put("large", size, ATTRIBUTES, content(2), CloudTier.Permit.FOR_GOOD);
        assertThat(tier.head("large")).contains(new StoredObject(object, size, ATTRIBUTES));
        assertReads(object, 0, size, 2);
        assertReads(object, 1, size - 1, 2);
        assertReads(object, size / 2 - 7, 100, 2);
        assertReads(object, size - 1, 1, 2);
    }

    @Test
    void anotherVersionIsAMiss() throws Exception {
        int size = largeBytes();
        ObjectRef first = tier.put("k", size, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        ObjectRef second = tier.put("k", size, Map.of(), content(2), CloudTier.Permit.FOR_GOOD);
        assertThat(tier.read(first, 0, memory.allocate(size))).isEqualTo(new ReadOutcome.Miss());
        assertReads(second, 0, size, 2);
        tier.delete("k", CloudTier.Permit.FOR_GOOD);
        assertThat(tier.read(second, 0, memory.allocate(10))).isEqualTo(new ReadOutcome.Miss());
    }

    @Test
    void contentThatCannotBeReadLeavesTheOldObject() throws Exception {
        for (int size : List.of(1000, largeBytes())) {
            ObjectRef old = tier.put("k", 100, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
            assertThatThrownBy(() -> tier.put(
                            "k",
                            size,
                            Map.of(),
                            (offset, target) -> {
                                if (offset + target.byteSize() == size) {
                                    throw new IOException("the disk is broken");
                                }
                            },
                            CloudTier.Permit.FOR_GOOD))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("the disk is broken");
            assertReads(old, 0, 100, 1);
        }
    }

    @Test
    void objectsOfAnySizeReplaceOnlyWhatTheyAreTo() throws Exception {
        for (int size : List.of(1000, largeBytes())) {
            String key = "over" + size;
            CloudTier.Over nothing = new CloudTier.Over.Nothing();
            ObjectRef first = tier.put(key, size, ATTRIBUTES, content(1), nothing, CloudTier.Permit.FOR_GOOD);
            assertThatThrownBy(() -> tier.put(key, size, Map.of(), content(2), nothing, CloudTier.Permit.FOR_GOOD))
                    .isInstanceOf(CloudTier.OccupiedException.class);
            assertReads(first, 0, size, 1);
            CloudTier.Over known = new CloudTier.Over.Version(first.etag());
            ObjectRef second = tier.put(key, size, ATTRIBUTES, content(3), known, CloudTier.Permit.FOR_GOOD);
            assertThat(tier.delete(first, CloudTier.Permit.FOR_GOOD)).isFalse();
            assertReads(second, 0, size, 3);
            assertThat(tier.delete(second, CloudTier.Permit.FOR_GOOD)).isTrue();
        }
    }

    @Test
    void nothingIsBegunWithoutAPermit() throws Exception {
        ObjectRef old = tier.put("k", 100, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        AtomicInteger asked = new AtomicInteger();
        CloudTier.Permit ended = longest -> {
            assertThat(longest).isEqualTo(tier.timeout());
            asked.incrementAndGet();
            throw new CloudTier.NoPermitException("no more");
        };
        for (int size : List.of(1000, largeBytes())) {
            assertThatThrownBy(() -> tier.put("k", size, Map.of(), content(2), ended))
                    .hasMessage("no more");
        }
        assertThatThrownBy(() -> tier.copy(old, "other", ended)).hasMessage("no more");
        assertThatThrownBy(() -> tier.delete("k", ended)).hasMessage("no more");
        assertThat(asked).as("asked once each: it is not tried again").hasValue(4);
        assertReads(old, 0, 100, 1);
        assertThat(tier.head("other")).isEmpty();
    }

    /** A large object is many requests, and so is one that was begun in time. */
    @Test
    void whatAPermitEndsInTheMiddleOfIsNotThere() throws Exception {
        ObjectRef old = tier.put("k", 100, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        AtomicInteger left = new AtomicInteger(2);
        assertThatThrownBy(() -> tier.put("k", largeBytes(), Map.of(), content(2), longest -> {
                    if (left.getAndDecrement() <= 0) {
                        throw new CloudTier.NoPermitException("no more");
                    }
                }))
                .hasMessage("no more");
        assertReads(old, 0, 100, 1);
    }

    @Test
    void aCopyNeedsTheETag() throws Exception {
        ObjectRef first = tier.put("from", 1000, ATTRIBUTES, content(1), CloudTier.Permit.FOR_GOOD);
        ObjectRef copy = tier.copy(first, "to", CloudTier.Permit.FOR_GOOD).orElseThrow();
        assertReads(copy, 0, 1000, 1);
        assertThat(tier.head("to").orElseThrow().attributes()).isEqualTo(ATTRIBUTES);
        tier.put("from", 1000, Map.of(), content(2), CloudTier.Permit.FOR_GOOD);
        assertThat(tier.copy(first, "other", CloudTier.Permit.FOR_GOOD)).isEmpty();
        assertThat(tier.head("other")).isEmpty();
    }

    @Test
    void whatIsNotThereIsNoErrorToDelete() throws Exception {
        tier.delete("nothing", CloudTier.Permit.FOR_GOOD);
        tier.delete("no/directory/", CloudTier.Permit.FOR_GOOD);
        assertThat(tier.head("nothing")).isEmpty();
    }

    @Test
    void aListingShowsOneLevel() throws Exception {
        ObjectRef object = tier.put("d/file", 5, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        tier.put("d/below/deep/file", 5, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        tier.put("d/empty/", 0, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        tier.put("elsewhere", 5, Map.of(), content(1), CloudTier.Permit.FOR_GOOD);
        List<ListedObject> names = all("d/");
        assertThat(names)
                .extracting(name -> name.name() + (name.directory() ? "/" : ""))
                .containsExactlyInAnyOrder("file", "below/", "empty/");
        ListedObject file =
                names.stream().filter(name -> !name.directory()).findFirst().orElseThrow();
        assertThat(file.size()).isEqualTo(5);
        assertThat(file.etag()).isEqualTo(object.etag());
        assertThat(all("d/empty/")).isEmpty();
        assertThat(all("nothing/")).isEmpty();
        assertThat(all("")).extracting(ListedObject::name).contains(FileName.of("d"), FileName.of("elsewhere"));
    }

    private List<ListedObject> all(String prefix) throws IOException {
        List<ListedObject> all = new ArrayList<>();
        CloudTier.Pages pages = tier.list(prefix);
        for (var page = pages.next(); page.isPresent(); page = pages.next()) {
            all.addAll(page.get());
        }
        return all;
    }

    @Test
    void manyNamesAreAllListed() throws Exception {
        for (int i = 0; i < 50; i++) {
            tier.put("many/n" + i, 1, Map.of(), content(i), CloudTier.Permit.FOR_GOOD);
        }
        assertThat(all("many/"))
                .extracting(ListedObject::name)
                .isSorted()
                .doesNotHaveDuplicates()
                .hasSize(50);
    }

    @Test
    void theBucketIsThere() throws Exception {
        tier.check();
    }
}
