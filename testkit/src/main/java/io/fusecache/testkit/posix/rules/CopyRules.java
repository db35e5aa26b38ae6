package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.Errno.EFAULT;
import static io.fusecache.testkit.posix.scene.Errno.EFBIG;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EOVERFLOW;
import static io.fusecache.testkit.posix.scene.Flags.MAP_SHARED;
import static io.fusecache.testkit.posix.scene.Flags.O_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.PROT_READ;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_CUR;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** copy_file_range(2), and sendfile(2) between files. */
final class CopyRules {
    private static final int UNIT = 4096;
    private static final int SIZE = 10 * UNIT + 100;

    private CopyRules() {}

    static void add(Rules rules) {
        for (int from : List.of(0, 1, UNIT, SIZE - 50, SIZE, SIZE + 10)) {
            for (int to : List.of(0, 7, UNIT, SIZE, SIZE + UNIT)) {
                for (int count : List.of(0, 1, UNIT, 5000, 20 * UNIT)) {
                    between(rules, from, to, count);
                }
            }
        }
        within(rules);
        refusals(rules);
        effects(rules);
    }

    private static void between(Rules rules, int from, int to, int count) {
        String range = count + " bytes from " + from + " to " + to + ", of files of " + SIZE;
        rules.add("copy_file_range(2)", range + ", by given offsets", scene -> {
            int[] fds = files(scene);
            String part = Bytes.part(Bytes.of(1, SIZE), from, count);
            Caller root = scene.root();
            root.lseek(fds[0], 3, SEEK_SET).ok();
            root.lseek(fds[1], 4, SEEK_SET).ok();
            long copied = copyAll(root, fds[0], from, fds[1], to, count);
            scene.equal("copied", (long) part.length(), copied);
            String expected = part.isEmpty() ? Bytes.of(2, SIZE) : Bytes.written(Bytes.of(2, SIZE), to, part);
            Bytes.same(scene, "content", expected, scene.content("to"));
            Bytes.same(scene, "source", Bytes.of(1, SIZE), scene.content("from"));
            root.lseek(fds[0], 0, SEEK_CUR).is(3);
            root.lseek(fds[1], 0, SEEK_CUR).is(4);
        });
        if (count > 0) {
            rules.add("copy_file_range(2)", range + ", by the files' own offsets", scene -> {
                int[] fds = files(scene);
                Caller root = scene.root();
                root.lseek(fds[0], from, SEEK_SET).ok();
                root.lseek(fds[1], to, SEEK_SET).ok();
                long copied =
                        root.copyFileRange(fds[0], -1, fds[1], -1, count, 0).ok();
                String part = Bytes.part(Bytes.of(1, SIZE), from, copied);
                scene.equal("nothing is copied", from >= SIZE, copied == 0);
                scene.equal("copied", (long) part.length(), copied);
                String expected = part.isEmpty() ? Bytes.of(2, SIZE) : Bytes.written(Bytes.of(2, SIZE), to, part);
                Bytes.same(scene, "content", expected, scene.content("to"));
                root.lseek(fds[0], 0, SEEK_CUR).is(from + copied);
                root.lseek(fds[1], 0, SEEK_CUR).is(to + copied);
            });
        }
    }

    /** A call may copy less than it is asked for, but not nothing before the end. */
    private static long copyAll(Caller root, int in, long from, int out, long to, int count) {
        long copied = 0;
        long last = 1;
        while (last > 0 && copied < count) {
            last = root.copyFileRange(in, from + copied, out, to + copied, count - copied, 0)
                    .ok();
            copied += last;
        }
        return copied;
    }

    private static int[] files(Scene scene) {
        scene.file("from", Bytes.of(1, SIZE)).file("to", Bytes.of(2, SIZE));
        return new int[] {
            scene.root().open("from", O_RDONLY).okInt(),
            scene.root().open("to", O_RDWR).okInt()
        };
    }

    private static void within(Rules rules) {
        for (long[] range : new long[][] {
            {0, 5 * UNIT, 5 * UNIT}, {5 * UNIT, 0, UNIT}, {0, SIZE, UNIT}, {100, 6000, 3000}, {0, SIZE + 9000, 7}
        }) {
            rules.add(
                    "copy_file_range(2)",
                    range[2] + " bytes from " + range[0] + " to " + range[1] + " of the same file",
                    scene -> {
                        scene.file("f", Bytes.of(1, SIZE));
                        Caller root = scene.root();
                        int fd = root.open("f", O_RDWR).okInt();
                        scene.equal("copied", range[2], copyAll(root, fd, range[0], fd, range[1], (int) range[2]));
                        String part = Bytes.part(Bytes.of(1, SIZE), range[0], range[2]);
                        Bytes.same(
                                scene, "content", Bytes.written(Bytes.of(1, SIZE), range[1], part), scene.content("f"));
                    });
        }
        for (long[] range : new long[][] {{0, 0, UNIT}, {0, UNIT, UNIT + 1}, {UNIT, 0, UNIT + 1}, {0, 1, 100}}) {
            String text =
                    "EINVAL for " + range[2] + " bytes from " + range[0] + " to " + range[1] + " of the same file";
            rules.add("copy_file_range(2)", text, scene -> {
                scene.file("f", Bytes.of(1, SIZE));
                Caller root = scene.root();
                int in = root.open("f", O_RDONLY).okInt();
                int out = root.open("f", O_RDWR).okInt();
                root.copyFileRange(in, range[0], out, range[1], range[2], 0).fails(EINVAL);
                Bytes.same(scene, "content", Bytes.of(1, SIZE), scene.content("f"));
            });
        }
    }

