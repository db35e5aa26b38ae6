package io.fusecache.testkit.posix.scene;

import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.AT_REMOVEDIR;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_NOFOLLOW;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * System calls by one user, in the directory of one check. What is opened is closed when the check ends.
 *
 * <p>A path is a string of which each char is one byte: {@code "\u00ff"} is the byte 255. {@link #FAULT} stands for an
 * address that is none.
 */
public final class Caller {
    /** A path, or bytes, that the kernel cannot read: no byte is that large. */
    public static final String FAULT = "\uffff";

    private static final long BAD_ADDRESS = 1;
    private static final int MAX_ARGUMENTS = 6;
    private static final int AF_UNIX = 1;
    private static final int HANDLE_BYTES = 256;

    private final Actor actor;
    private final SystemCalls kernel;
    private final Memory memory;
    private final Descriptors descriptors;

    Caller(Actor actor, SystemCalls kernel, Memory memory, Descriptors descriptors) {
        this.actor = actor;
        this.kernel = kernel;
        this.memory = memory;
        this.descriptors = descriptors;
    }

    /**
     * Calls by whoever runs the thread that asks, outside of any check; what it leaves open stays open. The thread's working
     * directory and umask are its own from here on.
     */
    public static Caller ofThread(Arena arena) {
        return new Caller(Actor.ROOT, new Kernel(arena), new Memory(arena), new Descriptors());
    }

    public Actor actor() {
        return actor;
    }

    /** Any call: an argument is a number, a path, the bytes of a struct, or memory. */
    public Outcome call(Syscall syscall, Object... arguments) {
        memory.reset();
        long[] raw = new long[MAX_ARGUMENTS];
        for (int i = 0; i < arguments.length; i++) {
            raw[i] = switch (arguments[i]) {
                case Integer number -> number;
                case Long number -> number;
                case String path -> path.equals(FAULT) ? BAD_ADDRESS : memory.string(path);
                case byte[] bytes -> memory.bytes(bytes);
                case MemorySegment segment -> segment.address();
                default -> throw new IllegalArgumentException("no argument of a system call: " + arguments[i]);
            };
        }
        return new Outcome(actor, syscall, arguments, kernel.call(actor, syscall, raw));
    }

    /** What the last call put into the buffer. */
    public MemorySegment buffer() {
        return memory.buffer();
    }

    /** The first bytes of the buffer. */
    public byte[] buffered(long count) {
        return memory.buffer().asSlice(0, count).toArray(JAVA_BYTE);
    }

    // Names

    public Outcome open(String path, int flags, int mode) {
        return openAt(AT_FDCWD, path, flags, mode);
    }

    public Outcome open(String path, int flags) {
        return openAt(AT_FDCWD, path, flags, 0);
    }

    public Outcome openAt(int directory, String path, int flags, int mode) {
        return descriptors.opened(call(Syscall.OPENAT, directory, path, flags | Flags.O_CLOEXEC, mode));
    }

    public Outcome close(int fd) {
        descriptors.closed(fd);
        return call(Syscall.CLOSE, fd);
    }

    public Outcome dup(int fd) {
        return descriptors.opened(call(Syscall.DUP, fd));
    }

    public Outcome mkdir(String path, int mode) {
        return call(Syscall.MKDIRAT, AT_FDCWD, path, mode);
    }

    /** @param mode type and permissions */
    public Outcome mknod(String path, int mode, long device) {
        return call(Syscall.MKNODAT, AT_FDCWD, path, mode, device);
    }

    public Outcome symlink(String target, String path) {
        return call(Syscall.SYMLINKAT, target, AT_FDCWD, path);
    }

    public Outcome readlink(String path, int bytes) {
        return call(Syscall.READLINKAT, AT_FDCWD, path, memory.buffer(), bytes);
    }

    public Outcome link(String old, String path) {
        return call(Syscall.LINKAT, AT_FDCWD, old, AT_FDCWD, path, 0);
    }

    public Outcome linkAt(int directory, String old, String path, int flags) {
        return call(Syscall.LINKAT, directory, old, AT_FDCWD, path, flags);
    }

    public Outcome unlink(String path) {
        return call(Syscall.UNLINKAT, AT_FDCWD, path, 0);
    }

    public Outcome rmdir(String path) {
        return call(Syscall.UNLINKAT, AT_FDCWD, path, AT_REMOVEDIR);
    }

    public Outcome rename(String old, String path) {
        return rename(old, path, 0);
    }

    public Outcome rename(String old, String path, int flags) {
        return call(Syscall.RENAMEAT2, AT_FDCWD, old, AT_FDCWD, path, flags);
    }

    // Attributes

    public Outcome chmod(String path, int mode) {
        return call(Syscall.FCHMODAT, AT_FDCWD, path, mode);
    }

    public Outcome fchmod(int fd, int mode) {
        return call(Syscall.FCHMOD, fd, mode);
    }

    public Outcome chown(String path, int uid, int gid) {
        return call(Syscall.FCHOWNAT, AT_FDCWD, path, uid, gid, 0);
    }

    public Outcome lchown(String path, int uid, int gid) {
        return call(Syscall.FCHOWNAT, AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
    }

    public Outcome fchown(int fd, int uid, int gid) {
        return call(Syscall.FCHOWN, fd, uid, gid);
    }

    /** @param times from {@link #times}, or 0 for a null pointer */
    public Outcome utimens(String path, Object times, int flags) {
        return call(Syscall.UTIMENSAT, AT_FDCWD, path, times, flags);
    }

    public Outcome futimens(int fd, Object times) {
        return call(Syscall.UTIMENSAT, fd, 0, times, 0);
    }

    /** Two timespecs. */
    public static byte[] times(long atimeSeconds, long atimeNanos, long mtimeSeconds, long mtimeNanos) {
        return ByteBuffer.allocate(32)
                .order(ByteOrder.nativeOrder())
                .putLong(atimeSeconds)
                .putLong(atimeNanos)
                .putLong(mtimeSeconds)
                .putLong(mtimeNanos)
                .array();
    }

    /** Two timevals. */
    public static byte[] timevals(long atimeSeconds, long atimeMicros, long mtimeSeconds, long mtimeMicros) {
        return times(atimeSeconds, atimeMicros, mtimeSeconds, mtimeMicros);
    }

    public Outcome truncate(String path, long length) {
        return call(Syscall.TRUNCATE, path, length);
    }

    public Outcome ftruncate(int fd, long length) {
        return call(Syscall.FTRUNCATE, fd, length);
    }

    public Outcome stat(String path) {
        return call(Syscall.NEWFSTATAT, AT_FDCWD, path, memory.buffer(), 0);
    }

    public Outcome lstat(String path) {
        return call(Syscall.NEWFSTATAT, AT_FDCWD, path, memory.buffer(), AT_SYMLINK_NOFOLLOW);
    }

    public Outcome statx(int directory, String path, int flags, int mask) {
        return call(Syscall.STATX, directory, path, flags, mask, memory.buffer());
    }

    /** What the last statx answered. */
    public Stat answeredStat() {
        return Stat.of(memory.buffer());
    }

    /** By the real user, as access(2). */
    public Outcome access(String path, int mode) {
        return call(Syscall.FACCESSAT, AT_FDCWD, path, mode);
    }

    public Outcome faccessat2(String path, int mode, int flags) {
        return call(Syscall.FACCESSAT2, AT_FDCWD, path, mode, flags);
    }

    // Directories

    /** As many entries as fit; empty at the end. */
    public Outcome getdents(int fd, int bytes) {
        return call(Syscall.GETDENTS64, fd, memory.buffer(), bytes);
    }

    /** What the last getdents answered with this many bytes. */
    public List<Entry> answeredEntries(long bytes) {
        List<Entry> entries = new ArrayList<>();
        MemorySegment s = memory.buffer();
        for (long at = 0; at < bytes; ) {
            int length = s.get(JAVA_SHORT_UNALIGNED, at + 16) & 0xffff;
            long end = at + 19;
            while (s.get(JAVA_BYTE, end) != 0) {
                end++;
            }
            byte[] name = s.asSlice(at + 19, end - at - 19).toArray(JAVA_BYTE);
            entries.add(new Entry(
                    new String(name, StandardCharsets.ISO_8859_1),
                    s.get(JAVA_LONG_UNALIGNED, at),
                    s.get(JAVA_LONG_UNALIGNED, at + 8),
                    s.get(JAVA_BYTE, at + 18)));
            at += length;
        }
        return entries;
    }

    /** All that is left to read of an open directory. */
    public List<Entry> entries(int fd) {
        List<Entry> all = new ArrayList<>();
        long bytes = getdents(fd, 1 << 16).ok();
        while (bytes > 0) {
            all.addAll(answeredEntries(bytes));
            bytes = getdents(fd, 1 << 16).ok();
        }
        return all;
    }

    // Bytes

    public Outcome read(int fd, int count) {
        return call(Syscall.READ, fd, memory.buffer(), count);
    }

    public Outcome pread(int fd, int count, long offset) {
        return call(Syscall.PREAD64, fd, memory.buffer(), count, offset);
    }

    public Outcome write(int fd, byte[] bytes) {
        return call(Syscall.WRITE, fd, bytes, bytes.length);
    }

    public Outcome write(int fd, String bytes) {
        return write(fd, bytes.getBytes(StandardCharsets.ISO_8859_1));
    }

    public Outcome pwrite(int fd, byte[] bytes, long offset) {
        return call(Syscall.PWRITE64, fd, bytes, bytes.length, offset);
    }

    public Outcome pwrite(int fd, String bytes, long offset) {
        return pwrite(fd, bytes.getBytes(StandardCharsets.ISO_8859_1), offset);
    }

    /** @param parts the lengths, one after the other in the buffer */
    public byte[] readVector(int... parts) {
        long address = memory.buffer().address();
        ByteBuffer vector = ByteBuffer.allocate(16 * parts.length).order(ByteOrder.nativeOrder());
        for (int part : parts) {
            vector.putLong(address).putLong(part);
            address += part;
        }
        return vector.array();
    }

    /** The vector of these texts, which lie in the buffer. */
    public byte[] writeVector(String... parts) {
        byte[] all = String.join("", parts).getBytes(StandardCharsets.ISO_8859_1);
        MemorySegment.copy(all, 0, memory.buffer(), JAVA_BYTE, 0, all.length);
        int[] lengths = new int[parts.length];
        for (int i = 0; i < parts.length; i++) {
            lengths[i] = parts[i].length();
        }
        return readVector(lengths);
    }

    public Outcome lseek(int fd, long offset, int whence) {
        return call(Syscall.LSEEK, fd, offset, whence);
    }

    public Outcome fallocate(int fd, int mode, long offset, long length) {
        return call(Syscall.FALLOCATE, fd, mode, offset, length);
    }

    /** Offsets of -1 stand for null pointers: the descriptors' own. */
    public Outcome copyFileRange(int in, long inOffset, int out, long outOffset, long count, int flags) {
        MemorySegment offsets = memory.buffer();
        offsets.set(JAVA_LONG, 0, inOffset);
        offsets.set(JAVA_LONG, 8, outOffset);
        return call(
                Syscall.COPY_FILE_RANGE,
                in,
                inOffset < 0 ? 0 : offsets,
                out,
                outOffset < 0 ? 0 : offsets.asSlice(8),
                count,
                flags);
    }

    public Outcome fsync(int fd) {
        return call(Syscall.FSYNC, fd);
    }

    /** The address; unmapped when the check ends. */
    public Outcome mmap(long bytes, int protection, int flags, int fd, long offset) {
        return descriptors.mapped(call(Syscall.MMAP, 0, bytes, protection, flags, fd, offset), bytes);
    }

    /** Mapped memory, which ends with the check if not before. */
    @SuppressWarnings("restricted") // what the kernel has mapped there is as long as that
    public MemorySegment map(long bytes, int protection, int flags, int fd, long offset) {
        return MemorySegment.ofAddress(
                        mmap(bytes, protection, flags, fd, offset).ok())
                .reinterpret(bytes);
    }

    public Outcome unmap(MemorySegment mapped) {
        descriptors.unmapped(mapped.address());
        return call(Syscall.MUNMAP, mapped, mapped.byteSize());
    }

    // Sockets and handles

    /** A unix socket of this type, a SOCK constant. */
    public Outcome socket(int type) {
        return descriptors.opened(call(Syscall.SOCKET, AF_UNIX, type | Flags.O_CLOEXEC, 0));
    }

    public Outcome bind(int socket, String path) {
        byte[] address = address(path);
        return call(Syscall.BIND, socket, address, address.length);
    }

    public Outcome connect(int socket, String path) {
        byte[] address = address(path);
        return call(Syscall.CONNECT, socket, address, address.length);
    }

    public Outcome accept(int socket) {
        return descriptors.opened(call(Syscall.ACCEPT4, socket, 0, 0, Flags.O_CLOEXEC));
    }

    private static byte[] address(String path) {
        byte[] bytes = path.getBytes(StandardCharsets.ISO_8859_1);
        return ByteBuffer.allocate(2 + bytes.length)
                .order(ByteOrder.nativeOrder())
                .putShort((short) AF_UNIX)
                .put(bytes)
                .array();
    }

    /**
     * The handle goes to the start of the buffer.
     *
     * @param bytes how long it may be
     */
    public Outcome nameToHandle(int directory, String path, int bytes, int flags) {
        buffer().set(JAVA_INT_UNALIGNED, 0, bytes);
        return call(Syscall.NAME_TO_HANDLE_AT, directory, path, buffer(), buffer().asSlice(HANDLE_BYTES), flags);
    }

    /** What the last {@link #nameToHandle} answered, its struct and all. */
    public byte[] answeredHandle() {
        return buffered(8L + buffer().get(JAVA_INT_UNALIGNED, 0));
    }

    /** @param mount a descriptor of any file there */
    public Outcome openByHandle(int mount, byte[] handle, int flags) {
        return descriptors.opened(call(Syscall.OPEN_BY_HANDLE_AT, mount, handle, flags | Flags.O_CLOEXEC));
    }

    // Extended attributes

    public Outcome setxattr(String path, String name, byte[] value, int flags) {
        return call(Syscall.SETXATTR, path, name, value, value.length, flags);
    }

    public Outcome setxattr(String path, String name, String value) {
        return setxattr(path, name, value.getBytes(StandardCharsets.ISO_8859_1), 0);
    }

    public Outcome getxattr(String path, String name, int size) {
        return call(Syscall.GETXATTR, path, name, size == 0 ? 0 : memory.buffer(), size);
    }

    public Outcome listxattr(String path, int size) {
        return call(Syscall.LISTXATTR, path, size == 0 ? 0 : memory.buffer(), size);
    }

    public Outcome removexattr(String path, String name) {
        return call(Syscall.REMOVEXATTR, path, name);
    }

    // Locks

    public Outcome flock(int fd, int operation) {
        return call(Syscall.FLOCK, fd, operation);
    }

    public Outcome lock(int fd, int command, int type, int whence, long start, long length) {
        MemorySegment s = memory.buffer();
        s.asSlice(0, 32).fill((byte) 0);
        s.set(JAVA_SHORT_UNALIGNED, 0, (short) type);
        s.set(JAVA_SHORT_UNALIGNED, 2, (short) whence);
        s.set(JAVA_LONG_UNALIGNED, 8, start);
        s.set(JAVA_LONG_UNALIGNED, 16, length);
        return call(Syscall.FCNTL, fd, command, s);
    }

    /** What the last F_GETLK or F_OFD_GETLK answered. */
    public LockRange answeredLock() {
        MemorySegment s = memory.buffer();
        return new LockRange(
                s.get(JAVA_SHORT_UNALIGNED, 0),
                s.get(JAVA_SHORT_UNALIGNED, 2),
                s.get(JAVA_LONG_UNALIGNED, 8),
                s.get(JAVA_LONG_UNALIGNED, 16),
                s.get(JAVA_INT_UNALIGNED, 24));
    }
}
