package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EEXIST;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.ENOTDIR;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.Errno.EXDEV;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_EMPTY_PATH;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_FOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.O_EXCL;
import static io.fusecache.testkit.posix.scene.Flags.O_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_TMPFILE;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;

/** What link(2) says of each type of file, of who may link what, and of what becomes of the inode. */
final class LinkRules {
    private static final String PAGE = "link(2)";

    /** The number of names of one inode that is tried here; far below any limit. */
    private static final int MANY = 300;

    /** Where most machines have a file system of its own. */
    static final String ELSEWHERE = "/dev/shm";

    private LinkRules() {}

    static void add(Rules rules) {
        for (FileType type : FileType.LEAVES) {
            linked(rules, type);
            for (FileType there : FileType.values()) {
                rules.add(PAGE, "EEXIST where the new path is " + there + " and the old is " + type, scene -> {
                    scene.make(type, "x").make(there, "y");
                    Times times = scene.times("x", "y", ".");
                    scene.root().link("x", "y").fails(EEXIST);
                    scene.links(1, "x");
                    times.kept("x", "amc").kept("y", "amc").kept(".", "amc");
                });
            }
            for (Actor actor : PathRules.JUDGED) {
                hardlinksOfOthers(rules, type, 0666, actor);
                hardlinksOfOthers(rules, type, 0644, actor);
                hardlinksOfOthers(rules, type, 04666, actor);
                hardlinksOfOthers(rules, type, 02676, actor);
            }
        }
        directories(rules);
        flags(rules);
        unnamed(rules);
        elsewhere(rules);
    }

    private static void linked(Rules rules, FileType type) {
        rules.add(PAGE, type + " with a second name has two links, and is the same inode by both", scene -> {
            scene.make(type, "x");
            scene.root().link("x", "y").ok();
            Stat x = scene.stat("x");
            scene.equal("links", 2, x.links());
            scene.equal("the other name", x, scene.stat("y"));
        });
        rules.add(PAGE, "sets ctime of " + type + ", and mtime and ctime of the new name's directory alone", scene -> {
            scene.make(DIRECTORY, "d").make(DIRECTORY, "e").make(type, "d/x");
            Times times = scene.times("d", "e", "d/x");
            scene.root().link("d/x", "e/y").ok();
            times.exactly("d/x", "c").kept("d", "amc").exactly("e", "mc");
        });
        rules.add(PAGE, type + " lives on by its second name", scene -> {
            scene.make(type, "x");
            long ino = scene.stat("x").ino();
            scene.root().link("x", "y").ok();
            scene.root().unlink("x").ok();
            scene.absent("x");
            scene.links(1, "y");
            scene.equal("inode", ino, scene.stat("y").ino());
            scene.type(type, "y");
        });
        rules.add(PAGE, "what is changed by one name shows by the other: " + type, scene -> {
            scene.make(DIRECTORY, "d").make(type, "x");
            scene.root().link("x", "d/y").ok();
            scene.root().lchown("x", 61001, 61002).ok();
            scene.root()
                    .utimens("d/y", Caller.times(1000, 1, 2000, 2), AT_SYMLINK_NOFOLLOW)
                    .ok();
            if (type != SYMLINK) {
                scene.root().chmod("d/y", 0604).ok();
            }
            scene.equal("the other name", scene.stat("x"), scene.stat("d/y"));
        });
        rules.add(PAGE, "EEXIST for " + type + " and itself", scene -> {
            scene.make(type, "x");
            scene.root().link("x", "x").fails(EEXIST);
            scene.links(1, "x");
        });
        rules.add(PAGE, "each name is counted, and taken off: " + type, scene -> {
            scene.make(DIRECTORY, "d").make(type, "x");
            for (int i = 1; i <= 20; i++) {
                scene.root().link("x", "d/" + i).ok();
                scene.links(i + 1, "x");
            }
            for (int i = 1; i <= 20; i++) {
                scene.root().unlink("d/" + i).ok();
                scene.links(21 - i, "x");
            }
        });
    }

