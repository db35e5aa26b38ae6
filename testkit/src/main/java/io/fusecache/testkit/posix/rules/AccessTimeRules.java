package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_NOATIME;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.R_OK;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;

/** Access times under relatime of mount(8): a read shows where the access time was not after modification and change. */
final class AccessTimeRules {
    private static final long ST_RELATIME = 0x1000;
    private static final int PAGE_BYTES = 4096;

    /** A way to read, from a descriptor or a path. */
    private record Reader(String page, FileType type, Act act) {}

    @FunctionalInterface
    private interface Act {
        void read(Caller caller, String path);
    }

    private static final List<Reader> READERS = List.of(
            file("read(2)", (c, fd) -> c.read(fd, 10)),
            file("pread(2)", (c, fd) -> c.pread(fd, 10, 2)),
            file("readv(2)", (c, fd) -> c.call(Syscall.READV, fd, c.readVector(3, 4), 2)),
            file("preadv(2)", (c, fd) -> c.call(Syscall.PREADV, fd, c.readVector(3, 4), 2, 0, 0)),
            file("preadv2(2)", (c, fd) -> c.call(Syscall.PREADV2, fd, c.readVector(3, 4), 2, 0, 0, 0)),
            new Reader("getdents64(2)", DIRECTORY, (c, path) -> {
                int fd = c.open(path, O_RDONLY | O_DIRECTORY).okInt();
                c.getdents(fd, PAGE_BYTES).ok();
                c.close(fd).ok();
            }),
            new Reader(
                    "readlink(2)", SYMLINK, (c, path) -> c.readlink(path, 100).ok()));

    private interface Read {
        Outcome on(Caller caller, int fd);
    }

    private AccessTimeRules() {}

    static void add(Rules rules) {
        for (Reader reader : READERS) {
            for (Actor actor : Actor.values()) {
                rules.add(
                        reader.page,
                        "the first read of " + reader.type + " shows in its access time, later ones do not, as "
                                + actor,
                        scene -> {
                            make(scene, reader);
                            Times times = scene.times("x");
                            reader.act.read(scene.as(actor), "x");
                            times.exactly("x", "a");
                            times = scene.times("x");
                            reader.act.read(scene.as(actor), "x");
                            times.kept("x", "amc");
                        });
            }
            rules.add(reader.page, "a read of " + reader.type + " shows again after a change of its inode", scene -> {
                make(scene, reader);
                scene.times("x");
                reader.act.read(scene.root(), "x");
                scene.times("x");
                scene.root().lchown("x", 5, 5).ok();
                Times times = scene.times("x");
                reader.act.read(scene.root(), "x");
                times.exactly("x", "a");
            });
            rules.add(
                    reader.page,
                    "a read of " + reader.type + " leaves an access time alone that was set to the future",
                    scene -> {
                        make(scene, reader);
                        long later = System.currentTimeMillis() / 1000 + 3600;
                        scene.root()
                                .utimens("x", Caller.times(later, 5, 1000, 0), AT_SYMLINK_NOFOLLOW)
                                .ok();
                        reader.act.read(scene.root(), "x");
                        scene.equal(
                                "access time",
                                later * 1_000_000_000L + 5,
                                scene.stat("x").atime());
                    });
            rules.add(
                    reader.page,
                    "a read of " + reader.type + " shows where its access time was set to the past",
                    scene -> {
                        make(scene, reader);
                        scene.root()
                                .utimens("x", Caller.times(100_000, 5, 1000, 0), AT_SYMLINK_NOFOLLOW)
                                .ok();
                        Times times = scene.times("x");
                        reader.act.read(scene.root(), "x");
                        times.exactly("x", "a");
                    });
            if (reader.type == REGULAR) {
                modified(rules, reader);
            }
        }
        withoutTrace(rules);
        rules.add("read(2)", "0 bytes leave no trace in the access time", scene -> {
            make(scene, READERS.getFirst());
            Times times = scene.times("x");
            scene.root().read(scene.root().open("x", O_RDONLY).okInt(), 0).is(0);
            times.kept("x", "amc");
        });
        rules.add("stat(2)", "asking for names, attributes and status leaves no trace in the access time", scene -> {
            make(scene, READERS.getFirst());
            Times times = scene.times("x", ".");
            Caller root = scene.root();
            root.stat("x").ok();
            root.access("x", R_OK).ok();
            root.listxattr("x", 100);
            root.close(root.open("x", O_RDONLY).okInt()).ok();
            times.kept("x", "amc").kept(".", "amc");
        });
    }

    private static Reader file(String page, Read read) {
        return new Reader(page, REGULAR, (c, path) -> {
            int fd = c.open(path, O_RDONLY).okInt();
            read.on(c, fd).ok();
            c.close(fd).ok();
        });
    }

    private static void make(Scene scene, Reader reader) {
        Caller root = scene.root();
        root.call(Syscall.STATFS, ".", root.buffer()).ok();
        long flags = root.buffer().get(JAVA_LONG, 80);
        scene.needs("not mounted relatime", () -> (flags & ST_RELATIME) != 0);
        if (reader.type == REGULAR) {
            scene.file("x", "0123456789abcdef");
        } else {
            scene.make(reader.type, "x");
        }
    }

    private static void modified(Rules rules, Reader reader) {
        rules.add(reader.page, "a read shows again after a write", scene -> {
            make(scene, reader);
            scene.times("x");
            reader.act.read(scene.root(), "x");
            scene.times("x");
            scene.root()
                    .pwrite(scene.root().open("x", O_WRONLY).okInt(), "new", 0)
                    .is(3);
            Times times = scene.times("x");
            reader.act.read(scene.root(), "x");
            times.exactly("x", "a");
        });
        rules.add(reader.page, "a read by a descriptor that stays open shows in stat at once", scene -> {
            make(scene, reader);
            int fd = scene.root().open("x", O_RDONLY).okInt();
            Times times = scene.times("x");
            scene.root().pread(fd, 5, 0).is(5);
            times.exactly("x", "a");
            times = scene.times("x");
            scene.root().pread(fd, 5, 0).is(5);
            times.kept("x", "amc");
        });
    }

    private static void withoutTrace(Rules rules) {
        for (Actor actor : Actor.values()) {
            boolean may = actor == Actor.ROOT || actor == Actor.OWNER;
            rules.add(
                    "open(2)", (may ? "O_NOATIME leaves no trace" : "EPERM for O_NOATIME") + ", as " + actor, scene -> {
                        make(scene, READERS.getFirst());
                        scene.root()
                                .chown("x", Actor.OWNER.uid(), Actor.OWNER.gid())
                                .ok();
                        Times times = scene.times("x");
                        Outcome opened = scene.as(actor).open("x", O_RDONLY | O_NOATIME);
                        opened.is(may, EPERM);
                        if (may) {
                            scene.as(actor).read(opened.okInt(), 10).is(10);
                        }
                        times.kept("x", "amc");
                    });
        }
    }
}
