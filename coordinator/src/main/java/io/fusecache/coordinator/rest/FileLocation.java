package io.fusecache.coordinator.rest;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a file is, as JSON has it.
 *
 * @param storageTier nvme, peer or cloud
 * @param storagePath the object key where {@code storageTier} is cloud
 * @param chunks of a file of several blocks, who holds each; not more than {@link #MOST_CHUNKS}
 */
record FileLocation(
        @Nullable String filePath,
        @Nullable String peerId,
        @Nullable String storageTier,
        @Nullable String storagePath,
        @Nullable Long fileSize,
        @Nullable String lastAccessed,
        @Nullable Boolean isChunked,
        @Nullable List<Chunk> chunks) {
    static final int MOST_CHUNKS = 10_000;

    record Chunk(
            @Nullable Integer index,
            @Nullable String peerId,
            @Nullable String chunkId) {}
}
