package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.FetchFailedException;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Metadata;
import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files whose object is gone from the bucket, by no doing of ours: what is left of them is in the caches of nodes, where it counts as
 * uploaded and may be evicted. The node that finds out takes it upon itself to keep them, until it has uploaded them anew.
 */
final class Orphans {
    private static final Logger LOG = LoggerFactory.getLogger(Orphans.class);

    private final Metadata metadata;
    private final LocalTier local;
    private final Blocks blocks;
    private final Uploads uploads;

    Orphans(Metadata metadata, LocalTier local, Blocks blocks, Uploads uploads) {
        this.metadata = metadata;
        this.local = local;
        this.blocks = blocks;
        this.uploads = uploads;
    }

    /**
     * Before the coordinator hears that the object is gone: the version is whole here when this returns, durably unpersisted. Empty where
     * it needs no keeping, having been overtaken, or nobody has it. IOException where somebody has it who cannot be reached now.
     */
    Optional<FileVersion> keep(long ino, long version) throws IOException, ErrnoException {
        FileVersion now;
        try {
            now = metadata.content(ino);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESTALE) {
                return Optional.empty();
            }
            throw e;
        }
        if (now.version() != version || !now.persisted()) {
            return Optional.empty();
        }
        try (CachedFile file = here(now)) {
            blocks.ensure(file, 0, now.blocks() - 1);
            file.unpersisted(version);
            return Optional.of(file.version());
        } catch (FetchFailedException e) {
            if (!metadata.holders(ino, version).isEmpty()) {
                throw e;
            }
            LOG.error("the object of {} is gone from the bucket, and no node has its bytes", now);
            return Optional.empty();
        }
    }

    private CachedFile here(FileVersion version) throws IOException {
        Optional<CachedFile> found = local.find(version.ino());
        if (found.isPresent()) {
            CachedFile file = found.get();
            if (file.version().version() == version.version()) {
                return file;
            }
            file.close();
        }
        return local.create(version);
    }

    /** After the coordinator has heard of it. */
    void upload(FileVersion kept) {
        uploads.closed(kept, null);
    }
}
