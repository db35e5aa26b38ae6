package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Writes that come to the daemon: into files that are not whole here, or that the kernel does not write itself. */
final class Writes {
    private final OpenFiles table;
    private final Blocks blocks;
    private final Room room;

    Writes(OpenFiles table, Blocks blocks, Room room) {
        this.table = table;
        this.blocks = blocks;
        this.room = room;
    }

    /** Writes all of {@code source}, or throws: ENOSPC where no room was to be had in time. */
    void write(long nodeId, long handle, long offset, MemorySegment source) throws ErrnoException {
        if (!Handle.of(handle).write()) {
            throw new ErrnoException(Errno.EBADF, "inode " + NodeIds.ino(nodeId) + " is open for reading only");
        }
        InodeIo io = table.io(nodeId);
        InodeIo.Backing backing = table.backing(nodeId);
        CachedFile file = backing.cached();
        room.await(source.byteSize());
        try {
            if (file.whole()) {
                file.file().write(offset, source);
            } else {
                writeBlocks(io, backing.version(), file, offset, source);
            }
        } catch (IOException e) {
            throw Failures.of("write to inode " + io.ino() + " at " + offset, e);
        }
    }

    private void writeBlocks(InodeIo io, FileVersion base, CachedFile file, long offset, MemorySegment source)
            throws IOException {
        long end = offset + source.byteSize();
        long before = file.file().stat().size();
        // A block that is written in part keeps the rest of the base's bytes, so those must be here first.
        blocks.ensureCut(file, base, offset);
        if (offset > before) {
            blocks.ensureCut(file, base, before);
        }
        int last = FileSpace.block(end - 1, base);
        if (last < base.blocks() && end < (long) last * base.blockBytes() + base.bytesInBlock(last)) {
            blocks.ensure(file, last, last);
        }
        io.blocks.writeLock().lock();
        try {
            FileSpace.name(file, base, Math.min(offset, before), end);
            file.file().write(offset, source);
        } finally {
            io.blocks.writeLock().unlock();
        }
    }
}
