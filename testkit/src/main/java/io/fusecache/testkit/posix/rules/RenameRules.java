package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EBUSY;
import static io.fusecache.testkit.posix.scene.Errno.EEXIST;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EISDIR;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.ENOTDIR;
import static io.fusecache.testkit.posix.scene.Errno.ENOTEMPTY;
import static io.fusecache.testkit.posix.scene.Errno.EXDEV;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.NAME_MAX;
import static io.fusecache.testkit.posix.scene.Flags.O_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.W_OK;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Entry;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;

/** What rename(2) says of every pair of types: what takes whose place, and what becomes of both. */
final class RenameRules {
    static final String PAGE = "rename(2)";

    private RenameRules() {}

    /** Where the new name is. */
    enum Where {
        SAME("in one directory", "d/y", "d"),
        OTHER("from one directory to another", "e/y", "e");

        private final String phrase;
        private final String path;
        private final String parent;

        Where(String phrase, String path, String parent) {
            this.phrase = phrase;
            this.path = path;
            this.parent = parent;
        }

        String phrase() {
            return phrase;
        }

        String path() {
            return path;
        }

        String parent() {
            return parent;
        }

        Scene prepare(Scene scene) {
            return scene.make(DIRECTORY, "d").make(DIRECTORY, "e");
        }
    }

    static void add(Rules rules) {
        for (FileType type : FileType.values()) {
            for (Where where : Where.values()) {
                moved(rules, type, where);
                for (FileType there : FileType.values()) {
                    replaced(rules, type, there, where);
                }
            }
            if (type != DIRECTORY) {
                sameInode(rules, type);
            }
            links(rules, type);
        }
        directories(rules);
        subtrees(rules);
        dotsAndSlashes(rules);
        rights(rules);
        openFiles(rules);
    }

    private static void moved(Rules rules, FileType type, Where where) {
        String what = type + " " + where.phrase;
        rules.add(PAGE, "the inode and all its attributes stay: " + what, scene -> {
            where.prepare(scene).makeOwned(type, "d/x", type == DIRECTORY ? 01751 : 04751);
            scene.root()
                    .utimens("d/x", Caller.times(1000, 1, 2000, 2), AT_SYMLINK_NOFOLLOW)
                    .ok();
            Stat before = scene.stat("d/x");
            scene.root().rename("d/x", where.path).ok();
            scene.absent("d/x");
            Stat after = scene.stat(where.path);
            scene.equal("inode", before.ino(), after.ino());
            scene.equal("mode", before.mode(), after.mode());
            scene.equal("owner", before.uid(), after.uid());
            scene.equal("group", before.gid(), after.gid());
            scene.equal("links", before.links(), after.links());
            scene.equal("atime", before.atime(), after.atime());
            scene.equal("mtime", before.mtime(), after.mtime());
            scene.equal("size", before.size(), after.size());
        });
        rules.add(PAGE, "sets mtime and ctime of the directories, and ctime of " + what, scene -> {
            where.prepare(scene).make(type, "d/x").make(DIRECTORY, "u");
            Times times = scene.times("d", "e", "d/x", ".", "u");
            scene.root().rename("d/x", where.path).ok();
            times.moved("d/x", where.path)
                    .exactly(where.path, "c")
                    .exactly("d", "mc")
                    .kept(".", "amc");
            times.kept("u", "amc");
            if (where == Where.OTHER) {
                times.exactly("e", "mc");
            } else {
                times.kept("e", "amc");
            }
        });
        rules.add(PAGE, "and back again: " + what, scene -> {
            where.prepare(scene).make(type, "d/x");
            Stat before = scene.stat("d/x");
            for (int i = 0; i < 5; i++) {
                scene.root().rename("d/x", where.path).ok();
                scene.root().rename(where.path, "d/x").ok();
            }
            scene.equal("inode", before.ino(), scene.stat("d/x").ino());
            scene.equal("links of d", type == DIRECTORY ? 3 : 2, scene.stat("d").links());
            scene.equal("links of e", 2, scene.stat("e").links());
        });
    }

