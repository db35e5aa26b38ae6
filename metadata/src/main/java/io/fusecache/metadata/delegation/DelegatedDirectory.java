package io.fusecache.metadata.delegation;

import io.fusecache.metadata.Draft;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Timestamp;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** A directory of a {@link DelegatedTree}, with all its names, and the files that had their last name in it. */
final class DelegatedDirectory {
    Inode inode;
    long parent;
    final Map<FileName, Long> names = new HashMap<>();
    final Set<Long> orphans = new HashSet<>();

    DelegatedDirectory(Inode inode, long parent) {
        this.inode = inode;
        this.parent = parent;
    }

    long entry(FileName name) throws ErrnoException {
        Long ino = names.get(name);
        if (ino == null) {
            throw new ErrnoException(Errno.ENOENT, "no '" + name + "' in directory " + inode.ino());
        }
        return ino;
    }

    void checkLives() throws ErrnoException {
        if (inode.links() == 0) {
            throw new ErrnoException(Errno.ENOENT, "directory " + inode.ino() + " was removed");
        }
    }

    void checkEmpty(FileName own) throws ErrnoException {
        if (!names.isEmpty()) {
            throw new ErrnoException(Errno.ENOTEMPTY, "'" + own + "' has " + names.size() + " entries");
        }
    }

    void stamp(int moreLinks, Timestamp now) {
        inode = new Draft(inode).moreLinks(moreLinks).modified(now).changed(now).inode();
    }

    Inode removed(Timestamp now) {
        inode = new Draft(inode).links(0).changed(now).inode();
        return inode;
    }
}
