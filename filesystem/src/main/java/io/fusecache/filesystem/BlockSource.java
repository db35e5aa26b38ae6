package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Where blocks come from that are not on the local disk: peers and the bucket. */
public interface BlockSource {
    /** Returns when the block is present in {@code file}. Concurrent calls for one block cause one transfer. */
    void fetch(CachedFile file, int block) throws IOException;

    /** Reads and verifies one block without storing it: for a disk that has no room. */
    void read(FileVersion version, int block, MemorySegment target) throws IOException;
}
