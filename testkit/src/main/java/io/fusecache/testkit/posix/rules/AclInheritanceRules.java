package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.ENODATA;
import static io.fusecache.testkit.posix.scene.FileType.CHARACTER;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SOCKET;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_EMPTY_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_TMPFILE;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import java.util.List;

/** acl(5): what new files get of their directory's default ACL, in the umask's place. */
final class AclInheritanceRules {
    private static final String PAGE = "acl(5)";

    private static final List<Acl> DEFAULTS = List.of(
            Acl.of(0750),
            Acl.of(0777),
            Acl.of(0),
            Acl.of(0640).withMask(6).withUser(Actor.OTHER, 7),
            Acl.of(0777).withMask(7).withUser(Actor.OTHER, 7).withGroup(Actor.OTHER.gid(), 5),
            Acl.of(0070).withMask(4).withGroup(Actor.MEMBER.gid(), 6));

    /** How a file is made: with a mode, at a path. */
    private record Maker(FileType type, String what, Act act) {}

    @FunctionalInterface
    private interface Act {
        void make(Scene scene, String path, int mode);
    }

    private static final List<Maker> MAKERS = List.of(
            new Maker(
                    REGULAR,
                    "open",
                    (s, p, m) -> s.root()
                            .close(s.root().open(p, O_CREAT | O_RDWR, m).okInt())
                            .ok()),
            new Maker(
                    REGULAR,
                    "mknod",
                    (s, p, m) -> s.root().mknod(p, REGULAR.bits() | m, 0).ok()),
            new Maker(DIRECTORY, "mkdir", (s, p, m) -> s.root().mkdir(p, m).ok()),
            new Maker(
                    FIFO,
                    "mknod",
                    (s, p, m) -> s.root().mknod(p, FIFO.bits() | m, 0).ok()),
            new Maker(
                    SOCKET,
                    "mknod",
                    (s, p, m) -> s.root().mknod(p, SOCKET.bits() | m, 0).ok()),
            new Maker(
                    CHARACTER,
                    "mknod",
                    (s, p, m) -> s.root()
                            .mknod(p, CHARACTER.bits() | m, Scene.device(1, 3))
                            .ok()),
            new Maker(REGULAR, "O_TMPFILE", (s, p, m) -> {
                int fd = s.root()
                        .open("d", O_TMPFILE | O_RDWR, m)
                        .orNotApplicable("O_TMPFILE")
                        .okInt();
                s.root().linkAt(fd, "", p, AT_EMPTY_PATH).ok();
            }));

    private AclInheritanceRules() {}

    static void add(Rules rules) {
        for (Acl acl : DEFAULTS) {
            for (Maker maker : MAKERS) {
                for (int mode : List.of(0777, 0666, 0640, 0070, 0)) {
                    inherited(rules, acl, maker, mode);
                }
            }
            rules.add(PAGE, "default ACL " + acl + " does not judge access to its directory", scene -> {
                scene.makeOwned(DIRECTORY, "d", 0755).file("d/f", "");
                acl.set(scene.root(), "d", Acl.DEFAULT).is(0);
                scene.permissions(0755, "d");
                scene.as(Actor.OTHER).open("d", O_RDONLY).ok();
                scene.as(Actor.OTHER).stat("d/f").ok();
                scene.as(Actor.OTHER).mkdir("d/new", 0755).fails(EACCES);
            });
        }
        rules.add(PAGE, "a symbolic link inherits nothing", scene -> {
            scene.make(DIRECTORY, "d");
            DEFAULTS.getLast().set(scene.root(), "d", Acl.DEFAULT).is(0);
            scene.make(SYMLINK, "d/s");
            scene.root().call(Syscall.LLISTXATTR, "d/s", 0, 0).is(0);
        });
        rules.add(PAGE, "a directory that is moved keeps its ACLs, and gets none", scene -> {
            Acl acl = Acl.of(0750).withMask(7).withUser(Actor.OTHER, 7);
            scene.make(DIRECTORY, "d").make(DIRECTORY, "with").make(DIRECTORY, "without");
            acl.set(scene.root(), "d", Acl.DEFAULT).is(0);
            acl.set(scene.root(), "with", Acl.DEFAULT).is(0);
            scene.root().rename("with", "with.moved").ok();
            scene.root().rename("without", "d/without").ok();
            scene.equal("ACL", acl, Acl.get(scene.root(), "with.moved", Acl.DEFAULT));
            scene.root().getxattr("d/without", Acl.DEFAULT, 0).fails(ENODATA);
            scene.root().getxattr("d/without", Acl.ACCESS, 0).fails(ENODATA);
        });
        rules.add(PAGE, "a default ACL goes down with directories, and set-group-ID beside it", scene -> {
            Acl acl = Acl.of(0770).withMask(7).withUser(Actor.OTHER, 7);
            scene.makeOwned(DIRECTORY, "d", 02777);
            acl.set(scene.root(), "d", Acl.DEFAULT).is(0);
            scene.root().mkdir("d/e", 0777).ok();
            scene.root().mkdir("d/e/f", 0777).ok();
            scene.equal("ACL", acl, Acl.get(scene.root(), "d/e/f", Acl.DEFAULT));
            scene.equal("ACL", acl, Acl.get(scene.root(), "d/e/f", Acl.ACCESS));
            scene.permissions(02770, "d/e/f");
            scene.equal("group", Actor.OWNER.gid(), scene.stat("d/e/f").gid());
            scene.as(Actor.OTHER).mkdir("d/e/f/g", 0700).ok();
        });
    }

    private static void inherited(Rules rules, Acl acl, Maker maker, int mode) {
        String text = maker.type + " made by " + maker.what + " with mode 0" + Integer.toOctalString(mode)
                + " inherits default ACL " + acl + ", whatever the umask";
        rules.add(PAGE, text, scene -> {
            scene.make(DIRECTORY, "d");
            acl.set(scene.root(), "d", Acl.DEFAULT).is(0);
            scene.umask(0077);
            maker.act.make(scene, "d/x", mode);
            Acl expected = acl.inherited(mode);
            scene.permissions(expected.mode(), "d/x");
            if (acl.extended()) {
                scene.equal("access ACL", expected, Acl.get(scene.root(), "d/x", Acl.ACCESS));
            } else {
                scene.root().getxattr("d/x", Acl.ACCESS, 0).fails(ENODATA);
            }
            if (maker.type == DIRECTORY) {
                scene.equal("default ACL", acl, Acl.get(scene.root(), "d/x", Acl.DEFAULT));
            } else {
                scene.root().getxattr("d/x", Acl.DEFAULT, 0).fails(ENODATA);
            }
        });
    }
}
