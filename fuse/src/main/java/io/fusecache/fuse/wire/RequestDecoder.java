package io.fusecache.fuse.wire;

import static io.fusecache.fuse.wire.Layout.IN_HEADER;
import static io.fusecache.fuse.wire.Layout.WRITE_IN;
import static io.fusecache.fuse.wire.Layout.u32;
import static io.fusecache.fuse.wire.Layout.u64;

import io.fusecache.fuse.wire.RequestExtensions.SecurityContext;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns a message read from /dev/fuse into a {@link FuseRequest}.
 *
 * <p>A cursor over the message; it trusts no length in it. One decoder belongs to one reader thread.
 */
public final class RequestDecoder {
    /** Bytes before the data of a WRITE: read a message to here before a page boundary and the data is page-aligned. */
    public static final int WRITE_PREFIX = IN_HEADER + WRITE_IN;

    /** The shortest message. */
    public static final int HEADER_LENGTH = IN_HEADER;

    private final boolean extendedSetxattr;

    private MemorySegment message = MemorySegment.NULL;
    private int position;
    private int end;
    private long unique;

    /** @param extendedSetxattr whether INIT agreed on SETXATTR_EXT, which makes SETXATTR's struct 8 bytes longer */
    public RequestDecoder(boolean extendedSetxattr) {
        this.extendedSetxattr = extendedSetxattr;
    }

    /**
     * Decodes the message in the first {@code length} bytes of {@code buffer}.
     *
     * @throws MalformedRequest when it is shorter, longer or other than its opcode's struct allows
     */
    public FuseRequest decode(MemorySegment buffer, int length) throws MalformedRequest {
        unique = 0;
        if (length < IN_HEADER) {
            throw new MalformedRequest(0, "a message of " + length + " bytes; a header has " + IN_HEADER);
        }
        unique = u64(buffer, 8);
        int stated = u32(buffer, 0);
        if (stated != length) {
            throw malformed("the header says " + Integer.toUnsignedString(stated) + " bytes, the read gave " + length);
        }
        int extensionLength = (u32(buffer, 36) & 0xffff) * 8;
        if (extensionLength > length - IN_HEADER) {
            throw malformed("extensions of " + extensionLength + " bytes in a message of " + length);
        }
        message = buffer;
        position = IN_HEADER;
        end = length - extensionLength;
        RequestExtensions extensions = extensionLength == 0 ? RequestExtensions.NONE : extensions(end, length);
        RequestHeader header = new RequestHeader(
                unique, u64(buffer, 16), u32(buffer, 24), u32(buffer, 28), u32(buffer, 32), extensions);
        int number = u32(buffer, 4);
        Opcode opcode = Opcode.of(number);
        return opcode == null ? new FuseRequest.Unknown(header, number) : body(opcode, header);
    }

