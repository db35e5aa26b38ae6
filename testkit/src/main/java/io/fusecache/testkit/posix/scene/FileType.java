package io.fusecache.testkit.posix.scene;

import java.util.EnumSet;
import java.util.Set;

/** What a name can stand for. */
public enum FileType {
    REGULAR("a regular file", 0100000, 8),
    DIRECTORY("a directory", 0040000, 4),
    SYMLINK("a symbolic link", 0120000, 10),
    FIFO("a FIFO", 0010000, 1),
    SOCKET("a socket", 0140000, 12),
    CHARACTER("a character device", 0020000, 2),
    BLOCK("a block device", 0060000, 6);

    /** All but {@link #DIRECTORY}. */
    public static final Set<FileType> LEAVES = EnumSet.complementOf(EnumSet.of(DIRECTORY));
    /** All but {@link #SYMLINK}: what a path ends at when links are followed. */
    public static final Set<FileType> TARGETS = EnumSet.complementOf(EnumSet.of(SYMLINK));
    /** What neither is a directory nor leads elsewhere. */
    public static final Set<FileType> OBJECTS = EnumSet.complementOf(EnumSet.of(SYMLINK, DIRECTORY));

    /** S_IFMT. */
    public static final int MASK = 0170000;

    private final String phrase;
    private final int bits;
    private final int directoryEntryType;

    FileType(String phrase, int bits, int directoryEntryType) {
        this.phrase = phrase;
        this.bits = bits;
        this.directoryEntryType = directoryEntryType;
    }

    /** The S_IF constant. */
    public int bits() {
        return bits;
    }

    /** The DT constant of readdir(3). */
    public int directoryEntryType() {
        return directoryEntryType;
    }

    public boolean device() {
        return this == CHARACTER || this == BLOCK;
    }

    @Override
    public String toString() {
        return phrase;
    }
}