    /** Where /proc/sys/fs/protected_hardlinks says so, who does not own a file links it only if it could copy it. */
    private static void hardlinksOfOthers(Rules rules, FileType type, int mode, Actor actor) {
        rules.add(PAGE, "%s may link %s with permissions 0%o as proc(5) says".formatted(actor, type, mode), scene -> {
            scene.makeOwned(type, "x", mode);
            boolean safe = type == REGULAR && mode == 0666;
            boolean may = actor == Actor.OWNER || safe || scene.sysctl("fs/protected_hardlinks") == 0;
            scene.as(actor).link("x", "y").is(may, EPERM);
            scene.links(may ? 2 : 1, "x");
        });
    }

    private static void directories(Rules rules) {
        for (Actor actor : Actor.values()) {
            rules.add(PAGE, "EPERM for a directory, as " + actor, scene -> {
                scene.makeOwned(DIRECTORY, "d", 0777, actor);
                scene.as(actor).link("d", "e").fails(EPERM);
                scene.absent("e");
                scene.links(2, "d");
            });
        }
        rules.add(
                PAGE,
                "EPERM for the working directory",
                scene -> scene.root().link(".", "d").fails(EPERM));
        rules.add(PAGE, "a regular file may have " + MANY + " names", scene -> {
            scene.file("x", "bytes").make(DIRECTORY, "d");
            for (int i = 0; i < MANY; i++) {
                scene.root().link("x", "d/" + i).ok();
            }
            scene.links(MANY + 1, "x");
            scene.equal("content", "bytes", scene.content("d/" + (MANY - 1)));
        });
        for (String dots : List.of(".", "..", "d/.", "d/..")) {
            rules.add(PAGE, "EEXIST where the new path is '" + dots + "'", scene -> {
                scene.make(REGULAR, "x").make(DIRECTORY, "d");
                scene.root().link("x", dots).fails(EEXIST);
            });
        }
        rules.add(PAGE, "bytes written by one name are read by the other", scene -> {
            scene.file("x", "bytes");
            scene.root().link("x", "y").ok();
            int fd = scene.root().open("y", O_WRONLY | O_APPEND).okInt();
            scene.root().write(fd, " and more").is(9);
            scene.root().close(fd).ok();
            scene.equal("content", "bytes and more", scene.content("x"));
            scene.root().truncate("x", 3).ok();
            scene.equal("content", "byt", scene.content("y"));
        });
    }

    private static void flags(Rules rules) {
        rules.add(PAGE, "EINVAL for flags that there are not", scene -> {
            scene.make(REGULAR, "x");
            scene.root().linkAt(AT_FDCWD, "x", "y", 1).fails(EINVAL);
            scene.root().linkAt(AT_FDCWD, "x", "y", AT_SYMLINK_NOFOLLOW).fails(EINVAL);
            scene.absent("y");
        });
        rules.add(PAGE, "links a symbolic link itself", scene -> {
            scene.make(REGULAR, "x");
            scene.root().symlink("x", "s").ok();
            scene.root().link("s", "t").ok();
            scene.type(SYMLINK, "t");
            scene.links(2, "s");
            scene.links(1, "x");
        });
        rules.add(PAGE, "AT_SYMLINK_FOLLOW links what the symbolic link leads to", scene -> {
            scene.make(REGULAR, "x");
            scene.root().symlink("x", "s").ok();
            scene.root().linkAt(AT_FDCWD, "s", "y", AT_SYMLINK_FOLLOW).ok();
            scene.equal("inode", scene.stat("x").ino(), scene.stat("y").ino());
            scene.links(1, "s");
        });
        for (FileType type : FileType.LEAVES) {
            rules.add(PAGE, "AT_EMPTY_PATH links what a descriptor of root's refers to: " + type, scene -> {
                scene.make(type, "x");
                int fd = scene.root().open("x", O_PATH | O_NOFOLLOW).okInt();
                scene.root().linkAt(fd, "", "y", AT_EMPTY_PATH).ok();
                scene.equal("inode", scene.stat("x").ino(), scene.stat("y").ino());
            });
        }
    }

