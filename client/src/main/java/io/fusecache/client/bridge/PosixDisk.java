package io.fusecache.client.bridge;

import io.fusecache.cache.Disk;
import io.fusecache.cache.DiskException;
import io.fusecache.fuse.sys.FileSystemStat;
import io.fusecache.fuse.sys.Linux;
import io.fusecache.fuse.sys.LocalFile;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.sys.PosixException;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedChannelException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The local disk, by the system calls of {@code fuse.sys}. */
public final class PosixDisk implements Disk {
    private static final int NEW_FILE_MODE = 0600;
    private static final int BLOCK_UNIT = 512;

    public PosixDisk() {
        // Of whoever opens a file just while its lease is looked at; the default would end the process.
        int answer = Linux.ignore(Linux.SIGIO);
        if (answer < 0) {
            throw new IllegalStateException("SIGIO cannot be ignored: error " + -answer);
        }
    }

    @Override
    public DiskFile open(Path path, boolean create) throws IOException {
        int flags = Posix.O_RDWR | Posix.O_CLOEXEC | Posix.O_NOATIME | (create ? Posix.O_CREAT : 0);
        try {
            return new PosixFile(LocalFile.open(path, flags, NEW_FILE_MODE));
        } catch (PosixException e) {
            if (e.errno() == Errno.ENOENT.number()) {
                throw new NoSuchFileException(path.toString());
            }
            throw translated(e);
        }
    }

    @Override
    public Space space(Path directory) throws IOException {
        try (LocalFile file = LocalFile.open(directory, Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_CLOEXEC, 0)) {
            FileSystemStat stat = file.fileSystem();
            return new Space(stat.totalBytes(), stat.availableBytes(), stat.freeFiles());
        } catch (PosixException e) {
            throw translated(e);
        }
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        try (LocalFile file = LocalFile.open(directory, Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_CLOEXEC, 0)) {
            file.sync();
        } catch (PosixException e) {
            throw translated(e);
        }
    }

    private static DiskException translated(PosixException e) {
        DiskException translated = new DiskException(Errno.of(e.errno()), String.valueOf(e.getMessage()));
        translated.initCause(e);
        return translated;
    }

    /**
     * An open file that may be closed while others are in a call: the descriptor is given back when the last of them is
     * through, so that no call ever meets a number that means another file by then.
     */
    private static final class PosixFile implements DiskFile {
        private static final int CLOSED = Integer.MIN_VALUE;

        private final LocalFile file;

        /** Calls under way; with the sign bit once it is closed. */
        private final AtomicInteger calls = new AtomicInteger();

        PosixFile(LocalFile file) {
            this.file = file;
        }

        /** A call with a result; {@code long} serves them all without boxing. */
        private interface Call {
            long on(LocalFile file) throws IOException;
        }

        private long during(Call call) throws IOException {
            enter();
            try {
                return call.on(file);
            } catch (PosixException e) {
                throw translated(e);
            } finally {
                leave();
            }
        }

        private void enter() throws IOException {
            if (calls.incrementAndGet() < 0) {
                leave();
                throw new ClosedChannelException();
            }
        }

        private void leave() throws IOException {
            if (calls.decrementAndGet() == CLOSED) {
                file.close();
            }
        }

        @Override
        public int descriptor() {
            return file.fd();
        }

        @Override
        public int read(long offset, MemorySegment target) throws IOException {
            return (int) during(f -> f.read(target, offset));
        }

        @Override
        public void write(long offset, MemorySegment source) throws IOException {
            during(f -> {
                f.write(source, offset);
                return 0;
            });
        }

        @Override
        public void append(MemorySegment source) throws IOException {
            during(f -> {
                f.append(source);
                return 0;
            });
        }

        @Override
        public Stat stat() throws IOException {
            enter();
            try {
                io.fusecache.fuse.sys.Stat stat = file.stat();
                return new Stat(
                        stat.size(),
                        stat.blocks() * BLOCK_UNIT,
                        new Timestamp(stat.atimeSeconds(), stat.atimeNanos()),
                        new Timestamp(stat.mtimeSeconds(), stat.mtimeNanos()),
                        new Timestamp(stat.ctimeSeconds(), stat.ctimeNanos()));
            } catch (PosixException e) {
                throw translated(e);
            } finally {
                leave();
            }
        }

        @Override
        public void truncate(long size) throws IOException {
            during(f -> {
                f.truncate(size);
                return 0;
            });
        }

        @Override
        public void allocate(int mode, long offset, long length) throws IOException {
            during(f -> {
                f.allocate(mode, offset, length);
                return 0;
            });
        }

        @Override
        public long seek(long offset, int whence) throws IOException {
            return during(f -> f.seek(offset, whence));
        }

        @Override
        public void setTimes(@Nullable Timestamp accessed, @Nullable Timestamp modified) throws IOException {
            during(f -> {
                f.times(
                        accessed == null ? 0 : accessed.seconds(),
                        accessed == null ? Posix.UTIME_OMIT : accessed.nanos(),
                        modified == null ? 0 : modified.seconds(),
                        modified == null ? Posix.UTIME_OMIT : modified.nanos());
                return 0;
            });
        }

        @Override
        public long copyTo(DiskFile target, long offset, long targetOffset, long length) throws IOException {
            if (!(target instanceof PosixFile other)) {
                throw new IllegalArgumentException("a file of another disk");
            }
            other.enter();
            try {
                return during(f -> f.copyTo(other.file, offset, targetOffset, length));
            } finally {
                other.leave();
            }
        }

        @Override
        public boolean writableElsewhere() throws IOException {
            return during(f -> f.isWritableElsewhere() ? 1 : 0) == 1;
        }

        @Override
        public void sync(boolean dataOnly) throws IOException {
            during(f -> {
                if (dataOnly) {
                    f.syncData();
                } else {
                    f.sync();
                }
                return 0;
            });
        }

        @Override
        public void close() throws IOException {
            int before = calls.getAndUpdate(n -> n < 0 ? n : n + CLOSED);
            if (before == 0) {
                file.close();
            }
        }
    }
}
