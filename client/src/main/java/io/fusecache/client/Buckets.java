package io.fusecache.client;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CloudTier;
import io.fusecache.client.NodeConfiguration.Secret;
import io.fusecache.client.NodeConfiguration.Store;
import io.fusecache.tiers.cloud.BucketOptions;
import io.fusecache.tiers.cloud.BucketTier;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.UploadNotes;
import io.fusecache.tiers.cloud.azure.AzureOptions;
import io.fusecache.tiers.cloud.azure.AzureStore;
import io.fusecache.tiers.cloud.file.FolderStore;
import io.fusecache.tiers.cloud.gcs.GoogleTokens;
import io.fusecache.tiers.cloud.s3.S3Options;
import io.fusecache.tiers.cloud.s3.S3Store;
import java.io.IOException;
import java.net.URI;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/** The bucket that a configuration names. */
public final class Buckets {
    private static final int SLOT_BYTES = 64 << 10;
    private static final int REGION_BYTES = 16 << 20;
    private static final URI GOOGLE = URI.create("https://storage.googleapis.com");

    private Buckets() {}

    /** Enough for the bucket of a program that is no node, which closes it after the bucket. */
    public static BufferArena memory() {
        return new BufferArena(2L * REGION_BYTES, SLOT_BYTES, REGION_BYTES);
    }

    /** Of a program that is no node: what it does not bring to its end is begun anew. */
    public static CloudTier open(NodeConfiguration.Bucket bucket, BufferArena memory) throws StartupException {
        BucketOptions options = BucketOptions.of(bucket.timeout());
        return new BucketTier(store(bucket.store(), options), memory, options);
    }

    /** Of a node, which notes its uploads beside its cache: that has to be open, because its lock is theirs, too. */
    static BucketTier open(NodeConfiguration node, BufferArena memory, InstantSource clock)
            throws StartupException, IOException {
        NodeConfiguration.Bucket bucket = node.bucket();
        BucketOptions options = BucketOptions.of(bucket.timeout());
        UploadNotes notes =
                UploadNotes.open(node.cache().directories().getFirst().resolve("uploads"), clock);
        return new BucketTier(store(bucket.store(), options), memory, options, notes);
    }

    /**
     * Asks the bucket whether it may be used, once.
     *
     * @throws IOException with one line that says what is wrong and the way out
     */
    public static void check(NodeConfiguration.Bucket bucket) throws IOException, StartupException {
        try (ObjectStore store = store(bucket.store(), BucketOptions.of(bucket.timeout()))) {
            store.check();
        }
    }

    private static ObjectStore store(Store store, BucketOptions options) throws StartupException {
        return switch (store) {
            case Store.FileFolder(var root) -> new FolderStore(root);
            case Store.S3 s3 ->
                new S3Store(new S3Options(
                        "S3",
                        s3.bucket(),
                        s3.region(),
                        s3.endpoint() == null ? null : URI.create(s3.endpoint()),
                        s3.forcePathStyle(),
                        credentials(s3.accessKeyId(), s3.secretAccessKey(), s3.sessionToken()),
                        true,
                        options.requests(),
                        options.timeout(),
                        S3Options.LARGEST_PAGE,
                        S3Options.LARGEST_COPY));
            case Store.Azure azure ->
                new AzureStore(new AzureOptions(
                        azure.account(),
                        azure.container(),
                        URI.create(
                                azure.endpoint() == null
                                        ? "https://" + azure.account() + ".blob.core.windows.net"
                                        : azure.endpoint()),
                        credentials(azure),
                        options.timeout(),
                        AzureOptions.LARGEST_PAGE));
            case Store.Gcp gcp -> {
                S3Options.Credentials key = credentials(gcp.accessKeyId(), gcp.secretAccessKey(), null);
                yield new S3Store(S3Options.google(
                        gcp.bucket(),
                        gcp.endpoint() == null ? GOOGLE : URI.create(gcp.endpoint()),
                        key,
                        key == null ? new GoogleTokens(gcp.credentials()) : null,
                        options.requests(),
                        options.timeout(),
                        S3Options.LARGEST_PAGE));
            }
        };
    }

    private static AzureOptions.Credentials credentials(Store.Azure azure) {
        if (azure.key() != null) {
            return new AzureOptions.Credentials.AccountKey(azure.key().value());
        }
        return azure.sasToken() == null
                ? new AzureOptions.Credentials.Identity()
                : new AzureOptions.Credentials.Sas(azure.sasToken().value());
    }

    private static S3Options.@Nullable Credentials credentials(
            @Nullable String accessKeyId, @Nullable Secret secretAccessKey, @Nullable Secret sessionToken)
            throws StartupException {
        if (accessKeyId == null && secretAccessKey == null) {
            return null;
        }
        if (accessKeyId == null || secretAccessKey == null) {
            throw new StartupException("an access key and its secret go together: set both of them, or none");
        }
        return new S3Options.Credentials(
                accessKeyId, secretAccessKey.value(), sessionToken == null ? null : sessionToken.value());
    }
}
