package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EFAULT;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.FileType.BLOCK;
import static io.fusecache.testkit.posix.scene.FileType.CHARACTER;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.NAME_MAX;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.STATX_BASIC_STATS;
import static io.fusecache.testkit.posix.scene.Flags.STATX_BTIME;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Entry;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import java.util.List;

/** statx(2), stat(2) and statfs(2): what they say of every type, and what they take. */
final class StatRules {
    private static final int AT_STATX_FORCE_SYNC = 0x2000;
    private static final int AT_STATX_DONT_SYNC = 0x4000;
    private static final int STATX_RESERVED = 0x80000000;
    private static final int STATFS_BYTES = 120;

    private StatRules() {}

    static void add(Rules rules) {
        for (FileType type : FileType.values()) {
            fields(rules, type);
            births(rules, type);
            fileSystem(rules, type);
            for (Actor actor : Actor.values()) {
                rules.add("statx(2)", "asks for no permission on " + type + ", as " + actor, scene -> {
                    scene.make(type, "x", 0);
                    Caller caller = scene.as(actor);
                    caller.statx(AT_FDCWD, "x", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS)
                            .is(0);
                    caller.lstat("x").is(0);
                });
            }
        }
        arguments(rules);
        sizes(rules);
        for (long[] device :
                new long[][] {{1, 3}, {0, 0}, {8, 1}, {254, 255}, {4095, 1}, {7, 1_048_575}, {259, 65_536}}) {
            devices(rules, device);
        }
        for (Actor actor : Actor.values()) {
            rules.add("statfs(2)", "is for everybody, and the same by path and descriptor, as " + actor, scene -> {
                scene.file("f", "content");
                Caller caller = scene.as(actor);
                caller.call(Syscall.STATFS, "f", caller.buffer()).is(0);
                long type = caller.buffer().get(JAVA_LONG, 0);
                long blockSize = caller.buffer().get(JAVA_LONG, 8);
                caller.call(Syscall.FSTATFS, caller.open("f", O_RDONLY).okInt(), caller.buffer())
                        .is(0);
                scene.equal("type", type, caller.buffer().get(JAVA_LONG, 0));
                scene.equal("block size", blockSize, caller.buffer().get(JAVA_LONG, 8));
            });
        }
    }

    private static Stat statx(Caller caller, String path, int flags, int mask) {
        caller.statx(AT_FDCWD, path, flags | AT_SYMLINK_NOFOLLOW, mask).is(0);
        return caller.answeredStat();
    }

