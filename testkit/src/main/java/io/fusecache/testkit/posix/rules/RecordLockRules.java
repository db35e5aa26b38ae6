package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EAGAIN;
import static io.fusecache.testkit.posix.scene.Errno.EFAULT;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EOVERFLOW;
import static io.fusecache.testkit.posix.scene.Flags.F_GETLK;
import static io.fusecache.testkit.posix.scene.Flags.F_OFD_GETLK;
import static io.fusecache.testkit.posix.scene.Flags.F_OFD_SETLK;
import static io.fusecache.testkit.posix.scene.Flags.F_OFD_SETLKW;
import static io.fusecache.testkit.posix.scene.Flags.F_RDLCK;
import static io.fusecache.testkit.posix.scene.Flags.F_SETLK;
import static io.fusecache.testkit.posix.scene.Flags.F_SETLKW;
import static io.fusecache.testkit.posix.scene.Flags.F_UNLCK;
import static io.fusecache.testkit.posix.scene.Flags.F_WRLCK;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_CUR;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_END;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.LockRange;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** fcntl_locking(2): locks of ranges, of processes and of open file descriptions, as far as nobody waits. */
final class RecordLockRules {
    private static final String PAGE = "fcntl_locking(2)";

    /** Whose the lock is, by the commands that deal with it. */
    enum Owner {
        PROCESS("a process", F_SETLK, F_SETLKW, F_GETLK),
        DESCRIPTION("an open file description", F_OFD_SETLK, F_OFD_SETLKW, F_OFD_GETLK);

        final String phrase;
        final int set;
        final int setWaiting;
        final int query;

        Owner(String phrase, int set, int setWaiting, int query) {
            this.phrase = phrase;
            this.set = set;
            this.setWaiting = setWaiting;
            this.query = query;
        }

        @Override
        public String toString() {
            return phrase;
        }
    }

    private static final Map<Integer, String> TYPES = new TreeMap<>(Map.of(F_RDLCK, "F_RDLCK", F_WRLCK, "F_WRLCK"));

    /** The bytes that are locked in tables of ranges, and those that are asked for there. */
    private static final long[] HELD = {100, 50};

    private static final Map<String, long[]> ASKED = Map.of(
            "that end before it", new long[] {50, 50},
            "that reach into it", new long[] {50, 51},
            "inside it", new long[] {110, 10},
            "that are the same", new long[] {100, 50},
            "that include it", new long[] {0, 1000},
            "its last one", new long[] {149, 1},
            "that leave it", new long[] {140, 50},
            "that begin after it", new long[] {150, 50},
            "to the end of all files, from its last on", new long[] {149, 0},
            "to the end of all files, after it", new long[] {150, 0});

    private static final int SIZE = 1000;

    private RecordLockRules() {}

    static void add(Rules rules) {
        for (Owner holder : Owner.values()) {
            for (Owner asker : Owner.values()) {
                for (int held : TYPES.keySet()) {
                    for (int wanted : TYPES.keySet()) {
                        new TreeMap<>(ASKED)
                                .forEach((text, range) -> conflict(rules, holder, asker, held, wanted, text, range));
                    }
                }
            }
            arguments(rules, holder);
            whence(rules, holder);
            pieces(rules, holder);
            conversions(rules, holder);
        }
        closes(rules);
        owners(rules);
    }

    static int open(Scene scene, Caller caller) {
        if (!scene.exists("f")) {
            scene.file("f", "x".repeat(SIZE)).root().chmod("f", 0666).ok();
        }
        return caller.open("f", O_RDWR).okInt();
    }

    private static void conflict(
            Rules rules, Owner holder, Owner asker, int held, int wanted, String text, long[] range) {
        boolean overlap = range[0] < HELD[0] + HELD[1] && (range[1] == 0 || range[0] + range[1] > HELD[0]);
        boolean granted = !overlap || (held == F_RDLCK && wanted == F_RDLCK);
        String name = TYPES.get(wanted) + " for " + asker + " on bytes " + text + ", where another of " + holder
                + " has " + TYPES.get(held);
        rules.add(PAGE, name, scene -> {
            Caller other = scene.peer().root();
            other.lock(open(scene, other), holder.set, held, SEEK_SET, HELD[0], HELD[1])
                    .is(0);
            Caller root = scene.root();
            int fd = open(scene, root);
            root.lock(fd, asker.query, wanted, SEEK_SET, range[0], range[1]).is(0);
            LockRange answer = root.answeredLock();
            if (granted) {
                scene.equal("type in the answer", F_UNLCK, answer.type());
                scene.equal("start in the answer", range[0], answer.start());
                root.lock(fd, asker.set, wanted, SEEK_SET, range[0], range[1]).is(0);
            } else {
                scene.equal("type in the answer", held, answer.type());
                scene.equal("whence in the answer", SEEK_SET, answer.whence());
                scene.equal("start in the answer", HELD[0], answer.start());
                scene.equal("length in the answer", HELD[1], answer.length());
                root.lock(fd, asker.set, wanted, SEEK_SET, range[0], range[1]).fails(EAGAIN, EACCES);
            }
        });
    }

