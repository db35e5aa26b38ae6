package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EBUSY;
import static io.fusecache.testkit.posix.scene.Errno.EEXIST;
import static io.fusecache.testkit.posix.scene.Errno.EROFS;
import static io.fusecache.testkit.posix.scene.Errno.EXDEV;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.CLONE_NEWNS;
import static io.fusecache.testkit.posix.scene.Flags.F_OK;
import static io.fusecache.testkit.posix.scene.Flags.LOCK_EX;
import static io.fusecache.testkit.posix.scene.Flags.MS_BIND;
import static io.fusecache.testkit.posix.scene.Flags.MS_PRIVATE;
import static io.fusecache.testkit.posix.scene.Flags.MS_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.MS_REC;
import static io.fusecache.testkit.posix.scene.Flags.MS_REMOUNT;
import static io.fusecache.testkit.posix.scene.Flags.O_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_EXCL;
import static io.fusecache.testkit.posix.scene.Flags.O_NONBLOCK;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_TMPFILE;
import static io.fusecache.testkit.posix.scene.Flags.O_TRUNC;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.RENAME_EXCHANGE;
import static io.fusecache.testkit.posix.scene.Flags.RENAME_NOREPLACE;
import static io.fusecache.testkit.posix.scene.Flags.R_OK;
import static io.fusecache.testkit.posix.scene.Flags.SOCK_STREAM;
import static io.fusecache.testkit.posix.scene.Flags.W_OK;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Peer;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;

/**
 * A read-only mount of the check's directory, in a mount namespace of another process: EROFS for all that would change
 * something, and nothing else is refused.
 */
final class ReadOnlyRules {
    private static final String ATTRIBUTE = "user.suite";
    private static final List<Actor> ACTORS = List.of(Actor.ROOT, Actor.OWNER);

    private ReadOnlyRules() {}

    @FunctionalInterface
    private interface Act {
        Outcome on(Caller caller);
    }

    private record Call(String page, String what, Act act) {}

    private static Call of(String page, String what, Act act) {
        return new Call(page, what, act);
    }

    /** By the names that {@link #prepare} makes. */
    private static final List<Call> CHANGES = List.of(
            of("open(2)", "O_WRONLY", c -> c.open("x", O_WRONLY)),
            of("open(2)", "O_RDWR", c -> c.open("x", O_RDWR)),
            of("open(2)", "O_WRONLY|O_APPEND", c -> c.open("x", O_WRONLY | O_APPEND)),
            of("open(2)", "O_WRONLY|O_TRUNC", c -> c.open("x", O_WRONLY | O_TRUNC)),
            of("open(2)", "O_RDONLY|O_TRUNC", c -> c.open("x", O_RDONLY | O_TRUNC)),
            of("open(2)", "O_WRONLY by a symbolic link", c -> c.open("s", O_WRONLY)),
            of("open(2)", "O_CREAT", c -> c.open("new", O_CREAT | O_RDONLY, 0644)),
            of("open(2)", "O_CREAT|O_EXCL", c -> c.open("new", O_CREAT | O_EXCL | O_RDWR, 0644)),
            of("open(2)", "O_TMPFILE", c -> c.open(".", O_TMPFILE | O_RDWR, 0644)),
            of("mkdir(2)", "a new name", c -> c.mkdir("new", 0755)),
            of("mknod(2)", "a FIFO", c -> c.mknod("new", FIFO.bits() | 0644, 0)),
            of("mknod(2)", "a regular file", c -> c.mknod("new", REGULAR.bits() | 0644, 0)),
            of("symlink(2)", "a new name", c -> c.symlink("target", "new")),
            of("link(2)", "a new name", c -> c.link("x", "new")),
            of("bind(2)", "a new name", c -> c.bind(c.socket(SOCK_STREAM).okInt(), "new")),
            of("rename(2)", "to a new name", c -> c.rename("x", "new")),
            of("rename(2)", "to another file", c -> c.rename("x", "d/y")),
            of("rename(2)", "a directory", c -> c.rename("d", "new")),
            of("renameat2(2)", "RENAME_NOREPLACE", c -> c.rename("x", "new", RENAME_NOREPLACE)),
            of("renameat2(2)", "RENAME_EXCHANGE", c -> c.rename("x", "d", RENAME_EXCHANGE)),
            of("unlink(2)", "a file", c -> c.unlink("x")),
            of("unlink(2)", "a symbolic link", c -> c.unlink("s")),
            of("rmdir(2)", "an empty directory", c -> c.rmdir("e")),
            of("chmod(2)", "a file", c -> c.chmod("x", 0600)),
            of("chmod(2)", "a directory", c -> c.chmod("d", 0700)),
            of("chmod(2)", "a FIFO", c -> c.chmod("p", 0600)),
            of("fchmod(2)", "a file", c -> c.fchmod(read(c), 0600)),
            of("chown(2)", "a file", c -> c.chown("x", -1, c.actor().gid())),
            of("lchown(2)", "a symbolic link", c -> c.lchown("s", -1, c.actor().gid())),
            of("fchown(2)", "a file", c -> c.fchown(read(c), -1, c.actor().gid())),
            of("utimensat(2)", "the present", c -> c.utimens("x", 0, 0)),
            of("utimensat(2)", "given times", c -> c.utimens("x", Caller.times(1, 0, 1, 0), 0)),
            of("utimensat(2)", "of a symbolic link", c -> c.utimens("s", 0, AT_SYMLINK_NOFOLLOW)),
            of("futimens(3)", "a file", c -> c.futimens(read(c), 0)),
            of("truncate(2)", "to nothing", c -> c.truncate("x", 0)),
            of("truncate(2)", "to the size that it has", c -> c.truncate("x", 7)),
            of("setxattr(2)", "a file", c -> c.setxattr("x", ATTRIBUTE, "value")),
            of("fsetxattr(2)", "a file", c -> c.call(Syscall.FSETXATTR, read(c), ATTRIBUTE, "value", 5, 0)),
            of("removexattr(2)", "a file", c -> c.removexattr("x", ATTRIBUTE)),
            of("access(2)", "W_OK of a file", c -> c.access("x", W_OK)),
            of("access(2)", "W_OK of a directory", c -> c.access("d", R_OK | W_OK)));