    private static void fields(Rules rules, FileType type) {
        for (int mask : List.of(0, 1, 2, 0x100, STATX_BASIC_STATS, STATX_BASIC_STATS | STATX_BTIME, 0x7fff_ffff)) {
            for (int sync : List.of(0, AT_STATX_FORCE_SYNC, AT_STATX_DONT_SYNC)) {
                String text = "of " + type + " with mask 0x" + Integer.toHexString(mask) + " and flags 0x"
                        + Integer.toHexString(sync);
                rules.add("statx(2)", text, scene -> {
                    scene.makeOwned(type, "x", 0640);
                    Stat stat = statx(scene.root(), "x", sync, mask);
                    Stat plain = statx(scene.root(), "x", 0, STATX_BASIC_STATS);
                    int wanted = mask & STATX_BASIC_STATS;
                    scene.equal("fields answered of those wanted", wanted, stat.mask() & wanted);
                    scene.equal("type", type.bits(), stat.typeBits());
                    scene.equal("inode", plain.ino(), stat.ino());
                    if (wanted == STATX_BASIC_STATS) {
                        scene.equal("mode", plain.mode(), stat.mode());
                        scene.equal("owner", Actor.OWNER.uid(), stat.uid());
                        scene.equal("group", Actor.OWNER.gid(), stat.gid());
                        scene.equal("size", plain.size(), stat.size());
                        scene.equal("time of modification", plain.mtime(), stat.mtime());
                    }
                    scene.expect("a block size", stat.blockSize() > 0);
                });
            }
        }
        rules.add("stat(2)", "numbers inodes of " + type + " as readdir does, each its own", scene -> {
            scene.make(type, "x").make(type, "y");
            Caller root = scene.root();
            List<Entry> entries =
                    root.entries(root.open(".", O_RDONLY | O_DIRECTORY).okInt());
            for (Entry entry : entries) {
                if (!entry.name().startsWith(".")) {
                    scene.equal(
                            "number of " + entry.name(),
                            scene.stat(entry.name()).ino(),
                            entry.ino());
                }
            }
            scene.expect(
                    "numbers differ", scene.stat("x").ino() != scene.stat("y").ino());
        });
        rules.add("stat(2)", "the number of " + type + " stays through rename, chmod and chown", scene -> {
            scene.make(type, "x");
            long ino = scene.stat("x").ino();
            scene.root().rename("x", "y").ok();
            scene.equal("number", ino, scene.stat("y").ino());
            scene.root().lchown("y", 5, 5).ok();
            scene.equal("number", ino, scene.stat("y").ino());
        });
        rules.add("stat(2)", "all files here are of one device, " + type + " too", scene -> {
            scene.make(type, "x");
            Stat stat = scene.stat("x");
            Stat here = scene.stat(".");
            scene.root().lstat("x").ok();
            scene.equal("device", scene.root().buffer().get(JAVA_LONG, 0), deviceOf(scene, "."));
            scene.expect("numbers differ", stat.ino() != here.ino());
        });
    }

    private static long deviceOf(Scene scene, String path) {
        scene.root().lstat(path).ok();
        return scene.root().buffer().get(JAVA_LONG, 0);
    }

    private static void births(Rules rules, FileType type) {
        rules.add("statx(2)", "the time of birth of " + type + " lies within its making, and never changes", scene -> {
            scene.make(REGULAR, "before");
            scene.times("before");
            scene.make(type, "x");
            Stat born = statx(scene.root(), "x", 0, STATX_BASIC_STATS | STATX_BTIME);
            scene.needs("no times of birth", () -> (born.mask() & STATX_BTIME) != 0);
            scene.expect(
                    "born after what was made before",
                    born.btime() >= scene.stat("before").mtime());
            scene.expect("born when it was made", born.btime() <= born.ctime());
            scene.times("x");
            scene.root().lchown("x", 5, 5).ok();
            scene.root().rename("x", "y").ok();
            scene.root()
                    .utimens("y", Caller.times(1, 2, 3, 4), AT_SYMLINK_NOFOLLOW)
                    .ok();
            scene.equal(
                    "time of birth",
                    born.btime(),
                    statx(scene.root(), "y", 0, STATX_BTIME).btime());
        });
    }

    private static void arguments(Rules rules) {
        rules.add("statx(2)", "EINVAL for the reserved bit of the mask", scene -> {
            scene.make(REGULAR, "f");
            scene.root().statx(AT_FDCWD, "f", 0, STATX_RESERVED).fails(EINVAL);
        });
        rules.add("statx(2)", "EINVAL for both ways of synchronizing", scene -> {
            scene.make(REGULAR, "f");
            int both = AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC;
            scene.root().statx(AT_FDCWD, "f", both, STATX_BASIC_STATS).fails(EINVAL);
        });
        rules.add("statx(2)", "EINVAL for an unknown flag", scene -> {
            scene.make(REGULAR, "f");
            scene.root().statx(AT_FDCWD, "f", 1 << 28, STATX_BASIC_STATS).fails(EINVAL);
        });
        rules.add("statx(2)", "EFAULT where the answer has no address", scene -> {
            scene.make(REGULAR, "f");
            scene.root()
                    .call(Syscall.STATX, AT_FDCWD, "f", 0, STATX_BASIC_STATS, 1)
                    .fails(EFAULT);
        });
        rules.add("statx(2)", "AT_EMPTY_PATH of a directory's descriptor, and of O_PATH of a symbolic link", scene -> {
            scene.make(SYMLINK, "s");
            Caller root = scene.root();
            scene.equal(
                    "type",
                    DIRECTORY.bits(),
                    scene.stat(root.open(".", O_RDONLY).okInt()).typeBits());
            scene.equal(
                    "type",
                    SYMLINK.bits(),
                    scene.stat(root.open("s", O_PATH | O_NOFOLLOW).okInt()).typeBits());
        });
    }

