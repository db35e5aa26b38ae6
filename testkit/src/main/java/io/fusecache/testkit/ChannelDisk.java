package io.fusecache.testkit;

import io.fusecache.cache.Disk;
import io.fusecache.cache.DiskException;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A disk over Java's channels: no descriptor for the kernel, holes are zeros, what is allocated is what the size says.
 * Enough for every test of what stands above the disk.
 */
public final class ChannelDisk implements Disk {
    private static final int PUNCH_HOLE = 2;
    private static final int KEEP_SIZE = 1;
    private static final int ZERO_RANGE = 16;
    /** As on ext4. */
    private static final long LONGEST_FILE_BYTES = (1L << 44) - 4096;

    private static final int SEEK_SET = 0;
    private static final int SEEK_DATA = 3;

    /** As set last: what channels read would change that of the file. */
    private final Map<Path, Timestamp> accessed = new ConcurrentHashMap<>();

    private final AtomicBoolean mapped = new AtomicBoolean();

    /** Whether every file looks as if a mapping could write it. */
    public void mapped(boolean mapped) {
        this.mapped.set(mapped);
    }

    @Override
    public DiskFile open(Path path, boolean create) throws IOException {
        Set<StandardOpenOption> options = create
                ? Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE)
                : Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
        return new ChannelFile(path, FileChannel.open(path, options), accessed, mapped);
    }

    @Override
    public Space space(Path directory) throws IOException {
        FileStore store = Files.getFileStore(directory);
        return new Space(store.getTotalSpace(), store.getUsableSpace(), Long.MAX_VALUE);
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private record ChannelFile(Path path, FileChannel channel, Map<Path, Timestamp> accessTimes, AtomicBoolean mapped)
            implements DiskFile {
        @Override
        public int descriptor() {
            return -1;
        }

        @Override
        public int read(long offset, MemorySegment target) throws IOException {
            ByteBuffer buffer = target.asByteBuffer();
            int done = 0;
            while (buffer.hasRemaining()) {
                int count = channel.read(buffer, offset + done);
                if (count < 0) {
                    break;
                }
                done += count;
            }
            return done;
        }

        @Override
        public void write(long offset, MemorySegment source) throws IOException {
            ByteBuffer buffer = source.asByteBuffer();
            long at = offset;
            try {
                while (buffer.hasRemaining()) {
                    at += channel.write(buffer, at);
                }
            } catch (IOException e) {
                throw translated(e);
            }
        }

        @Override
        public void append(MemorySegment source) throws IOException {
            // Channels of one path are many, and appending ones write where they like: one lock for all of them.
            synchronized (accessTimes) {
                write(channel.size(), source);
            }
        }

        private IOException translated(IOException e) {
            return String.valueOf(e.getMessage()).contains("No space left")
                    ? new DiskException(Errno.ENOSPC, "write " + path)
                    : e;
        }

        @Override
        public Stat stat() throws IOException {
            long size = channel.size();
            try {
                FileTime modified = (FileTime) Files.getAttribute(path, "unix:lastModifiedTime");
                FileTime changed = (FileTime) Files.getAttribute(path, "unix:ctime");
                return new Stat(
                        size, size, accessTimes.getOrDefault(path, time(modified)), time(modified), time(changed));
            } catch (NoSuchFileException unlinked) {
                return new Stat(size, size, Timestamp.EPOCH, Timestamp.EPOCH, Timestamp.EPOCH);
            }
        }

        private static Timestamp time(FileTime time) {
            return Timestamp.of(time.toInstant());
        }

        @Override
        public void truncate(long size) throws IOException {
            long now = channel.size();
            if (size < now) {
                channel.truncate(size);
            } else if (size > now) {
                write(size - 1, MemorySegment.ofArray(new byte[1]));
            }
        }

        @Override
        public void allocate(int mode, long offset, long length) throws IOException {
            if ((mode & (PUNCH_HOLE | ZERO_RANGE)) != 0) {
                long end = (mode & KEEP_SIZE) != 0 ? Math.min(offset + length, channel.size()) : offset + length;
                zero(offset, end);
            } else if ((mode & KEEP_SIZE) == 0 && offset + length > channel.size()) {
                truncate(offset + length);
            }
        }

        private void zero(long from, long to) throws IOException {
            byte[] zeros = new byte[64 << 10];
            for (long at = from; at < to; at += zeros.length) {
                write(at, MemorySegment.ofArray(zeros).asSlice(0, Math.min(zeros.length, to - at)));
            }
        }

        @Override
        public long seek(long offset, int whence) throws IOException {
            if (whence == SEEK_SET) {
                if (offset > LONGEST_FILE_BYTES) {
                    throw new DiskException(Errno.EINVAL, "seek to " + offset + " in " + path);
                }
                return offset;
            }
            long size = channel.size();
            if (offset >= size) {
                throw new DiskException(Errno.ENXIO, "seek to " + offset + " in " + path);
            }
            return whence == SEEK_DATA ? offset : size;
        }

        @Override
        public void setTimes(@Nullable Timestamp accessed, @Nullable Timestamp modified) throws IOException {
            if (accessed != null) {
                accessTimes.put(path, accessed);
            }
            Files.getFileAttributeView(path, BasicFileAttributeView.class)
                    .setTimes(fileTime(modified), fileTime(accessed), null);
        }

        private static @Nullable FileTime fileTime(@Nullable Timestamp time) {
            return time == null ? null : FileTime.from(time.toInstant());
        }

        @Override
        public long copyTo(DiskFile target, long offset, long targetOffset, long length) throws IOException {
            MemorySegment piece = MemorySegment.ofArray(new byte[(int) Math.min(length, 1 << 20)]);
            int count = read(offset, piece);
            target.write(targetOffset, piece.asSlice(0, count));
            return count;
        }

        @Override
        public boolean writableElsewhere() {
            return mapped.get();
        }

        @Override
        public void sync(boolean dataOnly) throws IOException {
            channel.force(!dataOnly);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
