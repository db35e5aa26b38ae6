package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EEXIST;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.AT_EMPTY_PATH;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_FOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.MAP_SHARED;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_EXCL;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_TMPFILE;
import static io.fusecache.testkit.posix.scene.Flags.PROT_READ;
import static io.fusecache.testkit.posix.scene.Flags.PROT_WRITE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** O_TMPFILE of open(2), and linkat(2) that gives such a file a name. */
final class UnnamedRules {
    private UnnamedRules() {}

    static void add(Rules rules) {
        for (Actor actor : Actor.values()) {
            for (int mode : List.of(0, 0400, 0600, 0644, 0777, 01777, 02755, 04711, 06777)) {
                made(rules, actor, mode);
            }
            for (int granted = 0; granted < 8; granted++) {
                directoryRights(rules, actor, granted);
            }
            linked(rules, actor);
        }
        for (int mask : List.of(0, 022, 077, 0777)) {
            rules.add("open(2)", "O_TMPFILE under umask 0" + Integer.toOctalString(mask), scene -> {
                scene.umask(mask);
                int fd = open(scene.root(), O_RDWR, 0767);
                scene.equal("permissions", 0767 & ~mask, scene.stat(fd).permissions());
            });
        }
        refusals(rules);
        life(rules);
    }

    private static int open(Caller caller, int flags, int mode) {
        return caller.open(".", O_TMPFILE | flags, mode)
                .orNotApplicable("O_TMPFILE")
                .okInt();
    }

    private static String numbered(int fd) {
        return "/proc/thread-self/fd/" + fd;
    }

    private static void made(Rules rules, Actor actor, int mode) {
        String text = "O_TMPFILE with mode 0" + Integer.toOctalString(mode) + ", as " + actor;
        rules.add("open(2)", text, scene -> {
            int fd = open(scene.as(actor), O_RDWR, mode);
            Stat stat = scene.stat(fd);
            scene.equal("type", REGULAR.bits(), stat.typeBits());
            scene.equal("permissions", mode, stat.permissions());
            scene.equal("links", 0, stat.links());
            scene.equal("owner", actor.uid(), stat.uid());
            scene.equal("group", actor.gid(), stat.gid());
            scene.equal("size", 0L, stat.size());
            scene.equal("names", List.of(), scene.names("."));
            scene.as(actor).write(fd, "content").is(7);
            scene.equal("content", "content", scene.content(fd));
        });
    }

    private static void directoryRights(Rules rules, Actor actor, int granted) {
        boolean may = actor == Actor.ROOT || (granted & 03) == 03;
        String text = (may ? "O_TMPFILE may be made" : "EACCES for O_TMPFILE") + " where the directory grants "
                + granted + " to the class of " + actor;
        rules.add("open(2)", text, scene -> {
            scene.makeOwned(DIRECTORY, "d", PathRules.mode(actor, 07, granted));
            scene.as(actor)
                    .open("d", O_TMPFILE | O_RDWR, 0644)
                    .orNotApplicable("O_TMPFILE")
                    .is(may, EACCES);
        });
    }

    private static void linked(Rules rules, Actor actor) {
        String as = ", as " + actor;
        rules.add("linkat(2)", "gives a file of O_TMPFILE a name by /proc/self/fd" + as, scene -> {
            Caller caller = scene.as(actor);
            int fd = open(caller, O_RDWR, 0640);
            caller.write(fd, "content").is(7);
            Times times = scene.times(".");
            caller.linkAt(AT_FDCWD, numbered(fd), "named", AT_SYMLINK_FOLLOW).ok();
            times.kept(".", "a").changed(".", "mc");
            scene.links(1, "named");
            scene.permissions(0640, "named");
            scene.equal("content", "content", scene.content("named"));
            scene.equal("inode", scene.stat(fd).ino(), scene.stat("named").ino());
            caller.pwrite(fd, "C", 0).is(1);
            scene.equal("content", "Content", scene.content("named"));
        });
        rules.add("linkat(2)", "AT_EMPTY_PATH gives such a file a name, or ENOENT to who is not root" + as, scene -> {
            Caller caller = scene.as(actor);
            int fd = open(caller, O_RDWR, 0640);
            caller.write(fd, "content").is(7);
            Outcome outcome = caller.linkAt(fd, "", "named", AT_EMPTY_PATH);
            if (actor == Actor.ROOT || outcome.succeeded()) {
                outcome.ok();
                scene.links(1, "named");
                scene.equal("content", "content", scene.content("named"));
            } else {
                outcome.fails(ENOENT);
                scene.absent("named");
            }
        });
        if (actor == Actor.ROOT) {
            return;
        }
        rules.add("linkat(2)", "EACCES for a name where the directory may not be written" + as, scene -> {
            scene.makeOwned(DIRECTORY, "d", PathRules.mode(actor, 07, 05));
            Caller caller = scene.as(actor);
            int fd = open(caller, O_RDWR, 0640);
            caller.linkAt(AT_FDCWD, numbered(fd), "d/named", AT_SYMLINK_FOLLOW).fails(EACCES);
        });
    }

