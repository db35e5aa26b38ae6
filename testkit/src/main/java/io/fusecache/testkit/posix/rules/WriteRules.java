package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EFBIG;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Flags.F_GETFL;
import static io.fusecache.testkit.posix.scene.Flags.F_SETFL;
import static io.fusecache.testkit.posix.scene.Flags.O_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_DSYNC;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_SYNC;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.RWF_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.RWF_DSYNC;
import static io.fusecache.testkit.posix.scene.Flags.RWF_NOAPPEND;
import static io.fusecache.testkit.posix.scene.Flags.RWF_SYNC;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_CUR;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_END;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.NotApplicable;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** write(2) and its kin: what is where afterwards, appending included. */
final class WriteRules {
    /**
     * A form of writing.
     *
     * @param atOffset takes an offset, and leaves the file's own alone
     * @param appends writes to the end, wherever the offset
     */
    private record Writer(String page, String what, int openFlags, boolean atOffset, boolean appends, Act act) {
        String form() {
            return what.isEmpty() ? "" : " (" + what + ")";
        }

        /** The file offset after it. */
        long offsetAfter(long before, long start, int count) {
            return atOffset ? before : start + count;
        }
    }

    @FunctionalInterface
    private interface Act {
        Outcome write(Caller caller, int fd, String bytes, long offset);
    }

    private static final Act WRITE = (c, fd, bytes, _) -> c.write(fd, bytes);
    private static final Act WRITEV = (c, fd, bytes, _) -> c.call(Syscall.WRITEV, fd, thirds(c, bytes), 3);
    private static final Act PWRITEV = (c, fd, bytes, at) -> c.call(Syscall.PWRITEV, fd, thirds(c, bytes), 3, at, 0);

    private static final List<Writer> WRITERS = List.of(
            plain("write(2)", false, WRITE),
            plain("pwrite(2)", true, Caller::pwrite),
            plain("writev(2)", false, WRITEV),
            plain("pwritev(2)", true, PWRITEV),
            plain("pwritev2(2)", true, flagged(0)),
            new Writer("pwritev2(2)", "RWF_DSYNC", 0, true, false, flagged(RWF_DSYNC)),
            new Writer("pwritev2(2)", "RWF_SYNC", 0, true, false, flagged(RWF_SYNC)),
            new Writer("pwritev2(2)", "RWF_APPEND", 0, true, true, flagged(RWF_APPEND)),
            new Writer("pwritev2(2)", "RWF_NOAPPEND", O_APPEND, true, false, flagged(RWF_NOAPPEND)),
            new Writer("write(2)", "O_APPEND", O_APPEND, false, true, WRITE),
            new Writer("pwrite(2)", "O_APPEND", O_APPEND, true, true, Caller::pwrite),
            new Writer("writev(2)", "O_APPEND", O_APPEND, false, true, WRITEV),
            new Writer("pwritev(2)", "O_APPEND", O_APPEND, true, true, PWRITEV),
            new Writer("write(2)", "O_DSYNC", O_DSYNC, false, false, WRITE),
            new Writer("write(2)", "O_SYNC", O_SYNC, false, false, WRITE));

    private static final int PAGE = 4096;

    private WriteRules() {}

    static void add(Rules rules) {
        for (Writer writer : WRITERS) {
            for (int size : List.of(0, 100, PAGE, 2 * PAGE + 1)) {
                for (long offset : List.of(0L, 50L, PAGE - 1L, (long) PAGE, size + 1000L, 150_000L)) {
                    writing(rules, writer, size, offset);
                }
            }
            times(rules, writer);
            errors(rules, writer);
        }
        appending(rules);
        for (int power = 12; power <= 43; power++) {
            sparse(rules, power);
        }
    }

    private static Writer plain(String page, boolean atOffset, Act act) {
        return new Writer(page, "", 0, atOffset, false, act);
    }

    private static Act flagged(int flags) {
        return (c, fd, bytes, at) -> {
            Outcome outcome = c.call(Syscall.PWRITEV2, fd, thirds(c, bytes), 3, at, 0, flags);
            return flags == RWF_NOAPPEND ? outcome.orNotApplicable("RWF_NOAPPEND") : outcome;
        };
    }

    private static byte[] thirds(Caller caller, String bytes) {
        int cut = bytes.length() / 3;
        return caller.writeVector(bytes.substring(0, cut), "", bytes.substring(cut));
    }

    private static void writing(Rules rules, Writer writer, int size, long offset) {
        rules.add(writer.page, "puts bytes at offset " + offset + " of a file of " + size + writer.form(), scene -> {
            Caller root = scene.root();
            for (int count : List.of(1, 100, PAGE, 2 * PAGE + 10)) {
                String content = Bytes.of(1, size);
                String bytes = Bytes.of(2, count);
                String name = "f" + count;
                scene.file(name, content);
                int fd = root.open(name, O_WRONLY | writer.openFlags, 0).okInt();
                long before = writer.atOffset ? 7 : offset;
                root.lseek(fd, before, SEEK_SET).is(before);
                writer.act.write(root, fd, bytes, offset).is(count);
                long start = writer.appends ? size : offset;
                root.lseek(fd, 0, SEEK_CUR).is(writer.offsetAfter(before, start, count));
                Bytes.same(scene, count + " bytes", Bytes.written(content, start, bytes), scene.content(name));
                scene.equal(
                        "size", Math.max(size, start + count), scene.stat(name).size());
            }
        });
    }

