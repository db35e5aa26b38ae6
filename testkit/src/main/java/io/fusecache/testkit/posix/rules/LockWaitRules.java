package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EAGAIN;
import static io.fusecache.testkit.posix.scene.Errno.EDEADLK;
import static io.fusecache.testkit.posix.scene.Errno.EINTR;
import static io.fusecache.testkit.posix.scene.Flags.F_RDLCK;
import static io.fusecache.testkit.posix.scene.Flags.F_SETLKW;
import static io.fusecache.testkit.posix.scene.Flags.F_UNLCK;
import static io.fusecache.testkit.posix.scene.Flags.F_WRLCK;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;

import io.fusecache.testkit.posix.rules.RecordLockRules.Owner;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Peer;
import io.fusecache.testkit.posix.scene.Rules;
import java.util.ArrayList;
import java.util.List;

/** fcntl_locking(2): who waits for a lock, how waits end, and deadlocks. */
final class LockWaitRules {
    private static final String PAGE = "fcntl_locking(2)";

    private LockWaitRules() {}

    static void add(Rules rules) {
        for (Owner owner : Owner.values()) {
            for (int wanted : List.of(F_RDLCK, F_WRLCK)) {
                releases(rules, owner, wanted);
                interrupted(rules, owner, wanted);
            }
            several(rules, owner);
        }
        deadlocks(rules);
    }

    @FunctionalInterface
    private interface Release {
        void by(Peer peer, int fd);
    }

    private static void releases(Rules rules, Owner owner, int wanted) {
        ended(rules, owner, wanted, "unlocks all", (peer, fd) -> set(peer.root(), owner, fd, F_UNLCK, 0, 0));
        ended(
                rules,
                owner,
                wanted,
                "unlocks the part in question",
                (peer, fd) -> set(peer.root(), owner, fd, F_UNLCK, 10, 10));
        ended(
                rules,
                owner,
                wanted,
                "closes the file",
                (peer, fd) -> peer.root().close(fd).ok());
        ended(rules, owner, wanted, "ends", (peer, _) -> peer.exit());
        if (wanted == F_RDLCK) {
            ended(rules, owner, wanted, "lowers its lock", (peer, fd) -> set(peer.root(), owner, fd, F_RDLCK, 0, 100));
        }
        if (owner == Owner.PROCESS) {
            ended(
                    rules,
                    owner,
                    wanted,
                    "closes another descriptor of the file",
                    (peer, _) -> peer.root()
                            .close(peer.root().open("f", O_RDONLY).okInt())
                            .ok());
        }
    }

    private static void set(Caller caller, Owner owner, int fd, int type, long start, long length) {
        caller.lock(fd, owner.set, type, SEEK_SET, start, length).is(0);
    }

    private static Peer.Pending waiting(Peer peer, Owner owner, int fd, int type, long start, long length) {
        return peer.begin(caller -> caller.lock(fd, owner.setWaiting, type, SEEK_SET, start, length))
                .waits();
    }

    private static String name(int type) {
        return type == F_RDLCK ? "F_RDLCK" : "F_WRLCK";
    }

    private static void ended(Rules rules, Owner owner, int wanted, String text, Release release) {
        rules.add(PAGE, "the wait for " + name(wanted) + " ends when the holder " + text + ", of " + owner, scene -> {
            Peer holder = scene.peer();
            int held = RecordLockRules.open(scene, holder.root());
            set(holder.root(), owner, held, F_WRLCK, 0, 100);
            Peer waiter = scene.peer();
            int fd = RecordLockRules.open(scene, waiter.root());
            Peer.Pending waiting = waiting(waiter, owner, fd, wanted, 10, 10);
            release.by(holder, held);
            waiting.outcome().is(0);
            Caller root = scene.root();
            root.lock(RecordLockRules.open(scene, root), owner.set, F_WRLCK, SEEK_SET, 15, 1)
                    .fails(EAGAIN, EACCES);
        });
    }

    private static void interrupted(Rules rules, Owner owner, int wanted) {
        rules.add(PAGE, "EINTR ends the wait for " + name(wanted) + ", of " + owner, scene -> {
            Caller root = scene.root();
            int held = RecordLockRules.open(scene, root);
            set(root, owner, held, F_WRLCK, 0, 100);
            Peer waiter = scene.peer();
            int fd = RecordLockRules.open(scene, waiter.root());
            waiting(waiter, owner, fd, wanted, 10, 10).interrupt().outcome().fails(EINTR);
            set(root, owner, held, F_UNLCK, 0, 0);
            // It is there for others: who gave up has nothing, and waits no more.
            Caller other = scene.peer().root();
            set(other, owner, RecordLockRules.open(scene, other), F_WRLCK, 0, 0);
        });
    }

