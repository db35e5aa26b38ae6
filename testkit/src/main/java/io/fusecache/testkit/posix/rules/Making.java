package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.FileType.BLOCK;
import static io.fusecache.testkit.posix.scene.FileType.CHARACTER;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SOCKET;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_EXCL;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Scene;

/** A call that makes an inode with a name. */
enum Making {
    OPEN("open(2)", "O_CREAT|O_EXCL", REGULAR),
    MKDIR("mkdir(2)", "", DIRECTORY),
    MKNOD_REGULAR("mknod(2)", "of a regular file", REGULAR),
    MKNOD_FIFO("mknod(2)", "of a FIFO", FIFO),
    MKNOD_SOCKET("mknod(2)", "of a socket", SOCKET),
    MKNOD_CHARACTER("mknod(2)", "of a character device", CHARACTER),
    MKNOD_BLOCK("mknod(2)", "of a block device", BLOCK),
    SYMLINK("symlink(2)", "", FileType.SYMLINK);

    /** What the symbolic link that is made says. */
    static final String TARGET = "target";

    private static final long NULL_DEVICE = Scene.device(1, 3);

    private final String page;
    private final String what;
    private final FileType type;

    Making(String page, String what, FileType type) {
        this.page = page;
        this.what = what;
        this.type = type;
    }

    String page() {
        return page;
    }

    /** For the end of a rule's text. */
    String form() {
        return what.isEmpty() ? "" : " (" + what + ")";
    }

    FileType type() {
        return type;
    }

    /** Whether it is given permission bits. */
    boolean modal() {
        return this != SYMLINK;
    }

    /** Whether only CAP_MKNOD may. */
    boolean privileged() {
        return type.device();
    }

    /** The permission bits that it makes of these, where no set-group-id directory has a say. */
    int permissions(int mode, int umask) {
        return switch (this) {
            case SYMLINK -> 0777;
            case MKDIR -> mode & 01777 & ~umask;
            default -> mode & 07777 & ~umask;
        };
    }

    Outcome act(Caller caller, String path, int mode) {
        return switch (this) {
            case OPEN -> caller.open(path, O_CREAT | O_EXCL | O_RDONLY, mode);
            case MKDIR -> caller.mkdir(path, mode);
            case SYMLINK -> caller.symlink(TARGET, path);
            case MKNOD_REGULAR, MKNOD_FIFO, MKNOD_SOCKET, MKNOD_CHARACTER, MKNOD_BLOCK ->
                caller.mknod(path, type.bits() | mode, privileged() ? NULL_DEVICE : 0);
        };
    }

    /** With usual permissions. */
    Outcome act(Caller caller, String path) {
        return act(caller, path, this == MKDIR ? 0755 : 0644);
    }
}