    private static void sizes(Rules rules) {
        for (int length : List.of(1, 10, 59, 60, 61, 255, 1000, 4095)) {
            rules.add("stat(2)", "the size of a symbolic link of " + length + " bytes is its target's", scene -> {
                scene.root().symlink("t".repeat(length), "s").ok();
                scene.equal("size", (long) length, scene.stat("s").size());
                scene.root().readlink("s", 5000).is(length);
            });
        }
        for (int size : List.of(0, 1, 511, 512, 513, 4096, 100_000)) {
            rules.add("stat(2)", "size and blocks of a file of " + size, scene -> {
                scene.file("f", Bytes.of(1, size));
                scene.root().fsync(scene.root().open("f", O_RDONLY).okInt()).ok();
                scene.equal("size", (long) size, scene.stat("f").size());
                scene.expect(
                        "blocks hold what is there",
                        size < 4096 || scene.stat("f").blocks() * 512 >= size);
                scene.expect("blocks are not many more", scene.stat("f").blocks() * 512 <= size + 65_536);
            });
        }
        rules.add("stat(2)", "a size that another process makes shows at once", scene -> {
            scene.file("f", "");
            Caller peer = scene.peer().root();
            int fd = peer.open("f", O_WRONLY).okInt();
            for (int i = 1; i < 10; i++) {
                peer.write(fd, Bytes.of(1, 777)).is(777);
                scene.equal("size", 777L * i, scene.stat("f").size());
            }
        });
    }

    private static void devices(Rules rules, long[] device) {
        for (FileType type : List.of(CHARACTER, BLOCK)) {
            rules.add("stat(2)", type + " keeps device number " + device[0] + ":" + device[1], scene -> {
                scene.root()
                        .mknod("x", type.bits() | 0600, Scene.device((int) device[0], (int) device[1]))
                        .ok();
                scene.root().statx(AT_FDCWD, "x", 0, STATX_BASIC_STATS).ok();
                scene.equal(
                        "major number",
                        (int) device[0],
                        scene.root().answeredStat().deviceMajor());
                scene.equal(
                        "minor number",
                        (int) device[1],
                        scene.root().answeredStat().deviceMinor());
            });
        }
    }

    private static void fileSystem(Rules rules, FileType type) {
        if (type == SYMLINK) {
            return;
        }
        rules.add(
                "statfs(2)", "of " + type + " says how large the file system is, and how long names may be", scene -> {
                    scene.make(type, "x");
                    Caller root = scene.root();
                    root.buffer().asSlice(0, STATFS_BYTES).fill((byte) 0);
                    root.call(Syscall.STATFS, "x", root.buffer()).is(0);
                    long blockSize = root.buffer().get(JAVA_LONG, 8);
                    long blocks = root.buffer().get(JAVA_LONG, 16);
                    long free = root.buffer().get(JAVA_LONG, 24);
                    long available = root.buffer().get(JAVA_LONG, 32);
                    long files = root.buffer().get(JAVA_LONG, 40);
                    long freeFiles = root.buffer().get(JAVA_LONG, 48);
                    scene.expect("a power of two is the block size: " + blockSize, Long.bitCount(blockSize) == 1);
                    scene.expect(
                            "available " + available + " <= free " + free + " <= all " + blocks,
                            available >= 0 && available <= free && free <= blocks);
                    scene.expect("free files " + freeFiles + " <= all " + files, freeFiles >= 0 && freeFiles <= files);
                    scene.equal("longest name", (long) NAME_MAX, root.buffer().get(JAVA_LONG, 64));
                });
    }
}
