package io.fusecache.client.bridge;

import io.fusecache.filesystem.FileSystem;
import io.fusecache.filesystem.Names;
import io.fusecache.filesystem.Node;
import io.fusecache.filesystem.OpenFile;
import io.fusecache.filesystem.OpenMode;
import io.fusecache.fuse.session.Capabilities;
import io.fusecache.fuse.session.FuseHandler;
import io.fusecache.fuse.session.Reply;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.Bytes;
import io.fusecache.fuse.wire.DirectoryBuffer;
import io.fusecache.fuse.wire.EntryReply;
import io.fusecache.fuse.wire.FileName;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.OpenReply;
import io.fusecache.fuse.wire.StatfsReply;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/** The kernel's requests as calls of the file system: one case per operation, none forgotten. */
public final class KernelBridge implements FuseHandler {
    private static final int STATFS_BLOCK = 4096;
    private static final long UNLIMITED_INODES = 1L << 40;

    private final FileSystem files;
    private final Validity validity;
    private final KernelTypes types;
    private final DirectoryListing listing;
    private final Creation creation;
    private final Answering answering;
    private final KernelLocks locks;

    public KernelBridge(
            FileSystem files,
            Metadata metadata,
            SessionPort port,
            Duration nameValidity,
            InstantSource clock,
            ExecutorService executor) {
        this.files = files;
        this.validity = new Validity(metadata, port, nameValidity);
        this.types = new KernelTypes(validity, clock);
        this.listing = new DirectoryListing(files, metadata, types, validity);
        this.creation = new Creation(files);
        this.answering = new Answering(executor);
        this.locks = new KernelLocks(metadata.locks(), answering, executor);
    }

    @Override
    public void init(Capabilities negotiated) {
        validity.negotiated(negotiated.epochs());
    }

    @Override
    public void handle(FuseRequest request, Reply reply) {
        switch (request) {
            case FuseRequest.Lookup r -> lookup(r, reply);
            case FuseRequest.Forget r -> files.forget(r.nodeId());
            case FuseRequest.BatchForget r -> r.nodes().forEach(node -> files.forget(node.nodeId()));
            case FuseRequest.Getattr r -> getattr(r, reply);
            case FuseRequest.Statx r -> answering.later(r, reply, () -> statx(r, reply));
            case FuseRequest.Setattr r -> answering.later(r, reply, () -> setattr(r, reply));
            case FuseRequest.Readlink r ->
                answering.later(r, reply, () -> reply.link(Bytes.of(files.readLink(r.nodeId()))));
            case FuseRequest.Symlink r ->
                answering.later(
                        r,
                        reply,
                        () -> make(
                                r,
                                r.name(),
                                newInode(
                                        r,
                                        FileType.SYMLINK,
                                        0777,
                                        0,
                                        0,
                                        r.target().toByteArray()),
                                reply));
            case FuseRequest.Mknod r -> answering.later(r, reply, () -> mknod(r, reply));
            case FuseRequest.Mkdir r ->
                answering.later(
                        r,
                        reply,
                        () -> make(r, r.name(), newInode(r, FileType.DIRECTORY, r.mode(), r.umask(), 0, null), reply));
            case FuseRequest.Unlink r -> answering.later(r, reply, () -> unlink(r, reply));
            case FuseRequest.Rmdir r -> answering.later(r, reply, () -> rmdir(r, reply));
            case FuseRequest.Rename r -> answering.later(r, reply, () -> rename(r, reply));
            case FuseRequest.Link r -> answering.later(r, reply, () -> link(r, reply));
            case FuseRequest.Open r -> open(r, reply);
            case FuseRequest.Create r -> answering.later(r, reply, () -> create(r, reply));
            case FuseRequest.Tmpfile r -> answering.later(r, reply, () -> tmpfile(r, reply));
            case FuseRequest.Read r -> answering.later(r, reply, () -> read(r, reply));
            case FuseRequest.Write r -> answering.later(r, reply, () -> write(r, reply));
            case FuseRequest.Flush r -> flush(r, reply);
            case FuseRequest.Fsync r -> answering.later(r, reply, () -> fsync(r, reply));
            case FuseRequest.Release r -> release(r, reply);
            case FuseRequest.Fallocate r -> answering.later(r, reply, () -> fallocate(r, reply));
            case FuseRequest.Lseek r ->
                answering.later(r, reply, () -> reply.offset(files.seek(r.nodeId(), r.offset(), r.whence())));
            case FuseRequest.CopyFileRange r -> answering.later(r, reply, () -> copy(r, reply));
            case FuseRequest.Opendir r -> opendir(r, reply);
            case FuseRequest.Readdir r -> answering.later(r, reply, () -> readdir(r, reply));
            case FuseRequest.Releasedir r -> reply.ok();
            case FuseRequest.Fsyncdir r -> answering.later(r, reply, () -> listing.sync(reply));
            case FuseRequest.Statfs r -> answering.later(r, reply, () -> statfs(reply));
            case FuseRequest.Syncfs r -> answering.later(r, reply, () -> sync(reply));
            case FuseRequest.Getxattr r -> getxattr(r, reply);
            case FuseRequest.Listxattr r -> answering.later(r, reply, () -> listxattr(r, reply));
            case FuseRequest.Setxattr r -> answering.later(r, reply, () -> setxattr(r, reply));
            case FuseRequest.Removexattr r -> answering.later(r, reply, () -> removexattr(r, reply));
            case FuseRequest.Access r -> reply.ok();
            case FuseRequest.Ioctl r -> reply.error(io.fusecache.fuse.wire.Errno.ENOTTY);
            case FuseRequest.Getlk r -> answering.later(r, reply, () -> locks.find(r, reply));
            case FuseRequest.Setlk r -> locks.set(r, r.fh(), r.owner(), r.lock(), r.lockFlags(), reply);
            case FuseRequest.Setlkw r -> locks.set(r, r.fh(), r.owner(), r.lock(), r.lockFlags(), reply);
            case FuseRequest.Bmap r -> unsupported(reply);
            case FuseRequest.Poll r -> unsupported(reply);
            case FuseRequest.Setupmapping r -> unsupported(reply);
            case FuseRequest.Removemapping r -> unsupported(reply);
            case FuseRequest.Init _, FuseRequest.Interrupt _, FuseRequest.NotifyReply _ -> unsupported(reply);
            case FuseRequest.Destroy _, FuseRequest.Unknown _ -> unsupported(reply);
        }
    }

