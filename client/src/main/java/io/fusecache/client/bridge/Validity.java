package io.fusecache.client.bridge;

import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import java.time.Duration;

/**
 * For how long the kernel may trust what it is told. While the session with the coordinator stands, as long as it likes:
 * a recall takes it back. Names are the exception where they can also change without the coordinator: in the bucket,
 * which is asked again when a name is used after the refresh time.
 */
final class Validity {
    private static final long LONG_NANOS = Duration.ofHours(24).toNanos();

    private final Metadata metadata;
    private final long namesNanos;
    private volatile boolean epochs;

    Validity(Metadata metadata, Duration bucketRefresh) {
        this.metadata = metadata;
        this.namesNanos = Math.min(LONG_NANOS, bucketRefresh.toNanos());
    }

    /** Whether the kernel can be told that all names are stale; else they are from the start. */
    void negotiated(boolean kernelHasEpochs) {
        epochs = kernelHasEpochs;
    }

    long names() {
        return epochs && metadata.connected() ? namesNanos : 0;
    }

    /** What another node writes changes without a word to the coordinator: whoever looks asks again. */
    long attributes(Inode inode) {
        boolean here = inode.writer() == null || inode.writer().equals(metadata.self());
        return here && metadata.connected() ? LONG_NANOS : 0;
    }
}
