package io.fusecache.filesystem;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeId;
import java.time.Duration;

/** Opening a file where another node has it open for writing. All methods are called in turn for the inode. */
final class OpensAtHome {
    /** A home that says it is none is about to close the file, or to open it: the coordinator hears of it soon. */
    private static final Duration HANDOVER = Duration.ofMillis(50);

    private final Metadata metadata;
    private final Incarnations incarnations;
    private final Forwarding forwarding;
    private final Duration patience;

    /** @param patience how long a node that has the lease may go on saying that it does not have the file open */
    OpensAtHome(Metadata metadata, Incarnations incarnations, Forwarding forwarding, Duration patience) {
        this.metadata = metadata;
        this.incarnations = incarnations;
        this.forwarding = forwarding;
        this.patience = patience;
    }

    /** For reading, where another node has it open for writing. False where none has. */
    boolean forReading(InodeIo io) throws ErrnoException {
        NodeId home = forwarding.elsewhere(metadata.inode(io.ino()).writer());
        long deadline = System.nanoTime() + patience.toNanos();
        while (home != null && !at(home, io, false)) {
            home = metadata.awaitWriter(io.ino(), HANDOVER).orElse(null);
            if (System.nanoTime() - deadline > 0) {
                // Whatever it has the lease for, nobody writes there.
                return false;
            }
        }
        return home != null;
    }

    /** For writing, at that node. False where it does not have it open for writing any more. */
    boolean forWriting(InodeIo io, NodeId home) throws ErrnoException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!at(home, io, true)) {
            if (!metadata.awaitWriter(io.ino(), HANDOVER).filter(home::equals).isPresent()) {
                return false;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new ErrnoException(
                        Errno.EBUSY, "node " + home + " keeps inode " + io.ino() + ", and does not have it open");
            }
        }
        return true;
    }

    private boolean at(NodeId home, InodeIo io, boolean write) throws ErrnoException {
        FileAtHome open = io.home();
        if (io.isOpen()) {
            if (open == null || open.gone() || !open.home.equals(home) || !reached(open, write)) {
                throw superseded(io, "is written on node " + home + " now");
            }
            return true;
        }
        refuseOldIncarnation(io);
        FileVersion version = metadata.content(io.ino());
        FileAtHome fresh = new FileAtHome(io.ino(), home);
        if (!reached(fresh, write)) {
            return false;
        }
        io.attach(InodeIo.Backing.forwarded(version, fresh));
        return true;
    }

    private boolean reached(FileAtHome file, boolean write) throws ErrnoException {
        try {
            return forwarding.open(file, write);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EIO && metadata.connected()) {
                throw new ErrnoException(Errno.EBUSY, e.reason(), e);
            }
            throw e;
        }
    }

    /** What the kernel has open stays as it is: this open has to come by another node id. */
    ErrnoException superseded(InodeIo io, String why) {
        incarnations.supersede(io.nodeId);
        return new ErrnoException(Errno.ESTALE, "inode " + io.ino() + " " + why + ": look it up again");
    }

    void refuseOldIncarnation(InodeIo io) throws ErrnoException {
        if (!incarnations.isCurrent(io.nodeId)) {
            throw new ErrnoException(
                    Errno.ESTALE, "inode " + io.ino() + " goes by another node id now: look it up again");
        }
    }
}
