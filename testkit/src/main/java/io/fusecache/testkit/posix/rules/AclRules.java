package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENODATA;
import static io.fusecache.testkit.posix.scene.Errno.EOPNOTSUPP;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.Errno.ERANGE;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_EACCESS;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.R_OK;
import static io.fusecache.testkit.posix.scene.Flags.W_OK;
import static io.fusecache.testkit.posix.scene.Flags.X_OK;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** acl(5): access ACLs, what they grant to whom, and how they go with the mode. */
final class AclRules {
    private static final String PAGE = "acl(5)";
    private static final List<Actor> JUDGED = List.of(Actor.OWNER, Actor.FELLOW, Actor.MEMBER, Actor.OTHER);

    private AclRules() {}

    static void add(Rules rules) {
        for (Actor actor : JUDGED) {
            for (int permissions = 0; permissions < 8; permissions++) {
                granted(rules, actor, permissions);
            }
            owners(rules, actor);
        }
        owners(rules, Actor.ROOT);
        groups(rules);
        modes(rules);
        invalid(rules);
        types(rules);
        removal(rules);
        setGroupId(rules);
    }

    /** The user's own entry with these permissions under every mask, all other entries saying the contrary. */
    private static void granted(Rules rules, Actor actor, int permissions) {
        int contrary = 7 ^ permissions;
        for (int mask = 0; mask < 8; mask++) {
            List<Acl> acls = new ArrayList<>();
            Acl all = Acl.of(contrary * 0111).withMask(mask);
            // Named as a user, with every group saying the contrary.
            acls.add(all.withUser(actor, permissions).withGroup(actor.gid(), contrary));
            // By a group's entry.
            acls.add(Acl.of(contrary << 6 | permissions << 3 | contrary)
                    .withMask(mask)
                    .withUser(Actor.ROOT, contrary));
            acls.add(Acl.of(contrary * 0111).withMask(mask).withGroup(Actor.OTHER.gid(), permissions));
            // By the class of others, and of the owner.
            acls.add(Acl.of(contrary << 6 | contrary << 3 | permissions)
                    .withMask(mask)
                    .withGroup(5, contrary));
            acls.add(Acl.of(permissions << 6 | contrary << 3 | contrary)
                    .withMask(mask)
                    .withUser(Actor.ROOT, contrary));
            for (Acl acl : acls) {
                rules.add(PAGE, acl + " grants what it says to " + actor, scene -> {
                    scene.makeOwned(REGULAR, "f", 0)
                            .makeOwned(DIRECTORY, "d", 0)
                            .file("d/inside", "");
                    acl.set(scene.root(), "f", Acl.ACCESS).is(0);
                    acl.set(scene.root(), "d", Acl.ACCESS).is(0);
                    Caller caller = scene.as(actor);
                    for (int wanted = 1; wanted < 8; wanted++) {
                        caller.faccessat2("f", wanted, AT_EACCESS).is(acl.grants(actor, wanted), EACCES);
                    }
                    caller.open("f", O_RDONLY).is(acl.grants(actor, R_OK), EACCES);
                    caller.open("f", O_WRONLY).is(acl.grants(actor, W_OK), EACCES);
                    caller.open("f", O_RDWR).is(acl.grants(actor, R_OK | W_OK), EACCES);
                    caller.open("d", O_RDONLY).is(acl.grants(actor, R_OK), EACCES);
                    caller.stat("d/inside").is(acl.grants(actor, X_OK), EACCES);
                    caller.mkdir("d/new", 0755).is(acl.grants(actor, W_OK | X_OK), EACCES);
                });
            }
        }
    }

