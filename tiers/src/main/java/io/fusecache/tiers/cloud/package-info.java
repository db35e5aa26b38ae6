/**
 * Tier 3: the bucket.
 *
 * <p>{@link io.fusecache.tiers.cloud.ObjectStore} is what a provider has to offer, one small request at a time;
 * {@link io.fusecache.tiers.cloud.BucketTier} makes the tier of it, the same for every provider: parallel ranges and parts
 * bounded in number and memory, deadlines, retries, paging. In come keys, ranges and readers of content; out go requests
 * of one store. Each provider lives in a package of its own below this one, and its SDK stays there.
 */
@NullMarked
package io.fusecache.tiers.cloud;

import org.jspecify.annotations.NullMarked;
