package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EFBIG;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EOPNOTSUPP;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_COLLAPSE_RANGE;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_INSERT_RANGE;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_KEEP_SIZE;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_PUNCH_HOLE;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_ZERO_RANGE;
import static io.fusecache.testkit.posix.scene.Flags.MAP_SHARED;
import static io.fusecache.testkit.posix.scene.Flags.O_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.PROT_READ;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_END;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Times;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** fallocate(2): every mode over every kind of range, compared with what a string does. */
final class SpaceRules {
    private static final int UNIT = 64 << 10;
    private static final int SIZE = 4 * UNIT + 1000;

    private static final int FALLOC_FL_UNSHARE_RANGE = 0x40;

    /** A mode, and what it makes of a content. */
    private record Mode(String name, int bits, boolean sized, Effect effect) {
        boolean moves() {
            return (bits & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) != 0;
        }
    }

    @FunctionalInterface
    private interface Effect {
        String on(String content, int offset, int length);
    }

    private static final List<Mode> MODES = List.of(
            new Mode("0", 0, true, (content, _, _) -> content),
            new Mode("KEEP_SIZE", FALLOC_FL_KEEP_SIZE, false, (content, _, _) -> content),
            new Mode("PUNCH_HOLE", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, false, SpaceRules::zeroed),
            new Mode("ZERO_RANGE", FALLOC_FL_ZERO_RANGE, true, SpaceRules::zeroed),
            new Mode("ZERO_RANGE|KEEP_SIZE", FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, false, SpaceRules::zeroed),
            new Mode(
                    "COLLAPSE_RANGE",
                    FALLOC_FL_COLLAPSE_RANGE,
                    false,
                    (content, at, length) -> content.substring(0, at) + content.substring(at + length)),
            new Mode(
                    "INSERT_RANGE",
                    FALLOC_FL_INSERT_RANGE,
                    false,
                    (content, at, length) -> content.substring(0, at) + Bytes.zeros(length) + content.substring(at)));

    private SpaceRules() {}

    static void add(Rules rules) {
        for (Mode mode : MODES) {
            for (int offset : List.of(0, 1, 4096, UNIT, UNIT + 100, 4 * UNIT, SIZE - 1, SIZE, SIZE + 5000, 6 * UNIT)) {
                for (int length : List.of(1, 4096, 5000, UNIT, 2 * UNIT, 8 * UNIT)) {
                    range(rules, mode, offset, length);
                }
            }
            arguments(rules, mode);
            effects(rules, mode);
        }
        space(rules);
        modes(rules);
    }

    private static String zeroed(String content, int offset, int length) {
        int end = Math.min(content.length(), offset + length);
        return offset >= end
                ? content
                : content.substring(0, offset) + Bytes.zeros(end - offset) + content.substring(end);
    }

    private static void range(Rules rules, Mode mode, int offset, int length) {
        rules.add(
                "fallocate(2)",
                mode.name + " of " + length + " bytes at " + offset + " in a file of " + SIZE,
                scene -> {
                    String content = Bytes.of(1, SIZE);
                    scene.file("f", content);
                    Caller root = scene.root();
                    int fd = root.open("f", O_RDWR).okInt();
                    Outcome outcome =
                            root.fallocate(fd, mode.bits, offset, length).orNotApplicable(mode.name);
                    String expected;
                    if (mode.moves() && !movable(scene, mode, offset, length)) {
                        outcome.fails(EINVAL);
                        expected = content;
                    } else {
                        outcome.is(0);
                        expected = mode.effect.on(content, offset, length);
                    }
                    if (mode.sized && offset + length > SIZE) {
                        expected += Bytes.zeros(offset + length - SIZE);
                    }
                    scene.equal(
                            "size", (long) expected.length(), scene.stat("f").size());
                    Bytes.same(scene, "content", expected, scene.content("f"));
                });
    }

    /** Only whole blocks move, and none at or over the end. */
    private static boolean movable(Scene scene, Mode mode, int offset, int length) {
        int block = scene.stat("f").blockSize();
        boolean within = mode.bits == FALLOC_FL_COLLAPSE_RANGE ? offset + length < SIZE : offset < SIZE;
        return within && offset % block == 0 && length % block == 0;
    }

    private static void arguments(Rules rules, Mode mode) {
        refused(rules, mode, "EINVAL for length 0", 0, 0, EINVAL);
        refused(rules, mode, "EINVAL for a negative length", 0, -1, EINVAL);
        refused(rules, mode, "EINVAL for a negative offset", -1, 4096, EINVAL);
        refused(rules, mode, "EINVAL for offset and length both least", Long.MIN_VALUE, Long.MIN_VALUE, EINVAL);
        if (!mode.moves()) {
            refused(rules, mode, "EFBIG where the end is beyond the largest file", Long.MAX_VALUE - 4096, 4096, EFBIG);
            refused(rules, mode, "EFBIG where the end is no number", Long.MAX_VALUE, Long.MAX_VALUE, EFBIG);
        }
    }

    private static void refused(Rules rules, Mode mode, String text, long offset, long length, Errno errno) {
        rules.add("fallocate(2)", text + " (" + mode.name + ")", scene -> {
            scene.file("f", Bytes.of(1, 10_000));
            Caller root = scene.root();
            Times times = scene.times("f");
            root.fallocate(root.open("f", O_RDWR).okInt(), mode.bits, offset, length)
                    .orNotApplicable(mode.name)
                    .fails(errno);
            times.kept("f", "amc");
            Bytes.same(scene, "content", Bytes.of(1, 10_000), scene.content("f"));
        });
    }

