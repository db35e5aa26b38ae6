package io.fusecache.client.bridge;

import io.fusecache.filesystem.Node;
import io.fusecache.filesystem.OpenFile;
import io.fusecache.filesystem.OpenMode;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.Attributes;
import io.fusecache.fuse.wire.AttributesReply;
import io.fusecache.fuse.wire.EntryReply;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.OpenReply;
import io.fusecache.fuse.wire.StatxReply;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Timestamp;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The file system's records as the kernel's, and back. */
final class KernelTypes {
    private static final int ACCESS_MODE = 3;
    private static final int PERMISSIONS = 07777;
    private static final int BLOCK_UNIT = 512;

    /** st_blksize: what stdio and cp take for their buffers. */
    private static final int PREFERRED_IO_BYTES = 64 << 10;

    /** What {@link OpenFile#handle} needs. */
    private static final int HANDLE_BITS = 32;

    /** In a handle. */
    private static final long APPENDS_PAST_CACHE = 1L << 63;

    private final AtomicInteger lastOpen = new AtomicInteger();
    private final Validity validity;
    private final InstantSource clock;

    KernelTypes(Validity validity, InstantSource clock) {
        this.validity = validity;
        this.clock = clock;
    }

    static FileName name(io.fusecache.fuse.wire.FileName name) throws ErrnoException {
        return FileName.of(name.toByteArray());
    }

    static Attributes attributes(Inode inode) {
        return new Attributes(
                inode.ino(),
                inode.size(),
                (inode.usedBytes() + BLOCK_UNIT - 1) / BLOCK_UNIT,
                inode.accessed().seconds(),
                inode.accessed().nanos(),
                inode.modified().seconds(),
                inode.modified().nanos(),
                inode.changed().seconds(),
                inode.changed().nanos(),
                inode.mode(),
                inode.links(),
                inode.uid(),
                inode.gid(),
                (int) inode.deviceNumber(),
                PREFERRED_IO_BYTES,
                0);
    }

    /** @param asked when the answer was: {@link Validity#asked} */
    EntryReply entry(long directory, io.fusecache.fuse.wire.FileName name, Node node, long asked) {
        long valid = validity.name(directory, name, node.id(), asked);
        return new EntryReply(node.id(), 0, valid, validity.attributes(node.inode(), asked), attributes(node.inode()));
    }

    /** Of a node that was asked for by no name. */
    EntryReply unnamed(Node node, long asked) {
        return new EntryReply(node.id(), 0, 0, validity.attributes(node.inode(), asked), attributes(node.inode()));
    }

    /** An entry of a listing whose attributes are not at hand: the kernel looks it up when it needs it. */
    static EntryReply bareEntry(Inode inode) {
        return new EntryReply(0, 0, 0, 0, attributes(inode));
    }

    EntryReply absent(long directory, io.fusecache.fuse.wire.FileName name, long asked) {
        return EntryReply.negative(validity.name(directory, name, 0, asked));
    }

    AttributesReply attributesReply(Inode inode, long asked) {
        return new AttributesReply(validity.attributes(inode, asked), attributes(inode));
    }

    StatxReply statx(Inode inode, long asked) {
        return new StatxReply(
                validity.attributes(inode, asked),
                StatxReply.BASIC_STATS | StatxReply.BIRTH_TIME,
                attributes(inode),
                inode.born().seconds(),
                inode.born().nanos(),
                0,
                0);
    }

    static OpenMode openMode(int flags) {
        int access = flags & ACCESS_MODE;
        return new OpenMode(
                access != Posix.O_WRONLY,
                access == Posix.O_WRONLY || access == Posix.O_RDWR,
                (flags & Posix.O_TRUNC) != 0);
    }

    /**
     * Every open has a number of its own, above what the file system tells handles by: locks belong to one. A reader's close is
     * heard of as well, though it commits nothing, because it drops the locks of its process.
     *
     * <p>Who only appends through the daemon does so past the page cache, which would take the bytes to be where the kernel last
     * knew the end, not where they come to be when programs of other nodes append too.
     *
     * @param flags of open(2)
     */
    OpenReply opened(OpenFile file, int flags) {
        long number = Integer.toUnsignedLong(lastOpen.incrementAndGet() & Integer.MAX_VALUE);
        long handle = file.handle() | number << HANDLE_BITS;
        if (file.passthrough()) {
            return new OpenReply(handle, OpenReply.PASSTHROUGH, file.backingId());
        }
        if (file.direct()) {
            return OpenReply.of(handle, OpenReply.DIRECT_IO);
        }
        if ((flags & Posix.O_APPEND) != 0 && (flags & ACCESS_MODE) == Posix.O_WRONLY) {
            return OpenReply.of(handle | APPENDS_PAST_CACHE, OpenReply.DIRECT_IO);
        }
        return OpenReply.of(handle, file.keepCache() ? OpenReply.KEEP_CACHE : 0);
    }

    /** Whether others' pages may be behind what is written with this handle, and none of them is locked by that. */
    static boolean appendsPastCache(long handle) {
        return (handle & APPENDS_PAST_CACHE) != 0;
    }

    static int permissions(int mode) {
        return mode & PERMISSIONS;
    }

    AttributeChange change(FuseRequest.Setattr request) {
        Timestamp now = Timestamp.of(clock.instant());
        return new AttributeChange(
                request.sets(FuseRequest.Setattr.MODE) ? Integer.valueOf(permissions(request.mode())) : null,
                request.sets(FuseRequest.Setattr.UID) ? Integer.valueOf(request.uid()) : null,
                request.sets(FuseRequest.Setattr.GID) ? Integer.valueOf(request.gid()) : null,
                accessed(request, now),
                modified(request, now),
                request.sets(FuseRequest.Setattr.KILL_SUIDGID));
    }

    private static @Nullable Timestamp accessed(FuseRequest.Setattr request, Timestamp now) {
        if (request.sets(FuseRequest.Setattr.ATIME_NOW)) {
            return now;
        }
        return request.sets(FuseRequest.Setattr.ATIME)
                ? new Timestamp(request.atimeSeconds(), request.atimeNanos())
                : null;
    }

    private static @Nullable Timestamp modified(FuseRequest.Setattr request, Timestamp now) {
        if (request.sets(FuseRequest.Setattr.MTIME_NOW)) {
            // A truncation's own time is what the backing file got from it.
            return request.sets(FuseRequest.Setattr.SIZE) ? null : now;
        }
        return request.sets(FuseRequest.Setattr.MTIME)
                ? new Timestamp(request.mtimeSeconds(), request.mtimeNanos())
                : null;
    }
}
