package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.O_TRUNC;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.RENAME_EXCHANGE;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import java.util.List;

/** Who may remove, rename and replace whose files in a directory with S_ISVTX, and in one without. */
final class StickyRules {
    /** A call that takes a name {@code d/x} away or gives it another inode. */
    private enum Taking {
        REMOVE("", "removing") {
            @Override
            Outcome act(Caller caller, FileType type) {
                return RemovingRules.remove(caller, type, "d/x");
            }
        },
        RENAME("rename(2)", "renaming") {
            @Override
            Outcome act(Caller caller, FileType type) {
                return caller.rename("d/x", "d/y");
            }
        },
        MOVE_OUT("rename(2)", "moving elsewhere") {
            @Override
            Outcome act(Caller caller, FileType type) {
                return caller.rename("d/x", "y");
            }
        },
        REPLACE("rename(2)", "replacing") {
            @Override
            Outcome act(Caller caller, FileType type) {
                return caller.rename("own", "d/x");
            }
        },
        EXCHANGE("renameat2(2)", "exchanging") {
            @Override
            Outcome act(Caller caller, FileType type) {
                return caller.rename("own", "d/x", RENAME_EXCHANGE).orNotApplicable("RENAME_EXCHANGE");
            }
        };

        private final String page;
        private final String phrase;

        Taking(String page, String phrase) {
            this.page = page;
            this.phrase = phrase;
        }

        String page(FileType type) {
            return page.isEmpty() ? type == DIRECTORY ? "rmdir(2)" : "unlink(2)" : page;
        }

        /** A file of the caller's called {@code own} is there for those that need it. */
        abstract Outcome act(Caller caller, FileType type);
    }

    private static final List<Actor> OWNERS = List.of(Actor.ROOT, Actor.OWNER, Actor.OTHER);

    private StickyRules() {}

    static void add(Rules rules) {
        for (FileType type : FileType.values()) {
            for (Taking taking : Taking.values()) {
                for (Actor owner : OWNERS) {
                    for (Actor of : OWNERS) {
                        taking(rules, taking, type, owner, of);
                    }
                }
            }
        }
        harmless(rules);
    }

    /** By the owner of the directory, the owner of the file, and one who is neither. */
    private static void taking(Rules rules, Taking taking, FileType type, Actor owner, Actor of) {
        for (Actor actor : List.of(Actor.ROOT, Actor.OWNER, Actor.FELLOW)) {
            boolean may = actor == Actor.ROOT || actor == owner || actor == of;
            String what = " " + type + " of " + of + " in a directory of " + owner + ", as " + actor;
            rules.add(
                    taking.page(type),
                    (may ? "S_ISVTX grants " : "S_ISVTX: EPERM for ") + taking.phrase + what,
                    scene -> {
                        prepare(scene, type, owner, of, actor, 01777);
                        long ino = scene.stat("d/x").ino();
                        taking.act(scene.as(actor), type).is(may, EPERM);
                        if (!may) {
                            scene.equal("inode of d/x", ino, scene.stat("d/x").ino());
                            scene.type(type, "own");
                        }
                    });
            if (!may) {
                rules.add(taking.page(type), "without S_ISVTX there is no bar to " + taking.phrase + what, scene -> {
                    prepare(scene, type, owner, of, actor, 0777);
                    taking.act(scene.as(actor), type).ok();
                });
            }
        }
    }

    private static void prepare(Scene scene, FileType type, Actor owner, Actor of, Actor actor, int mode) {
        scene.makeOwned(DIRECTORY, "d", mode, owner)
                .makeOwned(type, "d/x", 0777, of)
                .makeOwned(type, "own", 0777, actor);
    }

    private static void harmless(Rules rules) {
        for (Making making : Making.values()) {
            if (!making.privileged()) {
                rules.add(making.page(), "S_ISVTX does not keep others from making" + making.form(), scene -> {
                    scene.makeOwned(DIRECTORY, "d", 01777);
                    making.act(scene.as(Actor.OTHER), "d/x").ok();
                });
            }
        }
        rules.add("link(2)", "S_ISVTX does not keep others from making", scene -> {
            scene.makeOwned(DIRECTORY, "d", 01777).makeOwned(REGULAR, "x", 0644, Actor.OTHER);
            scene.as(Actor.OTHER).link("x", "d/x").ok();
        });
        rules.add("rename(2)", "S_ISVTX does not keep others from moving in", scene -> {
            scene.makeOwned(DIRECTORY, "d", 01777).makeOwned(REGULAR, "x", 0644, Actor.OTHER);
            scene.as(Actor.OTHER).rename("x", "d/x").ok();
        });
        rules.add("open(2)", "S_ISVTX does not keep others from writing what they may write", scene -> {
            scene.makeOwned(DIRECTORY, "d", 01777).makeOwned(REGULAR, "d/x", 0666);
            int fd = scene.as(Actor.OTHER).open("d/x", O_WRONLY | O_TRUNC).okInt();
            scene.as(Actor.OTHER).write(fd, "bytes").is(5);
        });
        rules.add("rename(2)", "S_ISVTX of a moved directory itself says nothing about moving it", scene -> {
            scene.makeOwned(DIRECTORY, "d", 0777).makeOwned(DIRECTORY, "d/x", 01777);
            scene.as(Actor.OTHER).rename("d/x", "y").ok();
        });
        rules.add("unlink(2)", "S_ISVTX of the directory above says nothing", scene -> {
            scene.makeOwned(DIRECTORY, "d", 01777)
                    .makeOwned(DIRECTORY, "d/e", 0777)
                    .makeOwned(REGULAR, "d/e/x", 0644);
            scene.as(Actor.OTHER).unlink("d/e/x").ok();
        });
    }
}