    /** Taken by the kernel or not: there is nothing more to do. */
    @SuppressWarnings("unused")
    private static boolean answered(boolean taken) {
        return true;
    }

    private static void unsupported(Reply reply) {
        reply.error(Errno.ENOSYS.number());
    }

    // names

    private void lookup(FuseRequest.Lookup r, Reply reply) {
        if (r.name().equals(FileName.DOT) || r.name().equals(FileName.DOT_DOT)) {
            answering.later(r, reply, () -> lookupDots(r, reply));
            return;
        }
        answering.answer(r, reply, () -> lookedUp(r, reply, true), () -> lookedUp(r, reply, false));
    }

    /** By NFS export and open_by_handle_at(2), for a node that the kernel has not: without a name, it is open nowhere here. */
    private void lookupDots(FuseRequest.Lookup r, Reply reply) throws ErrnoException {
        long asked = validity.asked(false);
        boolean self = r.name().equals(FileName.DOT);
        Inode inode = self ? files.attributes(r.nodeId()) : files.parent(r.nodeId());
        if (inode.links() == 0) {
            throw new ErrnoException(Errno.ENOENT, "inode " + inode.ino() + " has no name any more");
        }
        reply.entry(types.unnamed(new Node(self ? r.nodeId() : inode.ino(), inode), asked));
    }

    private boolean lookedUp(FuseRequest.Lookup r, Reply reply, boolean atOnce) throws ErrnoException {
        long asked = validity.asked(atOnce);
        try {
            io.fusecache.metadata.FileName name = KernelTypes.name(r.name());
            Node node = atOnce ? files.tryLookup(r.nodeId(), name) : files.lookup(r.nodeId(), name);
            if (node == null) {
                return false;
            }
            reply.entry(types.entry(r.nodeId(), r.name(), node, asked));
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
            reply.entry(types.absent(r.nodeId(), r.name(), asked));
        }
        return true;
    }

