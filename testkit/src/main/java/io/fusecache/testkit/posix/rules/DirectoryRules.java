package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EFAULT;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.ENOTDIR;
import static io.fusecache.testkit.posix.scene.FileType.CHARACTER;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_CUR;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Entry;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rule;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Violation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntConsumer;

/** getdents64(2), and positions as seekdir(3) and telldir(3) use them: every name once, while names come and go. */
final class DirectoryRules {
    private static final int LARGE = 2000;

    private DirectoryRules() {}

    static void add(Rules rules) {
        for (int count : List.of(0, 1, 2, 3, 50, 300, LARGE)) {
            for (int bytes : List.of(512, 4096, 65_536)) {
                complete(rules, count, bytes);
            }
        }
        for (FileType type : FileType.values()) {
            rules.add("getdents64(2)", "tells the type of " + type + ", or that it does not know", scene -> {
                scene.make(DIRECTORY, "d").make(type, "d/x");
                Entry entry = entry(read(scene, "d", 4096), "x");
                scene.expect("type " + entry.type(), entry.type() == 0 || entry.type() == type.directoryEntryType());
            });
        }
        dots(rules);
        for (int count : List.of(10, 500, LARGE)) {
            seeking(rules, count);
            for (int bytes : List.of(512, 32_768)) {
                changing(rules, count, bytes);
            }
        }
        errors(rules);
        descriptors(rules);
        fresh(rules);
    }

    /** A directory of so many files, whose names are of different lengths; made once for all checks of a thread. */
    private static String shared(Scene scene, int count) {
        return scene.shared("names" + count, directory -> fill(scene, directory, count));
    }

    private static void fill(Scene scene, String directory, int count) {
        for (int i = 0; i < count; i++) {
            scene.root()
                    .mknod(directory + "/" + name(i), REGULAR.bits() | 0644, 0)
                    .ok();
        }
    }

    private static String name(int i) {
        return "n" + i + "x".repeat(i * 7 % 40);
    }

    private static Set<String> names(int count) {
        Set<String> names = new TreeSet<>(List.of(".", ".."));
        for (int i = 0; i < count; i++) {
            names.add(name(i));
        }
        return names;
    }

    private static List<Entry> read(Scene scene, String directory, int bytes) {
        int fd = scene.root().open(directory, O_RDONLY | O_DIRECTORY).okInt();
        return rest(scene.root(), fd, bytes);
    }

    private static List<Entry> rest(Caller root, int fd, int bytes) {
        List<Entry> all = new ArrayList<>();
        long count = root.getdents(fd, bytes).ok();
        while (count > 0) {
            all.addAll(root.answeredEntries(count));
            count = root.getdents(fd, bytes).ok();
        }
        return all;
    }

    private static Entry entry(List<Entry> entries, String name) {
        return entries.stream()
                .filter(entry -> entry.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new Violation("no entry " + name));
    }

    /** Each name once. */
    private static Set<String> once(Scene scene, List<Entry> entries) {
        Set<String> names = new TreeSet<>();
        for (Entry entry : entries) {
            scene.expect(entry.name() + " comes once", names.add(entry.name()));
        }
        return names;
    }

    private static void complete(Rules rules, int count, int bytes) {
        rules.add("getdents64(2)", "gives each of " + count + " names once, in buffers of " + bytes, scene -> {
            List<Entry> entries = read(scene, shared(scene, count), bytes);
            scene.equal("names", names(count), once(scene, entries));
            Set<Long> offsets = new HashSet<>();
            for (Entry entry : entries) {
                scene.expect("offset " + entry.offset() + " comes once", offsets.add(entry.offset()));
                scene.expect("a number", entry.ino() != 0);
            }
        });
    }

    private static void dots(Rules rules) {
        rules.add("getdents64(2)", "gives the directory and its parent as dots", scene -> {
            scene.make(DIRECTORY, "d").make(DIRECTORY, "d/e");
            List<Entry> entries = read(scene, "d/e", 4096);
            scene.equal(
                    "number of .", scene.stat("d/e").ino(), entry(entries, ".").ino());
            scene.equal(
                    "number of ..", scene.stat("d").ino(), entry(entries, "..").ino());
            scene.equal("entries", 2, entries.size());
        });
        rules.add("getdents64(2)", "follows a directory to its new parent", scene -> {
            scene.make(DIRECTORY, "d").make(DIRECTORY, "d/e").make(DIRECTORY, "f");
            scene.root().rename("d/e", "f/e").ok();
            scene.equal(
                    "number of ..",
                    scene.stat("f").ino(),
                    entry(read(scene, "f/e", 4096), "..").ino());
        });
    }

