package io.fusecache.filesystem;

import io.fusecache.cache.CloudTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** A bucket that may be away. */
record MoodyCloud(CloudTier cloud, Supplier<TestCluster.BucketMood> mood) implements CloudTier {
    @Override
    public ReadOutcome read(ObjectRef object, long offset, MemorySegment target) throws IOException {
        mood.get().answer();
        return cloud.read(object, offset, target);
    }

    @Override
    public ObjectRef put(
            String key, long size, Map<String, String> attributes, RangeReader content, Over over, Permit permit)
            throws IOException {
        mood.get().answer();
        return cloud.put(key, size, attributes, content, over, permit);
    }

    @Override
    public Optional<ObjectRef> copy(ObjectRef from, String toKey, Over over, Permit permit) throws IOException {
        mood.get().answer();
        return cloud.copy(from, toKey, over, permit);
    }

    @Override
    public void delete(String key, Permit permit) throws IOException {
        mood.get().answer();
        cloud.delete(key, permit);
    }

    @Override
    public boolean delete(ObjectRef object, Permit permit) throws IOException {
        mood.get().answer();
        return cloud.delete(object, permit);
    }

    @Override
    public long largestObject() {
        return cloud.largestObject();
    }

    @Override
    public Duration timeout() {
        return cloud.timeout();
    }

    @Override
    public Pages list(String prefix) {
        Pages pages = cloud.list(prefix);
        return () -> {
            mood.get().answer();
            return pages.next();
        };
    }

    @Override
    public Optional<StoredObject> head(String key) throws IOException {
        mood.get().answer();
        return cloud.head(key);
    }

    @Override
    public void check() throws IOException {
        cloud.check();
    }

    @Override
    public void close() {
        cloud.close();
    }
}
