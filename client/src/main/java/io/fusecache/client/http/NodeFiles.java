package io.fusecache.client.http;

import io.fusecache.filesystem.Node;
import io.fusecache.metadata.ErrnoException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Files by path, as the HTTP API reads, stores and removes them: through the file system of the node, not round it. */
public interface NodeFiles {
    /** ENOENT, ENOTDIR; follows symlinks, ELOOP after 40. One that leads out of the mount is ENOENT. */
    Node find(FilePath path) throws ErrnoException;

    /** Opens a regular file for reading, at the size it has now; EISDIR, EINVAL where it is no regular file. */
    OpenedFile open(Node node) throws ErrnoException;

    /**
     * Stores a whole file and the directories above it: under a name of its own first, renamed when all is there, so that a
     * request that breaks off changes nothing. EISDIR, ENOTDIR.
     *
     * @param length of {@code content}, or -1 where it is not known before
     * @return whether the file is new
     * @throws IOException where {@code content} broke off or has another length
     */
    boolean store(FilePath path, InputStream content, long length) throws ErrnoException, IOException;

    /** unlink(2): ENOENT, EISDIR. */
    void remove(FilePath path) throws ErrnoException;

    /**
     * Lists in the bucket what the path leads to, or where that is no directory, what it is in; and what is on the way to it and not known:
     * then it is there on all nodes. Takes as long as listings take.
     *
     * @param path empty for the root
     * @return how many names changed
     * @throws ErrnoException ENOENT; EIO where the bucket does not answer
     */
    int relist(Optional<FilePath> path) throws ErrnoException;

    /** A file open for reading. Used by one thread. */
    interface OpenedFile extends AutoCloseable {
        long size();

        /** Reads up to {@code target.byteSize()} bytes; fewer only at the end of the file. Returns the count. */
        int read(long offset, MemorySegment target) throws ErrnoException;

        @Override
        void close() throws ErrnoException;
    }
}
