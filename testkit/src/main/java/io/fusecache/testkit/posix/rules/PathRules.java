package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EEXIST;
import static io.fusecache.testkit.posix.scene.Errno.EFAULT;
import static io.fusecache.testkit.posix.scene.Errno.EISDIR;
import static io.fusecache.testkit.posix.scene.Errno.ELOOP;
import static io.fusecache.testkit.posix.scene.Errno.ENAMETOOLONG;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.ENOTDIR;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.NAME_MAX;
import static io.fusecache.testkit.posix.scene.Flags.PATH_MAX;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import java.util.List;

/** What path_resolution(7) says of every call that takes a path: limits, links, missing and mistyped components. */
final class PathRules {
    /** Symbolic links that one path may lead through. */
    private static final int LINKS_MAX = 40;

    /** Who is judged by permission bits, by the class that judges. */
    static final List<Actor> JUDGED = List.of(Actor.OWNER, Actor.FELLOW, Actor.MEMBER, Actor.OTHER);

    /** What permission bits may grant to one class of users. */
    static final List<Integer> CLASS_BITS = List.of(0, 1, 2, 3, 4, 5, 6, 7);

    private PathRules() {}

    static void add(Rules rules) {
        for (PathCall call : PathCall.ALL) {
            missing(rules, call);
            lengths(rules, call);
            links(rules, call);
            types(rules, call);
            for (Actor actor : JUDGED) {
                permissions(rules, call, actor);
            }
            rules.add(call.page(), "root needs no permission on the path prefix" + call.form(), scene -> {
                scene.makeOwned(DIRECTORY, "d", 0755);
                call.prepare(scene, scene.root(), "d/f");
                scene.root().chmod("d", 0).ok();
                call.act().on(scene.root(), "d/f").ok();
            });
        }
    }

    private static Outcome onPrepared(PathCall call, Scene scene, String made, String path) {
        call.prepare(scene, scene.root(), made);
        return call.act().on(scene.root(), path);
    }

    private static void missing(Rules rules, PathCall call) {
        String form = call.form();
        rules.add(call.page(), "ENOENT where a component of the path prefix is missing" + form, scene -> {
            scene.make(REGULAR, PathCall.SPARE);
            call.act().on(scene.root(), "missing/f").fails(ENOENT);
        });
        rules.add(call.page(), "ENOENT where the path prefix is a dangling symbolic link" + form, scene -> {
            scene.make(REGULAR, PathCall.SPARE).make(SYMLINK, "s");
            call.act().on(scene.root(), "s/f").fails(ENOENT);
        });
        rules.add(call.page(), "ENOENT where the path is empty" + form, scene -> {
            scene.make(REGULAR, PathCall.SPARE);
            call.act().on(scene.root(), "").fails(ENOENT);
        });
        rules.add(call.page(), "EFAULT where the path is no address" + form, scene -> {
            scene.make(REGULAR, PathCall.SPARE);
            call.act().on(scene.root(), Caller.FAULT).fails(EFAULT);
        });
        if (!call.last().makes()) {
            rules.add(
                    call.page(),
                    "ENOENT where the file is missing" + form,
                    scene -> call.act().on(scene.root(), "missing").fails(ENOENT));
        }
        if (call.last() == PathCall.Last.FOLLOWED) {
            rules.add(call.page(), "ENOENT where the path is a dangling symbolic link" + form, scene -> {
                scene.make(SYMLINK, "s");
                call.act().on(scene.root(), "s").fails(ENOENT);
            });
        }
        if (call.last() == PathCall.Last.MADE && !call.what().equals("new path")) {
            rules.add(call.page(), "EEXIST where the path is a dangling symbolic link" + form, scene -> {
                scene.make(SYMLINK, "s");
                call.act().on(scene.root(), "s").fails(EEXIST);
                scene.absent("nowhere");
            });
        }
        if (call.last() == PathCall.Last.MADE_THROUGH_LINK) {
            rules.add(call.page(), "makes what a dangling symbolic link leads to" + form, scene -> {
                scene.make(SYMLINK, "s");
                call.act().on(scene.root(), "s").ok();
                scene.type(SYMLINK, "s");
                scene.type(REGULAR, "nowhere");
            });
        }
    }