    private static void groups(Rules rules) {
        int first = Actor.MEMBER.groups().getFirst();
        int last = Actor.MEMBER.groups().getLast();
        rules.add(PAGE, "one matching group that grants all that is wanted suffices", scene -> {
            Acl acl = Acl.of(0700).withMask(7).withGroup(first, 4).withGroup(last, 2);
            scene.makeOwned(REGULAR, "f", 0);
            acl.set(scene.root(), "f", Acl.ACCESS).is(0);
            scene.as(Actor.MEMBER).open("f", O_RDONLY).ok();
            scene.as(Actor.MEMBER).open("f", O_WRONLY).ok();
            // No single entry grants both.
            scene.as(Actor.MEMBER).open("f", O_RDWR).fails(EACCES);
        });
        rules.add(PAGE, "who is in a matching group is none of the others, even where the group grants less", scene -> {
            scene.makeOwned(REGULAR, "f", 0);
            Acl.of(0707)
                    .withMask(7)
                    .withGroup(first, 0)
                    .set(scene.root(), "f", Acl.ACCESS)
                    .is(0);
            scene.as(Actor.MEMBER).open("f", O_RDONLY).fails(EACCES);
            scene.as(Actor.OTHER).open("f", O_RDWR).ok();
        });
        rules.add(PAGE, "a named user's entry counts before the groups", scene -> {
            scene.makeOwned(REGULAR, "f", 0);
            Acl.of(0777)
                    .withMask(7)
                    .withUser(Actor.MEMBER, 0)
                    .withGroup(first, 7)
                    .set(scene.root(), "f", Acl.ACCESS)
                    .is(0);
            scene.as(Actor.MEMBER).open("f", O_RDONLY).fails(EACCES);
            scene.as(Actor.FELLOW).open("f", O_RDONLY).ok();
        });
        rules.add(PAGE, "an ACL may have 100 entries", scene -> {
            Acl acl = Acl.of(0700).withMask(7);
            for (int i = 0; i < 50; i++) {
                acl = acl.with(Acl.USER, 4, 70_000 + i).withGroup(80_000 + i, 2);
            }
            acl = acl.withUser(Actor.OTHER, 6);
            scene.makeOwned(REGULAR, "f", 0);
            acl.set(scene.root(), "f", Acl.ACCESS).is(0);
            scene.equal("ACL", acl, Acl.get(scene.root(), "f", Acl.ACCESS));
            scene.as(Actor.OTHER).open("f", O_RDWR).ok();
            scene.as(Actor.FELLOW).open("f", O_RDONLY).fails(EACCES);
        });
    }

    private static void owners(Rules rules, Actor actor) {
        boolean may = actor == Actor.OWNER || actor == Actor.ROOT;
        for (String attribute : List.of(Acl.ACCESS, Acl.DEFAULT)) {
            rules.add(PAGE, (may ? "may set " : "EPERM for setting ") + attribute + ", as " + actor, scene -> {
                Acl acl = Acl.of(0777).withMask(7).withUser(actor, 7);
                scene.makeOwned(DIRECTORY, "d", 0777);
                acl.set(scene.root(), "d", attribute).is(0);
                scene.as(actor)
                        .setxattr("d", attribute, acl.withMask(5).bytes(), 0)
                        .is(may, EPERM);
                scene.equal(
                        "mask",
                        may ? 5 : 7,
                        Acl.get(scene.as(actor), "d", attribute).permissions(Acl.MASK));
                scene.as(actor).removexattr("d", attribute).is(may, EPERM);
            });
        }
    }

    private static void modes(Rules rules) {
        for (int mode : List.of(0, 0077, 0123, 0640, 0707, 0754, 0777)) {
            String octal = "0" + Integer.toOctalString(mode);
            rules.add(PAGE, "a minimal ACL of " + octal + " is the mode, and leaves no attribute", scene -> {
                scene.makeOwned(REGULAR, "f", 0444);
                Acl.of(mode).set(scene.as(Actor.OWNER), "f", Acl.ACCESS).is(0);
                scene.permissions(mode, "f");
                scene.root().getxattr("f", Acl.ACCESS, 100).fails(ENODATA);
                scene.root().listxattr("f", 100).is(0);
            });
            rules.add(PAGE, "an ACL of " + octal + " with a mask shows in the mode", scene -> {
                for (int mask = 0; mask < 8; mask++) {
                    scene.makeOwned(REGULAR, "f" + mask, 0444);
                    Acl acl = Acl.of(mode).withMask(mask).withUser(Actor.OTHER, 6);
                    Times times = scene.times("f" + mask);
                    acl.set(scene.as(Actor.OWNER), "f" + mask, Acl.ACCESS).is(0);
                    times.exactly("f" + mask, "c");
                    scene.permissions((mode & 0707) | (mask << 3), "f" + mask);
                    scene.equal("ACL", acl, Acl.get(scene.root(), "f" + mask, Acl.ACCESS));
                }
            });
            rules.add(PAGE, "chmod to " + octal + " sets owner, mask and others of an ACL", scene -> {
                Acl acl = Acl.of(0654).withMask(6).withUser(Actor.OTHER, 7).withGroup(5, 3);
                scene.makeOwned(REGULAR, "f", 0444);
                acl.set(scene.root(), "f", Acl.ACCESS).is(0);
                scene.as(Actor.OWNER).chmod("f", mode).ok();
                scene.permissions(mode, "f");
                scene.equal("ACL", acl.changed(mode), Acl.get(scene.root(), "f", Acl.ACCESS));
                for (Actor actor : JUDGED) {
                    scene.as(actor).open("f", O_RDONLY).is(acl.changed(mode).grants(actor, R_OK), EACCES);
                    scene.as(actor).open("f", O_WRONLY).is(acl.changed(mode).grants(actor, W_OK), EACCES);
                }
            });
        }
        rules.add(PAGE, "special bits of the mode survive the setting of an ACL", scene -> {
            scene.makeOwned(DIRECTORY, "d", 07755);
            Acl.of(0700)
                    .withMask(5)
                    .withUser(Actor.OTHER, 7)
                    .set(scene.as(Actor.OWNER), "d", Acl.ACCESS)
                    .is(0);
            scene.permissions(07750, "d");
        });
        rules.add(PAGE, "chown keeps the ACL, whose owner is the new one", scene -> {
            scene.makeOwned(REGULAR, "f", 0444);
            Acl acl = Acl.of(0600).withMask(4).withUser(Actor.OWNER, 4);
            acl.set(scene.root(), "f", Acl.ACCESS).is(0);
            scene.root().chown("f", Actor.OTHER.uid(), Actor.OTHER.gid()).ok();
            scene.equal("ACL", acl, Acl.get(scene.root(), "f", Acl.ACCESS));
            scene.as(Actor.OTHER).open("f", O_RDWR).ok();
            scene.as(Actor.OWNER).open("f", O_RDONLY).ok();
            scene.as(Actor.OWNER).open("f", O_WRONLY).fails(EACCES);
        });
    }

