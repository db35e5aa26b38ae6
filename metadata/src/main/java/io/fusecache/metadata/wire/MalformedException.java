package io.fusecache.metadata.wire;

/** A message that no record can be made of; the text says which part of it is wrong. */
public final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    public MalformedException(String message) {
        super(message, null, false, false);
    }
}
