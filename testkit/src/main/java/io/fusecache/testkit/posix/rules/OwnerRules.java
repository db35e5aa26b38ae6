package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_EMPTY_PATH;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.O_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_NONBLOCK;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.S_ISGID;
import static io.fusecache.testkit.posix.scene.Flags.S_ISUID;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;

/** What chown(2) says: who may give what to whom, what becomes of set-id bits, and which file is meant. */
final class OwnerRules {
    private static final String PAGE = "chown(2)";
    private static final int KEEP = -1;
    private static final int STRANGE = 54_321;

    private OwnerRules() {}

    /** The forms of the call. */
    private enum Form {
        CHOWN("chown"),
        LCHOWN("lchown"),
        FCHOWN("fchown"),
        FCHOWNAT("fchownat with AT_EMPTY_PATH"),
        THROUGH_LINK("chown through a symbolic link");

        private final String phrase;

        Form(String phrase) {
            this.phrase = phrase;
        }

        /** Gives away {@code x}, to which {@code s} leads. */
        Outcome act(Scene scene, Caller caller, int uid, int gid) {
            return switch (this) {
                case CHOWN -> caller.chown("x", uid, gid);
                case LCHOWN -> caller.lchown("x", uid, gid);
                case THROUGH_LINK -> caller.chown("s", uid, gid);
                case FCHOWN ->
                    caller.fchown(scene.root().open("x", O_RDONLY | O_NONBLOCK).okInt(), uid, gid);
                case FCHOWNAT -> {
                    int fd = scene.root().open("x", O_PATH | O_NOFOLLOW).okInt();
                    yield caller.call(Syscall.FCHOWNAT, fd, "", uid, gid, AT_EMPTY_PATH);
                }
            };
        }

        boolean appliesTo(FileType type) {
            return switch (this) {
                case CHOWN, THROUGH_LINK -> type != SYMLINK;
                case LCHOWN, FCHOWNAT -> true;
                case FCHOWN -> type == REGULAR || type == DIRECTORY || type == FIFO;
            };
        }
    }

    static void add(Rules rules) {
        for (Form form : Form.values()) {
            for (FileType type : FileType.values()) {
                if (form.appliesTo(type)) {
                    given(rules, form, type);
                    privileges(rules, form, type);
                    setId(rules, form, type);
                }
            }
        }
        whichFile(rules);
        groups(rules);
    }

    private static Scene prepare(Scene scene, FileType type, Actor owner, int mode) {
        scene.makeOwned(type, "x", mode, owner);
        scene.root().symlink("x", "s").ok();
        return scene;
    }

    private static void owned(Scene scene, int uid, int gid, String path) {
        Stat stat = scene.stat(path);
        scene.equal("owner of " + path, uid, stat.uid());
        scene.equal("group of " + path, gid, stat.gid());
    }

    private static void given(Rules rules, Form form, FileType type) {
        int[][] pairs = {
            {STRANGE, STRANGE + 1},
            {STRANGE, KEEP},
            {KEEP, STRANGE},
            {KEEP, KEEP},
            {0, 0},
            {65_534, 65_534},
            {Integer.MAX_VALUE, Integer.MAX_VALUE},
            {-2, -3}
        };
        for (int[] pair : pairs) {
            String text = "root gives %s to %s, %s by %s".formatted(type, id(pair[0]), id(pair[1]), form.phrase);
            rules.add(PAGE, text, scene -> {
                prepare(scene, type, Actor.OWNER, 0644);
                form.act(scene, scene.root(), pair[0], pair[1]).ok();
                owned(
                        scene,
                        pair[0] == KEEP ? Actor.OWNER.uid() : pair[0],
                        pair[1] == KEEP ? Actor.OWNER.gid() : pair[1],
                        "x");
                owned(scene, 0, 0, "s");
            });
        }
        rules.add(PAGE, form.phrase + " sets ctime alone of " + type, scene -> {
            prepare(scene, type, Actor.OWNER, 0644);
            Times times = scene.times("x", ".");
            form.act(scene, scene.root(), STRANGE, STRANGE).ok();
            times.exactly("x", "c").kept(".", "amc");
        });
        rules.add(PAGE, form.phrase + " leaves type, permissions, links and size of " + type, scene -> {
            prepare(scene, type, Actor.OWNER, 0751);
            Stat before = scene.stat("x");
            form.act(scene, scene.root(), STRANGE, STRANGE).ok();
            Stat after = scene.stat("x");
            scene.equal("mode", before.mode(), after.mode());
            scene.equal("links", before.links(), after.links());
            scene.equal("size", before.size(), after.size());
        });
    }

    private static String id(int id) {
        return id == KEEP ? "whom it is" : Integer.toUnsignedString(id);
    }