    private void make(FuseRequest r, FileName name, NewInode inode, Reply reply) throws ErrnoException {
        long asked = validity.asked(false);
        reply.entry(types.entry(r.nodeId(), name, files.make(r.nodeId(), KernelTypes.name(name), inode), asked));
    }

    /** The kernel leaves the umask to us (DONT_MASK): a default ACL comes in its place. */
    private static NewInode newInode(
            FuseRequest r, FileType type, int mode, int umask, long device, byte @Nullable [] target) {
        return new NewInode(
                type,
                KernelTypes.permissions(mode),
                r.header().uid(),
                r.header().gid(),
                device,
                target,
                false,
                umask & 0777);
    }

    private void mknod(FuseRequest.Mknod r, Reply reply) throws ErrnoException {
        long device = Integer.toUnsignedLong(r.rdev());
        make(r, r.name(), newInode(r, FileType.ofMode(r.mode()), r.mode(), r.umask(), device, null), reply);
    }

    private void unlink(FuseRequest.Unlink r, Reply reply) throws ErrnoException {
        files.unlink(r.nodeId(), KernelTypes.name(r.name()));
        validity.removed(r.nodeId(), r.name());
        reply.ok();
    }

    private void rmdir(FuseRequest.Rmdir r, Reply reply) throws ErrnoException {
        files.rmdir(r.nodeId(), KernelTypes.name(r.name()));
        validity.removed(r.nodeId(), r.name());
        reply.ok();
    }

    private void rename(FuseRequest.Rename r, Reply reply) throws ErrnoException {
        io.fusecache.metadata.FileName name = KernelTypes.name(r.name());
        io.fusecache.metadata.FileName newName = KernelTypes.name(r.newName());
        validity.renaming(r, () -> files.rename(r.nodeId(), name, r.newParent(), newName, r.flags()));
        reply.ok();
    }

    private void link(FuseRequest.Link r, Reply reply) throws ErrnoException {
        long asked = validity.asked(false);
        Node linked = files.link(r.oldNodeId(), r.nodeId(), KernelTypes.name(r.newName()));
        reply.entry(types.entry(r.nodeId(), r.newName(), linked, asked));
    }

    // attributes

    private void getattr(FuseRequest.Getattr r, Reply reply) {
        answering.answer(
                r,
                reply,
                () -> {
                    long asked = validity.asked(true);
                    Inode inode = files.tryAttributes(r.nodeId());
                    return inode != null && answered(reply.attributes(types.attributesReply(inode, asked)));
                },
                () -> {
                    long asked = validity.asked(false);
                    reply.attributes(types.attributesReply(files.attributes(r.nodeId()), asked));
                });
    }

    private void statx(FuseRequest.Statx r, Reply reply) throws ErrnoException {
        long asked = validity.asked(false);
        reply.statx(types.statx(files.attributes(r.nodeId()), asked));
    }

    private void setattr(FuseRequest.Setattr r, Reply reply) throws ErrnoException {
        long asked = validity.asked(false);
        if (r.setsNothing() && files.attributes(r.nodeId()).regular()) {
            // All that HANDLE_KILLPRIV_V2 leaves of set-id bits that go before a write which passes through, or by a
            // chown.
            files.clearSetId(r.nodeId());
        }
        Long size = r.sets(FuseRequest.Setattr.SIZE) ? Long.valueOf(r.size()) : null;
        reply.attributes(types.attributesReply(files.change(r.nodeId(), types.change(r), size), asked));
    }

    private void getxattr(FuseRequest.Getxattr r, Reply reply) {
        answering.answer(
                r,
                reply,
                () -> {
                    files.tryExtendedAttribute(r.nodeId(), attributeName(r.name()));
                    return false;
                },
                () -> value(reply, files.extendedAttribute(r.nodeId(), attributeName(r.name())), r.size()));
    }

    private void listxattr(FuseRequest.Listxattr r, Reply reply) throws ErrnoException {
        ByteArrayOutputStream names = new ByteArrayOutputStream();
        for (io.fusecache.metadata.FileName name : files.extendedAttributes(r.nodeId())) {
            // The kernel leaves it to the file system to keep them from whoever may not read them.
            if (r.header().uid() == 0 || !name.toString().startsWith("trusted.")) {
                names.writeBytes(name.toBytes());
                names.write(0);
            }
        }
        value(reply, names.toByteArray(), r.size());
    }

