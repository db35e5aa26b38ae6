package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENOMEM;
import static io.fusecache.testkit.posix.scene.Errno.EOPNOTSUPP;
import static io.fusecache.testkit.posix.scene.Errno.EOVERFLOW;
import static io.fusecache.testkit.posix.scene.Flags.MAP_PRIVATE;
import static io.fusecache.testkit.posix.scene.Flags.MAP_SHARED;
import static io.fusecache.testkit.posix.scene.Flags.MS_ASYNC;
import static io.fusecache.testkit.posix.scene.Flags.MS_SYNC;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.PROT_READ;
import static io.fusecache.testkit.posix.scene.Flags.PROT_WRITE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** mmap(2) and msync(2): mappings and calls see the same bytes. */
final class MappingRules {
    private static final int PAGE = 4096;
    private static final int SIZE = 5 * PAGE + 123;
    private static final int MAP_SHARED_VALIDATE = 3;
    private static final int BOTH = PROT_READ | PROT_WRITE;

    private MappingRules() {}

    static void add(Rules rules) {
        for (int at : List.of(0, 1, PAGE - 1, PAGE, 3 * PAGE + 17, SIZE - 1)) {
            for (int count : List.of(1, 100, PAGE, 2 * PAGE)) {
                if (at + count <= SIZE) {
                    shared(rules, at, count);
                }
            }
        }
        for (int size : List.of(1, 100, PAGE - 1, PAGE, PAGE + 1, 300_000)) {
            whole(rules, size);
        }
        privately(rules);
        life(rules);
        ends(rules);
        refusals(rules);
        syncing(rules);
    }

    private static int open(Scene scene) {
        scene.file("f", Bytes.of(1, SIZE));
        return scene.root().open("f", O_RDWR).okInt();
    }

    private static String text(MemorySegment mapped, long at, long count) {
        return new String(mapped.asSlice(at, count).toArray(JAVA_BYTE), StandardCharsets.ISO_8859_1);
    }

    private static void put(MemorySegment mapped, int at, String bytes) {
        byte[] raw = bytes.getBytes(StandardCharsets.ISO_8859_1);
        MemorySegment.copy(raw, 0, mapped, JAVA_BYTE, at, raw.length);
    }

    private static void shared(Rules rules, int at, int count) {
        String range = count + " bytes at " + at;
        rules.add("mmap(2)", "a shared mapping shows what write() put there: " + range, scene -> {
            int fd = open(scene);
            MemorySegment mapped = scene.root().map(SIZE, PROT_READ, MAP_SHARED, fd, 0);
            Bytes.same(scene, "mapping", Bytes.of(1, SIZE), text(mapped, 0, SIZE));
            scene.root().pwrite(fd, Bytes.of(2, count), at).is(count);
            Bytes.same(
                    scene, "mapping", Bytes.written(Bytes.of(1, SIZE), at, Bytes.of(2, count)), text(mapped, 0, SIZE));
        });
        rules.add("mmap(2)", "read() gives what was put into a shared mapping: " + range, scene -> {
            int fd = open(scene);
            MemorySegment mapped = scene.root().map(SIZE, BOTH, MAP_SHARED, fd, 0);
            put(mapped, at, Bytes.of(2, count));
            String expected = Bytes.written(Bytes.of(1, SIZE), at, Bytes.of(2, count));
            Bytes.same(scene, "content by the same descriptor", expected, scene.content(fd));
            Bytes.same(scene, "content by another one", expected, scene.content("f"));
            Caller peer = scene.peer().root();
            peer.pread(peer.open("f", O_RDONLY).okInt(), count, at).is(count);
            Bytes.same(
                    scene,
                    "content in another process",
                    Bytes.of(2, count),
                    new String(peer.buffered(count), StandardCharsets.ISO_8859_1));
        });
        rules.add("mmap(2)", "two shared mappings show the same: " + range, scene -> {
            int fd = open(scene);
            MemorySegment one = scene.root().map(SIZE, BOTH, MAP_SHARED, fd, 0);
            MemorySegment other = scene.root()
                    .map(SIZE, BOTH, MAP_SHARED, scene.root().open("f", O_RDWR).okInt(), 0);
            put(one, at, Bytes.of(2, count));
            Bytes.same(scene, "the other", Bytes.of(2, count), text(other, at, count));
        });
    }

    private static void whole(Rules rules, int size) {
        rules.add("mmap(2)", "a file of " + size + " bytes that is filled through a mapping", scene -> {
            Caller root = scene.root();
            int fd = root.open("f", O_CREAT | O_RDWR, 0644).okInt();
            root.ftruncate(fd, size).ok();
            MemorySegment mapped = root.map(size, BOTH, MAP_SHARED, fd, 0);
            put(mapped, 0, Bytes.of(3, size));
            root.call(Syscall.MSYNC, mapped, size, MS_SYNC).ok();
            root.close(fd).ok();
            Bytes.same(scene, "content", Bytes.of(3, size), scene.content("f"));
            scene.equal("size", (long) size, scene.stat("f").size());
        });
        rules.add("mmap(2)", "a file of " + size + " bytes that is filled through a mapping after its close", scene -> {
            Caller root = scene.root();
            int fd = root.open("f", O_CREAT | O_RDWR, 0644).okInt();
            root.ftruncate(fd, size).ok();
            MemorySegment mapped = root.map(size, BOTH, MAP_SHARED, fd, 0);
            root.close(fd).ok();
            put(mapped, 0, Bytes.of(3, size));
            Bytes.same(scene, "content while mapped", Bytes.of(3, size), scene.content("f"));
            root.unmap(mapped).ok();
            Bytes.same(scene, "content when unmapped", Bytes.of(3, size), scene.content("f"));
        });
    }

