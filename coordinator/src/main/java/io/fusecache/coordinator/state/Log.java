package io.fusecache.coordinator.state;

import java.io.IOException;

/**
 * Where batches go to become durable, in order. A coordinator without replicas writes them straight to its own state; the leader
 * of a replica group brings them to the others.
 *
 * <p>{@link #append} is called by one thread at a time. A batch is visible in the state when append returns, and may be
 * spoken of once {@link #durable} has reached its position.
 */
public interface Log extends AutoCloseable {
    /** Applies a batch, which is not changed any more, and returns its position. IOException: nothing of it was applied. */
    long append(Changes batch) throws IOException;

    /** Of the last batch that was appended. */
    long position();

    /** Up to where batches survive any crash; negative where nobody may hear anything, because another member may lead. */
    long durable();

    @Override
    void close();

    /** Hears, on the log's own thread, that {@link Log#durable} has grown, or that it never will again. */
    interface Listener {
        void durable();

        void failed(IOException cause);
    }
}
