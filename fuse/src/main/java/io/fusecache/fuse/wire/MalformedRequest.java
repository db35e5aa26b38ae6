package io.fusecache.fuse.wire;

/**
 * A message that is not what the protocol says.
 *
 * <p>Where its header could be read, {@link #unique()} is the request to refuse; else it is 0 and the connection is not
 * to be trusted.
 */
public final class MalformedRequest extends Exception {
    private static final long serialVersionUID = 1L;

    private final long unique;

    MalformedRequest(long unique, String message) {
        super(message);
        this.unique = unique;
    }

    public long unique() {
        return unique;
    }
}
