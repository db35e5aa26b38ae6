package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EFAULT;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EOPNOTSUPP;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_CUR;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Syscall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/** read(2) and its kin: what comes from where, and where the file offset stands after it. */
final class ReadRules {
    /** A form of reading. */
    private record Reader(String page, boolean atOffset, Act act) {}

    @FunctionalInterface
    private interface Act {
        Outcome read(Caller caller, int fd, int count, long offset);
    }

    private static final List<Reader> READERS = List.of(
            new Reader("read(2)", false, (c, fd, count, _) -> c.read(fd, count)),
            new Reader("pread(2)", true, Caller::pread),
            new Reader("readv(2)", false, (c, fd, count, _) -> c.call(Syscall.READV, fd, thirds(c, count), 3)),
            new Reader("preadv(2)", true, (c, fd, count, at) -> c.call(Syscall.PREADV, fd, thirds(c, count), 3, at, 0)),
            new Reader(
                    "preadv2(2)",
                    true,
                    (c, fd, count, at) -> c.call(Syscall.PREADV2, fd, thirds(c, count), 3, at, 0, 0)));

    private static final int IOV_MAX = 1024;
    private static final int PAGE = 4096;

    private ReadRules() {}

    static void add(Rules rules) {
        for (Reader reader : READERS) {
            for (int size : List.of(0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 77, 150_000)) {
                Set<Long> offsets =
                        new TreeSet<>(List.of(0L, 1L, PAGE - 1L, (long) PAGE, (long) size, size + 1L, 1L << 40));
                offsets.add(Math.max(0, size - 1L));
                for (long offset : offsets) {
                    reading(rules, reader, size, offset);
                }
            }
            holes(rules, reader);
            errors(rules, reader);
        }
        vectors(rules);
        offsets(rules);
    }

    private static byte[] thirds(Caller caller, int count) {
        return caller.readVector(count / 3, 0, count - count / 3);
    }

    private static void reading(Rules rules, Reader reader, int size, long offset) {
        String text = "gives what is there, of a file of " + size + " bytes from offset " + offset;
        rules.add(reader.page, text, scene -> {
            String content = Bytes.of(1, size);
            scene.file("f", content);
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            for (int count : List.of(0, 1, 100, PAGE, 2 * PAGE, 200_000)) {
                long before = reader.atOffset ? 7 : offset;
                root.lseek(fd, before, SEEK_SET).is(before);
                String expected = Bytes.part(content, offset, count);
                reader.act.read(root, fd, count, offset).is(expected.length());
                Bytes.same(
                        scene,
                        count + " bytes",
                        expected,
                        new String(root.buffered(expected.length()), StandardCharsets.ISO_8859_1));
                root.lseek(fd, 0, SEEK_CUR).is(reader.atOffset ? before : before + expected.length());
            }
        });
    }

    private static void holes(Rules rules, Reader reader) {
        rules.add(reader.page, "gives zeros where nothing was written", scene -> {
            Caller root = scene.root();
            int fd = root.open("f", O_CREAT | O_RDWR, 0644).okInt();
            root.pwrite(fd, "end", 100_000).is(3);
            root.buffer().fill((byte) 1);
            reader.act.read(root, fd, 110_000, 0).is(100_003);
            String read = new String(root.buffered(100_003), StandardCharsets.ISO_8859_1);
            Bytes.same(scene, "content", Bytes.zeros(100_000) + "end", read);
        });
        rules.add(reader.page, "sees what another descriptor and another process wrote just before", scene -> {
            Caller root = scene.root();
            scene.file("f", "old");
            int fd = root.open("f", O_RDONLY).okInt();
            Caller peer = scene.peer().root();
            for (Caller writer : List.of(root, peer)) {
                String bytes = Bytes.of(writer == peer ? 1 : 2, PAGE);
                int other = writer.open("f", O_WRONLY).okInt();
                writer.pwrite(other, bytes, 0).is(PAGE);
                root.lseek(fd, 0, SEEK_SET).ok();
                reader.act.read(root, fd, PAGE, 0).is(PAGE);
                Bytes.same(scene, "content", bytes, new String(root.buffered(PAGE), StandardCharsets.ISO_8859_1));
            }
        });
        rules.add(reader.page, "ends at the new end after a truncation, and gives zeros after an extension", scene -> {
            Caller root = scene.root();
            scene.file("f", Bytes.of(1, 3 * PAGE));
            int fd = root.open("f", O_RDWR).okInt();
            reader.act.read(root, fd, 3 * PAGE, 0).is(3 * PAGE);
            root.ftruncate(fd, 10).ok();
            root.lseek(fd, 0, SEEK_SET).ok();
            reader.act.read(root, fd, 3 * PAGE, 0).is(10);
            root.ftruncate(fd, 2 * PAGE).ok();
            root.lseek(fd, 0, SEEK_SET).ok();
            reader.act.read(root, fd, 3 * PAGE, 0).is(2 * PAGE);
            String read = new String(root.buffered(2 * PAGE), StandardCharsets.ISO_8859_1);
            Bytes.same(scene, "content", Bytes.of(1, 10) + Bytes.zeros(2 * PAGE - 10), read);
        });
    }

