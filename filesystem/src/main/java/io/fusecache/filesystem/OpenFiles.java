package io.fusecache.filesystem;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The node ids that are open, or being opened, on this node. */
final class OpenFiles {
    private final ConcurrentHashMap<Long, InodeIo> byNodeId = new ConcurrentHashMap<>();
    private final Incarnations incarnations;

    OpenFiles(Incarnations incarnations) {
        this.incarnations = incarnations;
    }

    /** The state of this node id, kept until the matching {@link #done}; every open handle is one use. */
    InodeIo use(long nodeId) {
        return byNodeId.compute(nodeId, (id, io) -> {
            InodeIo used = io == null ? new InodeIo(id) : io;
            used.uses++;
            return used;
        });
    }

    void done(InodeIo io) {
        byNodeId.compute(io.nodeId, (id, same) -> --io.uses == 0 ? null : same);
    }

    @Nullable InodeIo find(long nodeId) {
        return byNodeId.get(nodeId);
    }

    /** EBADF where nothing of this node id is open. */
    InodeIo.Backing backing(long nodeId) throws ErrnoException {
        InodeIo io = byNodeId.get(nodeId);
        InodeIo.Backing backing = io == null ? null : io.backing();
        if (backing == null) {
            throw new ErrnoException(Errno.EBADF, "inode " + NodeIds.ino(nodeId) + " is not open");
        }
        return backing;
    }

    InodeIo io(long nodeId) throws ErrnoException {
        InodeIo io = byNodeId.get(nodeId);
        if (io == null) {
            throw new ErrnoException(Errno.EBADF, "inode " + NodeIds.ino(nodeId) + " is not open");
        }
        return io;
    }

    /** Whether any incarnation of the inode is open. */
    boolean isOpen(long ino) {
        for (long nodeId : incarnations.known(ino)) {
            InodeIo io = byNodeId.get(nodeId);
            if (io != null && io.isOpen()) {
                return true;
            }
        }
        return false;
    }

    /** Whether any incarnation of the inode is open, or being opened. */
    boolean isUsed(long ino) {
        for (long nodeId : incarnations.known(ino)) {
            if (byNodeId.containsKey(nodeId)) {
                return true;
            }
        }
        return false;
    }

    /** Node ids that are open now: a snapshot. */
    Iterable<InodeIo> all() {
        return byNodeId.values();
    }
}
