/**
 * Amazon S3, and every store that speaks its API: {@link io.fusecache.tiers.cloud.s3.S3Store}. In come single requests of
 * {@link io.fusecache.tiers.cloud.ObjectStore}; out go HTTP requests of the vendor's SDK, which no type of another package knows.
 */
@NullMarked
package io.fusecache.tiers.cloud.s3;

import org.jspecify.annotations.NullMarked;
