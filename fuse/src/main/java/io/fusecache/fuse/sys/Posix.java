package io.fusecache.fuse.sys;

import static io.fusecache.fuse.sys.Downcall.broken;
import static io.fusecache.fuse.sys.Downcall.cString;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The system calls on files and descriptors, one method each, named and ordered as in section 2 of the manual.
 *
 * <p>Contract of them all: the answer is what the manual says, or the error number negated; nothing is thrown for an
 * error, nothing is retried (EINTR and short counts reach the caller), and the calling thread, with its carrier, waits as
 * long as the call does. Memory is native, never on the heap: the kernel cannot follow what the collector moves. A
 * descriptor is a plain int that the caller owns. {@link LocalFile} is the friendlier face.
 */
public final class Posix {
    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_TRUNC = 0x200;
    public static final int O_APPEND = 0x400;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_DSYNC = 0x1000;
    /** O_DIRECT, O_DIRECTORY and O_NOFOLLOW have other numbers on AArch64 than on x86-64. */
    public static final int O_DIRECT = isArm() ? 0x10000 : 0x4000;

    public static final int O_DIRECTORY = isArm() ? 0x4000 : 0x10000;
    public static final int O_NOFOLLOW = isArm() ? 0x8000 : 0x20000;
    public static final int O_CLOEXEC = 0x80000;
    public static final int O_NOATIME = 0x40000;
    public static final int O_PATH = 0x200000;
    public static final int O_TMPFILE = 0x400000 | O_DIRECTORY;

    public static final int SEEK_SET = 0;
    public static final int SEEK_CUR = 1;
    public static final int SEEK_END = 2;
    public static final int SEEK_DATA = 3;
    public static final int SEEK_HOLE = 4;

    public static final int FALLOC_FL_KEEP_SIZE = 1;
    public static final int FALLOC_FL_PUNCH_HOLE = 2;
    public static final int FALLOC_FL_COLLAPSE_RANGE = 8;
    public static final int FALLOC_FL_ZERO_RANGE = 16;
    public static final int FALLOC_FL_INSERT_RANGE = 32;

    public static final int POSIX_FADV_NORMAL = 0;
    public static final int POSIX_FADV_RANDOM = 1;
    public static final int POSIX_FADV_SEQUENTIAL = 2;
    public static final int POSIX_FADV_WILLNEED = 3;
    public static final int POSIX_FADV_DONTNEED = 4;

    public static final int SYNC_FILE_RANGE_WAIT_BEFORE = 1;
    public static final int SYNC_FILE_RANGE_WRITE = 2;
    public static final int SYNC_FILE_RANGE_WAIT_AFTER = 4;

    /** Of {@link #pwritev2}. */
    public static final int RWF_APPEND = 0x10;

    public static final int LOCK_SH = 1;
    public static final int LOCK_EX = 2;
    public static final int LOCK_NB = 4;
    public static final int LOCK_UN = 8;

    public static final int AT_FDCWD = -100;
    public static final int AT_SYMLINK_NOFOLLOW = 0x100;
    public static final int AT_REMOVEDIR = 0x200;
    public static final int AT_SYMLINK_FOLLOW = 0x400;
    public static final int AT_EMPTY_PATH = 0x1000;

    /** In {@link #futimens}: the time is to become now, or to stay. */
    public static final int UTIME_NOW = 0x3fffffff;

    public static final int UTIME_OMIT = 0x3ffffffe;

    private static final int STATX_WANTED = 0xfff;
    private static final int STATX_SIZE = 256;

    private static final MethodHandle OPENAT = Downcall.ofVariadicInt("openat", "ipii", 3);
    private static final MethodHandle CLOSE = Downcall.ofInt("close", "i");
    private static final MethodHandle DUP = Downcall.ofInt("dup", "i");
    private static final MethodHandle READ = Downcall.ofLong("read", "ipl");
    private static final MethodHandle WRITE = Downcall.ofLong("write", "ipl");
    private static final MethodHandle WRITEV = Downcall.ofLong("writev", "ipi");
    private static final MethodHandle PREAD = Downcall.ofLong("pread", "ipll");
    private static final MethodHandle PWRITE = Downcall.ofLong("pwrite", "ipll");
    private static final MethodHandle PWRITEV2 = Downcall.ofLong("pwritev2", "ipili");
    private static final MethodHandle LSEEK = Downcall.ofLong("lseek", "ili");
    private static final MethodHandle FTRUNCATE = Downcall.ofInt("ftruncate", "il");
    private static final MethodHandle FALLOCATE = Downcall.ofInt("fallocate", "iill");
    private static final MethodHandle FSYNC = Downcall.ofInt("fsync", "i");
    private static final MethodHandle FDATASYNC = Downcall.ofInt("fdatasync", "i");
    private static final MethodHandle SYNC_FILE_RANGE = Downcall.ofInt("sync_file_range", "illi");
    private static final MethodHandle FADVISE = Downcall.ofInt("posix_fadvise", "illi");
    private static final MethodHandle FUTIMENS = Downcall.ofInt("futimens", "ip");
    private static final MethodHandle FCHMOD = Downcall.ofInt("fchmod", "ii");
    private static final MethodHandle FCHOWN = Downcall.ofInt("fchown", "iii");
    private static final MethodHandle FLOCK = Downcall.ofInt("flock", "ii");
    private static final MethodHandle STATX = Downcall.ofInt("statx", "ipiip");
    private static final MethodHandle FSTATVFS = Downcall.ofInt("fstatvfs", "ip");
    private static final MethodHandle COPY_FILE_RANGE = Downcall.ofLong("copy_file_range", "ipipli");
    private static final MethodHandle SENDFILE = Downcall.ofLong("sendfile", "iipl");
    private static final MethodHandle LINKAT = Downcall.ofInt("linkat", "ipipi");
    private static final MethodHandle UNLINKAT = Downcall.ofInt("unlinkat", "ipi");
    private static final MethodHandle RENAMEAT2 = Downcall.ofInt("renameat2", "ipipi");
    private static final MethodHandle MKDIRAT = Downcall.ofInt("mkdirat", "ipi");