    private static void replaced(Rules rules, FileType type, FileType there, Where where) {
        String what = ": " + type + " to " + there + ", " + where.phrase;
        if (type == DIRECTORY ^ there == DIRECTORY) {
            Errno errno = type == DIRECTORY ? ENOTDIR : EISDIR;
            rules.add(PAGE, errno + what, scene -> {
                where.prepare(scene).make(type, "d/x").make(there, where.path);
                Times times = scene.times("d", "e", "d/x", where.path);
                scene.root().rename("d/x", where.path).fails(errno);
                times.kept("d", "amc").kept("e", "amc").kept("d/x", "amc").kept(where.path, "amc");
                scene.type(type, "d/x");
                scene.type(there, where.path);
            });
            return;
        }
        rules.add(PAGE, "takes the place" + what, scene -> {
            where.prepare(scene).make(type, "d/x").make(there, where.path);
            int fd = scene.root().open(where.path, O_PATH | O_NOFOLLOW).okInt();
            long ino = scene.stat("d/x").ino();
            Times times = scene.times("d", where.parent, fd);
            scene.root().rename("d/x", where.path).ok();
            scene.absent("d/x");
            scene.type(type, where.path);
            scene.equal("inode", ino, scene.stat(where.path).ino());
            scene.equal("links of what was there", 0, scene.stat(fd).links());
            times.exactly(where.parent, "mc").exactly("d", "mc").changed(fd, "c");
            scene.equal("names", List.of("y"), scene.names(where.parent));
        });
        if (type != DIRECTORY) {
            rules.add(PAGE, "takes a link of what was there and has another name" + what, scene -> {
                where.prepare(scene).make(type, "d/x").make(there, where.path);
                scene.root().link(where.path, "other").ok();
                Times times = scene.times("other");
                scene.root().rename("d/x", where.path).ok();
                scene.links(1, "other");
                scene.type(there, "other");
                times.exactly("other", "c");
            });
        } else {
            for (FileType inside : FileType.values()) {
                rules.add(PAGE, "ENOTEMPTY where there is " + inside + " in the directory" + what, scene -> {
                    where.prepare(scene)
                            .make(type, "d/x")
                            .make(there, where.path)
                            .make(inside, where.path + "/z");
                    scene.root().rename("d/x", where.path).fails(ENOTEMPTY, EEXIST);
                    scene.type(inside, where.path + "/z");
                    scene.type(type, "d/x");
                });
            }
        }
    }

    private static void sameInode(Rules rules, FileType type) {
        for (Where where : Where.values()) {
            rules.add(PAGE, "does nothing where both are names of " + type + " " + where.phrase, scene -> {
                where.prepare(scene).make(type, "d/x");
                scene.root().link("d/x", where.path).ok();
                Times times = scene.times("d", "e", "d/x");
                scene.root().rename("d/x", where.path).ok();
                scene.equal("other name", scene.stat("d/x"), scene.stat(where.path));
                scene.links(2, "d/x");
                times.kept("d", "amc").kept("e", "amc").kept("d/x", "amc");
            });
        }
        rules.add(PAGE, "does nothing where both paths are the one name of " + type, scene -> {
            scene.make(DIRECTORY, "d").make(type, "d/x");
            Times times = scene.times("d", "d/x");
            scene.root().rename("d/x", "d/x").ok();
            scene.root().rename("d/x", "./d/../d//x").ok();
            scene.links(1, "d/x");
            times.kept("d", "amc").kept("d/x", "amc");
        });
    }

    private static void links(Rules rules, FileType type) {
        rules.add(PAGE, "moves a symbolic link, not " + type + " that it leads to", scene -> {
            scene.make(type, "x");
            scene.root().symlink("x", "s").ok();
            scene.root().rename("s", "t").ok();
            scene.absent("s");
            scene.type(SYMLINK, "t");
            scene.type(type, "x");
        });
        rules.add(PAGE, "replaces a symbolic link, not " + type + " that it leads to", scene -> {
            scene.make(type, "x").make(REGULAR, "y");
            scene.root().symlink("x", "s").ok();
            scene.root().rename("y", "s").ok();
            scene.type(REGULAR, "s");
            scene.type(type, "x");
        });
        rules.add(PAGE, "EXDEV from one file system to another: " + type, scene -> {
            scene.make(type, "x");
            scene.needs("another file system at " + LinkRules.ELSEWHERE, () -> LinkRules.elsewhere(scene));
            scene.root().rename("x", LinkRules.ELSEWHERE + "/posix-suite-x").fails(EXDEV);
            scene.type(type, "x");
        });
    }