    private FuseRequest body(Opcode opcode, RequestHeader header) throws MalformedRequest {
        return switch (opcode) {
            case LOOKUP -> new FuseRequest.Lookup(header, name());
            case FORGET -> new FuseRequest.Forget(header, u64(message, struct(8)));
            case BATCH_FORGET -> batchForget(header);
            case GETATTR -> {
                int at = struct(16);
                yield new FuseRequest.Getattr(header, u32(message, at), u64(message, at + 8));
            }
            case SETATTR -> setattr(header);
            case READLINK -> new FuseRequest.Readlink(header);
            case SYMLINK -> new FuseRequest.Symlink(header, name(), string());
            case MKNOD -> {
                int at = struct(16);
                yield new FuseRequest.Mknod(
                        header, name(), u32(message, at), u32(message, at + 4), u32(message, at + 8));
            }
            case MKDIR -> {
                int at = struct(8);
                yield new FuseRequest.Mkdir(header, name(), u32(message, at), u32(message, at + 4));
            }
            case UNLINK -> new FuseRequest.Unlink(header, name());
            case RMDIR -> new FuseRequest.Rmdir(header, name());
            case RENAME -> {
                int at = struct(8);
                FileName old = name();
                yield new FuseRequest.Rename(header, old, u64(message, at), name(), 0);
            }
            case RENAME2 -> {
                int at = struct(16);
                FileName old = name();
                yield new FuseRequest.Rename(header, old, u64(message, at), name(), u32(message, at + 8));
            }
            case LINK -> new FuseRequest.Link(header, u64(message, struct(8)), name());
            case OPEN -> {
                int at = struct(8);
                yield new FuseRequest.Open(header, u32(message, at), u32(message, at + 4));
            }
            case READ -> {
                int at = struct(40);
                yield new FuseRequest.Read(
                        header,
                        u64(message, at),
                        u64(message, at + 8),
                        size(at + 16),
                        u32(message, at + 20),
                        u64(message, at + 24),
                        u32(message, at + 32));
            }
            case WRITE -> write(header);
            case STATFS -> new FuseRequest.Statfs(header);
            case RELEASE -> {
                int at = struct(24);
                yield new FuseRequest.Release(
                        header, u64(message, at), u32(message, at + 8), u32(message, at + 12), u64(message, at + 16));
            }
            case FSYNC -> {
                int at = struct(16);
                yield new FuseRequest.Fsync(header, u64(message, at), (u32(message, at + 8) & 1) != 0);
            }
            case SETXATTR -> setxattr(header);
            case GETXATTR -> {
                int at = struct(8);
                yield new FuseRequest.Getxattr(header, string(), size(at));
            }
            case LISTXATTR -> new FuseRequest.Listxattr(header, size(struct(8)));
            case REMOVEXATTR -> new FuseRequest.Removexattr(header, string());
            case FLUSH -> {
                int at = struct(24);
                yield new FuseRequest.Flush(header, u64(message, at), u64(message, at + 16));
            }
            case INIT -> init(header);
            case OPENDIR -> new FuseRequest.Opendir(header, u32(message, struct(8)));
            case READDIR -> readdir(header, false);
            case READDIRPLUS -> readdir(header, true);
            case RELEASEDIR -> {
                int at = struct(24);
                yield new FuseRequest.Releasedir(header, u64(message, at), u32(message, at + 8));
            }
            case FSYNCDIR -> {
                int at = struct(16);
                yield new FuseRequest.Fsyncdir(header, u64(message, at), (u32(message, at + 8) & 1) != 0);
            }
            case GETLK -> {
                int at = struct(48);
                yield new FuseRequest.Getlk(
                        header, u64(message, at), u64(message, at + 8), lock(at + 16), u32(message, at + 40));
            }
            case SETLK -> {
                int at = struct(48);
                yield new FuseRequest.Setlk(
                        header, u64(message, at), u64(message, at + 8), lock(at + 16), u32(message, at + 40));
            }
            case SETLKW -> {
                int at = struct(48);
                yield new FuseRequest.Setlkw(
                        header, u64(message, at), u64(message, at + 8), lock(at + 16), u32(message, at + 40));
            }
            case ACCESS -> new FuseRequest.Access(header, u32(message, struct(8)));
            case CREATE -> {
                int at = struct(16);
                yield new FuseRequest.Create(
                        header,
                        name(),
                        u32(message, at),
                        u32(message, at + 4),
                        u32(message, at + 8),
                        u32(message, at + 12));
            }
            case TMPFILE -> {
                // A name follows: that of no entry, '/' with today's kernels.
                int at = struct(16);
                yield new FuseRequest.Tmpfile(
                        header, u32(message, at), u32(message, at + 4), u32(message, at + 8), u32(message, at + 12));
            }
            case INTERRUPT -> new FuseRequest.Interrupt(header, u64(message, struct(8)));
            case BMAP -> {
                int at = struct(16);
                yield new FuseRequest.Bmap(header, u64(message, at), u32(message, at + 8));
            }
            case DESTROY -> new FuseRequest.Destroy(header);
            case IOCTL -> ioctl(header);
            case POLL -> {
                int at = struct(24);
                yield new FuseRequest.Poll(
                        header, u64(message, at), u64(message, at + 8), u32(message, at + 16), u32(message, at + 20));
            }
            case NOTIFY_REPLY -> {
                int at = struct(40);
                yield new FuseRequest.NotifyReply(header, u64(message, at + 8), payload(u32(message, at + 16)));
            }
            case FALLOCATE -> {
                int at = struct(32);
                yield new FuseRequest.Fallocate(
                        header, u64(message, at), u64(message, at + 8), u64(message, at + 16), u32(message, at + 24));
            }
            case LSEEK -> {
                int at = struct(24);
                yield new FuseRequest.Lseek(header, u64(message, at), u64(message, at + 8), u32(message, at + 16));
            }
            case COPY_FILE_RANGE -> copyFileRange(header, false);
            case COPY_FILE_RANGE_64 -> copyFileRange(header, true);
            case SETUPMAPPING -> {
                int at = struct(40);
                yield new FuseRequest.Setupmapping(
                        header,
                        u64(message, at),
                        u64(message, at + 8),
                        u64(message, at + 16),
                        u64(message, at + 24),
                        u64(message, at + 32));
            }
            case REMOVEMAPPING -> removemapping(header);
            case SYNCFS -> new FuseRequest.Syncfs(header);
            case STATX -> {
                int at = struct(24);
                yield new FuseRequest.Statx(
                        header, u32(message, at), u64(message, at + 8), u32(message, at + 16), u32(message, at + 20));
            }
        };
    }