    private Posix() {}

    private static boolean isArm() {
        return System.getProperty("os.arch").equals("aarch64");
    }

    /** Opens {@code path}; O_CLOEXEC is added, so that no child process inherits the descriptor. */
    public static int open(String path, int flags, int mode) {
        return openat(AT_FDCWD, path, flags, mode);
    }

    public static int openat(int directory, String path, int flags, int mode) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            return result(
                    (int) OPENAT.invokeExact(
                            ErrnoSlots.segment(slot), directory, cString(arena, path), flags | O_CLOEXEC, mode),
                    slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int close(int fd) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) CLOSE.invokeExact(ErrnoSlots.segment(slot), fd), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int dup(int fd) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) DUP.invokeExact(ErrnoSlots.segment(slot), fd), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static long read(int fd, MemorySegment buffer, long length) {
        int slot = ErrnoSlots.take();
        try {
            return result((long) READ.invokeExact(ErrnoSlots.segment(slot), fd, bounded(buffer, length), length), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static long write(int fd, MemorySegment buffer, long length) {
        int slot = ErrnoSlots.take();
        try {
            return result(
                    (long) WRITE.invokeExact(ErrnoSlots.segment(slot), fd, bounded(buffer, length), length), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** @param vectors {@code count} pairs of an address and a length, 8 bytes each */
    public static long writev(int fd, MemorySegment vectors, int count) {
        int slot = ErrnoSlots.take();
        try {
            return result((long) WRITEV.invokeExact(ErrnoSlots.segment(slot), fd, vectors, count), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static long pread(int fd, MemorySegment buffer, long length, long offset) {
        int slot = ErrnoSlots.take();
        try {
            return result(
                    (long) PREAD.invokeExact(ErrnoSlots.segment(slot), fd, bounded(buffer, length), length, offset),
                    slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static long pwrite(int fd, MemorySegment buffer, long length, long offset) {
        int slot = ErrnoSlots.take();
        try {
            return result(
                    (long) PWRITE.invokeExact(ErrnoSlots.segment(slot), fd, bounded(buffer, length), length, offset),
                    slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** @param vectors {@code count} pairs of an address and a length, 8 bytes each */
    public static long pwritev2(int fd, MemorySegment vectors, int count, long offset, int flags) {
        int slot = ErrnoSlots.take();
        try {
            return result(
                    (long) PWRITEV2.invokeExact(ErrnoSlots.segment(slot), fd, vectors, count, offset, flags), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static long lseek(int fd, long offset, int whence) {
        int slot = ErrnoSlots.take();
        try {
            return result((long) LSEEK.invokeExact(ErrnoSlots.segment(slot), fd, offset, whence), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int ftruncate(int fd, long size) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) FTRUNCATE.invokeExact(ErrnoSlots.segment(slot), fd, size), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int fallocate(int fd, int mode, long offset, long length) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) FALLOCATE.invokeExact(ErrnoSlots.segment(slot), fd, mode, offset, length), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int fsync(int fd) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) FSYNC.invokeExact(ErrnoSlots.segment(slot), fd), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int fdatasync(int fd) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) FDATASYNC.invokeExact(ErrnoSlots.segment(slot), fd), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int syncFileRange(int fd, long offset, long length, int flags) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) SYNC_FILE_RANGE.invokeExact(ErrnoSlots.segment(slot), fd, offset, length, flags), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int posixFadvise(int fd, long offset, long length, int advice) {
        int slot = ErrnoSlots.take();
        try {
            // The one call here that answers the error number itself.
            return -(int) FADVISE.invokeExact(ErrnoSlots.segment(slot), fd, offset, length, advice);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** Sets both times; nanoseconds may be {@link #UTIME_NOW} or {@link #UTIME_OMIT}. */
    public static int futimens(int fd, long atimeSeconds, int atimeNanos, long mtimeSeconds, int mtimeNanos) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment times = arena.allocate(32, 8);
            times.set(ValueLayout.JAVA_LONG, 0, atimeSeconds);
            times.set(ValueLayout.JAVA_LONG, 8, atimeNanos);
            times.set(ValueLayout.JAVA_LONG, 16, mtimeSeconds);
            times.set(ValueLayout.JAVA_LONG, 24, mtimeNanos);
            return result((int) FUTIMENS.invokeExact(ErrnoSlots.segment(slot), fd, times), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int fchmod(int fd, int mode) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) FCHMOD.invokeExact(ErrnoSlots.segment(slot), fd, mode), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int fchown(int fd, int uid, int gid) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) FCHOWN.invokeExact(ErrnoSlots.segment(slot), fd, uid, gid), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int flock(int fd, int operation) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) FLOCK.invokeExact(ErrnoSlots.segment(slot), fd, operation), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** Copies within the kernel; with the same file system on both sides it may share the blocks. */
    public static long copyFileRange(int in, long inOffset, int out, long outOffset, long length) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment offsets = arena.allocate(16, 8);
            offsets.set(ValueLayout.JAVA_LONG, 0, inOffset);
            offsets.set(ValueLayout.JAVA_LONG, 8, outOffset);
            return result(
                    (long) COPY_FILE_RANGE.invokeExact(
                            ErrnoSlots.segment(slot), in, offsets, out, offsets.asSlice(8), length, 0),
                    slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** Sends {@code length} bytes of {@code in} from {@code offset} on; {@code in}'s own position stays. */
    public static long sendfile(int out, int in, long offset, long length) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment position = arena.allocate(ValueLayout.JAVA_LONG);
            position.set(ValueLayout.JAVA_LONG, 0, offset);
            return result((long) SENDFILE.invokeExact(ErrnoSlots.segment(slot), out, in, position, length), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int linkat(int oldDirectory, String oldPath, int newDirectory, String newPath, int flags) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            return result(
                    (int) LINKAT.invokeExact(
                            ErrnoSlots.segment(slot),
                            oldDirectory,
                            cString(arena, oldPath),
                            newDirectory,
                            cString(arena, newPath),
                            flags),
                    slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int unlinkat(int directory, String path, int flags) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            return result(
                    (int) UNLINKAT.invokeExact(ErrnoSlots.segment(slot), directory, cString(arena, path), flags), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int renameat2(int oldDirectory, String oldPath, int newDirectory, String newPath, int flags) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            return result(
                    (int) RENAMEAT2.invokeExact(
                            ErrnoSlots.segment(slot),
                            oldDirectory,
                            cString(arena, oldPath),
                            newDirectory,
                            cString(arena, newPath),
                            flags),
                    slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int mkdirat(int directory, String path, int mode) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            return result(
                    (int) MKDIRAT.invokeExact(ErrnoSlots.segment(slot), directory, cString(arena, path), mode), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** @throws PosixException where the manual says an error number */
    public static Stat fstat(int fd) throws PosixException {
        return statx(fd, "", AT_EMPTY_PATH);
    }

    /** @throws PosixException where the manual says an error number */
    public static Stat statx(int directory, String path, int flags) throws PosixException {
        int slot = ErrnoSlots.take();
        int answer;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(STATX_SIZE, 8);
            answer = result(
                    (int) STATX.invokeExact(
                            ErrnoSlots.segment(slot), directory, cString(arena, path), flags, STATX_WANTED, out),
                    slot);
            if (answer == 0) {
                return Structs.stat(out);
            }
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
        throw new PosixException("statx", -answer, path.isEmpty() ? "descriptor " + directory : path);
    }

    /** @throws PosixException where the manual says an error number */
    public static FileSystemStat fstatvfs(int fd) throws PosixException {
        int slot = ErrnoSlots.take();
        int answer;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(Structs.STATVFS_SIZE, 8);
            answer = result((int) FSTATVFS.invokeExact(ErrnoSlots.segment(slot), fd, out), slot);
            if (answer == 0) {
                return Structs.statvfs(out);
            }
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
        throw new PosixException("fstatvfs", -answer, "descriptor " + fd);
    }

    /** The kernel gets an address only: that the memory is as long as the count is checked here. */
    private static MemorySegment bounded(MemorySegment buffer, long length) {
        if (length < 0 || length > buffer.byteSize()) {
            throw new IndexOutOfBoundsException(length + " bytes of a buffer of " + buffer.byteSize());
        }
        return buffer;
    }

    private static int result(int answer, int slot) {
        return answer < 0 ? -ErrnoSlots.errno(slot) : answer;
    }

    private static long result(long answer, int slot) {
        return answer < 0 ? -ErrnoSlots.errno(slot) : answer;
    }
}
