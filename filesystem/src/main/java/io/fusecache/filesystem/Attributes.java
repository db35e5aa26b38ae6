package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * stat(2) and what changes it. While a file is written here, size, blocks and times are the backing file's, since the kernel
 * writes it without telling us; all else is the inode's.
 *
 * <p>Order matters: first the look at the backing file, then the inode. Were it the other way round, a commit and last close
 * in between would leave the inode of before, with nothing to correct it.
 */
final class Attributes {
    private final Metadata metadata;
    private final OpenFiles table;
    private final Incarnations incarnations;
    private final AccessTimes accessTimes;
    private final Forwarding forwarding;
    private final KernelCache kernel;

    Attributes(
            Metadata metadata,
            OpenFiles table,
            Incarnations incarnations,
            AccessTimes accessTimes,
            Forwarding forwarding,
            KernelCache kernel) {
        this.metadata = metadata;
        this.table = table;
        this.incarnations = incarnations;
        this.accessTimes = accessTimes;
        this.forwarding = forwarding;
        this.kernel = kernel;
    }

    /** What the backing file of a node says now; {@code committed} null while nobody writes it. */
    private record Look(Disk.Stat stat, Disk.@Nullable Stat committed) {}

    Inode of(long nodeId) throws ErrnoException {
        Look look = look(nodeId);
        return merge(nodeId, atHome(nodeId, metadata.inode(NodeIds.ino(nodeId))), look);
    }

    /** As {@link #of} without a question to the coordinator, else null. */
    @Nullable Inode tryOf(long nodeId) throws ErrnoException {
        Look look = look(nodeId);
        Inode inode = metadata.cachedInode(NodeIds.ino(nodeId));
        return inode == null || isForHome(nodeId, inode) ? null : merge(nodeId, inode, look);
    }

    /** Whether another node writes the file and knows its size; to whom has a version of before open, it is of that. */
    private boolean isForHome(long nodeId, Inode inode) {
        if (forwarding.elsewhere(inode.writer()) == null) {
            return false;
        }
        InodeIo io = table.find(nodeId);
        InodeIo.Backing backing = io == null ? null : io.backing();
        return io == null
                || backing == null
                || io.overtaken()
                || (backing.home() != null && backing.home().home.equals(inode.writer()));
    }

    /** The inode as its home sees it now. Where that does not say, as it was committed. */
    private Inode atHome(long nodeId, Inode inode) throws ErrnoException {
        NodeId home = forwarding.elsewhere(inode.writer());
        if (home == null || !isForHome(nodeId, inode)) {
            return inode;
        }
        Disk.Stat now = forwarding.inspect(inode.ino(), home);
        if (now == null) {
            // Committed and closed there since this inode was asked for, it may be.
            return metadata.inode(inode.ino());
        }
        Timestamp changed = now.changed().compareTo(inode.changed()) > 0 ? now.changed() : inode.changed();
        return with(inode, now.size(), now.allocatedBytes(), now.modified(), changed);
    }

    /** The node that a name leads to. */
    Node node(Inode found) throws ErrnoException {
        Node node = tryNode(found);
        if (node != null) {
            return node;
        }
        Look look = look(incarnations.nodeId(found.ino()));
        Inode inode = metadata.inode(found.ino());
        long nodeId = nodeId(inode);
        return new Node(nodeId, merge(nodeId, atHome(nodeId, inode), look));
    }

    @Nullable Node tryNode(Inode found) throws ErrnoException {
        if (!found.regular()) {
            return new Node(found.ino(), accessed(found));
        }
        Look look = look(incarnations.nodeId(found.ino()));
        Inode inode = metadata.cachedInode(found.ino());
        if (inode == null) {
            return null;
        }
        long nodeId = nodeId(inode);
        return isForHome(nodeId, inode) ? null : new Node(nodeId, merge(nodeId, inode, look));
    }

    /** The current node id; where that is open as what the name does not lead to now, the next one. */
    private long nodeId(Inode inode) {
        long nodeId = incarnations.nodeId(inode.ino());
        InodeIo io = table.find(nodeId);
        InodeIo.Backing backing = io == null ? null : io.backing();
        if (io == null || backing == null || io.live() || (!io.overtaken() && isOf(backing, inode))) {
            return nodeId;
        }
        incarnations.supersede(nodeId);
        return incarnations.nodeId(inode.ino());
    }

    private boolean isOf(InodeIo.Backing open, Inode inode) {
        NodeId home = forwarding.elsewhere(inode.writer());
        return open.home() == null
                ? home == null && open.version().version() >= inode.version()
                : open.home().home.equals(home) && !open.home().gone();
    }

    private @Nullable Look look(long nodeId) throws ErrnoException {
        InodeIo io = table.find(nodeId);
        while (io != null && (io.live() || io.watched() != null)) {
            InodeIo.Backing backing = io.backing();
            Disk.Stat committed = io.live() ? io.committedStat() : null;
            CachedFile file = backing == null ? null : backing.file();
            if (backing == null || file == null) {
                return null;
            }
            try {
                Disk.Stat stat = file.file().stat();
                accessTimes.looked(io, stat);
                return new Look(stat, committed);
            } catch (IOException e) {
                if (backing.equals(io.backing())) {
                    throw Failures.of("stat of inode " + io.ino(), e);
                }
                // It was closed under our eyes: what it says now is what counts.
            } catch (IllegalStateException e) {
                // The same, and its pin was given back before we asked.
                if (backing.equals(io.backing())) {
                    throw e;
                }
            }
        }
        return null;
    }

