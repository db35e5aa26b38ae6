package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EADDRINUSE;
import static io.fusecache.testkit.posix.scene.Errno.ECONNREFUSED;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ELOOP;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.ENOTDIR;
import static io.fusecache.testkit.posix.scene.Errno.EPROTOTYPE;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SOCKET;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.SOCK_DGRAM;
import static io.fusecache.testkit.posix.scene.Flags.SOCK_SEQPACKET;
import static io.fusecache.testkit.posix.scene.Flags.SOCK_STREAM;

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
import java.util.Map;
import java.util.TreeMap;

/** unix(7): sockets that have a name in a file system, and who may connect to them. */
final class SocketRules {
    private static final Map<Integer, String> KINDS = new TreeMap<>(
            Map.of(SOCK_STREAM, "SOCK_STREAM", SOCK_DGRAM, "SOCK_DGRAM", SOCK_SEQPACKET, "SOCK_SEQPACKET"));

    /** The size of sun_path. */
    private static final int LONGEST = 108;

    private SocketRules() {}

    static void add(Rules rules) {
        for (int kind : KINDS.keySet()) {
            makes(rules, kind);
            for (FileType type : FileType.values()) {
                rules.add("bind(2)", "EADDRINUSE where there is " + type + ", of " + KINDS.get(kind), scene -> {
                    scene.make(type, "x");
                    Times times = scene.times("x", ".");
                    bind(scene.root(), kind, "x").fails(EADDRINUSE);
                    times.kept("x", "amc").kept(".", "amc");
                    scene.type(type, "x");
                    scene.absent("nowhere");
                });
            }
            connects(rules, kind);
        }
        paths(rules);
        for (Actor actor : PathRules.JUDGED) {
            for (int granted : PathRules.CLASS_BITS) {
                rights(rules, actor, granted);
            }
        }
        refusals(rules);
    }

    private static Outcome bind(Caller caller, int kind, String path) {
        return caller.bind(caller.socket(kind).okInt(), path);
    }

    private static Outcome connect(Caller caller, int kind, String path) {
        return caller.connect(caller.socket(kind).okInt(), path);
    }

    /** A socket that takes connections. */
    private static int listening(Caller caller, int kind, String path) {
        int socket = caller.socket(kind).okInt();
        caller.bind(socket, path).ok();
        if (kind != SOCK_DGRAM) {
            caller.call(Syscall.LISTEN, socket, 5).ok();
        }
        return socket;
    }

    private static void makes(Rules rules, int kind) {
        for (int umask : List.of(0, 022, 077, 0777)) {
            String text =
                    "makes a socket of permissions 0777 less a umask of 0%o, of %s".formatted(umask, KINDS.get(kind));
            rules.add("bind(2)", text, scene -> {
                scene.umask(umask);
                bind(scene.root(), kind, "x").ok();
                scene.type(SOCKET, "x");
                scene.permissions(0777 & ~umask, "x");
                scene.links(1, "x");
                scene.equal("size", 0L, scene.stat("x").size());
            });
        }
        for (Actor actor : Actor.values()) {
            rules.add("bind(2)", "the socket is the caller's, as " + actor + ", of " + KINDS.get(kind), scene -> {
                bind(scene.as(actor), kind, "x").ok();
                Stat stat = scene.stat("x");
                scene.equal("owner", actor.uid(), stat.uid());
                scene.equal("group", actor.gid(), stat.gid());
            });
        }
        rules.add("bind(2)", "sets the times of the directory, of " + KINDS.get(kind), scene -> {
            Times times = scene.times(".");
            bind(scene.root(), kind, "x").ok();
            times.exactly(".", "mc");
        });
        rules.add("bind(2)", "EINVAL for a socket that has a name, of " + KINDS.get(kind), scene -> {
            int socket = scene.root().socket(kind).okInt();
            scene.root().bind(socket, "x").ok();
            scene.root().bind(socket, "y").fails(EINVAL);
            scene.absent("y");
        });
        rules.add("bind(2)", "the name outlives the socket, of " + KINDS.get(kind), scene -> {
            int socket = scene.root().socket(kind).okInt();
            scene.root().bind(socket, "x").ok();
            scene.root().close(socket).ok();
            scene.type(SOCKET, "x");
            bind(scene.root(), kind, "x").fails(EADDRINUSE);
            scene.root().unlink("x").ok();
            bind(scene.root(), kind, "x").ok();
        });
    }

