package io.fusecache.cache;

import io.fusecache.metadata.Errno;
import org.jspecify.annotations.Nullable;

/** What the home of a file made of a {@link HomeRequest}. */
public sealed interface HomeReply {
    /**
     * @param value the count or offset that the operation gives; 0 where it gives none
     * @param now how the file looked right after; null where the operation concerns no one file
     */
    record Done(long value, Disk.@Nullable Stat now) implements HomeReply {}

    /** The error of the operation, as a program on the home node would have got it. */
    record Failed(Errno errno, String reason) implements HomeReply {}

    /** The file is not open for writing there, or the handle is none that this process has there: nothing was done. */
    record NotHome() implements HomeReply {}
}
