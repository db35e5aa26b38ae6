package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.Errno.ENOSYS;
import static io.fusecache.testkit.posix.scene.Errno.EOPNOTSUPP;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.AT_EMPTY_PATH;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_NONBLOCK;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.S_ISGID;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;

/** What chmod(2) says: which bits each type keeps, who may set them, and who may set set-group-id. */
final class ModeRules {
    private static final String PAGE = "chmod(2)";

    private static final List<Integer> MODES =
            List.of(0, 0100, 0222, 0444, 0555, 0640, 0777, 01000, 01777, 02010, 02755, 04000, 04711, 06755, 07777);

    private static final int FCHMODAT2_MODE = 0640;

    private ModeRules() {}

    /** The forms of the call. */
    private enum Form {
        PATH("chmod"),
        DESCRIPTOR("fchmod"),
        DIRECTORY_DESCRIPTOR("fchmodat"),
        LINK("chmod through a symbolic link");

        private final String phrase;

        Form(String phrase) {
            this.phrase = phrase;
        }

        /** Sets the mode of {@code d/x}, to which {@code d/s} leads. */
        Outcome act(Scene scene, Caller caller, FileType type, int mode) {
            return switch (this) {
                case PATH -> caller.chmod("d/x", mode);
                case LINK -> caller.chmod("d/s", mode);
                case DIRECTORY_DESCRIPTOR -> {
                    int fd = caller.open("d", O_PATH).okInt();
                    yield caller.call(Syscall.FCHMODAT, fd, "x", mode);
                }
                case DESCRIPTOR -> {
                    int flags = type == FIFO ? O_RDWR | O_NONBLOCK : O_RDONLY | O_NONBLOCK;
                    Outcome opened = scene.root().open("d/x", flags);
                    scene.needs("descriptors of " + type, opened::succeeded);
                    yield caller.fchmod(opened.okInt(), mode);
                }
            };
        }

        boolean appliesTo(FileType type) {
            return this != DESCRIPTOR || type == REGULAR || type == DIRECTORY || type == FIFO;
        }
    }

    static void add(Rules rules) {
        for (Form form : Form.values()) {
            for (FileType type : FileType.TARGETS) {
                if (form.appliesTo(type)) {
                    bits(rules, form, type);
                    users(rules, form, type);
                    times(rules, form, type);
                }
            }
        }
        for (FileType type : FileType.TARGETS) {
            setGroupId(rules, type);
        }
        flags(rules);
        effects(rules);
    }

    private static Scene prepare(Scene scene, FileType type, Actor owner) {
        scene.make(DIRECTORY, "d").makeOwned(type, "d/x", 0600, owner);
        scene.root().symlink("x", "d/s").ok();
        return scene;
    }

    private static void bits(Rules rules, Form form, FileType type) {
        for (int mode : MODES) {
            String text = "%s of %s keeps all bits of 0%o".formatted(form.phrase, type, mode);
            rules.add(PAGE, text, scene -> {
                prepare(scene, type, Actor.OWNER);
                form.act(scene, scene.as(Actor.OWNER), type, mode).ok();
                scene.permissions(mode, "d/x");
                scene.type(type, "d/x");
                scene.permissions(0777, "d/s");
            });
        }
        rules.add(PAGE, form.phrase + " of " + type + " ignores bits of types", scene -> {
            prepare(scene, type, Actor.ROOT);
            form.act(scene, scene.root(), type, FileType.MASK | 0621).ok();
            scene.permissions(0621, "d/x");
            scene.type(type, "d/x");
        });
    }

    private static void users(Rules rules, Form form, FileType type) {
        for (Actor actor : Actor.values()) {
            boolean may = actor == Actor.ROOT || actor == Actor.OWNER;
            rules.add(
                    PAGE,
                    form.phrase + " of " + type + (may ? " is granted to " : " gives EPERM for ") + actor,
                    scene -> {
                        prepare(scene, type, Actor.OWNER);
                        scene.root().chmod("d/x", 0666).ok();
                        Times times = scene.times("d/x");
                        form.act(scene, scene.as(actor), type, 0711).is(may, EPERM);
                        scene.permissions(may ? 0711 : 0666, "d/x");
                        times.kept("d/x", may ? "am" : "amc");
                    });
        }
    }

    private static void times(Rules rules, Form form, FileType type) {
        for (int mode : List.of(0600, 0611)) {
            String same = mode == 0600 ? " that has these permissions already" : "";
            rules.add(PAGE, form.phrase + " sets ctime alone of " + type + same, scene -> {
                prepare(scene, type, Actor.ROOT);
                Times times = scene.times("d/x", "d/s", "d");
                form.act(scene, scene.root(), type, mode).ok();
                times.exactly("d/x", "c").kept("d/s", "mc").kept("d", "amc");
            });
        }
    }

