package io.fusecache.client.backup;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CloudTier;
import io.fusecache.client.Buckets;
import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.StartupException;
import io.fusecache.fuse.sys.Linux;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The bucket of a volume, for a program that is no node. Every method blocks. */
public final class VolumeBucket implements AutoCloseable {
    private final CloudTier tier;
    private final BufferArena memory;
    private final String prefix;

    private VolumeBucket(CloudTier tier, BufferArena memory, String prefix) {
        this.tier = tier;
        this.memory = memory;
        this.prefix = prefix;
    }

    public static VolumeBucket open(NodeConfiguration.Bucket bucket) throws StartupException {
        BufferArena memory = Buckets.memory();
        return new VolumeBucket(Buckets.open(bucket, memory), memory, bucket.prefix());
    }

    /** An object as it is now. */
    public record Stored(ObjectRef object, long size, Map<String, String> attributes) {}

    /** Of all keys, empty or with a slash at its end. */
    public String prefix() {
        return prefix;
    }

    public Backups backups() {
        return new Backups(tier, prefix);
    }

    /** Shows everything one level below {@code keys}, files in the order of their names. */
    public void list(String keys, Consumer<ListedObject> use) throws IOException {
        CloudTier.Pages pages = tier.list(keys);
        for (Optional<List<ListedObject>> page = pages.next(); page.isPresent(); page = pages.next()) {
            page.get().forEach(use);
        }
    }

    /** What is at the key now. */
    public Optional<Stored> head(String key) throws IOException {
        return tier.head(key).map(found -> new Stored(found.object(), found.size(), found.attributes()));
    }

    /** Whose the files are that others put there. */
    public int foreignUser() {
        return Linux.effectiveUser();
    }

    public int foreignGroup() {
        return Linux.effectiveGroup();
    }

    @Override
    public void close() {
        tier.close();
        // A request that was given up may have its part of it for a while.
        if (memory.usedBytes() == 0) {
            memory.close();
        }
    }
}