    private static void privileges(Rules rules, Form form, FileType type) {
        for (Actor actor : PathRules.JUDGED) {
            refused(rules, form, type, actor, "another owner", Actor.OTHER.uid() + 100, KEEP);
            refused(rules, form, type, actor, "root", 0, 0);
            refused(rules, form, type, actor, "a group that is not the caller's", KEEP, STRANGE);
            if (actor != Actor.OWNER) {
                refused(rules, form, type, actor, "the caller", actor.uid(), KEEP);
                refused(rules, form, type, actor, "the caller's group", KEEP, actor.gid());
                refused(rules, form, type, actor, "its owner and its group", Actor.OWNER.uid(), Actor.OWNER.gid());
            }
        }
        rules.add(PAGE, form.phrase + ": the owner may give " + type + " to who has it", scene -> {
            prepare(scene, type, Actor.OWNER, 0644);
            form.act(scene, scene.as(Actor.OWNER), Actor.OWNER.uid(), Actor.OWNER.gid())
                    .ok();
            form.act(scene, scene.as(Actor.OWNER), Actor.OWNER.uid(), KEEP).ok();
            form.act(scene, scene.as(Actor.OWNER), KEEP, Actor.OWNER.gid()).ok();
            owned(scene, Actor.OWNER.uid(), Actor.OWNER.gid(), "x");
        });
        rules.add(PAGE, form.phrase + ": the owner may give " + type + " to a supplementary group", scene -> {
            prepare(scene, type, Actor.MEMBER, 0644);
            for (int gid : Actor.MEMBER.groups()) {
                form.act(scene, scene.as(Actor.MEMBER), KEEP, gid).ok();
                owned(scene, Actor.MEMBER.uid(), gid, "x");
            }
            form.act(scene, scene.as(Actor.MEMBER), Actor.MEMBER.uid(), Actor.MEMBER.gid())
                    .ok();
            owned(scene, Actor.MEMBER.uid(), Actor.MEMBER.gid(), "x");
        });
    }

    private static void refused(Rules rules, Form form, FileType type, Actor actor, String whom, int uid, int gid) {
        rules.add(PAGE, form.phrase + ": EPERM for giving " + type + " to " + whom + ", as " + actor, scene -> {
            prepare(scene, type, Actor.OWNER, type == SYMLINK ? 0777 : 06777);
            Stat before = scene.stat("x");
            Times times = scene.times("x");
            form.act(scene, scene.as(actor), uid, gid).fails(EPERM);
            owned(scene, Actor.OWNER.uid(), Actor.OWNER.gid(), "x");
            scene.equal("mode", before.mode(), scene.stat("x").mode());
            times.kept("x", "mc");
        });
    }

    /** An executable loses its set-id bits to whoever calls; a directory keeps them, and so does S_ISGID for locking. */
    private static void setId(Rules rules, Form form, FileType type) {
        if (type == SYMLINK) {
            return;
        }
        for (int mode : List.of(04755, 02755, 06755, 06711, 02644, 06644, 01755, 07777)) {
            int cleared = mode & ~S_ISUID & ((mode & 0010) != 0 ? ~S_ISGID : ~0);
            int expected = type == DIRECTORY ? mode : cleared;
            for (Actor actor : List.of(Actor.ROOT, Actor.OWNER)) {
                String text = "%s by %s makes 0%o of 0%o of %s".formatted(form.phrase, actor, expected, mode, type);
                rules.add(PAGE, text, scene -> {
                    prepare(scene, type, Actor.OWNER, mode);
                    form.act(scene, scene.as(actor), KEEP, Actor.OWNER.gid()).ok();
                    scene.permissions(expected, "x");
                });
            }
        }
    }

    private static void whichFile(Rules rules) {
        for (FileType type : FileType.TARGETS) {
            rules.add("lchown(2)", "changes a symbolic link, not " + type + " that it leads to", scene -> {
                scene.make(type, "x");
                scene.root().symlink("x", "s").ok();
                Times times = scene.times("x");
                scene.root().lchown("s", STRANGE, STRANGE).ok();
                owned(scene, STRANGE, STRANGE, "s");
                owned(scene, 0, 0, "x");
                times.kept("x", "amc");
            });
        }
        rules.add(PAGE, "EINVAL for flags that there are not", scene -> {
            scene.make(REGULAR, "x");
            scene.root().call(Syscall.FCHOWNAT, AT_FDCWD, "x", 1, 1, 1).fails(EINVAL);
            owned(scene, 0, 0, "x");
        });
        rules.add("fchown(2)", "EBADF for a descriptor that is not open", scene -> {
            scene.root().fchown(-1, 0, 0).fails(EBADF);
            scene.root().fchown(1 << 20, 0, 0).fails(EBADF);
        });
    }

    private static void groups(Rules rules) {
        rules.add(PAGE, "rights follow the new owner and group at once", scene -> {
            scene.makeOwned(REGULAR, "x", 0640);
            scene.as(Actor.FELLOW).open("x", O_RDONLY).ok();
            scene.as(Actor.OTHER).open("x", O_RDONLY).fails(EACCES);
            scene.root().chown("x", Actor.OTHER.uid(), Actor.OTHER.gid()).ok();
            scene.as(Actor.OTHER).open("x", O_RDWR).ok();
            scene.as(Actor.FELLOW).open("x", O_RDONLY).fails(EACCES);
            scene.as(Actor.OWNER).open("x", O_RDONLY).fails(EACCES);
            scene.as(Actor.OTHER).chmod("x", 0604).ok();
            scene.as(Actor.OWNER).chmod("x", 0600).fails(EPERM);
        });
        for (int gid : Actor.MEMBER.groups()) {
            rules.add(PAGE, "each supplementary group counts: " + gid, scene -> {
                scene.make(REGULAR, "x", 0660);
                scene.root().chown("x", 0, gid).ok();
                scene.as(Actor.MEMBER).open("x", O_RDWR).ok();
                scene.root().chmod("x", 0606).ok();
                scene.as(Actor.MEMBER).open("x", O_RDONLY).fails(EACCES);
            });
        }
    }
}
