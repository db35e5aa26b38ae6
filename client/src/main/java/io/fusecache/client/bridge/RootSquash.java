package io.fusecache.client.bridge;

import io.fusecache.filesystem.FileSystem;
import io.fusecache.fuse.session.Capabilities;
import io.fusecache.fuse.session.FuseHandler;
import io.fusecache.fuse.session.Reply;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.Bytes;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.RequestHeader;
import io.fusecache.metadata.AccessControlList;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * Takes root for nobody ({@value #NOBODY}): what root asks for is checked here, because the kernel lets root do everything, and
 * what root makes belongs to nobody. In front of the bridge; requests of others, and those of the kernel about what is open
 * already, go straight through.
 *
 * <p>Names are valid for no time at all in the kernel then, so that each step of root's way comes here; attributes of what
 * root has found stay visible to it, as stat(2) of a file needs no right on the file.
 */
public final class RootSquash implements FuseHandler {
    private static final int NOBODY = 65534;
    private static final int READ = 4;
    private static final int WRITE = 2;
    private static final int EXECUTE = 1;
    private static final int STICKY = 01000;
    private static final int SET_GROUP_ID = 02000;
    private static final int GROUP_EXECUTE = 010;

    /** Of the kernel's own, in the flags of an open for execve(2). */
    private static final int FOR_EXECUTION = 0x20;

    private static final int ACCESS_MODE = 3;

    private final KernelBridge bridge;
    private final FileSystem files;
    private final Answering answering;

    public RootSquash(KernelBridge bridge, FileSystem files, ExecutorService executor) {
        this.bridge = bridge;
        this.files = files;
        this.answering = new Answering(executor);
    }

    @Override
    public void init(Capabilities negotiated) {
        bridge.init(negotiated);
    }

    @Override
    public void handle(FuseRequest request, Reply reply) {
        if (request.header().uid() != 0 || !checked(request)) {
            bridge.handle(request, reply);
            return;
        }
        answering.later(request, reply, () -> {
            check(request);
            bridge.handle(squashed(withoutOthersGroup(request)), reply);
        });
    }

    private static boolean checked(FuseRequest request) {
        return request instanceof FuseRequest.Lookup
                || request instanceof FuseRequest.Setattr
                || request instanceof FuseRequest.Open
                || request instanceof FuseRequest.Opendir
                || request instanceof FuseRequest.Getxattr
                || request instanceof FuseRequest.Listxattr
                || request instanceof FuseRequest.Setxattr
                || request instanceof FuseRequest.Removexattr
                || request instanceof FuseRequest.Access
                || changesNames(request);
    }

    private static boolean changesNames(FuseRequest request) {
        return request instanceof FuseRequest.Symlink
                || request instanceof FuseRequest.Mknod
                || request instanceof FuseRequest.Mkdir
                || request instanceof FuseRequest.Create
                || request instanceof FuseRequest.Tmpfile
                || request instanceof FuseRequest.Link
                || request instanceof FuseRequest.Unlink
                || request instanceof FuseRequest.Rmdir
                || request instanceof FuseRequest.Rename;
    }

    private void check(FuseRequest request) throws ErrnoException {
        if (changesNames(request)) {
            require(request.nodeId(), WRITE | EXECUTE);
        }
        if (request instanceof FuseRequest.Lookup) {
            require(request.nodeId(), EXECUTE);
        } else if (request instanceof FuseRequest.Opendir) {
            require(request.nodeId(), READ);
        } else if (request instanceof FuseRequest.Access access) {
            require(request.nodeId(), access.mask() & 7);
        } else if (request instanceof FuseRequest.Open open) {
            open(open);
        } else if (request instanceof FuseRequest.Setattr setattr) {
            setattr(setattr);
        } else if (request instanceof FuseRequest.Getxattr r) {
            attribute(r.nodeId(), r.name(), READ);
        } else if (request instanceof FuseRequest.Setxattr r) {
            attribute(r.nodeId(), r.name(), WRITE);
        } else if (request instanceof FuseRequest.Removexattr r) {
            attribute(r.nodeId(), r.name(), WRITE);
        } else if (request instanceof FuseRequest.Mknod mknod) {
            FileType type = FileType.ofMode(mknod.mode());
            if (type == FileType.BLOCK_DEVICE || type == FileType.CHARACTER_DEVICE) {
                throw refused(Errno.EPERM, "makes no devices", mknod.nodeId());
            }
        } else if (request instanceof FuseRequest.Unlink unlink) {
            sticky(unlink.nodeId(), KernelTypes.name(unlink.name()));
        } else if (request instanceof FuseRequest.Rmdir rmdir) {
            sticky(rmdir.nodeId(), KernelTypes.name(rmdir.name()));
        } else if (request instanceof FuseRequest.Rename rename) {
            rename(rename);
        }
    }

    // one by one

    private void open(FuseRequest.Open r) throws ErrnoException {
        int access = r.flags() & ACCESS_MODE;
        int wanted = (access == Posix.O_WRONLY ? 0 : READ)
                | (access == Posix.O_RDONLY && (r.flags() & Posix.O_TRUNC) == 0 ? 0 : WRITE);
        require(r.nodeId(), (r.flags() & FOR_EXECUTION) != 0 ? EXECUTE : wanted);
        if ((wanted & WRITE) != 0) {
            // The kernel takes root for one who may keep them.
            files.clearSetId(r.nodeId());
        }
    }

    private void setattr(FuseRequest.Setattr r) throws ErrnoException {
        Inode inode = files.attributes(r.nodeId());
        boolean owner = inode.uid() == NOBODY;
        boolean chown = (r.sets(FuseRequest.Setattr.UID) && r.uid() != inode.uid())
                || (r.sets(FuseRequest.Setattr.GID) && r.gid() != inode.gid());
        boolean givenTimes = (r.sets(FuseRequest.Setattr.ATIME) && !r.sets(FuseRequest.Setattr.ATIME_NOW))
                || (r.sets(FuseRequest.Setattr.MTIME) && !r.sets(FuseRequest.Setattr.MTIME_NOW));
        boolean mode = r.sets(FuseRequest.Setattr.MODE);
        boolean ofOpenFile = r.sets(FuseRequest.Setattr.HANDLE);
        if (chown || (!owner && (mode || (givenTimes && !ofOpenFile)))) {
            throw refused(Errno.EPERM, "is not its owner", r.nodeId());
        }
        boolean now = r.sets(FuseRequest.Setattr.ATIME_NOW) || r.sets(FuseRequest.Setattr.MTIME_NOW);
        if (!ofOpenFile && (r.sets(FuseRequest.Setattr.SIZE) || (now && !owner))) {
            require(inode, r.nodeId(), WRITE);
        }
    }

    private void attribute(long nodeId, Bytes name, int wanted) throws ErrnoException {
        FileName attribute = FileName.ofAttribute(name.toByteArray());
        String text = attribute.toString();
        if (text.startsWith("user.")) {
            require(nodeId, wanted);
            Inode inode = files.attributes(nodeId);
            if (wanted == WRITE && inode.directory() && (inode.permissions() & STICKY) != 0 && inode.uid() != NOBODY) {
                throw refused(Errno.EPERM, "is not its owner", nodeId);
            }
        } else if (text.startsWith("trusted.")) {
            throw refused(wanted == READ ? Errno.ENODATA : Errno.EPERM, "has no trusted attributes", nodeId);
        } else if (wanted == WRITE && text.startsWith("security.")) {
            // Capabilities of a file are those of whoever runs it.
            throw refused(Errno.EPERM, "sets no security attributes", nodeId);
        } else if (wanted == WRITE && files.attributes(nodeId).uid() != NOBODY) {
            throw refused(Errno.EPERM, "is not its owner", nodeId);
        }
    }

    private void rename(FuseRequest.Rename r) throws ErrnoException {
        require(r.newParent(), WRITE | EXECUTE);
        Inode moved = sticky(r.nodeId(), KernelTypes.name(r.name()));
        Inode other = sticky(r.newParent(), KernelTypes.name(r.newName()));
        if (r.nodeId() != r.newParent()) {
            boolean exchanged = (r.flags() & FuseRequest.Rename.EXCHANGE) != 0;
            ownParent(moved);
            ownParent(exchanged ? other : null);
        }
        if ((r.flags() & FuseRequest.Rename.WHITEOUT) != 0) {
            throw refused(Errno.EPERM, "makes no devices", r.nodeId());
        }
    }

    /** A directory that gets another parent is written itself: its "..". */
    private void ownParent(@Nullable Inode moved) throws ErrnoException {
        if (moved != null && moved.directory()) {
            require(moved, moved.ino(), WRITE);
        }
    }

    /** In a sticky directory only an owner takes a name away. Returns what the name leads to, if anything. */
    private @Nullable Inode sticky(long parent, FileName name) throws ErrnoException {
        Inode child;
        try {
            child = files.lookup(parent, name).inode();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return null;
            }
            throw e;
        }
        Inode directory = files.attributes(parent);
        boolean sticky = (directory.permissions() & STICKY) != 0;
        if (sticky && child.uid() != NOBODY && directory.uid() != NOBODY) {
            throw refused(Errno.EPERM, "is not the owner of '" + name + "'", parent);
        }
        return child;
    }

    // rights

    private void require(long nodeId, int wanted) throws ErrnoException {
        require(files.attributes(nodeId), nodeId, wanted);
    }

    private void require(Inode inode, long nodeId, int wanted) throws ErrnoException {
        if ((allowed(inode, nodeId) & wanted) != wanted) {
            throw refused(Errno.EACCES, "may not do that", nodeId);
        }
    }

    private int allowed(Inode inode, long nodeId) throws ErrnoException {
        int permissions = inode.permissions();
        if (inode.uid() == NOBODY) {
            return permissions >> 6 & 7;
        }
        if (inode.extended()) {
            try {
                AccessControlList list =
                        AccessControlList.parse(files.extendedAttribute(nodeId, AccessControlList.ACCESS));
                if (list != null) {
                    return list.allows(NOBODY, NOBODY, inode.gid());
                }
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENODATA) {
                    throw e;
                }
            }
        }
        return inode.gid() == NOBODY ? permissions >> 3 & 7 : permissions & 7;
    }

    private static ErrnoException refused(Errno errno, String why, long nodeId) {
        return new ErrnoException(errno, "root is nobody here, and nobody " + why + ": node " + nodeId);
    }

    /** Who is no member of a file's group does not make it run with that: the kernel takes the bit away from all but root. */
    private FuseRequest withoutOthersGroup(FuseRequest request) throws ErrnoException {
        if (request instanceof FuseRequest.Setattr r
                && r.sets(FuseRequest.Setattr.MODE)
                && (r.mode() & SET_GROUP_ID) != 0
                && files.attributes(r.nodeId()).gid() != NOBODY) {
            return new FuseRequest.Setattr(
                    r.header(),
                    r.valid(),
                    r.fh(),
                    r.size(),
                    r.lockOwner(),
                    r.atimeSeconds(),
                    r.atimeNanos(),
                    r.mtimeSeconds(),
                    r.mtimeNanos(),
                    r.ctimeSeconds(),
                    r.ctimeNanos(),
                    r.mode() & ~SET_GROUP_ID,
                    r.uid(),
                    r.gid());
        }
        // What is made in a set-group-id directory has that directory's group.
        if (request instanceof FuseRequest.Mknod r && lendsGroup(r.mode(), r.nodeId())) {
            return new FuseRequest.Mknod(r.header(), r.name(), r.mode() & ~SET_GROUP_ID, r.rdev(), r.umask());
        }
        if (request instanceof FuseRequest.Create r && lendsGroup(r.mode(), r.nodeId())) {
            return new FuseRequest.Create(
                    r.header(), r.name(), r.flags(), r.mode() & ~SET_GROUP_ID, r.umask(), r.openFlags());
        }
        if (request instanceof FuseRequest.Tmpfile r && lendsGroup(r.mode(), r.nodeId())) {
            return new FuseRequest.Tmpfile(r.header(), r.flags(), r.mode() & ~SET_GROUP_ID, r.umask(), r.openFlags());
        }
        return request;
    }

    private boolean lendsGroup(int mode, long directory) throws ErrnoException {
        if ((mode & SET_GROUP_ID) == 0 || (mode & GROUP_EXECUTE) == 0) {
            return false;
        }
        Inode in = files.attributes(directory);
        return (in.permissions() & SET_GROUP_ID) != 0 && in.gid() != NOBODY;
    }

    private static FuseRequest squashed(FuseRequest request) {
        RequestHeader from = request.header();
        RequestHeader nobody =
                new RequestHeader(from.unique(), from.nodeId(), NOBODY, NOBODY, from.pid(), from.extensions());
        if (request instanceof FuseRequest.Symlink r) {
            return new FuseRequest.Symlink(nobody, r.name(), r.target());
        }
        if (request instanceof FuseRequest.Mknod r) {
            return new FuseRequest.Mknod(nobody, r.name(), r.mode(), r.rdev(), r.umask());
        }
        if (request instanceof FuseRequest.Mkdir r) {
            return new FuseRequest.Mkdir(nobody, r.name(), r.mode(), r.umask());
        }
        if (request instanceof FuseRequest.Create r) {
            return new FuseRequest.Create(nobody, r.name(), r.flags(), r.mode(), r.umask(), r.openFlags());
        }
        if (request instanceof FuseRequest.Listxattr r) {
            return new FuseRequest.Listxattr(nobody, r.size());
        }
        if (request instanceof FuseRequest.Tmpfile r) {
            return new FuseRequest.Tmpfile(nobody, r.flags(), r.mode(), r.umask(), r.openFlags());
        }
        return request;
    }
}
