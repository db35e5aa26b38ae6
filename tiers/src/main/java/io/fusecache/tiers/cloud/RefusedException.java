package io.fusecache.tiers.cloud;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A request that the store will answer the same way however often it is repeated: a wrong key, no right, no bucket. */
public final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    public RefusedException(String message) {
        super(message);
    }

    public RefusedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
