package io.fusecache.cache;

import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.NodeAddress;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Tier 2: the local tiers of other nodes, by HTTP range. */
public interface PeerTier extends AutoCloseable {
    /**
     * Reads {@code target.byteSize()} bytes of {@code version} from {@code offset} into {@code target}. Blocks for at
     * most the peer timeout it was built with. The bytes are as many as asked and passed the transfer's own checks, but
     * the block checksum is the caller's to verify.
     *
     * @throws CorruptTransferException where the transfer's checksum says that they changed on the way
     * @throws IOException where the peer cannot be reached, answers short, or breaks off
     */
    ReadOutcome read(NodeAddress peer, FileVersion version, long offset, MemorySegment target) throws IOException;

    @Override
    void close();
}
