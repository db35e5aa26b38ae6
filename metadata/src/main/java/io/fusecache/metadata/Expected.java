package io.fusecache.metadata;

import org.jspecify.annotations.Nullable;

/**
 * What may be at a key that is going to be written or freed, as far as the namespace knows; everything else that is there was put by
 * somebody else.
 *
 * @param etag of the object that is ours to replace or to remove, or null where none is known
 * @param leftover whether an upload or a copy of ours that nobody heard the end of may have left something, whose ETag is not known
 */
public record Expected(@Nullable String etag, boolean leftover) {
    public static final Expected NOTHING = new Expected(null, false);
}
