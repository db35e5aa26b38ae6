package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EBUSY;
import static io.fusecache.testkit.posix.scene.Errno.EEXIST;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EISDIR;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.ENOTDIR;
import static io.fusecache.testkit.posix.scene.Errno.ENOTEMPTY;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;

/** What unlink(2) and rmdir(2) say of each type of file, of dots and slashes, and of what is left. */
final class RemovingRules {
    private static final String UNLINK = "unlink(2)";
    private static final String RMDIR = "rmdir(2)";

    private RemovingRules() {}

    static void add(Rules rules) {
        for (FileType type : FileType.LEAVES) {
            unlinked(rules, type);
            notDirectories(rules, type);
        }
        for (FileType type : FileType.values()) {
            full(rules, type);
            for (Actor actor : PathRules.JUDGED) {
                rules.add(
                        type == DIRECTORY ? RMDIR : UNLINK,
                        "takes no right on " + type + " itself, as " + actor,
                        scene -> {
                            scene.make(DIRECTORY, "d", 0777).makeOwned(type, "d/x", 0, Actor.ROOT);
                            remove(scene.as(actor), type, "d/x").ok();
                            scene.absent("d/x");
                        });
            }
        }
        directories(rules);
        dots(rules);
        removedDirectories(rules);
    }

    /** By the call that is for the type. */
    static Outcome remove(Caller caller, FileType type, String path) {
        return type == DIRECTORY ? caller.rmdir(path) : caller.unlink(path);
    }

    private static void unlinked(Rules rules, FileType type) {
        rules.add(UNLINK, "removes " + type + " and sets mtime and ctime of its directory", scene -> {
            scene.make(DIRECTORY, "d").make(type, "d/x").make(REGULAR, "d/y");
            Times times = scene.times("d", "d/y");
            scene.root().unlink("d/x").ok();
            scene.absent("d/x");
            scene.equal("names", List.of("y"), scene.names("d"));
            times.changed("d", "mc").kept("d/y", "amc");
            scene.links(2, "d");
        });
        rules.add(UNLINK, "takes a link and sets ctime of " + type + " that has another name", scene -> {
            scene.make(DIRECTORY, "d").make(type, "x");
            scene.root().link("x", "d/y").ok();
            Times times = scene.times("x", ".", "d");
            scene.root().unlink("d/y").ok();
            scene.links(1, "x");
            times.exactly("x", "c").exactly("d", "mc").kept(".", "amc");
        });
        rules.add(UNLINK, "takes the last link, and sets ctime, of open " + type, scene -> {
            scene.make(type, "x");
            int fd = scene.root().open("x", O_PATH | O_NOFOLLOW).okInt();
            Times times = scene.times(fd);
            scene.root().unlink("x").ok();
            scene.equal("links", 0, scene.stat(fd).links());
            times.exactly(fd, "c");
        });
        rules.add(UNLINK, "ENOENT the second time: " + type, scene -> {
            scene.make(type, "x");
            scene.root().unlink("x").ok();
            scene.root().unlink("x").fails(ENOENT);
        });
        rules.add(UNLINK, "removes a symbolic link, not " + type + " that it leads to", scene -> {
            scene.make(type, "x");
            scene.root().symlink("x", "s").ok();
            scene.root().unlink("s").ok();
            scene.absent("s");
            scene.type(type, "x");
        });
    }

    private static void notDirectories(Rules rules, FileType type) {
        for (Actor actor : List.of(Actor.ROOT, Actor.OWNER)) {
            rules.add(RMDIR, "ENOTDIR for " + type + ", as " + actor, scene -> {
                scene.makeOwned(type, "x", 0644, actor);
                Times times = scene.times("x", ".");
                scene.as(actor).rmdir("x").fails(ENOTDIR);
                times.kept("x", "amc").kept(".", "amc");
            });
        }
        rules.add(RMDIR, "ENOTDIR for a symbolic link to a directory beside " + type, scene -> {
            scene.make(DIRECTORY, "d").make(type, "x");
            scene.root().symlink("d", "s").ok();
            scene.root().rmdir("s").fails(ENOTDIR);
            scene.root().rmdir("s/").fails(ENOTDIR);
            scene.type(DIRECTORY, "d");
        });
    }

