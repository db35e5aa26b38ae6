package io.fusecache.client;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CloudTier;
import io.fusecache.client.NodeConfiguration.Store;
import io.fusecache.tiers.cloud.BucketOptions;
import io.fusecache.tiers.cloud.BucketTier;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.file.FolderStore;

/** The bucket that a configuration names. */
final class Buckets {
    private Buckets() {}

    static CloudTier open(NodeConfiguration.Bucket bucket, BufferArena memory) throws StartupException {
        return new BucketTier(store(bucket.store()), memory, BucketOptions.of(bucket.timeout()));
    }

    private static ObjectStore store(Store store) throws StartupException {
        return switch (store) {
            case Store.FileFolder(var root) -> new FolderStore(root);
            case Store.S3 s3 -> throw absent("s3");
            case Store.Azure azure -> throw absent("azure");
            case Store.Gcp gcp -> throw absent("gcp");
        };
    }

    private static StartupException absent(String provider) {
        return new StartupException(
                "this build has no provider '" + provider + "': use -cloud-provider file with -file-root");
    }
}
