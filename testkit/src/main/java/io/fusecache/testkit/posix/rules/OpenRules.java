package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EAGAIN;
import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EISDIR;
import static io.fusecache.testkit.posix.scene.Errno.ELOOP;
import static io.fusecache.testkit.posix.scene.Errno.ENODEV;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.ENOTDIR;
import static io.fusecache.testkit.posix.scene.Errno.ENXIO;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.FileType.CHARACTER;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SOCKET;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.LOCK_SH;
import static io.fusecache.testkit.posix.scene.Flags.MAP_SHARED;
import static io.fusecache.testkit.posix.scene.Flags.O_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_EXCL;
import static io.fusecache.testkit.posix.scene.Flags.O_NOATIME;
import static io.fusecache.testkit.posix.scene.Flags.O_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_NONBLOCK;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_TRUNC;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.PROT_READ;
import static io.fusecache.testkit.posix.scene.Flags.R_OK;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_CUR;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;
import static io.fusecache.testkit.posix.scene.Flags.W_OK;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What open(2) says of flags, of each type of file, and of who may open it how. */
final class OpenRules {
    private static final String PAGE = "open(2)";

    private static final Map<String, Integer> ACCESS = access();

    private OpenRules() {}

    private static Map<String, Integer> access() {
        Map<String, Integer> access = new LinkedHashMap<>();
        access.put("O_RDONLY", O_RDONLY);
        access.put("O_WRONLY", O_WRONLY);
        access.put("O_RDWR", O_RDWR);
        return access;
    }

    static void add(Rules rules) {
        rights(rules);
        creating(rules);
        truncating(rules);
        directories(rules);
        notFollowing(rules);
        specialFiles(rules);
        accessTimes(rules);
        descriptors(rules);
    }

    /** R_OK and W_OK of what a way to open asks for. */
    private static int needed(int flags) {
        int needed = (flags & O_TRUNC) != 0 ? W_OK : 0;
        return needed
                | switch (flags & (O_WRONLY | O_RDWR)) {
                    case O_RDONLY -> R_OK;
                    case O_WRONLY -> W_OK;
                    default -> R_OK | W_OK;
                };
    }

    private static void rights(Rules rules) {
        for (Actor actor : PathRules.JUDGED) {
            for (int granted : PathRules.CLASS_BITS) {
                for (FileType type : List.of(REGULAR, FIFO, CHARACTER)) {
                    ACCESS.forEach((name, flags) -> right(rules, type, name, flags, actor, granted));
                    right(rules, type, "O_RDONLY|O_TRUNC", O_RDONLY | O_TRUNC, actor, granted);
                }
                right(rules, DIRECTORY, "O_RDONLY", O_RDONLY, actor, granted);
            }
        }
        for (FileType type : List.of(REGULAR, FIFO, CHARACTER, DIRECTORY)) {
            rules.add(PAGE, "root may open " + type + " without permissions", scene -> {
                scene.makeOwned(type, "x", 0);
                int flags = type == DIRECTORY ? O_RDONLY : O_RDWR;
                scene.needs("device nodes that open", () -> usable(scene, type));
                scene.root().open("x", flags | O_NONBLOCK).ok();
            });
        }
    }

    private static void right(Rules rules, FileType type, String name, int flags, Actor actor, int granted) {
        int needed = needed(flags);
        boolean may = (granted & needed) == needed;
        String text = "%s of %s with permissions %d %s for %s"
                .formatted(name, type, granted, may ? "succeeds" : "gives EACCES", actor);
        rules.add(PAGE, text, scene -> {
            scene.makeOwned(type, "x", PathRules.mode(actor, ~granted & 07, granted));
            scene.needs("device nodes that open", () -> usable(scene, type));
            if (type == FIFO) {
                scene.root().open("x", O_RDWR | O_NONBLOCK).ok();
            }
            scene.as(actor).open("x", flags | O_NONBLOCK).is(may, EACCES);
        });
    }

    private static boolean usable(Scene scene, FileType type) {
        return !type.device() || scene.root().open("x", O_RDONLY | O_NONBLOCK).succeeded();
    }

