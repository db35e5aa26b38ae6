package io.fusecache.filesystem;

import io.fusecache.cache.DiskException;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import java.io.IOException;

/** What a failing disk or tier means to the caller of a file system operation. */
final class Failures {
    private Failures() {}

    /**
     * The disk's own errno where it says one that POSIX allows the caller to see; ESTALE where it turned out on the way that
     * the file is no more, which makes the kernel look its name up again; else EIO.
     */
    static ErrnoException of(String what, IOException cause) {
        if (cause instanceof DiskException disk) {
            switch (disk.errno()) {
                case ENOSPC, EDQUOT, EFBIG, EINVAL, EOPNOTSUPP, ENXIO, EROFS, EAGAIN -> {
                    return new ErrnoException(disk.errno(), what + ": " + cause.getMessage(), cause);
                }
                default -> {
                    // Anything else (EBADF, ENOENT of a backing file, ...) says more about us than about the call.
                }
            }
        }
        if (cause.getCause() instanceof ErrnoException gone && gone.errno() == Errno.ESTALE) {
            return new ErrnoException(Errno.ESTALE, what + ": " + cause.getMessage(), cause);
        }
        return new ErrnoException(Errno.EIO, what + ": " + cause.getMessage(), cause);
    }
}