    private static void value(Reply reply, byte[] value, int room) throws ErrnoException {
        if (room == 0) {
            reply.xattrSize(value.length);
        } else if (value.length > room) {
            throw new ErrnoException(Errno.ERANGE, value.length + " bytes where there is room for " + room);
        } else {
            reply.data(MemorySegment.ofArray(value));
        }
    }

    private void setxattr(FuseRequest.Setxattr r, Reply reply) throws ErrnoException {
        boolean clear = (r.setxattrFlags() & FuseRequest.Setxattr.ACL_KILL_SGID) != 0;
        files.setExtendedAttribute(
                r.nodeId(),
                attributeName(r.name()),
                r.value().toByteArray(),
                r.flags() | (clear ? Metadata.CLEAR_SET_GROUP_ID : 0));
        reply.ok();
    }

    private void removexattr(FuseRequest.Removexattr r, Reply reply) throws ErrnoException {
        files.removeExtendedAttribute(r.nodeId(), attributeName(r.name()));
        reply.ok();
    }

    private static io.fusecache.metadata.FileName attributeName(Bytes name) throws ErrnoException {
        return io.fusecache.metadata.FileName.ofAttribute(name.toByteArray());
    }

    // content

    private void open(FuseRequest.Open r, Reply reply) {
        OpenMode mode = KernelTypes.openMode(r.flags());
        answering.answer(
                r,
                reply,
                () -> {
                    OpenFile file = files.tryOpen(r.nodeId(), mode);
                    return file != null && opened(r, r.flags(), file, reply);
                },
                () -> {
                    if ((r.openFlags() & FuseRequest.Open.KILL_SUIDGID) != 0) {
                        files.clearSetId(r.nodeId());
                    }
                    opened(r, r.flags(), files.open(r.nodeId(), mode), reply);
                });
    }

    /** Where the kernel did not take the answer, no release will come for it. */
    private boolean opened(FuseRequest r, int flags, OpenFile file, Reply reply) throws ErrnoException {
        if (!reply.opened(types.opened(file, flags))) {
            files.release(r.nodeId(), file.handle());
        }
        return true;
    }

    private void create(FuseRequest.Create r, Reply reply) throws ErrnoException {
        NewInode inode = newInode(r, FileType.REGULAR, r.mode(), r.umask(), 0, null);
        long asked = validity.asked(false);
        Names.Created made = creation.open(r, inode);
        created(made, types.entry(r.nodeId(), r.name(), made.node(), asked), r.flags(), reply);
    }

    private void tmpfile(FuseRequest.Tmpfile r, Reply reply) throws ErrnoException {
        OpenMode mode = KernelTypes.openMode(r.flags());
        NewInode inode = newInode(r, FileType.REGULAR, r.mode(), r.umask(), 0, null);
        long asked = validity.asked(false);
        Names.Created made = files.createUnnamed(r.nodeId(), inode, mode);
        created(made, types.unnamed(made.node(), asked), r.flags(), reply);
    }

    private void created(Names.Created made, EntryReply entry, int flags, Reply reply) throws ErrnoException {
        OpenReply open = types.opened(made.file(), flags);
        if (!reply.created(entry, open)) {
            files.release(made.node().id(), made.file().handle());
        }
    }

    private void read(FuseRequest.Read r, Reply reply) throws ErrnoException {
        boolean trace = (r.flags() & Posix.O_NOATIME) == 0;
        int descriptor = files.descriptor(r.nodeId(), trace);
        if (descriptor >= 0) {
            reply.dataFromFile(descriptor, r.offset(), r.size());
            return;
        }
        MemorySegment target = reply.buffer(r.size());
        int count = files.read(r.nodeId(), r.offset(), target, trace);
        reply.data(target.asSlice(0, count));
    }

