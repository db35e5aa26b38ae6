package io.fusecache.fuse.sys;

import io.fusecache.fuse.wire.Errno;
import java.io.IOException;

/** A system call that failed: which one, on what, and with which error number. */
public final class PosixException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    public PosixException(String call, int errno, String subject) {
        super(call + " " + subject + ": " + Errno.name(errno));
        this.errno = errno;
    }

    public int errno() {
        return errno;
    }
}
