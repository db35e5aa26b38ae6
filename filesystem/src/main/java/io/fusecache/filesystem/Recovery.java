package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * After kill -9: what was written here is as the kernel left it on disk. Files that were open for writing are committed as
 * they are now, before the mount answers anything; those and the ones that were closed are uploaded. What another node has
 * overtaken meanwhile is set aside.
 */
final class Recovery {
    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

    private final Metadata metadata;
    private final LocalTier local;
    private final Opens opens;
    private final Uploads uploads;
    private final Departed departed;
    private final LostFiles lost;

    Recovery(Metadata metadata, LocalTier local, Opens opens, Uploads uploads, Departed departed, LostFiles lost) {
        this.metadata = metadata;
        this.local = local;
        this.opens = opens;
        this.uploads = uploads;
        this.departed = departed;
        this.lost = lost;
    }

    /** Returns when every file that was being written is committed or set aside. */
    void run() throws IOException {
        List<LocalTier.Unpersisted> files = local.unpersisted();
        for (LocalTier.Unpersisted file : files) {
            try {
                recover(file);
            } catch (ErrnoException e) {
                if (e.errno() == Errno.ESTALE) {
                    LOG.info("inode {} was removed while this node was down: its cached bytes go", file.ino());
                    discard(file.ino());
                } else {
                    LOG.error(
                            "inode {} was written before the restart and is not committed: {}",
                            file.ino(),
                            e.getMessage());
                }
            } catch (IOException e) {
                LOG.error("inode {} was written before the restart and cannot be read: {}", file.ino(), e.getMessage());
            }
        }
        if (!files.isEmpty()) {
            LOG.info(
                    "{} files of before the restart wait for their upload",
                    uploads.pending().files());
        }
    }

    private void discard(long ino) {
        try {
            lost.keepIfLost(metadata, local, ino);
            local.discard(ino);
        } catch (IOException e) {
            LOG.warn("the cached bytes of removed inode {} stay: {}", ino, e.getMessage());
        }
    }

    private void recover(LocalTier.Unpersisted file) throws ErrnoException, IOException {
        Inode inode = metadata.inode(file.ino());
        metadata.abandonUpload(file.ino());
        if (inode.ending()) {
            departed.add(file.ino());
            departed.released(file.ino());
        } else if (!file.writing()) {
            closed(file.version(), metadata.content(file.ino()));
        } else {
            written(file.version(), inode);
        }
        if (metadata.self().equals(inode.writer())) {
            // The process that had the lease is gone, and nobody here writes any more.
            metadata.endWrite(file.ino());
        }
    }

    /** It was committed; whether it was uploaded, too, is for the coordinator to say. */
    private void closed(FileVersion here, FileVersion now) throws IOException {
        if (now.version() > here.version()) {
            LOG.info("{} was overtaken by version {} while this node was down", here, now.version());
            discard(here.ino());
        } else if (now.persisted()) {
            persisted(now);
        } else {
            uploads.closed(here, null);
        }
    }

    private void persisted(FileVersion now) throws IOException {
        Optional<CachedFile> found = local.find(now.ino());
        if (found.isPresent()) {
            try (CachedFile file = found.get()) {
                file.persisted(now);
            }
        }
    }

    private void written(FileVersion base, Inode inode) throws ErrnoException, IOException {
        Optional<CachedFile> found = local.find(base.ino());
        if (found.isEmpty()) {
            return;
        }
        try (CachedFile file = found.get()) {
            Disk.Stat stat = file.file().stat();
            boolean committedAlready = inode.version() >= base.version()
                    && inode.version() <= base.version() + 1
                    && inode.version() > 0
                    && inode.size() == stat.size()
                    && inode.modified().equals(stat.modified());
            if (committedAlready) {
                FileVersion now = metadata.content(base.ino());
                file.committed(now, false);
                closed(now, now);
                return;
            }
            if (inode.version() != base.version()) {
                lost.keep(base.ino(), base.version(), file.path());
                file.supersede();
                return;
            }
        }
        opens.recommit(base.ino(), null, () -> false);
    }
}