    private static void effects(Rules rules, Mode mode) {
        for (Actor actor : Actor.values()) {
            rules.add("fallocate(2)", "whoever may write may do " + mode.name + ", as " + actor, scene -> {
                scene.file("f", Bytes.of(1, SIZE));
                scene.root().chmod("f", 0666).ok();
                Caller caller = scene.as(actor);
                int fd = caller.open("f", O_WRONLY).okInt();
                caller.fallocate(fd, mode.bits, 0, UNIT)
                        .orNotApplicable(mode.name)
                        .ok();
            });
        }
        rules.add(
                "fallocate(2)",
                "sets the time of change, and that of modification with the bytes (" + mode.name + ")",
                scene -> {
                    scene.file("f", Bytes.of(1, SIZE));
                    Caller root = scene.root();
                    int fd = root.open("f", O_RDWR).okInt();
                    Times times = scene.times("f");
                    root.fallocate(fd, mode.bits, mode.moves() ? 0 : UNIT, 2 * UNIT)
                            .orNotApplicable(mode.name)
                            .ok();
                    times.kept("f", "a").changed("f", mode.bits > 1 ? "mc" : "c");
                });
        rules.add("fallocate(2)", "another descriptor and a mapping see it at once (" + mode.name + ")", scene -> {
            String content = Bytes.of(1, SIZE);
            scene.file("f", content);
            Caller root = scene.root();
            int fd = root.open("f", O_RDWR).okInt();
            MemorySegment mapped = root.map(
                    SIZE, PROT_READ, MAP_SHARED, root.open("f", O_RDONLY).okInt(), 0);
            scene.equal("byte", (byte) content.charAt(UNIT + 5), mapped.get(JAVA_BYTE, UNIT + 5));
            root.fallocate(fd, mode.bits, UNIT, UNIT).orNotApplicable(mode.name).ok();
            String expected = mode.effect.on(content, UNIT, UNIT);
            scene.equal("byte", (byte) expected.charAt(UNIT + 5), mapped.get(JAVA_BYTE, UNIT + 5));
            root.lseek(root.open("f", O_RDONLY).okInt(), 0, SEEK_END).is(expected.length());
        });
    }

    private static void space(Rules rules) {
        rules.add("fallocate(2)", "takes the space of a hole at once", scene -> {
            Caller root = scene.root();
            int fd = root.open("f", O_CREAT | O_RDWR, 0644).okInt();
            root.ftruncate(fd, 16L * UNIT).ok();
            scene.equal("blocks of a hole", 0L, scene.stat("f").blocks());
            root.fallocate(fd, 0, UNIT, 2 * UNIT).orNotApplicable("fallocate").ok();
            scene.expect("blocks are taken", scene.stat("f").blocks() >= 2L * UNIT / 512);
            scene.expect("no more than that", scene.stat("f").blocks() <= 3L * UNIT / 512);
        });
        rules.add(
                "fallocate(2)",
                "KEEP_SIZE takes space beyond the end, which truncation to the size gives back",
                scene -> {
                    Caller root = scene.root();
                    int fd = root.open("f", O_CREAT | O_RDWR, 0644).okInt();
                    root.fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4L * UNIT)
                            .orNotApplicable("KEEP_SIZE")
                            .ok();
                    scene.equal("size", 0L, scene.stat("f").size());
                    scene.expect("blocks are taken", scene.stat("f").blocks() >= 4L * UNIT / 512);
                    root.ftruncate(fd, 0).ok();
                    scene.equal("blocks", 0L, scene.stat("f").blocks());
                });
        rules.add("fallocate(2)", "PUNCH_HOLE gives the space back", scene -> {
            scene.file("f", Bytes.of(1, 8 * UNIT));
            Caller root = scene.root();
            int fd = root.open("f", O_RDWR).okInt();
            root.fsync(fd).ok();
            long before = scene.stat("f").blocks();
            root.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, UNIT, 4L * UNIT)
                    .orNotApplicable("PUNCH_HOLE")
                    .ok();
            scene.expect("blocks are given back", scene.stat("f").blocks() <= before - 4L * UNIT / 512);
        });
        rules.add("fallocate(2)", "ZERO_RANGE keeps the space", scene -> {
            Caller root = scene.root();
            int fd = root.open("f", O_CREAT | O_RDWR, 0644).okInt();
            root.fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4L * UNIT)
                    .orNotApplicable("ZERO_RANGE")
                    .ok();
            scene.equal("size", 4L * UNIT, scene.stat("f").size());
            scene.expect("blocks are taken", scene.stat("f").blocks() >= 4L * UNIT / 512);
        });
        rules.add("fallocate(2)", "a descriptor of O_APPEND may allocate and punch", scene -> {
            scene.file("f", Bytes.of(1, SIZE));
            Caller root = scene.root();
            int fd = root.open("f", O_RDWR | O_APPEND).okInt();
            root.fallocate(fd, 0, 0, 2L * SIZE).orNotApplicable("fallocate").ok();
            root.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 10)
                    .ok();
        });
    }

    private static void modes(Rules rules) {
        for (int bits : List.of(
                FALLOC_FL_PUNCH_HOLE,
                FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
                FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE,
                FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE,
                FALLOC_FL_INSERT_RANGE | FALLOC_FL_KEEP_SIZE,
                FALLOC_FL_INSERT_RANGE | FALLOC_FL_COLLAPSE_RANGE,
                FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                1 << 2,
                1 << 20,
                -1)) {
            rules.add("fallocate(2)", "EOPNOTSUPP or EINVAL for mode 0x" + Integer.toHexString(bits), scene -> {
                scene.file("f", Bytes.of(1, SIZE));
                Caller root = scene.root();
                root.fallocate(root.open("f", O_RDWR).okInt(), bits, 0, UNIT).fails(EOPNOTSUPP, EINVAL);
                Bytes.same(scene, "content", Bytes.of(1, SIZE), scene.content("f"));
            });
        }
    }
}
