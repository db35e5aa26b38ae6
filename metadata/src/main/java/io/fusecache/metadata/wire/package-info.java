/**
 * The session on gRPC: codecs between the records of {@link io.fusecache.metadata.session} and the messages of
 * {@code session.proto}, and the client's end of a stream.
 *
 * <p>In come records to send and bytes from the network; out go messages and checked records. Whatever does not decode
 * is a {@link io.fusecache.metadata.wire.MalformedException} and reaches nobody.
 */
@NullMarked
package io.fusecache.metadata.wire;

import org.jspecify.annotations.NullMarked;