    private static void invalid(Rules rules) {
        Acl valid = Acl.of(0640).withMask(7).withUser(Actor.OTHER, 6);
        List<Acl.Entry> e = valid.entries();
        Map<String, byte[]> bad = new LinkedHashMap<>();
        bad.put("without the owner's entry", new Acl(e.subList(1, e.size())).bytes());
        bad.put("without the group's entry", without(valid, Acl.GROUP_OBJ).bytes());
        bad.put("without the others' entry", without(valid, Acl.OTHER).bytes());
        bad.put("with a named user and no mask", without(valid, Acl.MASK).bytes());
        bad.put(
                "with two owner's entries",
                new Acl(Stream.concat(Stream.of(e.getFirst()), e.stream()).toList()).bytes());
        bad.put(
                "with two masks",
                new Acl(Stream.concat(e.stream().limit(4), e.stream().skip(3)).toList()).bytes());
        bad.put("in another order", new Acl(e.reversed()).bytes());
        bad.put("with a tag that is none", valid.with(64, 7, -1).bytes());
        bad.put("with permissions that are none", valid.with(Acl.OTHER, 8, -1).bytes());
        bad.put("cut short", Arrays.copyOf(valid.bytes(), valid.bytes().length - 1));
        bad.put("of a header's part", new byte[3]);
        bad.put("with a named user who is none", valid.with(Acl.USER, 7, -1).bytes());
        for (String attribute : List.of(Acl.ACCESS, Acl.DEFAULT)) {
            bad.forEach((text, bytes) -> rules.add(PAGE, "EINVAL for an ACL " + text + ", as " + attribute, scene -> {
                scene.make(DIRECTORY, "d");
                valid.set(scene.root(), "d", attribute).is(0);
                scene.root().setxattr("d", attribute, bytes, 0).fails(EINVAL);
                scene.equal("ACL", valid, Acl.get(scene.root(), "d", attribute));
            }));
            for (int version : List.of(0, 1, 3, -1)) {
                rules.add(PAGE, "EOPNOTSUPP for an ACL of version " + version + ", as " + attribute, scene -> {
                    scene.make(DIRECTORY, "d");
                    valid.set(scene.root(), "d", attribute).is(0);
                    scene.root()
                            .setxattr("d", attribute, valid.bytes(version), 0)
                            .fails(EOPNOTSUPP);
                });
            }
        }
    }

    private static Acl without(Acl acl, int tag) {
        return new Acl(
                acl.entries().stream().filter(entry -> entry.tag() != tag).toList());
    }

