package io.fusecache.testkit.random;

import static io.fusecache.testkit.posix.scene.Flags.*;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Entry;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Violation;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** The races there are. */
final class Races {
    private static final int TIMES = 8;
    private static final int MAX_CONTENT = 4096;

    private Races() {}

    /** Anew for each round: some count what happens in them. */
    static List<Race> all() {
        return List.of(
                new Race(
                        "of several who create a name with O_EXCL, one does",
                        (caller, at) -> {},
                        (caller, at, who) -> {
                            Outcome made = caller.open(at + "/new", O_WRONLY | O_CREAT | O_EXCL, 0644);
                            if (made.succeeded()) {
                                caller.write(made.okInt(), "by " + who).ok();
                                caller.close(made.okInt()).is(0);
                            }
                            return made.raw();
                        },
                        (caller, at, answers) -> {
                            int winner = oneWinner(answers, Errno.EEXIST);
                            content(caller, at + "/new", "by " + winner);
                            names(caller, at, "new");
                        }),
                new Race(
                        "of several who make a directory, one does",
                        (caller, at) -> {},
                        (caller, at, who) -> caller.mkdir(at + "/new", 0755).raw(),
                        (caller, at, answers) -> {
                            oneWinner(answers, Errno.EEXIST);
                            links(caller, at, 3);
                            names(caller, at, "new");
                        }),
                new Race(
                        "of several who remove a file, one does",
                        (caller, at) -> file(caller, at + "/old", "old"),
                        (caller, at, who) -> caller.unlink(at + "/old").raw(),
                        (caller, at, answers) -> {
                            oneWinner(answers, Errno.ENOENT);
                            names(caller, at);
                        }),
                new Race(
                        "of several who remove a directory, one does",
                        (caller, at) -> caller.mkdir(at + "/old", 0755).is(0),
                        (caller, at, who) -> caller.rmdir(at + "/old").raw(),
                        (caller, at, answers) -> {
                            oneWinner(answers, Errno.ENOENT);
                            links(caller, at, 2);
                            names(caller, at);
                        }),
                new Race(
                        "of several who rename a file, each to another name, one does",
                        (caller, at) -> file(caller, at + "/old", "old"),
                        (caller, at, who) ->
                                caller.rename(at + "/old", at + "/new" + who).raw(),
                        (caller, at, answers) -> {
                            int winner = oneWinner(answers, Errno.ENOENT);
                            content(caller, at + "/new" + winner, "old");
                            names(caller, at, "new" + winner);
                        }),
                new Race(
                        "of several who move a tree, each below another directory, one does",
                        Races::trees,
                        (caller, at, who) -> caller.rename(at + "/tree", at + "/to" + who + "/tree")
                                .raw(),
                        (caller, at, answers) -> {
                            int winner = oneWinner(answers, Errno.ENOENT);
                            content(caller, at + "/to" + winner + "/tree/below/file", "deep");
                            links(caller, at + "/to" + winner, 3);
                            caller.lstat(at + "/tree").fails(Errno.ENOENT);
                        }),
                new Race(
                        "of several who rename files to one name with NOREPLACE, one does",
                        (caller, at) -> {
                            for (int i = 0; i < RandomRaces.MAX_CONTENDERS; i++) {
                                file(caller, at + "/of" + i, "of " + i);
                            }
                        },
                        (caller, at, who) -> caller.rename(at + "/of" + who, at + "/to", RENAME_NOREPLACE)
                                .raw(),
                        (caller, at, answers) -> {
                            int winner = oneWinner(answers, Errno.EEXIST);
                            content(caller, at + "/to", "of " + winner);
                            count(caller, at, RandomRaces.MAX_CONTENDERS);
                        }),
                new Race(
                        "all who rename a file to one name replace what was there",
                        (caller, at) -> {
                            for (int i = 0; i < RandomRaces.MAX_CONTENDERS; i++) {
                                file(caller, at + "/of" + i, "of " + i);
                            }
                        },
                        (caller, at, who) ->
                                caller.rename(at + "/of" + who, at + "/to").raw(),
                        (caller, at, answers) -> {
                            all(answers, 0);
                            count(caller, at, RandomRaces.MAX_CONTENDERS - answers.size() + 1);
                            String content = content(caller, at + "/to");
                            expect(content + " is by a contender", content.matches("of \\d+"));
                            links(caller, at + "/to", 1);
                        }),
                new Race(
                        "of several who link a file to one name, one does",
                        (caller, at) -> file(caller, at + "/old", "old"),
                        (caller, at, who) ->
                                caller.link(at + "/old", at + "/new").raw(),
                        (caller, at, answers) -> {
                            oneWinner(answers, Errno.EEXIST);
                            links(caller, at + "/old", 2);
                            names(caller, at, "new", "old");
                        }),
                new Race(
                        "links and removals by all are counted",
                        (caller, at) -> file(caller, at + "/old", "old"),
                        (caller, at, who) -> {
                            for (int i = 0; i < TIMES; i++) {
                                caller.link(at + "/old", at + "/" + who + "-" + i)
                                        .is(0);
                            }
                            for (int i = 0; i < TIMES; i += 2) {
                                caller.unlink(at + "/" + who + "-" + i).is(0);
                            }
                            return 0;
                        },
                        (caller, at, answers) -> {
                            links(caller, at + "/old", 1 + answers.size() * TIMES / 2);
                            count(caller, at, 1 + answers.size() * TIMES / 2);
                        }),
                // How often they changed places cannot be told: where another node exchanges them between the kernel's
                // looking
                // up one name and the other, both are the same file to it, and renaming that to itself does nothing.
                new Race(
                        "two files that all exchange stay two",
                        (caller, at) -> {
                            file(caller, at + "/a", "a");
                            file(caller, at + "/b", "b");
                        },
                        (caller, at, who) -> {
                            for (int i = 0; i < TIMES; i++) {
                                caller.rename(at + "/a", at + "/b", RENAME_EXCHANGE)
                                        .is(0);
                            }
                            return 0;
                        },
                        (caller, at, answers) -> {
                            names(caller, at, "a", "b");
                            String first = content(caller, at + "/a");
                            expect(first + " is a or b", first.equals("a") || first.equals("b"));
                            content(caller, at + "/b", first.equals("a") ? "b" : "a");
                        }),
                new Race(
                        "a directory is removed, or something is made in it",
                        (caller, at) -> caller.mkdir(at + "/d", 0755).is(0),
                        (caller, at, who) -> who == 0
                                ? caller.rmdir(at + "/d").raw()
                                : caller.mkdir(at + "/d/" + who, 0755).raw(),
                        (caller, at, answers) -> {
                            boolean removed = answers.getFirst() == 0;
                            if (!removed) {
                                is(answers.getFirst(), Errno.ENOTEMPTY);
                            }
                            long made = answers.stream()
                                    .skip(1)
                                    .filter(answer -> answer == 0)
                                    .count();
                            expect("either removed or used: " + answers, removed == (made == 0));
                            answers.stream()
                                    .skip(1)
                                    .filter(answer -> answer != 0)
                                    .forEach(answer -> is(answer, Errno.ENOENT));
                            if (!removed) {
                                count(caller, at + "/d", (int) made);
                            }
                        }),
                new Race(
                        "two directories are not moved into each other",
                        (caller, at) -> {
                            caller.mkdir(at + "/a", 0755).is(0);
                            caller.mkdir(at + "/b", 0755).is(0);
                        },
                        (caller, at, who) -> who % 2 == 0
                                ? caller.rename(at + "/a", at + "/b/a").raw()
                                : caller.rename(at + "/b", at + "/a/b").raw(),
                        (caller, at, answers) -> {
                            expect(
                                    "one moved: " + answers,
                                    answers.stream()
                                                    .filter(answer -> answer == 0)
                                                    .count()
                                            == 1);
                            boolean first = answers.indexOf(0L) % 2 == 0;
                            names(caller, at, first ? "b" : "a");
                            names(caller, at + (first ? "/b" : "/a"), first ? "a" : "b");
                        }),
                moved(),
                replaced(TIMES),
                NamesThatComeAndGo.removed(),
                NamesThatComeAndGo.movedAway(),
                NamesThatComeAndGo.replaced());
    }

