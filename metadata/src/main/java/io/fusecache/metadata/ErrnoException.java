package io.fusecache.metadata;

/** The one failure of a file system operation: the errno for the caller and a message for the log. */
public final class ErrnoException extends Exception {
    private static final long serialVersionUID = 1L;

    private final Errno errno;

    public ErrnoException(Errno errno, String message) {
        this(errno, message, null);
    }

    public ErrnoException(Errno errno, String message, @org.jspecify.annotations.Nullable Throwable cause) {
        // Most of these are ENOENT on a hot path; a stack trace is kept only where something broke.
        super(message, cause, false, errno == Errno.EIO);
        this.errno = errno;
    }

    public Errno errno() {
        return errno;
    }

    /** The message without the errno before it. */
    public String reason() {
        return String.valueOf(super.getMessage());
    }

    @Override
    public String getMessage() {
        return errno + ": " + super.getMessage();
    }
}
