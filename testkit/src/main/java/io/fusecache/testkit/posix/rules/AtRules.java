package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.ENOTDIR;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.AT_REMOVEDIR;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.R_OK;
import static io.fusecache.testkit.posix.scene.Flags.STATX_BASIC_STATS;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What holds for every call that takes a path and the directory from which it leads: openat(2) and its kin. */
final class AtRules {
    private AtRules() {}

    /**
     * One call.
     *
     * @param wants the type that is needed at the path; null where the call makes it
     */
    private record Call(String page, @Nullable FileType wants, Act act) {
        @FunctionalInterface
        interface Act {
            Outcome on(Caller caller, int directory, String path);
        }

        Outcome on(Caller caller, int directory, String path) {
            return act.on(caller, directory, path);
        }

        void prepare(Scene scene, String path) {
            if (wants != null) {
                scene.make(wants, path);
            }
            scene.make(REGULAR, "spare");
        }
    }

    private static final List<Call> CALLS = List.of(
            new Call("openat(2)", REGULAR, (c, d, p) -> c.openAt(d, p, O_RDONLY, 0)),
            new Call("openat(2) with O_CREAT", null, (c, d, p) -> c.openAt(d, p, O_CREAT | O_WRONLY, 0644)),
            new Call("mkdirat(2)", null, (c, d, p) -> c.call(Syscall.MKDIRAT, d, p, 0755)),
            new Call("mknodat(2)", null, (c, d, p) -> c.call(Syscall.MKNODAT, d, p, FIFO.bits() | 0644, 0)),
            new Call("symlinkat(2)", null, (c, d, p) -> c.call(Syscall.SYMLINKAT, "target", d, p)),
            new Call("linkat(2) from", REGULAR, (c, d, p) -> c.call(Syscall.LINKAT, d, p, AT_FDCWD, "linked", 0)),
            new Call("linkat(2) to", null, (c, d, p) -> c.call(Syscall.LINKAT, AT_FDCWD, "spare", d, p, 0)),
            new Call(
                    "renameat2(2) from", REGULAR, (c, d, p) -> c.call(Syscall.RENAMEAT2, d, p, AT_FDCWD, "renamed", 0)),
            new Call("renameat2(2) to", null, (c, d, p) -> c.call(Syscall.RENAMEAT2, AT_FDCWD, "spare", d, p, 0)),
            new Call("unlinkat(2)", REGULAR, (c, d, p) -> c.call(Syscall.UNLINKAT, d, p, 0)),
            new Call(
                    "unlinkat(2) with AT_REMOVEDIR",
                    DIRECTORY,
                    (c, d, p) -> c.call(Syscall.UNLINKAT, d, p, AT_REMOVEDIR)),
            new Call("fchmodat(2)", REGULAR, (c, d, p) -> c.call(Syscall.FCHMODAT, d, p, 0600)),
            new Call("fchownat(2)", REGULAR, (c, d, p) -> c.call(Syscall.FCHOWNAT, d, p, 0, 0, 0)),
            new Call("utimensat(2)", REGULAR, (c, d, p) -> c.call(Syscall.UTIMENSAT, d, p, 0, 0)),
            new Call("fstatat(2)", REGULAR, (c, d, p) -> c.call(Syscall.NEWFSTATAT, d, p, c.buffer(), 0)),
            new Call("statx(2)", REGULAR, (c, d, p) -> c.statx(d, p, 0, STATX_BASIC_STATS)),
            new Call("faccessat(2)", REGULAR, (c, d, p) -> c.call(Syscall.FACCESSAT, d, p, R_OK)),
            new Call("readlinkat(2)", SYMLINK, (c, d, p) -> c.call(Syscall.READLINKAT, d, p, c.buffer(), 100)));

    static void add(Rules rules) {
        for (Call call : CALLS) {
            relative(rules, call);
            absolute(rules, call);
            wrong(rules, call);
        }
    }

    private static void relative(Rules rules, Call call) {
        for (int flags : List.of(O_RDONLY | O_DIRECTORY, O_PATH)) {
            String by = flags == O_PATH ? ", opened by O_PATH" : "";
            rules.add(call.page, "a relative path leads from the descriptor's directory" + by, scene -> {
                scene.make(DIRECTORY, "d");
                call.prepare(scene, "d/x");
                int fd = scene.root().open("d", flags).okInt();
                call.on(scene.root(), fd, "x").ok();
                scene.absent("x");
            });
            rules.add(call.page, "the descriptor's directory may have been moved" + by, scene -> {
                scene.make(DIRECTORY, "d").make(DIRECTORY, "e");
                call.prepare(scene, "d/x");
                int fd = scene.root().open("d", flags).okInt();
                scene.root().rename("d", "e/moved").ok();
                call.on(scene.root(), fd, "x").ok();
            });
            rules.add(call.page, "'..' leads from the descriptor's directory to its parent" + by, scene -> {
                scene.make(DIRECTORY, "d").make(DIRECTORY, "d/e");
                call.prepare(scene, "d/x");
                int fd = scene.root().open("d/e", flags).okInt();
                call.on(scene.root(), fd, "../x").ok();
            });
            rules.add(call.page, "ENOENT where the descriptor's directory was removed" + by, scene -> {
                scene.make(DIRECTORY, "d").make(REGULAR, "spare");
                int fd = scene.root().open("d", flags).okInt();
                scene.root().rmdir("d").ok();
                call.on(scene.root(), fd, "x").fails(ENOENT);
            });
            for (Actor actor : PathRules.JUDGED) {
                rules.add(
                        call.page,
                        "EACCES where the descriptor's directory may not be searched any more" + by + ", as " + actor,
                        scene -> {
                            scene.makeOwned(DIRECTORY, "d", 0777);
                            call.prepare(scene, "d/x");
                            int fd = scene.as(actor).open("d", flags).okInt();
                            scene.root()
                                    .chmod("d", PathRules.mode(actor, 07, 06))
                                    .ok();
                            call.on(scene.as(actor), fd, "x").fails(EACCES);
                        });
            }
        }
    }

    private static void absolute(Rules rules, Call call) {
        rules.add(call.page, "an absolute path needs no directory: the descriptor may be none", scene -> {
            call.prepare(scene, "x");
            call.on(scene.root(), -1, scene.path() + "/x").ok();
        });
        rules.add(call.page, "AT_FDCWD means the working directory", scene -> {
            call.prepare(scene, "x");
            call.on(scene.root(), AT_FDCWD, "x").ok();
        });
        rules.add(call.page, "an absolute path needs no directory: the descriptor may be a file's", scene -> {
            call.prepare(scene, "x");
            int fd = scene.root().open("spare", O_RDONLY).okInt();
            call.on(scene.root(), fd, scene.path() + "/x").ok();
        });
    }

    private static void wrong(Rules rules, Call call) {
        for (int fd : List.of(-1, 1 << 20)) {
            rules.add(call.page, "EBADF for a relative path from the descriptor " + fd, scene -> {
                call.prepare(scene, "x");
                call.on(scene.root(), fd, "x").fails(EBADF);
            });
        }
        for (FileType type : FileType.values()) {
            if (type != DIRECTORY) {
                rules.add(call.page, "ENOTDIR for a relative path from a descriptor of " + type, scene -> {
                    scene.make(type, "notadirectory");
                    call.prepare(scene, "x");
                    int fd = scene.root()
                            .open("notadirectory", O_PATH | O_NOFOLLOW)
                            .okInt();
                    call.on(scene.root(), fd, "x").fails(ENOTDIR);
                });
            }
        }
    }
}
