package io.fusecache.tiers.cloud;

import io.fusecache.cache.BufferArena;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Semaphore;

/** Bounds what is being put: so many parts and small objects at once, each with a buffer. */
final class PutSlots {
    private final BufferArena buffers;
    private final Semaphore puts;

    PutSlots(BufferArena buffers, int puts) {
        this.buffers = buffers;
        this.puts = new Semaphore(puts, true);
    }

    @FunctionalInterface
    interface Sending<T> {
        T send(MemorySegment buffer) throws IOException;
    }

    /** Waits for a slot and a buffer of that many bytes, which are the sender's until it returns. */
    <T> T withBuffer(String key, long bytes, Sending<T> sending) throws IOException {
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
