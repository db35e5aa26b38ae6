package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.cache.DiskException;
import io.fusecache.cache.FetchFailedException;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.time.InstantSource;

/**
 * Sizes, holes and allocation of open files: truncate, fallocate, SEEK_DATA and SEEK_HOLE, copy_file_range. On a file that is
 * whole here these are the backing file's own; on one that is not, what is left of a block that is cut has to be here first.
 */
final class FileSpace {
    private static final int KEEP_SIZE = 1;
    private static final int SEEK_SET = 0;
    private static final int SEEK_DATA = 3;

    /** Of a copy between files that are not whole here: the caller asks for the rest. */
    private static final long MOST_TO_FETCH_BYTES = 256L << 20;

    private final OpenFiles table;
    private final Blocks blocks;
    private final InstantSource clock;
    private final Forwarding forwarding;

    FileSpace(OpenFiles table, Blocks blocks, InstantSource clock, Forwarding forwarding) {
        this.table = table;
        this.blocks = blocks;
        this.clock = clock;
        this.forwarding = forwarding;
    }

    /** In turn, for a file that is open for writing. */
    void truncate(InodeIo io, long size) throws ErrnoException, IOException {
        FileAtHome home = io.home();
        if (home != null) {
            forwarding.truncate(home, size);
            return;
        }
        CachedFile file = io.opened().cached();
        FileVersion base = io.opened().version();
        long before = file.file().stat().size();
        if (file.whole()) {
            file.file().truncate(size);
        } else {
            blocks.ensureCut(file, base, Math.min(size, before));
            io.blocks.writeLock().lock();
            try {
                name(file, base, Math.min(size, before), Math.max(size, before));
                file.file().truncate(size);
            } finally {
                io.blocks.writeLock().unlock();
            }
        }
        if (size == before) {
            // Not every disk takes this for a change, but ftruncate(2) and O_TRUNC do.
            file.file().setTimes(null, Timestamp.of(clock.instant()));
        }
        io.markChanged();
    }

    /**
     * The bytes from {@code start} to {@code end} are ours from now on. EFBIG where the disk has no files of that length: it
     * would say so only when they are written, and what is noted of each block until then has no bound.
     */
    static void name(CachedFile file, FileVersion base, long start, long end) throws IOException {
        if (start < end) {
            if (end > base.size()) {
                reach(file, end);
            }
            file.dirtied(block(start, base), block(end - 1, base));
        }
    }

    private static void reach(CachedFile file, long end) throws IOException {
        try {
            file.file().seek(end, SEEK_SET);
        } catch (DiskException e) {
            if (e.errno() != Errno.EINVAL) {
                throw e;
            }
            DiskException tooLong = new DiskException(Errno.EFBIG, "inode " + file.ino() + " up to byte " + end);
            tooLong.initCause(e);
            throw tooLong;
        }
    }

    /** EFBIG where no block has so high a number: no disk below has files of that length. */
    static int block(long offset, FileVersion version) throws DiskException {
        long block = offset / version.blockBytes();
        if (offset < 0 || block > Integer.MAX_VALUE) {
            throw new DiskException(Errno.EFBIG, "byte " + offset + " of inode " + version.ino());
        }
        return (int) block;
    }

    /** fallocate(2). The errors are the backing file system's, EOPNOTSUPP among them. */
    void allocate(long nodeId, long handle, int mode, long offset, long length) throws ErrnoException {
        if (offset < 0 || length <= 0) {
            throw new ErrnoException(Errno.EINVAL, "fallocate of " + length + " bytes from " + offset);
        }
        if (!Handle.of(handle).write()) {
            throw new ErrnoException(Errno.EBADF, "fallocate on a file that is open for reading only");
        }
        InodeIo io = table.io(nodeId);
        io.turn.lock();
        try {
            InodeIo.Backing backing = table.backing(nodeId);
            if (backing.home() != null) {
                forwarding.allocate(backing.home(), mode, offset, length);
                return;
            }
            CachedFile file = backing.cached();
            if (file.whole()) {
                file.file().allocate(mode, offset, length);
            } else {
                allocateInPart(io, backing.version(), file, mode, offset, length);
            }
            // Allocation within the size changes the content's times on Linux, but not on every file system below.
            io.markChanged();
        } catch (IOException e) {
            throw Failures.of("fallocate of inode " + io.ino(), e);
        } finally {
            io.turn.unlock();
        }
    }