    private static void arguments(Rules rules, Owner owner) {
        for (int type : List.of(-1, 3, 4, 100)) {
            rules.add(PAGE, "EINVAL for type " + type + " of " + owner, scene -> {
                int fd = open(scene, scene.root());
                scene.root().lock(fd, owner.set, type, SEEK_SET, 0, 1).fails(EINVAL);
            });
        }
        // Linux lets an open file description ask for the locks of everybody with it.
        if (owner == Owner.PROCESS) {
            rules.add(PAGE, "EINVAL for F_UNLCK in a question of " + owner, scene -> {
                int fd = open(scene, scene.root());
                scene.root().lock(fd, owner.query, F_UNLCK, SEEK_SET, 0, 1).fails(EINVAL);
            });
        }
        for (int whence : List.of(-1, 3, 100)) {
            rules.add(PAGE, "EINVAL for whence " + whence + " of " + owner, scene -> {
                int fd = open(scene, scene.root());
                scene.root().lock(fd, owner.set, F_WRLCK, whence, 0, 1).fails(EINVAL);
            });
        }
        rules.add(PAGE, "EINVAL where the range begins before the file, of " + owner, scene -> {
            int fd = open(scene, scene.root());
            scene.root().lock(fd, owner.set, F_WRLCK, SEEK_SET, -1, 10).fails(EINVAL);
            scene.root().lock(fd, owner.set, F_WRLCK, SEEK_SET, 5, -6).fails(EINVAL);
            scene.root().lock(fd, owner.query, F_WRLCK, SEEK_SET, -1, 10).fails(EINVAL);
        });
        rules.add(PAGE, "EOVERFLOW where the range ends beyond all offsets, of " + owner, scene -> {
            int fd = open(scene, scene.root());
            scene.root()
                    .lock(fd, owner.set, F_WRLCK, SEEK_SET, Long.MAX_VALUE, 2)
                    .fails(EOVERFLOW);
            scene.root()
                    .lock(fd, owner.set, F_WRLCK, SEEK_END, Long.MAX_VALUE, 1)
                    .fails(EOVERFLOW);
        });
        rules.add(PAGE, "the last byte of all can be locked, of " + owner, scene -> {
            int fd = open(scene, scene.root());
            scene.root()
                    .lock(fd, owner.set, F_WRLCK, SEEK_SET, Long.MAX_VALUE, 1)
                    .is(0);
            scene.root()
                    .lock(fd, owner.set, F_WRLCK, SEEK_SET, Long.MAX_VALUE - 10, 0)
                    .is(0);
        });
        rules.add(PAGE, "EFAULT where the lock is no address, of " + owner, scene -> {
            int fd = open(scene, scene.root());
            for (int command : List.of(owner.set, owner.setWaiting, owner.query)) {
                scene.root().call(Syscall.FCNTL, fd, command, 1).fails(EFAULT);
            }
        });
        rules.add(PAGE, "unlocking what is not locked does nothing, of " + owner, scene -> {
            int fd = open(scene, scene.root());
            scene.root().lock(fd, owner.set, F_UNLCK, SEEK_SET, 10, 0).is(0);
        });
        for (Actor actor : Actor.values()) {
            rules.add(PAGE, "who has the file open may lock it, of " + owner + ", as " + actor, scene -> {
                Caller caller = scene.as(actor);
                int fd = open(scene, caller);
                caller.lock(fd, owner.set, F_WRLCK, SEEK_SET, 0, 0).is(0);
                Caller peer = scene.peer().root();
                peer.lock(open(scene, peer), owner.set, F_RDLCK, SEEK_SET, 5, 1).fails(EAGAIN, EACCES);
            });
        }
    }