    private static final List<Call> READS = List.of(
            of("open(2)", "O_RDONLY", c -> c.open("x", O_RDONLY)),
            of("open(2)", "O_CREAT of a file that is there, O_RDONLY", c -> c.open("x", O_CREAT | O_RDONLY, 0644)),
            of("open(2)", "O_RDWR of a FIFO", c -> c.open("p", O_RDWR | O_NONBLOCK)),
            of("open(2)", "O_DIRECTORY", c -> c.open("d", O_RDONLY | O_DIRECTORY)),
            of("read(2)", "a file", c -> c.read(read(c), 100)),
            of(
                    "getdents64(2)",
                    "a directory",
                    c -> c.getdents(c.open("d", O_RDONLY).okInt(), 1000)),
            of("readlink(2)", "a symbolic link", c -> c.readlink("s", 100)),
            of("stat(2)", "a file", c -> c.stat("x")),
            of("listxattr(2)", "a file", c -> c.listxattr("x", 1000)),
            of("access(2)", "R_OK of a file", c -> c.access("x", R_OK)),
            of("access(2)", "W_OK of a FIFO", c -> c.access("p", W_OK)),
            of("access(2)", "F_OK of a directory", c -> c.access("d", F_OK)),
            of("flock(2)", "LOCK_EX", c -> c.flock(read(c), LOCK_EX)),
            of("fsync(2)", "a file", c -> c.fsync(read(c))),
            of("chdir(2)", "a directory", c -> c.call(Syscall.CHDIR, "d")));

    /** What is there already is said before that nothing can be made. */
    private static final List<Call> THERE = List.of(
            of("mkdir(2)", "a directory", c -> c.mkdir("d", 0755)),
            of("mknod(2)", "a FIFO", c -> c.mknod("p", FIFO.bits() | 0644, 0)),
            of("symlink(2)", "a file", c -> c.symlink("target", "x")),
            of("link(2)", "a file", c -> c.link("x", "d/y")),
            of("open(2)", "a file by O_CREAT|O_EXCL", c -> c.open("x", O_CREAT | O_EXCL | O_RDONLY, 0644)));

    private static int read(Caller caller) {
        return caller.open("x", O_RDONLY).okInt();
    }