    private static void creating(Rules rules) {
        ACCESS.forEach((name, flags) -> {
            rules.add(PAGE, name + "|O_CREAT opens what it makes whatever its permissions are", scene -> {
                int fd = scene.as(Actor.OWNER).open("x", flags | O_CREAT, 0).okInt();
                scene.permissions(0, "x");
                if (flags != O_RDONLY) {
                    scene.as(Actor.OWNER).write(fd, "bytes").is(5);
                }
                scene.as(Actor.OWNER).open("x", flags).fails(EACCES);
            });
            rules.add(PAGE, name + "|O_CREAT leaves an existing file as it is", scene -> {
                scene.file("x", "bytes").make(DIRECTORY, "d").file("d/y", "bytes");
                Times times = scene.times("x", "d", "d/y");
                scene.root().open("x", flags | O_CREAT, 0777).ok();
                scene.root().open("d/y", flags | O_CREAT, 0777).ok();
                scene.permissions(0644, "x");
                times.kept("x", "amc").kept("d", "amc").kept("d/y", "amc");
                scene.equal("content", "bytes", scene.content("x"));
            });
            rules.add(PAGE, name + " changes no times", scene -> {
                scene.file("x", "bytes");
                Times times = scene.times("x", ".");
                scene.root().close(scene.root().open("x", flags).okInt()).ok();
                times.kept("x", "amc").kept(".", "amc");
            });
            rules.add(PAGE, name + "|O_CREAT of a directory gives EISDIR", scene -> {
                scene.make(DIRECTORY, "d", 0777);
                scene.root().open("d", flags | O_CREAT, 0644).fails(EISDIR);
                scene.as(Actor.OTHER).open("d", flags | O_CREAT, 0644).fails(EISDIR);
            });
        });
        for (Actor actor : PathRules.JUDGED) {
            rules.add(PAGE, "O_CREAT of an existing file needs no right to write its directory, as " + actor, scene -> {
                scene.make(DIRECTORY, "d").make(REGULAR, "d/x", 0666);
                scene.as(actor).open("d/x", O_WRONLY | O_CREAT, 0644).ok();
            });
        }
        rules.add(PAGE, "O_EXCL without O_CREAT opens a regular file", scene -> {
            scene.make(REGULAR, "x");
            scene.root().open("x", O_RDWR | O_EXCL).ok();
        });
        rules.add(PAGE, "O_CREAT|O_DIRECTORY gives EINVAL", scene -> {
            scene.root().open("x", O_CREAT | O_DIRECTORY | O_RDONLY, 0755).fails(EINVAL);
            scene.absent("x");
        });
        rules.add(PAGE, "O_CREAT|O_EXCL|O_TRUNC makes an empty file", scene -> {
            scene.root().open("x", O_CREAT | O_EXCL | O_TRUNC | O_RDWR, 0644).ok();
            scene.equal("size", 0L, scene.stat("x").size());
        });
    }

    private static void truncating(Rules rules) {
        for (String content : List.of("", "bytes")) {
            String size = content.isEmpty() ? "an empty file" : "a file";
            ACCESS.forEach((name, flags) ->
                    rules.add(PAGE, name + "|O_TRUNC empties " + size + " and sets its mtime and ctime", scene -> {
                        scene.file("x", content);
                        Stat before = scene.stat("x");
                        Times times = scene.times("x", ".");
                        scene.root().open("x", flags | O_TRUNC).ok();
                        Stat after = scene.stat("x");
                        scene.equal("size", 0L, after.size());
                        scene.equal("inode", before.ino(), after.ino());
                        times.exactly("x", "mc").kept(".", "amc");
                    }));
        }
        rules.add(PAGE, "O_TRUNC is seen by who has the file open", scene -> {
            scene.file("x", "bytes");
            int fd = scene.root().open("x", O_RDWR).okInt();
            scene.root().open("x", O_WRONLY | O_TRUNC).ok();
            scene.equal("content", "", scene.content(fd));
            scene.root().pwrite(fd, "new", 2).is(3);
            scene.equal("content", "\0\0new", scene.content("x"));
        });
        rules.add(PAGE, "O_TRUNC that is refused leaves the bytes", scene -> {
            scene.file("x", "bytes");
            Times times = scene.times("x");
            scene.as(Actor.OTHER).open("x", O_WRONLY | O_TRUNC).fails(EACCES);
            scene.as(Actor.OTHER).open("x", O_RDONLY | O_TRUNC).fails(EACCES);
            scene.equal("content", "bytes", scene.content("x"));
            times.kept("x", "mc");
        });
        rules.add(PAGE, "O_TRUNC follows a symbolic link", scene -> {
            scene.file("x", "bytes");
            scene.root().symlink("x", "s").ok();
            scene.root().open("s", O_WRONLY | O_TRUNC).ok();
            scene.equal("size", 0L, scene.stat("x").size());
            scene.type(SYMLINK, "s");
        });
    }

