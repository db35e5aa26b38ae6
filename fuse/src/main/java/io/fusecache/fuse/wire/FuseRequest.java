package io.fusecache.fuse.wire;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One request of the kernel, decoded: a record per operation.
 *
 * <p>Field for field what the protocol says; the names are those of the man pages. A {@link MemorySegment} in a request
 * lies in a buffer that belongs to the request until its reply has been sent; everything else is a copy and may be kept.
 * Numbers that the kernel sends unsigned are Java's signed ones with the same bits.
 */
public sealed interface FuseRequest {
    RequestHeader header();

    default long nodeId() {
        return header().nodeId();
    }

    /** Find {@code name} in a directory. '.' and '..' come from NFS export and from open_by_handle_at(2). */
    record Lookup(RequestHeader header, FileName name) implements FuseRequest {}

    /** The kernel gives back {@code lookups} of its references to the node. No reply. */
    record Forget(RequestHeader header, long lookups) implements FuseRequest {}

    /** Many {@link Forget} at once; the header's node means nothing. No reply. */
    record BatchForget(RequestHeader header, List<Forgotten> nodes) implements FuseRequest {}

    /** One node of a {@link BatchForget}. */
    record Forgotten(long nodeId, long lookups) {}

    /** stat(2), or fstat(2) when it has a handle. */
    record Getattr(RequestHeader header, int getattrFlags, long fh) implements FuseRequest {
        public boolean hasHandle() {
            return (getattrFlags & 1) != 0;
        }
    }

    /** chmod, chown, truncate, utimens, in any mixture: {@code valid} says which fields count. */
    record Setattr(
            RequestHeader header,
            int valid,
            long fh,
            long size,
            long lockOwner,
            long atimeSeconds,
            int atimeNanos,
            long mtimeSeconds,
            int mtimeNanos,
            long ctimeSeconds,
            int ctimeNanos,
            int mode,
            int uid,
            int gid)
            implements FuseRequest {
        public static final int MODE = 1;
        public static final int UID = 1 << 1;
        public static final int GID = 1 << 2;
        public static final int SIZE = 1 << 3;
        public static final int ATIME = 1 << 4;
        public static final int MTIME = 1 << 5;
        public static final int HANDLE = 1 << 6;
        public static final int ATIME_NOW = 1 << 7;
        public static final int MTIME_NOW = 1 << 8;
        public static final int LOCK_OWNER = 1 << 9;
        public static final int CTIME = 1 << 10;
        /** The file system is to clear setuid, and setgid where the group may execute (HANDLE_KILLPRIV_V2). */
        public static final int KILL_SUIDGID = 1 << 11;

        public boolean sets(int field) {
            return (valid & field) != 0;
        }

        /** Whether it names no attribute at all, but perhaps who asks. */
        public boolean setsNothing() {
            return (valid & ~(HANDLE | LOCK_OWNER)) == 0;
        }
    }

    record Readlink(RequestHeader header) implements FuseRequest {}

    record Symlink(RequestHeader header, FileName name, Bytes target) implements FuseRequest {}

    /** A new file, FIFO, socket or device node, by the type bits of {@code mode}. */
    record Mknod(RequestHeader header, FileName name, int mode, int rdev, int umask) implements FuseRequest {}

    record Mkdir(RequestHeader header, FileName name, int mode, int umask) implements FuseRequest {}

    record Unlink(RequestHeader header, FileName name) implements FuseRequest {}

    record Rmdir(RequestHeader header, FileName name) implements FuseRequest {}

    /** rename(2) and renameat2(2): {@code flags} is 0 or a mixture of the constants. The header's node is the old parent. */
    record Rename(RequestHeader header, FileName name, long newParent, FileName newName, int flags)
            implements FuseRequest {
        public static final int NOREPLACE = 1;
        public static final int EXCHANGE = 1 << 1;
        public static final int WHITEOUT = 1 << 2;
    }

    /** A further name for a node; the header's node is the directory that gets it. */
    record Link(RequestHeader header, long oldNodeId, FileName newName) implements FuseRequest {}

    /**
     * @param flags those of open(2), without O_CREAT, O_EXCL and O_NOCTTY
     * @param openFlags {@link #KILL_SUIDGID} or 0
     */
    record Open(RequestHeader header, int flags, int openFlags) implements FuseRequest {
        public static final int KILL_SUIDGID = 1;
    }

    record Read(RequestHeader header, long fh, long offset, int size, int readFlags, long lockOwner, int flags)
            implements FuseRequest {
        /** In {@code readFlags}: the lock owner is meant. */
        public static final int LOCK_OWNER = 1 << 1;
    }

    /** @param data the bytes to write; page-aligned in memory where they fill a page */
    record Write(
            RequestHeader header, long fh, long offset, MemorySegment data, int writeFlags, long lockOwner, int flags)
            implements FuseRequest {
        /** In {@code writeFlags}: a page of the cache written back; the handle is any writable one. */
        public static final int CACHE = 1;

        public static final int LOCK_OWNER = 1 << 1;
        public static final int KILL_SUIDGID = 1 << 2;
    }

    record Statfs(RequestHeader header) implements FuseRequest {}

    /** The last reference to a handle is gone. Sent in the background; an unmount right after may overtake it. */
    record Release(RequestHeader header, long fh, int flags, int releaseFlags, long lockOwner) implements FuseRequest {
        public static final int FLUSH = 1;
        public static final int FLOCK_UNLOCK = 1 << 1;
    }

    record Fsync(RequestHeader header, long fh, boolean dataOnly) implements FuseRequest {}