    private Inode merge(long nodeId, Inode inode, @Nullable Look look) {
        Disk.Stat committed = look == null ? null : look.committed();
        if (look == null || committed == null) {
            return ofOlderVersion(nodeId, inode);
        }
        Disk.Stat now = look.stat();
        if (InodeIo.sameContent(committed, now)) {
            // All of it is committed, so times that were set on another node since then are newer than these.
            return with(inode, inode.size(), now.allocatedBytes(), inode.modified(), inode.changed());
        }
        Timestamp changed = now.changed().compareTo(inode.changed()) > 0 ? now.changed() : inode.changed();
        return with(inode, now.size(), now.allocatedBytes(), now.modified(), changed);
    }

    /** Whoever has an older version open goes on seeing its size, while he reads it. */
    private Inode ofOlderVersion(long nodeId, Inode inode) {
        InodeIo io = table.find(nodeId);
        InodeIo.Backing backing = io == null ? null : io.backing();
        if (io == null
                || backing == null
                || io.overtaken()
                || backing.home() != null
                || backing.version().version() >= inode.version()) {
            return accessed(inode);
        }
        FileVersion open = backing.version();
        return with(inode, open.size(), open.size(), inode.modified(), inode.changed());
    }

    private Inode accessed(Inode inode) {
        return accessTimes.of(inode).equals(inode.accessed())
                ? inode
                : with(inode, inode.size(), inode.usedBytes(), inode.modified(), inode.changed());
    }

    private Inode with(Inode inode, long size, long usedBytes, Timestamp modified, Timestamp changed) {
        return new Inode(
                inode.ino(),
                inode.type(),
                inode.permissions(),
                inode.uid(),
                inode.gid(),
                inode.links(),
                size,
                usedBytes,
                inode.deviceNumber(),
                accessTimes.of(inode),
                modified,
                changed,
                inode.born(),
                inode.target(),
                inode.version(),
                inode.writer(),
                inode.extended(),
                inode.kept());
    }

    /** chmod, chown, utimensat. The times of a file that is written here are its backing file's, so those are set too. */
    Inode change(long nodeId, AttributeChange change) throws ErrnoException {
        long ino = NodeIds.ino(nodeId);
        if (change.accessed() != null) {
            accessTimes.forget(ino);
        }
        if ((change.accessed() != null || change.modified() != null) && changedAtHome(ino, change)) {
            return of(nodeId);
        }
        InodeIo io = table.find(nodeId);
        if (io == null || !io.isOpen() || (change.accessed() == null && change.modified() == null)) {
            Inode changed = metadata.setAttributes(ino, change);
            if (io != null && io.turn.tryLock()) {
                watch(io, changed);
            }
            if (changed.type() == FileType.SYMLINK) {
                // Whoever follows it next is to ask here, so that it shows in the access time.
                kernel.contentChanged(nodeId, 0, 0);
            }
            return of(nodeId);
        }
        io.turn.lock();
        try {
            Inode changed = metadata.setAttributes(ino, change);
            InodeIo.Backing backing = io.backing();
            if (backing != null && io.live()) {
                setTimes(io, backing.cached().file(), change);
            }
            if (backing != null) {
                accessTimes.watch(io, changed);
            }
        } catch (IOException e) {
            throw Failures.of("utimens of inode " + ino, e);
        } finally {
            io.turn.unlock();
        }
        return of(nodeId);
    }

    /** The times of a file that is written elsewhere are set there: its next commit would bring back those of its disk. */
    private boolean changedAtHome(long ino, AttributeChange change) throws ErrnoException {
        NodeId home = forwarding.elsewhere(metadata.inode(ino).writer());
        if (home == null || !forwarding.setTimes(ino, home, change.accessed(), change.modified())) {
            return false;
        }
        if (change.permissions() != null || change.uid() != null || change.gid() != null || change.clearSetId()) {
            Inode ignored = metadata.setAttributes(
                    ino,
                    new AttributeChange(
                            change.permissions(), change.uid(), change.gid(), null, null, change.clearSetId()));
        }
        return true;
    }

    /** In turn, which ends here: what is open goes on to be watched under the new times. */
    private void watch(InodeIo io, Inode changed) throws ErrnoException {
        try {
            if (io.isOpen()) {
                accessTimes.watch(io, changed);
            }
        } catch (IOException e) {
            throw Failures.of("utimens of inode " + io.ino(), e);
        } finally {
            io.turn.unlock();
        }
    }

    /** New times alone are no new content: what was committed stays so. The kernel lets no write pass meanwhile. */
    private static void setTimes(InodeIo io, Disk.DiskFile file, AttributeChange change) throws IOException {
        boolean differed = io.differs(file.stat());
        file.setTimes(change.accessed(), change.modified());
        if (change.accessed() != null) {
            io.watch(change.accessed());
        }
        if (!differed) {
            io.writingFrom(file.stat());
        }
    }

    void truncatable(Inode inode) throws ErrnoException {
        if (inode.directory()) {
            throw new ErrnoException(Errno.EISDIR, "truncate of directory " + inode.ino());
        }
        if (!inode.regular()) {
            throw new ErrnoException(Errno.EINVAL, "truncate of inode " + inode.ino() + ", a " + inode.type());
        }
    }
}
