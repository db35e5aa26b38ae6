package io.fusecache.client.http;

import io.fusecache.metadata.ErrnoException;

/** A request that is answered with an error: its status, a code for programs and a message for people. */
final class HttpFailure extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String code;

    HttpFailure(int status, String code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.code = code;
    }

    /** The status that tells a caller of HTTP what the errno tells a caller of the kernel. */
    static HttpFailure of(ErrnoException failure) {
        int status = switch (failure.errno()) {
            case ENOENT, ENOTDIR -> 404;
            case EINVAL, ENAMETOOLONG, ELOOP -> 400;
            case EISDIR, EEXIST, ENOTEMPTY, EBUSY, ESTALE, EROFS, EPERM, EACCES, ETXTBSY -> 409;
            case EFBIG -> 413;
            case EIO, ENOSPC, EDQUOT, ETIMEDOUT, EAGAIN -> 503;
            default -> 500;
        };
        return new HttpFailure(status, failure.errno().name(), failure.getMessage());
    }

    int status() {
        return status;
    }

    String code() {
        return code;
    }
}