    /** Who has neither the file's group nor CAP_FSETID loses S_ISGID, and the call succeeds. */
    private static void setGroupId(Rules rules, FileType type) {
        for (Actor actor : Actor.values()) {
            for (Actor group : List.of(Actor.OWNER, Actor.OTHER)) {
                for (int mode : List.of(02755, 02700, 06711)) {
                    boolean member = actor == Actor.ROOT
                            || actor.gid() == group.gid()
                            || actor.groups().contains(group.gid());
                    String text = "0%o of %s of group %d %s S_ISGID for its owner %s"
                            .formatted(mode, type, group.gid(), member ? "sets" : "silently drops", actor);
                    rules.add(PAGE, text, scene -> {
                        scene.make(type, "x");
                        scene.root().chown("x", actor.uid(), group.gid()).ok();
                        scene.as(actor).chmod("x", mode).ok();
                        scene.permissions(member ? mode : mode & ~S_ISGID, "x");
                    });
                }
            }
        }
    }

    private static void flags(Rules rules) {
        for (FileType type : FileType.TARGETS) {
            rules.add("fchmodat2(2)", "AT_SYMLINK_NOFOLLOW of " + type + " sets its mode", scene -> {
                scene.make(type, "x");
                scene.root()
                        .call(Syscall.FCHMODAT2, AT_FDCWD, "x", FCHMODAT2_MODE, AT_SYMLINK_NOFOLLOW)
                        .orNotApplicable("fchmodat2")
                        .ok();
                scene.permissions(FCHMODAT2_MODE, "x");
            });
        }
        rules.add("fchmodat2(2)", "EOPNOTSUPP for AT_SYMLINK_NOFOLLOW of a symbolic link", scene -> {
            scene.make(REGULAR, "x");
            scene.root().symlink("x", "s").ok();
            Outcome outcome = scene.root().call(Syscall.FCHMODAT2, AT_FDCWD, "s", FCHMODAT2_MODE, AT_SYMLINK_NOFOLLOW);
            scene.needs("fchmodat2", () -> !outcome.failed(ENOSYS));
            outcome.fails(EOPNOTSUPP);
            scene.permissions(0644, "x");
        });
        rules.add("fchmodat2(2)", "AT_EMPTY_PATH sets the mode of what the descriptor refers to", scene -> {
            scene.make(REGULAR, "x");
            int fd = scene.root().open("x", O_PATH).okInt();
            scene.root()
                    .call(Syscall.FCHMODAT2, fd, "", FCHMODAT2_MODE, AT_EMPTY_PATH)
                    .orNotApplicable("fchmodat2")
                    .ok();
            scene.permissions(FCHMODAT2_MODE, "x");
        });
        rules.add("fchmod(2)", "EBADF for a descriptor that is not open", scene -> {
            scene.root().fchmod(-1, 0644).fails(EBADF);
            scene.root().fchmod(1 << 20, 0644).fails(EBADF);
        });
    }

    private static void effects(Rules rules) {
        for (Actor actor : PathRules.JUDGED) {
            rules.add(PAGE, "what is granted and taken holds for the next call of " + actor, scene -> {
                scene.makeOwned(REGULAR, "x", 0);
                for (int i = 0; i < 4; i++) {
                    scene.root().chmod("x", PathRules.mode(actor, 0, 04)).ok();
                    scene.as(actor).open("x", O_RDONLY).ok();
                    scene.as(actor).open("x", O_WRONLY).fails(EACCES);
                    scene.root().chmod("x", PathRules.mode(actor, 07, 02)).ok();
                    scene.as(actor).open("x", O_RDONLY).fails(EACCES);
                    scene.as(actor).open("x", O_WRONLY).ok();
                }
            });
            rules.add(PAGE, "searching that is granted and taken holds for the next path of " + actor, scene -> {
                scene.makeOwned(DIRECTORY, "d", 0).make(REGULAR, "d/x");
                for (int i = 0; i < 4; i++) {
                    scene.root().chmod("d", PathRules.mode(actor, 0, 01)).ok();
                    scene.as(actor).stat("d/x").ok();
                    scene.as(actor).open("d", O_RDONLY).fails(EACCES);
                    scene.root().chmod("d", PathRules.mode(actor, 07, 06)).ok();
                    scene.as(actor).stat("d/x").fails(EACCES);
                    scene.as(actor).open("d", O_RDONLY).ok();
                }
            });
        }
        rules.add(PAGE, "a moved file's permissions move with it", scene -> {
            scene.make(REGULAR, "x", 0600).make(REGULAR, "y", 0666);
            scene.root().rename("x", "z").ok();
            scene.root().rename("y", "x").ok();
            scene.as(Actor.OTHER).open("x", O_RDWR).ok();
            scene.as(Actor.OTHER).open("z", O_RDWR).fails(EACCES);
        });
    }
}