    private static void full(Rules rules, FileType type) {
        rules.add(RMDIR, "ENOTEMPTY where there is " + type + " in the directory", scene -> {
            scene.make(DIRECTORY, "d").make(type, "d/x");
            Times times = scene.times("d", "d/x", ".");
            scene.root().rmdir("d").fails(ENOTEMPTY, EEXIST);
            times.kept("d", "amc").kept("d/x", "amc").kept(".", "amc");
            remove(scene.root(), type, "d/x").ok();
            scene.root().rmdir("d").ok();
            scene.absent("d");
        });
        rules.add(RMDIR, "a directory is empty when " + type + " was moved out of it", scene -> {
            scene.make(DIRECTORY, "d").make(type, "d/x");
            scene.root().rename("d/x", "x").ok();
            scene.root().rmdir("d").ok();
            scene.type(type, "x");
        });
    }

    private static void directories(Rules rules) {
        for (Actor actor : Actor.values()) {
            rules.add(UNLINK, "EISDIR for a directory, as " + actor, scene -> {
                scene.makeOwned(DIRECTORY, "d", 0777, actor);
                Times times = scene.times("d", ".");
                scene.as(actor).unlink("d").fails(EISDIR, EPERM);
                scene.type(DIRECTORY, "d");
                times.kept("d", "amc").kept(".", "amc");
            });
        }
        rules.add(RMDIR, "takes a link of the parent, and sets its mtime and ctime", scene -> {
            scene.make(DIRECTORY, "d").make(DIRECTORY, "d/e");
            scene.links(3, "d");
            Times times = scene.times("d", ".");
            scene.root().rmdir("d/e").ok();
            scene.links(2, "d");
            times.changed("d", "mc").kept(".", "amc");
        });
        for (String flag : List.of("1", "256", "4096")) {
            rules.add("unlinkat(2)", "EINVAL for the flag " + flag, scene -> {
                scene.make(REGULAR, "x");
                scene.root()
                        .call(Syscall.UNLINKAT, AT_FDCWD, "x", Integer.parseInt(flag))
                        .fails(EINVAL);
                scene.type(REGULAR, "x");
            });
        }
        rules.add(UNLINK, "a name made again is another inode with its own bytes", scene -> {
            scene.file("x", "old");
            int fd = scene.root().open("x", O_RDONLY).okInt();
            scene.root().unlink("x").ok();
            scene.file("x", "new");
            scene.expect(
                    "another inode", scene.stat(fd).ino() != scene.stat("x").ino());
            scene.equal("content of the old", "old", scene.content(fd));
            scene.equal("content of the new", "new", scene.content("x"));
        });
        rules.add(UNLINK, "a directory may take the name of a file that is gone, and a file a directory's", scene -> {
            scene.make(REGULAR, "x").make(DIRECTORY, "d").make(REGULAR, "d/inside");
            scene.root().unlink("x").ok();
            scene.make(DIRECTORY, "x");
            scene.absent("x/inside");
            scene.root().unlink("d/inside").ok();
            scene.root().rmdir("d").ok();
            scene.make(REGULAR, "d");
            scene.root().lstat("d/inside").fails(ENOTDIR);
        });
        rules.add(UNLINK, "all names of a directory of 500 go, one by one", scene -> {
            scene.make(DIRECTORY, "d");
            for (int i = 0; i < 500; i++) {
                scene.make(REGULAR, "d/" + i);
            }
            scene.equal("names", 500, scene.names("d").size());
            for (int i = 0; i < 500; i++) {
                scene.root().unlink("d/" + i).ok();
            }
            scene.root().rmdir("d").ok();
        });
    }

