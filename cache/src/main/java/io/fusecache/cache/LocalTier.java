package io.fusecache.cache;

import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Tier 1: this node's NVMe. One sparse file per inode and incarnation, with a durable record beside it of what it
 * holds. The cache survives a restart and kill -9: everything found on disk at start is here again, unpersisted files first.
 *
 * <p>An <em>incarnation</em> is one backing file of one inode. There is one current incarnation per inode; an older one
 * lives on while someone has it open, since the kernel passes all opens of one node id to one backing file.
 */
public interface LocalTier extends AutoCloseable {
    /** The current incarnation of the inode, pinned: it is not evicted until the pin is closed. Empty where there is none. */
    Optional<CachedFile> find(long ino) throws IOException;

    /**
     * A new, current, empty incarnation that will hold {@code version}, pinned: with no block present, or, where {@code
     * version} is the empty version 0, whole. Makes room first by evicting.
     *
     * @throws DiskException ENOSPC where the disk has no room even after eviction
     */
    CachedFile create(FileVersion version) throws IOException;

    /** Forgets the current incarnation and its bytes, uploaded or not: the file was removed. Waits for no reader. */
    void discard(long ino) throws IOException;

    /**
     * Files with bytes of this node that are not in the bucket, oldest commit first: what a restart must commit and
     * upload. Waits until the scan at start has been where such files can be.
     */
    List<Unpersisted> unpersisted() throws IOException;

    /** Whether {@code bytes} more fit above the free-space reserve, evicting in the background where that helps. */
    boolean hasRoom(long bytes);

    Usage usage();

    /** Every file held, for {@code GET /api/cache}: a snapshot, most recently used first, at most {@code limit}. */
    List<CachedFileSummary> files(int limit);

    @Override
    void close() throws IOException;

    /**
     * @param writing it was open for writing when the process ended: its bytes were never committed
     * @param version the last version committed from here, or the base that was written on
     */
    record Unpersisted(long ino, FileVersion version, boolean writing) {}

    /** Evictions and corrupt blocks are counted since start. */
    record Usage(
            long capacityBytes,
            long usedBytes,
            long unpersistedBytes,
            long files,
            long evictions,
            long corruptBlocks) {}

    record CachedFileSummary(long ino, long version, long size, long presentBytes, boolean whole, boolean persisted) {}
}