    record Setxattr(RequestHeader header, Bytes name, Bytes value, int flags, int setxattrFlags)
            implements FuseRequest {
        /** In {@code flags}, as for setxattr(2). */
        public static final int CREATE = 1;

        public static final int REPLACE = 1 << 1;
        /** In {@code setxattrFlags}: an access ACL that also clears setgid. */
        public static final int ACL_KILL_SGID = 1;
    }

    /** @param size 0 asks for the value's length alone; ERANGE when the value is longer */
    record Getxattr(RequestHeader header, Bytes name, int size) implements FuseRequest {}

    record Listxattr(RequestHeader header, int size) implements FuseRequest {}

    record Removexattr(RequestHeader header, Bytes name) implements FuseRequest {}

    /** A close(2) of one of the descriptors of a handle; the caller waits and sees the error. */
    record Flush(RequestHeader header, long fh, long lockOwner) implements FuseRequest {}

    record Opendir(RequestHeader header, int flags) implements FuseRequest {}

    /** @param plus whether entries with their attributes are wanted: a lookup each */
    record Readdir(RequestHeader header, long fh, long offset, int size, int flags, boolean plus)
            implements FuseRequest {}

    record Releasedir(RequestHeader header, long fh, int flags) implements FuseRequest {}

    record Fsyncdir(RequestHeader header, long fh, boolean dataOnly) implements FuseRequest {}

    record Getlk(RequestHeader header, long fh, long owner, FileLock lock, int lockFlags) implements FuseRequest {}

    /** Take, change or drop a lock; EAGAIN when another owner is in the way. */
    record Setlk(RequestHeader header, long fh, long owner, FileLock lock, int lockFlags) implements FuseRequest {
        /** In {@code lockFlags}: flock(2), not fcntl(2). */
        public static final int FLOCK = 1;
    }

    /** The same, waiting; EINTR when interrupted, EDEADLK where waiting would never end. */
    record Setlkw(RequestHeader header, long fh, long owner, FileLock lock, int lockFlags) implements FuseRequest {}

    /** access(2); not sent when mounted with default_permissions. */
    record Access(RequestHeader header, int mask) implements FuseRequest {}

    /** Create and open in one. */
    record Create(RequestHeader header, FileName name, int flags, int mode, int umask, int openFlags)
            implements FuseRequest {}

    /** O_TMPFILE: a file of no name, in the file system of the directory that the header names. */
    record Tmpfile(RequestHeader header, int flags, int mode, int umask, int openFlags) implements FuseRequest {}

    /** The asker of {@code target} got a signal. The session passes it on as {@code Reply.onInterrupt}. */
    record Interrupt(RequestHeader header, long target) implements FuseRequest {}

    record Bmap(RequestHeader header, long block, int blockSize) implements FuseRequest {}

    /** @param argument the pointer or number that the caller gave */
    record Ioctl(RequestHeader header, long fh, int flags, int command, long argument, int outSize, MemorySegment input)
            implements FuseRequest {
        public static final int COMPAT = 1;
        public static final int UNRESTRICTED = 1 << 1;
        public static final int RETRY = 1 << 2;
        public static final int DIRECTORY = 1 << 4;
    }

    /** @param kernelHandle what a poll notification names */
    record Poll(RequestHeader header, long fh, long kernelHandle, int flags, int events) implements FuseRequest {
        public static final int SCHEDULE_NOTIFY = 1;
    }

    /** The answer to a retrieve notification; {@code header.unique} is the one it was asked with. No reply. */
    record NotifyReply(RequestHeader header, long offset, MemorySegment data) implements FuseRequest {}

    record Fallocate(RequestHeader header, long fh, long offset, long length, int mode) implements FuseRequest {
        public static final int KEEP_SIZE = 1;
        public static final int PUNCH_HOLE = 1 << 1;
        public static final int COLLAPSE_RANGE = 1 << 3;
        public static final int ZERO_RANGE = 1 << 4;
        public static final int INSERT_RANGE = 1 << 5;
        public static final int UNSHARE_RANGE = 1 << 6;
    }

    /** Only {@link #SEEK_DATA} and {@link #SEEK_HOLE}: the kernel answers the others itself. */
    record Lseek(RequestHeader header, long fh, long offset, int whence) implements FuseRequest {
        public static final int SEEK_DATA = 3;
        public static final int SEEK_HOLE = 4;
    }

    /** @param wide whether the answer's count has 64 bits (protocol 7.45); {@code Reply.copied} looks after it */
    record CopyFileRange(
            RequestHeader header,
            long fhIn,
            long offsetIn,
            long nodeIdOut,
            long fhOut,
            long offsetOut,
            long length,
            long flags,
            boolean wide)
            implements FuseRequest {}

    record Syncfs(RequestHeader header) implements FuseRequest {}

    record Statx(RequestHeader header, int getattrFlags, long fh, int statxFlags, int mask) implements FuseRequest {
        public boolean hasHandle() {
            return (getattrFlags & 1) != 0;
        }
    }

    record Setupmapping(RequestHeader header, long fh, long fileOffset, long length, long flags, long memoryOffset)
            implements FuseRequest {}

    record Removemapping(RequestHeader header, List<Mapping> mappings) implements FuseRequest {}

    /** One mapping of a {@link Removemapping}. */
    record Mapping(long memoryOffset, long length) {}

    /** The first request of a connection; the session answers it. */
    record Init(RequestHeader header, int major, int minor, int maxReadAhead, long flags) implements FuseRequest {}

    /** The last request of some connections. Plain FUSE mounts end without it. */
    record Destroy(RequestHeader header) implements FuseRequest {}

    /** An operation this protocol does not know; the session answers ENOSYS. */
    record Unknown(RequestHeader header, int opcode) implements FuseRequest {}
}