    private FuseRequest batchForget(RequestHeader header) throws MalformedRequest {
        int count = u32(message, struct(8));
        if (count < 0 || count > (end - position) / 16) {
            throw malformed(
                    "a batch of " + Integer.toUnsignedString(count) + " nodes in " + (end - position) + " bytes");
        }
        List<FuseRequest.Forgotten> nodes = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int at = struct(16);
            nodes.add(new FuseRequest.Forgotten(u64(message, at), u64(message, at + 8)));
        }
        return new FuseRequest.BatchForget(header, nodes);
    }

    private FuseRequest setattr(RequestHeader header) throws MalformedRequest {
        int at = struct(88);
        return new FuseRequest.Setattr(
                header,
                u32(message, at),
                u64(message, at + 8),
                u64(message, at + 16),
                u64(message, at + 24),
                u64(message, at + 32),
                u32(message, at + 56),
                u64(message, at + 40),
                u32(message, at + 60),
                u64(message, at + 48),
                u32(message, at + 64),
                u32(message, at + 68),
                u32(message, at + 76),
                u32(message, at + 80));
    }

    private FuseRequest write(RequestHeader header) throws MalformedRequest {
        int at = struct(WRITE_IN);
        return new FuseRequest.Write(
                header,
                u64(message, at),
                u64(message, at + 8),
                payload(u32(message, at + 16)),
                u32(message, at + 20),
                u64(message, at + 24),
                u32(message, at + 32));
    }

    private FuseRequest setxattr(RequestHeader header) throws MalformedRequest {
        int at = struct(extendedSetxattr ? 16 : 8);
        int size = u32(message, at);
        Bytes name = string();
        if (size < 0 || size > end - position) {
            throw malformed("an xattr of " + Integer.toUnsignedString(size) + " bytes in " + (end - position));
        }
        Bytes value = Bytes.copyOf(message, position, size);
        return new FuseRequest.Setxattr(
                header, name, value, u32(message, at + 4), extendedSetxattr ? u32(message, at + 8) : 0);
    }

    private FuseRequest init(RequestHeader header) throws MalformedRequest {
        int at = struct(16);
        long flags = Integer.toUnsignedLong(u32(message, at + 12));
        if ((flags & InitFlag.INIT_EXT.bit()) != 0) {
            flags |= Integer.toUnsignedLong(u32(message, struct(48))) << 32;
        }
        return new FuseRequest.Init(header, u32(message, at), u32(message, at + 4), u32(message, at + 8), flags);
    }

    private FuseRequest readdir(RequestHeader header, boolean plus) throws MalformedRequest {
        int at = struct(40);
        return new FuseRequest.Readdir(
                header, u64(message, at), u64(message, at + 8), size(at + 16), u32(message, at + 32), plus);
    }

    private FuseRequest ioctl(RequestHeader header) throws MalformedRequest {
        int at = struct(32);
        return new FuseRequest.Ioctl(
                header,
                u64(message, at),
                u32(message, at + 8),
                u32(message, at + 12),
                u64(message, at + 16),
                size(at + 28),
                payload(u32(message, at + 24)));
    }

    private FuseRequest copyFileRange(RequestHeader header, boolean wide) throws MalformedRequest {
        int at = struct(56);
        return new FuseRequest.CopyFileRange(
                header,
                u64(message, at),
                u64(message, at + 8),
                u64(message, at + 16),
                u64(message, at + 24),
                u64(message, at + 32),
                u64(message, at + 40),
                u64(message, at + 48),
                wide);
    }

    private FuseRequest removemapping(RequestHeader header) throws MalformedRequest {
        int count = u32(message, struct(4));
        if (count < 0 || count > (end - position) / 16) {
            throw malformed(
                    "a list of " + Integer.toUnsignedString(count) + " mappings in " + (end - position) + " bytes");
        }
        List<FuseRequest.Mapping> mappings = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int at = struct(16);
            mappings.add(new FuseRequest.Mapping(u64(message, at), u64(message, at + 8)));
        }
        return new FuseRequest.Removemapping(header, mappings);
    }

    private FileLock lock(int at) {
        return new FileLock(u64(message, at), u64(message, at + 8), u32(message, at + 16), u32(message, at + 20));
    }

    private RequestExtensions extensions(int from, int to) throws MalformedRequest {
        List<Integer> groups = List.of();
        List<SecurityContext> contexts = List.of();
        int at = from;
        while (to - at >= 8) {
            int size = u32(message, at);
            int type = u32(message, at + 4);
            if (size < 8 || size > to - at) {
                throw malformed("an extension of " + Integer.toUnsignedString(size) + " bytes in " + (to - at));
            }
            if (type == 32) {
                groups = groups(at + 8, at + size);
            } else if (type >= 0 && type < 32) {
                contexts = contexts(type, at + 8, at + size);
            }
            at += Layout.align(size);
        }
        return new RequestExtensions(groups, contexts);
    }

    private List<Integer> groups(int from, int to) throws MalformedRequest {
        int count = to - from >= 4 ? u32(message, from) : -1;
        if (count < 0 || count > (to - from - 4) / 4) {
            throw malformed("a list of " + Integer.toUnsignedString(count) + " groups in " + (to - from) + " bytes");
        }
        List<Integer> groups = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            groups.add(u32(message, from + 4 + 4L * i));
        }
        return List.copyOf(groups);
    }

    private List<SecurityContext> contexts(int count, int from, int to) throws MalformedRequest {
        List<SecurityContext> contexts = new ArrayList<>(count);
        int at = from;
        for (int i = 0; i < count; i++) {
            if (to - at < 8) {
                throw malformed("a security context cut off");
            }
            int size = u32(message, at);
            int nameStart = at + 8;
            int nameLength = lengthToNul(nameStart, to);
            int valueStart = nameStart + nameLength + 1;
            if (size < 0 || size > to - valueStart) {
                throw malformed("a security context of " + Integer.toUnsignedString(size) + " bytes cut off");
            }
            contexts.add(new SecurityContext(
                    Bytes.copyOf(message, nameStart, nameLength), Bytes.copyOf(message, valueStart, size)));
            at = from + Layout.align(valueStart + size - from);
        }
        return List.copyOf(contexts);
    }

    /** Steps over a struct of {@code size} bytes and says where it begins. */
    private int struct(int size) throws MalformedRequest {
        if (size > end - position) {
            throw malformed("a struct of " + size + " bytes in " + (end - position));
        }
        int at = position;
        position += size;
        return at;
    }

    private MemorySegment payload(int size) throws MalformedRequest {
        if (size < 0 || size > end - position) {
            throw malformed("data of " + Integer.toUnsignedString(size) + " bytes in " + (end - position));
        }
        return message.asSlice(position, size);
    }

    /** A count of bytes that the answer may have: the kernel's own bound is far below 2 GiB. */
    private int size(int at) throws MalformedRequest {
        int size = u32(message, at);
        if (size < 0) {
            throw malformed("an answer of " + Integer.toUnsignedString(size) + " bytes wanted");
        }
        return size;
    }

    private FileName name() throws MalformedRequest {
        int length = lengthToNul(position, end);
        try {
            FileName name = FileName.read(message, position, length);
            position += length + 1;
            return name;
        } catch (IllegalArgumentException e) {
            throw malformed("a name the kernel cannot send: " + e.getMessage());
        }
    }

    private Bytes string() throws MalformedRequest {
        int length = lengthToNul(position, end);
        Bytes string = Bytes.copyOf(message, position, length);
        position += length + 1;
        return string;
    }

    private int lengthToNul(int from, int to) throws MalformedRequest {
        for (int at = from; at < to; at++) {
            if (message.get(Layout.U8, at) == 0) {
                return at - from;
            }
        }
        throw malformed("a string without its NUL");
    }

    private MalformedRequest malformed(String why) {
        return new MalformedRequest(unique, "request " + Long.toUnsignedString(unique) + ": " + why);
    }
}
