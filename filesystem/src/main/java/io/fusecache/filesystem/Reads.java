package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.DiskException;
import io.fusecache.cache.FetchFailedException;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeId;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.Executor;

/** Reads that come to the daemon: of files that are not whole here, or that the kernel does not read itself. */
final class Reads {
    /** A home that says it is none is about to close the file, or to open it: the coordinator hears of it soon. */
    private static final Duration HANDOVER = Duration.ofMillis(50);

    private final OpenFiles table;
    private final Blocks blocks;
    private final AccessTimes accessTimes;
    private final Activity activity;
    private final Metadata metadata;
    private final Forwarding forwarding;
    private final Incarnations incarnations;
    private final KernelCache kernel;
    private final Executor executor;

    /** How long a file that is written elsewhere may be nowhere to read, being between two homes. */
    private final Duration patience;

    Reads(
            OpenFiles table,
            Blocks blocks,
            AccessTimes accessTimes,
            Activity activity,
            Forwarding forwarding,
            Incarnations incarnations,
            FileSystem.Ground ground,
            FileSystemOptions options) {
        this.table = table;
        this.blocks = blocks;
        this.accessTimes = accessTimes;
        this.activity = activity;
        this.metadata = ground.metadata();
        this.forwarding = forwarding;
        this.incarnations = incarnations;
        this.kernel = ground.recalls().kernel();
        this.executor = ground.executor();
        this.patience = options.homeWait();
    }

    /**
     * Fills {@code target} from {@code offset}; fewer bytes at the end of the file only.
     *
     * @param trace whether the access time tells of it: not with O_NOATIME
     */
    int read(long nodeId, long offset, MemorySegment target, boolean trace) throws ErrnoException {
        InodeIo io = table.io(nodeId);
        InodeIo.Backing backing = table.backing(nodeId);
        if (backing.home() != null) {
            return forwarding.read(backing.home(), offset, target);
        }
        CachedFile file = backing.file();
        if (trace) {
            accessTimes.read(io);
        }
        try {
            if (io.overtaken()) {
                return newest(io, offset, target);
            }
            if (file != null && file.whole() && file.verified()) {
                long begin = System.nanoTime();
                int count = file.file().read(offset, target);
                activity.read(count, System.nanoTime() - begin);
                return count;
            }
            long size = file != null && io.live()
                    ? file.file().stat().size()
                    : backing.version().size();
            int wanted = (int) Math.min(target.byteSize(), size - offset);
            if (wanted <= 0) {
                return 0;
            }
            MemorySegment part = target.asSlice(0, wanted);
            if (isOnlyElsewhere(io, backing, offset, wanted)) {
                return overtaken(io, offset, target);
            }
            if (file == null) {
                blocks.read(backing.version(), offset, part);
            } else {
                readBlocks(io, backing.version(), file, offset, part);
            }
            return wanted;
        } catch (FetchFailedException e) {
            return readOvertaken(io, backing.version(), offset, target, e);
        } catch (IOException e) {
            throw failed(io, offset, e);
        }
    }

    private static ErrnoException failed(InodeIo io, long offset, IOException failure) {
        return Failures.of("read of inode " + io.ino() + " at " + offset, failure);
    }

    /** Whether what is missing is in no bucket, and another node writes over it at this moment: it serves nobody the version of before. */
    private boolean isOnlyElsewhere(InodeIo io, InodeIo.Backing backing, long offset, long length)
            throws ErrnoException, DiskException {
        CachedFile file = backing.file();
        FileVersion version = backing.version();
        if (file == null || io.live() || version.persisted()) {
            return false;
        }
        Inode inode = metadata.cachedInode(io.ino());
        if (inode == null || forwarding.elsewhere(inode.writer()) == null) {
            return false;
        }
        boolean missing = file.present().nextClearBit(FileSpace.block(offset, version))
                <= FileSpace.block(offset + length - 1, version);
        return missing && !metadata.content(io.ino()).persisted();
    }

    /** Of what was never here, and is nowhere else any more since another node writes over it, or has done so. */
    private int readOvertaken(
            InodeIo io, FileVersion opened, long offset, MemorySegment target, FetchFailedException failure)
            throws ErrnoException {
        try {
            if (forwarding.elsewhere(metadata.inode(io.ino()).writer()) == null
                    && metadata.content(io.ino()).version() == opened.version()) {
                throw failure;
            }
            return overtaken(io, offset, target);
        } catch (IOException e) {
            throw failed(io, offset, e);
        }
    }