    private static void paths(Rules rules) {
        rules.add("bind(2)", "a path may have 108 bytes, without a NUL", scene -> {
            String longest = "n".repeat(LONGEST);
            bind(scene.root(), SOCK_STREAM, longest).ok();
            scene.type(SOCKET, longest);
        });
        rules.add("bind(2)", "EINVAL for a path of 109 bytes", scene -> {
            bind(scene.root(), SOCK_STREAM, "n".repeat(LONGEST + 1)).fails(EINVAL);
            scene.equal("names", List.of(), scene.names("."));
        });
        rules.add("bind(2)", "the group of a set-group-id directory", scene -> {
            scene.makeOwned(DIRECTORY, "d", 02777);
            bind(scene.as(Actor.OTHER), SOCK_STREAM, "d/x").ok();
            scene.equal("owner", Actor.OTHER.uid(), scene.stat("d/x").uid());
            scene.equal("group", Actor.OWNER.gid(), scene.stat("d/x").gid());
        });
        for (String page : List.of("bind(2)", "connect(2)")) {
            rules.add(page, "ENOENT where a component of the path prefix is missing", scene -> {
                named(scene, page, "missing/x").fails(ENOENT);
            });
            rules.add(page, "ENOENT where the path prefix is a dangling symbolic link", scene -> {
                scene.make(SYMLINK, "s");
                named(scene, page, "s/x").fails(ENOENT);
            });
            rules.add(page, "ELOOP where the path prefix is a symbolic link to itself", scene -> {
                scene.root().symlink("s", "s").ok();
                named(scene, page, "s/x").fails(ELOOP);
            });
            for (FileType type : FileType.OBJECTS) {
                rules.add(page, "ENOTDIR where a component of the prefix is " + type, scene -> {
                    scene.make(type, "f");
                    named(scene, page, "f/x").fails(ENOTDIR);
                });
            }
        }
        rules.add("connect(2)", "ENOENT where the file is missing", scene -> {
            connect(scene.root(), SOCK_STREAM, "x").fails(ENOENT);
        });
        rules.add("connect(2)", "ENOENT where the path is a dangling symbolic link", scene -> {
            scene.make(SYMLINK, "s");
            connect(scene.root(), SOCK_STREAM, "s").fails(ENOENT);
        });
    }

    private static Outcome named(Scene scene, String page, String path) {
        return page.equals("bind(2)")
                ? bind(scene.root(), SOCK_STREAM, path)
                : connect(scene.root(), SOCK_STREAM, path);
    }

    /** To make a name wants writing and searching, to connect wants writing. */
    private static void rights(Rules rules, Actor actor, int granted) {
        String whose = " permissions %d for %s".formatted(granted, actor);
        rules.add("bind(2)", "in a directory with" + whose, scene -> {
            scene.makeOwned(DIRECTORY, "d", PathRules.mode(actor, ~granted & 07, granted));
            bind(scene.as(actor), SOCK_STREAM, "d/x").is((granted & 3) == 3, EACCES);
        });
        rules.add("connect(2)", "to a socket with" + whose, scene -> {
            listening(scene.root(), SOCK_STREAM, "x");
            scene.root().lchown("x", Actor.OWNER.uid(), Actor.OWNER.gid()).ok();
            scene.root()
                    .chmod("x", PathRules.mode(actor, ~granted & 07, granted))
                    .ok();
            connect(scene.as(actor), SOCK_STREAM, "x").is((granted & 2) != 0, EACCES);
        });
        rules.add("connect(2)", "to a socket in a directory with" + whose, scene -> {
            scene.makeOwned(DIRECTORY, "d", 0777);
            listening(scene.root(), SOCK_STREAM, "d/x");
            scene.root()
                    .chmod("d", PathRules.mode(actor, ~granted & 07, granted))
                    .ok();
            connect(scene.as(actor), SOCK_STREAM, "d/x").is((granted & 1) != 0, EACCES);
        });
    }

