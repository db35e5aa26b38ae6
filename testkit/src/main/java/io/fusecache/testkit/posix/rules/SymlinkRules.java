package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EFAULT;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENAMETOOLONG;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.PATH_MAX;
import static io.fusecache.testkit.posix.scene.Flags.STATX_BASIC_STATS;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What symlink(2), readlink(2) and symlink(7) say: what a link may say, how it is read, and where it leads. */
final class SymlinkRules {
    private static final String PAGE = "symlink(2)";
    private static final String READ = "readlink(2)";

    private SymlinkRules() {}

    static void add(Rules rules) {
        targets(rules);
        reading(rules);
        leading(rules);
        protectedLinks(rules);
    }

    private static void targets(Rules rules) {
        for (int length : List.of(1, 58, 59, 60, 61, 127, 128, 255, 256, 1000, 4000, 4095)) {
            rules.add(PAGE, "a link may say " + length + " bytes", scene -> {
                String target = "t".repeat(length);
                scene.root().symlink(target, "s").ok();
                scene.equal("size", (long) length, scene.stat("s").size());
                scene.equal("what it says", target, read(scene, "s"));
            });
        }
        rules.add(PAGE, "ENAMETOOLONG for 4096 bytes", scene -> {
            scene.root().symlink("t".repeat(PATH_MAX), "s").fails(ENAMETOOLONG);
            scene.absent("s");
        });
        rules.add(PAGE, "ENOENT for nothing", scene -> {
            scene.root().symlink("", "s").fails(ENOENT);
            scene.absent("s");
        });
        rules.add(PAGE, "EFAULT for what is no address", scene -> {
            scene.root().symlink(Caller.FAULT, "s").fails(EFAULT);
            scene.absent("s");
        });
        List<String> strange = List.of(
                "/",
                ".",
                "..",
                "//a//b//",
                "a/",
                " ",
                "\n",
                "\u00ff\u00fe\u0001",
                "s",
                "/nowhere/./..",
                "n".repeat(300));
        for (String target : strange) {
            String shown = target.length() > 20 ? "a name that is too long" : "'" + target + "'";
            rules.add(PAGE, "a link says byte for byte what it was given: " + shown.replace("\n", "\\n"), scene -> {
                scene.root().symlink(target, "s").ok();
                scene.equal("what it says", target, read(scene, "s"));
            });
        }
        rules.add(PAGE, "a link's permissions are 0777 under any umask, and it is its maker's", scene -> {
            scene.umask(0777);
            scene.as(Actor.OTHER).symlink("t", "s").ok();
            scene.permissions(0777, "s");
            scene.equal("owner", Actor.OTHER.uid(), scene.stat("s").uid());
        });
    }

    private static String read(Scene scene, String path) {
        long length = scene.root().readlink(path, PATH_MAX).ok();
        return new String(scene.root().buffered(length), StandardCharsets.ISO_8859_1);
    }

    private static void reading(Rules rules) {
        for (FileType type : FileType.TARGETS) {
            rules.add(READ, "EINVAL for " + type, scene -> {
                scene.make(type, "x");
                scene.root().readlink("x", 100).fails(EINVAL);
            });
        }
        for (int size : List.of(1, 3, 6, 7, 8)) {
            rules.add(READ, "gives no more than " + size + " bytes, and no NUL", scene -> {
                scene.make(SYMLINK, "s");
                scene.root().buffer().fill((byte) '#');
                scene.root().readlink("s", size).is(Math.min(size, "nowhere".length()));
                String expected = ("nowhere".substring(0, Math.min(size, 7)) + "##########").substring(0, 10);
                scene.equal("buffer", expected, new String(scene.root().buffered(10), StandardCharsets.ISO_8859_1));
            });
        }
        for (int size : List.of(0, -1)) {
            rules.add(READ, "EINVAL for a buffer of " + size, scene -> {
                scene.make(SYMLINK, "s");
                scene.root().readlink("s", size).fails(EINVAL);
            });
        }
        for (Actor actor : PathRules.JUDGED) {
            rules.add(READ, "everybody may read a link: " + actor, scene -> {
                scene.makeOwned(SYMLINK, "s", 0, Actor.ROOT);
                scene.as(actor).readlink("s", 100).is(7);
            });
        }
        rules.add(READ, "reads a link whose target came and went", scene -> {
            scene.make(SYMLINK, "s").make(REGULAR, "nowhere");
            scene.equal("what it says", "nowhere", read(scene, "s"));
            scene.root().unlink("nowhere").ok();
            scene.equal("what it says", "nowhere", read(scene, "s"));
        });
    }

