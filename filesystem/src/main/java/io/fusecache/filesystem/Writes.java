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
    private final Forwarding forwarding;

    Writes(OpenFiles table, Blocks blocks, Room room, Forwarding forwarding) {
        this.table = table;
        this.blocks = blocks;
        this.room = room;
        this.forwarding = forwarding;
    }

    /** Writes all of {@code source}, or throws: ENOSPC where no room was to be had in time. */
    void write(long nodeId, long handle, long offset, MemorySegment source) throws ErrnoException {
        refuseReader(nodeId, handle);
        InodeIo io = table.io(nodeId);
        InodeIo.Backing backing = table.backing(nodeId);
        if (backing.home() != null) {
            forwarding.write(backing.home(), offset, source);
            return;
        }
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

    /**
     * Writes all of {@code source} at the end of the file, wherever that is then, as one write that nothing comes between:
     * programs of other nodes append to the same file. True where that was not, or may not have been, at {@code expected}.
     */
    boolean append(long nodeId, long handle, long expected, MemorySegment source) throws ErrnoException {
        refuseReader(nodeId, handle);
        InodeIo io = table.io(nodeId);
        InodeIo.Backing backing = table.backing(nodeId);
        if (backing.home() != null) {
            forwarding.append(backing.home(), source);
            return false;
        }
        CachedFile file = backing.cached();
        room.await(source.byteSize());
        try {
            long before = file.file().stat().size();
            if (file.whole()) {
                file.file().append(source);
            } else {
                appendBlocks(io, backing.version(), file, source);
            }
            return before != expected || file.file().stat().size() != expected + source.byteSize();
        } catch (IOException e) {
            throw Failures.of("append to inode " + io.ino(), e);
        }
    }

    private static void refuseReader(long nodeId, long handle) throws ErrnoException {
        if (!Handle.of(handle).write()) {
            throw new ErrnoException(Errno.EBADF, "inode " + NodeIds.ino(nodeId) + " is open for reading only");
        }
    }

    private void appendBlocks(InodeIo io, FileVersion base, CachedFile file, MemorySegment source) throws IOException {
        while (true) {
            long end = file.file().stat().size();
            blocks.ensureCut(file, base, end);
            io.blocks.writeLock().lock();
            try {
                if (file.file().stat().size() == end) {
                    FileSpace.name(file, base, end, end + source.byteSize());
                    file.file().append(source);
                    return;
                }
            } finally {
                io.blocks.writeLock().unlock();
            }
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
