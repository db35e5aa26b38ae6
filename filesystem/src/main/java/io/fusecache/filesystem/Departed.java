package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Metadata;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files without a name whose bytes this node may be the only one to have, while a program of another node may still have them
 * open: they stay in the cache until the coordinator has no such inode any more.
 *
 * <p>Asking for the inode comes with a read lease on it, so the end of it, which is a change, is announced by a recall. What the
 * bucket has is no matter: an object stays for as long as its inode.
 */
final class Departed {
    private static final Logger LOG = LoggerFactory.getLogger(Departed.class);

    /** While the coordinator cannot say, it is asked again this much later. */
    private static final Duration RETRY = Duration.ofSeconds(5);

    private final Metadata metadata;
    private final LocalTier local;
    private final OpenFiles table;
    private final Executor executor;
    private final Set<Long> waiting = ConcurrentHashMap.newKeySet();

    private final LostFiles lost;

    Departed(Metadata metadata, LocalTier local, OpenFiles table, Executor executor, LostFiles lost) {
        this.lost = lost;
        this.metadata = metadata;
        this.local = local;
        this.table = table;
        this.executor = executor;
    }

    /** A file that is not open here lost its last name. {@link #released} follows where this session still holds the inode. */
    void add(long ino) {
        try {
            Optional<CachedFile> found = local.find(ino);
            if (found.isEmpty()) {
                return;
            }
            try (CachedFile file = found.get()) {
                if (!file.version().persisted() && file.version().version() > 0) {
                    waiting.add(ino);
                    return;
                }
            }
            local.discard(ino);
        } catch (IOException e) {
            stays(ino, e);
        }
    }

    /** This session holds the inode no more, or never did: whoever else does, keeps it alive now. */
    void released(long ino) {
        if (waiting.contains(ino)) {
            executor.execute(() -> look(ino));
        }
    }

    /** Something about it changes. */
    void recalled(long ino) {
        released(ino);
    }

    /** What was leased is leased no more. */
    void reset() {
        waiting.forEach(this::released);
    }

    private void look(long ino) {
        if (table.isOpen(ino)) {
            // Its last close comes here again.
            return;
        }
        try {
            if (metadata.exists(ino)) {
                return;
            }
        } catch (ErrnoException e) {
            LOG.debug("whether removed inode {} is still open somewhere is not known", ino, e);
            CompletableFuture.delayedExecutor(RETRY.toMillis(), TimeUnit.MILLISECONDS, executor)
                    .execute(() -> look(ino));
            return;
        }
        if (waiting.remove(ino)) {
            try {
                lost.keepIfLost(metadata, local, ino);
                local.discard(ino);
            } catch (IOException e) {
                stays(ino, e);
            }
        }
    }

    private static void stays(long ino, IOException failure) {
        LOG.warn("the cached bytes of removed inode {} stay: {}", ino, failure.getMessage());
    }
}