    private static void whence(Rules rules, Owner owner) {
        // The file offset is 300, the size 1000.
        Map<String, long[]> ranges = Map.of(
                "20 bytes from the file offset", new long[] {SEEK_CUR, 0, 20, 300, 20},
                "20 bytes before the file offset", new long[] {SEEK_CUR, -20, 20, 280, 20},
                "20 bytes from the end", new long[] {SEEK_END, 0, 20, SIZE, 20},
                "the last 20 bytes", new long[] {SEEK_END, -20, 20, SIZE - 20, 20},
                "all from the end on", new long[] {SEEK_END, 0, 0, SIZE, 0},
                "minus 20 bytes at 100", new long[] {SEEK_SET, 100, -20, 80, 20},
                "minus 20 bytes at the file offset", new long[] {SEEK_CUR, 0, -20, 280, 20},
                "minus 20 bytes at the end", new long[] {SEEK_END, 0, -20, SIZE - 20, 20});
        new TreeMap<>(ranges)
                .forEach((text, range) -> rules.add(PAGE, "locks " + text + ", of " + owner, scene -> {
                    Caller root = scene.root();
                    int fd = open(scene, root);
                    root.lseek(fd, 300, SEEK_SET).is(300);
                    root.lock(fd, owner.set, F_WRLCK, (int) range[0], range[1], range[2])
                            .is(0);
                    Caller peer = scene.peer().root();
                    peer.lock(open(scene, peer), owner.query, F_WRLCK, SEEK_SET, 0, 0)
                            .is(0);
                    scene.equal("start", range[3], peer.answeredLock().start());
                    scene.equal("length", range[4], peer.answeredLock().length());
                }));
    }

    /** A step: type, start and length. After all of them the bytes 0 to 39 are looked at one by one. */
    private record Pieces(String text, String result, int[]... steps) {}

    private static final List<Pieces> PIECES = List.of(
            new Pieces(
                    "unlocking the middle leaves two",
                    "wwwwwwwwww..........wwwwwwwwww..........",
                    new int[] {F_WRLCK, 0, 30},
                    new int[] {F_UNLCK, 10, 10}),
            new Pieces(
                    "unlocking the head leaves the tail",
                    "..........wwwwwwwwwwwwwwwwwwww..........",
                    new int[] {F_WRLCK, 0, 30},
                    new int[] {F_UNLCK, 0, 10}),
            new Pieces(
                    "unlocking the tail leaves the head",
                    "wwwwwwwwwwwwwwwwwwww....................",
                    new int[] {F_WRLCK, 0, 30},
                    new int[] {F_UNLCK, 20, 30}),
            new Pieces(
                    "a read lock inside a write lock",
                    "wwwwwwwwwwrrrrrrrrrrwwwwwwwwww..........",
                    new int[] {F_WRLCK, 0, 30},
                    new int[] {F_RDLCK, 10, 10}),
            new Pieces(
                    "a write lock inside a read lock",
                    "rrrrrrrrrrwwwwwwwwwwrrrrrrrrrr..........",
                    new int[] {F_RDLCK, 0, 30},
                    new int[] {F_WRLCK, 10, 10}),
            new Pieces(
                    "neighbours are joined",
                    "wwwwwwwwwwwwwwwwwwww....................",
                    new int[] {F_WRLCK, 0, 10},
                    new int[] {F_WRLCK, 10, 10}),
            new Pieces(
                    "a gap is filled",
                    "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrr..........",
                    new int[] {F_RDLCK, 0, 10},
                    new int[] {F_RDLCK, 20, 10},
                    new int[] {F_RDLCK, 10, 10}),
            new Pieces(
                    "one lock swallows many",
                    "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
                    new int[] {F_RDLCK, 0, 5},
                    new int[] {F_WRLCK, 10, 5},
                    new int[] {F_RDLCK, 20, 5},
                    new int[] {F_WRLCK, 0, 0}),
            new Pieces(
                    "an overlap takes the later type",
                    "rrrrrrrrrrrrrrrwwwwwwwwwwwwwww..........",
                    new int[] {F_RDLCK, 0, 20},
                    new int[] {F_WRLCK, 15, 15}),
            new Pieces(
                    "the end of all files is cut",
                    "wwwwwwwwww..............................",
                    new int[] {F_WRLCK, 0, 0},
                    new int[] {F_UNLCK, 10, 0}),
            new Pieces(
                    "a hole in a lock to the end",
                    "wwwwwwwwww.....wwwwwwwwwwwwwwwwwwwwwwwww",
                    new int[] {F_WRLCK, 0, 0},
                    new int[] {F_UNLCK, 10, 5}),
            new Pieces(
                    "unlocking over several",
                    "rrrrr..........................wwww.....",
                    new int[] {F_RDLCK, 0, 10},
                    new int[] {F_WRLCK, 12, 10},
                    new int[] {F_WRLCK, 25, 10},
                    new int[] {F_UNLCK, 5, 26}),
            new Pieces(
                    "every second byte",
                    "w.w.w.w.w...............................",
                    new int[] {F_WRLCK, 0, 1},
                    new int[] {F_WRLCK, 2, 1},
                    new int[] {F_WRLCK, 4, 1},
                    new int[] {F_WRLCK, 6, 1},
                    new int[] {F_WRLCK, 8, 1}));

