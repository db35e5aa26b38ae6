package io.fusecache.fuse.mount;

import java.io.IOException;

/** A mount or unmount that did not work; the message is one line that names the thing and the way out. */
public final class MountException extends IOException {
    private static final long serialVersionUID = 1L;

    private final boolean passing;

    public MountException(String message) {
        super(message);
        passing = false;
    }

    public MountException(String message, Throwable cause) {
        super(message, cause);
        passing = false;
    }

    private MountException(String message, boolean passing) {
        super(message);
        this.passing = passing;
    }

    /** Something is in the way that may go by itself: a mount of before whose daemon is ending, say. */
    static MountException occupied(String message) {
        return new MountException(message, true);
    }

    /** Whether trying again later can help. */
    public boolean mayPass() {
        return passing;
    }
}
