package io.fusecache.metadata;

/** The type of an inode, with the bits that {@code st_mode} carries for it (inode(7)). */
public enum FileType {
    FIFO(0010000),
    CHARACTER_DEVICE(0020000),
    DIRECTORY(0040000),
    BLOCK_DEVICE(0060000),
    REGULAR(0100000),
    SYMLINK(0120000),
    SOCKET(0140000);

    public static final int MASK = 0170000;

    private final int modeBits;

    FileType(int modeBits) {
        this.modeBits = modeBits;
    }

    public int modeBits() {
        return modeBits;
    }

    /** The type that the format bits of {@code mode} name; IllegalArgumentException where they name none. */
    public static FileType ofMode(int mode) {
        for (FileType type : values()) {
            if (type.modeBits == (mode & MASK)) {
                return type;
            }
        }
        throw new IllegalArgumentException("mode 0" + Integer.toOctalString(mode) + " names no file type");
    }
}
