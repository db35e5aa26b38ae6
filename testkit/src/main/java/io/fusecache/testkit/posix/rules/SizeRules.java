package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.Errno.EFBIG;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EISDIR;
import static io.fusecache.testkit.posix.scene.FileType.BLOCK;
import static io.fusecache.testkit.posix.scene.FileType.CHARACTER;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SOCKET;
import static io.fusecache.testkit.posix.scene.Flags.O_NONBLOCK;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_CUR;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;
import static io.fusecache.testkit.posix.scene.Flags.W_OK;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;

/** What truncate(2) and ftruncate(2) say: sizes, types, rights, times, and what is read beyond the old end. */
final class SizeRules {
    private static final String CONTENT = "0123456789";
    private static final long GIB = 1L << 30;

    private SizeRules() {}

    /** The forms of the call. */
    private enum Form {
        TRUNCATE("truncate(2)"),
        FTRUNCATE("ftruncate(2)");

        private final String page;

        Form(String page) {
            this.page = page;
        }

        Outcome act(Caller caller, String path, long size) {
            if (this == TRUNCATE) {
                return caller.truncate(path, size);
            }
            int fd = caller.open(path, O_WRONLY).okInt();
            Outcome outcome = caller.ftruncate(fd, size);
            caller.close(fd).ok();
            return outcome;
        }
    }

    static void add(Rules rules) {
        for (Form form : Form.values()) {
            sizes(rules, form);
            times(rules, form);
            wrong(rules, form);
        }
        types(rules);
        rights(rules);
        descriptors(rules);
    }

    private static void sizes(Rules rules, Form form) {
        for (int size : List.of(0, 1, 9, 10, 11, 100, 4095, 4096, 4097, 100_000)) {
            rules.add(form.page, "10 bytes become " + size + ", with zeros beyond the old end", scene -> {
                scene.file("x", CONTENT);
                form.act(scene.root(), "x", size).ok();
                scene.equal("size", (long) size, scene.stat("x").size());
                String expected = CONTENT.substring(0, Math.min(size, 10)) + "\0".repeat(Math.max(0, size - 10));
                scene.expect("content as it should be", expected.equals(scene.content("x")));
            });
            rules.add(form.page, "bytes cut off at " + size + " are not back when the file grows again", scene -> {
                scene.file("x", "x".repeat(100_000));
                form.act(scene.root(), "x", size).ok();
                form.act(scene.root(), "x", 100_001).ok();
                String expected = "x".repeat(size) + "\0".repeat(100_001 - size);
                scene.expect("content as it should be", expected.equals(scene.content("x")));
            });
        }
        for (long size : List.of(GIB, 2 * GIB - 1, 2 * GIB, 4 * GIB, 4 * GIB + 1, 1024 * GIB, 8192 * GIB)) {
            rules.add(form.page, "a file may be made " + size + " bytes long, without taking space", scene -> {
                scene.make(REGULAR, "x");
                form.act(scene.root(), "x", size).ok();
                Stat stat = scene.stat("x");
                scene.equal("size", size, stat.size());
                scene.expect("less than 1 MiB on the disk", stat.blocks() < 2048);
                int fd = scene.root().open("x", O_RDONLY).okInt();
                scene.root().pread(fd, 10, size - 5).is(5);
                scene.root().close(fd).ok();
                form.act(scene.root(), "x", 0).ok();
            });
        }
    }

    private static void times(Rules rules, Form form) {
        for (int size : List.of(0, 5, 20)) {
            rules.add(form.page, "sets mtime and ctime where 10 bytes become " + size, scene -> {
                scene.make(DIRECTORY, "d").file("d/x", CONTENT);
                Times times = scene.times("d/x", "d");
                form.act(scene.root(), "d/x", size).ok();
                times.exactly("d/x", "mc").kept("d", "amc");
            });
        }
        rules.add(form.page, "shows by the other name", scene -> {
            scene.file("x", CONTENT);
            scene.root().link("x", "y").ok();
            form.act(scene.root(), "x", 3).ok();
            scene.equal("content", "012", scene.content("y"));
        });
        rules.add(form.page, "leaves inode, owner, permissions and links", scene -> {
            scene.makeOwned(REGULAR, "x", 0642);
            Stat before = scene.stat("x");
            form.act(scene.root(), "x", 100).ok();
            Stat after = scene.stat("x");
            scene.equal("inode", before.ino(), after.ino());
            scene.equal("mode", before.mode(), after.mode());
            scene.equal("owner", before.uid(), after.uid());
            scene.equal("links", 1, after.links());
        });
    }

    private static void wrong(Rules rules, Form form) {
        for (long size : List.of(-1L, -100L, Long.MIN_VALUE)) {
            rules.add(form.page, "EINVAL for the size " + size, scene -> {
                scene.file("x", CONTENT);
                Times times = scene.times("x");
                form.act(scene.root(), "x", size).fails(EINVAL);
                scene.equal("content", CONTENT, scene.content("x"));
                times.kept("x", "mc");
            });
        }
        rules.add(form.page, "EFBIG or EINVAL for the largest number there is", scene -> {
            scene.file("x", CONTENT);
            form.act(scene.root(), "x", Long.MAX_VALUE).fails(EFBIG, EINVAL);
            scene.equal("content", CONTENT, scene.content("x"));
        });
    }

