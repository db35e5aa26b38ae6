package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.ENOSYS;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_EACCESS;
import static io.fusecache.testkit.posix.scene.Flags.AT_EMPTY_PATH;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.F_OK;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.R_OK;
import static io.fusecache.testkit.posix.scene.Flags.W_OK;
import static io.fusecache.testkit.posix.scene.Flags.X_OK;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;

/** What access(2) and faccessat2(2) say to each user about each type with each permission. */
final class AccessRules {
    private static final String PAGE = "access(2)";

    /** Every combination of R_OK, W_OK and X_OK, F_OK among them. */
    private static final List<Integer> QUESTIONS = PathRules.CLASS_BITS;

    private AccessRules() {}

    static void add(Rules rules) {
        for (FileType type : FileType.TARGETS) {
            for (Actor actor : PathRules.JUDGED) {
                for (int granted : PathRules.CLASS_BITS) {
                    judged(rules, type, actor, granted);
                }
            }
            root(rules, type);
            question(rules, type);
        }
        links(rules);
        effective(rules);
    }

    private static void judged(Rules rules, FileType type, Actor actor, int granted) {
        String text = "%s with permissions %d for %s, asked for each combination".formatted(type, granted, actor);
        rules.add(PAGE, text, scene -> {
            scene.makeOwned(type, "x", PathRules.mode(actor, ~granted & 07, granted));
            for (int question : QUESTIONS) {
                boolean may = (granted & question) == question;
                scene.as(actor).access("x", question).is(may, EACCES);
                Outcome effective = scene.as(actor).faccessat2("x", question, AT_EACCESS);
                if (!effective.failed(ENOSYS)) {
                    effective.is(may, EACCES);
                }
            }
        });
    }

    /** Root may execute what anybody may, and search every directory. */
    private static void root(Rules rules, FileType type) {
        for (int mode : List.of(0, 0666, 0100, 0010, 0001, 0777)) {
            String text = "root reads and writes %s with permissions 0%o, and executes it if anybody does"
                    .formatted(type, mode);
            rules.add(PAGE, text, scene -> {
                scene.makeOwned(type, "x", mode);
                for (int question : QUESTIONS) {
                    boolean executes = type == DIRECTORY || (mode & 0111) != 0;
                    scene.root().access("x", question).is(executes || (question & X_OK) == 0, EACCES);
                }
            });
        }
    }

    private static void question(Rules rules, FileType type) {
        for (int wrong : List.of(8, -1, 0100, 0x7fffffff)) {
            rules.add(PAGE, "EINVAL for the question " + wrong + " about " + type, scene -> {
                scene.make(type, "x");
                scene.root().access("x", wrong).fails(EINVAL);
            });
        }
        rules.add(PAGE, "changes no times of " + type, scene -> {
            scene.make(type, "x");
            Times times = scene.times("x", ".");
            scene.root().access("x", R_OK | W_OK).ok();
            times.kept("x", "amc").kept(".", "amc");
        });
    }

    private static void links(Rules rules) {
        for (FileType type : FileType.TARGETS) {
            rules.add(PAGE, "follows a symbolic link to " + type, scene -> {
                scene.makeOwned(type, "x", 0600);
                scene.root().symlink("x", "s").ok();
                scene.as(Actor.OWNER).access("s", R_OK | W_OK).ok();
                scene.as(Actor.OTHER).access("s", R_OK).fails(EACCES);
                scene.as(Actor.OTHER).access("s", F_OK).ok();
            });
            rules.add("faccessat2(2)", "AT_SYMLINK_NOFOLLOW asks about the link to " + type, scene -> {
                scene.makeOwned(type, "x", 0);
                scene.root().symlink("x", "s").ok();
                scene.as(Actor.OTHER)
                        .faccessat2("s", R_OK | W_OK | X_OK, AT_SYMLINK_NOFOLLOW)
                        .orNotApplicable("faccessat2")
                        .ok();
            });
        }
        rules.add("faccessat2(2)", "AT_SYMLINK_NOFOLLOW finds a dangling link", scene -> {
            scene.make(SYMLINK, "s");
            scene.root()
                    .faccessat2("s", F_OK, AT_SYMLINK_NOFOLLOW)
                    .orNotApplicable("faccessat2")
                    .ok();
            scene.root().faccessat2("s", F_OK, 0).fails(ENOENT);
        });
        rules.add("faccessat2(2)", "AT_EMPTY_PATH asks about the descriptor's file", scene -> {
            scene.makeOwned(REGULAR, "x", 0400);
            int fd = scene.root().open("x", O_PATH).okInt();
            scene.as(Actor.OWNER)
                    .call(Syscall.FACCESSAT2, fd, "", R_OK, AT_EMPTY_PATH)
                    .orNotApplicable("faccessat2")
                    .ok();
            scene.as(Actor.OWNER)
                    .call(Syscall.FACCESSAT2, fd, "", W_OK, AT_EMPTY_PATH)
                    .fails(EACCES);
        });
        rules.add("faccessat2(2)", "EINVAL for flags that there are not", scene -> {
            scene.make(REGULAR, "x");
            Outcome outcome = scene.root().faccessat2("x", R_OK, 1);
            scene.needs("faccessat2", () -> !outcome.failed(ENOSYS));
            outcome.fails(EINVAL);
        });
    }

    /** What access says is what open does. */
    private static void effective(Rules rules) {
        for (Actor actor : Actor.values()) {
            rules.add(PAGE, "open does what access says, for permissions of all kinds: " + actor, scene -> {
                scene.makeOwned(REGULAR, "x", 0);
                for (int mode = 0; mode <= 0777; mode += 7) {
                    scene.root().chmod("x", mode).ok();
                    Caller caller = scene.as(actor);
                    boolean reads = caller.access("x", R_OK).succeeded();
                    boolean writes = caller.access("x", W_OK).succeeded();
                    closed(caller, caller.open("x", O_RDONLY), reads);
                    closed(caller, caller.open("x", O_WRONLY), writes);
                    closed(caller, caller.open("x", O_RDWR), reads && writes);
                }
            });
        }
    }

    private static void closed(Caller caller, Outcome opened, boolean may) {
        opened.is(may, EACCES);
        if (may) {
            caller.close(opened.okInt()).ok();
        }
    }
}
