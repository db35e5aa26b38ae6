package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.ObjectStore.Copy;
import io.fusecache.tiers.cloud.ObjectStore.Part;
import io.fusecache.tiers.cloud.ObjectStore.Upload;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** An {@link ObjectStore} in a test: a subclass says how an empty one is had. */
public abstract class StoreUnderTest {
    protected static final Map<String, String> ATTRIBUTES =
            Map.of("fusecache-mode", "644", "fusecache-owner", "1000:1000", "other", "a=b%3d; c");

    protected final Arena memory = Arena.ofShared();
    protected ObjectStore store;

    /** An empty bucket, with pages of a few keys where that can be set. */
    protected abstract ObjectStore open() throws Exception;

    /** The same bucket, of which a request copies no more bytes than that; empty where one copies all. */
    protected abstract Optional<ObjectStore> copyingAtMost(long bytes);

    /** Of one component of a key that the server under test can hold. */
    protected int longestName() {
        return 255;
    }

    /** Characters that keys of the server under test cannot have. */
    protected String unheldCharacters() {
        return "";
    }

    /** Whether no page of a listing of the server under test shows a directory that one before has shown. */
    protected boolean showsDirectoriesOnce() {
        return true;
    }

    @BeforeEach
    void openStore() throws Exception {
        store = open();
    }

    @AfterEach
    void closeStore() {
        store.close();
        memory.close();
    }

    protected final MemorySegment bytes(int size, int seed) {
        MemorySegment bytes = memory.allocate(Math.max(1, size)).asSlice(0, size);
        for (int i = 0; i < size; i++) {
            bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (seed + i * 31 + (i >> 8)));
        }
        return bytes;
    }

    protected final ObjectRef put(String key, int size, int seed) throws IOException {
        return store.put(key, bytes(size, seed), Map.of());
    }

    /** As small as parts may be. */
    protected final int partBytes() {
        return (int) Math.max(4096, store.limits().parts().smallest());
    }

    protected final Part putPart(Upload upload, int number, MemorySegment bytes) throws IOException {
        return store.putPart(upload, number, PartBody.of(bytes), Duration.ofSeconds(30));
    }

    protected final Optional<ObjectRef> copy(ObjectRef from, String toKey) throws IOException {
        return copied(store.copy(from, toKey));
    }

    protected static Optional<ObjectRef> copied(Copy copy) {
        return switch (copy) {
            case Copy.Done(ObjectRef made) -> Optional.of(made);
            case Copy.NoSource() -> Optional.empty();
            case Copy.GoesOn unfinished -> throw new AssertionError(unfinished);
            case Copy.TooLarge unfinished -> throw new AssertionError(unfinished);
        };
    }

    /** An object of several parts. */
    protected final ObjectRef putInParts(String key, int size, int seed, Map<String, String> attributes)
            throws IOException {
        Upload upload = store.startUpload(key, size, partBytes(), attributes);
        MemorySegment all = bytes(size, seed);
        List<Part> parts = new ArrayList<>();
        for (int number = 1; number <= upload.parts(); number++) {
            parts.add(putPart(upload, number, all.asSlice(upload.offsetOf(number), upload.bytesInPart(number))));
        }
        return store.completeUpload(upload, parts);
    }

    protected final byte[] read(ObjectRef object, long offset, int size) throws IOException {
        MemorySegment target = memory.allocate(Math.max(1, size)).asSlice(0, size);
        assertThat(store.read(object, offset, target)).isTrue();
        return target.toArray(ValueLayout.JAVA_BYTE);
    }

    protected final byte[] array(int size, int seed) {
        return bytes(size, seed).toArray(ValueLayout.JAVA_BYTE);
    }
}
