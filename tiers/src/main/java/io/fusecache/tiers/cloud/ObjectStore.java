package io.fusecache.tiers.cloud;

import io.fusecache.cache.CloudTier.OccupiedException;
import io.fusecache.cache.CloudTier.Over;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One bucket of one provider: single requests, without retries, without threads of its own.
 *
 * <p><b>Objects</b> appear whole or not at all, replace the one that was there, and have an ETag: two objects that were
 * ever at one key with the same ETag have the same bytes. What a call has put, every later call sees.
 *
 * <p><b>Keys</b> are whole keys of at most 1024 bytes of UTF-8. A key that ends in '/' is the marker of a directory, has no
 * bytes, and may coexist with keys below it. A store may refuse keys that it cannot hold ("a" beside "a/b" in a folder).
 *
 * <p><b>Attributes</b> have lower-case ASCII names of letters, digits and '-', ASCII values, and come back as they were put;
 * at most 2 KiB together.
 *
 * <p><b>Calls</b> block, come from many threads at once, and answer an interrupt soon: with an exception, and not touching
 * the segment of the call after it was thrown. That is how a deadline ends them. Segments are native memory of a shared
 * arena, since a store may read or write them on other threads, on the calling one's behalf and only until the call returns.
 *
 * <p><b>Others</b> use the bucket, too: what writes to a key says what it replaces ({@link Over}), and {@link OccupiedException} is
 * thrown where something else is there. A store that cannot compare and replace in one step compares right before.
 *
 * <p><b>Failures</b>: {@link RefusedException} where repeating the same request is of no use; any other IOException may be
 * gone at the next try. Every call may be repeated after a failure that leaves open whether it was done.
 */
public interface ObjectStore extends AutoCloseable {
    /** @throws RefusedException where the marker of a directory is to have bytes */
    static void requireNoBytesInMarker(String key, long size) throws RefusedException {
        if (key.endsWith("/") && size > 0) {
            throw new RefusedException("'" + key + "' ends in '/': it marks a directory and has no bytes");
        }
    }

    /** For messages: "folder /srv/bucket", "S3 bucket b in us-east-1". */
    String name();

    Limits limits();

    /** See {@link io.fusecache.cache.CloudTier#guardsRanges}. */
    default boolean guardsRanges() {
        return false;
    }

    /**
     * Fills {@code target} from {@code offset}, while the object has the ETag of {@code object}.
     *
     * @return false, with arbitrary bytes in the target, where the object is gone or has another ETag
     * @throws IOException also where the object has fewer bytes
     */
    boolean read(ObjectRef object, long offset, MemorySegment target) throws IOException;

    /**
     * Puts one object of at most {@link Limits#largestPut} bytes.
     *
     * @param over of a marker: anything
     */
    ObjectRef put(String key, MemorySegment bytes, Map<String, String> attributes, Over over) throws IOException;

    /** The same over whatever is there. */
    default ObjectRef put(String key, MemorySegment bytes, Map<String, String> attributes) throws IOException {
        return put(key, bytes, attributes, new Over.Anything());
    }

    /** Begins an object that arrives in parts. Nothing is visible, and nothing is replaced, until it is completed. */
    Upload startUpload(String key, long size, long partBytes, Map<String, String> attributes) throws IOException;

    /**
     * Puts part {@code number}, from 1, of {@link Upload#bytesInPart} bytes; a part that is put again is replaced.
     *
     * @param timeout the call ends by then, as others do by the store's own
     */
    Part putPart(Upload upload, int number, PartBody body, Duration timeout) throws IOException;

    /**
     * Makes the object visible.
     *
     * @param parts all of them, by number
     * @throws RefusedException where one is missing
     * @throws OccupiedException and the parts stay
     */
    ObjectRef completeUpload(Upload upload, List<Part> parts, Over over) throws IOException;

    /** The same over whatever is there. */
    default ObjectRef completeUpload(Upload upload, List<Part> parts) throws IOException {
        return completeUpload(upload, parts, new Over.Anything());
    }

    /**
     * The parts that are there, of one number maybe several.
     *
     * @return empty where the upload has ended: it cannot be gone on with
     */
    Optional<List<Part>> parts(Upload upload) throws IOException;

    /** The part to complete the upload with, where the store's checksum of one that is there says that it has these bytes. */
    Optional<Part> same(Upload upload, Part there, PartBody body) throws IOException;

    /** Drops the parts; an upload that is completed or dropped already is no error. */
    void abortUpload(Upload upload) throws IOException;

