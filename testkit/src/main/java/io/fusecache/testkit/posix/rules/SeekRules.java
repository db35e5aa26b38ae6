package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENXIO;
import static io.fusecache.testkit.posix.scene.Errno.EOVERFLOW;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_KEEP_SIZE;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_PUNCH_HOLE;
import static io.fusecache.testkit.posix.scene.Flags.O_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_CUR;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_DATA;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_END;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_HOLE;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntConsumer;

/** lseek(2): offsets from everywhere, and the latitude that it gives about holes. */
final class SeekRules {
    private static final int SIZE = 10_000;
    private static final Map<Integer, String> WHENCE =
            new TreeMap<>(Map.of(SEEK_SET, "SEEK_SET", SEEK_CUR, "SEEK_CUR", SEEK_END, "SEEK_END"));

    /** Larger than the blocks of any disk. */
    private static final int PIECE = 64 << 10;

    /** How a file comes to have holes. */
    private enum Maker {
        WRITING {
            @Override
            void make(Caller c, int fd, boolean[] full, int size) {
                c.ftruncate(fd, size).ok();
                pieces(
                        full,
                        true,
                        piece -> c.pwrite(fd, Bytes.of(1, Math.min(PIECE, size - piece * PIECE)), (long) piece * PIECE)
                                .ok());
            }
        },
        PUNCHING {
            @Override
            void make(Caller c, int fd, boolean[] full, int size) {
                c.pwrite(fd, Bytes.of(1, size), 0).is(size);
                pieces(
                        full,
                        false,
                        piece -> c.fallocate(
                                        fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (long) piece * PIECE, PIECE)
                                .orNotApplicable("PUNCH_HOLE")
                                .ok());
            }
        },
        ALLOCATING {
            @Override
            void make(Caller c, int fd, boolean[] full, int size) {
                c.fallocate(fd, 0, 0, size).orNotApplicable("fallocate").ok();
                pieces(
                        full,
                        true,
                        piece -> c.pwrite(fd, Bytes.of(1, Math.min(PIECE, size - piece * PIECE)), (long) piece * PIECE)
                                .ok());
            }
        };

        /** A file of this size with data in the full pieces, and none elsewhere. */
        abstract void make(Caller c, int fd, boolean[] full, int size);

        private static void pieces(boolean[] full, boolean which, IntConsumer action) {
            for (int i = 0; i < full.length; i++) {
                if (full[i] == which) {
                    action.accept(i);
                }
            }
        }
    }

    private SeekRules() {}