    static void add(Rules rules) {
        for (Actor actor : ACTORS) {
            for (Call change : CHANGES) {
                refused(rules, change, EROFS, "what would change a read-only mount", actor);
            }
            for (Call there : THERE) {
                refused(rules, there, EEXIST, "a name that there is on a read-only mount", actor);
            }
            for (Call read : READS) {
                String text = "a read-only mount does not matter: %s, as %s".formatted(read.what, actor);
                rules.add(read.page, text, scene -> {
                    prepare(scene);
                    Times times = scene.times("x", "d", "s", "p");
                    read.act.on(readOnly(scene).as(actor)).ok();
                    times.kept("x", "amc").kept("d", "amc").kept("s", "amc").kept("p", "mc");
                });
            }
        }
        mounts(rules);
    }

    private static void refused(Rules rules, Call call, Errno errno, String what, Actor actor) {
        String text = "%s for %s: %s, as %s".formatted(errno, what, call.what, actor);
        rules.add(call.page, text, scene -> {
            prepare(scene);
            Times times = scene.times(".", "x", "d", "d/y", "e", "s", "p");
            call.act.on(readOnly(scene).as(actor)).fails(errno);
            for (String path : List.of(".", "x", "d", "d/y", "e", "s", "p")) {
                times.kept(path, "mc");
            }
            scene.equal("names", List.of("d", "e", "p", "s", "x"), scene.names("."));
            scene.equal("content", "content", scene.content("x"));
        });
    }

    private static void mounts(Rules rules) {
        for (Syscall call : List.of(Syscall.LINKAT, Syscall.RENAMEAT2)) {
            String page = call == Syscall.LINKAT ? "link(2)" : "rename(2)";
            rules.add(page, "EXDEV between two mounts of one file system", scene -> {
                prepare(scene);
                Peer peer = scene.peer();
                Caller root = peer.root();
                int outside = root.open(".", O_RDONLY | O_DIRECTORY).okInt();
                bind(scene, peer);
                root.call(call, AT_FDCWD, "x", outside, "new", 0).fails(EXDEV);
                root.call(call, outside, "x", AT_FDCWD, "new", 0).fails(EXDEV);
                root.call(call, AT_FDCWD, "x", AT_FDCWD, "new", 0).ok();
            });
        }
        rules.add("mount(2)", "EBUSY for a mount that is to be read-only where a file is open for writing", scene -> {
            prepare(scene);
            Caller root = bound(scene).root();
            int fd = root.open("x", O_WRONLY).okInt();
            protect(scene, root).fails(EBUSY);
            root.close(fd).ok();
            protect(scene, root).ok();
            root.open("x", O_WRONLY).fails(EROFS);
        });
    }

    private static void prepare(Scene scene) {
        scene.file("x", "content")
                .make(DIRECTORY, "d")
                .file("d/y", "other")
                .make(DIRECTORY, "e")
                .make(FIFO, "p");
        Caller root = scene.root();
        root.symlink("x", "s").ok();
        for (String path : List.of("x", "d", "d/y", "e", "p", "s")) {
            root.lchown(path, Actor.OWNER.uid(), Actor.OWNER.gid()).ok();
        }
    }

    private static Peer readOnly(Scene scene) {
        Peer peer = bound(scene);
        protect(scene, peer.root()).ok();
        return peer;
    }

    private static Peer bound(Scene scene) {
        Peer peer = scene.peer();
        bind(scene, peer);
        return peer;
    }

    /** From here on, this process sees the check's directory as a mount of its own. */
    private static void bind(Scene scene, Peer peer) {
        Caller root = peer.root();
        Outcome unshared = root.call(Syscall.UNSHARE, CLONE_NEWNS);
        scene.needs("no mount namespace may be made here", () -> !unshared.failed(Errno.EPERM));
        unshared.ok();
        String here = scene.path().toString();
        root.call(Syscall.MOUNT, "none", "/", 0, MS_REC | MS_PRIVATE, 0).ok();
        root.call(Syscall.MOUNT, here, here, 0, MS_BIND, 0).ok();
        root.call(Syscall.CHDIR, here).ok();
    }

    private static Outcome protect(Scene scene, Caller root) {
        return root.call(Syscall.MOUNT, 0, scene.path().toString(), 0, MS_BIND | MS_REMOUNT | MS_RDONLY, 0);
    }
}
