package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENOTDIR;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** The system calls that utimensat(2) has replaced, which programs still make: utime(2), utimes(2), futimesat(2). */
final class OldTimeRules {
    private static final long NANOS = 1_000_000_000L;
    private static final long MICROS = 1_000_000L;
    private static final int WRITE = 2;

    private OldTimeRules() {}

    private enum Form {
        UTIME("utime(2)", 1),
        UTIMES("utimes(2)", 1000),
        FUTIMESAT("futimesat(2)", 1000);

        private final String page;
        /** What they keep of a microsecond. */
        private final long kept;

        Form(String page, long kept) {
            this.page = page;
            this.kept = kept;
        }

        Outcome set(Caller caller, String path, long seconds, long micros) {
            return times(
                    caller,
                    path,
                    this == UTIME
                            ? ByteBuffer.allocate(16)
                                    .order(ByteOrder.nativeOrder())
                                    .putLong(seconds)
                                    .putLong(seconds + 1)
                                    .array()
                            : Caller.timevals(seconds, micros, seconds + 1, micros + 1));
        }

        Outcome present(Caller caller, String path) {
            return times(caller, path, 0);
        }

        private Outcome times(Caller caller, String path, Object times) {
            return (switch (this) {
                        case UTIME -> caller.call(Syscall.UTIME, path, times);
                        case UTIMES -> caller.call(Syscall.UTIMES, path, times);
                        case FUTIMESAT -> caller.call(Syscall.FUTIMESAT, AT_FDCWD, path, times);
                    })
                    .orNotApplicable(page);
        }

        /** The time that is set. */
        long nanos(long seconds, long micros) {
            return seconds * NANOS + (this == UTIME ? 0 : micros * kept);
        }
    }

    static void add(Rules rules) {
        for (Form form : Form.values()) {
            for (FileType type : FileType.TARGETS) {
                types(rules, form, type);
            }
            for (long seconds : List.of(0L, 1L, -1L, 1L << 31, (1L << 32) + 5)) {
                rules.add(form.page, "sets the times to second " + seconds, scene -> {
                    scene.make(REGULAR, "x");
                    form.set(scene.root(), "x", seconds, 123_456).ok();
                    Stat stat = scene.stat("x");
                    scene.equal("atime", form.nanos(seconds, 123_456), stat.atime());
                    scene.equal("mtime", form.nanos(seconds + 1, 123_457), stat.mtime());
                });
            }
            for (Actor actor : Actor.values()) {
                rights(rules, form, actor);
            }
            if (form != Form.UTIME) {
                for (long micros : List.of(-1L, MICROS, MICROS + 1, Long.MAX_VALUE)) {
                    rules.add(form.page, "EINVAL for " + micros + " microseconds", scene -> {
                        scene.make(REGULAR, "x");
                        Times times = scene.times("x");
                        form.set(scene.root(), "x", 1, micros).fails(EINVAL);
                        times.kept("x", "amc");
                    });
                }
            }
        }
        descriptors(rules);
    }

    private static void types(Rules rules, Form form, FileType type) {
        rules.add(form.page, "sets the times of " + type + " to those given, and that of change", scene -> {
            scene.make(type, "x");
            Times times = scene.times("x");
            form.set(scene.root(), "x", 1000, 17).ok();
            Stat stat = scene.stat("x");
            scene.equal("atime", form.nanos(1000, 17), stat.atime());
            scene.equal("mtime", form.nanos(1001, 18), stat.mtime());
            times.changed("x", "c");
        });
        rules.add(form.page, "a null pointer sets the times of " + type + " to the present", scene -> {
            scene.make(type, "x");
            Times times = scene.times("x");
            form.present(scene.root(), "x").ok();
            times.exactly("x", "amc");
            scene.equal("both", scene.stat("x").atime(), scene.stat("x").mtime());
        });
        rules.add(form.page, "follows a symbolic link to " + type + ", whose own times stay", scene -> {
            scene.make(type, "x").root().symlink("x", "s").ok();
            Times times = scene.times("s");
            form.set(scene.root(), "s", 1000, 17).ok();
            scene.equal("mtime", form.nanos(1001, 18), scene.stat("x").mtime());
            times.kept("s", "mc");
        });
    }

    /** The owner sets what it likes, who may write sets the present. */
    private static void rights(Rules rules, Form form, Actor actor) {
        boolean owns = actor == Actor.OWNER || actor == Actor.ROOT;
        rules.add(form.page, (owns ? "may set given times: " : "EPERM for given times: ") + actor, scene -> {
            scene.makeOwned(REGULAR, "x", 0777);
            Times times = scene.times("x");
            form.set(scene.as(actor), "x", 1000, 17).is(owns, EPERM);
            if (!owns) {
                times.kept("x", "amc");
            }
        });
        for (int granted : PathRules.CLASS_BITS) {
            boolean may = owns || (granted & WRITE) != 0;
            String text = "%s the present, of a file with permissions %d for %s"
                    .formatted(may ? "may set" : "EACCES for", granted, actor);
            rules.add(form.page, text, scene -> {
                int mode = actor == Actor.ROOT ? granted << 6 : PathRules.mode(actor, ~granted & 07, granted);
                scene.makeOwned(REGULAR, "x", mode);
                Times times = scene.times("x");
                form.present(scene.as(actor), "x").is(may, EACCES);
                if (may) {
                    times.exactly("x", "amc");
                } else {
                    times.kept("x", "amc");
                }
            });
        }
    }

    private static void descriptors(Rules rules) {
        String page = Form.FUTIMESAT.page;
        rules.add(page, "a null path means the descriptor's file", scene -> {
            scene.make(REGULAR, "x");
            int fd = scene.root().open("x", O_RDONLY).okInt();
            Times times = scene.times("x");
            scene.root().call(Syscall.FUTIMESAT, fd, 0, 0).orNotApplicable(page).ok();
            times.exactly("x", "amc");
        });
        rules.add(page, "a relative path starts at the descriptor's directory", scene -> {
            scene.make(DIRECTORY, "d").make(REGULAR, "d/x").make(REGULAR, "x");
            int fd = scene.root().open("d", O_RDONLY | O_DIRECTORY).okInt();
            Times times = scene.times("x", "d/x");
            scene.root()
                    .call(Syscall.FUTIMESAT, fd, "x", 0)
                    .orNotApplicable(page)
                    .ok();
            times.exactly("d/x", "amc").kept("x", "amc");
        });
        rules.add(page, "EBADF for a relative path from descriptor -1", scene -> {
            scene.make(REGULAR, "x");
            scene.root()
                    .call(Syscall.FUTIMESAT, -1, "x", 0)
                    .orNotApplicable(page)
                    .fails(EBADF);
        });
        rules.add(page, "ENOTDIR for a relative path from a regular file", scene -> {
            scene.make(REGULAR, "x");
            int fd = scene.root().open("x", O_RDONLY).okInt();
            scene.root()
                    .call(Syscall.FUTIMESAT, fd, "x", 0)
                    .orNotApplicable(page)
                    .fails(ENOTDIR);
        });
    }
}
