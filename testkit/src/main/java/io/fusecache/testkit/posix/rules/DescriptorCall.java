package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.rules.DescriptorCall.Needs.ANYTHING;
import static io.fusecache.testkit.posix.rules.DescriptorCall.Needs.BOTH;
import static io.fusecache.testkit.posix.rules.DescriptorCall.Needs.OPEN;
import static io.fusecache.testkit.posix.rules.DescriptorCall.Needs.READABLE;
import static io.fusecache.testkit.posix.rules.DescriptorCall.Needs.WRITABLE;
import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EAGAIN;
import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EISDIR;
import static io.fusecache.testkit.posix.scene.Errno.ENODATA;
import static io.fusecache.testkit.posix.scene.Errno.ENODEV;
import static io.fusecache.testkit.posix.scene.Errno.ESPIPE;
import static io.fusecache.testkit.posix.scene.Flags.AT_EMPTY_PATH;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_KEEP_SIZE;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_PUNCH_HOLE;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_ZERO_RANGE;
import static io.fusecache.testkit.posix.scene.Flags.F_GETLK;
import static io.fusecache.testkit.posix.scene.Flags.F_OFD_SETLK;
import static io.fusecache.testkit.posix.scene.Flags.F_RDLCK;
import static io.fusecache.testkit.posix.scene.Flags.F_SETLK;
import static io.fusecache.testkit.posix.scene.Flags.F_WRLCK;
import static io.fusecache.testkit.posix.scene.Flags.LOCK_EX;
import static io.fusecache.testkit.posix.scene.Flags.LOCK_NB;
import static io.fusecache.testkit.posix.scene.Flags.LOCK_SH;
import static io.fusecache.testkit.posix.scene.Flags.MAP_PRIVATE;
import static io.fusecache.testkit.posix.scene.Flags.MAP_SHARED;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.PROT_READ;
import static io.fusecache.testkit.posix.scene.Flags.PROT_WRITE;
import static io.fusecache.testkit.posix.scene.Flags.RWF_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_CUR;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_END;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;
import static io.fusecache.testkit.posix.scene.Flags.STATX_BASIC_STATS;
import static io.fusecache.testkit.posix.scene.Flags.SYNC_FILE_RANGE_WRITE;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Syscall;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A call that takes a descriptor, as a row of the tables that hold for all such calls.
 *
 * @param what which of its forms, or which of its descriptors; empty where there is one alone
 * @param needs how the descriptor must be open
 * @param refusal what the call gives where it is not
 * @param onDirectory what it gives for a directory open for reading; null where it does it
 * @param onFifo what it gives for a FIFO open for both, without waiting; null where it does it
 * @param onNull what it gives for /dev/null open for both; null where it does it
 */