    private static void directories(Rules rules) {
        Map<String, Integer> writing = Map.of(
                "O_WRONLY", O_WRONLY,
                "O_RDWR", O_RDWR,
                "O_RDONLY|O_TRUNC", O_RDONLY | O_TRUNC,
                "O_WRONLY|O_DIRECTORY", O_WRONLY | O_DIRECTORY,
                "O_RDWR|O_APPEND", O_RDWR | O_APPEND);
        writing.forEach((name, flags) -> {
            for (Actor actor : Actor.values()) {
                rules.add(PAGE, name + " of a directory gives EISDIR, as " + actor, scene -> {
                    scene.make(DIRECTORY, "d", 0777);
                    scene.as(actor).open("d", flags).fails(EISDIR);
                });
            }
        });
        for (FileType type : FileType.values()) {
            boolean directory = type == DIRECTORY;
            String answer = directory ? " succeeds" : " gives ENOTDIR";
            rules.add(PAGE, "O_DIRECTORY of " + type + answer, scene -> {
                scene.make(type, "x");
                Outcome outcome = scene.root().open("x", O_RDONLY | O_DIRECTORY);
                if (directory) {
                    outcome.ok();
                } else {
                    outcome.fails(type == SYMLINK ? ENOENT : ENOTDIR);
                }
            });
            if (type != SYMLINK) {
                rules.add(PAGE, "O_DIRECTORY of a symbolic link to " + type + answer, scene -> {
                    scene.make(type, "x");
                    scene.root().symlink("x", "s").ok();
                    scene.root().open("s", O_RDONLY | O_DIRECTORY).is(directory, ENOTDIR);
                });
                rules.add(PAGE, "O_DIRECTORY|O_NOFOLLOW of a symbolic link to " + type + " fails", scene -> {
                    scene.make(type, "x");
                    scene.root().symlink("x", "s").ok();
                    scene.root().open("s", O_RDONLY | O_DIRECTORY | O_NOFOLLOW).fails(ENOTDIR, ELOOP);
                });
                rules.add(PAGE, "O_DIRECTORY|O_PATH of " + type + answer, scene -> {
                    scene.make(type, "x");
                    scene.root().open("x", O_PATH | O_DIRECTORY).is(directory, ENOTDIR);
                });
            }
        }
        rules.add(PAGE, "reading an open directory as a file gives EISDIR", scene -> {
            int fd = scene.root().open(".", O_RDONLY).okInt();
            scene.root().read(fd, 10).fails(EISDIR);
            scene.root().pread(fd, 10, 0).fails(EISDIR);
        });
        rules.add(PAGE, "writing to an open directory gives EBADF", scene -> {
            int fd = scene.root().open(".", O_RDONLY).okInt();
            scene.root().write(fd, "x").fails(EBADF);
        });
    }