    private void allocateInPart(InodeIo io, FileVersion base, CachedFile file, int mode, long offset, long length)
            throws IOException {
        long before = file.file().stat().size();
        boolean allocates = (mode & ~KEEP_SIZE) == 0;
        long after = (mode & KEEP_SIZE) != 0 ? before : Math.max(before, offset + length);
        // What changes: nothing but what is new, or the range as far as the file reaches.
        long from = allocates ? before : Math.min(before, offset);
        long to = allocates ? after : Math.min(after, offset + length);
        int last = from < to ? Math.min(block(to - 1, base), base.blocks() - 1) : -1;
        if (!allocates && block(from, base) <= last) {
            blocks.ensure(file, block(from, base), last);
        }
        blocks.ensureCut(file, base, before);
        io.blocks.writeLock().lock();
        try {
            name(file, base, from, to);
            file.file().allocate(mode, offset, length);
        } finally {
            io.blocks.writeLock().unlock();
        }
    }

    /** lseek(2) with SEEK_DATA (3) or SEEK_HOLE (4). ENXIO past the end. Blocks that are not here count as data. */
    long seek(long nodeId, long offset, int whence) throws ErrnoException {
        InodeIo io = table.io(nodeId);
        InodeIo.Backing backing = table.backing(nodeId);
        if (backing.home() != null) {
            return forwarding.seek(backing.home(), offset, whence);
        }
        CachedFile file = backing.file();
        try {
            if (file != null && file.whole()) {
                return file.file().seek(offset, whence);
            }
            long size = file != null && io.live()
                    ? file.file().stat().size()
                    : backing.version().size();
            if (offset < 0 || offset >= size) {
                throw new ErrnoException(Errno.ENXIO, "seek to " + offset + " in " + size + " bytes");
            }
            return whence == SEEK_DATA ? offset : size;
        } catch (IOException e) {
            throw Failures.of("lseek of inode " + io.ino(), e);
        }
    }

    /** copy_file_range(2): returns how many bytes were copied, fewer at the end of the source. */
    long copy(long fromNode, long fromOffset, long toNode, long toHandle, long toOffset, long length)
            throws ErrnoException {
        if (!Handle.of(toHandle).write()) {
            throw new ErrnoException(Errno.EBADF, "copy_file_range into a file that is open for reading only");
        }
        InodeIo source = table.io(fromNode);
        InodeIo target = table.io(toNode);
        InodeIo.Backing from = table.backing(fromNode);
        InodeIo.Backing to = table.backing(toNode);
        if (from.file() == null || to.file() == null || source.overtaken()) {
            // The kernel copies through the page cache then.
            throw new ErrnoException(
                    Errno.EOPNOTSUPP, "inode " + source.ino() + " or " + target.ino() + " is not on the local disk");
        }
        try {
            long available = (source.live()
                            ? from.file().file().stat().size()
                            : from.version().size())
                    - fromOffset;
            boolean here = from.file().whole() && to.cached().whole();
            long wanted = Math.min(here ? length : Math.min(length, MOST_TO_FETCH_BYTES), available);
            if (wanted <= 0) {
                return 0;
            }
            presentSource(from, from.file(), fromOffset, wanted);
            present(to, to.cached(), toOffset, wanted);
            long before = to.cached().file().stat().size();
            if (!to.cached().whole()) {
                blocks.ensureCut(to.cached(), to.version(), before);
            }
            target.blocks.writeLock().lock();
            try {
                if (!to.cached().whole()) {
                    name(to.cached(), to.version(), Math.min(before, toOffset), toOffset + wanted);
                }
                return copyAll(from.file().file(), fromOffset, to.cached().file(), toOffset, wanted);
            } finally {
                target.blocks.writeLock().unlock();
            }
        } catch (IOException e) {
            throw Failures.of("copy from inode " + source.ino() + " to inode " + target.ino(), e);
        }
    }

    private void presentSource(InodeIo.Backing from, CachedFile file, long offset, long length)
            throws ErrnoException, IOException {
        try {
            present(from, file, offset, length);
        } catch (FetchFailedException e) {
            // Reads know where else to look.
            throw new ErrnoException(Errno.EOPNOTSUPP, String.valueOf(e.getMessage()), e);
        }
    }

    private void present(InodeIo.Backing backing, CachedFile file, long offset, long length) throws IOException {
        if (file.whole()) {
            return;
        }
        int first = block(offset, backing.version());
        int last = Math.min(
                block(offset + length - 1, backing.version()), backing.version().blocks() - 1);
        if (first <= last) {
            blocks.ensure(file, first, last);
        }
    }

    private static long copyAll(Disk.DiskFile from, long fromOffset, Disk.DiskFile to, long toOffset, long length)
            throws IOException {
        long copied = 0;
        while (copied < length) {
            long now = from.copyTo(to, fromOffset + copied, toOffset + copied, length - copied);
            if (now == 0) {
                break;
            }
            copied += now;
        }
        return copied;
    }
}
