package io.fusecache.tiers.cloud;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The store does well, and wants fewer requests: 503 SlowDown of S3, 503 ServerBusy of Azure, 429 of both. */
public final class ThrottledException extends IOException {
    private static final long serialVersionUID = 1L;

    public ThrottledException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