    static void add(Rules rules) {
        for (int whence : WHENCE.keySet()) {
            for (long offset : List.of(
                    0L,
                    1L,
                    -1L,
                    100L,
                    -100L,
                    (long) SIZE,
                    -(long) SIZE,
                    -SIZE - 1L,
                    1L << 33,
                    1L << 43,
                    Long.MIN_VALUE,
                    Long.MAX_VALUE)) {
                seeking(rules, whence, offset);
            }
        }
        for (int whence : List.of(-1, 5, 100, Integer.MAX_VALUE)) {
            rules.add("lseek(2)", "EINVAL for whence " + whence, scene -> {
                scene.file("f", "content");
                Caller root = scene.root();
                int fd = root.open("f", O_RDONLY).okInt();
                root.lseek(fd, 3, SEEK_SET).is(3);
                root.lseek(fd, 0, whence).fails(EINVAL);
                root.lseek(fd, 0, SEEK_CUR).is(3);
            });
        }
        rules.add("lseek(2)", "beyond the end changes neither size nor times", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            int fd = root.open("f", O_RDWR).okInt();
            Times times = scene.times("f");
            root.lseek(fd, 1L << 40, SEEK_SET).is(1L << 40);
            times.kept("f", "amc");
            scene.equal("size", 7L, scene.stat("f").size());
            root.read(fd, 10).is(0);
        });
        rules.add("lseek(2)", "SEEK_END knows the end that others made", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            for (int size : List.of(100_000, 5, 0, 12)) {
                root.truncate("f", size).ok();
                root.lseek(fd, 0, SEEK_END).is(size);
            }
            Caller peer = scene.peer().root();
            peer.write(peer.open("f", O_WRONLY | O_APPEND).okInt(), "more").is(4);
            root.lseek(fd, 0, SEEK_END).is(16);
        });
        holes(rules);
    }

    private static void seeking(Rules rules, int whence, long offset) {
        rules.add("lseek(2)", WHENCE.get(whence) + " of " + offset + " in a file of " + SIZE, scene -> {
            scene.file("f", "x".repeat(SIZE));
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            long here = 4000;
            root.lseek(fd, here, SEEK_SET).is(here);
            long base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? here : SIZE;
            long wanted = base + offset;
            Outcome outcome = root.lseek(fd, offset, whence);
            if (offset == Long.MAX_VALUE && (wanted < 0 || !outcome.succeeded())) {
                outcome.fails(EOVERFLOW, EINVAL);
            } else if (wanted < 0) {
                outcome.fails(EINVAL);
            } else {
                outcome.is(wanted);
                here = wanted;
            }
            root.lseek(fd, 0, SEEK_CUR).is(here);
        });
    }

    private static void holes(Rules rules) {
        for (Maker maker : Maker.values()) {
            for (int pattern = 0; pattern < 32; pattern++) {
                boolean[] full = new boolean[5];
                StringBuilder drawn = new StringBuilder();
                for (int i = 0; i < full.length; i++) {
                    full[i] = (pattern >> i & 1) == 1;
                    drawn.append(full[i] ? 'D' : '-');
                }
                for (int size : List.of(full.length * PIECE, full.length * PIECE - 1000)) {
                    rules.add(
                            "lseek(2)",
                            "SEEK_DATA and SEEK_HOLE miss no data in " + drawn + " of " + size + " bytes, made by "
                                    + maker.name().toLowerCase(Locale.ROOT),
                            scene -> walk(scene, maker, full, size));
                }
            }
        }
        for (int whence : List.of(SEEK_DATA, SEEK_HOLE)) {
            String name = whence == SEEK_DATA ? "SEEK_DATA" : "SEEK_HOLE";
            for (long offset : List.of((long) SIZE, SIZE + 1L, 1L << 40)) {
                rules.add("lseek(2)", "ENXIO for " + name + " from " + offset + " in a file of " + SIZE, scene -> {
                    scene.file("f", "x".repeat(SIZE));
                    Caller root = scene.root();
                    root.lseek(root.open("f", O_RDONLY).okInt(), offset, whence).fails(ENXIO);
                });
            }
            rules.add("lseek(2)", "ENXIO for " + name + " in an empty file", scene -> {
                scene.file("f", "");
                Caller root = scene.root();
                root.lseek(root.open("f", O_RDONLY).okInt(), 0, whence).fails(ENXIO);
            });
            rules.add("lseek(2)", "ENXIO or EINVAL for " + name + " from a negative offset", scene -> {
                scene.file("f", "x".repeat(SIZE));
                Caller root = scene.root();
                root.lseek(root.open("f", O_RDONLY).okInt(), -1, whence).fails(ENXIO, EINVAL);
            });
        }
    }

    /** Data may be claimed where there is none, but never the reverse; the end of the file counts as a hole. */
    private static void walk(Scene scene, Maker maker, boolean[] full, int size) {
        Caller root = scene.root();
        int fd = root.open("f", O_CREAT | O_RDWR, 0644).okInt();
        maker.make(root, fd, full, size);
        for (long at = 0; at < size; at += PIECE / 2) {
            long firstData = at;
            while (firstData < size && !full[(int) (firstData / PIECE)]) {
                firstData = (firstData / PIECE + 1) * PIECE;
            }
            Outcome data = root.lseek(fd, at, SEEK_DATA);
            if (data.succeeded()) {
                scene.expect(
                        data + " answers no offset before, and none beyond the data at " + firstData + ": "
                                + data.raw(),
                        data.raw() >= at && (firstData >= size || data.raw() <= firstData));
                root.lseek(fd, 0, SEEK_CUR).is(data.raw());
            } else {
                data.fails(ENXIO);
                scene.expect("there is no data from " + at + " on", firstData >= size);
            }
            long hole = root.lseek(fd, at, SEEK_HOLE).ok();
            root.lseek(fd, 0, SEEK_CUR).is(hole);
            scene.expect(
                    "a hole or the end is at " + hole + ", sought from " + at,
                    hole >= at && (hole == size || (hole < size && !full[(int) (hole / PIECE)])));
        }
    }
}
