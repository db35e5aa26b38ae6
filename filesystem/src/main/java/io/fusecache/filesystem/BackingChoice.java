package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses, at the first open, whether the kernel gets the backing file or the daemon stays in between. */
final class BackingChoice {
    private static final Logger LOG = LoggerFactory.getLogger(BackingChoice.class);

    /** A whole file of before this process is verified at the open up to this size; a larger one as it is read. */
    private static final long VERIFIED_AT_OPEN_BYTES = 64L << 20;

    private final LocalTier local;
    private final Blocks blocks;
    private final @Nullable BackingFiles kernel;
    private final AtomicBoolean refusalLogged = new AtomicBoolean();

    /** @param kernel null where passthrough is off */
    BackingChoice(LocalTier local, Blocks blocks, @Nullable BackingFiles kernel) {
        this.local = local;
        this.blocks = blocks;
        this.kernel = kernel;
    }

    /**
     * For a file with content. Fetches it now where it is one block, so that it can be passed through.
     *
     * @param watched writes must be seen by the daemon: the kernel asks it to clear set-user-id and set-group-id on a
     *     write (FUSE_HANDLE_KILLPRIV_V2), and never does where the write passes through
     */
    InodeIo.Backing forContent(CachedFile file, boolean watched) throws IOException {
        FileVersion version = file.version();
        if (version.blocks() == 1 || (file.whole() && version.size() <= VERIFIED_AT_OPEN_BYTES)) {
            if (!file.whole() || !file.verified()) {
                blocks.ensure(file, 0, version.blocks() - 1);
            }
        }
        return watched ? daemon(file) : ready(file);
    }

    /** Checks every block that is here, however large the file is; what is wrong is fetched again when it is needed. */
    void verify(CachedFile file) throws IOException {
        if (!file.verify(0, file.version().blocks())) {
            LOG.warn("inode {} had wrong blocks in {}: they were dropped", file.ino(), file.path());
        }
    }

    /** For an empty file that will be written: through the daemon where the disk is nearly full, since that can wait for room. */
    InodeIo.Backing forWriting(CachedFile file, boolean watched) {
        return !watched && local.hasRoom(file.version().blockBytes()) ? ready(file) : daemon(file);
    }

    /** With no more ado than registering it. */
    InodeIo.Backing ready(CachedFile file) {
        if (kernel == null || !file.whole() || !file.verified()) {
            return daemon(file);
        }
        try {
            return InodeIo.Backing.passthrough(file, kernel.register(file.file()));
        } catch (IOException e) {
            if (refusalLogged.compareAndSet(false, true)) {
                LOG.warn(
                        "the kernel refuses to pass a file through, it goes through the daemon instead: {}",
                        e.getMessage());
            }
            return daemon(file);
        }
    }

    private static InodeIo.Backing daemon(CachedFile file) {
        return InodeIo.Backing.daemon(file.version(), file);
    }

    void giveBack(InodeIo.Backing last) {
        if (kernel != null && last.backingId() != 0) {
            kernel.unregister(last.backingId());
        }
    }
}
