package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.DiskException;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.time.Duration;

/**
 * Room on the local disk for those who write. Eviction makes it without being asked; where all that is cached waits for its
 * upload, that is hurried and waited for, up to a bound.
 */
final class Room {
    /** Eviction says nothing when it ends, so that is looked for now and then. */
    private static final Duration LOOK = Duration.ofMillis(50);

    private final LocalTier local;
    private final Uploads uploads;
    private final Duration patience;

    Room(LocalTier local, Uploads uploads, Duration patience) {
        this.local = local;
        this.uploads = uploads;
        this.patience = patience;
    }

    /** Returns when there is room. ENOSPC where there is none in time. */
    void await(long bytes) throws ErrnoException {
        if (local.hasRoom(bytes)) {
            return;
        }
        long deadline = System.nanoTime() + patience.toNanos();
        while (!local.hasRoom(bytes)) {
            if (System.nanoTime() >= deadline) {
                throw new ErrnoException(
                        Errno.ENOSPC,
                        "the local disk is full, and nothing could be evicted or uploaded within "
                                + patience.toSeconds() + " s");
            }
            uploads.hurry();
            uploads.awaitProgress(LOOK);
        }
    }

    /** {@link LocalTier#create}, with as much patience. */
    CachedFile create(FileVersion version) throws IOException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            try {
                return local.create(version);
            } catch (DiskException e) {
                if (e.errno() != Errno.ENOSPC || System.nanoTime() >= deadline) {
                    throw e;
                }
            }
            uploads.hurry();
            uploads.awaitProgress(LOOK);
        }
    }
}