    private static void dots(Rules rules) {
        slashed(rules, RMDIR, "d/.", EINVAL);
        slashed(rules, RMDIR, ".", EINVAL);
        slashed(rules, RMDIR, "d/e/..", ENOTEMPTY);
        slashed(rules, RMDIR, "..", ENOTEMPTY);
        slashed(rules, RMDIR, "/", EBUSY);
        slashed(rules, RMDIR, "d/x/", ENOTDIR);
        slashed(rules, RMDIR, "missing/", ENOENT);
        slashed(rules, UNLINK, ".", EISDIR);
        slashed(rules, UNLINK, "..", EISDIR);
        slashed(rules, UNLINK, "d/.", EISDIR);
        slashed(rules, UNLINK, "d/e/..", EISDIR);
        slashed(rules, UNLINK, "/", EISDIR);
        slashed(rules, UNLINK, "d/", EISDIR);
        slashed(rules, UNLINK, "d/x/", ENOTDIR);
        slashed(rules, UNLINK, "missing/", ENOENT);
    }

    private static void slashed(Rules rules, String page, String path, Errno errno) {
        rules.add(page, errno + " for '" + path + "'", scene -> {
            scene.make(DIRECTORY, "d").make(DIRECTORY, "d/e").make(REGULAR, "d/x");
            Caller root = scene.root();
            (page.equals(RMDIR) ? root.rmdir(path) : root.unlink(path)).fails(errno);
            scene.equal("names", List.of("e", "x"), scene.names("d"));
        });
    }

    private static void removedDirectories(Rules rules) {
        rules.add(RMDIR, "a removed directory has no links and no names, not even the dots", scene -> {
            scene.make(DIRECTORY, "d");
            int fd = scene.root().open("d", O_RDONLY | O_DIRECTORY).okInt();
            scene.root().rmdir("d").ok();
            scene.equal("links", 0, scene.stat(fd).links());
            Outcome listed = scene.root().getdents(fd, 1000);
            scene.expect("nothing is listed", listed.failed(ENOENT) || listed.raw() == 0);
        });
        rules.add(RMDIR, "a removed working directory is still a directory with attributes", scene -> {
            scene.make(DIRECTORY, "d");
            scene.root().call(Syscall.CHDIR, "d").ok();
            scene.root().rmdir("../d").ok();
            scene.type(DIRECTORY, ".");
            scene.root().chmod(".", 0700).ok();
            scene.permissions(0700, ".");
            scene.root().chown(".", 5, 6).ok();
            scene.root().utimens(".", 0, 0).ok();
            scene.root().open(".", O_RDONLY | O_DIRECTORY).ok();
            scene.root().lstat("x").fails(ENOENT);
        });
        rules.add(RMDIR, "nothing is moved into a removed directory", scene -> {
            scene.make(DIRECTORY, "d").make(REGULAR, "x");
            int fd = scene.root().open("d", O_RDONLY | O_DIRECTORY).okInt();
            scene.root().rmdir("d").ok();
            scene.root().call(Syscall.RENAMEAT2, AT_FDCWD, "x", fd, "x", 0).fails(ENOENT);
            scene.root().call(Syscall.LINKAT, AT_FDCWD, "x", fd, "x", 0).fails(ENOENT);
            scene.type(REGULAR, "x");
        });
        rules.add(RMDIR, "a directory made again by the name of a removed one is another", scene -> {
            scene.make(DIRECTORY, "d");
            int fd = scene.root().open("d", O_RDONLY | O_DIRECTORY).okInt();
            scene.root().rmdir("d").ok();
            scene.make(DIRECTORY, "d").make(REGULAR, "d/x");
            scene.expect(
                    "another inode", scene.stat(fd).ino() != scene.stat("d").ino());
            scene.root()
                    .call(Syscall.NEWFSTATAT, fd, "x", scene.root().buffer(), 0)
                    .fails(ENOENT);
        });
    }
}