    private static void notFollowing(Rules rules) {
        ACCESS.forEach((name, flags) -> rules.add(PAGE, name + "|O_NOFOLLOW of a symbolic link gives ELOOP", scene -> {
            scene.make(REGULAR, "x");
            scene.root().symlink("x", "s").ok();
            scene.root().open("s", flags | O_NOFOLLOW).fails(ELOOP);
            scene.root().open("s", flags | O_NOFOLLOW | O_CREAT, 0644).fails(ELOOP);
        }));
        rules.add(PAGE, "O_NOFOLLOW follows symbolic links of the path prefix", scene -> {
            scene.make(DIRECTORY, "d").make(REGULAR, "d/x");
            scene.root().symlink("d", "s").ok();
            scene.root().open("s/x", O_RDWR | O_NOFOLLOW).ok();
        });
        rules.add(PAGE, "O_NOFOLLOW of what is no link opens it", scene -> {
            scene.make(REGULAR, "x").make(DIRECTORY, "d");
            scene.root().open("x", O_RDWR | O_NOFOLLOW).ok();
            scene.root().open("d", O_RDONLY | O_NOFOLLOW).ok();
        });
        rules.add(PAGE, "O_PATH|O_NOFOLLOW of a symbolic link opens the link", scene -> {
            scene.make(SYMLINK, "s");
            int fd = scene.root().open("s", O_PATH | O_NOFOLLOW).okInt();
            scene.equal("type", SYMLINK.bits(), scene.stat(fd).typeBits());
            long length = scene.root()
                    .call(Syscall.READLINKAT, fd, "", scene.root().buffer(), 100)
                    .ok();
            scene.equal("length", (long) "nowhere".length(), length);
        });
    }

    private static void specialFiles(Rules rules) {
        ACCESS.forEach((name, flags) -> {
            rules.add(PAGE, "ENXIO for " + name + " of a socket", scene -> {
                scene.make(SOCKET, "x");
                scene.root().open("x", flags).fails(ENXIO);
                scene.root().open("x", flags | O_CREAT, 0644).fails(ENXIO);
            });
            rules.add(PAGE, "ENXIO for " + name + " of a device that there is not", scene -> {
                scene.root()
                        .mknod("x", CHARACTER.bits() | 0666, Scene.device(4095, 7))
                        .ok();
                Outcome outcome = scene.root().open("x", flags);
                scene.needs("device nodes that open", () -> !outcome.failed(EACCES));
                outcome.fails(ENXIO, ENODEV);
            });
        });
        rules.add(PAGE, "ENXIO for O_WRONLY|O_NONBLOCK of a FIFO that nobody reads", scene -> {
            scene.make(FIFO, "p");
            scene.root().open("p", O_WRONLY | O_NONBLOCK).fails(ENXIO);
        });
        rules.add(PAGE, "O_RDONLY|O_NONBLOCK of a FIFO succeeds without a writer", scene -> {
            scene.make(FIFO, "p");
            int fd = scene.root().open("p", O_RDONLY | O_NONBLOCK).okInt();
            scene.root().read(fd, 10).is(0);
        });
        rules.add(PAGE, "a FIFO carries bytes from who opens it for writing to who reads", scene -> {
            scene.make(FIFO, "p");
            int in = scene.root().open("p", O_RDONLY | O_NONBLOCK).okInt();
            int out = scene.root().open("p", O_WRONLY | O_NONBLOCK).okInt();
            scene.root().read(in, 10).fails(EAGAIN);
            scene.root().write(out, "through").is(7);
            scene.root().read(in, 10).is(7);
            scene.equal("size", 0L, scene.stat("p").size());
        });
        rules.add(PAGE, "O_TRUNC of a FIFO has no effect", scene -> {
            scene.make(FIFO, "p");
            int fd = scene.root().open("p", O_RDWR | O_NONBLOCK).okInt();
            scene.root().write(fd, "kept").is(4);
            scene.root().open("p", O_RDWR | O_NONBLOCK | O_TRUNC).ok();
            scene.root().read(fd, 10).is(4);
        });
        for (FileType type : FileType.TARGETS) {
            for (Actor actor : PathRules.JUDGED) {
                rules.add(PAGE, "O_PATH needs no permission on " + type + ", as " + actor, scene -> {
                    scene.makeOwned(type, "x", 0);
                    int fd = scene.as(actor).open("x", O_PATH).okInt();
                    scene.equal("inode", scene.stat("x").ino(), scene.stat(fd).ino());
                });
            }
        }
    }