    private static void seeking(Rules rules, int count) {
        rules.add("seekdir(3)", "from every position among " + count + " names the same follow", scene -> {
            Caller root = scene.root();
            int fd = root.open(shared(scene, count), O_RDONLY | O_DIRECTORY).okInt();
            List<Entry> all = rest(root, fd, 65_536);
            int step = Math.max(1, all.size() / 60);
            for (int i = all.size() - 1; i >= 0; i -= step) {
                root.lseek(fd, all.get(i).offset(), SEEK_SET).is(all.get(i).offset());
                long bytes = root.getdents(fd, 600).ok();
                List<Entry> part = root.answeredEntries(bytes);
                scene.equal("entries from position " + i, all.subList(i + 1, i + 1 + part.size()), part);
                scene.expect("some follow", i == all.size() - 1 || !part.isEmpty());
            }
        });
        rules.add("telldir(3)", "the file offset among " + count + " names is that of the last entry read", scene -> {
            Caller root = scene.root();
            int fd = root.open(shared(scene, count), O_RDONLY | O_DIRECTORY).okInt();
            root.lseek(fd, 0, SEEK_CUR).is(0);
            for (long bytes = root.getdents(fd, 512).ok();
                    bytes > 0;
                    bytes = root.getdents(fd, 512).ok()) {
                long last = root.answeredEntries(bytes).getLast().offset();
                root.lseek(fd, 0, SEEK_CUR).is(last);
            }
        });
        add(
                rules,
                count,
                "rewinddir(3)",
                "begins anew with " + count + " names, and with what came meanwhile",
                scene -> {
                    Caller root = scene.root();
                    scene.make(DIRECTORY, "d");
                    fill(scene, "d", count);
                    int fd = root.open("d", O_RDONLY | O_DIRECTORY).okInt();
                    root.getdents(fd, 512).ok();
                    scene.make(REGULAR, "d/later");
                    root.unlink("d/" + name(0)).ok();
                    root.lseek(fd, 0, SEEK_SET).is(0);
                    Set<String> expected = names(count);
                    expected.remove(name(0));
                    expected.add("later");
                    scene.equal("names", expected, once(scene, rest(root, fd, 4096)));
                });
    }

    private static void changing(Rules rules, int count, int bytes) {
        String among = " of " + count + " names in buffers of " + bytes;
        add(rules, count, "readdir(3)", "names that stay come once while others are removed," + among, scene -> {
            scene.make(DIRECTORY, "d");
            fill(scene, "d", count);
            Set<String> seen = whileReading(scene, bytes, i -> scene.root().unlink("d/" + name(i * 2)), count / 2);
            for (int i = 1; i < count; i += 2) {
                scene.expect(name(i) + " is seen", seen.contains(name(i)));
            }
        });
        add(rules, count, "readdir(3)", "names that were there come once while others are made," + among, scene -> {
            scene.make(DIRECTORY, "d");
            fill(scene, "d", count);
            Set<String> seen = whileReading(scene, bytes, i -> scene.make(REGULAR, "d/new" + i), count);
            for (int i = 0; i < count; i++) {
                scene.expect(name(i) + " is seen", seen.contains(name(i)));
            }
        });
        add(rules, count, "readdir(3)", "names that stay come once while others are renamed," + among, scene -> {
            scene.make(DIRECTORY, "d");
            fill(scene, "d", count);
            Set<String> seen = whileReading(
                    scene, bytes, i -> scene.root().rename("d/" + name(i * 2), "d/renamed" + i), count / 2);
            for (int i = 1; i < count; i += 2) {
                scene.expect(name(i) + " is seen", seen.contains(name(i)));
            }
        });
        add(rules, count, "readdir(3)", "a directory is emptied by removing what is read," + among, scene -> {
            scene.make(DIRECTORY, "d");
            fill(scene, "d", count);
            Caller root = scene.root();
            int fd = root.open("d", O_RDONLY | O_DIRECTORY).okInt();
            for (long read = root.getdents(fd, bytes).ok();
                    read > 0;
                    read = root.getdents(fd, bytes).ok()) {
                for (Entry entry : root.answeredEntries(read)) {
                    if (!entry.name().startsWith(".")) {
                        root.unlink("d/" + entry.name()).ok();
                    }
                }
            }
            root.rmdir("d").ok();
        });
    }

    /** Making thousands of names anew for each check takes a moment where each is made durable. */
    private static void add(Rules rules, int count, String page, String text, Rule.Body body) {
        if (count == LARGE) {
            rules.addSlow(page, text, body);
        } else {
            rules.add(page, text, body);
        }
    }