    private static void leading(Rules rules) {
        for (FileType type : FileType.TARGETS) {
            rules.add("symlink(7)", "a relative link leads from its own directory to " + type, scene -> {
                scene.make(DIRECTORY, "d").make(DIRECTORY, "e").make(type, "d/x");
                scene.root().symlink("../d/x", "e/s").ok();
                scene.root().stat("e/s").ok();
                scene.root().rename("e/s", "s").ok();
                scene.root().stat("s").fails(ENOENT);
            });
            rules.add("symlink(7)", "an absolute link leads to " + type + " wherever it is moved", scene -> {
                scene.make(DIRECTORY, "d").make(type, "x");
                String target = scene.path() + "/x";
                scene.needs("a path that fits", () -> target.length() < PATH_MAX);
                scene.root().symlink(target, "s").ok();
                scene.root().rename("s", "d/s").ok();
                scene.root().statx(AT_FDCWD, "d/s", 0, STATX_BASIC_STATS).ok();
                scene.equal("inode", scene.stat("x").ino(), inodeThrough(scene, "d/s"));
            });
            rules.add("symlink(7)", "a link that was made again leads to " + type + " anew", scene -> {
                scene.make(type, "x").make(REGULAR, "y");
                for (int i = 0; i < 4; i++) {
                    scene.root().symlink("x", "s").ok();
                    scene.equal("inode", scene.stat("x").ino(), inodeThrough(scene, "s"));
                    scene.root().unlink("s").ok();
                    scene.root().symlink("y", "s").ok();
                    scene.equal("inode", scene.stat("y").ino(), inodeThrough(scene, "s"));
                    scene.root().unlink("s").ok();
                }
            });
        }
        rules.add("symlink(7)", "O_CREAT makes what a link leads to in another directory", scene -> {
            scene.make(DIRECTORY, "d");
            scene.root().symlink("d/new", "s").ok();
            scene.root().open("s", O_CREAT | O_WRONLY, 0640).ok();
            scene.type(REGULAR, "d/new");
            scene.permissions(0640, "d/new");
        });
        rules.add("symlink(7)", "the right to search is asked on the way that the link leads", scene -> {
            scene.makeOwned(DIRECTORY, "d", 0700).make(REGULAR, "d/x");
            scene.root().symlink("d/x", "s").ok();
            scene.as(Actor.OWNER).stat("s").ok();
            scene.as(Actor.OTHER).stat("s").fails(EACCES);
            scene.as(Actor.OTHER).lstat("s").ok();
        });
    }

    private static long inodeThrough(Scene scene, String path) {
        scene.root().statx(AT_FDCWD, path, 0, STATX_BASIC_STATS).ok();
        return scene.root().answeredStat().ino();
    }

    /** proc(5): in a sticky directory that all may write, links are followed only by their owner and the directory's. */
    private static void protectedLinks(Rules rules) {
        for (Actor actor : List.of(Actor.OWNER, Actor.OTHER)) {
            for (Actor owner : List.of(Actor.OWNER, Actor.OTHER)) {
                for (int mode : List.of(01777, 0777)) {
                    rules.add(
                            "symlink(7)",
                            "link of %s in a directory with permissions 0%o, followed by %s"
                                    .formatted(owner, mode, actor),
                            scene -> {
                                scene.make(DIRECTORY, "d", mode)
                                        .make(REGULAR, "x")
                                        .makeOwned(SYMLINK, "d/t", 0, owner);
                                scene.root().symlink("../x", "d/s").ok();
                                scene.root()
                                        .lchown("d/s", owner.uid(), owner.gid())
                                        .ok();
                                boolean may =
                                        mode == 0777 || actor == owner || scene.sysctl("fs/protected_symlinks") == 0;
                                scene.as(actor).stat("d/s").is(may, EACCES);
                            });
                }
            }
        }
    }
}
