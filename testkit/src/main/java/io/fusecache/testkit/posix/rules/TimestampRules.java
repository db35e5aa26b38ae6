package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.Errno.EFAULT;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_EMPTY_PATH;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_NONBLOCK;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.STATX_BTIME;
import static io.fusecache.testkit.posix.scene.Flags.UTIME_NOW;
import static io.fusecache.testkit.posix.scene.Flags.UTIME_OMIT;
import static io.fusecache.testkit.posix.scene.Flags.W_OK;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;

/** What utimensat(2) says: which times are kept to which bit, who may set them to what, and what else changes. */
final class TimestampRules {
    private static final String PAGE = "utimensat(2)";
    private static final long NANOS = 1_000_000_000L;
    private static final long OLD_SECONDS = 1_000;

    private TimestampRules() {}

    /** The forms of the call. */
    private enum Form {
        UTIMENSAT("utimensat(2)", ""),
        NOFOLLOW("utimensat(2)", ", AT_SYMLINK_NOFOLLOW"),
        EMPTY_PATH("utimensat(2)", ", AT_EMPTY_PATH"),
        FUTIMENS("futimens(3)", "");

        private final String page;
        private final String suffix;

        Form(String page, String suffix) {
            this.page = page;
            this.suffix = suffix;
        }

        /** Sets the times of {@code x}. */
        Outcome act(Scene scene, Caller caller, Object times) {
            return switch (this) {
                case UTIMENSAT -> caller.utimens("x", times, 0);
                case NOFOLLOW -> caller.utimens("x", times, AT_SYMLINK_NOFOLLOW);
                case FUTIMENS ->
                    caller.futimens(
                            scene.root().open("x", O_RDONLY | O_NONBLOCK).okInt(), times);
                case EMPTY_PATH -> {
                    int fd = scene.root().open("x", O_PATH | O_NOFOLLOW).okInt();
                    yield caller.call(Syscall.UTIMENSAT, fd, "", times, AT_EMPTY_PATH);
                }
            };
        }

        boolean appliesTo(FileType type) {
            return switch (this) {
                case UTIMENSAT -> type != SYMLINK;
                case NOFOLLOW, EMPTY_PATH -> true;
                case FUTIMENS -> type == REGULAR || type == DIRECTORY || type == FIFO;
            };
        }
    }

    /** What is asked for, and what of it only the owner may ask for. */
    private enum Wish {
        NULL("no times", true, true, false),
        NOW("UTIME_NOW twice", true, true, false),
        SET("given times", true, true, true),
        SET_AND_NOW("a given atime and UTIME_NOW", true, true, true),
        NOW_AND_SET("UTIME_NOW and a given mtime", true, true, true),
        NOW_AND_OMIT("UTIME_NOW and UTIME_OMIT", true, false, true),
        OMIT_AND_NOW("UTIME_OMIT and UTIME_NOW", false, true, true),
        SET_AND_OMIT("a given atime and UTIME_OMIT", true, false, true),
        OMIT_AND_SET("UTIME_OMIT and a given mtime", false, true, true);

        private final String phrase;
        private final boolean setsAtime;
        private final boolean setsMtime;
        private final boolean takesOwner;

        Wish(String phrase, boolean setsAtime, boolean setsMtime, boolean takesOwner) {
            this.phrase = phrase;
            this.setsAtime = setsAtime;
            this.setsMtime = setsMtime;
            this.takesOwner = takesOwner;
        }

        /** With seconds that mean nothing where the nanoseconds say UTIME_NOW or UTIME_OMIT. */
        Object times() {
            return switch (this) {
                case NULL -> 0;
                case NOW -> Caller.times(1, UTIME_NOW, 2, UTIME_NOW);
                case SET -> Caller.times(111, 1, 222, 2);
                case SET_AND_NOW -> Caller.times(111, 1, 2, UTIME_NOW);
                case NOW_AND_SET -> Caller.times(1, UTIME_NOW, 222, 2);
                case NOW_AND_OMIT -> Caller.times(1, UTIME_NOW, 2, UTIME_OMIT);
                case OMIT_AND_NOW -> Caller.times(1, UTIME_OMIT, 2, UTIME_NOW);
                case SET_AND_OMIT -> Caller.times(111, 1, 2, UTIME_OMIT);
                case OMIT_AND_SET -> Caller.times(1, UTIME_OMIT, 222, 2);
            };
        }

        private boolean atimeGiven() {
            return this == SET || this == SET_AND_NOW || this == SET_AND_OMIT;
        }

        private boolean mtimeGiven() {
            return this == SET || this == NOW_AND_SET || this == OMIT_AND_SET;
        }

