package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EBUSY;
import static io.fusecache.testkit.posix.scene.Errno.EEXIST;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.FileType.CHARACTER;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.RENAME_EXCHANGE;
import static io.fusecache.testkit.posix.scene.Flags.RENAME_NOREPLACE;
import static io.fusecache.testkit.posix.scene.Flags.RENAME_WHITEOUT;
import static io.fusecache.testkit.posix.scene.Flags.W_OK;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;
import java.util.Map;

/** What renameat2(2) says of RENAME_NOREPLACE, RENAME_EXCHANGE and RENAME_WHITEOUT. */
final class RenameFlagRules {
    private static final String PAGE = "renameat2(2)";

    private RenameFlagRules() {}

    static void add(Rules rules) {
        for (FileType type : FileType.values()) {
            for (RenameRules.Where where : RenameRules.Where.values()) {
                for (FileType there : FileType.values()) {
                    exclusive(rules, type, there, where);
                    exchanged(rules, type, there, where);
                }
                freely(rules, type, where);
                whiteout(rules, type, where);
            }
        }
        sameInode(rules);
        missing(rules);
        subtrees(rules);
        rights(rules);
        flags(rules);
    }

    private static Outcome rename(Scene scene, String old, String path, int flags) {
        return scene.root().rename(old, path, flags).orNotApplicable("flags of renameat2");
    }

    private static void exclusive(Rules rules, FileType type, FileType there, RenameRules.Where where) {
        String what = ": " + type + " to " + there + ", " + where.phrase();
        rules.add(PAGE, "RENAME_NOREPLACE: EEXIST" + what, scene -> {
            where.prepare(scene).make(type, "d/x").make(there, where.path());
            Times times = scene.times("d", "e", "d/x", where.path());
            rename(scene, "d/x", where.path(), RENAME_NOREPLACE).fails(EEXIST);
            scene.type(type, "d/x");
            scene.type(there, where.path());
            times.kept("d", "amc").kept("e", "amc").kept("d/x", "amc").kept(where.path(), "amc");
        });
    }

    private static void freely(Rules rules, FileType type, RenameRules.Where where) {
        rules.add(PAGE, "RENAME_NOREPLACE moves to a free name " + type + " " + where.phrase(), scene -> {
            where.prepare(scene).make(type, "d/x");
            long ino = scene.stat("d/x").ino();
            rename(scene, "d/x", where.path(), RENAME_NOREPLACE).ok();
            scene.absent("d/x");
            scene.equal("inode", ino, scene.stat(where.path()).ino());
        });
    }

    private static void exchanged(Rules rules, FileType type, FileType there, RenameRules.Where where) {
        String what = ": " + type + " and " + there + ", " + where.phrase();
        rules.add(PAGE, "RENAME_EXCHANGE swaps" + what, scene -> {
            where.prepare(scene).make(type, "d/x").make(there, where.path());
            long x = scene.stat("d/x").ino();
            long y = scene.stat(where.path()).ino();
            Times times = scene.times("d", where.parent(), "d/x", where.path(), ".");
            rename(scene, "d/x", where.path(), RENAME_EXCHANGE).ok();
            scene.equal("inode of x", y, scene.stat("d/x").ino());
            scene.equal("inode of y", x, scene.stat(where.path()).ino());
            scene.type(there, "d/x");
            scene.type(type, where.path());
            times.exactly("d", "mc").exactly(where.parent(), "mc").kept(".", "amc");
            int inD = there == DIRECTORY ? 1 : 0;
            int inOther = type == DIRECTORY ? 1 : 0;
            if (where == RenameRules.Where.SAME) {
                scene.links(2 + inD + inOther, "d");
            } else {
                scene.links(2 + inD, "d");
                scene.links(2 + inOther, "e");
            }
        });
    }

