package io.fusecache.tiers.nvme;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One incarnation as {@link CacheIndex} knows it: little enough to keep a million of. Guarded by the index's lock. */
final class CacheEntry {
    final long ino;
    final int incarnation;
    final CacheDirectory directory;
    final Path path;

    /** How many {@link PinnedFile}s there are. The backing file is open while there is one. */
    int pins;

    @Nullable CompletableFuture<BackingFile> backing;
    /** Not current any more: removed when the last pin is given back. */
    boolean doomed;

    volatile Facts facts = Facts.NONE;
    /** All blocks were checked by this process, or came in it; then it need not be done again after the next pin. */
    boolean verified;

    /** It counts among the pending files of its shard; guarded by the lock of its directory. */
    boolean pending;

    CacheEntry(long ino, int incarnation, CacheDirectory directory, Path path) {
        this.ino = ino;
        this.incarnation = incarnation;
        this.directory = directory;
        this.path = path;
    }

    /**
     * What the record says, for those who have it not open.
     *
     * @param bytes what it takes on disk
     */
    record Facts(
            long version,
            long size,
            long bytes,
            boolean whole,
            boolean writing,
            boolean unpersisted,
            long createdMillis,
            long committedMillis) {
        static final Facts NONE = new Facts(0, 0, 0, false, false, false, 0, 0);
    }
}