    private static void errors(Rules rules, Reader reader) {
        if (reader.atOffset) {
            for (long offset : List.of(-1L, -100L, Long.MIN_VALUE, Long.MAX_VALUE)) {
                // Offset -1 of preadv2() is the file's own.
                if (offset != -1 || !reader.page.equals("preadv2(2)")) {
                    rules.add(reader.page, "EINVAL from offset " + offset, scene -> {
                        scene.file("f", "content");
                        Caller root = scene.root();
                        reader.act
                                .read(root, root.open("f", O_RDONLY).okInt(), 10, offset)
                                .fails(EINVAL);
                    });
                }
            }
        }
    }

    private static void vectors(Rules rules) {
        for (String page : List.of("readv(2)", "preadv(2)", "preadv2(2)", "writev(2)", "pwritev(2)", "pwritev2(2)")) {
            Syscall call = Syscall.valueOf(page.substring(0, page.indexOf('(')).toUpperCase(Locale.ROOT));
            for (int count : List.of(-1, IOV_MAX + 1, Integer.MAX_VALUE)) {
                onVector(
                        rules,
                        page,
                        "EINVAL for a vector of " + count + " parts",
                        (c, fd) -> c.call(call, fd, c.readVector(1), count, 0, 0, 0)
                                .fails(EINVAL));
            }
            onVector(rules, page, "a vector of no part moves nothing", (c, fd) -> {
                c.call(call, fd, c.readVector(1), 0, 0, 0, 0).is(0);
                c.lseek(fd, 0, SEEK_CUR).is(0);
            });
            onVector(rules, page, "a vector may have 1024 parts", (c, fd) -> {
                int[] parts = new int[IOV_MAX];
                Arrays.fill(parts, 3);
                c.call(call, fd, c.readVector(parts), IOV_MAX, 0, 0, 0).is(3 * IOV_MAX);
            });
            onVector(
                    rules,
                    page,
                    "EINVAL where a part's length is negative",
                    (c, fd) -> c.call(call, fd, c.readVector(4, -1), 2, 0, 0, 0).fails(EINVAL));
            onVector(
                    rules,
                    page,
                    "EFAULT where the vector is no address",
                    (c, fd) -> c.call(call, fd, 1, 1, 0, 0, 0).fails(EFAULT));
            onVector(rules, page, "EFAULT where a part is no address", (c, fd) -> {
                byte[] vector = ByteBuffer.allocate(16)
                        .order(ByteOrder.nativeOrder())
                        .putLong(1)
                        .putLong(10)
                        .array();
                c.call(call, fd, vector, 1, 0, 0, 0).fails(EFAULT);
            });
            if (page.contains("2(")) {
                onVector(
                        rules,
                        page,
                        "EOPNOTSUPP for an unknown flag",
                        (c, fd) -> c.call(call, fd, c.readVector(4), 1, 0, 0, 1 << 30)
                                .fails(EOPNOTSUPP));
                onVector(rules, page, "offset -1 is the file's own, which moves", (c, fd) -> {
                    c.lseek(fd, 10, SEEK_SET).is(10);
                    c.call(call, fd, c.readVector(4), 1, -1, -1, 0).is(4);
                    c.lseek(fd, 0, SEEK_CUR).is(14);
                });
            }
        }
        for (Syscall call : List.of(Syscall.READ, Syscall.PREAD64, Syscall.WRITE, Syscall.PWRITE64)) {
            String page = call.name().toLowerCase(Locale.ROOT).replace("64", "") + "(2)";
            onVector(
                    rules,
                    page,
                    "EFAULT where the buffer is no address",
                    (c, fd) -> c.call(call, fd, 1, 10, 0).fails(EFAULT));
            onVector(
                    rules,
                    page,
                    "0 bytes move nothing",
                    (c, fd) -> c.call(call, fd, c.buffer(), 0, 0).is(0));
        }
    }

    private interface OnVector {
        void check(Caller caller, int fd);
    }

    private static void onVector(Rules rules, String page, String text, OnVector check) {
        rules.add(page, text, scene -> {
            scene.file("f", Bytes.of(1, 10_000));
            check.check(scene.root(), scene.root().open("f", O_RDWR).okInt());
            scene.equal("size", 10_000L, scene.stat("f").size());
        });
    }

    private static void offsets(Rules rules) {
        rules.add("read(2)", "descriptors of dup() share the file offset", scene -> {
            scene.file("f", "0123456789");
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            int same = root.dup(fd).okInt();
            root.read(fd, 3).is(3);
            root.read(same, 3).is(3);
            scene.equal("second part", "345", new String(root.buffered(3), StandardCharsets.ISO_8859_1));
        });
        rules.add("read(2)", "descriptors of two openings have offsets of their own", scene -> {
            scene.file("f", "0123456789");
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            int other = root.open("f", O_RDONLY).okInt();
            root.read(fd, 3).is(3);
            root.read(other, 3).is(3);
            scene.equal("first part", "012", new String(root.buffered(3), StandardCharsets.ISO_8859_1));
        });
    }
}
