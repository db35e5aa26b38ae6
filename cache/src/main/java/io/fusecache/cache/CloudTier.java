package io.fusecache.cache;

import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Tier 3: the bucket. All methods block, for at most the cloud timeout per attempt, and retry what is worth retrying
 * within it. Keys are whole object keys, prefix included.
 */
public interface CloudTier extends AutoCloseable {
    /**
     * Reads {@code target.byteSize()} bytes from {@code offset}, only while the object's ETag is {@code object.etag()}.
     *
     * @return Hit, or Miss where the object is gone or has another ETag
     */
    ReadOutcome read(ObjectRef object, long offset, MemorySegment target) throws IOException;

    /**
     * Puts an object: {@code size} bytes that {@code content} reads, in parallel parts where it is large. It appears whole
     * or not at all.
     */
    ObjectRef put(String key, long size, Map<String, String> attributes, RangeReader content, Over over, Permit permit)
            throws IOException;

    /** The same over whatever is there. */
    default ObjectRef put(String key, long size, Map<String, String> attributes, RangeReader content, Permit permit)
            throws IOException {
        return put(key, size, attributes, content, new Over.Anything(), permit);
    }

    /** Copies on the bucket's side, attributes included, while the source has that ETag; empty where it has not. */
    Optional<ObjectRef> copy(ObjectRef from, String toKey, Over over, Permit permit) throws IOException;

    /** The same over whatever is there. */
    default Optional<ObjectRef> copy(ObjectRef from, String toKey, Permit permit) throws IOException {
        return copy(from, toKey, new Over.Anything(), permit);
    }

    /** Removes the object, whichever it is; one that is not there is no error. */
    void delete(String key, Permit permit) throws IOException;

    /** Removes the object while it has that ETag. False where another is there, which stays; true where none is. */
    boolean delete(ObjectRef object, Permit permit) throws IOException;

    /** What is replaced by a put or a copy; where something else is there, {@link OccupiedException} is thrown and it stays. */
    sealed interface Over {
        record Anything() implements Over {}

        /** There is to be no object at the key. */
        record Nothing() implements Over {}

        record Version(String etag) implements Over {}

        /** Whether the object at the key, if any, may be replaced. */
        default boolean covers(@Nullable String etagThere) {
            return switch (this) {
                case Anything() -> true;
                case Nothing() -> etagThere == null;
                case Version(String etag) -> etag.equals(etagThere);
            };
        }
    }

    /** At the key is not what was to be replaced, or nothing any more. Not tried again. */
    final class OccupiedException extends IOException {
        private static final long serialVersionUID = 1;

        public OccupiedException(String key) {
            super("at '" + key + "' is another object than the one to replace");
        }
    }

    /**
     * Whether what {@link #read} gives is what the bucket holds, without a checksum of ours: it comes from this machine, or by a
     * transport that notices when it is changed on its way.
     */
    default boolean guardsRanges() {
        return false;
    }

    /** Bytes of the largest object that the bucket takes. */
    long largestObject();

    /**
     * The longest that one attempt of any of these takes, but at a part of a put that has to be large: it asks its permit for as long as it
     * takes, some minutes.
     */
    Duration timeout();

    /** Leave to change the bucket, which ends at some time: then another may have it. */
    @FunctionalInterface
    interface Permit {
        /** Of whoever alone changes a bucket. */
        Permit FOR_GOOD = longest -> {};

        /** Asked right before each attempt that changes the bucket, each part of a large object included: it ends within {@code longest}. */
        void check(Duration longest) throws NoPermitException;

        /** The same a little later, asking nobody else: whoever calls has something that others wait for. */
        default void recheck(Duration longest) throws NoPermitException {
            check(longest);
        }
    }

    /** Nothing was begun, because it might have ended too late. Not tried again. */
    final class NoPermitException extends IOException {
        private static final long serialVersionUID = 1;

        public NoPermitException(String message) {
            super(message);
        }
    }

    /** Everything one level below {@code prefix} (which ends in '/' or is empty); asks for nothing yet. */
    Pages list(String prefix);

    /** A listing, a page at a time, since a directory may have more names than memory has room for. Used by one thread. */
    interface Pages {
        /**
         * The next page, empty after the last; there is at least one. Files come in the order of their names, over all pages,
         * and none comes in a later page than a directory whose name is after its own.
         */
        Optional<List<ListedObject>> next() throws IOException;
    }

    /** What is at the key now: its reference and size; empty where nothing is. */
    Optional<StoredObject> head(String key) throws IOException;

    /** Checks credentials and that the bucket exists; the message of the exception names what is wrong and the way out. */
    void check() throws IOException;

    @Override
    void close();

    /** An object as a head request shows it. */
    record StoredObject(ObjectRef object, long size, Map<String, String> attributes) {}

    /** Random access to the bytes that are being put; called from several threads. */
    @FunctionalInterface
    interface RangeReader {
        /** Fills {@code target} from {@code offset}; IOException where it cannot fill it whole. */
        void read(long offset, MemorySegment target) throws IOException;

        /**
         * A name of the bytes: what has the same one has the same bytes, also when it is put again after a restart. Empty where nothing says
         * so: a put that ends early is begun anew then.
         */
        default Optional<String> version() {
            return Optional.empty();
        }
    }
}
