package io.fusecache.fuse.mount;

import java.io.IOException;

/** A mount or unmount that did not work; the message is one line that names the thing and the way out. */
public final class MountException extends IOException {
    private static final long serialVersionUID = 1L;

    public MountException(String message) {
        super(message);
    }

    public MountException(String message, Throwable cause) {
        super(message, cause);
    }
}
