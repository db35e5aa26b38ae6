package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EEXIST;
import static io.fusecache.testkit.posix.scene.Errno.EFAULT;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENODATA;
import static io.fusecache.testkit.posix.scene.Errno.EOPNOTSUPP;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.Errno.ERANGE;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.O_NONBLOCK;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.XATTR_CREATE;
import static io.fusecache.testkit.posix.scene.Flags.XATTR_REPLACE;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** xattr(7) and the calls on extended attributes: namespaces, types, rights, flags, sizes, lists. */
final class AttributeRules {
    /** A namespace, and an attribute of it. */
    enum Space {
        USER("user.suite"),
        TRUSTED("trusted.suite"),
        SECURITY("security.suite");

        final String name;

        Space(String name) {
            this.name = name;
        }

        /** Whether files of this type have such attributes. */
        boolean on(FileType type) {
            return this != USER || type == REGULAR || type == DIRECTORY;
        }

        boolean settable(Actor actor, boolean mayWrite) {
            return actor == Actor.ROOT || (this == USER && mayWrite);
        }

        boolean readable(Actor actor, boolean mayRead) {
            return actor == Actor.ROOT || this == SECURITY || (this == USER && mayRead);
        }
    }

    /** A way to name the file. */
    private enum Form {
        PATH(Syscall.SETXATTR, Syscall.GETXATTR, Syscall.LISTXATTR, Syscall.REMOVEXATTR),
        LINK(Syscall.LSETXATTR, Syscall.LGETXATTR, Syscall.LLISTXATTR, Syscall.LREMOVEXATTR),
        DESCRIPTOR(Syscall.FSETXATTR, Syscall.FGETXATTR, Syscall.FLISTXATTR, Syscall.FREMOVEXATTR);

        final Syscall set;
        final Syscall get;
        final Syscall list;
        final Syscall remove;

        Form(Syscall set, Syscall get, Syscall list, Syscall remove) {
            this.set = set;
            this.get = get;
            this.list = list;
            this.remove = remove;
        }

        Object target(Caller caller, String path) {
            return this == DESCRIPTOR
                    ? (Object) caller.open(path, O_RDONLY | O_NONBLOCK).okInt()
                    : path;
        }
    }

    private AttributeRules() {}

    static void add(Rules rules) {
        for (Space space : Space.values()) {
            for (FileType type : FileType.values()) {
                types(rules, space, type);
            }
            for (Form form : Form.values()) {
                for (FileType type : List.of(REGULAR, DIRECTORY)) {
                    flags(rules, space, form, type);
                    sizes(rules, space, form, type);
                }
            }
            for (Actor actor : Actor.values()) {
                for (int granted = 0; granted < 8; granted++) {
                    rights(rules, space, actor, granted);
                }
            }
        }
        namespaces(rules);
        for (Actor actor : Actor.values()) {
            lists(rules, actor);
            sticky(rules, actor);
        }
    }

    static String text(Caller caller, long count) {
        return new String(caller.buffered(count), StandardCharsets.ISO_8859_1);
    }

    private static Outcome set(Caller caller, Form form, Object target, String name, String value, int flags) {
        return caller.call(form.set, target, name, value.getBytes(StandardCharsets.ISO_8859_1), value.length(), flags);
    }

    /** Where the file system has attributes of this namespace. */
    static void needed(Scene scene, Space space) {
        scene.make(REGULAR, "probe")
                .root()
                .setxattr("probe", space.name, "value")
                .orNotApplicable(space.name)
                .ok();
    }

    static List<String> listed(Caller caller, Syscall call, Object target) {
        long count = caller.call(call, target, caller.buffer(), 1 << 16).ok();
        return count == 0
                ? List.of()
                : Stream.of(text(caller, count).split("\0")).sorted().toList();
    }