    private static void directories(Rules rules) {
        rules.add(PAGE, "a directory's link of its parent goes with it", scene -> {
            scene.make(DIRECTORY, "d").make(DIRECTORY, "e").make(DIRECTORY, "d/x");
            scene.root().rename("d/x", "e/x").ok();
            scene.links(2, "d");
            scene.links(3, "e");
        });
        rules.add(PAGE, "an emptied directory's link of its parent is gone when another takes its place", scene -> {
            scene.make(DIRECTORY, "d")
                    .make(DIRECTORY, "e")
                    .make(DIRECTORY, "d/x")
                    .make(DIRECTORY, "e/x");
            scene.root().rename("d/x", "e/x").ok();
            scene.links(2, "d");
            scene.links(3, "e");
            scene.make(DIRECTORY, "e/y");
            scene.links(4, "e");
            scene.root().rename("e/y", "e/x").ok();
            scene.links(3, "e");
        });
        rules.add(PAGE, "'..' of a moved directory leads to its new parent", scene -> {
            scene.make(DIRECTORY, "d").make(DIRECTORY, "e").make(DIRECTORY, "d/x");
            scene.root().call(Syscall.CHDIR, "d/x").ok();
            scene.root().rename("../../d/x", "../../e/y").ok();
            scene.equal("..", scene.stat("../../e").ino(), scene.stat("..").ino());
            int fd = scene.root().open(".", O_RDONLY | O_DIRECTORY).okInt();
            long listed = scene.root().entries(fd).stream()
                    .filter(entry -> entry.name().equals(".."))
                    .findFirst()
                    .map(Entry::ino)
                    .orElse(0L);
            scene.equal(".. as listed", scene.stat("..").ino(), listed);
        });
        rules.add(PAGE, "a tree moves whole, and is found by descriptors that were open in it", scene -> {
            scene.make(DIRECTORY, "d")
                    .make(DIRECTORY, "d/e")
                    .make(DIRECTORY, "d/e/f")
                    .file("d/e/f/x", "bytes");
            int fd = scene.root().open("d/e", O_RDONLY | O_DIRECTORY).okInt();
            scene.root().rename("d", "moved").ok();
            scene.equal("content", "bytes", scene.content("moved/e/f/x"));
            scene.absent("d");
            scene.root().lstat("d/e/f/x").fails(ENOENT);
            int inside = scene.root().openAt(fd, "f/x", O_RDONLY, 0).okInt();
            scene.equal("content", "bytes", scene.content(inside));
            scene.root().openAt(fd, "new", O_CREAT | O_WRONLY, 0644).ok();
            scene.type(REGULAR, "moved/e/new");
        });
        rules.add(PAGE, "a directory replaced while it is the working directory is a removed one", scene -> {
            scene.make(DIRECTORY, "d").make(DIRECTORY, "e");
            scene.root().call(Syscall.CHDIR, "e").ok();
            scene.root().rename("../d", "../e").ok();
            scene.links(0, ".");
            scene.root().mkdir("x", 0755).fails(ENOENT);
        });
        rules.add(PAGE, "two trees may be moved into each other's parents, one after the other", scene -> {
            scene.make(DIRECTORY, "a").make(DIRECTORY, "a/b").make(DIRECTORY, "c");
            scene.root().rename("a/b", "c/b").ok();
            scene.root().rename("a", "c/b/a").ok();
            scene.root().rename("c", "c/b/a/c").fails(EINVAL);
            scene.type(DIRECTORY, "c/b/a");
        });
    }

    private static void subtrees(Rules rules) {
        for (String inside : List.of("d/new", "d/e", "d/e/new", "d/e/f", "d/e/f/g/new")) {
            rules.add(PAGE, "EINVAL where a directory would be moved to '" + inside + "' inside itself", scene -> {
                nest(scene);
                scene.root().rename("d", inside).fails(EINVAL);
                scene.root().rename("./d", inside).fails(EINVAL);
                scene.type(DIRECTORY, "d/e/f/g");
            });
        }
        for (String above : List.of("d", "d/e", "d/e/f")) {
            rules.add(PAGE, "ENOTEMPTY where a directory would take the place of '" + above + "' above it", scene -> {
                nest(scene);
                scene.root().rename("d/e/f/g", above).fails(ENOTEMPTY);
                scene.type(DIRECTORY, "d/e/f/g");
            });
            rules.add(
                    PAGE,
                    "EISDIR or ENOTEMPTY where a file would take the place of '" + above + "' above it",
                    scene -> {
                        nest(scene);
                        scene.make(REGULAR, "d/e/f/x");
                        scene.root().rename("d/e/f/x", above).fails(EISDIR, ENOTEMPTY);
                        scene.type(REGULAR, "d/e/f/x");
                    });
        }
        rules.add(PAGE, "a directory whose name begins with another's is not inside it", scene -> {
            nest(scene);
            scene.make(DIRECTORY, "de");
            scene.root().rename("d", "de/d").ok();
            scene.type(DIRECTORY, "de/d/e/f/g");
        });
    }

    private static void nest(Scene scene) {
        scene.make(DIRECTORY, "d")
                .make(DIRECTORY, "d/e")
                .make(DIRECTORY, "d/e/f")
                .make(DIRECTORY, "d/e/f/g");
    }

