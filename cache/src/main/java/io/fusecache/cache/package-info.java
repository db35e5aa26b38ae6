/**
 * What a tier is, and how reads are planned over tiers.
 *
 * <p>Here stand the contracts that {@code tiers} fulfils ({@link io.fusecache.cache.LocalTier},
 * {@link io.fusecache.cache.PeerTier}, {@link io.fusecache.cache.CloudTier}) and that {@code filesystem} uses, the way to files
 * that are being written on other nodes ({@link io.fusecache.cache.Homes}), the disk as both see it ({@link io.fusecache.cache.Disk}), the order in which sources are asked, eviction and the memory budget. In
 * come block ranges of a version; out come verified bytes and the tier that had them. No SDK, no HTTP, no kernel.
 */
@NullMarked
package io.fusecache.cache;

import org.jspecify.annotations.NullMarked;