    /** Files that all rename among more names than there are files: none is lost, and none is there twice. */
    private static Race moved() {
        return new Race(
                "files that all rename at once stay as many as they were",
                (caller, at) -> {
                    for (int i = 0; i < TIMES; i++) {
                        file(caller, at + "/" + i, "file " + i);
                    }
                },
                (caller, at, who) -> {
                    int moved = 0;
                    for (int i = 0; i < 4 * TIMES; i++) {
                        int from = (i * 5 + who * 3) % (2 * TIMES);
                        int to = (i * 7 + who) % (2 * TIMES);
                        Outcome outcome = caller.rename(at + "/" + from, at + "/" + to, RENAME_NOREPLACE);
                        if (outcome.succeeded()) {
                            moved++;
                        } else if (!outcome.failed(Errno.EEXIST)) {
                            outcome.fails(Errno.ENOENT);
                        }
                    }
                    return moved;
                },
                (caller, at, answers) -> {
                    Set<String> contents = new TreeSet<>();
                    for (String name : list(caller, at)) {
                        contents.add(content(caller, at + "/" + name));
                    }
                    expect("every file once: " + contents, contents.size() == TIMES);
                    count(caller, at, TIMES);
                });
    }

    /** One replaces a file by rename, again and again; the others read whole versions, never an older one than was there. */
    private static Race replaced(int times) {
        AtomicInteger published = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        return new Race(
                "a file that is replaced is read whole, and never older than its last replacement",
                (caller, at) -> file(caller, at + "/f", version(0)),
                (caller, at, who) -> {
                    if (who == 0) {
                        try {
                            for (int i = 1; i <= times; i++) {
                                file(caller, at + "/next", version(i));
                                caller.rename(at + "/next", at + "/f").is(0);
                                published.set(i);
                            }
                        } finally {
                            over.set(true);
                        }
                        return 0;
                    }
                    int seen = 0;
                    while (seen < times && !over.get()) {
                        int least = published.get();
                        String content = content(caller, at + "/f");
                        int found = Integer.parseInt(content.substring(0, content.indexOf(' ')));
                        expect("version " + found + " is whole", content.equals(version(found)));
                        expect("version " + found + " is not older than " + least, found >= least);
                        expect("version " + found + " is not older than " + seen, found >= seen);
                        seen = found;
                    }
                    return 0;
                },
                (caller, at, answers) -> {
                    content(caller, at + "/f", version(times));
                    names(caller, at, "f");
                });
    }

