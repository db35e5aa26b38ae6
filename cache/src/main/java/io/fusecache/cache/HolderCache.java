package io.fusecache.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Holder;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** Who holds what, remembered for a second: a reader of a large file asks for block after block. */
final class HolderCache {
    private static final Duration VALIDITY = Duration.ofSeconds(1);
    /** Shorter: whoever comes first has the bucket to himself, and is to be found soon. */
    private static final Duration VALIDITY_OF_NONE = Duration.ofMillis(200);

    private static final int MAX_VERSIONS = 4096;

    private final BlockDirectory directory;
    private final Cache<Key, List<Holder>> cache = Caffeine.newBuilder()
            .maximumSize(MAX_VERSIONS)
            .expireAfterWrite(VALIDITY)
            .build();

    private final Cache<Key, Boolean> nobodys = Caffeine.newBuilder()
            .maximumSize(MAX_VERSIONS)
            .expireAfterWrite(VALIDITY_OF_NONE)
            .build();

    private record Key(long ino, long version) {}

    HolderCache(BlockDirectory directory) {
        this.directory = directory;
    }

    List<Holder> of(FileVersion version) throws IOException {
        Key key = new Key(version.ino(), version.version());
        List<Holder> known = cache.getIfPresent(key);
        if (known != null) {
            return known;
        }
        if (nobodys.getIfPresent(key) != null) {
            return List.of();
        }
        known = List.copyOf(directory.holders(version.ino(), version.version()));
        if (!known.isEmpty()) {
            cache.put(key, known);
        } else if (version.persisted()) {
            // What is not in the bucket is waited for.
            nobodys.put(key, true);
        }
        return known;
    }

    void forget(FileVersion version) {
        Key key = new Key(version.ino(), version.version());
        cache.invalidate(key);
        nobodys.invalidate(key);
    }
}
