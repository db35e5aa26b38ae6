package io.fusecache.fuse.sys;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;

/** The C structs that calls fill, read into records. Offsets are those of Linux on 64-bit machines. */
final class Structs {
    static final int STATVFS_SIZE = 112;

    private Structs() {}

    static Stat stat(MemorySegment s) {
        return new Stat(
                s.get(JAVA_LONG, 32),
                s.get(JAVA_LONG, 40),
                s.get(JAVA_LONG, 48),
                s.get(JAVA_SHORT, 28) & 0xffff,
                s.get(JAVA_INT, 16),
                s.get(JAVA_INT, 20),
                s.get(JAVA_INT, 24),
                s.get(JAVA_INT, 4),
                s.get(JAVA_LONG, 64),
                s.get(JAVA_INT, 72),
                s.get(JAVA_LONG, 112),
                s.get(JAVA_INT, 120),
                s.get(JAVA_LONG, 96),
                s.get(JAVA_INT, 104),
                s.get(JAVA_LONG, 80),
                s.get(JAVA_INT, 88),
                s.get(JAVA_INT, 128),
                s.get(JAVA_INT, 132),
                s.get(JAVA_INT, 136),
                s.get(JAVA_INT, 140));
    }

    static FileSystemStat statvfs(MemorySegment s) {
        return new FileSystemStat(
                s.get(JAVA_LONG, 0),
                s.get(JAVA_LONG, 8),
                s.get(JAVA_LONG, 16),
                s.get(JAVA_LONG, 24),
                s.get(JAVA_LONG, 32),
                s.get(JAVA_LONG, 40),
                s.get(JAVA_LONG, 48),
                s.get(JAVA_LONG, 80));
    }
}