    /**
     * The first read of what is not of the version that was opened. From then on the file is read, and its size told, where it is newest,
     * until its last close. Pages that the kernel has of before go as soon as no read waits for one.
     */
    private int overtaken(InodeIo io, long offset, MemorySegment target) throws ErrnoException, IOException {
        if (io.markOvertaken()) {
            executor.execute(() -> kernel.contentChanged(io.nodeId, 0, 0));
        }
        return newest(io, offset, target);
    }

    /** What it is now where it is being written; where it is not, what was committed last. */
    private int newest(InodeIo io, long offset, MemorySegment target) throws ErrnoException, IOException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            NodeId writer = metadata.inode(io.ino()).writer();
            NodeId home = forwarding.elsewhere(writer);
            int count = -1;
            if (home != null) {
                count = forwarding.peek(io.ino(), home, offset, target);
            } else if (writer != null) {
                count = writtenHere(io, offset, target);
            }
            if (count >= 0) {
                return count;
            }
            FileVersion now = metadata.content(io.ino());
            try {
                int wanted = (int) Math.max(0, Math.min(target.byteSize(), now.size() - offset));
                if (wanted > 0) {
                    blocks.read(now, offset, target.asSlice(0, wanted));
                }
                return wanted;
            } catch (FetchFailedException e) {
                boolean goesOn = metadata.content(io.ino()).version() != now.version()
                        || metadata.awaitWriter(io.ino(), HANDOVER).isPresent();
                if (!goesOn || System.nanoTime() - deadline > 0) {
                    throw e;
                }
            }
        }
    }

    /** By a program of this node, which has it open under a later node id; -1 where none has any more. */
    private int writtenHere(InodeIo io, long offset, MemorySegment target) throws ErrnoException {
        InodeIo own = table.find(incarnations.nodeId(io.ino()));
        if (own == null || own.nodeId == io.nodeId || !own.live()) {
            return -1;
        }
        try {
            return read(own.nodeId, offset, target, false);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EBADF) {
                return -1;
            }
            throw e;
        }
    }

    /** The descriptor to read from where the backing file is all it takes, else -1. */
    int descriptor(long nodeId, boolean trace) throws ErrnoException {
        if (trace) {
            accessTimes.read(table.io(nodeId));
        }
        CachedFile file = table.backing(nodeId).file();
        return file != null && !table.io(nodeId).overtaken() && file.whole() && file.verified()
                ? file.file().descriptor()
                : -1;
    }

    private void readBlocks(InodeIo io, FileVersion base, CachedFile file, long offset, MemorySegment target)
            throws IOException {
        int first = FileSpace.block(offset, base);
        int last = Math.min(FileSpace.block(offset + target.byteSize() - 1, base), base.blocks() - 1);
        if (first <= last) {
            long run = io.pattern.read(offset, target.byteSize());
            if (!io.live() && blocks.readPieces(file, base, io.pattern, run, offset, target)) {
                return;
            }
            blocks.anticipate(file, base, io.pattern, first, last, run);
            try {
                blocks.ensure(file, first, last);
            } catch (DiskException e) {
                if (e.errno() != Errno.ENOSPC) {
                    throw e;
                }
                readAround(io, base, file, offset, target);
                return;
            }
        }
        readHere(io, file, offset, target);
    }

    private static void readHere(InodeIo io, CachedFile file, long offset, MemorySegment target) throws IOException {
        io.blocks.readLock().lock();
        try {
            int count = file.file().read(offset, target);
            // A hole at the end that the backing file does not reach: a file that grew by less than its disk knows.
            target.asSlice(count).fill((byte) 0);
        } finally {
            io.blocks.readLock().unlock();
        }
    }

    /** The disk has no room: what is here is read here, and of the rest each block goes through memory and is not kept. */
    private void readAround(InodeIo io, FileVersion base, CachedFile file, long offset, MemorySegment target)
            throws IOException {
        long done = 0;
        while (done < target.byteSize()) {
            long at = offset + done;
            int block = FileSpace.block(at, base);
            long end = Math.min(offset + target.byteSize(), (block + 1L) * base.blockBytes());
            MemorySegment piece = target.asSlice(done, end - at);
            if (block >= base.blocks() || file.present().get(block)) {
                readHere(io, file, at, piece);
            } else {
                long known = Math.min(piece.byteSize(), base.size() - at);
                piece.fill((byte) 0);
                if (known > 0) {
                    blocks.read(base, at, piece.asSlice(0, known));
                }
            }
            done += piece.byteSize();
        }
    }
}