    private static void privately(Rules rules) {
        for (int mode : List.of(O_RDONLY, O_RDWR)) {
            String opened = mode == O_RDONLY ? "O_RDONLY" : "O_RDWR";
            rules.add(
                    "mmap(2)", "what is put into a private mapping of " + opened + " stays out of the file", scene -> {
                        scene.file("f", Bytes.of(1, SIZE));
                        Caller root = scene.root();
                        Times times = scene.times("f");
                        MemorySegment mapped = root.map(
                                SIZE, BOTH, MAP_PRIVATE, root.open("f", mode).okInt(), 0);
                        put(mapped, 100, Bytes.of(2, PAGE));
                        root.call(Syscall.MSYNC, mapped, SIZE, MS_SYNC).ok();
                        Bytes.same(scene, "mapping", Bytes.of(2, PAGE), text(mapped, 100, PAGE));
                        Bytes.same(scene, "content", Bytes.of(1, SIZE), scene.content("f"));
                        times.kept("f", "mc");
                    });
        }
    }

    private static void life(Rules rules) {
        rules.add("mmap(2)", "a mapping outlives close, rename and unlink of its file", scene -> {
            int fd = open(scene);
            Caller root = scene.root();
            MemorySegment mapped = root.map(SIZE, BOTH, MAP_SHARED, fd, 0);
            root.close(fd).ok();
            root.rename("f", "g").ok();
            put(mapped, 0, "abc");
            scene.equal("start", "abc", scene.content("g").substring(0, 3));
            root.unlink("g").ok();
            put(mapped, 3, "def");
            scene.equal("mapping", "abcdef", text(mapped, 0, 6));
            Bytes.same(scene, "rest", Bytes.of(1, SIZE).substring(6), text(mapped, 6, SIZE - 6));
        });
        rules.add("mmap(2)", "a mapping that was taken away takes the closed file's last writer with it", scene -> {
            int fd = open(scene);
            Caller root = scene.root();
            MemorySegment mapped = root.map(SIZE, BOTH, MAP_SHARED, fd, 0);
            root.close(fd).ok();
            put(mapped, SIZE - 3, "end");
            root.unmap(mapped).ok();
            Caller peer = scene.peer().root();
            peer.pread(peer.open("f", O_RDONLY).okInt(), 3, SIZE - 3).is(3);
            scene.equal("end", "end", new String(peer.buffered(3), StandardCharsets.ISO_8859_1));
        });
        rules.add("mmap(2)", "a part of a file from a page on", scene -> {
            int fd = open(scene);
            MemorySegment mapped = scene.root().map(2 * PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
            Bytes.same(scene, "mapping", Bytes.part(Bytes.of(1, SIZE), 2 * PAGE, 2 * PAGE), text(mapped, 0, 2 * PAGE));
        });
        rules.add("mmap(2)", "MAP_SHARED_VALIDATE shares like MAP_SHARED", scene -> {
            int fd = open(scene);
            MemorySegment mapped = scene.root().map(SIZE, BOTH, MAP_SHARED_VALIDATE, fd, 0);
            put(mapped, 0, "abc");
            scene.equal("start", "abc", scene.content("f").substring(0, 3));
        });
    }

    private static void ends(Rules rules) {
        rules.add(
                "mmap(2)", "the rest of the last page is zero, and what is put there stays out of the file", scene -> {
                    int fd = open(scene);
                    Caller root = scene.root();
                    MemorySegment mapped = root.map(6 * PAGE, BOTH, MAP_SHARED, fd, 0);
                    Bytes.same(scene, "rest", Bytes.zeros(6 * PAGE - SIZE), text(mapped, SIZE, 6 * PAGE - SIZE));
                    put(mapped, SIZE, "beyond");
                    root.call(Syscall.MSYNC, mapped, 6 * PAGE, MS_SYNC).ok();
                    scene.equal("size", (long) SIZE, scene.stat("f").size());
                    root.ftruncate(fd, SIZE + 100).ok();
                    Bytes.same(
                            scene,
                            "extension",
                            Bytes.zeros(100),
                            scene.content("f").substring(SIZE));
                });
        rules.add("mmap(2)", "a mapping shows what a growing file gets, in its last page and beyond", scene -> {
            int fd = open(scene);
            Caller root = scene.root();
            MemorySegment mapped = root.map(8 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
            scene.equal("end", Bytes.of(1, SIZE).substring(SIZE - 3), text(mapped, SIZE - 3, 3));
            root.pwrite(fd, Bytes.of(2, 2 * PAGE), SIZE).is(2 * PAGE);
            Bytes.same(scene, "mapping", Bytes.of(2, 2 * PAGE), text(mapped, SIZE, 2 * PAGE));
        });
        rules.add("mmap(2)", "a mapping shows zeros where a file was cut and extended again", scene -> {
            int fd = open(scene);
            Caller root = scene.root();
            MemorySegment mapped = root.map(SIZE, BOTH, MAP_SHARED, fd, 0);
            scene.equal("end", Bytes.of(1, SIZE).substring(SIZE - 3), text(mapped, SIZE - 3, 3));
            root.ftruncate(fd, PAGE + 10).ok();
            root.ftruncate(fd, SIZE).ok();
            String expected = Bytes.of(1, PAGE + 10) + Bytes.zeros(SIZE - PAGE - 10);
            Bytes.same(scene, "mapping", expected, text(mapped, 0, SIZE));
        });
    }

    private static void refusals(Rules rules) {
        refused(rules, "EINVAL for length 0", 0, BOTH, MAP_SHARED, 0, EINVAL);
        refused(rules, "EINVAL for an offset inside a page", PAGE, BOTH, MAP_SHARED, 100, EINVAL);
        refused(rules, "EINVAL for neither shared nor private", PAGE, BOTH, 0, 0, EINVAL);
        refused(
                rules,
                "EOPNOTSUPP for MAP_SHARED_VALIDATE with an unknown flag",
                PAGE,
                BOTH,
                MAP_SHARED_VALIDATE | 1 << 24,
                0,
                EOPNOTSUPP);
        refused(rules, "EOVERFLOW where the end is no number", 2 * PAGE, PROT_READ, MAP_SHARED, -PAGE, EOVERFLOW);
        refused(rules, "ENOMEM for more than there are addresses", 1L << 60, PROT_READ, MAP_SHARED, 0, ENOMEM);
        rules.add("mprotect(2)", "EACCES where a shared mapping of O_RDONLY is to be written", scene -> {
            scene.file("f", Bytes.of(1, SIZE));
            Caller root = scene.root();
            MemorySegment mapped = root.map(
                    SIZE, PROT_READ, MAP_SHARED, root.open("f", O_RDONLY).okInt(), 0);
            root.call(Syscall.MPROTECT, mapped, SIZE, BOTH).fails(EACCES);
        });
        rules.add("mprotect(2)", "a shared mapping of O_RDWR may come to be written", scene -> {
            int fd = open(scene);
            MemorySegment mapped = scene.root().map(SIZE, PROT_READ, MAP_SHARED, fd, 0);
            scene.root().call(Syscall.MPROTECT, mapped, SIZE, BOTH).ok();
            put(mapped, 0, "abc");
            scene.equal("start", "abc", scene.content("f").substring(0, 3));
        });
    }

    private static void refused(
            Rules rules, String text, long bytes, int protection, int flags, long offset, Errno errno) {
        rules.add(
                "mmap(2)",
                text,
                scene -> scene.root()
                        .mmap(bytes, protection, flags, open(scene), offset)
                        .fails(errno));
    }

    private static void syncing(Rules rules) {
        for (int flags = 0; flags < 16; flags++) {
            int bits = flags;
            boolean valid = bits < 8 && (bits & (MS_SYNC | MS_ASYNC)) != (MS_SYNC | MS_ASYNC);
            rules.add("msync(2)", (valid ? "may be made" : "EINVAL") + " with flags " + bits, scene -> {
                MemorySegment mapped = scene.root().map(SIZE, BOTH, MAP_SHARED, open(scene), 0);
                put(mapped, 0, "abc");
                scene.root().call(Syscall.MSYNC, mapped, SIZE, bits).is(valid, EINVAL);
                scene.equal("start", "abc", scene.content("f").substring(0, 3));
            });
        }
        rules.add("msync(2)", "EINVAL for an address inside a page", scene -> {
            MemorySegment mapped = scene.root().map(SIZE, BOTH, MAP_SHARED, open(scene), 0);
            scene.root().call(Syscall.MSYNC, mapped.asSlice(1), PAGE, MS_SYNC).fails(EINVAL);
        });
        rules.add(
                "msync(2)",
                "ENOMEM where nothing is mapped",
                scene -> scene.root()
                        .call(Syscall.MSYNC, 1L << 40, PAGE, MS_SYNC)
                        .fails(ENOMEM));
        rules.add(
                "msync(2)", "the times of a file that was changed through a mapping are set when it returns", scene -> {
                    int fd = open(scene);
                    MemorySegment mapped = scene.root().map(SIZE, BOTH, MAP_SHARED, fd, 0);
                    Times times = scene.times("f");
                    put(mapped, 0, "abc");
                    scene.root().call(Syscall.MSYNC, mapped, SIZE, MS_SYNC).ok();
                    times.changed("f", "mc");
                });
    }
}
