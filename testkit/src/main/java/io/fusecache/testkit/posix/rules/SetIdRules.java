package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.ENODATA;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_KEEP_SIZE;
import static io.fusecache.testkit.posix.scene.Flags.FALLOC_FL_PUNCH_HOLE;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_TRUNC;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.RWF_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;
import static io.fusecache.testkit.posix.scene.Flags.S_ISGID;
import static io.fusecache.testkit.posix.scene.Flags.S_ISUID;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** What changes a file takes its set-user-ID, set-group-ID and capabilities away, as write(2) and chown(2) say. */
final class SetIdRules {
    /** A change of a file's bytes, by whoever may write it. */
    private record Change(String page, String what, Act act) {
        String form() {
            return what.isEmpty() ? "" : " (" + what + ")";
        }
    }

    @FunctionalInterface
    private interface Act {
        void on(Caller caller, int fd);
    }

    private static final String CAPABILITY = "security.capability";
    private static final int SIZE = 8192;

    private static final List<Change> CHANGES = List.of(
            new Change("write(2)", "", (c, fd) -> c.write(fd, "x").is(1)),
            new Change("write(2)", "beyond the end", (c, fd) -> {
                c.lseek(fd, 3 * SIZE, SEEK_SET).ok();
                c.write(fd, "x").is(1);
            }),
            new Change("pwrite(2)", "", (c, fd) -> c.pwrite(fd, "x", 100).is(1)),
            new Change(
                    "writev(2)",
                    "",
                    (c, fd) -> c.call(Syscall.WRITEV, fd, c.writeVector("a", "b"), 2)
                            .is(2)),
            new Change(
                    "pwritev(2)",
                    "",
                    (c, fd) -> c.call(Syscall.PWRITEV, fd, c.writeVector("a", "b"), 2, 0, 0)
                            .is(2)),
            new Change(
                    "pwritev2(2)",
                    "RWF_APPEND",
                    (c, fd) -> c.call(Syscall.PWRITEV2, fd, c.writeVector("a", "b"), 2, 0, 0, RWF_APPEND)
                            .is(2)),
            new Change("truncate(2)", "shorter", (c, _) -> c.truncate("f", 10).ok()),
            new Change(
                    "truncate(2)", "longer", (c, _) -> c.truncate("f", 3 * SIZE).ok()),
            new Change(
                    "truncate(2)",
                    "to its size",
                    (c, _) -> c.truncate("f", SIZE).ok()),
            new Change("ftruncate(2)", "shorter", (c, fd) -> c.ftruncate(fd, 10).ok()),
            new Change(
                    "ftruncate(2)",
                    "longer",
                    (c, fd) -> c.ftruncate(fd, 3 * SIZE).ok()),
            new Change(
                    "open(2)",
                    "O_TRUNC",
                    (c, _) -> c.open("f", O_WRONLY | O_TRUNC).ok()),
            new Change(
                    "fallocate(2)",
                    "",
                    (c, fd) -> c.fallocate(fd, 0, 0, 3 * SIZE)
                            .orNotApplicable("fallocate")
                            .ok()),
            new Change(
                    "fallocate(2)",
                    "PUNCH_HOLE",
                    (c, fd) -> c.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096)
                            .orNotApplicable("PUNCH_HOLE")
                            .ok()),
            new Change(
                    "copy_file_range(2)",
                    "",
                    (c, fd) -> c.copyFileRange(c.open("source", O_RDONLY).okInt(), 0, fd, 0, 100, 0)
                            .is(100)));

    private SetIdRules() {}

    static void add(Rules rules) {
        for (Change change : CHANGES) {
            for (Actor actor : Actor.values()) {
                for (int mode : List.of(04777, 02777, 06777, 04666, 06766, 02767, 01777)) {
                    changed(rules, change, actor, mode);
                }
                capability(rules, change, actor);
            }
        }
        for (Actor actor : List.of(Actor.ROOT, Actor.OWNER, Actor.MEMBER)) {
            for (int mode : List.of(04777, 02777, 06777, 04666, 06755, 01777)) {
                owned(rules, actor, mode);
            }
        }
    }

    /** Root keeps them; so does a group's member where the group may not execute: there the bit once meant locking. */
    private static void changed(Rules rules, Change change, Actor actor, int mode) {
        int left = actor == Actor.ROOT ? mode : mode & ~S_ISUID & ((mode & 010) != 0 ? ~S_ISGID : ~0);
        String text = "leaves 0" + Integer.toOctalString(left) + " of mode 0" + Integer.toOctalString(mode)
                + change.form() + ", as " + actor;
        rules.add(change.page, text, scene -> {
            int fd = prepare(scene, actor, mode);
            change.act.on(scene.as(actor), fd);
            int now = scene.stat("f").permissions();
            // Who is not in the group takes that bit away too since Linux 6.2.
            int ignored = actor == Actor.OTHER && (mode & 010) == 0 ? S_ISGID : 0;
            scene.equal("permissions but " + ignored, left & ~ignored, now & ~ignored);
        });
    }

    private static int prepare(Scene scene, Actor actor, int mode) {
        scene.file("source", Bytes.of(1, SIZE)).file("f", Bytes.of(2, SIZE));
        scene.root().chown("f", Actor.OWNER.uid(), Actor.OWNER.gid()).ok();
        scene.root().chmod("f", 0666).ok();
        int fd = scene.as(actor).open("f", O_RDWR).okInt();
        scene.root().chmod("f", mode).ok();
        return fd;
    }

    /** cap_net_raw, in the layout of version 2 of capabilities(7). */
    private static byte[] capability() {
        return ByteBuffer.allocate(20)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0x0200_0001)
                .putInt(1 << 13)
                .array();
    }

    private static void capability(Rules rules, Change change, Actor actor) {
        rules.add(change.page, "takes the file's capabilities away" + change.form() + ", as " + actor, scene -> {
            int fd = prepare(scene, actor, 0777);
            scene.root()
                    .setxattr("f", CAPABILITY, capability(), 0)
                    .orNotApplicable("capabilities")
                    .ok();
            scene.root().getxattr("f", CAPABILITY, 100).is(20);
            change.act.on(scene.as(actor), fd);
            scene.root().getxattr("f", CAPABILITY, 100).fails(ENODATA);
        });
    }

    private static void owned(Rules rules, Actor actor, int mode) {
        int left = mode & ~S_ISUID & ((mode & 010) != 0 ? ~S_ISGID : ~0);
        String text = "0" + Integer.toOctalString(mode) + ", as " + actor;
        rules.add(
                "chown(2)",
                "to another group leaves 0" + Integer.toOctalString(left) + " of a file of mode " + text,
                scene -> {
                    scene.makeOwned(REGULAR, "f", mode, actor);
                    scene.as(actor).chown("f", -1, otherGroup(actor)).ok();
                    scene.permissions(left, "f");
                });
        rules.add(
                "chown(2)",
                "to what it is leaves a file all of mode " + text + ", or none of its set-id bits",
                scene -> {
                    scene.makeOwned(REGULAR, "f", mode, actor);
                    scene.as(actor).chown("f", -1, -1).ok();
                    int now = scene.stat("f").permissions();
                    scene.expect("permissions are 0" + Integer.toOctalString(now), now == mode || now == left);
                });
        for (int gid : List.of(-1, otherGroup(actor))) {
            String change = gid == -1 ? "to what it is" : "to another group";
            rules.add("chown(2)", change + " leaves a directory its mode " + text, scene -> {
                scene.makeOwned(DIRECTORY, "d", mode, actor);
                scene.as(actor).chown("d", -1, gid).ok();
                scene.permissions(mode, "d");
            });
        }
        rules.add("chown(2)", "takes the file's capabilities away, of mode " + text, scene -> {
            scene.makeOwned(REGULAR, "f", mode, actor);
            scene.root()
                    .setxattr("f", CAPABILITY, capability(), 0)
                    .orNotApplicable("capabilities")
                    .ok();
            scene.as(actor).chown("f", -1, otherGroup(actor)).ok();
            scene.root().getxattr("f", CAPABILITY, 100).fails(ENODATA);
        });
    }

    /** One that this user may give a file to. */
    private static int otherGroup(Actor actor) {
        return actor == Actor.MEMBER ? actor.groups().getLast() : actor.gid();
    }
}