    private static void types(Rules rules, Space space, FileType type) {
        boolean has = space.on(type);
        String on = " of " + space.name + " on " + type;
        rules.add("lsetxattr(2)", (has ? "may be made" : "EPERM") + on, scene -> {
            needed(scene, space);
            scene.make(type, "x");
            Caller root = scene.root();
            set(root, Form.LINK, "x", space.name, "value", 0).is(has, EPERM);
            if (has) {
                root.call(Syscall.LGETXATTR, "x", space.name, root.buffer(), 100)
                        .is(5);
                scene.equal("value", "value", text(root, 5));
                scene.equal("names", List.of(space.name), listed(root, Syscall.LLISTXATTR, "x"));
                root.call(Syscall.LREMOVEXATTR, "x", space.name).is(0);
                scene.equal("names", List.of(), listed(root, Syscall.LLISTXATTR, "x"));
            }
        });
        rules.add("lgetxattr(2)", "ENODATA where there is none" + on, scene -> {
            needed(scene, space);
            scene.make(type, "x");
            scene.root().call(Syscall.LGETXATTR, "x", space.name, 0, 0).fails(ENODATA);
        });
        rules.add("lremovexattr(2)", (has ? "ENODATA where there is none" : "EPERM") + on, scene -> {
            needed(scene, space);
            scene.make(type, "x");
            scene.root().call(Syscall.LREMOVEXATTR, "x", space.name).fails(has ? ENODATA : EPERM);
        });
        if (!has) {
            return;
        }
        rules.add("setxattr(2)", "sets the time of change alone, as does its removal" + on, scene -> {
            needed(scene, space);
            scene.make(type, "x");
            Times times = scene.times("x");
            set(scene.root(), Form.LINK, "x", space.name, "value", 0).is(0);
            times.exactly("x", "c");
            times = scene.times("x");
            scene.root().call(Syscall.LREMOVEXATTR, "x", space.name).is(0);
            times.exactly("x", "c");
        });
    }

    private static void flags(Rules rules, Space space, Form form, FileType type) {
        String on = " of " + space.name + " on " + type;
        String page = form.set.name().toLowerCase(Locale.ROOT) + "(2)";
        rules.add(page, "XATTR_CREATE makes, and gives EEXIST where there is one" + on, scene -> {
            needed(scene, space);
            scene.make(type, "x");
            Caller root = scene.root();
            Object target = form.target(root, "x");
            set(root, form, target, space.name, "first", XATTR_CREATE).is(0);
            Times times = scene.times("x");
            set(root, form, target, space.name, "second", XATTR_CREATE).fails(EEXIST);
            times.kept("x", "amc");
            root.call(form.get, target, space.name, root.buffer(), 100).is(5);
            scene.equal("value", "first", text(root, 5));
        });
        rules.add(page, "XATTR_REPLACE replaces, and gives ENODATA where there is none" + on, scene -> {
            needed(scene, space);
            scene.make(type, "x");
            Caller root = scene.root();
            Object target = form.target(root, "x");
            set(root, form, target, space.name, "first", XATTR_REPLACE).fails(ENODATA);
            root.call(form.get, target, space.name, 0, 0).fails(ENODATA);
            set(root, form, target, space.name, "first", 0).is(0);
            set(root, form, target, space.name, "second", XATTR_REPLACE).is(0);
            root.call(form.get, target, space.name, root.buffer(), 100).is(6);
            scene.equal("value", "second", text(root, 6));
        });
        rules.add(form.remove.name().toLowerCase(Locale.ROOT) + "(2)", "removes one, and leaves others" + on, scene -> {
            needed(scene, space);
            scene.make(type, "x");
            Caller root = scene.root();
            Object target = form.target(root, "x");
            root.call(form.remove, target, space.name).fails(ENODATA);
            set(root, form, target, space.name, "value", 0).is(0);
            set(root, form, target, space.name + ".2", "other", 0).is(0);
            root.call(form.remove, target, space.name).is(0);
            root.call(form.get, target, space.name, 0, 0).fails(ENODATA);
            scene.equal("names", List.of(space.name + ".2"), listed(root, form.list, target));
        });
        for (int flags : List.of(4, 8, 1 << 30, -1)) {
            rules.add(page, "EINVAL for flags " + flags + on, scene -> {
                needed(scene, space);
                scene.make(type, "x");
                set(scene.root(), form, form.target(scene.root(), "x"), space.name, "v", flags)
                        .fails(EINVAL);
            });
        }
        rules.add(page, "a value gives way to a longer, a shorter and an empty one" + on, scene -> {
            needed(scene, space);
            scene.make(type, "x");
            Caller root = scene.root();
            Object target = form.target(root, "x");
            for (int size : List.of(1, 100, 1000, 10, 0, 500, 500)) {
                String value = Bytes.of(size, size);
                set(root, form, target, space.name, value, 0).is(0);
                root.call(form.get, target, space.name, root.buffer(), 10_000).is(size);
                Bytes.same(scene, "value", value, text(root, size));
            }
        });
    }

