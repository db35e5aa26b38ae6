package io.fusecache.metadata;

import org.jspecify.annotations.Nullable;

/**
 * Leave to list one directory in the bucket.
 *
 * @param token the point in the namespace's history at which the listing begins: what changed later wins over it
 * @param keyPrefix the keys to list, with a trailing slash, empty for the root of a bucket without a prefix
 * @param lastImported when a listing of it was last taken over, or null where never
 */
public record Listing(
        long directory,
        long token,
        String keyPrefix,
        @Nullable Timestamp lastImported) {}