    private static void lengths(Rules rules, PathCall call) {
        String form = call.form();
        String longest = "n".repeat(NAME_MAX);
        rules.add(call.page(), "ENAMETOOLONG where the name has 256 bytes" + form, scene -> {
            scene.make(REGULAR, PathCall.SPARE);
            call.act().on(scene.root(), longest + "n").fails(ENAMETOOLONG);
        });
        rules.add(call.page(), "ENAMETOOLONG where a component of the prefix has 256 bytes" + form, scene -> {
            scene.make(REGULAR, PathCall.SPARE);
            call.act().on(scene.root(), longest + "n/f").fails(ENAMETOOLONG);
        });
        rules.add(
                call.page(),
                "a name may have 255 bytes" + form,
                scene -> onPrepared(call, scene, longest, longest).ok());
        rules.add(call.page(), "a component of the prefix may have 255 bytes" + form, scene -> {
            scene.make(DIRECTORY, longest);
            onPrepared(call, scene, longest + "/f", longest + "/f").ok();
        });
        rules.add(
                call.page(),
                "ENAMETOOLONG where the path has 4096 bytes" + form,
                scene -> onPrepared(call, scene, "ff", "./".repeat((PATH_MAX - 2) / 2) + "ff")
                        .fails(ENAMETOOLONG));
        rules.add(
                call.page(),
                "a path may have 4095 bytes" + form,
                scene -> onPrepared(call, scene, "f", "./".repeat((PATH_MAX - 2) / 2) + "f")
                        .ok());
        rules.add(call.page(), "a path may be 20 names of 190 bytes deep" + form, scene -> {
            String deep = scene.shared("deep", directory -> {
                        String path = directory;
                        for (int i = 0; i < 20; i++) {
                            path = path + "/" + "d".repeat(190);
                            scene.make(DIRECTORY, path);
                        }
                    })
                    + ("/" + "d".repeat(190)).repeat(20)
                    + "/";
            onPrepared(call, scene, deep + call.unique(), deep + call.unique()).ok();
        });
    }

    private static void links(Rules rules, PathCall call) {
        String form = call.form();
        rules.add(call.page(), "ELOOP where the path prefix is a symbolic link to itself" + form, scene -> {
            scene.make(REGULAR, PathCall.SPARE);
            scene.root().symlink("s", "s").ok();
            call.act().on(scene.root(), "s/f").fails(ELOOP);
        });
        rules.add(call.page(), "ELOOP where two symbolic links of the prefix lead to each other" + form, scene -> {
            scene.make(REGULAR, PathCall.SPARE);
            scene.root().symlink("b", "a").ok();
            scene.root().symlink("a", "b").ok();
            call.act().on(scene.root(), "a/f").fails(ELOOP);
        });
        rules.add(call.page(), "the path prefix may lead through 40 symbolic links" + form, scene -> {
            String path = chain(scene, LINKS_MAX) + "/" + call.unique();
            call.prepare(scene, scene.root(), path);
            call.act().on(scene.root(), path).ok();
        });
        rules.add(call.page(), "ELOOP where the path prefix leads through 41 symbolic links" + form, scene -> {
            scene.make(REGULAR, PathCall.SPARE);
            call.act().on(scene.root(), chain(scene, LINKS_MAX + 1) + "/f").fails(ELOOP);
        });
        if (call.follows()) {
            rules.add(call.page(), "ELOOP where the path is a symbolic link to itself" + form, scene -> {
                scene.root().symlink("s", "s").ok();
                call.act().on(scene.root(), "s").fails(ELOOP);
            });
            rules.add(call.page(), "follows a symbolic link" + form, scene -> {
                call.prepare(scene, scene.root(), "f");
                scene.root().symlink("f", "s").ok();
                call.act().on(scene.root(), "s").ok();
            });
        }
    }

    /** A path to a directory that leads through so many symbolic links. */
    private static String chain(Scene scene, int links) {
        String shared = scene.shared("chain", directory -> {
            scene.make(DIRECTORY, directory + "/s0");
            for (int i = 1; i <= LINKS_MAX + 1; i++) {
                scene.root().symlink("s" + (i - 1), directory + "/s" + i).ok();
            }
        });
        return shared + "/s" + links;
    }