    private static void several(Rules rules, Owner owner) {
        rules.add(PAGE, "several readers get the lock when the writer goes, of " + owner, scene -> {
            Caller root = scene.root();
            int held = RecordLockRules.open(scene, root);
            set(root, owner, held, F_WRLCK, 0, 100);
            List<Peer.Pending> readers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Peer peer = scene.peer();
                readers.add(waiting(peer, owner, RecordLockRules.open(scene, peer.root()), F_RDLCK, 0, 100));
            }
            set(root, owner, held, F_UNLCK, 0, 0);
            readers.forEach(reader -> reader.outcome().is(0));
        });
        rules.add(PAGE, "who waits for one part does not wait for another, of " + owner, scene -> {
            Caller root = scene.root();
            int held = RecordLockRules.open(scene, root);
            set(root, owner, held, F_WRLCK, 0, 20);
            Peer one = scene.peer();
            Peer other = scene.peer();
            Peer.Pending first = waiting(one, owner, RecordLockRules.open(scene, one.root()), F_WRLCK, 0, 10);
            Peer.Pending second = waiting(other, owner, RecordLockRules.open(scene, other.root()), F_WRLCK, 10, 10);
            set(root, owner, held, F_UNLCK, 10, 10);
            second.outcome().is(0);
            first.stillWaits();
            set(root, owner, held, F_UNLCK, 0, 10);
            first.outcome().is(0);
        });
        rules.add(PAGE, "writers get the lock one after the other, of " + owner, scene -> {
            Caller root = scene.root();
            int held = RecordLockRules.open(scene, root);
            set(root, owner, held, F_WRLCK, 0, 1);
            Peer one = scene.peer();
            Peer other = scene.peer();
            int ones = RecordLockRules.open(scene, one.root());
            Peer.Pending first = waiting(one, owner, ones, F_WRLCK, 0, 1);
            Peer.Pending second = waiting(other, owner, RecordLockRules.open(scene, other.root()), F_WRLCK, 0, 1);
            set(root, owner, held, F_UNLCK, 0, 1);
            first.outcome().is(0);
            second.stillWaits();
            set(one.root(), owner, ones, F_UNLCK, 0, 1);
            second.outcome().is(0);
        });
        rules.add(PAGE, "a wait that is not needed is none, of " + owner, scene -> {
            Caller root = scene.root();
            root.lock(RecordLockRules.open(scene, root), owner.setWaiting, F_WRLCK, SEEK_SET, 0, 0)
                    .is(0);
        });
    }

    /** Where these rules are broken, who should be refused waits: it is begun like a wait, so that the check ends. */
    private static void deadlocks(Rules rules) {
        rules.add(PAGE, "EDEADLK where two processes would wait for each other", scene -> {
            Peer one = scene.peer();
            Peer other = scene.peer();
            int ones = RecordLockRules.open(scene, one.root());
            int others = RecordLockRules.open(scene, other.root());
            set(one.root(), Owner.PROCESS, ones, F_WRLCK, 0, 1);
            set(other.root(), Owner.PROCESS, others, F_WRLCK, 1, 1);
            Peer.Pending waiting = waiting(one, Owner.PROCESS, ones, F_WRLCK, 1, 1);
            other.begin(caller -> caller.lock(others, F_SETLKW, F_WRLCK, SEEK_SET, 0, 1))
                    .outcome()
                    .fails(EDEADLK);
            waiting.stillWaits();
            set(other.root(), Owner.PROCESS, others, F_UNLCK, 0, 0);
            waiting.outcome().is(0);
        });
        rules.add(PAGE, "EDEADLK where three processes would wait in a circle", scene -> {
            List<Peer> peers = List.of(scene.peer(), scene.peer(), scene.peer());
            int[] fds = new int[3];
            for (int i = 0; i < 3; i++) {
                fds[i] = RecordLockRules.open(scene, peers.get(i).root());
                set(peers.get(i).root(), Owner.PROCESS, fds[i], F_WRLCK, i, 1);
            }
            Peer.Pending first = waiting(peers.get(0), Owner.PROCESS, fds[0], F_WRLCK, 1, 1);
            Peer.Pending second = waiting(peers.get(1), Owner.PROCESS, fds[1], F_WRLCK, 2, 1);
            peers.get(2)
                    .begin(caller -> caller.lock(fds[2], F_SETLKW, F_WRLCK, SEEK_SET, 0, 1))
                    .outcome()
                    .fails(EDEADLK);
            peers.get(2).exit();
            second.outcome().is(0);
            first.stillWaits();
            peers.get(1).exit();
            first.outcome().is(0);
        });
        rules.add(PAGE, "EDEADLK where two readers would both raise their lock", scene -> {
            Peer one = scene.peer();
            Peer other = scene.peer();
            int ones = RecordLockRules.open(scene, one.root());
            int others = RecordLockRules.open(scene, other.root());
            set(one.root(), Owner.PROCESS, ones, F_RDLCK, 0, 1);
            set(other.root(), Owner.PROCESS, others, F_RDLCK, 0, 1);
            Peer.Pending waiting = waiting(one, Owner.PROCESS, ones, F_WRLCK, 0, 1);
            other.begin(caller -> caller.lock(others, F_SETLKW, F_WRLCK, SEEK_SET, 0, 1))
                    .outcome()
                    .fails(EDEADLK);
            set(other.root(), Owner.PROCESS, others, F_UNLCK, 0, 0);
            waiting.outcome().is(0);
        });
    }
}