record DescriptorCall(
        String page,
        String what,
        Needs needs,
        Errno refusal,
        @Nullable Errno onDirectory,
        @Nullable Errno onFifo,
        @Nullable Errno onNull,
        Act act) {
    /** How a descriptor must be open. */
    enum Needs {
        /** Even O_PATH will do. */
        ANYTHING,
        /** For reading or for writing. */
        OPEN,
        READABLE,
        WRITABLE,
        BOTH;

        boolean metBy(int accessMode) {
            return switch (this) {
                case ANYTHING, OPEN -> true;
                case READABLE -> accessMode != O_WRONLY;
                case WRITABLE -> accessMode != O_RDONLY;
                case BOTH -> accessMode == O_RDWR;
            };
        }
    }

    /** The call itself. A file of 4096 bytes called {@link #SPARE} is there for those that need a second one. */
    @FunctionalInterface
    interface Act {
        Outcome on(Caller caller, int fd);
    }

    static final String SPARE = "spare";

    /** Of {@link #SPARE}, and of the file that the call is made on. */
    static final int BYTES = 4096;

    private static final int BUFFER = 16;

    static final List<DescriptorCall> ALL = List.of(
            reads("read(2)", "", EISDIR, EAGAIN, null, (c, fd) -> c.read(fd, BUFFER)),
            reads("pread(2)", "", EISDIR, ESPIPE, null, (c, fd) -> c.pread(fd, BUFFER, 0)),
            reads("readv(2)", "", EISDIR, EAGAIN, null, (c, fd) -> c.call(Syscall.READV, fd, c.readVector(8, 8), 2)),
            reads(
                    "preadv(2)",
                    "",
                    EISDIR,
                    ESPIPE,
                    null,
                    (c, fd) -> c.call(Syscall.PREADV, fd, c.readVector(8, 8), 2, 0, 0)),
            reads(
                    "preadv2(2)",
                    "",
                    EISDIR,
                    ESPIPE,
                    null,
                    (c, fd) -> c.call(Syscall.PREADV2, fd, c.readVector(8, 8), 2, 0, 0, 0)),
            writes("write(2)", "", EBADF, null, null, (c, fd) -> c.write(fd, "bytes")),
            writes("pwrite(2)", "", EBADF, ESPIPE, null, (c, fd) -> c.pwrite(fd, "bytes", 0)),
            writes(
                    "writev(2)",
                    "",
                    EBADF,
                    null,
                    null,
                    (c, fd) -> c.call(Syscall.WRITEV, fd, c.writeVector("a", "b"), 2)),
            writes(
                    "pwritev(2)",
                    "",
                    EBADF,
                    ESPIPE,
                    null,
                    (c, fd) -> c.call(Syscall.PWRITEV, fd, c.writeVector("a", "b"), 2, 0, 0)),
            writes(
                    "pwritev2(2)",
                    "",
                    EBADF,
                    ESPIPE,
                    null,
                    (c, fd) -> c.call(Syscall.PWRITEV2, fd, c.writeVector("a", "b"), 2, 0, 0, 0)),
            writes(
                    "pwritev2(2)",
                    "RWF_APPEND",
                    EBADF,
                    ESPIPE,
                    null,
                    (c, fd) -> c.call(Syscall.PWRITEV2, fd, c.writeVector("a", "b"), 2, 0, 0, RWF_APPEND)),
            open("lseek(2)", "SEEK_SET", null, ESPIPE, null, (c, fd) -> c.lseek(fd, 1, SEEK_SET)),
            open("lseek(2)", "SEEK_CUR", null, ESPIPE, null, (c, fd) -> c.lseek(fd, 0, SEEK_CUR)),
            open("lseek(2)", "SEEK_END", null, ESPIPE, null, (c, fd) -> c.lseek(fd, 0, SEEK_END)),
            new DescriptorCall(
                    "ftruncate(2)", "", WRITABLE, EINVAL, EINVAL, EINVAL, EINVAL, (c, fd) -> c.ftruncate(fd, 100)),
            writes("fallocate(2)", "", EBADF, ESPIPE, ENODEV, (c, fd) -> c.fallocate(fd, 0, 0, BYTES)),
            writes(
                    "fallocate(2)",
                    "KEEP_SIZE",
                    EBADF,
                    ESPIPE,
                    ENODEV,
                    (c, fd) -> c.fallocate(fd, FALLOC_FL_KEEP_SIZE, BYTES, BYTES)),
            writes(
                    "fallocate(2)",
                    "PUNCH_HOLE",
                    EBADF,
                    ESPIPE,
                    ENODEV,
                    (c, fd) -> c.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BYTES)),
            writes(
                    "fallocate(2)",
                    "ZERO_RANGE",
                    EBADF,
                    ESPIPE,
                    ENODEV,
                    (c, fd) -> c.fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, BYTES)),
            open("fsync(2)", "", null, EINVAL, EINVAL, Caller::fsync),
            open("fdatasync(2)", "", null, EINVAL, EINVAL, (c, fd) -> c.call(Syscall.FDATASYNC, fd)),
            open("syncfs(2)", "", null, null, null, (c, fd) -> c.call(Syscall.SYNCFS, fd)),
            open(
                    "sync_file_range(2)",
                    "",
                    null,
                    ESPIPE,
                    ESPIPE,
                    (c, fd) -> c.call(Syscall.SYNC_FILE_RANGE, fd, 0, BYTES, SYNC_FILE_RANGE_WRITE)),
            reads(
                    "copy_file_range(2)",
                    "source",
                    EISDIR,
                    EINVAL,
                    EINVAL,
                    (c, fd) -> c.copyFileRange(fd, 0, spare(c), 0, 10, 0)),
            writes(
                    "copy_file_range(2)",
                    "destination",
                    EISDIR,
                    EINVAL,
                    EINVAL,
                    (c, fd) -> c.copyFileRange(spare(c), 0, fd, 0, 10, 0)),
            writes(
                    "sendfile(2)",
                    "destination",
                    EBADF,
                    null,
                    null,
                    (c, fd) -> c.call(Syscall.SENDFILE, fd, spare(c), 0, 10)),
            map("MAP_SHARED to read", READABLE, PROT_READ, MAP_SHARED),
            map("MAP_PRIVATE to write", READABLE, PROT_READ | PROT_WRITE, MAP_PRIVATE),
            map("MAP_SHARED to write", BOTH, PROT_READ | PROT_WRITE, MAP_SHARED),
            open("flock(2)", "LOCK_SH", null, null, null, (c, fd) -> c.flock(fd, LOCK_SH | LOCK_NB)),
            open("flock(2)", "LOCK_EX", null, null, null, (c, fd) -> c.flock(fd, LOCK_EX | LOCK_NB)),
            reads(
                    "fcntl_locking(2)",
                    "F_RDLCK",
                    null,
                    null,
                    null,
                    (c, fd) -> c.lock(fd, F_SETLK, F_RDLCK, SEEK_SET, 0, 1)),
            writes(
                    "fcntl_locking(2)",
                    "F_WRLCK",
                    EBADF,
                    null,
                    null,
                    (c, fd) -> c.lock(fd, F_SETLK, F_WRLCK, SEEK_SET, 0, 1)),
            reads(
                    "fcntl_locking(2)",
                    "F_OFD_SETLK of F_RDLCK",
                    null,
                    null,
                    null,
                    (c, fd) -> c.lock(fd, F_OFD_SETLK, F_RDLCK, SEEK_SET, 0, 1)),
            writes(
                    "fcntl_locking(2)",
                    "F_OFD_SETLK of F_WRLCK",
                    EBADF,
                    null,
                    null,
                    (c, fd) -> c.lock(fd, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 1)),
            open(
                    "fcntl_locking(2)",
                    "F_GETLK",
                    null,
                    null,
                    null,
                    (c, fd) -> c.lock(fd, F_GETLK, F_RDLCK, SEEK_SET, 0, 1)),
            open(
                    "fgetxattr(2)",
                    "",
                    ENODATA,
                    ENODATA,
                    ENODATA,
                    (c, fd) -> c.call(Syscall.FGETXATTR, fd, "trusted.none", 0, 0)),
            open("flistxattr(2)", "", null, null, null, (c, fd) -> c.call(Syscall.FLISTXATTR, fd, c.buffer(), 100)),
            open(
                    "fsetxattr(2)",
                    "",
                    null,
                    null,
                    null,
                    (c, fd) -> c.call(Syscall.FSETXATTR, fd, "trusted.new", "v", 1, 0)),
            open(
                    "fremovexattr(2)",
                    "",
                    ENODATA,
                    ENODATA,
                    ENODATA,
                    (c, fd) -> c.call(Syscall.FREMOVEXATTR, fd, "trusted.none")),
            open("fchmod(2)", "", null, null, null, (c, fd) -> c.fchmod(fd, 0640)),
            open("fchown(2)", "", null, null, null, (c, fd) -> c.fchown(fd, -1, -1)),
            open("utimensat(2)", "of a descriptor", null, null, null, (c, fd) -> c.futimens(fd, 0)),
            any("statx(2)", "of a descriptor", (c, fd) -> c.statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS)),
            any("fstat(2)", "", (c, fd) -> c.call(Syscall.NEWFSTATAT, fd, "", c.buffer(), AT_EMPTY_PATH)),
            any("fstatfs(2)", "", (c, fd) -> c.call(Syscall.FSTATFS, fd, c.buffer())),
            any("dup(2)", "", Caller::dup));

    private static DescriptorCall reads(
            String page,
            String what,
            @Nullable Errno directory,
            @Nullable Errno fifo,
            @Nullable Errno device,
            Act act) {
        return new DescriptorCall(page, what, READABLE, EBADF, directory, fifo, device, act);
    }

    private static DescriptorCall writes(
            String page, String what, Errno directory, @Nullable Errno fifo, @Nullable Errno device, Act act) {
        return new DescriptorCall(page, what, WRITABLE, EBADF, directory, fifo, device, act);
    }

    private static DescriptorCall open(
            String page,
            String what,
            @Nullable Errno directory,
            @Nullable Errno fifo,
            @Nullable Errno device,
            Act act) {
        return new DescriptorCall(page, what, OPEN, EBADF, directory, fifo, device, act);
    }

    private static DescriptorCall any(String page, String what, Act act) {
        return new DescriptorCall(page, what, ANYTHING, EBADF, null, null, null, act);
    }

    /** /dev/null can be mapped privately alone, where its mappings are memory. */
    private static DescriptorCall map(String what, Needs needs, int protection, int flags) {
        return new DescriptorCall(
                "mmap(2)",
                what,
                needs,
                EACCES,
                needs == BOTH ? EACCES : ENODEV,
                ENODEV,
                ENODEV,
                (c, fd) -> c.mmap(BYTES, protection, flags, fd, 0));
    }

    private static int spare(Caller caller) {
        return caller.open(SPARE, O_RDWR).okInt();
    }

    /** What it gives for a regular file that is open as it must be; null where it does it. */
    @Nullable Errno onFile() {
        return onDirectory == ENODATA ? ENODATA : null;
    }

    /** For the end of a rule's text. */
    String form() {
        return what.isEmpty() ? "" : " (" + what + ")";
    }

    /** Whether the inode's owner or its own permissions matter, however it was opened. */
    boolean asksTheInode() {
        return page.startsWith("fsetxattr")
                || page.startsWith("fgetxattr")
                || page.startsWith("fremovexattr")
                || page.startsWith("fch")
                || page.startsWith("utimensat");
    }
}
