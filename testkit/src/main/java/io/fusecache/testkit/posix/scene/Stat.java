package io.fusecache.testkit.posix.scene;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;

/**
 * What statx(2) says about a file. Times are nanoseconds since 1970.
 *
 * @param mask which fields were answered, STATX_ constants
 * @param mode type and permission bits
 * @param blocks of 512 bytes
 */
public record Stat(
        int mask,
        int blockSize,
        int links,
        int uid,
        int gid,
        int mode,
        long ino,
        long size,
        long blocks,
        long atime,
        long btime,
        long ctime,
        long mtime,
        int deviceMajor,
        int deviceMinor,
        long device,
        int directMemoryAlignment,
        int directOffsetAlignment) {
    static final int BYTES = 256;
    private static final long NANOS = 1_000_000_000L;

    static Stat of(MemorySegment s) {
        return new Stat(
                s.get(JAVA_INT, 0),
                s.get(JAVA_INT, 4),
                s.get(JAVA_INT, 16),
                s.get(JAVA_INT, 20),
                s.get(JAVA_INT, 24),
                s.get(JAVA_SHORT, 28) & 0xffff,
                s.get(JAVA_LONG, 32),
                s.get(JAVA_LONG, 40),
                s.get(JAVA_LONG, 48),
                nanos(s, 64),
                nanos(s, 80),
                nanos(s, 96),
                nanos(s, 112),
                s.get(JAVA_INT, 128),
                s.get(JAVA_INT, 132),
                ((long) s.get(JAVA_INT, 136) << 32) | s.get(JAVA_INT, 140),
                s.get(JAVA_INT, 152),
                s.get(JAVA_INT, 156));
    }

    private static long nanos(MemorySegment s, long at) {
        return s.get(JAVA_LONG, at) * NANOS + s.get(JAVA_INT, at + 8);
    }

    /** The twelve permission bits. */
    public int permissions() {
        return mode & 07777;
    }

    /** The S_IFMT bits. */
    public int typeBits() {
        return mode & FileType.MASK;
    }
}
