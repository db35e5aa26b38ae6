package io.fusecache.tiers.peer;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** Who may read blocks from this node. */
@FunctionalInterface
public interface PeerAccess {
    /** @param authorization the header of that name, null where there is none */
    boolean permits(@Nullable String authorization);

    static PeerAccess open() {
        return authorization -> true;
    }

    /** Those who know the token that all nodes share. */
    static PeerAccess token(String token) {
        byte[] expected = bearer(token).getBytes(StandardCharsets.UTF_8);
        return authorization -> authorization != null
                && MessageDigest.isEqual(expected, authorization.getBytes(StandardCharsets.UTF_8));
    }

    static String bearer(String token) {
        return "Bearer " + token;
    }
}
