package io.fusecache.testkit.random;

import static io.fusecache.testkit.posix.scene.Flags.*;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.Outcome;
import java.util.List;

/**
 * Races for one name that some open with O_CREAT, which succeeds whatever the others do meanwhile, and others take away; without
 * O_CREAT an open finds a file or no name.
 */
final class NamesThatComeAndGo {
    private static final int TIMES = 40;
    private static final int NODES = 2;

    private NamesThatComeAndGo() {}

    /** One on each node creates where one on each node takes away, and so on. */
    private static boolean creates(int who) {
        return who / NODES % 2 == 0;
    }

    static Race removed() {
        return new Race(
                "a name that is removed all the time is opened with O_CREAT",
                (caller, at) -> {},
                (caller, at, who) -> {
                    int done = 0;
                    for (int i = 0; i < TIMES; i++) {
                        done += creates(who)
                                ? opened(caller, at + "/n", O_RDWR | O_CREAT | (i % 3 == 0 ? O_TRUNC : 0))
                                : succeeded(caller.unlink(at + "/n"));
                    }
                    return done;
                },
                (caller, at, answers) -> {
                    // What is removed was made, and by an open with O_CREAT each.
                    Races.expect("no more removed than created: " + answers, removals(answers) <= creations(answers));
                    atMostOne(caller, at);
                });
    }

    static Race movedAway() {
        return new Race(
                "a name that is moved away all the time is opened with O_CREAT",
                (caller, at) -> {},
                (caller, at, who) -> {
                    int done = 0;
                    for (int i = 0; i < TIMES; i++) {
                        done += creates(who)
                                ? opened(caller, at + "/n", O_WRONLY | O_CREAT)
                                : succeeded(caller.rename(at + "/n", at + "/" + who + "-" + i));
                    }
                    return done;
                },
                (caller, at, answers) -> {
                    int left = Races.list(caller, at).contains("n") ? 1 : 0;
                    Races.count(caller, at, removals(answers) + left);
                });
    }

    static Race replaced() {
        return new Race(
                "a name that is replaced and removed all the time is opened with O_CREAT and without",
                (caller, at) -> {},
                (caller, at, who) -> {
                    for (int i = 0; i < TIMES; i++) {
                        if (creates(who)) {
                            opened(caller, at + "/n", O_RDWR | O_CREAT);
                            Outcome found = caller.open(at + "/n", O_RDONLY);
                            if (succeeded(found) == 1) {
                                caller.close(found.okInt()).is(0);
                            }
                        } else {
                            Races.file(caller, at + "/next" + who, "by " + who);
                            caller.rename(at + "/next" + who, at + "/n").is(0);
                            succeeded(caller.unlink(at + "/n"));
                        }
                    }
                    return TIMES;
                },
                (caller, at, answers) -> atMostOne(caller, at));
    }

    private static int opened(Caller caller, String path, int flags) {
        int fd = caller.open(path, flags, 0644).okInt();
        caller.close(fd).is(0);
        return 1;
    }

    /** 1, or 0 where there was no such name. */
    private static int succeeded(Outcome outcome) {
        if (outcome.succeeded()) {
            return 1;
        }
        outcome.fails(Errno.ENOENT);
        return 0;
    }

    private static int creations(List<Long> answers) {
        return sum(answers, true);
    }

    private static int removals(List<Long> answers) {
        return sum(answers, false);
    }

    private static int sum(List<Long> answers, boolean ofCreators) {
        long sum = 0;
        for (int who = 0; who < answers.size(); who++) {
            sum += creates(who) == ofCreators ? answers.get(who) : 0;
        }
        return Math.toIntExact(sum);
    }

    private static void atMostOne(Caller caller, String at) {
        List<String> left = Races.list(caller, at);
        Races.expect("at most the name is left: " + left, left.isEmpty() || left.equals(List.of("n")));
        if (!left.isEmpty()) {
            Races.links(caller, at + "/n", 1);
        }
    }
}
