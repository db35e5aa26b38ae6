package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EEXIST;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.FileType.BLOCK;
import static io.fusecache.testkit.posix.scene.FileType.CHARACTER;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.NAME_MAX;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.STATX_BTIME;
import static io.fusecache.testkit.posix.scene.Flags.S_ISGID;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Entry;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What holds for every call that makes an inode: its permissions, owner, group, times and name, and its directory's. */
final class MakingRules {
    private static final List<Integer> MODES =
            List.of(0, 0400, 0222, 0644, 0755, 0777, 01777, 02755, 04755, 06755, 07777);
    private static final List<Integer> UMASKS = List.of(0, 022, 027, 077, 0151, 0777);

    /** Names that a file system might be tempted to understand. */
    private static final Map<String, String> NAMES = names();

    private MakingRules() {}

    private static Map<String, String> names() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("one letter", "a");
        names.put("a space", " ");
        names.put("three dots", "...");
        names.put("a dot in front", ".hidden");
        names.put("dots at the end", "a..");
        names.put("a space at the end", "a ");
        names.put("a tilde and a hash sign", "#a~");
        names.put("a newline", "a\nb");
        names.put("a backslash", "a\\b");
        names.put("a percent sign", "a%2Fb");
        names.put("quotes, a star and a question mark", "\"'*?`$");
        names.put("a colon", "C:a");
        names.put("control characters", "\001\t\r\033\177");
        names.put("UTF-8", "\u00c3\u00a4\u00e2\u0082\u00ac\u00f0\u009f\u0098\u0080");
        names.put("a letter with a combining accent", "a\u00cc\u0088");
        names.put("bytes that are no UTF-8", "\u00ff\u00fe\u0080\u00c3");
        names.put("a lone surrogate as UTF-8 would have it", "\u00ed\u00a0\u0080");
        names.put("255 bytes that are no UTF-8", "\u00ff".repeat(NAME_MAX));
        return names;
    }

    static void add(Rules rules) {
        for (Making making : Making.values()) {
            occupied(rules, making);
            names(rules, making);
            owners(rules, making);
            times(rules, making);
            removedDirectory(rules, making);
            if (making.modal()) {
                permissions(rules, making);
            }
        }
        setGroupIdKept(rules);
        devices(rules);
        everyByte(rules);
        directories(rules);
    }

    private static void occupied(Rules rules, Making making) {
        for (FileType there : FileType.values()) {
            rules.add(making.page(), "EEXIST where the path is " + there + making.form(), scene -> {
                scene.make(there, "x");
                Stat before = scene.stat("x");
                making.act(scene.root(), "x").fails(EEXIST);
                scene.equal("what was there", before, scene.stat("x"));
            });
            rules.add(making.page(), "EEXIST where the path is a symbolic link to " + there + making.form(), scene -> {
                scene.make(there, "x");
                scene.root().symlink("x", "s").ok();
                making.act(scene.root(), "s").fails(EEXIST);
            });
            rules.add(
                    making.page(),
                    "EEXIST rather than EACCES where the path is " + there + " in a directory that may not be written"
                            + making.form(),
                    scene -> {
                        scene.make(DIRECTORY, "d").make(there, "d/x");
                        making.act(scene.as(Actor.OTHER), "d/x").fails(EEXIST);
                    });
        }
        for (String dots : List.of(".", "..", "d/.", "d/..", "/")) {
            rules.add(making.page(), "EEXIST where the path is '" + dots + "'" + making.form(), scene -> {
                scene.make(DIRECTORY, "d");
                making.act(scene.root(), dots).fails(EEXIST);
            });
        }
    }

    private static void names(Rules rules, Making making) {
        NAMES.forEach((what, name) -> rules.add(making.page(), "the name may be " + what + making.form(), scene -> {
            scene.make(DIRECTORY, "d");
            making.act(scene.root(), "d/" + name).ok();
            scene.type(making.type(), "d/" + name);
            scene.equal("the only name", List.of(name), scene.names("d"));
        }));
    }

    private static void everyByte(Rules rules) {
        rules.add("mknod(2)", "a name may be any one byte but a slash and NUL, and a dot", scene -> {
            List<String> names = new ArrayList<>();
            scene.make(DIRECTORY, "d");
            for (char b = 1; b <= 255; b++) {
                if (b != '/' && b != '.') {
                    scene.make(REGULAR, "d/" + b);
                    names.add(Character.toString(b));
                }
            }
            scene.equal("the names", names, scene.names("d"));
        });
        rules.add("mknod(2)", "names that differ in case are different names", scene -> {
            scene.make(REGULAR, "name").make(DIRECTORY, "Name").make(FIFO, "NAME");
            scene.type(REGULAR, "name");
            scene.type(DIRECTORY, "Name");
            scene.type(FIFO, "NAME");
        });
        rules.add("mknod(2)", "the composed and the decomposed form of a letter are different names", scene -> {
            scene.make(REGULAR, "\u00c3\u00a4").make(DIRECTORY, "a\u00cc\u0088");
            scene.type(REGULAR, "\u00c3\u00a4");
            scene.type(DIRECTORY, "a\u00cc\u0088");
        });
    }

    private static void permissions(Rules rules, Making making) {
        Actor actor = making.privileged() ? Actor.ROOT : Actor.OWNER;
        for (int mode : MODES) {
            for (int umask : UMASKS) {
                String text = "permissions 0%o under umask 0%o are 0%o%s"
                        .formatted(mode, umask, making.permissions(mode, umask), making.form());
                rules.add(making.page(), text, scene -> {
                    scene.umask(umask);
                    making.act(scene.as(actor), "x", mode).ok();
                    scene.permissions(making.permissions(mode, umask), "x");
                });
            }
        }
    }

    private static void owners(Rules rules, Making making) {
        for (Actor actor : Actor.values()) {
            if (making.privileged() && actor != Actor.ROOT) {
                rules.add(making.page(), "EPERM for " + actor + making.form(), scene -> {
                    making.act(scene.as(actor), "x").fails(EPERM);
                    scene.absent("x");
                });
                continue;
            }
            rules.add(making.page(), "who makes it owns it, with the own group: " + actor + making.form(), scene -> {
                making.act(scene.as(actor), "x").ok();
                Stat made = scene.stat("x");
                scene.equal("owner", actor.uid(), made.uid());
                scene.equal("group", actor.gid(), made.gid());
            });
            rules.add(making.page(), "a set-group-id directory gives its group: " + actor + making.form(), scene -> {
                scene.makeOwned(DIRECTORY, "d", 02777);
                making.act(scene.as(actor), "d/x").ok();
                Stat made = scene.stat("d/x");
                scene.equal("owner", actor.uid(), made.uid());
                scene.equal("group", Actor.OWNER.gid(), made.gid());
                scene.equal("set-group-id", making == Making.MKDIR ? S_ISGID : 0, made.permissions() & S_ISGID);
            });
        }
    }

    /** Of what is made in a set-group-id directory with set-group-id of its own. */
    private static void setGroupIdKept(Rules rules) {
        for (Making making : List.of(Making.OPEN, Making.MKNOD_REGULAR, Making.MKNOD_FIFO, Making.MKNOD_SOCKET)) {
            for (Actor actor : Actor.values()) {
                boolean stripped = actor == Actor.OTHER;
                rules.add(
                        making.page(),
                        "an executable's set-group-id is " + (stripped ? "dropped" : "kept")
                                + " in another group's set-group-id directory: " + actor + making.form(),
                        scene -> {
                            scene.makeOwned(DIRECTORY, "d", 02777);
                            making.act(scene.as(actor), "d/x", 02755).ok();
                            scene.permissions(stripped ? 0755 : 02755, "d/x");
                        });
            }
        }
    }

    private static void times(Rules rules, Making making) {
        rules.add(making.page(), "sets mtime and ctime of the directory" + making.form(), scene -> {
            scene.make(DIRECTORY, "d");
            Times times = scene.times("d");
            making.act(scene.root(), "d/x").ok();
            times.exactly("d", "mc");
        });
        rules.add(making.page(), "sets atime, mtime, ctime and birth" + making.form(), scene -> {
            scene.times(".");
            long before = scene.stat(".").ctime();
            making.act(scene.root(), "x").ok();
            Stat made = scene.stat("x");
            scene.expect("atime is the present", made.atime() > before);
            scene.expect("mtime is the present", made.mtime() > before);
            scene.expect("ctime is not before mtime", made.ctime() >= made.mtime());
            scene.root().statx(AT_FDCWD, "x", AT_SYMLINK_NOFOLLOW, STATX_BTIME).ok();
            Stat birth = scene.root().answeredStat();
            scene.needs("birth times", () -> (birth.mask() & STATX_BTIME) != 0);
            scene.expect("birth is the present", birth.btime() > before && birth.btime() <= made.ctime());
        });
        rules.add(making.page(), "links and size of what is made" + making.form(), scene -> {
            int links = scene.stat(".").links();
            making.act(scene.root(), "x").ok();
            boolean directory = making == Making.MKDIR;
            scene.links(directory ? 2 : 1, "x");
            scene.links(directory ? links + 1 : links, ".");
            if (!directory) {
                long size = making == Making.SYMLINK ? Making.TARGET.length() : 0;
                scene.equal("size", size, scene.stat("x").size());
            }
        });
        rules.add(making.page(), "an inode of its own" + making.form(), scene -> {
            making.act(scene.root(), "x").ok();
            making.act(scene.root(), "y").ok();
            Stat x = scene.stat("x");
            Stat y = scene.stat("y");
            scene.expect("different inode numbers", x.ino() != y.ino());
            scene.expect("one device", x.device() == y.device());
        });
        rules.add(making.page(), "times of the directory stay where it fails with EEXIST" + making.form(), scene -> {
            scene.make(DIRECTORY, "d").make(REGULAR, "d/x");
            Times times = scene.times("d", "d/x");
            making.act(scene.root(), "d/x").fails(EEXIST);
            times.kept("d", "amc").kept("d/x", "amc");
        });
        rules.add(making.page(), "times of the directory stay where it fails with EACCES" + making.form(), scene -> {
            scene.make(DIRECTORY, "d");
            Times times = scene.times("d");
            making.act(scene.as(Actor.OTHER), "d/x").fails(EACCES, EPERM);
            times.kept("d", "amc");
            scene.absent("d/x");
        });
    }

    private static void removedDirectory(Rules rules, Making making) {
        rules.add(making.page(), "ENOENT in a working directory that was removed" + making.form(), scene -> {
            scene.make(DIRECTORY, "d");
            scene.root().call(Syscall.CHDIR, "d").ok();
            scene.root().rmdir("../d").ok();
            making.act(scene.root(), "x").fails(ENOENT);
        });
        rules.add(making.page(), "a name that was removed may be made again" + making.form(), scene -> {
            for (int i = 0; i < 3; i++) {
                making.act(scene.root(), "x").ok();
                (making == Making.MKDIR ? scene.root().rmdir("x") : scene.root().unlink("x")).ok();
                scene.absent("x");
            }
            making.act(scene.root(), "x").ok();
            scene.type(making.type(), "x");
        });
    }

    private static void devices(Rules rules) {
        int[][] numbers = {{0, 0}, {1, 3}, {8, 0}, {255, 255}, {259, 256}, {4095, 1_048_575}};
        for (FileType type : List.of(CHARACTER, BLOCK)) {
            for (int[] number : numbers) {
                String text = "%s keeps its numbers %d and %d".formatted(type, number[0], number[1]);
                rules.add("mknod(2)", text, scene -> {
                    scene.root()
                            .mknod("x", type.bits() | 0600, Scene.device(number[0], number[1]))
                            .ok();
                    scene.equal("major", number[0], scene.stat("x").deviceMajor());
                    scene.equal("minor", number[1], scene.stat("x").deviceMinor());
                });
            }
        }
        for (FileType type : List.of(DIRECTORY, FileType.SYMLINK)) {
            rules.add("mknod(2)", "EPERM or EINVAL for the type of " + type, scene -> {
                scene.root().mknod("x", type.bits() | 0644, 0).fails(EPERM, EINVAL);
                scene.absent("x");
            });
        }
        rules.add("mknod(2)", "EINVAL for a type that there is not", scene -> {
            scene.root().mknod("x", 0150000 | 0644, 0).fails(EINVAL);
            scene.absent("x");
        });
        rules.add("mknod(2)", "no type at all means a regular file", scene -> {
            scene.root().mknod("x", 0644, 0).ok();
            scene.type(REGULAR, "x");
        });
        for (Actor actor : List.of(Actor.OWNER, Actor.OTHER)) {
            rules.add("mknod(2)", "a character device 0, 0 takes no privilege: " + actor, scene -> {
                scene.as(actor).mknod("x", CHARACTER.bits() | 0644, 0).ok();
                scene.equal("major", 0, scene.stat("x").deviceMajor());
                scene.equal("minor", 0, scene.stat("x").deviceMinor());
            });
        }
    }

    private static void directories(Rules rules) {
        rules.add("mkdir(2)", "a new directory is empty but for the dots, which lead to it and its parent", scene -> {
            scene.make(DIRECTORY, "d").make(DIRECTORY, "d/e");
            int fd = scene.root().open("d/e", O_RDONLY | O_DIRECTORY).okInt();
            Map<String, Long> dots =
                    scene.root().entries(fd).stream().collect(Collectors.toMap(Entry::name, Entry::ino));
            scene.equal(
                    "entries",
                    Map.of(".", scene.stat("d/e").ino(), "..", scene.stat("d").ino()),
                    dots);
            scene.equal("d/e/..", scene.stat("d").ino(), scene.stat("d/e/..").ino());
        });
        rules.add("mkdir(2)", "each subdirectory adds a link to its parent, and takes it away", scene -> {
            scene.make(DIRECTORY, "d");
            for (int i = 0; i < 100; i++) {
                scene.make(DIRECTORY, "d/" + i);
            }
            scene.links(102, "d");
            for (int i = 0; i < 100; i++) {
                scene.root().rmdir("d/" + i).ok();
            }
            scene.links(2, "d");
        });
        rules.add("mkdir(2)", "files add no link to their directory", scene -> {
            scene.make(DIRECTORY, "d");
            for (FileType type : FileType.LEAVES) {
                scene.make(type, "d/" + type.name());
            }
            scene.links(2, "d");
        });
        for (int depth : List.of(2, 10, 100)) {
            rules.add("mkdir(2)", "set-group-id goes down " + depth + " directories", scene -> {
                scene.makeOwned(DIRECTORY, "d", 02777);
                StringBuilder path = new StringBuilder("d");
                for (int i = 0; i < depth; i++) {
                    path.append("/e");
                    scene.as(Actor.OTHER).mkdir(path.toString(), 0755).ok();
                }
                scene.permissions(02755, path.toString());
                scene.equal(
                        "group", Actor.OWNER.gid(), scene.stat(path.toString()).gid());
            });
        }
    }
}