    private static void types(Rules rules, PathCall call) {
        String form = call.form();
        for (FileType type : FileType.OBJECTS) {
            rules.add(call.page(), "ENOTDIR where a component of the prefix is " + type + form, scene -> {
                scene.make(REGULAR, PathCall.SPARE).make(type, "x");
                call.act().on(scene.root(), "x/f").fails(ENOTDIR);
            });
            rules.add(
                    call.page(),
                    "ENOTDIR where a component of the prefix is a symbolic link to " + type + form,
                    scene -> {
                        scene.make(REGULAR, PathCall.SPARE).make(type, "x");
                        scene.root().symlink("x", "s").ok();
                        call.act().on(scene.root(), "s/f").fails(ENOTDIR);
                    });
        }
        slash(rules, call);
    }

    private static void slash(Rules rules, PathCall call) {
        String form = call.form();
        if (!call.last().makes() && call.wants() == REGULAR) {
            rules.add(
                    call.page(),
                    "ENOTDIR where a slash follows a regular file" + form,
                    scene -> onPrepared(call, scene, "f", "f/").fails(ENOTDIR));
        } else if (!call.last().makes() && call.wants() == DIRECTORY) {
            rules.add(
                    call.page(),
                    "a slash may follow a directory" + form,
                    scene -> onPrepared(call, scene, "d", "d//").ok());
        } else if (call.last().makes()) {
            rules.add(call.page(), "a slash may follow a name to be made only by mkdir" + form, scene -> {
                scene.make(REGULAR, PathCall.SPARE);
                Outcome outcome = call.act().on(scene.root(), "new/");
                if (call.page().equals("mkdir(2)")) {
                    outcome.ok();
                } else {
                    outcome.fails(ENOENT, ENOTDIR, EISDIR);
                    scene.absent("new");
                }
            });
        }
    }

    private static void permissions(Rules rules, PathCall call, Actor actor) {
        String as = call.form() + ", as " + actor;
        rules.add(call.page(), "EACCES where the parent may not be searched" + as, scene -> {
            behind(scene, call, actor, 07, 06);
            call.act().on(scene.as(actor), "d/f").fails(EACCES);
        });
        rules.add(call.page(), "EACCES where a directory above the parent may not be searched" + as, scene -> {
            scene.makeOwned(DIRECTORY, "d", 0777).makeOwned(DIRECTORY, "d/e", 0777);
            call.prepare(scene, scene.as(actor), "d/e/f");
            scene.root().chmod("d", mode(actor, 07, 06)).ok();
            call.act().on(scene.as(actor), "d/e/f").fails(EACCES);
        });
        if (call.last().changesDirectory()) {
            rules.add(call.page(), "EACCES where the parent may not be written" + as, scene -> {
                behind(scene, call, actor, 07, 05);
                call.act().on(scene.as(actor), "d/f").fails(EACCES);
            });
            rules.add(call.page(), "writing and searching the parent suffices" + as, scene -> {
                behind(scene, call, actor, 0, 03);
                call.act().on(scene.as(actor), "d/f").ok();
            });
        } else {
            rules.add(call.page(), "searching the parent suffices" + as, scene -> {
                behind(scene, call, actor, 0, 01);
                call.act().on(scene.as(actor), "d/f").ok();
            });
        }
    }

    /** The call's file in directory d, which grants this much to the actor's class and that to the others. */
    private static void behind(Scene scene, PathCall call, Actor actor, int others, int granted) {
        scene.makeOwned(DIRECTORY, "d", 0777);
        call.prepare(scene, scene.as(actor), "d/f");
        scene.root().chmod("d", mode(actor, others, granted)).ok();
    }

    /** Permission bits that grant this to the actor's class, and the rest to both others. */
    static int mode(Actor actor, int others, int granted) {
        int all = (others << 6) | (others << 3) | others;
        return (all & ~(07 << actor.shift())) | (granted << actor.shift());
    }
}
