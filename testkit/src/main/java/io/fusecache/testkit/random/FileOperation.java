package io.fusecache.testkit.random;

/**
 * One operation on the file. Each has a meaning whatever the file is like when its turn comes, so any part of a list of them
 * is a list that can be run. Offsets, lengths and sizes are bytes; {@code fill} says which bytes are written.
 */
public sealed interface FileOperation {
    /** What the file may be open as, at the same time. It is opened when it is first needed. */
    enum Handle {
        PLAIN,
        APPEND,
        DIRECT
    }

    /** How what was stored in a mapping is written back before it is unmapped. */
    enum Sync {
        NONE,
        ASYNC,
        SYNC
    }

    record Read(int offset, int length) implements FileOperation {}

    record Write(int offset, int length, int fill) implements FileOperation {}

    record Append(int length, int fill) implements FileOperation {}

    /** Offset and length are multiples of 4 KiB, as in {@link DirectWrite}. */
    record DirectRead(int offset, int length) implements FileOperation {}

    record DirectWrite(int offset, int length, int fill) implements FileOperation {}

    /** As far as the file goes. */
    record MapRead(int offset, int length, boolean shared) implements FileOperation {}

    /** As far as the file goes. */
    record MapWrite(int offset, int length, int fill, Sync sync) implements FileOperation {}

    record Truncate(int size, boolean byPath) implements FileOperation {}

    record Punch(int offset, int length) implements FileOperation {}

    record Zero(int offset, int length, boolean keepSize) implements FileOperation {}

    record Allocate(int offset, int length, boolean keepSize) implements FileOperation {}

    /** copy_file_range(2) within the file. */
    record Copy(int from, int to, int length) implements FileOperation {}

    record Fsync(Handle handle, boolean onlyBytes) implements FileOperation {}

    /** Writes back, and has the kernel forget the pages of the file. */
    record DropPages() implements FileOperation {}

    /** The size, by descriptor and by path. */
    record Status() implements FileOperation {}

    /** Walks along SEEK_DATA and SEEK_HOLE. */
    record Holes() implements FileOperation {}

    /** Reads all of it. */
    record ReadAll() implements FileOperation {}

    record Close(Handle handle) implements FileOperation {}

    record CloseAll() implements FileOperation {}

    /** Opens it once more with O_TRUNC, and closes that descriptor. */
    record OpenTruncated() implements FileOperation {}

    /** To its other name. */
    record Rename() implements FileOperation {}

    /** {@link Surroundings.Incident} */
    record Happen(String name, boolean closed) implements FileOperation {}
}