    private static void whiteout(Rules rules, FileType type, RenameRules.Where where) {
        rules.add(
                PAGE, "RENAME_WHITEOUT leaves a character device 0, 0 behind " + type + " " + where.phrase(), scene -> {
                    where.prepare(scene).make(type, "d/x");
                    long ino = scene.stat("d/x").ino();
                    Outcome outcome = rename(scene, "d/x", where.path(), RENAME_WHITEOUT);
                    scene.needs("RENAME_WHITEOUT", () -> !outcome.failed(EINVAL));
                    outcome.ok();
                    scene.equal("inode", ino, scene.stat(where.path()).ino());
                    scene.type(CHARACTER, "d/x");
                    scene.equal("major", 0, scene.stat("d/x").deviceMajor());
                    scene.equal("minor", 0, scene.stat("d/x").deviceMinor());
                    scene.links(1, "d/x");
                });
        rules.add(PAGE, "RENAME_WHITEOUT replaces what is there by " + type + " " + where.phrase(), scene -> {
            where.prepare(scene).make(type, "d/x").make(type, where.path());
            long ino = scene.stat("d/x").ino();
            Outcome outcome = rename(scene, "d/x", where.path(), RENAME_WHITEOUT);
            scene.needs("RENAME_WHITEOUT", () -> !outcome.failed(EINVAL));
            outcome.ok();
            scene.equal("inode", ino, scene.stat(where.path()).ino());
            scene.type(CHARACTER, "d/x");
        });
    }

    private static void sameInode(Rules rules) {
        for (FileType type : FileType.LEAVES) {
            rules.add(PAGE, "RENAME_NOREPLACE: EEXIST where both are names of " + type, scene -> {
                scene.make(type, "x");
                scene.root().link("x", "y").ok();
                rename(scene, "x", "y", RENAME_NOREPLACE).fails(EEXIST);
                scene.links(2, "x");
            });
            rules.add(PAGE, "RENAME_EXCHANGE does nothing where both are names of " + type, scene -> {
                scene.make(type, "x");
                scene.root().link("x", "y").ok();
                rename(scene, "x", "y", RENAME_EXCHANGE).ok();
                scene.links(2, "x");
                scene.equal("the other name", scene.stat("x"), scene.stat("y"));
            });
        }
        for (FileType type : FileType.values()) {
            rules.add(PAGE, "RENAME_NOREPLACE: EEXIST where both paths are the one name of " + type, scene -> {
                scene.make(type, "x");
                rename(scene, "x", "x", RENAME_NOREPLACE).fails(EEXIST);
            });
            rules.add(PAGE, "RENAME_EXCHANGE does nothing where both paths are the one name of " + type, scene -> {
                scene.make(type, "x");
                rename(scene, "x", "x", RENAME_EXCHANGE).ok();
                scene.type(type, "x");
            });
        }
    }

    private static void missing(Rules rules) {
        for (FileType type : FileType.values()) {
            rules.add(PAGE, "RENAME_EXCHANGE: ENOENT where one of the names is missing, the other " + type, scene -> {
                scene.make(type, "x");
                rename(scene, "x", "missing", RENAME_EXCHANGE).fails(ENOENT);
                rename(scene, "missing", "x", RENAME_EXCHANGE).fails(ENOENT);
                scene.type(type, "x");
                scene.absent("missing");
            });
            rules.add(PAGE, "ENOENT where the old name is missing and the new one is " + type, scene -> {
                scene.make(type, "x");
                for (int flags : List.of(0, RENAME_NOREPLACE, RENAME_WHITEOUT)) {
                    rename(scene, "missing", "x", flags).fails(ENOENT, EEXIST);
                }
                scene.absent("missing");
            });
        }
    }

