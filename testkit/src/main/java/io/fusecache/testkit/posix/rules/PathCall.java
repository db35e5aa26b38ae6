package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_EACCESS;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_FOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.F_OK;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_EXCL;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.R_OK;
import static io.fusecache.testkit.posix.scene.Flags.STATX_BASIC_STATS;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import java.util.List;

/**
 * A call that takes a path, as a row of the tables that hold for all such calls.
 *
 * @param what which of its forms, or which of its paths; empty where there is one alone
 * @param wants what the path must lead to, where it must exist
 */
record PathCall(String page, String what, Last last, FileType wants, Act act) {
    /** What the call does with the last component. */
    enum Last {
        /** Follows it where it is a symbolic link. */
        FOLLOWED,
        /** Takes it as it is. */
        TAKEN,
        /** Removes it from its directory. */
        REMOVED,
        /** Makes it, where a dangling symbolic link counts as there. */
        MADE,
        /** Makes it, or what the symbolic link there says. */
        MADE_THROUGH_LINK;

        boolean makes() {
            return this == MADE || this == MADE_THROUGH_LINK;
        }

        boolean changesDirectory() {
            return this != FOLLOWED && this != TAKEN;
        }
    }

    /** The call itself. A file called {@link #SPARE} is there for those that need a second one. */
    @FunctionalInterface
    interface Act {
        Outcome on(Caller caller, String path);
    }

    /** A file in the check's directory, which the caller owns, for calls of two paths. */
    static final String SPARE = "spare";

    private static final String ATTRIBUTE = "user.suite";