    private static void pieces(Rules rules, Owner owner) {
        for (Pieces pieces : PIECES) {
            rules.add(PAGE, pieces.text + ", of " + owner, scene -> {
                Caller root = scene.root();
                int fd = open(scene, root);
                for (int[] step : pieces.steps) {
                    root.lock(fd, owner.set, step[0], SEEK_SET, step[1], step[2])
                            .is(0);
                }
                Caller peer = scene.peer().root();
                int other = open(scene, peer);
                StringBuilder seen = new StringBuilder();
                for (int i = 0; i < pieces.result.length(); i++) {
                    peer.lock(other, owner.query, F_WRLCK, SEEK_SET, i, 1).is(0);
                    int type = peer.answeredLock().type();
                    seen.append(type == F_UNLCK ? '.' : type == F_WRLCK ? 'w' : 'r');
                }
                scene.equal("locks", pieces.result, seen.toString());
            });
        }
    }

    private static void conversions(Rules rules, Owner owner) {
        rules.add(PAGE, "a read lock is raised where nobody else has one, of " + owner, scene -> {
            Caller root = scene.root();
            int fd = open(scene, root);
            Caller peer = scene.peer().root();
            int other = open(scene, peer);
            root.lock(fd, owner.set, F_RDLCK, SEEK_SET, 0, 10).is(0);
            peer.lock(other, owner.set, F_RDLCK, SEEK_SET, 5, 10).is(0);
            root.lock(fd, owner.set, F_WRLCK, SEEK_SET, 0, 10).fails(EAGAIN, EACCES);
            root.lock(fd, owner.set, F_WRLCK, SEEK_SET, 0, 5).is(0);
            peer.lock(other, owner.set, F_UNLCK, SEEK_SET, 0, 0).is(0);
            root.lock(fd, owner.set, F_WRLCK, SEEK_SET, 0, 10).is(0);
            peer.lock(other, owner.set, F_RDLCK, SEEK_SET, 5, 1).fails(EAGAIN, EACCES);
        });
        rules.add(PAGE, "a write lock is lowered, and others may read, of " + owner, scene -> {
            Caller root = scene.root();
            int fd = open(scene, root);
            Caller peer = scene.peer().root();
            int other = open(scene, peer);
            root.lock(fd, owner.set, F_WRLCK, SEEK_SET, 0, 10).is(0);
            peer.lock(other, owner.set, F_RDLCK, SEEK_SET, 0, 10).fails(EAGAIN, EACCES);
            root.lock(fd, owner.set, F_RDLCK, SEEK_SET, 0, 10).is(0);
            peer.lock(other, owner.set, F_RDLCK, SEEK_SET, 0, 10).is(0);
        });
        rules.add(PAGE, "who has locked a range may lock it again, of " + owner, scene -> {
            Caller root = scene.root();
            int fd = open(scene, root);
            for (int type : List.of(F_WRLCK, F_WRLCK, F_RDLCK, F_RDLCK, F_WRLCK)) {
                root.lock(fd, owner.set, type, SEEK_SET, 0, 10).is(0);
            }
            root.lock(fd, owner.query, F_WRLCK, SEEK_SET, 0, 10).is(0);
            scene.equal("type in the answer", F_UNLCK, root.answeredLock().type());
        });
    }

