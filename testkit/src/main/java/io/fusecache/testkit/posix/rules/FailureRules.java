package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EEXIST;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.EISDIR;
import static io.fusecache.testkit.posix.scene.Errno.ELOOP;
import static io.fusecache.testkit.posix.scene.Errno.ENAMETOOLONG;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.ENOTDIR;
import static io.fusecache.testkit.posix.scene.Errno.ENOTEMPTY;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.NAME_MAX;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_NOATIME;
import static io.fusecache.testkit.posix.scene.Flags.O_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_TRUNC;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.RENAME_EXCHANGE;
import static io.fusecache.testkit.posix.scene.Flags.RENAME_NOREPLACE;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Times;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** That a call which fails changes nothing: neither names, attributes nor times, of any file that it could concern. */
final class FailureRules {
    private FailureRules() {}

    /** A call in a tree that {@link #prepare} made, and why it fails. */
    private record Failing(String page, Errno errno, Actor actor, String what, Act act) {
        @FunctionalInterface
        interface Act {
            Outcome on(Caller caller);
        }
    }

    /**
     * Of root's: a full directory {@code d}, which holds {@code d/x}, {@code d/sub} and a link {@code d/s} to it; files
     * {@code x}, {@code y}; an empty directory {@code empty}.
     */
    private static List<String> prepare(Scene scene) {
        scene.make(DIRECTORY, "d").file("d/x", "inner").make(DIRECTORY, "d/sub").make(REGULAR, "d/sub/deep");
        scene.root().symlink("sub", "d/s").ok();
        scene.file("x", "outer").file("y", "other").make(DIRECTORY, "empty").make(FIFO, "p");
        return List.of(".", "d", "d/x", "d/sub", "d/sub/deep", "d/s", "x", "y", "empty", "p");
    }

    private static final List<Failing> FAILING = failing();

    private static List<Failing> failing() {
        List<Failing> all = new ArrayList<>();
        for (Actor actor : Actor.values()) {
            always(all, actor);
            if (actor != Actor.ROOT) {
                forbidden(all, actor);
            }
        }
        return all;
    }

    private static void add(List<Failing> all, String page, Errno errno, Actor actor, String what, Failing.Act act) {
        all.add(new Failing(page, errno, actor, what, act));
    }

    /** What fails for everybody, by what is there. */
    private static void always(List<Failing> all, Actor actor) {
        String longName = "n".repeat(NAME_MAX + 1);
        for (Making making : Making.values()) {
            if (!making.privileged() || actor == Actor.ROOT) {
                add(all, making.page(), EEXIST, actor, "a name that is there" + making.form(), c -> making.act(c, "x"));
                add(
                        all,
                        making.page(),
                        EEXIST,
                        actor,
                        "a link that is there" + making.form(),
                        c -> making.act(c, "d/s"));
                add(all, making.page(), ENOENT, actor, "no parent" + making.form(), c -> making.act(c, "none/n"));
                add(all, making.page(), ENOTDIR, actor, "a file as parent" + making.form(), c -> making.act(c, "x/n"));
                add(
                        all,
                        making.page(),
                        ENAMETOOLONG,
                        actor,
                        "a long name" + making.form(),
                        c -> making.act(c, longName));
            }
        }
        add(all, "link(2)", EEXIST, actor, "a name that is there", c -> c.link("x", "y"));
        add(all, "link(2)", ENOENT, actor, "nothing", c -> c.link("none", "new"));
        add(all, "rename(2)", ENOENT, actor, "nothing", c -> c.rename("none", "new"));
        add(all, "rename(2)", ENOTDIR, actor, "a directory to a file", c -> c.rename("empty", "x"));
        add(all, "rename(2)", EISDIR, actor, "a file to a directory", c -> c.rename("x", "empty"));
        add(all, "rename(2)", ENOTEMPTY, actor, "a directory to a full one", c -> c.rename("empty", "d"));
        add(all, "rename(2)", EINVAL, actor, "a directory into itself", c -> c.rename("empty", "empty/n"));
        add(all, "rename(2)", ENAMETOOLONG, actor, "to a long name", c -> c.rename("x", longName));
        add(all, "renameat2(2)", EEXIST, actor, "RENAME_NOREPLACE", c -> c.rename("x", "y", RENAME_NOREPLACE));
        add(all, "renameat2(2)", ENOENT, actor, "RENAME_EXCHANGE", c -> c.rename("x", "none", RENAME_EXCHANGE));
        add(all, "renameat2(2)", EINVAL, actor, "flags 3", c -> c.rename("x", "y", 3));
        add(all, "unlink(2)", EISDIR, actor, "a directory", c -> c.unlink("empty"));
        add(all, "unlink(2)", ENOENT, actor, "nothing", c -> c.unlink("none"));
        add(all, "rmdir(2)", ENOTEMPTY, actor, "a full directory", c -> c.rmdir("d"));
        add(all, "rmdir(2)", ENOTDIR, actor, "a file", c -> c.rmdir("x"));
        add(all, "rmdir(2)", EINVAL, actor, "a dot", c -> c.rmdir("empty/."));
        add(all, "open(2)", EISDIR, actor, "a directory, O_WRONLY", c -> c.open("empty", O_WRONLY));
        add(all, "open(2)", EISDIR, actor, "a directory, O_CREAT", c -> c.open("empty", O_CREAT, 0644));
        add(all, "open(2)", ENOTDIR, actor, "a file, O_DIRECTORY", c -> c.open("x", O_DIRECTORY));
        add(all, "open(2)", ELOOP, actor, "a link, O_NOFOLLOW", c -> c.open("d/s", O_NOFOLLOW));
        add(all, "truncate(2)", EINVAL, actor, "a negative size", c -> c.truncate("x", -1));
        add(all, "truncate(2)", EISDIR, actor, "a directory", c -> c.truncate("empty", 0));
        add(all, "chmod(2)", ENOENT, actor, "nothing", c -> c.chmod("none", 0));
        add(all, "chmod(2)", ENOTDIR, actor, "below a file", c -> c.chmod("x/n", 0));
        add(all, "chown(2)", ENOENT, actor, "nothing", c -> c.chown("none", 1, 1));
        add(all, "utimensat(2)", EINVAL, actor, "wrong nanoseconds", c -> c.utimens("x", Caller.times(1, -1, 1, 0), 0));
        add(all, "readlink(2)", EINVAL, actor, "a file", c -> c.readlink("x", 10));
    }