    private static void types(Rules rules) {
        Acl acl = Acl.of(0640).withMask(7).withUser(Actor.OTHER, 6);
        for (FileType type : FileType.TARGETS) {
            rules.add(PAGE, "access ACLs are for " + type, scene -> {
                scene.make(type, "x");
                acl.set(scene.root(), "x", Acl.ACCESS).is(0);
                scene.equal("ACL", acl, Acl.get(scene.root(), "x", Acl.ACCESS));
                scene.permissions(0670, "x");
                scene.root().getxattr("x", Acl.ACCESS, 0).is(acl.bytes().length);
                scene.root().getxattr("x", Acl.ACCESS, 10).fails(ERANGE);
                scene.root().listxattr("x", 100).is(Acl.ACCESS.length() + 1);
            });
            rules.add(
                    PAGE,
                    (type == DIRECTORY ? "default ACLs are for " : "EACCES for a default ACL of ") + type,
                    scene -> {
                        scene.make(DIRECTORY, "probe").make(type, "x");
                        acl.set(scene.root(), "probe", Acl.DEFAULT).is(0);
                        scene.root().setxattr("x", Acl.DEFAULT, acl.bytes(), 0).is(type == DIRECTORY, EACCES);
                        scene.permissions(type == DIRECTORY ? 0755 : 0644, "x");
                    });
        }
        rules.add(PAGE, "EOPNOTSUPP for an ACL of a symbolic link", scene -> {
            scene.make(REGULAR, "probe").make(SYMLINK, "s");
            acl.set(scene.root(), "probe", Acl.ACCESS).is(0);
            byte[] bytes = acl.bytes();
            scene.root()
                    .call(Syscall.LSETXATTR, "s", Acl.ACCESS, bytes, bytes.length, 0)
                    .fails(EOPNOTSUPP);
            scene.root().call(Syscall.LGETXATTR, "s", Acl.ACCESS, 0, 0).fails(EOPNOTSUPP, ENODATA);
        });
    }

    private static void removal(Rules rules) {
        rules.add(PAGE, "the mode stays when the access ACL is removed, and its mask becomes the group's", scene -> {
            scene.makeOwned(REGULAR, "f", 0444);
            Acl.of(0604)
                    .withMask(6)
                    .withUser(Actor.OTHER, 7)
                    .set(scene.root(), "f", Acl.ACCESS)
                    .is(0);
            Times times = scene.times("f");
            scene.as(Actor.OWNER).removexattr("f", Acl.ACCESS).is(0);
            times.exactly("f", "c");
            scene.permissions(0664, "f");
            scene.root().getxattr("f", Acl.ACCESS, 100).fails(ENODATA);
            scene.as(Actor.FELLOW).open("f", O_RDWR).ok();
            scene.as(Actor.OTHER).open("f", O_WRONLY).fails(EACCES);
        });
        rules.add(PAGE, "a default ACL that is removed is inherited no more", scene -> {
            scene.make(DIRECTORY, "d");
            Acl.of(0700)
                    .withMask(7)
                    .withUser(Actor.OTHER, 7)
                    .set(scene.root(), "d", Acl.DEFAULT)
                    .is(0);
            scene.root().removexattr("d", Acl.DEFAULT).is(0);
            scene.root().getxattr("d", Acl.DEFAULT, 100).fails(ENODATA);
            scene.file("d/f", "");
            scene.permissions(0644, "d/f");
        });
        rules.add(PAGE, "an empty ACL is none", scene -> {
            scene.make(DIRECTORY, "d");
            for (String attribute : List.of(Acl.ACCESS, Acl.DEFAULT)) {
                Acl.of(0700)
                        .withMask(7)
                        .withUser(Actor.OTHER, 7)
                        .set(scene.root(), "d", attribute)
                        .is(0);
                new Acl(List.of()).set(scene.root(), "d", attribute).is(0);
                scene.root().getxattr("d", attribute, 100).fails(ENODATA);
            }
        });
    }

    private static void setGroupId(Rules rules) {
        for (Actor owner : List.of(Actor.OWNER, Actor.OTHER, Actor.ROOT)) {
            boolean kept = owner != Actor.OTHER;
            String text = "set-group-ID " + (kept ? "stays" : "goes") + " when an ACL is set by " + owner
                    + " on a file of " + (kept ? "its group" : "a group that it is not in");
            rules.add(PAGE, text, scene -> {
                scene.make(REGULAR, "f", 0755);
                scene.root().chown("f", owner.uid(), Actor.OWNER.gid()).ok();
                scene.root().chmod("f", 02755).ok();
                Acl.of(0755)
                        .withMask(5)
                        .withUser(Actor.MEMBER, 5)
                        .set(scene.as(owner), "f", Acl.ACCESS)
                        .is(0);
                scene.permissions(kept ? 02755 : 0755, "f");
            });
        }
    }
}
