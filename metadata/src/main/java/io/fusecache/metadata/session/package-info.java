/**
 * What a session says and hears, apart from how it travels: the operations, their answers, and the seam of transport.
 *
 * <p>In come the calls of {@link io.fusecache.metadata.Metadata} as {@link Operation} records; out go they, unchanged, to a
 * coordinator in this process, or to {@code io.fusecache.metadata.wire}, which puts them on a gRPC stream.
 */
@NullMarked
package io.fusecache.metadata.session;

import org.jspecify.annotations.NullMarked;