    private static void subtrees(Rules rules) {
        for (String inside : List.of("d/x", "d/e", "d/e/f")) {
            rules.add(PAGE, "RENAME_EXCHANGE: EINVAL for a directory and '" + inside + "' inside it", scene -> {
                scene.make(DIRECTORY, "d")
                        .make(DIRECTORY, "d/e")
                        .make(DIRECTORY, "d/e/f")
                        .make(REGULAR, "d/x");
                rename(scene, "d", inside, RENAME_EXCHANGE).fails(EINVAL);
                rename(scene, inside, "d", RENAME_EXCHANGE).fails(EINVAL);
                scene.type(DIRECTORY, "d/e/f");
            });
        }
        rules.add(PAGE, "RENAME_EXCHANGE swaps full directories with all that is in them", scene -> {
            scene.make(DIRECTORY, "d")
                    .make(DIRECTORY, "e")
                    .make(DIRECTORY, "d/one")
                    .make(DIRECTORY, "e/two");
            scene.file("d/one/x", "x").file("e/two/y", "y");
            rename(scene, "d/one", "e/two", RENAME_EXCHANGE).ok();
            scene.equal("content", "y", scene.content("d/one/y"));
            scene.equal("content", "x", scene.content("e/two/x"));
            scene.equal("parent", scene.stat("d").ino(), scene.stat("d/one/..").ino());
            scene.equal("parent", scene.stat("e").ino(), scene.stat("e/two/..").ino());
        });
        rules.add(PAGE, "RENAME_EXCHANGE twice is nothing", scene -> {
            scene.file("x", "x").make(DIRECTORY, "d").file("d/y", "y");
            rename(scene, "x", "d", RENAME_EXCHANGE).ok();
            scene.equal("content", "y", scene.content("x/y"));
            rename(scene, "x", "d", RENAME_EXCHANGE).ok();
            scene.equal("content", "x", scene.content("x"));
            scene.equal("content", "y", scene.content("d/y"));
        });
    }

    private static void rights(Rules rules) {
        for (Actor actor : PathRules.JUDGED) {
            for (int granted : PathRules.CLASS_BITS) {
                boolean may = (granted & W_OK) != 0;
                String what = " of a directory with permissions " + granted + " for " + actor;
                rules.add(PAGE, "RENAME_EXCHANGE" + (may ? "" : ": EACCES") + what + " and a file elsewhere", scene -> {
                    scene.make(DIRECTORY, "e", 0777).makeOwned(REGULAR, "e/x", 0644);
                    scene.makeOwned(DIRECTORY, "d", PathRules.mode(actor, ~granted & 07, granted));
                    scene.as(actor).rename("e/x", "d", RENAME_EXCHANGE).is(may, EACCES);
                });
            }
            rules.add(
                    PAGE, "RENAME_EXCHANGE: EACCES where one of the parents may not be written, as " + actor, scene -> {
                        scene.make(DIRECTORY, "d", 0777).makeOwned(REGULAR, "d/x", 0644);
                        scene.make(DIRECTORY, "e", 0755).makeOwned(REGULAR, "e/x", 0644);
                        scene.as(actor).rename("d/x", "e/x", RENAME_EXCHANGE).fails(EACCES);
                        scene.as(actor).rename("e/x", "d/x", RENAME_EXCHANGE).fails(EACCES);
                    });
        }
    }

    private static void flags(Rules rules) {
        Map<String, Integer> wrong = Map.of(
                "RENAME_NOREPLACE|RENAME_EXCHANGE",
                RENAME_NOREPLACE | RENAME_EXCHANGE,
                "RENAME_WHITEOUT|RENAME_EXCHANGE",
                RENAME_WHITEOUT | RENAME_EXCHANGE,
                "8",
                8,
                "-1",
                -1);
        wrong.forEach((name, flags) -> rules.add(PAGE, "EINVAL for the flags " + name, scene -> {
            scene.make(REGULAR, "x").make(REGULAR, "y");
            scene.root().rename("x", "y", flags).fails(EINVAL);
            scene.root().rename("x", "new", flags).fails(EINVAL);
            scene.equal("names", List.of("x", "y"), scene.names("."));
        }));
        for (String dots : List.of(".", "..", "d/.", "d/..")) {
            rules.add(PAGE, "RENAME_NOREPLACE: EEXIST, EBUSY or EINVAL to '" + dots + "'", scene -> {
                scene.make(REGULAR, "x").make(DIRECTORY, "d");
                rename(scene, "x", dots, RENAME_NOREPLACE).fails(EEXIST, EBUSY, EINVAL);
            });
            rules.add(PAGE, "RENAME_EXCHANGE: EBUSY or EINVAL with '" + dots + "'", scene -> {
                scene.make(REGULAR, "x").make(DIRECTORY, "d");
                rename(scene, "x", dots, RENAME_EXCHANGE).fails(EBUSY, EINVAL);
                rename(scene, dots, "x", RENAME_EXCHANGE).fails(EBUSY, EINVAL);
            });
        }
    }
}
