package io.fusecache.filesystem;

import io.fusecache.cache.CloudTier;
import io.fusecache.cache.CloudTier.OccupiedException;
import io.fusecache.cache.CloudTier.Over;
import io.fusecache.cache.CloudTier.Permit;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.metadata.Expected;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectAttributes;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes and removes keys that strangers may write as well. What is ours goes where it belongs; what a stranger put there meanwhile is
 * copied to a key beside it first, {@code NAME.conflict-NODE-TIME}, where the next listing finds it. Both are kept.
 *
 * <p>An object is ours where the namespace knows its ETag; where something of ours may have been left there that it does not know, and
 * the object has the attributes that we give; and where the caller knows it. A copy beside that was made, and then the node ended,
 * is made once more by whoever goes on.
 */
final class SharedKeys {
    private static final Logger LOG = LoggerFactory.getLogger(SharedKeys.class);

    /** Somebody else writes the key again and again. */
    private static final int MAX_TRIES = 5;

    private static final int MAX_NAME_BYTES = 255;
    private static final int MAX_KEY_BYTES = 1024;
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

    private final CloudTier cloud;
    private final NodeId self;
    private final InstantSource clock;
    private final LongAdder conflicts = new LongAdder();

    SharedKeys(CloudTier cloud, NodeId self, InstantSource clock) {
        this.cloud = cloud;
        this.self = self;
        this.clock = clock;
    }

    /** Puts or copies to a key, and throws {@link OccupiedException} where something else is there. */
    @FunctionalInterface
    interface Write<T> {
        T over(Over over) throws IOException;
    }

    /** Objects of strangers that were kept beside one of ours, since start. */
    long conflicts() {
        return conflicts.sum();
    }

    /** @param own whether an object at the key is the caller's own, beyond what is expected */
    <T> T write(String key, Expected expected, Predicate<StoredObject> own, Permit permit, Write<T> write)
            throws IOException {
        Over over = expected.etag() == null ? new Over.Nothing() : new Over.Version(expected.etag());
        for (int i = 1; ; i++) {
            try {
                return write.over(over);
            } catch (OccupiedException occupied) {
                if (i == MAX_TRIES) {
                    throw occupied;
                }
                Optional<StoredObject> there = cloud.head(key);
                if (there.isPresent() && !ours(expected, there.get()) && !own.test(there.get())) {
                    keepBeside(there.get(), permit);
                }
                over = there.<Over>map(found -> new Over.Version(found.object().etag()))
                        .orElseGet(Over.Nothing::new);
            }
        }
    }

    /** Removes what is ours at the key. */
    void delete(String key, Expected expected, Permit permit) throws IOException {
        if (expected.etag() != null && cloud.delete(new ObjectRef(key, expected.etag()), permit)) {
            return;
        }
        Optional<StoredObject> there = cloud.head(key);
        boolean removed = there.isEmpty()
                || (ours(expected, there.get()) && cloud.delete(there.get().object(), permit));
        if (!removed) {
            LOG.info("'{}' was to be removed, and is another object by now: it stays", key);
        }
    }

    private static boolean ours(Expected expected, StoredObject there) {
        return there.object().etag().equals(expected.etag())
                || (expected.leftover()
                        && ObjectAttributes.parse(there.attributes()).isPresent());
    }

    private void keepBeside(StoredObject there, Permit permit) throws IOException {
        ObjectRef object = there.object();
        String beside = beside(object.key());
        if (cloud.copy(object, beside, new Over.Nothing(), permit).isPresent()) {
            conflicts.increment();
            LOG.warn(
                    "conflict: somebody else put {} bytes at '{}', which this cluster writes, too: they are kept as '{}'",
                    there.size(),
                    object.key(),
                    beside);
        }
    }

    private String beside(String key) throws IOException {
        String suffix = ".conflict-" + self + "-" + TIME.format(clock.instant());
        int name = key.lastIndexOf('/') + 1;
        int room = Math.min(
                MAX_NAME_BYTES, MAX_KEY_BYTES - key.substring(0, name).getBytes(StandardCharsets.UTF_8).length);
        String kept = key;
        while (kept.substring(name).getBytes(StandardCharsets.UTF_8).length + suffix.length() > room) {
            if (kept.length() == name) {
                throw new IOException(
                        "somebody else's object is at '" + key + "', and no name beside it is short enough");
            }
            kept = kept.substring(0, kept.offsetByCodePoints(kept.length(), -1));
        }
        return kept + suffix;
    }
}
