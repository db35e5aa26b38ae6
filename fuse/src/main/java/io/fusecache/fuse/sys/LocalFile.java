package io.fusecache.fuse.sys;

import java.io.EOFException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/**
 * An open file on local disk, by descriptor: positional I/O, sizes, holes, durability.
 *
 * <p>Safe for use by several threads; the closer makes sure that none is in a call. Every method waits as long as the
 * disk does and throws {@link PosixException} with the error number. Memory is native.
 */
public final class LocalFile implements AutoCloseable {
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;
    private static final VarHandle CLOSED;

    static {
        try {
            CLOSED = MethodHandles.lookup().findVarHandle(LocalFile.class, "closed", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    private final Path path;
    private final int fd;

    @SuppressWarnings("UnusedVariable") // read and written through CLOSED
    private volatile boolean closed;

    private LocalFile(Path path, int fd) {
        this.path = path;
        this.fd = fd;
    }

    /**
     * Opens the file.
     *
     * @param flags those of open(2), as {@link Posix} names them
     * @param mode the permission bits of a file that this call creates, less the umask
     */
    public static LocalFile open(Path path, int flags, int mode) throws PosixException {
        int fd = Posix.open(path.toString(), flags, mode);
        if (fd < 0) {
            throw new PosixException("open", -fd, path.toString());
        }
        return new LocalFile(path, fd);
    }

    /** The descriptor; it stays this object's. */
    public int fd() {
        return fd;
    }

    public Path path() {
        return path;
    }

    /** Fills {@code buffer} from {@code offset} on, as far as the file goes, and says how far: 0 at its end. */
    public long read(MemorySegment buffer, long offset) throws PosixException {
        long done = 0;
        while (done < buffer.byteSize()) {
            long n = Posix.pread(fd, buffer.asSlice(done), buffer.byteSize() - done, offset + done);
            if (n == 0) {
                break;
            }
            if (n < 0) {
                failUnlessInterrupted("pread", n);
            } else {
                done += n;
            }
        }
        return done;
    }

    /** Fills {@code buffer} whole, or throws {@link EOFException}. */
    public void readFully(MemorySegment buffer, long offset) throws PosixException, EOFException {
        long n = read(buffer, offset);
        if (n < buffer.byteSize()) {
            throw new EOFException(path + " ends at " + (offset + n) + "; " + buffer.byteSize() + " bytes from "
                    + offset + " were wanted");
        }
    }

    /** Writes all of {@code buffer}. */
    public void write(MemorySegment buffer, long offset) throws PosixException {
        long done = 0;
        while (done < buffer.byteSize()) {
            long n = Posix.pwrite(fd, buffer.asSlice(done), buffer.byteSize() - done, offset + done);
            if (n < 0) {
                failUnlessInterrupted("pwrite", n);
            } else {
                done += n;
            }
        }
    }

    /** Writes all of {@code buffer} at the end of the file; in one piece, unless the disk is too full for it. */
    public void append(MemorySegment buffer) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment vector = arena.allocate(16, 8);
            long done = 0;
            while (done < buffer.byteSize()) {
                vector.set(ValueLayout.JAVA_LONG, 0, buffer.address() + done);
                vector.set(ValueLayout.JAVA_LONG, 8, buffer.byteSize() - done);
                long n = Posix.pwritev2(fd, vector, 1, 0, Posix.RWF_APPEND);
                if (n < 0) {
                    failUnlessInterrupted("pwritev2", n);
                } else {
                    done += n;
                }
            }
        }
    }

    public Stat stat() throws PosixException {
        return Posix.fstat(fd);
    }

    public FileSystemStat fileSystem() throws PosixException {
        return Posix.fstatvfs(fd);
    }

    public void truncate(long size) throws PosixException {
        check("ftruncate", Posix.ftruncate(fd, size));
    }

    /** @param mode a mixture of {@code Posix.FALLOC_FL_*} */
    public void allocate(int mode, long offset, long length) throws PosixException {
        check("fallocate", Posix.fallocate(fd, mode, offset, length));
    }

    /**
     * Where data or a hole next begins.
     *
     * @param whence {@link Posix#SEEK_DATA} or {@link Posix#SEEK_HOLE}
     * @throws PosixException ENXIO when there is none, or {@code offset} is past the end
     */
    public long seek(long offset, int whence) throws PosixException {
        return check("lseek", Posix.lseek(fd, offset, whence));
    }

    /** Nanoseconds may be {@link Posix#UTIME_NOW} or {@link Posix#UTIME_OMIT}. */
    public void times(long atimeSeconds, int atimeNanos, long mtimeSeconds, int mtimeNanos) throws PosixException {
        check("futimens", Posix.futimens(fd, atimeSeconds, atimeNanos, mtimeSeconds, mtimeNanos));
    }

    /** Makes bytes and attributes durable. */
    public void sync() throws PosixException {
        check("fsync", Posix.fsync(fd));
    }

    /** Makes bytes durable, and the attributes that reading them back needs. */
    public void syncData() throws PosixException {
        check("fdatasync", Posix.fdatasync(fd));
    }

    /** Starts writing dirty pages of the range to disk; promises nothing. */
    public void startWriteback(long offset, long length) throws PosixException {
        check("sync_file_range", Posix.syncFileRange(fd, offset, length, Posix.SYNC_FILE_RANGE_WRITE));
    }

    /** @param advice one of {@code Posix.POSIX_FADV_*} */
    public void advise(long offset, long length, int advice) throws PosixException {
        check("posix_fadvise", Posix.posixFadvise(fd, offset, length, advice));
    }

    /** Copies within the kernel into {@code target}; may copy less than asked, 0 at the end of this file. */
    public long copyTo(LocalFile target, long offset, long targetOffset, long length) throws PosixException {
        return check("copy_file_range", Posix.copyFileRange(fd, offset, target.fd, targetOffset, length));
    }

    /** Takes an exclusive flock without waiting; false when another descriptor has it. */
    public boolean tryLock() throws PosixException {
        int answer = Posix.flock(fd, Posix.LOCK_EX | Posix.LOCK_NB);
        if (answer == -EAGAIN) {
            return false;
        }
        check("flock", answer);
        return true;
    }

    /**
     * Whether someone else has the file open for writing, or mapped for writing: in this process, in another, or in the
     * kernel (a passed-through open). Where the system counts readers too, they may make it true as well. Takes a lease for
     * a moment, so SIGIO has to be ignored ({@link Linux#ignore}). False where the file system knows no leases.
     */
    public boolean isWritableElsewhere() throws PosixException {
        int answer = Linux.setLease(fd, Linux.F_WRLCK);
        if (answer == 0) {
            check("fcntl", Linux.setLease(fd, Linux.F_UNLCK));
            return false;
        }
        return answer == -EAGAIN;
    }

    /** Closes the descriptor, once. */
    @Override
    public void close() throws PosixException {
        if (CLOSED.compareAndSet(this, false, true)) {
            int answer = Posix.close(fd);
            // The descriptor is gone whatever close(2) answers, EINTR included.
            if (answer < 0 && answer != -EINTR) {
                throw new PosixException("close", -answer, path.toString());
            }
        }
    }

    private long check(String call, long answer) throws PosixException {
        if (answer < 0) {
            throw new PosixException(call, (int) -answer, path.toString());
        }
        return answer;
    }

    private void failUnlessInterrupted(String call, long answer) throws PosixException {
        if (answer != -EINTR) {
            throw new PosixException(call, (int) -answer, path.toString());
        }
    }
}