        void check(Scene scene, Stat before, Stat after) {
            check(scene, "atime", before.ctime(), setsAtime, atimeGiven() ? 111 * NANOS + 1 : -1, after.atime());
            check(scene, "mtime", before.ctime(), setsMtime, mtimeGiven() ? 222 * NANOS + 2 : -1, after.mtime());
        }

        private static void check(Scene scene, String name, long earliest, boolean set, long given, long actual) {
            if (!set) {
                scene.equal(name, OLD_SECONDS * NANOS, actual);
            } else if (given >= 0) {
                scene.equal(name, given, actual);
            } else {
                scene.expect(name + " is the present", actual >= earliest);
            }
        }
    }

    static void add(Rules rules) {
        for (Form form : Form.values()) {
            for (FileType type : FileType.values()) {
                if (form.appliesTo(type)) {
                    values(rules, form, type);
                    for (Wish wish : Wish.values()) {
                        wishes(rules, form, type, wish);
                    }
                }
            }
            wrong(rules, form);
            for (Wish wish : Wish.values()) {
                for (Actor actor : PathRules.JUDGED) {
                    rights(rules, form, wish, actor);
                }
            }
        }
        omitted(rules);
        links(rules);
        birth(rules);
    }

    /** A file whose times are long past. */
    private static Scene prepare(Scene scene, FileType type, int mode) {
        scene.makeOwned(type, "x", mode);
        scene.root()
                .utimens("x", Caller.times(OLD_SECONDS, 0, OLD_SECONDS, 0), AT_SYMLINK_NOFOLLOW)
                .ok();
        return scene;
    }

    private static void values(Rules rules, Form form, FileType type) {
        long[][] values = {
            {0, 0},
            {0, 1},
            {1, 999_999_999},
            {1_234_567_890, 123_456_789},
            {-1, 0},
            {-1, 999_999_999},
            {Integer.MIN_VALUE, 0},
            {Integer.MAX_VALUE, 999_999_999},
            {1L << 31, 1},
            {1L << 32, 1},
            {1L << 33, 7}
        };
        for (int i = 0; i < values.length; i++) {
            long[] atime = values[i];
            long[] mtime = values[(i + 3) % values.length];
            String text = "%s keeps %d.%09d and %d.%09d%s"
                    .formatted(type, atime[0], atime[1], mtime[0], mtime[1], form.suffix);
            rules.add(form.page, text, scene -> {
                prepare(scene, type, 0644);
                form.act(scene, scene.as(Actor.OWNER), Caller.times(atime[0], atime[1], mtime[0], mtime[1]))
                        .ok();
                Stat stat = scene.stat("x");
                scene.equal("atime", atime[0] * NANOS + atime[1], stat.atime());
                scene.equal("mtime", mtime[0] * NANOS + mtime[1], stat.mtime());
            });
        }
    }

    private static void wishes(Rules rules, Form form, FileType type, Wish wish) {
        rules.add(form.page, wish.phrase + " for " + type + ": sets what is named, and ctime" + form.suffix, scene -> {
            prepare(scene, type, 0644);
            Times times = scene.times("x", ".");
            Stat before = scene.stat("x");
            form.act(scene, scene.as(Actor.OWNER), wish.times()).ok();
            Stat after = scene.stat("x");
            wish.check(scene, before, after);
            times.changed("x", "c").kept(".", "amc");
            scene.equal("mode", before.mode(), after.mode());
            scene.equal("links", before.links(), after.links());
        });
    }

    private static void wrong(Rules rules, Form form) {
        for (long nanos : List.of(NANOS, NANOS + 1, -1L, Long.MAX_VALUE, UTIME_NOW + 1, UTIME_OMIT - 1)) {
            rules.add(form.page, "EINVAL for " + nanos + " nanoseconds" + form.suffix, scene -> {
                prepare(scene, REGULAR, 0644);
                Times times = scene.times("x");
                form.act(scene, scene.root(), Caller.times(1, nanos, 1, 0)).fails(EINVAL);
                form.act(scene, scene.root(), Caller.times(1, 0, 1, nanos)).fails(EINVAL);
                form.act(scene, scene.root(), Caller.times(1, nanos, 1, UTIME_OMIT))
                        .fails(EINVAL);
                form.act(scene, scene.root(), Caller.times(1, UTIME_NOW, 1, nanos))
                        .fails(EINVAL);
                times.kept("x", "amc");
            });
        }
        rules.add(form.page, "EFAULT where the times are no address" + form.suffix, scene -> {
            prepare(scene, REGULAR, 0644);
            form.act(scene, scene.root(), Caller.FAULT).fails(EFAULT);
        });
    }

