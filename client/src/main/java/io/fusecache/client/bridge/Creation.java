package io.fusecache.client.bridge;

import io.fusecache.filesystem.FileSystem;
import io.fusecache.filesystem.Names;
import io.fusecache.filesystem.Node;
import io.fusecache.filesystem.OpenFile;
import io.fusecache.filesystem.OpenMode;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import org.jspecify.annotations.Nullable;

/**
 * open(2) with O_CREAT of a name that was free when the kernel looked, and may be taken by now.
 *
 * <p>For ESTALE the kernel looks again and opens what it finds like any other file, but once only for each open(2) (path_openat in
 * fs/namei.c): a name that other nodes make and remove all the time may come in between twice. So what is there is opened here.
 * The kernel takes it for newly made and checks nothing (FMODE_CREATED in do_open), hence only for whom it would let open it by owner,
 * group and mode. What else it may go by is not known here: capabilities, further groups of the caller, ACLs, and what a name that leads to
 * no regular file means. For all that it is told ESTALE, and decides.
 */
final class Creation {
    /** How often the name may come and go while this looks. */
    private static final int MOST_TRIES = 100;

    private static final int ACCESS_MODE = 3;
    private static final int READ = 4;
    private static final int WRITE = 2;
    private static final int STICKY = 01000;

    private final FileSystem files;

    Creation(FileSystem files) {
        this.files = files;
    }

    Names.Created open(FuseRequest.Create r, NewInode what) throws ErrnoException {
        FileName name = KernelTypes.name(r.name());
        OpenMode mode = KernelTypes.openMode(r.flags());
        for (int i = 0; i < MOST_TRIES; i++) {
            try {
                return files.create(r.nodeId(), name, what, mode);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.EEXIST || (r.flags() & Posix.O_EXCL) != 0) {
                    throw e;
                }
            }
            Names.Created there = openThere(r, name, mode);
            if (there != null) {
                return there;
            }
        }
        throw new ErrnoException(Errno.ESTALE, "'" + name + "' came and went " + MOST_TRIES + " times");
    }

    /** Null where it is gone again, or leads to something else by now. */
    private Names.@Nullable Created openThere(FuseRequest.Create r, FileName name, OpenMode mode)
            throws ErrnoException {
        Node found;
        Inode directory;
        try {
            found = files.lookup(r.nodeId(), name);
            directory = files.attributes(r.nodeId());
        } catch (ErrnoException e) {
            return nullWhereGone(e);
        }
        if (!mayOpen(found.inode(), directory, r.header().uid(), r.header().gid(), r.flags())) {
            throw new ErrnoException(
                    Errno.ESTALE, "'" + name + "' was made meanwhile: the kernel knows who may open it");
        }
        try {
            if ((r.openFlags() & FuseRequest.Open.KILL_SUIDGID) != 0) {
                files.clearSetId(found.id());
            }
            return opened(found.id(), files.open(found.id(), mode));
        } catch (ErrnoException e) {
            return nullWhereGone(e);
        }
    }

    private static Names.@Nullable Created nullWhereGone(ErrnoException e) throws ErrnoException {
        if (e.errno() == Errno.ENOENT || e.errno() == Errno.ESTALE) {
            return null;
        }
        throw e;
    }

    /** With its attributes as they are once it is open: it may have been truncated. */
    private Names.Created opened(long node, OpenFile file) throws ErrnoException {
        boolean done = false;
        try {
            Names.Created opened = new Names.Created(new Node(node, files.attributes(node)), file);
            done = true;
            return opened;
        } finally {
            if (!done) {
                files.release(node, file.handle());
            }
        }
    }

    /** Whether the kernel would certainly let that caller open it so. */
    static boolean mayOpen(Inode file, Inode directory, int uid, int gid, int flags) {
        if (!file.regular()) {
            return false;
        }
        int access = flags & ACCESS_MODE;
        int wanted = (access == Posix.O_WRONLY ? 0 : READ)
                | (access == Posix.O_RDONLY && (flags & Posix.O_TRUNC) == 0 ? 0 : WRITE);
        int permissions = file.permissions();
        if (file.uid() == uid) {
            return grants(permissions >> 6, wanted);
        }
        // fs.protected_regular may keep others' files in sticky directories from being opened with O_CREAT.
        boolean ownersOnly = (directory.permissions() & STICKY) != 0 || (flags & Posix.O_NOATIME) != 0;
        // By one of its other groups the caller may be of the file's, too.
        return !ownersOnly
                && !file.extended()
                && grants(permissions >> 3, wanted)
                && (file.gid() == gid || grants(permissions, wanted));
    }

    private static boolean grants(int permissions, int wanted) {
        return (permissions & wanted) == wanted;
    }
}
