package io.fusecache.filesystem;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The node ids that are open, or being opened, on this node. */
final class OpenFiles {
    private final ConcurrentHashMap<Long, InodeIo> byNodeId = new ConcurrentHashMap<>();

    /** Those of them that are not of the first incarnation, by inode. */
    private final ConcurrentHashMap<Long, Set<Long>> later = new ConcurrentHashMap<>();

    /** The state of this node id, kept until the matching {@link #done}; every open handle is one use. */
    InodeIo use(long nodeId) {
        return byNodeId.compute(nodeId, (id, io) -> {
            InodeIo used = io == null ? begun(id) : io;
            used.uses++;
            return used;
        });
    }

    void done(InodeIo io) {
        byNodeId.compute(io.nodeId, (id, same) -> --io.uses == 0 ? ended(io) : same);
    }

    private InodeIo begun(long nodeId) {
        if (NodeIds.incarnation(nodeId) != 0) {
            later.compute(NodeIds.ino(nodeId), (ino, ids) -> {
                Set<Long> more = new HashSet<>(ids == null ? Set.of() : ids);
                more.add(nodeId);
                return Set.copyOf(more);
            });
        }
        return new InodeIo(nodeId);
    }

    private @Nullable InodeIo ended(InodeIo io) {
        if (NodeIds.incarnation(io.nodeId) != 0) {
            later.computeIfPresent(io.ino(), (ino, ids) -> {
                Set<Long> left = new HashSet<>(ids);
                left.remove(io.nodeId);
                return left.isEmpty() ? null : Set.copyOf(left);
            });
        }
        return null;
    }

    /** All node ids of the inode that are open, or being opened, whichever its name leads to now. */
    Set<Long> used(long ino) {
        Set<Long> ids = later.getOrDefault(ino, Set.of());
        if (!byNodeId.containsKey(ino)) {
            return ids;
        }
        if (ids.isEmpty()) {
            return Set.of(ino);
        }
        Set<Long> all = new HashSet<>(ids);
        all.add(ino);
        return all;
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
        for (long nodeId : used(ino)) {
            InodeIo io = byNodeId.get(nodeId);
            if (io != null && io.isOpen()) {
                return true;
            }
        }
        return false;
    }

    /** Whether any incarnation of the inode is open, or being opened. */
    boolean isUsed(long ino) {
        return !used(ino).isEmpty();
    }

    /** Node ids that are open now: a snapshot. */
    Iterable<InodeIo> all() {
        return byNodeId.values();
    }
}