    private static void dotsAndSlashes(Rules rules) {
        for (String dots : List.of(".", "..", "d/.", "d/..", "d/e/..")) {
            for (FileType type : List.of(REGULAR, DIRECTORY)) {
                rules.add(PAGE, "EBUSY or EINVAL from '" + dots + "' beside " + type, scene -> {
                    scene.make(DIRECTORY, "d").make(DIRECTORY, "d/e").make(type, "x");
                    scene.root().rename(dots, "new").fails(EBUSY, EINVAL);
                    scene.root().rename(dots, "x").fails(EBUSY, EINVAL);
                    scene.absent("new");
                });
                rules.add(PAGE, "EBUSY or EINVAL from " + type + " to '" + dots + "'", scene -> {
                    scene.make(DIRECTORY, "d").make(DIRECTORY, "d/e").make(type, "x");
                    scene.root().rename("x", dots).fails(EBUSY, EINVAL);
                    scene.type(type, "x");
                });
            }
        }
        for (FileType type : FileType.LEAVES) {
            rules.add(PAGE, "ENOTDIR where a slash follows " + type, scene -> {
                scene.make(type, "x").make(REGULAR, "y");
                scene.root().rename("x/", "new").fails(ENOTDIR);
                scene.root().rename("y", "x/").fails(ENOTDIR);
                scene.type(type, "x");
                scene.type(REGULAR, "y");
            });
            rules.add(PAGE, "ENOTDIR where a slash follows the new name of " + type, scene -> {
                scene.make(type, "x");
                scene.root().rename("x", "new/").fails(ENOTDIR);
                scene.type(type, "x");
            });
        }
        rules.add(PAGE, "EBUSY or EINVAL from and to the root, and EXDEV where that is another file system", scene -> {
            scene.make(REGULAR, "x");
            scene.root().rename("/", "new").fails(EBUSY, EINVAL, EXDEV);
            scene.root().rename("x", "/").fails(EBUSY, EINVAL, EXDEV);
            scene.type(REGULAR, "x");
        });
        rules.add(PAGE, "slashes may follow both names of a directory", scene -> {
            scene.make(DIRECTORY, "d").make(DIRECTORY, "e");
            scene.root().rename("d/", "new//").ok();
            scene.root().rename("new//", "e/").ok();
            scene.type(DIRECTORY, "e");
            scene.absent("d");
        });
        rules.add(PAGE, "ENOTDIR where a slash follows a symbolic link to a directory", scene -> {
            scene.make(DIRECTORY, "d").make(DIRECTORY, "e");
            scene.root().symlink("d", "s").ok();
            scene.root().rename("s/", "new").fails(ENOTDIR);
            scene.root().rename("e", "s/").fails(ENOTDIR);
            scene.type(DIRECTORY, "d");
        });
    }

    private static void rights(Rules rules) {
        for (Actor actor : PathRules.JUDGED) {
            for (int granted : PathRules.CLASS_BITS) {
                boolean may = (granted & W_OK) != 0;
                String what = " a directory with permissions " + granted + " for " + actor;
                rules.add(PAGE, (may ? "moves" : "EACCES for moving") + what + " to another parent", scene -> {
                    scene.makeOwned(DIRECTORY, "d", PathRules.mode(actor, ~granted & 07, granted));
                    scene.make(DIRECTORY, "e", 0777);
                    scene.as(actor).rename("d", "e/d").is(may, EACCES);
                });
                rules.add(PAGE, "renames in place" + what, scene -> {
                    scene.makeOwned(DIRECTORY, "d", PathRules.mode(actor, ~granted & 07, granted));
                    scene.as(actor).rename("d", "e").ok();
                });
                rules.add(PAGE, "moves a file with permissions " + granted + " for " + actor, scene -> {
                    scene.makeOwned(REGULAR, "x", PathRules.mode(actor, ~granted & 07, granted));
                    scene.make(DIRECTORY, "e", 0777);
                    scene.as(actor).rename("x", "e/x").ok();
                });
            }
        }
    }

    private static void openFiles(Rules rules) {
        rules.add(PAGE, "what is open is read and written by its new name", scene -> {
            scene.file("x", "bytes");
            int fd = scene.root().open("x", O_RDWR | O_APPEND).okInt();
            scene.root().rename("x", "y").ok();
            scene.root().write(fd, " more").is(5);
            scene.equal("content", "bytes more", scene.content("y"));
        });
        rules.add(PAGE, "what was replaced lives on while it is open", scene -> {
            scene.file("x", "new").file("y", "old");
            int fd = scene.root().open("y", O_RDWR | O_APPEND).okInt();
            scene.root().rename("x", "y").ok();
            scene.root().write(fd, " bytes").is(6);
            scene.equal("content of the old", "old bytes", scene.content(fd));
            scene.equal("content of the new", "new", scene.content("y"));
        });
        rules.add(PAGE, "names of 255 bytes change places", scene -> {
            String one = "a".repeat(NAME_MAX);
            String other = "b".repeat(NAME_MAX);
            scene.file(one, "one").file(other, "other");
            scene.root().rename(one, "c").ok();
            scene.root().rename(other, one).ok();
            scene.root().rename("c", other).ok();
            scene.equal("content", "other", scene.content(one));
            scene.equal("content", "one", scene.content(other));
        });
    }
}
