/**
 * The file system: what every call of POSIX means over the namespace and the tiers, without any kernel type.
 *
 * <p>In come calls by node id, name and handle, from the bridge to the kernel and from the node's HTTP interface; out go
 * namespace commands ({@link io.fusecache.metadata.Metadata}), reads and writes of backing files
 * ({@link io.fusecache.cache.LocalTier}), uploads and listings ({@link io.fusecache.cache.CloudTier}), and, when the
 * coordinator takes leases back, orders to drop caches ({@link io.fusecache.filesystem.KernelCache}).
 *
 * <p>{@link io.fusecache.filesystem.FileSystem} is the door; behind it one room per concern: {@code Names} (the tree),
 * {@code Attributes} (stat and its changes), {@code Opens} and {@code InodeIo} (which way a file's bytes go while it is
 * open), {@code Reads}, {@code Writes} and {@code FileSpace} (the daemon's data path), {@code Commits} (backing file to
 * committed version), {@code Uploads} (to the bucket), {@code BucketMirror} (from the bucket), {@code CloudWorker}
 * (renames and removals in the bucket), {@code Recovery} (after a crash), {@code Recalls} (leases taken back).
 */
@NullMarked
package io.fusecache.filesystem;

import org.jspecify.annotations.NullMarked;