    private static void accessTimes(Rules rules) {
        for (Actor actor : Actor.values()) {
            boolean may = actor == Actor.ROOT || actor == Actor.OWNER;
            rules.add(PAGE, "O_NOATIME " + (may ? "is granted to " : "gives EPERM for ") + actor, scene -> {
                scene.makeOwned(REGULAR, "x", 0666).makeOwned(DIRECTORY, "d", 0777);
                scene.as(actor).open("x", O_RDONLY | O_NOATIME).is(may, EPERM);
                scene.as(actor).open("d", O_RDONLY | O_NOATIME).is(may, EPERM);
            });
        }
        rules.add(PAGE, "reading by O_NOATIME leaves atime", scene -> {
            scene.file("x", "bytes");
            Times times = scene.times("x");
            int fd = scene.root().open("x", O_RDONLY | O_NOATIME).okInt();
            scene.root().read(fd, 5).is(5);
            scene.root().close(fd).ok();
            times.kept("x", "amc");
        });
    }

    private static void descriptors(Rules rules) {
        rules.add(PAGE, "a descriptor opened for reading does not write", scene -> {
            scene.file("x", "bytes");
            int fd = scene.root().open("x", O_RDONLY).okInt();
            scene.root().write(fd, "x").fails(EBADF);
            scene.root().pwrite(fd, "x", 0).fails(EBADF);
            scene.root().fallocate(fd, 0, 0, 10).fails(EBADF);
        });
        rules.add(PAGE, "a descriptor opened for writing does not read", scene -> {
            scene.file("x", "bytes");
            int fd = scene.root().open("x", O_WRONLY).okInt();
            scene.root().read(fd, 1).fails(EBADF);
            scene.root().pread(fd, 1, 0).fails(EBADF);
        });
        for (FileType type : List.of(REGULAR, DIRECTORY)) {
            rules.add(PAGE, "EBADF for what needs more than a path by O_PATH of " + type, scene -> {
                scene.make(type, "x");
                Caller root = scene.root();
                int fd = root.open("x", O_PATH).okInt();
                root.read(fd, 1).fails(EBADF);
                root.write(fd, "x").fails(EBADF);
                root.fchmod(fd, 0600).fails(EBADF);
                root.fchown(fd, 0, 0).fails(EBADF);
                root.futimens(fd, 0).fails(EBADF);
                root.ftruncate(fd, 0).fails(EBADF);
                root.fsync(fd).fails(EBADF);
                root.lseek(fd, 0, SEEK_SET).fails(EBADF);
                root.flock(fd, LOCK_SH).fails(EBADF);
                root.getdents(fd, 100).fails(EBADF);
                root.fallocate(fd, 0, 0, 1).fails(EBADF);
                root.mmap(1, PROT_READ, MAP_SHARED, fd, 0).fails(EBADF);
            });
        }
        rules.add(PAGE, "permissions taken away do not close what is open", scene -> {
            scene.makeOwned(REGULAR, "x", 0600);
            Caller owner = scene.as(Actor.OWNER);
            int fd = owner.open("x", O_RDWR).okInt();
            owner.chmod("x", 0).ok();
            scene.root().chown("x", 0, 0).ok();
            owner.write(fd, "bytes").is(5);
            owner.pread(fd, 5, 0).is(5);
            owner.open("x", O_RDWR).fails(EACCES);
        });
        rules.add(PAGE, "O_APPEND writes at the end, wherever the descriptor stands", scene -> {
            scene.file("x", "one");
            int first = scene.root().open("x", O_RDWR | O_APPEND).okInt();
            int second = scene.root().open("x", O_WRONLY | O_APPEND).okInt();
            scene.root().lseek(first, 0, SEEK_SET).is(0);
            scene.root().write(first, "two").is(3);
            scene.root().write(second, "three").is(5);
            scene.root().write(first, "four").is(4);
            scene.equal("content", "onetwothreefour", scene.content("x"));
        });
        rules.add(PAGE, "two openings have offsets of their own, a duplicate shares its", scene -> {
            scene.file("x", "bytes");
            int first = scene.root().open("x", O_RDONLY).okInt();
            int other = scene.root().open("x", O_RDONLY).okInt();
            int duplicate = scene.root().dup(first).okInt();
            scene.root().read(first, 2).is(2);
            scene.root().lseek(duplicate, 0, SEEK_CUR).is(2);
            scene.root().lseek(other, 0, SEEK_CUR).is(0);
        });
    }
}
