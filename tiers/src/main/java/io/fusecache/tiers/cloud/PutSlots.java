package io.fusecache.tiers.cloud;

import io.fusecache.cache.BufferArena;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Semaphore;

/**
 * Bounds what is being put: so many parts and large objects at once, each with a buffer, and beside them so many small objects, which
 * cost little memory and much waiting.
 */
final class PutSlots {
    private static final long SMALL_BYTES = 256 << 10;

    private final BufferArena buffers;
    private final Semaphore large;
    private final Semaphore small;

    PutSlots(BufferArena buffers, BucketOptions options) {
        this.buffers = buffers;
        this.large = new Semaphore(options.puts(), true);
        this.small = new Semaphore(options.smallPuts(), true);
    }

    @FunctionalInterface
    interface Sending<T> {
        T send(MemorySegment buffer) throws IOException;
    }

    /** Waits for a slot and a buffer of that many bytes, which are the sender's until it returns. */
    <T> T withBuffer(String key, long bytes, Sending<T> sending) throws IOException {
        Semaphore puts = bytes > SMALL_BYTES ? large : small;
        try {
            puts.acquire();
        } catch (InterruptedException e) {
            throw Attempts.interrupted("putting '" + key + "'");
        }
        try {
            if (bytes == 0) {
                return sending.send(MemorySegment.NULL);
            }
            try (BufferArena.Lease lease = buffers.lease(bytes)) {
                return sending.send(lease.segment());
            }
        } finally {
            puts.release();
        }
    }
}
