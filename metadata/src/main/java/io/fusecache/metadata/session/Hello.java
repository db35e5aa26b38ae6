package io.fusecache.metadata.session;

import io.fusecache.metadata.NodeAddress;

/**
 * The first thing a client says on a stream.
 *
 * @param protocol {@link #PROTOCOL} of the client's build
 * @param volume empty for the one volume of a coordinator
 * @param node the client's id and where it serves its peers
 * @param nvmePath for people
 * @param keyPrefix what all object keys of this mount begin with: a property of the volume, which the first client sets
 * @param namespace of {@link Welcome} where this client has one already, else empty: it wants no other
 * @param session of {@link Welcome} where a session is to go on, else 0
 * @param secret of {@link Welcome} likewise
 */
public record Hello(
        int protocol,
        String volume,
        NodeAddress node,
        String nvmePath,
        String keyPrefix,
        String namespace,
        long session,
        long secret) {
    /** Grows when an old client and a new coordinator, or the reverse, would misunderstand each other. */
    public static final int PROTOCOL = 7;
}
