package io.fusecache.filesystem;

import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The tree: what names lead to, and what makes, moves and removes them. Directories are known by inode number here. */
public final class Names {
    private static final int RENAME_NOREPLACE = 1;
    private static final int RENAME_EXCHANGE = 2;
    private static final int RENAME_WHITEOUT = 4;

    /** How often what a name leads to may be removed while it is looked up. */
    private static final int MOST_LOOKUPS = 100;

    private final Metadata metadata;
    private final BucketMirror mirror;
    private final Attributes attributes;
    private final Opens opens;
    private final Releases releases;
    private final Unlinked unlinked;
    private final CloudWorker cloudWorker;
    private final RecentLookups recent;

    Names(
            Metadata metadata,
            BucketMirror mirror,
            Attributes attributes,
            Opens opens,
            Releases releases,
            Unlinked unlinked,
            CloudWorker cloudWorker,
            RecentLookups recent) {
        this.metadata = metadata;
        this.mirror = mirror;
        this.attributes = attributes;
        this.opens = opens;
        this.releases = releases;
        this.unlinked = unlinked;
        this.cloudWorker = cloudWorker;
        this.recent = recent;
    }

    Node lookup(long parent, FileName name) throws ErrnoException {
        refuseReserved(parent, name, Errno.ENOENT);
        for (int i = 0; ; i++) {
            Inode found = noted(find(parent, name));
            try {
                return attributes.node(found);
            } catch (ErrnoException e) {
                // Removed since it was found: what the name leads to by now is what counts.
                if (e.errno() != Errno.ESTALE || i == MOST_LOOKUPS) {
                    throw e;
                }
            }
        }
    }

    private Inode find(long parent, FileName name) throws ErrnoException {
        if (!mirror.isKnown(parent)) {
            mirror.refresh(parent);
        }
        try {
            Inode found = metadata.lookup(parent, name);
            if (!mirror.isFresh(parent)) {
                mirror.refreshLater(parent);
            }
            return found;
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT || mirror.isFresh(parent)) {
                throw e;
            }
            mirror.refresh(parent);
            return metadata.lookup(parent, name);
        }
    }

    /** As {@link #lookup} where nobody need be asked, else null. */
    @Nullable Node tryLookup(long parent, FileName name) throws ErrnoException {
        if (!mirror.isFresh(parent)) {
            return null;
        }
        refuseReserved(parent, name, Errno.ENOENT);
        Inode found = metadata.cachedLookup(parent, name);
        return found == null ? null : attributes.tryNode(noted(found));
    }

    private Inode noted(Inode found) {
        if (found.regular()) {
            recent.add(found.ino());
        }
        return found;
    }

    void refresh(long directory) throws ErrnoException {
        if (!mirror.isFresh(directory)) {
            mirror.refresh(directory);
        }
    }

    int relist(long directory) throws ErrnoException {
        return mirror.relist(directory);
    }

    boolean isFresh(long directory) {
        return mirror.isFresh(directory);
    }

    List<DirectoryEntry> list(long directory, long cookie, int limit) throws ErrnoException {
        if (cookie <= DirectoryStream.DOT_DOT) {
            refresh(directory);
        }
        return metadata.list(directory, cookie, limit);
    }

    Inode parent(long directory) throws ErrnoException {
        return metadata.parent(directory);
    }

    /** Everything but an open regular file: directories, links, devices, and files that nobody opens yet. */
    Node make(long parent, FileName name, NewInode what) throws ErrnoException {
        refuseReserved(parent, name, Errno.EPERM);
        known(parent);
        Inode made = metadata.create(parent, name, what);
        if (made.directory()) {
            mirror.created(made.ino());
            cloudWorker.nudge();
        } else if (made.regular()) {
            OpenFile file = opens.created(made, OpenMode.WRITE);
            close(made, file);
        }
        return attributes.node(made);
    }

    private void close(Inode made, OpenFile file) throws ErrnoException {
        try {
            releases.flush(made.ino(), file.handle());
        } finally {
            releases.release(made.ino(), file.handle());
        }
    }

    Created create(long parent, FileName name, NewInode what, OpenMode mode) throws ErrnoException {
        refuseReserved(parent, name, Errno.EPERM);
        known(parent);
        return opened(metadata.create(parent, name, what), mode);
    }

    Created createUnnamed(long parent, NewInode what, OpenMode mode) throws ErrnoException {
        Inode made = metadata.createUnnamed(parent, what);
        unlinked.addNeverNamed(made);
        return opened(made, mode);
    }

    private Created opened(Inode made, OpenMode mode) throws ErrnoException {
        OpenFile file = opens.created(made, mode);
        return new Created(attributes.node(made), file);
    }

    /** What exists in the bucket exists: before a name is made, its directory was listed once. */
    private void known(long parent) throws ErrnoException {
        if (!mirror.isKnown(parent)) {
            mirror.refresh(parent);
        }
    }

    Node link(long ino, long newParent, FileName newName) throws ErrnoException {
        refuseReserved(newParent, newName, Errno.EPERM);
        known(newParent);
        Inode linked = metadata.link(ino, newParent, newName);
        unlinked.linked(ino);
        return attributes.node(linked);
    }

    void unlink(long parent, FileName name) throws ErrnoException {
        refuseReserved(parent, name, Errno.ENOENT);
        removed(metadata.unlink(parent, name));
    }

    void rmdir(long parent, FileName name) throws ErrnoException {
        refuseReserved(parent, name, Errno.ENOENT);
        removed(metadata.rmdir(parent, name));
    }

    void rename(long parent, FileName name, long newParent, FileName newName, int flags) throws ErrnoException {
        if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) != 0
                || ((flags & RENAME_EXCHANGE) != 0 && flags != RENAME_EXCHANGE)) {
            throw new ErrnoException(Errno.EINVAL, "rename with flags " + flags);
        }
        refuseReserved(parent, name, Errno.ENOENT);
        refuseReserved(newParent, newName, Errno.EPERM);
        known(newParent);
        Optional<Inode> replaced = metadata.rename(parent, name, newParent, newName, flags);
        if (replaced.isPresent()) {
            removed(replaced.get());
        }
        cloudWorker.nudge();
    }

    private void removed(Inode inode) {
        unlinked.add(inode);
        if (inode.ending() && inode.regular()) {
            releases.discard(inode.ino());
        }
        cloudWorker.nudge();
    }

    private static void refuseReserved(long parent, FileName name, Errno errno) throws ErrnoException {
        if (parent == Inode.ROOT && name.equals(RESERVED)) {
            throw new ErrnoException(
                    errno, "'" + BucketMirror.RESERVED + "' is kept for fuse-cache in the root of the volume");
        }
    }

    private static final FileName RESERVED = reserved();

    private static FileName reserved() {
        try {
            return FileName.of(BucketMirror.RESERVED);
        } catch (ErrnoException e) {
            throw new AssertionError(e);
        }
    }

    /** A file that was made and opened. */
    public record Created(Node node, OpenFile file) {}
}
