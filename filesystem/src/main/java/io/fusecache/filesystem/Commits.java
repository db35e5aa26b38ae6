package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Makes what a backing file holds the committed content of its inode.
 *
 * <p>The kernel writes to backing files without telling us, so whether there is anything to commit is read off size and
 * times. A commit looks at the file, reads what it must, and takes the first look as what was committed: whoever writes
 * in between or after makes a difference that the next flush, release or upload sees. Files of at most one block get their
 * checksum with the commit; it must then be of exactly the bytes that the looks before and after agree on. Larger files are
 * sealed later ({@link Uploads}), so that close() does not read them again.
 *
 * <p>All methods are called in turn for the inode.
 */
final class Commits {
    /** A file that changes faster than it can be read is committed without its checksum after this many tries. */
    private static final int MAX_TRIES = 3;

    private final Metadata metadata;
    private final Blocks blocks;
    private final Unlinked unlinked;
    private final LostFiles lost;
    private final Activity activity;

    Commits(Metadata metadata, Blocks blocks, Unlinked unlinked, LostFiles lost, Activity activity) {
        this.metadata = metadata;
        this.blocks = blocks;
        this.unlinked = unlinked;
        this.lost = lost;
        this.activity = activity;
    }

    /**
     * Commits where the backing file differs from what is committed. Not where it has no name: while it is open here, whoever opens it
     * elsewhere comes here, and its last close commits. EIO where the lease was lost: the bytes were set aside.
     */
    void commitChanges(InodeIo io, boolean stillOpen) throws ErrnoException, IOException {
        refuseLost(io);
        if (!unlinked.worthless(io.ino())) {
            commitWhereItDiffers(io, stillOpen);
        }
    }

    /** When the last writer leaves: of a file without a name, too, which programs of other nodes may go on reading. */
    void commitAtLastClose(InodeIo io, boolean stillOpen) throws ErrnoException, IOException {
        refuseLost(io);
        commitWhereItDiffers(io, stillOpen);
    }

    private static void refuseLost(InodeIo io) throws ErrnoException {
        if (io.lost()) {
            throw new ErrnoException(Errno.EIO, "the write lease of inode " + io.ino() + " was lost while it was open");
        }
    }

    private void commitWhereItDiffers(InodeIo io, boolean stillOpen) throws ErrnoException, IOException {
        CachedFile file = io.isOpen() ? io.opened().file() : null;
        if (file == null || !io.live()) {
            return;
        }
        if (io.differs(file.file().stat())) {
            commit(io, file, stillOpen);
        } else if (!stillOpen) {
            file.committed(io.opened().version(), false);
        }
    }

    /** What close(2) of one descriptor commits: all of it, whoever wrote it, through whatever other descriptor or mapping. */
    void commitAtClose(InodeIo io) throws ErrnoException, IOException {
        CachedFile file = io.isOpen() ? io.opened().file() : null;
        if (file != null && io.mayHaveBeenMapped() && !io.differs(file.file().stat())) {
            commitOtherBytes(io);
        }
        commitChanges(io, true);
    }

    /**
     * After a mapping wrote the file: its times may not show that. A file with a checksum is compared, any other committed
     * anew.
     */
    void commitOtherBytes(InodeIo io) throws IOException {
        CachedFile file = io.opened().cached();
        FileVersion version = file.version();
        Disk.Stat stat = file.file().stat();
        if (version.checksums() == null
                || stat.size() != version.size()
                || !Arrays.equals(version.checksums(), checksumOf(file, stat, version.blockBytes()))) {
            io.markChanged();
        }
    }

    /**
     * When the last writer has left, and no mapping is there any more: one that outlived the last close may have stored something until
     * a moment ago, which nothing but the bytes tells. A version that has no checksum yet gets it from the bytes as they are.
     */
    void commitUnseenStores(InodeIo io) throws IOException {
        CachedFile file = io.opened().cached();
        FileVersion version = file.version();
        if (version.sealed()
                && io.mayHaveBeenMapped()
                && !io.differs(file.file().stat())) {
            commitOtherBytes(io);
        }
    }

    private void commit(InodeIo io, CachedFile file, boolean stillOpen) throws ErrnoException, IOException {
        FileVersion base = io.opened().version();
        makeWhole(file, base);
        Disk.Stat stat = file.file().stat();
        int[] checksums = null;
        for (int i = 0; i < MAX_TRIES && stat.size() <= base.blockBytes() && checksums == null; i++) {
            checksums = checksumOf(file, stat, base.blockBytes());
            stat = checksums == null ? file.file().stat() : stat;
        }
        FileVersion next = next(base, stat, checksums);
        try {
            metadata.commit(next, stat.modified(), stat.changed(), stat.allocatedBytes());
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ESTALE) {
                throw e;
            }
            if (unlinked.worthless(io.ino()) && !metadata.exists(io.ino())) {
                // Ended with the session that held it: nobody reads it any more.
                return;
            }
            next = next(madeUnheard(io, file, next, e), stat, checksums);
            metadata.commit(next, stat.modified(), stat.changed(), stat.allocatedBytes());
        }
        file.committed(next, stillOpen);
        io.committed(next, stat);
        activity.committed(next.size());
    }

    private static FileVersion next(FileVersion base, Disk.Stat stat, int @Nullable [] checksums) {
        return new FileVersion(base.ino(), base.version() + 1, stat.size(), base.blockBytes(), checksums, null);
    }

    /**
     * The version that stands, where an earlier commit of ours made it and its answer did not come in time: the lease is
     * ours still, so nobody else did. Else the bytes are set aside, with EIO.
     */
    private FileVersion madeUnheard(InodeIo io, CachedFile file, FileVersion refused, ErrnoException why)
            throws ErrnoException, IOException {
        try {
            Inode now = metadata.inode(io.ino());
            if (metadata.self().equals(now.writer()) && now.version() == refused.version()) {
                return metadata.content(io.ino());
            }
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ESTALE) {
                throw e;
            }
        }
        setAside(io, file);
        throw new ErrnoException(Errno.EIO, "the write lease of inode " + io.ino() + " was lost: " + why.getMessage());
    }

    /** Null where the file changed while it was read. */
    private static int @Nullable [] checksumOf(CachedFile file, Disk.Stat before, int blockBytes) throws IOException {
        try {
            int[] checksums = file.checksum(before.size(), blockBytes);
            return InodeIo.sameContent(before, file.file().stat()) ? checksums : null;
        } catch (EOFException cutMeanwhile) {
            return null;
        }
    }

    /** Nobody else could serve the blocks of the new version that were left as they are: they have to be here first. */
    private void makeWhole(CachedFile file, FileVersion base) throws IOException {
        if (!file.whole() && base.blocks() > 0) {
            blocks.ensure(file, 0, base.blocks() - 1);
        }
    }

    void setAside(InodeIo io, CachedFile file) throws IOException {
        if (!io.lost()) {
            io.markLost();
            lost.keep(io.ino(), file.version().version(), file.path());
        }
    }
}
