/**
 * Tier 2: the local tiers of other nodes, both ends of it.
 *
 * <p>{@link io.fusecache.tiers.peer.PeerBlockHandler} answers from this node's local tier and from nothing else;
 * {@link io.fusecache.tiers.peer.PeerClient} asks others. Between them goes HTTP/1.1:
 *
 * <pre>
 *   GET /blocks/INO/VERSION            Range: bytes=FIRST-LAST
 *                                      Authorization: Bearer TOKEN, where the nodes share one
 *   206  the bytes
 *   200  with the request header 'Fusecache-Append: crc32c': the bytes, then the CRC32C of them in four bytes, big endian;
 *        the answer has the same header. So a bit that flips on the way is found in the pass that copies the bytes
 *   404  not here, not whole in that range, or not this version
 *   503  busy; 'Fusecache-Holders: ID HTTP GRPC, ...' names others who have it
 *   400, 401, 416  as ever
 * </pre>
 */
@NullMarked
package io.fusecache.tiers.peer;

import org.jspecify.annotations.NullMarked;