    /** The present may be set by whoever may write; anything else by the owner alone. */
    private static void rights(Rules rules, Form form, Wish wish, Actor actor) {
        for (int granted : List.of(0, 04, 02, 06)) {
            boolean may = actor == Actor.OWNER || (!wish.takesOwner && (granted & W_OK) != 0);
            Errno errno = wish.takesOwner ? EPERM : EACCES;
            String text = "%s with permissions %d %s for %s%s"
                    .formatted(wish.phrase, granted, may ? "succeeds" : "gives " + errno, actor, form.suffix);
            rules.add(form.page, text, scene -> {
                prepare(scene, REGULAR, PathRules.mode(actor, ~granted & 06, granted));
                Stat before = scene.stat("x");
                form.act(scene, scene.as(actor), wish.times()).is(may, errno);
                if (may) {
                    wish.check(scene, before, scene.stat("x"));
                } else {
                    scene.equal("what it was", before, scene.stat("x"));
                }
            });
        }
    }

    private static void omitted(Rules rules) {
        for (FileType type : FileType.values()) {
            for (Actor actor : Actor.values()) {
                rules.add(PAGE, "UTIME_OMIT twice changes nothing of " + type + ", as " + actor, scene -> {
                    prepare(scene, type, 0);
                    Times times = scene.times("x", ".");
                    scene.as(actor)
                            .utimens("x", Caller.times(1, UTIME_OMIT, 2, UTIME_OMIT), AT_SYMLINK_NOFOLLOW)
                            .ok();
                    times.kept("x", "amc").kept(".", "amc");
                });
            }
        }
        rules.add(PAGE, "UTIME_NOW twice sets both times to one moment", scene -> {
            prepare(scene, REGULAR, 0644);
            scene.root()
                    .utimens("x", Caller.times(0, UTIME_NOW, 0, UTIME_NOW), 0)
                    .ok();
            Stat stat = scene.stat("x");
            scene.equal("atime", stat.mtime(), stat.atime());
            scene.expect("ctime is not before them", stat.ctime() >= stat.mtime());
        });
        rules.add(PAGE, "EBADF for a descriptor of O_PATH without AT_EMPTY_PATH, and for none", scene -> {
            scene.make(REGULAR, "x");
            scene.root().futimens(scene.root().open("x", O_PATH).okInt(), 0).fails(EBADF);
            scene.root().futimens(-1, 0).fails(EBADF, EFAULT);
            scene.root().futimens(1 << 20, 0).fails(EBADF);
        });
        rules.add(PAGE, "EINVAL for flags that there are not", scene -> {
            scene.make(REGULAR, "x");
            scene.root().utimens("x", 0, 1).fails(EINVAL);
        });
    }

    private static void links(Rules rules) {
        for (FileType type : FileType.TARGETS) {
            rules.add(PAGE, "follows a symbolic link to " + type, scene -> {
                prepare(scene, type, 0644);
                scene.root().symlink("x", "s").ok();
                Times times = scene.times("s");
                scene.root().utimens("s", Caller.times(111, 1, 222, 2), 0).ok();
                scene.equal("mtime", 222 * NANOS + 2, scene.stat("x").mtime());
                times.kept("s", "mc");
            });
            rules.add(PAGE, "AT_SYMLINK_NOFOLLOW sets a link's times, not those of " + type, scene -> {
                prepare(scene, type, 0644);
                scene.root().symlink("x", "s").ok();
                Times times = scene.times("x");
                scene.root()
                        .utimens("s", Caller.times(111, 1, 222, 2), AT_SYMLINK_NOFOLLOW)
                        .ok();
                scene.equal("mtime", 222 * NANOS + 2, scene.stat("s").mtime());
                times.kept("x", "amc");
            });
        }
    }

    private static void birth(Rules rules) {
        for (FileType type : FileType.values()) {
            rules.add("statx(2)", "birth time of " + type + " stays, whatever is done to it", scene -> {
                scene.make(type, "x");
                long born = born(scene, "x");
                scene.root()
                        .utimens("x", Caller.times(1, 2, 3, 4), AT_SYMLINK_NOFOLLOW)
                        .ok();
                scene.root().lchown("x", 1, 2).ok();
                scene.root().rename("x", "y").ok();
                if (type != SYMLINK) {
                    scene.root().chmod("y", 0600).ok();
                }
                if (type != DIRECTORY) {
                    scene.root().link("y", "z").ok();
                }
                scene.equal("birth", born, born(scene, "y"));
            });
        }
    }

    private static long born(Scene scene, String path) {
        scene.root().statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BTIME).ok();
        Stat stat = scene.root().answeredStat();
        scene.needs("birth times", () -> (stat.mask() & STATX_BTIME) != 0);
        return stat.btime();
    }
}
