package io.fusecache.testkit;

import io.fusecache.cache.Disk;
import io.fusecache.cache.DiskException;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A disk that fails when it is told to, and that can be full. */
public final class FaultyDisk implements Disk {
    private final Disk disk;
    private volatile Fault fault = (operation, path) -> null;
    /** How many bytes more can be written; negative: as many as the disk below takes. */
    private final AtomicLong bytesLeft = new AtomicLong(-1);

    /** What is done to the disk. */
    public enum Operation {
        OPEN,
        READ,
        WRITE,
        STAT,
        TRUNCATE,
        ALLOCATE,
        SYNC,
        SYNC_DIRECTORY,
        SPACE
    }

    /** Decides what fails. */
    @FunctionalInterface
    public interface Fault {
        /** The errno that the operation ends in; null lets it happen. */
        @Nullable Errno of(Operation operation, Path path);
    }

    public FaultyDisk(Disk disk) {
        this.disk = disk;
    }

    public void failing(Fault next) {
        fault = next;
    }

    public void healthy() {
        failing((operation, path) -> null);
        bytesLeft.set(-1);
    }

    /** After {@code bytes} more are written, writes end in ENOSPC. */
    public void fullAfter(long bytes) {
        bytesLeft.set(bytes);
    }

    private void before(Operation operation, Path path) throws DiskException {
        Errno errno = fault.of(operation, path);
        if (errno != null) {
            throw new DiskException(errno, operation + " " + path);
        }
    }

    @Override
    public DiskFile open(Path path, boolean create) throws IOException {
        before(Operation.OPEN, path);
        return new FaultyFile(path, disk.open(path, create));
    }

    @Override
    public Space space(Path directory) throws IOException {
        before(Operation.SPACE, directory);
        Space space = disk.space(directory);
        long left = bytesLeft.get();
        return left < 0 ? space : new Space(space.totalBytes(), left, space.availableInodes());
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        before(Operation.SYNC_DIRECTORY, directory);
        disk.syncDirectory(directory);
    }

    private final class FaultyFile implements DiskFile {
        private final Path path;
        private final DiskFile file;

        FaultyFile(Path path, DiskFile file) {
            this.path = path;
            this.file = file;
        }

        @Override
        public int descriptor() {
            return file.descriptor();
        }

        @Override
        public int read(long offset, MemorySegment target) throws IOException {
            before(Operation.READ, path);
            return file.read(offset, target);
        }

        @Override
        public void write(long offset, MemorySegment source) throws IOException {
            before(Operation.WRITE, path);
            long bytes = source.byteSize();
            long left = bytesLeft.getAndUpdate(now -> now < 0 ? now : Math.max(0, now - bytes));
            if (left >= 0 && left < bytes) {
                throw new DiskException(Errno.ENOSPC, Operation.WRITE + " " + path);
            }
            file.write(offset, source);
        }

        @Override
        public void append(MemorySegment source) throws IOException {
            before(Operation.WRITE, path);
            file.append(source);
        }

        @Override
        public Stat stat() throws IOException {
            before(Operation.STAT, path);
            return file.stat();
        }

        @Override
        public void truncate(long size) throws IOException {
            before(Operation.TRUNCATE, path);
            file.truncate(size);
        }

        @Override
        public void allocate(int mode, long offset, long length) throws IOException {
            before(Operation.ALLOCATE, path);
            file.allocate(mode, offset, length);
        }

        @Override
        public long seek(long offset, int whence) throws IOException {
            return file.seek(offset, whence);
        }

        @Override
        public void setTimes(@Nullable Timestamp accessed, @Nullable Timestamp modified) throws IOException {
            file.setTimes(accessed, modified);
        }

        @Override
        public long copyTo(DiskFile target, long offset, long targetOffset, long length) throws IOException {
            before(Operation.READ, path);
            return file.copyTo(target instanceof FaultyFile f ? f.file : target, offset, targetOffset, length);
        }

        @Override
        public boolean writableElsewhere() throws IOException {
            return file.writableElsewhere();
        }

        @Override
        public void sync(boolean dataOnly) throws IOException {
            before(Operation.SYNC, path);
            file.sync(dataOnly);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
