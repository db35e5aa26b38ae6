package io.fusecache.fuse.session;

/**
 * A file of this process that the kernel may read and write by itself for opens answered with PASSTHROUGH.
 *
 * <p>All passed-through opens of one node that are there at a time must name the same backing file: this object, not just
 * the same file. Closing it takes the id away from new opens; opens that have it keep the file. The descriptor it was made
 * from may be closed at once. It does not count against this process's limit of open files.
 */
public interface BackingFile extends AutoCloseable {
    /** What {@link io.fusecache.fuse.wire.OpenReply#passthrough} takes. */
    int id();

    /** Once; further calls do nothing. */
    @Override
    void close();
}