    private static void sizes(Rules rules, Space space, Form form, FileType type) {
        String on = " of " + space.name + " on " + type;
        String get = form.get.name().toLowerCase(Locale.ROOT) + "(2)";
        rules.add(get, "size 0 asks for the size, a smaller buffer gives ERANGE" + on, scene -> {
            needed(scene, space);
            scene.make(type, "x");
            Caller root = scene.root();
            Object target = form.target(root, "x");
            set(root, form, target, space.name, "0123456789", 0).is(0);
            root.call(form.get, target, space.name, 0, 0).is(10);
            root.call(form.get, target, space.name, root.buffer(), 0).is(10);
            for (int size : List.of(1, 5, 9)) {
                root.call(form.get, target, space.name, root.buffer(), size).fails(ERANGE);
            }
            for (int size : List.of(10, 11, 100_000)) {
                root.call(form.get, target, space.name, root.buffer(), size).is(10);
            }
        });
        String list = form.list.name().toLowerCase(Locale.ROOT) + "(2)";
        rules.add(list, "size 0 asks for the size, a smaller buffer gives ERANGE" + on, scene -> {
            needed(scene, space);
            scene.make(type, "x");
            Caller root = scene.root();
            Object target = form.target(root, "x");
            root.call(form.list, target, root.buffer(), 100).is(0);
            root.call(form.list, target, 0, 0).is(0);
            set(root, form, target, space.name, "value", 0).is(0);
            set(root, form, target, space.name + ".2", "value", 0).is(0);
            int bytes = 2 * space.name.length() + 4;
            root.call(form.list, target, 0, 0).is(bytes);
            root.call(form.list, target, root.buffer(), bytes - 1).fails(ERANGE);
            root.call(form.list, target, root.buffer(), 1).fails(ERANGE);
            root.call(form.list, target, root.buffer(), bytes).is(bytes);
            scene.equal("names", List.of(space.name, space.name + ".2"), listed(root, form.list, target));
        });
        rules.add(get, "EFAULT where name or value is no address" + on, scene -> {
            needed(scene, space);
            scene.make(type, "x");
            Caller root = scene.root();
            Object target = form.target(root, "x");
            set(root, form, target, space.name, "value", 0).is(0);
            root.call(form.get, target, Caller.FAULT, root.buffer(), 10).fails(EFAULT);
            root.call(form.get, target, space.name, 1, 10).fails(EFAULT);
            root.call(form.set, target, space.name, 1, 10, 0).fails(EFAULT);
            root.call(form.list, target, 1, 1000).fails(EFAULT);
        });
    }