    private static void refusals(Rules rules) {
        rules.add("open(2)", "EINVAL for O_TMPFILE that is not to be written", scene -> {
            open(scene.root(), O_RDWR, 0644);
            scene.root().open(".", O_TMPFILE | O_RDONLY, 0644).fails(EINVAL);
        });
        rules.add("open(2)", "EINVAL for O_TMPFILE with O_CREAT", scene -> {
            open(scene.root(), O_RDWR, 0644);
            scene.root().open(".", O_TMPFILE | O_RDWR | O_CREAT, 0644).fails(EINVAL);
        });
        rules.add("open(2)", "ENOENT for O_TMPFILE where the directory is missing", scene -> {
            open(scene.root(), O_RDWR, 0644);
            scene.root().open("missing", O_TMPFILE | O_RDWR, 0644).fails(ENOENT);
        });
        for (FileType type : FileType.values()) {
            rules.add(
                    "linkat(2)", "EEXIST where " + type + " has the name that a file of O_TMPFILE is to get", scene -> {
                        scene.make(type, "x");
                        int fd = open(scene.root(), O_RDWR, 0644);
                        scene.root()
                                .linkAt(AT_FDCWD, numbered(fd), "x", AT_SYMLINK_FOLLOW)
                                .fails(EEXIST);
                        scene.root().linkAt(fd, "", "x", AT_EMPTY_PATH).fails(EEXIST);
                        scene.type(type, "x");
                    });
        }
        rules.add("open(2)", "a file of O_TMPFILE with O_EXCL gets no name", scene -> {
            int fd = open(scene.root(), O_RDWR | O_EXCL, 0644);
            scene.root()
                    .linkAt(AT_FDCWD, numbered(fd), "named", AT_SYMLINK_FOLLOW)
                    .fails(ENOENT);
            scene.root().linkAt(fd, "", "named", AT_EMPTY_PATH).fails(ENOENT);
            scene.absent("named");
        });
        rules.add(
                "linkat(2)", "ENOENT for a file whose last name was removed, unlike one that never had one", scene -> {
                    int fd = scene.root().open("f", O_CREAT | O_RDWR, 0644).okInt();
                    scene.root().unlink("f").ok();
                    scene.root()
                            .linkAt(AT_FDCWD, numbered(fd), "named", AT_SYMLINK_FOLLOW)
                            .fails(ENOENT);
                    scene.root().linkAt(fd, "", "named", AT_EMPTY_PATH).fails(ENOENT);
                });
    }

    private static void life(Rules rules) {
        rules.add("linkat(2)", "a file of O_TMPFILE may get several names, and lives by the last", scene -> {
            Caller root = scene.root();
            int fd = open(root, O_RDWR, 0644);
            root.write(fd, "content").is(7);
            for (String name : List.of("a", "b", "c")) {
                root.linkAt(AT_FDCWD, numbered(fd), name, AT_SYMLINK_FOLLOW).ok();
            }
            scene.links(3, "b");
            root.close(fd).ok();
            root.unlink("a").ok();
            root.unlink("b").ok();
            scene.equal("content", "content", scene.content("c"));
            scene.links(1, "c");
        });
        rules.add("open(2)", "O_TMPFILE takes the group of a directory with set-group-ID", scene -> {
            scene.makeOwned(DIRECTORY, "d", 02777, Actor.OTHER);
            int fd = scene.as(Actor.OWNER)
                    .open("d", O_TMPFILE | O_RDWR, 0644)
                    .orNotApplicable("O_TMPFILE")
                    .okInt();
            scene.equal("group", Actor.OTHER.gid(), scene.stat(fd).gid());
        });
        rules.add(
                "open(2)", "a file of O_TMPFILE is what files are: truncated, mapped, allocated, attributed", scene -> {
                    Caller root = scene.root();
                    int fd = open(root, O_RDWR, 0644);
                    root.ftruncate(fd, 10_000).ok();
                    MemorySegment mapped = root.map(10_000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
                    mapped.set(JAVA_BYTE, 9_999, (byte) 'x');
                    root.fsync(fd).ok();
                    root.fchmod(fd, 0600).ok();
                    root.fchown(fd, 5, 6).ok();
                    root.call(Syscall.FSETXATTR, fd, "trusted.a", "value", 5, 0)
                            .orNotApplicable("trusted attributes")
                            .ok();
                    root.linkAt(fd, "", "named", AT_EMPTY_PATH).ok();
                    scene.equal("size", 10_000L, scene.stat("named").size());
                    scene.equal("last byte", 'x', scene.content("named").charAt(9_999));
                    scene.equal("owner", 5, scene.stat("named").uid());
                    root.getxattr("named", "trusted.a", 100).is(5);
                });
        rules.add(
                "open(2)", "O_TMPFILE leaves the directory and its times alone, and its space is given back", scene -> {
                    scene.make(DIRECTORY, "d");
                    Times times = scene.times("d");
                    int fd = scene.root()
                            .open("d", O_TMPFILE | O_RDWR, 0644)
                            .orNotApplicable("O_TMPFILE")
                            .okInt();
                    scene.root().write(fd, "content").is(7);
                    times.kept("d", "amc");
                    scene.root().close(fd).ok();
                    scene.root().rmdir("d").ok();
                });
        rules.add("open(2)", "files of O_TMPFILE are inodes of their own", scene -> {
            int one = open(scene.root(), O_RDWR, 0644);
            int other = open(scene.root(), O_RDWR, 0644);
            scene.root().write(one, "one").is(3);
            scene.equal("other content", "", scene.content(other));
            scene.expect(
                    "numbers differ", scene.stat(one).ino() != scene.stat(other).ino());
        });
    }
}
