package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EAGAIN;
import static io.fusecache.testkit.posix.scene.Errno.EINTR;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.F_GETLK;
import static io.fusecache.testkit.posix.scene.Flags.F_SETLK;
import static io.fusecache.testkit.posix.scene.Flags.F_UNLCK;
import static io.fusecache.testkit.posix.scene.Flags.F_WRLCK;
import static io.fusecache.testkit.posix.scene.Flags.LOCK_EX;
import static io.fusecache.testkit.posix.scene.Flags.LOCK_NB;
import static io.fusecache.testkit.posix.scene.Flags.LOCK_SH;
import static io.fusecache.testkit.posix.scene.Flags.LOCK_UN;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Peer;
import io.fusecache.testkit.posix.scene.Rules;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** flock(2): whole files, by open file descriptions. */
final class FlockRules {
    private static final Map<Integer, String> KINDS = new TreeMap<>(Map.of(LOCK_SH, "LOCK_SH", LOCK_EX, "LOCK_EX"));

    private FlockRules() {}

    static void add(Rules rules) {
        for (int held : KINDS.keySet()) {
            for (int wanted : KINDS.keySet()) {
                pair(rules, held, wanted);
            }
            releases(rules, held);
            for (int mode : List.of(O_RDONLY, O_WRONLY, O_RDWR)) {
                rules.add("flock(2)", KINDS.get(held) + " whatever the access mode: " + mode, scene -> {
                    scene.file("f", "content");
                    scene.root()
                            .flock(scene.root().open("f", mode).okInt(), held)
                            .is(0);
                });
            }
            for (Actor actor : Actor.values()) {
                rules.add("flock(2)", KINDS.get(held) + " of " + actor + " binds root", scene -> {
                    scene.file("f", "content");
                    scene.as(actor)
                            .flock(scene.as(actor).open("f", O_RDONLY).okInt(), held)
                            .is(0);
                    int other = scene.root().open("f", O_RDONLY).okInt();
                    scene.root().flock(other, LOCK_EX | LOCK_NB).fails(EAGAIN);
                });
            }
        }
        waits(rules);
        invalid(rules);
        types(rules);
        rules.add("flock(2)", "locks of fcntl() and of flock() do not meet", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            root.flock(root.open("f", O_RDWR).okInt(), LOCK_EX).is(0);
            Caller peer = scene.peer().root();
            int fd = peer.open("f", O_RDWR).okInt();
            peer.lock(fd, F_SETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
            peer.lock(fd, F_GETLK, F_WRLCK, SEEK_SET, 0, 0).is(0);
            scene.equal("type", F_UNLCK, peer.answeredLock().type());
        });
        rules.add("flock(2)", "a lock keeps nobody from reading, writing and removing", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            root.flock(root.open("f", O_RDWR).okInt(), LOCK_EX).is(0);
            Caller peer = scene.peer().root();
            int fd = peer.open("f", O_RDWR).okInt();
            peer.pwrite(fd, "C", 0).is(1);
            peer.pread(fd, 10, 0).is(7);
            peer.truncate("f", 3).ok();
            peer.unlink("f").ok();
        });
    }

    private static void pair(Rules rules, int held, int wanted) {
        String kinds = KINDS.get(wanted) + " where there is " + KINDS.get(held);
        boolean together = held == LOCK_SH && wanted == LOCK_SH;
        rules.add("flock(2)", kinds + " of another open of this process", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            root.flock(root.open("f", O_RDONLY).okInt(), held).is(0);
            root.flock(root.open("f", O_RDONLY).okInt(), wanted | LOCK_NB).is(together, EAGAIN);
        });
        rules.add("flock(2)", kinds + " of another process", scene -> {
            scene.file("f", "content");
            Caller peer = scene.peer().root();
            peer.flock(peer.open("f", O_RDONLY).okInt(), held).is(0);
            scene.root()
                    .flock(scene.root().open("f", O_RDONLY).okInt(), wanted | LOCK_NB)
                    .is(together, EAGAIN);
        });
        rules.add("flock(2)", kinds + " by another name of the file", scene -> {
            scene.file("f", "content").root().link("f", "g").ok();
            Caller root = scene.root();
            root.flock(root.open("f", O_RDONLY).okInt(), held).is(0);
            root.flock(root.open("g", O_RDONLY).okInt(), wanted | LOCK_NB).is(together, EAGAIN);
        });
        rules.add("flock(2)", kinds + " of this open, which is converted", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            root.flock(fd, held).is(0);
            root.flock(fd, wanted | LOCK_NB).is(0);
            int other = root.open("f", O_RDONLY).okInt();
            root.flock(other, LOCK_SH | LOCK_NB).is(wanted == LOCK_SH, EAGAIN);
            root.flock(other, LOCK_UN).is(0);
            root.flock(fd, LOCK_UN).is(0);
            root.flock(other, LOCK_EX | LOCK_NB).is(0);
        });
        rules.add("flock(2)", kinds + " of this open, asked by its dup()", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            root.flock(fd, held).is(0);
            root.flock(root.dup(fd).okInt(), wanted | LOCK_NB).is(0);
        });
        if (held == LOCK_EX) {
            return;
        }
        rules.add("flock(2)", kinds + " of two, and this one's own", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            root.flock(fd, LOCK_SH).is(0);
            Caller peer = scene.peer().root();
            peer.flock(peer.open("f", O_RDONLY).okInt(), LOCK_SH).is(0);
            root.flock(fd, wanted | LOCK_NB).is(together, EAGAIN);
        });
    }

    private static void releases(Rules rules, int held) {
        release(
                rules,
                held,
                "LOCK_UN",
                (_, caller, fd) -> caller.flock(fd, LOCK_UN).is(0));
        release(
                rules,
                held,
                "LOCK_UN by a dup()",
                (_, caller, fd) -> caller.flock(caller.dup(fd).okInt(), LOCK_UN).is(0));
        release(rules, held, "the last close", (_, caller, fd) -> {
            int same = caller.dup(fd).okInt();
            caller.close(fd).ok();
            caller.close(same).ok();
        });
        release(rules, held, "the end of its process", (peer, _, _) -> peer.exit());
        rules.add("flock(2)", KINDS.get(held) + " survives the close of a dup(), and of another open", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            root.flock(fd, held).is(0);
            root.close(root.dup(fd).okInt()).ok();
            root.close(root.open("f", O_RDWR).okInt()).ok();
            root.flock(root.open("f", O_RDONLY).okInt(), LOCK_EX | LOCK_NB).fails(EAGAIN);
        });
        rules.add("flock(2)", KINDS.get(held) + " stays when the file is renamed and removed", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            root.flock(root.open("f", O_RDONLY).okInt(), held).is(0);
            int other = root.open("f", O_RDONLY).okInt();
            root.rename("f", "g").ok();
            root.flock(other, LOCK_EX | LOCK_NB).fails(EAGAIN);
            root.unlink("g").ok();
            root.flock(other, LOCK_EX | LOCK_NB).fails(EAGAIN);
            scene.file("f", "a new one");
            root.flock(root.open("f", O_RDONLY).okInt(), LOCK_EX | LOCK_NB).is(0);
        });
    }

    @FunctionalInterface
    private interface Release {
        void by(Peer peer, Caller caller, int fd);
    }

    /** Another process finds it free in time; the close of a file that is not this machine's alone may take a moment. */
    private static void release(Rules rules, int held, String text, Release release) {
        rules.add("flock(2)", KINDS.get(held) + " is given back by " + text, scene -> {
            scene.file("f", "content");
            Peer holder = scene.peer();
            int fd = holder.root().open("f", O_RDONLY).okInt();
            holder.root().flock(fd, held).is(0);
            Peer waiter = scene.peer();
            int other = waiter.root().open("f", O_RDONLY).okInt();
            waiter.root().flock(other, LOCK_EX | LOCK_NB).fails(EAGAIN);
            Peer.Pending waiting =
                    waiter.begin(caller -> caller.flock(other, LOCK_EX)).waits();
            release.by(holder, holder.root(), fd);
            waiting.outcome().is(0);
        });
    }

    private static void waits(Rules rules) {
        for (int held : KINDS.keySet()) {
            for (int wanted : KINDS.keySet()) {
                if (held == LOCK_EX || wanted == LOCK_EX) {
                    waiting(rules, held, wanted);
                }
            }
        }
        rules.add("flock(2)", "several waiting readers all get the lock when the writer goes", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            root.flock(fd, LOCK_EX).is(0);
            List<Peer.Pending> readers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Peer peer = scene.peer();
                int own = peer.root().open("f", O_RDONLY).okInt();
                readers.add(peer.begin(caller -> caller.flock(own, LOCK_SH)).waits());
            }
            root.flock(fd, LOCK_UN).is(0);
            readers.forEach(reader -> reader.outcome().is(0));
        });
        rules.add("flock(2)", "waiting writers get the lock one after the other", scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            root.flock(fd, LOCK_EX).is(0);
            Peer one = scene.peer();
            Peer other = scene.peer();
            int ones = one.root().open("f", O_RDONLY).okInt();
            int others = other.root().open("f", O_RDONLY).okInt();
            Peer.Pending first =
                    one.begin(caller -> caller.flock(ones, LOCK_EX)).waits();
            Peer.Pending second =
                    other.begin(caller -> caller.flock(others, LOCK_EX)).waits();
            root.flock(fd, LOCK_UN).is(0);
            first.outcome().is(0);
            second.stillWaits();
            one.root().flock(ones, LOCK_UN).is(0);
            second.outcome().is(0);
        });
    }

    private static void waiting(Rules rules, int held, int wanted) {
        String kinds = KINDS.get(wanted) + " where there is " + KINDS.get(held);
        rules.add("flock(2)", "EINTR ends the wait for " + kinds, scene -> {
            scene.file("f", "content");
            Caller root = scene.root();
            int fd = root.open("f", O_RDONLY).okInt();
            root.flock(fd, held).is(0);
            Peer peer = scene.peer();
            int own = peer.root().open("f", O_RDONLY).okInt();
            peer.begin(caller -> caller.flock(own, wanted))
                    .waits()
                    .interrupt()
                    .outcome()
                    .fails(EINTR);
            root.flock(fd, LOCK_UN).is(0);
            // Who gave up is not in the way of others.
            root.flock(fd, LOCK_EX | LOCK_NB).is(0);
        });
    }

    private static void invalid(Rules rules) {
        for (int operation : List.of(0, LOCK_NB, LOCK_SH | LOCK_EX, 3 | LOCK_NB, LOCK_EX | LOCK_UN)) {
            rules.add("flock(2)", "EINVAL for operation " + operation, scene -> {
                scene.file("f", "content");
                scene.root()
                        .flock(scene.root().open("f", O_RDONLY).okInt(), operation)
                        .fails(EINVAL);
            });
        }
        rules.add("flock(2)", "LOCK_UN of what is not locked does nothing", scene -> {
            scene.file("f", "content");
            scene.root()
                    .flock(scene.root().open("f", O_RDONLY).okInt(), LOCK_UN)
                    .is(0);
        });
    }

    private static void types(Rules rules) {
        for (FileType type : List.of(REGULAR, DIRECTORY, FIFO)) {
            rules.add("flock(2)", "excludes others on " + type, scene -> {
                scene.make(type, "x", 0777);
                int flags = type == FIFO ? O_RDWR : O_RDONLY;
                scene.root()
                        .flock(scene.root().open("x", flags).okInt(), LOCK_EX)
                        .is(0);
                Caller peer = scene.peer().root();
                peer.flock(peer.open("x", flags).okInt(), LOCK_SH | LOCK_NB).fails(EAGAIN);
            });
        }
    }
}
