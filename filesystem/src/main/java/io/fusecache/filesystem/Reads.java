package io.fusecache.filesystem;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Reads that come to the daemon: of files that are not whole here, or that the kernel does not read itself. */
final class Reads {
    private final OpenFiles table;
    private final LocalTier local;
    private final Blocks blocks;
    private final BufferArena memory;

    Reads(OpenFiles table, LocalTier local, Blocks blocks, BufferArena memory) {
        this.table = table;
        this.local = local;
        this.blocks = blocks;
        this.memory = memory;
    }

    /** Fills {@code target} from {@code offset}; fewer bytes at the end of the file only. */
    int read(long nodeId, long offset, MemorySegment target) throws ErrnoException {
        InodeIo io = table.io(nodeId);
        InodeIo.Backing backing = table.backing(nodeId);
        try {
            CachedFile file = backing.file();
            if (file == null) {
                return readUncached(backing.version(), offset, target);
            }
            return file.whole() && file.verified()
                    ? file.file().read(offset, target)
                    : readBlocks(io, backing.version(), file, offset, target);
        } catch (IOException e) {
            throw Failures.of("read of inode " + io.ino() + " at " + offset, e);
        }
    }

    /** The descriptor to read from where the backing file is all it takes, else -1. */
    int descriptor(long nodeId) throws ErrnoException {
        CachedFile file = table.backing(nodeId).file();
        return file != null && file.whole() && file.verified() ? file.file().descriptor() : -1;
    }

    private int readBlocks(InodeIo io, FileVersion base, CachedFile file, long offset, MemorySegment target)
            throws IOException {
        long size = io.live() ? file.file().stat().size() : base.size();
        int wanted = (int) Math.min(target.byteSize(), size - offset);
        if (wanted <= 0) {
            return 0;
        }
        int first = FileSpace.block(offset, base);
        int last = Math.min(FileSpace.block(offset + wanted - 1, base), base.blocks() - 1);
        if (first <= last) {
            if (!file.whole()) {
                blocks.readAhead(file, base, last + 1);
                completeInBackground(base);
            }
            blocks.ensure(file, first, last);
        }
        io.blocks.readLock().lock();
        try {
            return file.file().read(offset, target.asSlice(0, wanted));
        } finally {
            io.blocks.readLock().unlock();
        }
    }

    private void completeInBackground(FileVersion version) throws IOException {
        if (blocks.isCompleting(version.ino()) || !local.hasRoom(version.size())) {
            return;
        }
        Optional<CachedFile> pin = local.find(version.ino());
        if (pin.isPresent()) {
            blocks.complete(pin.get());
        }
    }

    /** The local disk is full: each block goes through memory, checked as ever, and is not kept. */
    private int readUncached(FileVersion version, long offset, MemorySegment target) throws IOException {
        int wanted = (int) Math.min(target.byteSize(), version.size() - offset);
        int done = 0;
        while (done < wanted) {
            int block = FileSpace.block(offset + done, version);
            int bytes = version.bytesInBlock(block);
            int within = (int) (offset + done - (long) block * version.blockBytes());
            int count = Math.min(wanted - done, bytes - within);
            try (BufferArena.Lease buffer = memory.lease(bytes)) {
                blocks.source().read(version, block, buffer.segment());
                MemorySegment.copy(buffer.segment(), within, target, done, count);
            }
            done += count;
        }
        return Math.max(done, 0);
    }
}