    private static void connects(Rules rules, int kind) {
        String of = ", of " + KINDS.get(kind);
        rules.add("connect(2)", "what is written comes out at the other end" + of, scene -> {
            Caller root = scene.root();
            int server = listening(root, kind, "x");
            int client = root.socket(kind).okInt();
            root.connect(client, "x").ok();
            int end = kind == SOCK_DGRAM ? server : root.accept(server).okInt();
            root.write(client, "bytes").is(5);
            root.read(end, 100).is(5);
            scene.equal("bytes", "bytes", new String(root.buffered(5), java.nio.charset.StandardCharsets.US_ASCII));
        });
        rules.add("connect(2)", "follows a symbolic link" + of, scene -> {
            listening(scene.root(), kind, "x");
            scene.root().symlink("x", "s").ok();
            connect(scene.root(), kind, "s").ok();
        });
        rules.add("connect(2)", "any name of the socket will do" + of, scene -> {
            listening(scene.root(), kind, "x");
            scene.make(DIRECTORY, "d").root().link("x", "d/y").ok();
            scene.root().unlink("x").ok();
            connect(scene.root(), kind, "d/y").ok();
            connect(scene.root(), kind, "x").fails(ENOENT);
        });
        rules.add("connect(2)", "a socket keeps its owner when it is renamed" + of, scene -> {
            listening(scene.root(), kind, "x");
            scene.make(DIRECTORY, "d").root().rename("x", "d/y").ok();
            scene.root().rename("d", "e").ok();
            connect(scene.root(), kind, "e/y").ok();
        });
        rules.add("connect(2)", "ECONNREFUSED where the socket was closed" + of, scene -> {
            int server = listening(scene.root(), kind, "x");
            scene.root().close(server).ok();
            connect(scene.root(), kind, "x").fails(ECONNREFUSED);
        });
        rules.add("connect(2)", "ECONNREFUSED where another file has the name now" + of, scene -> {
            listening(scene.root(), kind, "x");
            scene.make(SOCKET, "y").root().rename("y", "x").ok();
            connect(scene.root(), kind, "x").fails(ECONNREFUSED);
        });
        for (int other : KINDS.keySet()) {
            if (other != kind) {
                rules.add("connect(2)", "EPROTOTYPE to one of " + KINDS.get(other) + of, scene -> {
                    listening(scene.root(), other, "x");
                    connect(scene.root(), kind, "x").fails(EPROTOTYPE);
                });
            }
        }
    }

    private static void refusals(Rules rules) {
        for (FileType type : FileType.TARGETS) {
            rules.add("connect(2)", "ECONNREFUSED by " + type + " that no socket is bound to", scene -> {
                scene.make(type, "x");
                connect(scene.root(), SOCK_STREAM, "x").fails(ECONNREFUSED);
            });
            rules.add("connect(2)", "EACCES by " + type + " that may not be written", scene -> {
                scene.make(type, "x");
                connect(scene.as(Actor.OTHER), SOCK_STREAM, "x").fails(EACCES);
            });
        }
        rules.add("connect(2)", "ECONNREFUSED where nobody listens", scene -> {
            bind(scene.root(), SOCK_STREAM, "x").ok();
            connect(scene.root(), SOCK_STREAM, "x").fails(ECONNREFUSED);
        });
        rules.add("connect(2)", "changes no times of the socket but that of access", scene -> {
            listening(scene.root(), SOCK_STREAM, "x");
            Times times = scene.times("x", ".");
            connect(scene.root(), SOCK_STREAM, "x").ok();
            times.kept("x", "mc").kept(".", "mc");
        });
        rules.add("connect(2)", "what is no more than a name may be a regular file again", scene -> {
            int server = listening(scene.root(), SOCK_STREAM, "x");
            scene.root().unlink("x").ok();
            scene.make(REGULAR, "x");
            connect(scene.root(), SOCK_STREAM, "x").fails(ECONNREFUSED);
            scene.root().close(server).ok();
            scene.type(REGULAR, "x");
        });
    }
}