    /** Copies on the store's side, attributes included, or begins to. */
    Copy copy(ObjectRef from, String toKey, Over over) throws IOException;

    /** The same over whatever is there. */
    default Copy copy(ObjectRef from, String toKey) throws IOException {
        return copy(from, toKey, new Over.Anything());
    }

    /** What has become of a copy that went on. */
    Copy followCopy(ObjectRef from, String toKey, Copy.GoesOn begun) throws IOException;

    /**
     * Begins an object that is to be a copy, attributes included, and will be put by {@link #copyPart}; empty where the source has not
     * that ETag. Only after {@link Copy.TooLarge}.
     */
    Optional<Upload> startCopy(ObjectRef from, String toKey, long size, long partBytes) throws IOException;

    /** Puts a part: what the source has in its place. Empty where the source has not that ETag. */
    Optional<Part> copyPart(Upload upload, int number, ObjectRef from) throws IOException;

    /** Removes the object or marker; one that is not there is no error. */
    void delete(String key) throws IOException;

    /** Removes the object while it has that ETag. False where another is there, which stays; true where none is. */
    boolean delete(ObjectRef object) throws IOException;

    /**
     * One page of the keys that begin with {@code prefix}, in the order of their UTF-8 bytes over all pages where the store
     * {@link #listsInOrder}. Each key that was there throughout is seen once.
     *
     * @param prefix empty, or ends in '/'
     * @param continuation of the page before, or null
     */
    Page list(String prefix, Depth depth, @Nullable String continuation) throws IOException;

    default boolean listsInOrder() {
        return true;
    }

    Optional<StoredObject> head(String key) throws IOException;

    /** Checks that the bucket is there and may be used; the message says what is wrong and the way out. */
    void check() throws IOException;

    @Override
    void close();

    /**
     * @param largestPut in one request
     * @param largestCopy in one request; of more bytes, {@link Copy.TooLarge} is the answer
     */
    record Limits(long largestPut, PartSizes parts, long largestCopy) {}

    /** What came of a copy. */
    sealed interface Copy {
        record Done(ObjectRef made) implements Copy {}

        /** The source is gone or has another ETag, and nothing was done. */
        record NoSource() implements Copy {}

        /** The store goes on with it, whether it is asked or not. */
        record GoesOn(String id) implements Copy {}

        /** Nothing was done: it has to be copied in parts. */
        record TooLarge(long size) implements Copy {}
    }

    /** An upload in parts, all of {@code partBytes} but the last. */
    record Upload(String key, String id, long size, long partBytes, Map<String, String> attributes) {
        public Upload {
            attributes = Map.copyOf(attributes);
        }

        public int parts() {
            return Math.toIntExact((size + partBytes - 1) / partBytes);
        }

        public long bytesInPart(int number) {
            return Math.min(partBytes, size - offsetOf(number));
        }

        public long offsetOf(int number) {
            return (number - 1L) * partBytes;
        }

        /** @throws RefusedException unless {@code number} is a part of {@code bytes} bytes */
        public void requirePart(int number, long bytes) throws RefusedException {
            if (number < 1 || number > parts() || bytes != bytesInPart(number)) {
                throw new RefusedException("part %d of '%s' with %d bytes: expected %d parts of %d, %d bytes in all"
                        .formatted(number, key, bytes, parts(), partBytes, size));
            }
        }

        /** @throws RefusedException unless these are all parts, by number */
        public void requireWhole(List<Part> parts) throws RefusedException {
            for (int i = 0; i < Math.max(parts(), parts.size()); i++) {
                if (i >= parts.size() || i >= parts() || parts.get(i).number() != i + 1) {
                    throw new RefusedException("'%s' was to have parts 1 to %d: part %d is missing or was not put"
                            .formatted(key, parts(), i + 1));
                }
            }
        }
    }

    record Part(int number, String etag) {}

    /** How far down a listing goes. */
    enum Depth {
        /** Keys without a '/' after the prefix, and what stands before it in the others as directories. */
        LEVEL,
        /** All keys. */
        TREE
    }

    /**
     * @param objects a marker at the prefix itself is one of them
     * @param directories whole prefixes, ending in '/'
     * @param continuation for the next page, or null after the last
     */
    record Page(
            List<Listed> objects,
            List<String> directories,
            @Nullable String continuation) {
        public Page {
            objects = List.copyOf(objects);
            directories = List.copyOf(directories);
        }
    }

    /** @param attributes empty where listings do not carry them */
    record Listed(String key, long size, String etag, Timestamp modified, Map<String, String> attributes) {}
}
