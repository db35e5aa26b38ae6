package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EMLINK;
import static io.fusecache.testkit.posix.scene.Errno.ENOTEMPTY;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Entry;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Slow: what a file system must hold of names, links and levels. */
final class LimitRules {
    /** What ext4 can count of names of a file. */
    private static final int LINKS = 65_000;

    private static final int ENTRIES = 100_000;
    private static final int LEVELS = 2_000;

    private LimitRules() {}

    static void add(Rules rules) {
        rules.addSlow("link(2)", "a file may have 65,000 names; where it may not have more, EMLINK says so", scene -> {
            scene.file("f", "content").make(DIRECTORY, "d");
            Caller root = scene.root();
            for (int i = 1; i < LINKS; i++) {
                root.link("f", "d/" + i).ok();
            }
            scene.links(LINKS, "f");
            Times times = scene.times("f", "d");
            Outcome more = root.link("f", "d/more");
            if (more.succeeded()) {
                scene.links(LINKS + 1, "f");
                root.unlink("d/more").ok();
            } else {
                more.fails(EMLINK);
                times.kept("f", "amc").kept("d", "amc");
            }
            scene.equal("content", "content", scene.content("d/" + (LINKS - 1)));
            root.unlink("d/1").ok();
            scene.links(LINKS - 1, "d/" + (LINKS - 1));
            root.link("f", "d/again").ok();
        });
        rules.addSlow(
                "mkdir(2)", "a directory may have 65,000 directories in it, or EMLINK says that it may not", scene -> {
                    scene.make(DIRECTORY, "d");
                    Caller root = scene.root();
                    int made = 0;
                    Outcome outcome = root.mkdir("d/0", 0755);
                    while (outcome.succeeded() && ++made < LINKS) {
                        outcome = root.mkdir("d/" + made, 0755);
                    }
                    if (!outcome.succeeded()) {
                        outcome.fails(EMLINK);
                    }
                    scene.equal("names", made, scene.names("d").size());
                    root.rmdir("d").fails(ENOTEMPTY);
                });
        rules.addSlow("readdir(3)", "gives each of 100,000 names once, from every position what follows it", scene -> {
            Caller root = filled(scene);
            int fd = root.open("d", O_RDONLY | O_DIRECTORY).okInt();
            List<Entry> all = root.entries(fd);
            scene.equal("entries", ENTRIES + 2, all.size());
            scene.equal(
                    "names",
                    ENTRIES + 2,
                    new HashSet<>(all.stream().map(Entry::name).toList()).size());
            for (int i = 0; i < all.size(); i += 997) {
                root.lseek(fd, all.get(i).offset(), SEEK_SET).ok();
                List<Entry> part = root.answeredEntries(root.getdents(fd, 1000).ok());
                scene.equal("entries from " + i, all.subList(i + 1, i + 1 + part.size()), part);
            }
        });
        rules.addSlow(
                "readdir(3)",
                "names that stay among 100,000 come once while every second is removed and others are made",
                scene -> {
                    Caller root = filled(scene);
                    int fd = root.open("d", O_RDONLY | O_DIRECTORY).okInt();
                    Set<String> seen = new HashSet<>();
                    int changed = 0;
                    for (long read = root.getdents(fd, 16_384).ok();
                            read > 0;
                            read = root.getdents(fd, 16_384).ok()) {
                        for (Entry entry : root.answeredEntries(read)) {
                            scene.expect(entry.name() + " comes once", seen.add(entry.name()));
                        }
                        for (int i = 0; i < 100 && changed < ENTRIES / 2; i++, changed++) {
                            root.unlink("d/" + name(2 * changed)).ok();
                            root.mknod("d/new" + changed, REGULAR.bits() | 0644, 0)
                                    .ok();
                        }
                    }
                    for (int i = 1; i < ENTRIES; i += 2) {
                        scene.expect(name(i) + " is seen", seen.contains(name(i)));
                    }
                });
        rules.addSlow("mkdir(2)", "directories may be 2,000 levels deep, far beyond the longest path", scene -> {
            Caller root = scene.root();
            String name = "level".repeat(10);
            long top = scene.stat(".").ino();
            for (int i = 0; i < LEVELS; i++) {
                root.mkdir(name, 0755).ok();
                root.call(Syscall.CHDIR, name).ok();
            }
            scene.file("f", "content");
            scene.equal("content", "content", scene.content("f"));
            for (int i = 0; i < LEVELS; i++) {
                root.call(Syscall.CHDIR, "..").ok();
            }
            scene.equal("top", top, scene.stat(".").ino());
        });
    }

    private static String name(int i) {
        return "name" + i;
    }

    private static Caller filled(Scene scene) {
        scene.make(DIRECTORY, "d");
        for (int i = 0; i < ENTRIES; i++) {
            scene.root().mknod("d/" + name(i), REGULAR.bits() | 0644, 0).ok();
        }
        return scene.root();
    }
}
