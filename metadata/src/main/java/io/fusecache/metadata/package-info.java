/**
 * The namespace as every node speaks of it: domain records, the {@link io.fusecache.metadata.Metadata} contract, the
 * gRPC messages and the client of the coordinator with its lease cache.
 *
 * <p>In come calls of the file system and of the uploader; out go requests on one session stream to the coordinator,
 * and recalls to whoever caches what changed. Nothing here knows the kernel, a disk or a bucket.
 */
@NullMarked
package io.fusecache.metadata;

import org.jspecify.annotations.NullMarked;
