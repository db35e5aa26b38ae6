package io.fusecache.tiers.cloud.s3;

import io.fusecache.tiers.cloud.BearerTokens;
import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Which bucket, and how it is reached.
 *
 * @param title of the provider, for people: "S3", "Google Cloud Storage"
 * @param endpoint null: Amazon's own of the region
 * @param pathStyle whether the bucket is in the path of a request instead of its host name
 * @param credentials null: Amazon's chain of providers (environment, profile, web identity, container, instance)
 * @param checksums whether the store takes and gives the CRC32C of what is put; Content-MD5 where not
 * @param connections at most
 * @param timeout of one request, its whole answer included
 * @param pageSize keys in one page of a listing, 1000 at most
 * @param largestCopy in one request; {@link Long#MAX_VALUE} where the store copies all in one, and knows no parts of copies
 * @param vendor whose store it is, or null: Amazon's, or one that does as Amazon's does
 */
public record S3Options(
        String title,
        String bucket,
        String region,
        @Nullable URI endpoint,
        boolean pathStyle,
        @Nullable Credentials credentials,
        boolean checksums,
        int connections,
        Duration timeout,
        int pageSize,
        long largestCopy,
        @Nullable Google vendor) {
    /** As many keys as S3 gives in one page. */
    public static final int LARGEST_PAGE = 1000;

    /** S3 takes 5 GiB ("CopyObject"), but not within any time that one attempt may have. */
    public static final long LARGEST_COPY = 1L << 30;

    /** The key that signs requests, and the token that a temporary one comes with. Never shown. */
    public record Credentials(
            String accessKeyId,
            String secretAccessKey,
            @Nullable String sessionToken) {
        @Override
        public String toString() {
            return accessKeyId + ", secret not shown";
        }
    }

    /**
     * What is Google Cloud Storage's alone, whose XML API is S3's but for a few things.
     *
     * @param tokens in the place of credentials, or null
     */
    public record Google(@Nullable BearerTokens tokens) {}

    public S3Options(
            String title,
            String bucket,
            String region,
            @Nullable URI endpoint,
            boolean pathStyle,
            @Nullable Credentials credentials,
            boolean checksums,
            int connections,
            Duration timeout,
            int pageSize,
            long largestCopy) {
        this(
                title,
                bucket,
                region,
                endpoint,
                pathStyle,
                credentials,
                checksums,
                connections,
                timeout,
                pageSize,
                largestCopy,
                null);
    }

    /**
     * A bucket of Google Cloud Storage. Its XML API knows the CRC32C only under names of its own, and no parts of copies: its copies have
     * no limit.
     *
     * @param key an HMAC key, or null
     * @param tokens where there is no key
     */
    public static S3Options google(
            String bucket,
            URI endpoint,
            @Nullable Credentials key,
            @Nullable BearerTokens tokens,
            int connections,
            Duration timeout,
            int pageSize) {
        return new S3Options(
                "Google Cloud Storage",
                bucket,
                "auto",
                endpoint,
                true,
                key,
                false,
                connections,
                timeout,
                pageSize,
                Long.MAX_VALUE,
                new Google(tokens));
    }

    /** Of S3 Express One Zone: "Directory bucket naming rules". */
    boolean directoryBucket() {
        return vendor == null && bucket.endsWith("--x-s3");
    }

    public S3Options withLargestCopy(long bytes) {
        return new S3Options(
                title,
                bucket,
                region,
                endpoint,
                pathStyle,
                credentials,
                checksums,
                connections,
                timeout,
                pageSize,
                bytes,
                vendor);
    }
}