    private static void types(Rules rules) {
        for (Actor actor : List.of(Actor.ROOT, Actor.OWNER)) {
            rules.add("truncate(2)", "EISDIR for a directory, as " + actor, scene -> {
                scene.makeOwned(DIRECTORY, "d", 0755);
                scene.as(actor).truncate("d", 0).fails(EISDIR);
            });
            for (FileType type : List.of(FIFO, SOCKET, CHARACTER, BLOCK)) {
                rules.add("truncate(2)", "EINVAL for " + type + ", as " + actor, scene -> {
                    scene.makeOwned(type, "x", 0644);
                    scene.as(actor).truncate("x", 0).fails(EINVAL);
                });
            }
        }
        rules.add("truncate(2)", "cuts what a symbolic link leads to, not the link", scene -> {
            scene.file("x", CONTENT);
            scene.root().symlink("x", "s").ok();
            scene.root().truncate("s", 4).ok();
            scene.equal("content", "0123", scene.content("x"));
            scene.equal("length of the link", 1L, scene.stat("s").size());
        });
        rules.add("ftruncate(2)", "EINVAL for a directory and for a FIFO", scene -> {
            scene.make(DIRECTORY, "d").make(FIFO, "p");
            scene.root().ftruncate(scene.root().open("d", O_RDONLY).okInt(), 0).fails(EINVAL, EBADF);
            scene.root()
                    .ftruncate(scene.root().open("p", O_RDWR | O_NONBLOCK).okInt(), 0)
                    .fails(EINVAL);
        });
    }

    private static void rights(Rules rules) {
        for (Actor actor : PathRules.JUDGED) {
            for (int granted : PathRules.CLASS_BITS) {
                boolean may = (granted & W_OK) != 0;
                String what = may ? "permissions %d suffice for %s" : "EACCES with permissions %d for %s";
                rules.add("truncate(2)", what.formatted(granted, actor), scene -> {
                    scene.file("x", CONTENT);
                    scene.root()
                            .chown("x", Actor.OWNER.uid(), Actor.OWNER.gid())
                            .ok();
                    scene.root()
                            .chmod("x", PathRules.mode(actor, ~granted & 07, granted))
                            .ok();
                    Times times = scene.times("x");
                    scene.as(actor).truncate("x", 3).is(may, EACCES);
                    scene.equal("size", may ? 3L : 10L, scene.stat("x").size());
                    times.kept("x", may ? "a" : "amc");
                });
            }
        }
        rules.add("truncate(2)", "root needs no permission", scene -> {
            scene.makeOwned(REGULAR, "x", 0);
            scene.root().truncate("x", 100).ok();
        });
    }

    private static void descriptors(Rules rules) {
        rules.add("ftruncate(2)", "EINVAL or EBADF for a descriptor that is open for reading", scene -> {
            scene.file("x", CONTENT);
            int fd = scene.root().open("x", O_RDONLY).okInt();
            scene.root().ftruncate(fd, 0).fails(EINVAL, EBADF);
            scene.equal("content", CONTENT, scene.content("x"));
        });
        rules.add("ftruncate(2)", "EBADF for a descriptor that is not open", scene -> {
            scene.root().ftruncate(-1, 0).fails(EBADF);
            scene.root().ftruncate(1 << 20, 0).fails(EBADF);
        });
        rules.add("ftruncate(2)", "needs no permission when the file is open for writing", scene -> {
            scene.makeOwned(REGULAR, "x", 0600);
            int fd = scene.as(Actor.OWNER).open("x", O_WRONLY).okInt();
            scene.root().chown("x", 0, 0).ok();
            scene.root().chmod("x", 0).ok();
            scene.as(Actor.OWNER).ftruncate(fd, 10).ok();
            scene.equal("size", 10L, scene.stat("x").size());
        });
        rules.add("ftruncate(2)", "leaves the offset of the descriptor", scene -> {
            scene.file("x", CONTENT);
            int fd = scene.root().open("x", O_RDWR).okInt();
            scene.root().lseek(fd, 8, SEEK_SET).is(8);
            scene.root().ftruncate(fd, 2).ok();
            scene.root().lseek(fd, 0, SEEK_CUR).is(8);
            scene.root().read(fd, 1).is(0);
            scene.root().write(fd, "new").is(3);
            scene.equal("content", "01\0\0\0\0\0\0new", scene.content("x"));
        });
        rules.add("ftruncate(2)", "is seen by every other descriptor of the file", scene -> {
            scene.file("x", CONTENT);
            int reader = scene.root().open("x", O_RDONLY).okInt();
            int writer = scene.root().open("x", O_WRONLY).okInt();
            scene.root().ftruncate(writer, 3).ok();
            scene.equal("content", "012", scene.content(reader));
            scene.equal("size", 3L, scene.stat(reader).size());
            scene.root().ftruncate(writer, 5).ok();
            scene.equal("content", "012\0\0", scene.content(reader));
        });
        rules.add("ftruncate(2)", "of the same size sets mtime and ctime", scene -> {
            scene.file("x", CONTENT);
            int fd = scene.root().open("x", O_WRONLY).okInt();
            Times times = scene.times("x");
            scene.root().ftruncate(fd, 10).ok();
            times.exactly("x", "mc");
        });
    }
}