    private static void rights(Rules rules, Space space, Actor actor, int granted) {
        String as = " of " + space.name + " where the file grants " + granted + " to the class of " + actor;
        boolean maySet = space.settable(actor, (granted & 2) != 0);
        boolean mayGet = space.readable(actor, (granted & 4) != 0);
        for (FileType type : List.of(REGULAR, DIRECTORY)) {
            String on = as + ", on " + type;
            rules.add("setxattr(2)", (maySet ? "may be made" : "EACCES or EPERM") + on, scene -> {
                granting(scene, space, actor, granted, type);
                Outcome outcome = scene.as(actor).setxattr("x", space.name, "changed");
                if (maySet) {
                    outcome.is(0);
                } else {
                    outcome.fails(space == Space.USER ? EACCES : EPERM);
                }
            });
            rules.add("removexattr(2)", (maySet ? "may be made" : "EACCES or EPERM") + on, scene -> {
                granting(scene, space, actor, granted, type);
                Outcome outcome = scene.as(actor).removexattr("x", space.name);
                if (maySet) {
                    outcome.is(0);
                } else {
                    outcome.fails(space == Space.USER ? EACCES : EPERM);
                }
            });
            rules.add("getxattr(2)", (mayGet ? "may be made" : "EACCES or ENODATA") + on, scene -> {
                granting(scene, space, actor, granted, type);
                Outcome outcome = scene.as(actor).getxattr("x", space.name, 100);
                if (mayGet) {
                    outcome.is(5);
                } else {
                    outcome.fails(space == Space.USER ? EACCES : ENODATA);
                }
            });
            rules.add("listxattr(2)", "asks for no permission" + on, scene -> {
                granting(scene, space, actor, granted, type);
                boolean shown = space != Space.TRUSTED || actor == Actor.ROOT;
                scene.equal(
                        "names",
                        shown ? List.of(space.name) : List.of(),
                        listed(scene.as(actor), Syscall.LISTXATTR, "x"));
            });
        }
    }

    private static void granting(Scene scene, Space space, Actor actor, int granted, FileType type) {
        needed(scene, space);
        scene.makeOwned(type, "x", 0777)
                .root()
                .setxattr("x", space.name, "value")
                .is(0);
        scene.root().chmod("x", PathRules.mode(actor, 07, granted)).ok();
    }

    private static void namespaces(Rules rules) {
        for (String name : List.of("nonsense.x", "nodot", "use.r", "USER.x", ".x", "users.x", "system.nonsense")) {
            for (Actor actor : List.of(Actor.ROOT, Actor.OWNER)) {
                rules.add("setxattr(2)", "EOPNOTSUPP for the name " + name + ", as " + actor, scene -> {
                    scene.makeOwned(REGULAR, "x", 0666);
                    scene.as(actor).setxattr("x", name, "value").fails(EOPNOTSUPP);
                    scene.as(actor).getxattr("x", name, 100).fails(EOPNOTSUPP);
                    scene.as(actor).removexattr("x", name).fails(EOPNOTSUPP);
                });
            }
        }
        rules.add("setxattr(2)", "ERANGE for an empty name", scene -> {
            scene.make(REGULAR, "x");
            scene.root().setxattr("x", "", "value").fails(ERANGE);
            scene.root().getxattr("x", "", 100).fails(ERANGE);
            scene.root().removexattr("x", "").fails(ERANGE);
        });
    }

    private static void lists(Rules rules, Actor actor) {
        rules.add("listxattr(2)", "shows all namespaces, but trusted ones to root alone, as " + actor, scene -> {
            for (Space space : Space.values()) {
                scene.root().unlink("probe");
                needed(scene, space);
            }
            for (Space space : Space.values()) {
                scene.root().setxattr("probe", space.name, "value").is(0);
            }
            List<String> expected = actor == Actor.ROOT
                    ? List.of("security.suite", "trusted.suite", "user.suite")
                    : List.of("security.suite", "user.suite");
            scene.equal("names", expected, listed(scene.as(actor), Syscall.LISTXATTR, "probe"));
        });
    }

    private static void sticky(Rules rules, Actor actor) {
        rules.add(
                "setxattr(2)",
                "EPERM for user attributes of a sticky directory to who does not own it, as " + actor,
                scene -> {
                    needed(scene, Space.USER);
                    scene.makeOwned(DIRECTORY, "d", 01777);
                    boolean may = actor == Actor.ROOT || actor == Actor.OWNER;
                    scene.as(actor).setxattr("d", Space.USER.name, "value").is(may, EPERM);
                });
    }
}
