package io.fusecache.tiers.cloud.s3;

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
        long largestCopy) {
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
                bytes);
    }
}