    static final List<PathCall> ALL = List.of(
            followed("open(2)", "O_RDONLY", REGULAR, (c, p) -> c.open(p, O_RDONLY)),
            followed("open(2)", "O_WRONLY", REGULAR, (c, p) -> c.open(p, O_WRONLY)),
            followed("open(2)", "O_DIRECTORY", DIRECTORY, (c, p) -> c.open(p, O_RDONLY | O_DIRECTORY)),
            followed("open(2)", "O_PATH", REGULAR, (c, p) -> c.open(p, O_PATH)),
            new PathCall(
                    "open(2)",
                    "O_CREAT",
                    Last.MADE_THROUGH_LINK,
                    REGULAR,
                    (c, p) -> c.open(p, O_CREAT | O_WRONLY, 0644)),
            made("open(2)", "O_CREAT|O_EXCL", (c, p) -> c.open(p, O_CREAT | O_EXCL | O_WRONLY, 0644)),
            made("mkdir(2)", "", (c, p) -> c.mkdir(p, 0755)),
            made("mknod(2)", "of a FIFO", (c, p) -> c.mknod(p, FIFO.bits() | 0644, 0)),
            made("mknod(2)", "of a regular file", (c, p) -> c.mknod(p, REGULAR.bits() | 0644, 0)),
            made("symlink(2)", "", (c, p) -> c.symlink("target", p)),
            made("link(2)", "new path", (c, p) -> c.link(SPARE, p)),
            made("rename(2)", "new path", (c, p) -> c.rename(SPARE, p)),
            new PathCall("link(2)", "old path", Last.TAKEN, REGULAR, (c, p) -> c.link(p, "linked")),
            followed(
                    "link(2)",
                    "old path, AT_SYMLINK_FOLLOW",
                    REGULAR,
                    (c, p) -> c.linkAt(AT_FDCWD, p, "linked", AT_SYMLINK_FOLLOW)),
            new PathCall("rename(2)", "old path", Last.REMOVED, REGULAR, (c, p) -> c.rename(p, "renamed")),
            new PathCall("unlink(2)", "", Last.REMOVED, REGULAR, Caller::unlink),
            new PathCall("rmdir(2)", "", Last.REMOVED, DIRECTORY, Caller::rmdir),
            followed("chmod(2)", "", REGULAR, (c, p) -> c.chmod(p, 0600)),
            followed(
                    "chown(2)",
                    "",
                    REGULAR,
                    (c, p) -> c.chown(p, c.actor().uid(), c.actor().gid())),
            taken(
                    "lchown(2)",
                    "",
                    (c, p) -> c.lchown(p, c.actor().uid(), c.actor().gid())),
            followed("utimensat(2)", "", REGULAR, (c, p) -> c.utimens(p, 0, 0)),
            taken("utimensat(2)", "AT_SYMLINK_NOFOLLOW", (c, p) -> c.utimens(p, 0, AT_SYMLINK_NOFOLLOW)),
            followed(
                    "utime(2)",
                    "",
                    REGULAR,
                    (c, p) -> c.call(Syscall.UTIME, p, 0).orNotApplicable("utime")),
            followed(
                    "utimes(2)",
                    "",
                    REGULAR,
                    (c, p) -> c.call(Syscall.UTIMES, p, 0).orNotApplicable("utimes")),
            followed(
                    "futimesat(2)",
                    "",
                    REGULAR,
                    (c, p) -> c.call(Syscall.FUTIMESAT, AT_FDCWD, p, 0).orNotApplicable("futimesat")),
            taken(
                    "name_to_handle_at(2)",
                    "",
                    (c, p) -> c.nameToHandle(AT_FDCWD, p, 128, 0).orNotApplicable("handles")),
            followed("truncate(2)", "", REGULAR, (c, p) -> c.truncate(p, 0)),
            followed("stat(2)", "", REGULAR, Caller::stat),
            taken("lstat(2)", "", Caller::lstat),
            followed("statx(2)", "", REGULAR, (c, p) -> c.statx(AT_FDCWD, p, 0, STATX_BASIC_STATS)),
            followed("access(2)", "F_OK", REGULAR, (c, p) -> c.access(p, F_OK)),
            followed("faccessat2(2)", "AT_EACCESS", REGULAR, (c, p) -> c.faccessat2(p, R_OK, AT_EACCESS)),
            new PathCall("readlink(2)", "", Last.TAKEN, SYMLINK, (c, p) -> c.readlink(p, 100)),
            followed("statfs(2)", "", REGULAR, (c, p) -> c.call(Syscall.STATFS, p, c.buffer())),
            followed("chdir(2)", "", DIRECTORY, (c, p) -> c.call(Syscall.CHDIR, p)),
            followed(
                    "setxattr(2)",
                    "",
                    REGULAR,
                    (c, p) -> c.setxattr(p, ATTRIBUTE, "new").orNotApplicable("user attributes")),
            followed("getxattr(2)", "", REGULAR, (c, p) -> c.getxattr(p, ATTRIBUTE, 100)),
            followed("listxattr(2)", "", REGULAR, (c, p) -> c.listxattr(p, 1000)),
            followed("removexattr(2)", "", REGULAR, (c, p) -> c.removexattr(p, ATTRIBUTE)));

    private static PathCall followed(String page, String what, FileType wants, Act act) {
        return new PathCall(page, what, Last.FOLLOWED, wants, act);
    }

    private static PathCall taken(String page, String what, Act act) {
        return new PathCall(page, what, Last.TAKEN, REGULAR, act);
    }

    private static PathCall made(String page, String what, Act act) {
        return new PathCall(page, what, Last.MADE, REGULAR, act);
    }

    /** For the end of a rule's text. */
    String form() {
        return what.isEmpty() ? "" : " (" + what + ")";
    }

    /** A name that no other call uses where checks share a directory. */
    String unique() {
        return Integer.toString(ALL.indexOf(this));
    }

    boolean attribute() {
        return page.equals("getxattr(2)") || page.equals("removexattr(2)");
    }

    /** Makes what the call wants at the path, owned by who will call, and the second file. */
    void prepare(Scene scene, Caller caller, String path) {
        if (!last.makes()) {
            scene.makeOwned(wants, path, wants == DIRECTORY ? 0755 : 0644, caller.actor());
            attach(scene, path);
        }
        scene.makeOwned(REGULAR, SPARE, 0644, caller.actor());
    }

    private void attach(Scene scene, String path) {
        if (attribute()) {
            scene.root()
                    .setxattr(path, ATTRIBUTE, "value")
                    .orNotApplicable("user attributes")
                    .ok();
        }
    }

    boolean follows() {
        return last == Last.FOLLOWED || last == Last.MADE_THROUGH_LINK;
    }
}
