package io.fusecache.fuse.wire;

import org.jspecify.annotations.Nullable;

/** The operations of the kernel's FUSE protocol, with their numbers and the minor version that brought them. */
public enum Opcode {
    LOOKUP(1, 1),
    FORGET(2, 1),
    GETATTR(3, 1),
    SETATTR(4, 1),
    READLINK(5, 1),
    SYMLINK(6, 1),
    MKNOD(8, 1),
    MKDIR(9, 1),
    UNLINK(10, 1),
    RMDIR(11, 1),
    RENAME(12, 1),
    LINK(13, 1),
    OPEN(14, 1),
    READ(15, 1),
    WRITE(16, 1),
    STATFS(17, 1),
    RELEASE(18, 1),
    FSYNC(20, 1),
    SETXATTR(21, 1),
    GETXATTR(22, 1),
    LISTXATTR(23, 1),
    REMOVEXATTR(24, 1),
    FLUSH(25, 1),
    INIT(26, 1),
    OPENDIR(27, 1),
    READDIR(28, 1),
    RELEASEDIR(29, 1),
    FSYNCDIR(30, 2),
    GETLK(31, 7),
    SETLK(32, 7),
    SETLKW(33, 7),
    ACCESS(34, 3),
    CREATE(35, 3),
    INTERRUPT(36, 7),
    BMAP(37, 8),
    DESTROY(38, 8),
    IOCTL(39, 11),
    POLL(40, 11),
    NOTIFY_REPLY(41, 15),
    BATCH_FORGET(42, 16),
    FALLOCATE(43, 19),
    READDIRPLUS(44, 21),
    RENAME2(45, 23),
    LSEEK(46, 24),
    COPY_FILE_RANGE(47, 28),
    SETUPMAPPING(48, 31),
    REMOVEMAPPING(49, 31),
    SYNCFS(50, 34),
    TMPFILE(51, 37),
    STATX(52, 39),
    COPY_FILE_RANGE_64(53, 45);

    private static final @Nullable Opcode[] BY_NUMBER = byNumber();

    private final int number;
    private final int sinceMinor;

    Opcode(int number, int sinceMinor) {
        this.number = number;
        this.sinceMinor = sinceMinor;
    }

    public int number() {
        return number;
    }

    /** The minor version of protocol 7 that first sends this operation. */
    public int sinceMinor() {
        return sinceMinor;
    }

    /** The operation with that number, or null where this protocol knows none. */
    public static @Nullable Opcode of(int number) {
        return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
    }

    private static @Nullable Opcode[] byNumber() {
        int highest = 0;
        for (Opcode opcode : values()) {
            highest = Math.max(highest, opcode.number);
        }
        @Nullable Opcode[] table = new @Nullable Opcode[highest + 1];
        for (Opcode opcode : values()) {
            table[opcode.number] = opcode;
        }
        return table;
    }
}
