package io.fusecache.cache;

import io.fusecache.metadata.Timestamp;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One operation on a file that is open for writing at its home, asked for by another node ({@link Homes}).
 *
 * <p>A {@code handle} is an open file of the asking process, which gives the numbers, each once and in ascending order. What is
 * allowed without one concerns the file as it is being written at that moment.
 */
public sealed interface HomeRequest {
    /** Bytes of a {@link Read}, {@link Write} or {@link Append}. */
    int MAX_BYTES = 1 << 20;

    /** Handles that one process may have open at one home. */
    int MAX_HANDLES = 1 << 16;

    /** Uses a handle. */
    sealed interface OfHandle extends HomeRequest {
        long ino();

        long handle();
    }

    /** Changes the file, or says that it may be changed: executed once, however often the same sequence of a handle is sent. */
    sealed interface Change extends OfHandle {
        long sequence();
    }

    /**
     * Opens the file where this is its home. Of a handle that is open: whether it still is of the file that is being written
     * here.
     */
    record Open(long ino, long handle, boolean write) implements OfHandle {}

    /** Fills as much memory as comes with it; the value is how many bytes there were. */
    record Read(long ino, long handle, long offset) implements OfHandle {}

    /** As {@link Read} without a handle. */
    record Peek(long ino, long offset) implements HomeRequest {}

    record Write(long ino, long handle, long sequence, long offset) implements Change {}

    /** Writes at the end of the file, wherever that is when it is written: open(2) with O_APPEND. */
    record Append(long ino, long handle, long sequence) implements Change {}

    record Truncate(long ino, long handle, long sequence, long size) implements Change {}

    /** fallocate(2). */
    record Allocate(long ino, long handle, long sequence, int mode, long offset, long length) implements Change {}

    /** lseek(2) with SEEK_DATA or SEEK_HOLE; the value is where. */
    record Seek(long ino, long handle, long offset, int whence) implements OfHandle {}

    record Sync(long ino, long handle, boolean dataOnly) implements OfHandle {}

    /** close(2) of one descriptor: what was written so far is committed when the answer comes. */
    record Flush(long ino, long handle) implements OfHandle {}

    /** The handle is closed, whatever the answer. */
    record Release(long ino, long handle) implements OfHandle {}

    /** fstat(2). */
    record Inspect(long ino) implements HomeRequest {}

    /** utimensat(2): null leaves that time. */
    record SetTimes(
            long ino,
            @Nullable Timestamp accessed,
            @Nullable Timestamp modified) implements HomeRequest {}

    /**
     * The asking process is alive. Of its handles up to {@code newest} only those in {@code open} are in use: the home closes the
     * others.
     */
    record KeepAlive(long newest, List<Long> open) implements HomeRequest {}
}