    private void write(FuseRequest.Write r, Reply reply) throws ErrnoException {
        int bytes = Math.toIntExact(r.data().byteSize());
        if ((r.writeFlags() & FuseRequest.Write.KILL_SUIDGID) != 0) {
            files.clearSetId(r.nodeId());
        }
        boolean append = (r.flags() & Posix.O_APPEND) != 0 && (r.writeFlags() & FuseRequest.Write.CACHE) == 0;
        if (!append) {
            files.write(r.nodeId(), r.fh(), r.offset(), r.data());
            reply.written(bytes);
            return;
        }
        boolean elsewhere = files.append(r.nodeId(), r.fh(), r.offset(), r.data());
        if (KernelTypes.appendsPastCache(r.fh())) {
            // Whoever reads it through the page cache is to see it as soon as the writer knows.
            files.cacheIsBehind(r.nodeId(), elsewhere ? 0 : r.offset());
            reply.written(bytes);
            return;
        }
        reply.written(bytes);
        if (elsewhere) {
            // Its pages are locked until the kernel has the answer.
            files.cacheIsBehind(r.nodeId(), r.offset());
        }
    }

    private void flush(FuseRequest.Flush r, Reply reply) {
        boolean nothing = !FileSystem.writable(r.fh()) && !locks.mayHold(r);
        Answering.Fast reader = () -> {
            if (nothing) {
                files.flush(r.nodeId(), r.fh());
            }
            return nothing && answered(reply.ok());
        };
        answering.answer(r, reply, reader, () -> {
            try {
                files.flush(r.nodeId(), r.fh());
            } finally {
                locks.closed(r);
            }
            reply.ok();
        });
    }

    private void fsync(FuseRequest.Fsync r, Reply reply) throws ErrnoException {
        files.fsync(r.nodeId(), r.fh(), r.dataOnly());
        reply.ok();
    }

    private void release(FuseRequest.Release r, Reply reply) {
        Runnable unlocking = locks.released(r);
        if (unlocking != null) {
            answering.later(r, reply, () -> {
                unlocking.run();
                files.release(r.nodeId(), r.fh());
                reply.ok();
            });
            return;
        }
        answering.answer(r, reply, () -> files.tryRelease(r.nodeId(), r.fh()) && answered(reply.ok()), () -> {
            files.release(r.nodeId(), r.fh());
            reply.ok();
        });
    }

    private void fallocate(FuseRequest.Fallocate r, Reply reply) throws ErrnoException {
        clearSetIdOf(r, r.nodeId());
        files.allocate(r.nodeId(), r.fh(), r.mode(), r.offset(), r.length());
        reply.ok();
    }

    private void copy(FuseRequest.CopyFileRange r, Reply reply) throws ErrnoException {
        clearSetIdOf(r, r.nodeIdOut());
        reply.copied(files.copy(r.nodeId(), r.offsetIn(), r.nodeIdOut(), r.fhOut(), r.offsetOut(), r.length()));
    }

    /** The kernel asks for it with a write, not with what else changes content. */
    private void clearSetIdOf(FuseRequest r, long nodeId) throws ErrnoException {
        if (r.header().uid() != 0) {
            files.clearSetId(nodeId);
        }
    }

    // directories and the whole

    private void opendir(FuseRequest.Opendir r, Reply reply) {
        OpenReply open = OpenReply.of(FileSystem.DIRECTORY_HANDLE, OpenReply.CACHE_DIR | OpenReply.KEEP_CACHE);
        answering.answer(r, reply, () -> files.tryOpenDirectory(r.nodeId()) && answered(reply.opened(open)), () -> {
            files.openDirectory(r.nodeId());
            reply.opened(open);
        });
    }

    private void readdir(FuseRequest.Readdir r, Reply reply) throws ErrnoException {
        DirectoryBuffer buffer = reply.directory(r.size(), r.plus());
        listing.fill(buffer, r.nodeId(), r.offset(), r.size());
        reply.listing(buffer);
    }

    private void statfs(Reply reply) throws ErrnoException {
        FileSystem.Usage usage = files.usage();
        long total = usage.totalBytes() / STATFS_BLOCK;
        long free = Math.max(0, total - (usage.usedBytes() + STATFS_BLOCK - 1) / STATFS_BLOCK);
        reply.statfs(new StatfsReply(
                total,
                free,
                free,
                UNLIMITED_INODES,
                Math.max(0, UNLIMITED_INODES - usage.inodes()),
                STATFS_BLOCK,
                io.fusecache.metadata.FileName.MAX_BYTES,
                STATFS_BLOCK));
    }

    private void sync(Reply reply) throws ErrnoException {
        files.sync();
        reply.ok();
    }
}
