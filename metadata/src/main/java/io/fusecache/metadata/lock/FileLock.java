package io.fusecache.metadata.lock;

/**
 * A lock that is asked for, or held.
 *
 * @param owner a process or an open file description of one node, as its kernel numbers them
 * @param pid of the process that asked, on its node; 0 where the kernel does not tell
 * @param type {@link LockType#UNLOCKED} asks to give the range back
 * @param start the first byte
 * @param end the last byte, included; {@link #TO_END} however far the file grows
 */
public record FileLock(long ino, LockKind kind, long owner, int pid, LockType type, long start, long end) {
    public static final long TO_END = Long.MAX_VALUE;

    /** Everything that an owner may hold of a file, given back. */
    public static FileLock release(long ino, LockKind kind, long owner) {
        return new FileLock(ino, kind, owner, 0, LockType.UNLOCKED, 0, TO_END);
    }

    public boolean overlaps(FileLock other) {
        return start <= other.end && other.start <= end;
    }
}