    private static void refusals(Rules rules) {
        for (int flags : List.of(1, 2, 1 << 30, -1)) {
            rules.add("copy_file_range(2)", "EINVAL for flags " + flags, scene -> {
                int[] fds = files(scene);
                scene.root().copyFileRange(fds[0], 0, fds[1], 0, 10, flags).fails(EINVAL);
            });
        }
        rules.add("copy_file_range(2)", "EBADF where the destination is open for appending", scene -> {
            int[] fds = files(scene);
            int out = scene.root().open("to", O_WRONLY | O_APPEND).okInt();
            scene.root().copyFileRange(fds[0], 0, out, 0, 10, 0).fails(EBADF);
        });
        rules.add("copy_file_range(2)", "EFAULT where an offset is no address", scene -> {
            int[] fds = files(scene);
            Caller root = scene.root();
            root.call(Syscall.COPY_FILE_RANGE, fds[0], 1, fds[1], 0, 10, 0).fails(EFAULT);
            root.call(Syscall.COPY_FILE_RANGE, fds[0], 0, fds[1], 1, 10, 0).fails(EFAULT);
        });
        rules.add("copy_file_range(2)", "EFBIG where the destination is beyond the largest file", scene -> {
            int[] fds = files(scene);
            scene.root()
                    .copyFileRange(fds[0], 0, fds[1], Long.MAX_VALUE / 2, 10, 0)
                    .fails(EFBIG);
        });
        rules.add("copy_file_range(2)", "EOVERFLOW, EFBIG or EINVAL where an end is no number", scene -> {
            int[] fds = files(scene);
            scene.root()
                    .copyFileRange(fds[0], 0, fds[1], Long.MAX_VALUE - 1, 10, 0)
                    .fails(EOVERFLOW, EFBIG, EINVAL);
        });
    }

    private static void effects(Rules rules) {
        rules.add("copy_file_range(2)", "sets the times that a write sets, of the destination alone", scene -> {
            int[] fds = files(scene);
            Times times = scene.times("from", "to");
            scene.root().copyFileRange(fds[0], 0, fds[1], 0, 100, 0).is(100);
            times.kept("from", "mc").changed("to", "mc");
        });
        rules.add("copy_file_range(2)", "copies what was just written, and is read back through a mapping", scene -> {
            int[] fds = files(scene);
            Caller root = scene.root();
            MemorySegment mapped = root.map(UNIT, PROT_READ, MAP_SHARED, fds[1], 0);
            scene.equal("byte", (byte) Bytes.of(2, 1).charAt(0), mapped.get(JAVA_BYTE, 0));
            root.pwrite(root.open("from", O_WRONLY).okInt(), "new", 0).is(3);
            root.copyFileRange(fds[0], 0, fds[1], 0, UNIT, 0).is(UNIT);
            scene.equal("byte", (byte) 'n', mapped.get(JAVA_BYTE, 0));
        });
        rules.add("copy_file_range(2)", "copies holes as zeros, over what was there", scene -> {
            int[] fds = files(scene);
            Caller root = scene.root();
            int hole = root.open("hole", O_CREAT | O_RDWR, 0644).okInt();
            root.ftruncate(hole, 2 * UNIT).ok();
            scene.equal("copied", 2L * UNIT, copyAll(root, hole, 0, fds[1], UNIT, 2 * UNIT));
            Bytes.same(
                    scene,
                    "content",
                    Bytes.written(Bytes.of(2, SIZE), UNIT, Bytes.zeros(2 * UNIT)),
                    scene.content("to"));
        });
        rules.add("copy_file_range(2)", "copies a file of 3 MiB", scene -> {
            Caller root = scene.root();
            int size = 3 << 20;
            int in = root.open("from", O_CREAT | O_RDWR, 0644).okInt();
            root.pwrite(in, Bytes.of(1, size), 0).is(size);
            int out = root.open("to", O_CREAT | O_RDWR, 0644).okInt();
            scene.equal("copied", (long) size, copyAll(root, in, 0, out, 0, size + 100));
            root.pread(out, 1 << 20, 2 << 20).is(1 << 20);
            String end = new String(root.buffered(1 << 20), StandardCharsets.ISO_8859_1);
            Bytes.same(scene, "end", Bytes.of(1, size).substring(2 << 20), end);
        });
        rules.add("sendfile(2)", "copies from one file to another, and moves both offsets", scene -> {
            int[] fds = files(scene);
            Caller root = scene.root();
            root.lseek(fds[1], 10, SEEK_SET).ok();
            root.call(Syscall.SENDFILE, fds[1], fds[0], 0, 5000).is(5000);
            root.lseek(fds[0], 0, SEEK_CUR).is(5000);
            root.lseek(fds[1], 0, SEEK_CUR).is(5010);
            Bytes.same(scene, "content", Bytes.written(Bytes.of(2, SIZE), 10, Bytes.of(1, 5000)), scene.content("to"));
        });
    }
}