    private static void unnamed(Rules rules) {
        rules.add(PAGE, "ENOENT for an open file without a name", scene -> {
            scene.make(REGULAR, "x");
            int fd = scene.root().open("x", O_RDWR).okInt();
            scene.root().unlink("x").ok();
            scene.root().linkAt(fd, "", "y", AT_EMPTY_PATH).fails(ENOENT);
            scene.root()
                    .linkAt(AT_FDCWD, "/proc/thread-self/fd/" + fd, "y", AT_SYMLINK_FOLLOW)
                    .fails(ENOENT);
            scene.absent("y");
        });
        rules.add("open(2)", "O_TMPFILE makes a file without a name, to which link gives one", scene -> {
            int fd = temporary(scene, 0);
            scene.equal("links", 0, scene.stat(fd).links());
            scene.equal("names", List.of(), scene.names("."));
            scene.root().write(fd, "bytes").is(5);
            scene.root().linkAt(fd, "", "x", AT_EMPTY_PATH).ok();
            scene.links(1, "x");
            scene.equal("inode", scene.stat(fd).ino(), scene.stat("x").ino());
            scene.equal("content", "bytes", scene.content("x"));
            scene.root()
                    .linkAt(AT_FDCWD, "/proc/thread-self/fd/" + fd, "y", AT_SYMLINK_FOLLOW)
                    .ok();
            scene.links(2, "x");
        });
        rules.add("open(2)", "O_TMPFILE|O_EXCL makes a file that never has a name", scene -> {
            int fd = temporary(scene, O_EXCL);
            scene.root().linkAt(fd, "", "x", AT_EMPTY_PATH).fails(ENOENT);
            scene.absent("x");
        });
        rules.add("open(2)", "O_TMPFILE takes mode, umask and owner as O_CREAT does", scene -> {
            scene.umask(027);
            scene.makeOwned(DIRECTORY, "d", 02777);
            int fd = scene.as(Actor.OTHER)
                    .open("d", O_TMPFILE | O_RDWR, 0666)
                    .orNotApplicable("O_TMPFILE")
                    .okInt();
            Stat made = scene.stat(fd);
            scene.equal("permissions", 0640, made.permissions());
            scene.equal("owner", Actor.OTHER.uid(), made.uid());
            scene.equal("group", Actor.OWNER.gid(), made.gid());
        });
        rules.add("open(2)", "O_TMPFILE changes no times of its directory", scene -> {
            Times times = scene.times(".");
            temporary(scene, 0);
            times.kept(".", "amc");
        });
        rules.add("open(2)", "EINVAL for O_TMPFILE without writing", scene -> {
            temporary(scene, 0);
            scene.root().open(".", O_TMPFILE | O_RDONLY, 0644).fails(EINVAL);
        });
        rules.add("open(2)", "EACCES for O_TMPFILE where the directory may not be written", scene -> {
            scene.make(DIRECTORY, "d");
            temporary(scene, 0);
            scene.as(Actor.OTHER).open("d", O_TMPFILE | O_RDWR, 0644).fails(EACCES);
        });
        for (FileType type : FileType.OBJECTS) {
            rules.add("open(2)", "ENOTDIR for O_TMPFILE in " + type, scene -> {
                scene.make(type, "x");
                scene.root().open("x", O_TMPFILE | O_RDWR, 0644).fails(ENOTDIR);
            });
        }
    }

    private static int temporary(Scene scene, int flags) {
        return scene.root()
                .open(".", O_TMPFILE | O_RDWR | flags, 0644)
                .orNotApplicable("O_TMPFILE")
                .okInt();
    }

    static boolean elsewhere(Scene scene) {
        return scene.exists(ELSEWHERE)
                && scene.stat(ELSEWHERE).device() != scene.stat(".").device();
    }

    private static void elsewhere(Rules rules) {
        for (FileType type : FileType.LEAVES) {
            rules.add(PAGE, "EXDEV from one file system to another: " + type, scene -> {
                scene.make(type, "x");
                scene.needs("another file system at " + ELSEWHERE, () -> elsewhere(scene));
                scene.root().link("x", ELSEWHERE + "/x").fails(EXDEV);
                scene.links(1, "x");
            });
        }
    }
}