    private static String version(int number) {
        return (number + " ").repeat(50 + number * 37);
    }

    private static void trees(Caller caller, String at) {
        caller.mkdir(at + "/tree", 0755).is(0);
        caller.mkdir(at + "/tree/below", 0755).is(0);
        file(caller, at + "/tree/below/file", "deep");
        for (int i = 0; i < RandomRaces.MAX_CONTENDERS; i++) {
            caller.mkdir(at + "/to" + i, 0755).is(0);
        }
    }

    // What is made and looked at

    static void file(Caller caller, String path, String content) {
        int fd = caller.open(path, O_WRONLY | O_CREAT | O_EXCL, 0644).okInt();
        caller.write(fd, content).is(content.length());
        caller.close(fd).is(0);
    }

    static String content(Caller caller, String path) {
        int fd = caller.open(path, O_RDONLY).okInt();
        long count = caller.pread(fd, MAX_CONTENT, 0).ok();
        String content = new String(caller.buffered(count), StandardCharsets.ISO_8859_1);
        caller.close(fd).is(0);
        return content;
    }

    private static void content(Caller caller, String path, String expected) {
        String found = content(caller, path);
        expect(path + " has '" + found + "' of '" + expected + "'", found.equals(expected));
    }

    static List<String> list(Caller caller, String path) {
        int fd = caller.open(path, O_RDONLY | O_DIRECTORY).okInt();
        List<String> names = caller.entries(fd).stream()
                .map(Entry::name)
                .filter(name -> !name.equals(".") && !name.equals(".."))
                .sorted()
                .toList();
        caller.close(fd).is(0);
        // What is listed is there, too.
        names.forEach(name -> caller.lstat(path + "/" + name).is(0));
        return names;
    }

    static void names(Caller caller, String path, String... expected) {
        List<String> found = list(caller, path);
        expect(path + " has " + found + " of " + List.of(expected), found.equals(List.of(expected)));
    }

    static void count(Caller caller, String path, int expected) {
        List<String> found = list(caller, path);
        expect(path + " has " + expected + " entries: " + found, found.size() == expected);
    }

    static void links(Caller caller, String path, int expected) {
        caller.statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS).ok();
        int found = caller.answeredStat().links();
        expect(path + " has " + found + " links of " + expected, found == expected);
    }

    // What was answered

    /** One succeeded, all others failed so; which one. */
    private static int oneWinner(List<Long> answers, Errno others) {
        int winner = -1;
        for (int i = 0; i < answers.size(); i++) {
            if (answers.get(i) >= 0) {
                expect("only one won: " + answers, winner < 0);
                winner = i;
            } else {
                is(answers.get(i), others);
            }
        }
        expect("one won: " + answers, winner >= 0);
        return winner;
    }

    private static void is(long answer, Errno errno) {
        expect("answer " + answer + " is " + errno, answer == -errno.number());
    }

    private static void all(List<Long> answers, long expected) {
        expect(answers + " are all " + expected, answers.stream().allMatch(answer -> answer == expected));
    }

    static void expect(String what, boolean holds) {
        if (!holds) {
            throw new Violation("not so: " + what);
        }
    }
}
