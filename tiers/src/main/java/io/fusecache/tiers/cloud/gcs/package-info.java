/**
 * Who we are to Google: {@link io.fusecache.tiers.cloud.gcs.GoogleTokens}. In come requests for a token, out go those of the vendor's
 * library to whoever gives them. The bucket itself is reached through {@code tiers.cloud.s3}, because its XML API is S3's.
 */
@NullMarked
package io.fusecache.tiers.cloud.gcs;

import org.jspecify.annotations.NullMarked;