    private static void times(Rules rules, Writer writer) {
        rules.add(writer.page, "sets the times of modification and change" + writer.form(), scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            int fd = root.open("f", O_WRONLY | writer.openFlags).okInt();
            Times times = scene.times("f");
            writer.act.write(root, fd, "abc", 0).is(3);
            times.exactly("f", "mc");
        });
        rules.add(writer.page, "leaves times and size alone when it writes no byte" + writer.form(), scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            int fd = root.open("f", O_WRONLY | writer.openFlags).okInt();
            root.lseek(fd, 100, SEEK_SET).ok();
            Times times = scene.times("f");
            writer.act.write(root, fd, "", 200).is(0);
            times.kept("f", "amc");
            scene.equal("size", 7L, scene.stat("f").size());
        });
    }

    private static void errors(Rules rules, Writer writer) {
        if (!writer.appends) {
            rules.add(writer.page, "EFBIG beyond the largest file" + writer.form(), scene -> {
                scene.file("f", "content");
                Caller root = scene.root();
                int fd = root.open("f", O_WRONLY | writer.openFlags).okInt();
                long offset = Long.MAX_VALUE / 2;
                if (!writer.atOffset && !root.lseek(fd, offset, SEEK_SET).succeeded()) {
                    throw new NotApplicable("an offset beyond the largest file cannot be taken");
                }
                writer.act.write(root, fd, "abc", offset).fails(EFBIG);
                scene.equal("content", "content", scene.content("f"));
            });
        }
        if (writer.atOffset) {
            for (long offset : List.of(-2L, Long.MIN_VALUE, Long.MAX_VALUE)) {
                rules.add(writer.page, "EINVAL for offset " + offset + writer.form(), scene -> {
                    scene.file("f", "content");
                    Caller root = scene.root();
                    int fd = root.open("f", O_WRONLY | writer.openFlags).okInt();
                    writer.act.write(root, fd, "abc", offset).fails(EINVAL);
                    scene.equal("content", "content", scene.content("f"));
                });
            }
        }
    }

    private static void appending(Rules rules) {
        rules.add("open(2)", "O_APPEND writers of several processes overwrite nothing", scene -> {
            Caller root = scene.root();
            List<Caller> writers =
                    List.of(root, scene.peer().root(), scene.peer().root());
            int[] fds = new int[writers.size()];
            for (int i = 0; i < fds.length; i++) {
                fds[i] = writers.get(i)
                        .open("f", O_CREAT | O_WRONLY | O_APPEND, 0644)
                        .okInt();
            }
            StringBuilder expected = new StringBuilder();
            for (int i = 0; i < 30; i++) {
                String line = "line " + i + " of writer " + i % fds.length + "\n";
                writers.get(i % fds.length).write(fds[i % fds.length], line).is(line.length());
                expected.append(line);
            }
            scene.equal("content", expected.toString(), scene.content("f"));
        });
        rules.add("open(2)", "O_APPEND writes after what another made of the file's end", scene -> {
            Caller root = scene.root();
            int fd = root.open("f", O_CREAT | O_WRONLY | O_APPEND, 0644).okInt();
            root.write(fd, "0123456789").is(10);
            root.truncate("f", 3).ok();
            root.write(fd, "abc").is(3);
            root.truncate("f", 8).ok();
            root.write(fd, "def").is(3);
            scene.equal("content", "012abc\0\0def", scene.content("f"));
        });
        rules.add("fcntl(2)", "F_SETFL sets and clears O_APPEND", scene -> {
            Caller root = scene.root();
            scene.file("f", "0123456789");
            int fd = root.open("f", O_RDWR).okInt();
            int plain = root.call(Syscall.FCNTL, fd, F_GETFL, 0).okInt();
            root.call(Syscall.FCNTL, fd, F_SETFL, plain | O_APPEND).ok();
            root.write(fd, "abc").is(3);
            root.call(Syscall.FCNTL, fd, F_SETFL, plain).ok();
            root.pwrite(fd, "x", 0).is(1);
            scene.equal("content", "x123456789abc", scene.content("f"));
        });
        rules.add("open(2)", "O_APPEND does not keep reads from their offset", scene -> {
            Caller root = scene.root();
            scene.file("f", "0123456789");
            int fd = root.open("f", O_RDWR | O_APPEND).okInt();
            root.read(fd, 2).is(2);
            root.write(fd, "x").is(1);
            root.pread(fd, 3, 2).is(3);
            scene.equal("part", "234", new String(root.buffered(3), StandardCharsets.ISO_8859_1));
            root.read(fd, 1).is(0);
        });
    }

    /** Without a name, so that no file system has reason to do something with so many zeros. */
    private static void sparse(Rules rules, int power) {
        long offset = 1L << power;
        rules.add("pwrite(2)", "a file may have a byte at 2^" + power + " and holes elsewhere", scene -> {
            Caller root = scene.root();
            int fd = root.open("f", O_CREAT | O_RDWR, 0644).okInt();
            root.unlink("f").ok();
            root.pwrite(fd, "ab", offset - 1).is(2);
            scene.equal("size", offset + 1, scene.stat(fd).size());
            scene.expect("few blocks are taken", scene.stat(fd).blocks() <= 1024);
            root.pread(fd, 100, offset - 3).is(4);
            scene.equal("end", "\0\0ab", new String(root.buffered(4), StandardCharsets.ISO_8859_1));
            root.pread(fd, 2, offset / 2 - 10).is(2);
            scene.equal("hole", "\0\0", new String(root.buffered(2), StandardCharsets.ISO_8859_1));
            root.lseek(fd, 0, SEEK_END).is(offset + 1);
            root.ftruncate(fd, offset).ok();
            root.pread(fd, 100, offset - 1).is(1);
            scene.equal("size", offset, scene.stat(fd).size());
        });
    }
}
