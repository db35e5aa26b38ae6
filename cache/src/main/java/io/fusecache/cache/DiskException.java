package io.fusecache.cache;

import io.fusecache.metadata.Errno;
import java.io.IOException;

/** A system call on the local disk that failed, with its errno. */
public final class DiskException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Errno errno;

    public DiskException(Errno errno, String message) {
        super(message + ": " + errno);
        this.errno = errno;
    }

    public Errno errno() {
        return errno;
    }
}