    /** What fails for whoever has no right. */
    private static void forbidden(List<Failing> all, Actor actor) {
        for (Making making : Making.values()) {
            if (!making.privileged()) {
                add(
                        all,
                        making.page(),
                        EACCES,
                        actor,
                        "in root's directory" + making.form(),
                        c -> making.act(c, "d/n"));
            }
        }
        add(all, "rename(2)", EACCES, actor, "out of root's directory", c -> c.rename("d/x", "n"));
        add(all, "rename(2)", EACCES, actor, "into root's directory", c -> c.rename("x", "d/n"));
        add(all, "rename(2)", EACCES, actor, "over a file in root's directory", c -> c.rename("x", "d/x"));
        add(all, "unlink(2)", EACCES, actor, "in root's directory", c -> c.unlink("d/x"));
        add(all, "rmdir(2)", EACCES, actor, "in root's directory", c -> c.rmdir("d/sub"));
        add(all, "open(2)", EACCES, actor, "root's file, O_WRONLY", c -> c.open("x", O_WRONLY));
        add(all, "open(2)", EACCES, actor, "root's file, O_TRUNC", c -> c.open("x", O_WRONLY | O_TRUNC));
        add(all, "open(2)", EPERM, actor, "root's file, O_NOATIME", c -> c.open("x", O_NOATIME));
        add(all, "truncate(2)", EACCES, actor, "root's file", c -> c.truncate("x", 0));
        add(all, "chmod(2)", EPERM, actor, "root's file", c -> c.chmod("x", 0777));
        add(all, "chmod(2)", EPERM, actor, "root's directory", c -> c.chmod("d", 0777));
        add(
                all,
                "chown(2)",
                EPERM,
                actor,
                "root's file",
                c -> c.chown("x", c.actor().uid(), -1));
        add(
                all,
                "lchown(2)",
                EPERM,
                actor,
                "root's link",
                c -> c.lchown("d/s", c.actor().uid(), -1));
        add(all, "utimensat(2)", EPERM, actor, "root's file", c -> c.utimens("x", Caller.times(1, 0, 1, 0), 0));
        add(all, "utimensat(2)", EACCES, actor, "root's file, the present", c -> c.utimens("x", 0, 0));
        add(all, "setxattr(2)", EACCES, actor, "root's file", c -> c.setxattr("x", "user.suite", "value"));
    }

    static void add(Rules rules) {
        for (Failing failing : FAILING) {
            String text =
                    "%s for %s, as %s, and nothing has changed".formatted(failing.errno, failing.what, failing.actor);
            rules.add(failing.page, text, scene -> {
                Map<String, Stat> before = new LinkedHashMap<>();
                List<String> paths = prepare(scene);
                Times times = scene.times(paths.toArray());
                for (String path : paths) {
                    before.put(path, scene.stat(path));
                }
                Outcome outcome = failing.act.on(scene.as(failing.actor));
                if (failing.page.equals("setxattr(2)")) {
                    outcome.orNotApplicable("user attributes");
                }
                outcome.fails(failing.errno);
                before.forEach((path, stat) -> {
                    times.kept(path, "amc");
                    scene.equal("attributes of " + path, stat, scene.stat(path));
                });
                scene.equal("names", List.of("d", "empty", "p", "x", "y"), scene.names("."));
                scene.equal("names in d", List.of("s", "sub", "x"), scene.names("d"));
                scene.equal("content", "outer", scene.content("x"));
            });
        }
    }
}
