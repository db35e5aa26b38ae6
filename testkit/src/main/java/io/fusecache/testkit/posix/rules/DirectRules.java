package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.F_SETFL;
import static io.fusecache.testkit.posix.scene.Flags.MAP_SHARED;
import static io.fusecache.testkit.posix.scene.Flags.O_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECT;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.PROT_READ;
import static io.fusecache.testkit.posix.scene.Flags.PROT_WRITE;
import static io.fusecache.testkit.posix.scene.Flags.STATX_DIOALIGN;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** O_DIRECT of open(2): whole blocks around the page cache, which everybody else sees. */
final class DirectRules {
    private static final int BLOCKS = 6;
    private static final int MAX_ALIGNMENT = 4096;

    private DirectRules() {}

    static void add(Rules rules) {
        for (int block = 0; block <= BLOCKS + 1; block++) {
            for (int count : List.of(1, 2, BLOCKS)) {
                aligned(rules, block, count);
            }
        }
        unaligned(rules);
        coherence(rules);
        rules.add("open(2)", "O_DIRECT with O_APPEND writes blocks to the end", scene -> {
            int unit = alignment(scene);
            scene.file("f", Bytes.of(1, 2 * unit));
            Caller root = scene.root();
            int fd = root.open("f", O_WRONLY | O_DIRECT | O_APPEND).okInt();
            root.write(fd, Bytes.of(2, unit)).is(unit);
            root.write(fd, Bytes.of(3, unit)).is(unit);
            Bytes.same(
                    scene,
                    "content",
                    Bytes.of(1, 2 * unit) + Bytes.of(2, unit) + Bytes.of(3, unit),
                    scene.content("f"));
        });
        rules.add("open(2)", "O_DIRECT reads the part of the last block that there is, and zeros of holes", scene -> {
            int unit = alignment(scene);
            Caller root = scene.root();
            int fd = root.open("f", O_CREAT | O_RDWR | O_DIRECT, 0644).okInt();
            root.ftruncate(fd, 3L * unit + 100).ok();
            root.pwrite(fd, Bytes.of(1, unit), unit).is(unit);
            Bytes.same(
                    scene,
                    "content",
                    Bytes.zeros(unit) + Bytes.of(1, unit) + Bytes.zeros(unit + 100),
                    read(root, fd, 0, 8 * unit));
            root.pread(fd, unit, 8L * unit).is(0);
        });
        rules.add("fcntl(2)", "F_SETFL sets O_DIRECT of an open file", scene -> {
            int unit = alignment(scene);
            scene.file("f", Bytes.of(1, 2 * unit));
            Caller root = scene.root();
            int fd = root.open("f", O_RDWR).okInt();
            root.call(Syscall.FCNTL, fd, F_SETFL, O_DIRECT).ok();
            root.pwrite(fd, Bytes.of(2, unit), 0).is(unit);
            Bytes.same(scene, "content", Bytes.of(2, unit), read(root, fd, 0, unit));
        });
        rules.add("statx(2)", "STATX_DIOALIGN, where it is answered, gives powers of two", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            root.statx(AT_FDCWD, "f", 0, STATX_DIOALIGN).ok();
            Stat stat = root.answeredStat();
            if ((stat.mask() & STATX_DIOALIGN) != 0 && stat.directOffsetAlignment() != 0) {
                scene.equal("bits of the offset's alignment", 1, Integer.bitCount(stat.directOffsetAlignment()));
                scene.equal("bits of the memory's alignment", 1, Integer.bitCount(stat.directMemoryAlignment()));
            }
        });
    }

    /** What offsets and lengths must be multiples of, which never is more than a page. */
    private static int alignment(Scene scene) {
        Caller root = scene.root();
        Outcome opened = root.open("probe", O_CREAT | O_RDWR | O_DIRECT, 0644);
        scene.needs("no direct I/O", () -> !opened.failed(EINVAL));
        opened.ok();
        return MAX_ALIGNMENT;
    }

    private static String read(Caller root, int fd, long offset, int count) {
        long read = root.pread(fd, count, offset).ok();
        return new String(root.buffered(read), StandardCharsets.ISO_8859_1);
    }

    private static void aligned(Rules rules, int block, int count) {
        String range = count + " blocks at block " + block + " of " + BLOCKS;
        rules.add("open(2)", "O_DIRECT reads " + range, scene -> {
            int unit = alignment(scene);
            String content = Bytes.of(1, BLOCKS * unit + 7);
            scene.file("f", content);
            int fd = scene.root().open("f", O_RDONLY | O_DIRECT).okInt();
            String read = read(scene.root(), fd, (long) block * unit, count * unit);
            Bytes.same(scene, "content", Bytes.part(content, (long) block * unit, (long) count * unit), read);
        });
        rules.add("open(2)", "O_DIRECT writes " + range, scene -> {
            int unit = alignment(scene);
            String content = Bytes.of(1, BLOCKS * unit + 7);
            scene.file("f", content);
            Caller root = scene.root();
            Times times = scene.times("f");
            int fd = root.open("f", O_WRONLY | O_DIRECT).okInt();
            String bytes = Bytes.of(2, count * unit);
            root.pwrite(fd, bytes, (long) block * unit).is(bytes.length());
            times.kept("f", "a").changed("f", "mc");
            Bytes.same(scene, "content", Bytes.written(content, (long) block * unit, bytes), scene.content("f"));
        });
    }

    /** A file system may do it all the same, but then right. */
    private static void unaligned(Rules rules) {
        for (int[] range : new int[][] {{1, 4096}, {0, 100}, {0, 4097}, {511, 512}, {100, 5000}}) {
            String text = range[1] + " bytes at " + range[0];
            rules.add("open(2)", "O_DIRECT gives EINVAL, or what is there, for a read of " + text, scene -> {
                alignment(scene);
                scene.file("f", Bytes.of(1, 20_000));
                Caller root = scene.root();
                Outcome outcome = root.pread(root.open("f", O_RDONLY | O_DIRECT).okInt(), range[1], range[0]);
                if (outcome.succeeded()) {
                    String read = new String(root.buffered(outcome.ok()), StandardCharsets.ISO_8859_1);
                    Bytes.same(scene, "content", Bytes.part(Bytes.of(1, 20_000), range[0], outcome.ok()), read);
                } else {
                    outcome.fails(EINVAL);
                }
            });
            rules.add("open(2)", "O_DIRECT gives EINVAL, or does it, for a write of " + text, scene -> {
                alignment(scene);
                scene.file("f", Bytes.of(1, 20_000));
                Caller root = scene.root();
                int fd = root.open("f", O_WRONLY | O_DIRECT).okInt();
                Outcome outcome = root.pwrite(fd, Bytes.of(2, range[1]), range[0]);
                String expected = Bytes.of(1, 20_000);
                if (outcome.succeeded()) {
                    expected = Bytes.written(expected, range[0], Bytes.part(Bytes.of(2, range[1]), 0, outcome.ok()));
                } else {
                    outcome.fails(EINVAL);
                }
                Bytes.same(scene, "content", expected, scene.content("f"));
            });
        }
    }

    private static void coherence(Rules rules) {
        rules.add("open(2)", "O_DIRECT reads what write() has just put into the page cache", scene -> {
            int unit = alignment(scene);
            scene.file("f", Bytes.of(1, BLOCKS * unit));
            Caller root = scene.root();
            int direct = root.open("f", O_RDONLY | O_DIRECT).okInt();
            int cached = root.open("f", O_RDWR).okInt();
            for (int block = 0; block < BLOCKS; block++) {
                root.pwrite(cached, Bytes.of(2 + block, 100), (long) block * unit + 50)
                        .is(100);
                Bytes.same(
                        scene,
                        "block",
                        Bytes.of(2 + block, 100),
                        read(root, direct, (long) block * unit, unit).substring(50, 150));
            }
        });
        rules.add("open(2)", "read() gives what O_DIRECT has just written over what the page cache had", scene -> {
            int unit = alignment(scene);
            scene.file("f", Bytes.of(1, BLOCKS * unit));
            Caller root = scene.root();
            int direct = root.open("f", O_RDWR | O_DIRECT).okInt();
            int cached = root.open("f", O_RDWR).okInt();
            for (int block = 0; block < BLOCKS; block++) {
                root.pread(cached, unit, (long) block * unit).is(unit);
                root.pwrite(direct, Bytes.of(2 + block, unit), (long) block * unit)
                        .is(unit);
                Bytes.same(scene, "block", Bytes.of(2 + block, unit), read(root, cached, (long) block * unit, unit));
            }
        });
        rules.add("open(2)", "O_DIRECT and a shared mapping see each other's bytes", scene -> {
            int unit = alignment(scene);
            scene.file("f", Bytes.of(1, BLOCKS * unit));
            Caller root = scene.root();
            int direct = root.open("f", O_RDWR | O_DIRECT).okInt();
            MemorySegment mapped = root.map(
                    (long) BLOCKS * unit,
                    PROT_READ | PROT_WRITE,
                    MAP_SHARED,
                    root.open("f", O_RDWR).okInt(),
                    0);
            mapped.set(JAVA_BYTE, 5, (byte) 'm');
            scene.equal("byte", 'm', read(root, direct, 0, unit).charAt(5));
            root.pwrite(direct, Bytes.of(2, unit), 0).is(unit);
            scene.equal("byte", (byte) Bytes.of(2, unit).charAt(5), mapped.get(JAVA_BYTE, 5));
        });
    }
}
