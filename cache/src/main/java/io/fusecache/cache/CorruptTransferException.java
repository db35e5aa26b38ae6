package io.fusecache.cache;

import java.io.IOException;

/** Bytes that changed between the source and here, found by the transfer's own checksum. */
public final class CorruptTransferException extends IOException {
    private static final long serialVersionUID = 1L;

    public CorruptTransferException(String message) {
        super(message);
    }
}