    /** Reads all, with some changes between every two buffers, each of them once. */
    private static Set<String> whileReading(Scene scene, int bytes, IntConsumer change, int changes) {
        Caller root = scene.root();
        int fd = root.open("d", O_RDONLY | O_DIRECTORY).okInt();
        Set<String> seen = new TreeSet<>();
        int changed = 0;
        for (long read = root.getdents(fd, bytes).ok();
                read > 0;
                read = root.getdents(fd, bytes).ok()) {
            for (Entry entry : root.answeredEntries(read)) {
                scene.expect(entry.name() + " comes once", seen.add(entry.name()));
            }
            for (int i = 0; i < 5 && changed < changes; i++) {
                change.accept(changed++);
            }
        }
        return seen;
    }

    private static void errors(Rules rules) {
        for (int bytes : List.of(0, 1, 8, 20)) {
            rules.add("getdents64(2)", "EINVAL for a buffer of " + bytes, scene -> {
                scene.make(DIRECTORY, "d");
                scene.root()
                        .getdents(scene.root().open("d", O_RDONLY).okInt(), bytes)
                        .fails(EINVAL);
            });
        }
        rules.add("getdents64(2)", "EFAULT where the buffer is no address", scene -> {
            scene.make(DIRECTORY, "d");
            int fd = scene.root().open("d", O_RDONLY).okInt();
            scene.root().call(Syscall.GETDENTS64, fd, 1, 4096).fails(EFAULT);
        });
        for (FileType type : List.of(REGULAR, FIFO, CHARACTER)) {
            rules.add("getdents64(2)", "ENOTDIR for " + type, scene -> {
                scene.make(type, "x");
                Outcome opened = scene.root().open("x", O_RDWR);
                scene.needs("devices are not to be opened here", () -> !opened.failed(EACCES));
                scene.root().getdents(opened.okInt(), 4096).fails(ENOTDIR);
            });
        }
        rules.add("getdents64(2)", "ENOENT, or nothing, in a directory that was removed", scene -> {
            scene.make(DIRECTORY, "d");
            Caller root = scene.root();
            int fd = root.open("d", O_RDONLY | O_DIRECTORY).okInt();
            root.rmdir("d").ok();
            Outcome outcome = root.getdents(fd, 4096);
            if (outcome.succeeded()) {
                outcome.is(0);
            } else {
                outcome.fails(ENOENT);
            }
        });
    }

    private static void descriptors(Rules rules) {
        rules.add("getdents64(2)", "two opens of a directory have positions of their own", scene -> {
            Caller root = scene.root();
            String directory = shared(scene, 300);
            int one = root.open(directory, O_RDONLY).okInt();
            int other = root.open(directory, O_RDONLY).okInt();
            root.getdents(one, 512).ok();
            scene.equal("names", names(300), once(scene, rest(root, other, 4096)));
            scene.expect("the rest is left", !rest(root, one, 4096).isEmpty());
        });
        rules.add("getdents64(2)", "descriptors of dup() share the position", scene -> {
            Caller root = scene.root();
            int one = root.open(shared(scene, 300), O_RDONLY).okInt();
            int same = root.dup(one).okInt();
            List<Entry> all = new ArrayList<>();
            for (int i = 0; ; i++) {
                long bytes = root.getdents(i % 2 == 0 ? one : same, 1024).ok();
                if (bytes == 0) {
                    break;
                }
                all.addAll(root.answeredEntries(bytes));
            }
            scene.equal("names", names(300), once(scene, all));
        });
        for (Actor actor : List.of(Actor.OWNER, Actor.FELLOW, Actor.MEMBER, Actor.OTHER)) {
            for (int granted = 0; granted < 8; granted++) {
                boolean may = (granted & 4) != 0;
                int bits = granted;
                String text = (may ? "reads" : "EACCES for opening") + " a directory that grants " + bits
                        + " to the class of " + actor;
                rules.add("opendir(3)", text, scene -> {
                    scene.makeOwned(DIRECTORY, "d", 0777).file("d/f", "");
                    scene.root().chmod("d", PathRules.mode(actor, 07, bits)).ok();
                    Outcome opened = scene.as(actor).open("d", O_RDONLY | O_DIRECTORY);
                    opened.is(may, EACCES);
                    if (may) {
                        scene.root().chmod("d", 0).ok();
                        scene.equal(
                                "entries",
                                3,
                                rest(scene.as(actor), opened.okInt(), 4096).size());
                    }
                });
            }
        }
    }

    private static void fresh(Rules rules) {
        rules.add("readdir(3)", "a name shows as soon as the call that made it has returned", scene -> {
            scene.make(DIRECTORY, "d");
            Set<String> expected = new TreeSet<>(List.of(".", ".."));
            Caller peer = scene.peer().root();
            for (int i = 0; i < 20; i++) {
                peer.mkdir("d/n" + i, 0755).ok();
                expected.add("n" + i);
                if (i % 3 == 2) {
                    peer.rmdir("d/n" + (i - 1)).ok();
                    expected.remove("n" + (i - 1));
                }
                scene.equal("names", expected, once(scene, read(scene, "d", 4096)));
            }
        });
    }
}
