/**
 * Tier 1: this node's NVMe directories.
 *
 * <p>One sparse file per inode and incarnation, and beside it a journal of what it holds
 * ({@link io.fusecache.tiers.nvme.RecordJournal}). {@link io.fusecache.tiers.nvme.NvmeTier} is the tier;
 * {@link io.fusecache.tiers.nvme.BackingFile} one open incarnation; {@link io.fusecache.tiers.nvme.CacheIndex} what is
 * there and what may go; {@link io.fusecache.tiers.nvme.CacheDirectory} the layout, the lock and the identity of one
 * directory. In come blocks and commits; out go bytes, descriptors for the kernel, and figures. All reads and writes go
 * through {@link io.fusecache.cache.Disk}.
 */
@NullMarked
package io.fusecache.tiers.nvme;

import org.jspecify.annotations.NullMarked;