    private static void closes(Rules rules) {
        rules.add(PAGE, "the close of any descriptor gives the locks of its process back", scene -> {
            Caller root = scene.root();
            int fd = open(scene, root);
            root.lock(fd, F_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
            root.close(root.open("f", O_RDONLY).okInt()).ok();
            Caller peer = scene.peer().root();
            peer.lock(open(scene, peer), F_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
        });
        rules.add(PAGE, "the close of a dup() gives the locks of its process back", scene -> {
            Caller root = scene.root();
            int fd = open(scene, root);
            root.lock(fd, F_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
            root.close(root.dup(fd).okInt()).ok();
            Caller peer = scene.peer().root();
            peer.lock(open(scene, peer), F_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
        });
        rules.add(PAGE, "the close of another file leaves the locks of a process", scene -> {
            Caller root = scene.root();
            int fd = open(scene, root);
            scene.file("g", "another");
            root.lock(fd, F_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
            root.close(root.open("g", O_RDONLY).okInt()).ok();
            Caller peer = scene.peer().root();
            peer.close(open(scene, peer)).ok();
            peer.lock(open(scene, peer), F_SETLK, F_WRLCK, SEEK_SET, 0, 0).fails(EAGAIN, EACCES);
        });
        rules.add(PAGE, "the close of others leaves the lock of an open file description", scene -> {
            Caller root = scene.root();
            int fd = open(scene, root);
            root.lock(fd, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
            root.close(root.open("f", O_RDONLY).okInt()).ok();
            root.close(root.dup(fd).okInt()).ok();
            Caller peer = scene.peer().root();
            peer.lock(open(scene, peer), F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 0).fails(EAGAIN, EACCES);
        });
    }

    private static void owners(Rules rules) {
        rules.add(PAGE, "two opens of one process do not exclude each other, of a process", scene -> {
            Caller root = scene.root();
            root.lock(open(scene, root), F_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
            root.lock(open(scene, root), F_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
        });
        rules.add(PAGE, "two opens of one process exclude each other, of an open file description", scene -> {
            Caller root = scene.root();
            root.lock(open(scene, root), F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
            root.lock(open(scene, root), F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 0).fails(EAGAIN, EACCES);
        });
        for (Owner asker : Owner.values()) {
            for (Owner holder : Owner.values()) {
                String whom = holder == Owner.PROCESS ? "the process" : "process -1";
                rules.add(
                        PAGE,
                        "who asks for " + asker + " is told " + whom + " where the lock is " + holder + "'s",
                        scene -> {
                            Caller other = scene.peer().root();
                            other.lock(open(scene, other), holder.set, F_WRLCK, SEEK_SET, 0, 10)
                                    .is(0);
                            Caller root = scene.root();
                            root.lock(open(scene, root), asker.query, F_WRLCK, SEEK_SET, 0, 10)
                                    .is(0);
                            // Another process of the suite is a thread of this one.
                            long pid = holder == Owner.PROCESS
                                    ? ProcessHandle.current().pid()
                                    : -1;
                            scene.equal(
                                    "process in the answer",
                                    (int) pid,
                                    root.answeredLock().pid());
                        });
            }
        }
        rules.add(PAGE, "dup() shares the lock of an open file description", scene -> {
            Caller root = scene.root();
            int fd = open(scene, root);
            root.lock(fd, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
            int same = root.dup(fd).okInt();
            root.lock(same, F_OFD_SETLK, F_RDLCK, SEEK_SET, 0, 0).is(0);
            root.lock(same, F_OFD_SETLK, F_UNLCK, SEEK_SET, 0, 0).is(0);
            root.lock(open(scene, root), F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
        });
        rules.add(PAGE, "EINVAL for a lock of an open file description that names a process", scene -> {
            Caller root = scene.root();
            int fd = open(scene, root);
            byte[] lock = ByteBuffer.allocate(32)
                    .order(ByteOrder.nativeOrder())
                    .putShort(0, (short) F_WRLCK)
                    .putLong(16, 10)
                    .putInt(24, 1)
                    .array();
            root.call(Syscall.FCNTL, fd, F_OFD_SETLK, lock).fails(EINVAL);
            root.call(Syscall.FCNTL, fd, F_OFD_GETLK, lock).fails(EINVAL);
        });
        rules.add(PAGE, "a lock keeps nobody from reading, writing and removing", scene -> {
            Caller root = scene.root();
            root.lock(open(scene, root), F_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
            Caller peer = scene.peer().root();
            int fd = open(scene, peer);
            peer.pwrite(fd, "y", 0).is(1);
            peer.pread(fd, 1, 0).is(1);
            peer.unlink("f").ok();
        });
        rules.add(PAGE, "another name of the file is the same file", scene -> {
            Caller root = scene.root();
            root.lock(open(scene, root), F_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
            root.link("f", "g").ok();
            Caller peer = scene.peer().root();
            peer.lock(peer.open("g", O_RDWR).okInt(), F_SETLK, F_RDLCK, SEEK_SET, 0, 1)
                    .fails(EAGAIN, EACCES);
        });
    }
}
