package io.fusecache.cache;

import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * The local disk as the cache needs it: what Linux can do with a file and Java's channels cannot (holes, allocation,
 * exact times, a descriptor for the kernel). The client implements it with system calls; tests with faults.
 *
 * <p>An {@link IOException} of type {@link DiskException} carries the errno. Segments are native memory. Names, links and
 * directories are not here: {@code java.nio.file} does them as well as the system calls.
 */
public interface Disk {
    /** Opens for reading and writing, creating it where {@code create}; NoSuchFileException where it is not there. */
    DiskFile open(Path path, boolean create) throws IOException;

    /**
     * Bytes and inodes that an ordinary user may still take, and the sizes of the file system under {@code directory}.
     * A file system without a fixed number of inodes has Long.MAX_VALUE of them.
     */
    Space space(Path directory) throws IOException;

    /** Makes the entries of a directory durable (fsync of the directory). */
    void syncDirectory(Path directory) throws IOException;

    record Space(long totalBytes, long availableBytes, long availableInodes) {}

    /** A size and the times of a file at one moment. */
    record Stat(long size, long allocatedBytes, Timestamp accessed, Timestamp modified, Timestamp changed) {}

    /** An open file. Reading it here leaves its access time alone. Methods but close may be called from several threads at once. */
    interface DiskFile extends AutoCloseable {
        /** For handing to the kernel as a backing file; owned by this object. -1 where this disk has no real descriptors. */
        int descriptor();

        /** Reads up to {@code target.byteSize()} bytes; fewer only at the end of the file. Returns the count. */
        int read(long offset, MemorySegment target) throws IOException;

        /** Writes all of {@code source}. */
        void write(long offset, MemorySegment source) throws IOException;

        /**
         * Writes all of {@code source} at the end of the file, wherever that is then: no other write comes in between, whoever
         * makes it (pwritev2(2) with RWF_APPEND), as long as the disk has room for all of it.
         */
        void append(MemorySegment source) throws IOException;

        Stat stat() throws IOException;

        void truncate(long size) throws IOException;

        /** fallocate(2) with its {@code mode} bits. */
        void allocate(int mode, long offset, long length) throws IOException;

        /**
         * lseek(2) with SEEK_DATA (3) or SEEK_HOLE (4); with SEEK_SET (0) it says only whether files of this disk may reach
         * that far: EINVAL where not.
         */
        long seek(long offset, int whence) throws IOException;

        /** futimens(2): null leaves that time. */
        void setTimes(
                @org.jspecify.annotations.Nullable Timestamp accessed,
                @org.jspecify.annotations.Nullable Timestamp modified)
                throws IOException;

        /** copy_file_range(2) from this file to another; may copy fewer bytes; returns the count. */
        long copyTo(DiskFile target, long offset, long targetOffset, long length) throws IOException;

        /**
         * Whether anyone but this object may write to it: a descriptor or a mapping that outlived its descriptor, here or
         * in another process. May be true where others only read; false where this disk cannot tell.
         */
        boolean writableElsewhere() throws IOException;

        /** fsync(2), or fdatasync(2) where {@code dataOnly}. */
        void sync(boolean dataOnly) throws IOException;

        @Override
        void close() throws IOException;
    }
}
