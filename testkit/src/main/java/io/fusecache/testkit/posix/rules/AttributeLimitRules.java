package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.E2BIG;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENODATA;
import static io.fusecache.testkit.posix.scene.Errno.ENOSPC;
import static io.fusecache.testkit.posix.scene.Errno.ERANGE;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Syscall;
import java.util.List;

/** xattr(7): names of every byte and length, large values and many, and what becomes of attributes when their file changes. */
final class AttributeLimitRules {
    private static final int XATTR_NAME_MAX = 255;
    private static final int XATTR_SIZE_MAX = 65536;

    private AttributeLimitRules() {}

    static void add(Rules rules) {
        for (AttributeRules.Space space : AttributeRules.Space.values()) {
            names(rules, space);
        }
        limits(rules);
        life(rules);
    }

    private static void names(Rules rules, AttributeRules.Space space) {
        String prefix = space.name.substring(0, space.name.indexOf('.') + 1);
        rules.add("setxattr(2)", "a name of " + prefix + " may have 255 bytes, and more give ERANGE", scene -> {
            AttributeRules.needed(scene, space);
            Caller root = scene.root();
            String longest = prefix + "n".repeat(XATTR_NAME_MAX - prefix.length());
            root.setxattr("probe", longest, "value").is(0);
            root.getxattr("probe", longest, 100).is(5);
            scene.expect(
                    "it is listed",
                    AttributeRules.listed(root, Syscall.LISTXATTR, "probe").contains(longest));
            root.setxattr("probe", longest + "n", "value").fails(ERANGE);
            root.getxattr("probe", longest + "n", 100).fails(ERANGE);
            root.removexattr("probe", longest + "n").fails(ERANGE);
        });
        rules.add("setxattr(2)", "EINVAL for the name " + prefix + " alone", scene -> {
            AttributeRules.needed(scene, space);
            scene.root().setxattr("probe", prefix, "value").fails(EINVAL);
            scene.root().getxattr("probe", prefix, 100).fails(EINVAL);
            scene.root().removexattr("probe", prefix).fails(EINVAL);
        });
        for (int from = 1; from < 256; from += 51) {
            int first = from;
            rules.add(
                    "setxattr(2)",
                    "names of " + prefix + " may have any byte but NUL, from " + first + " on",
                    scene -> {
                        AttributeRules.needed(scene, space);
                        Caller root = scene.root();
                        for (int i = first; i < first + 51 && i < 256; i++) {
                            String name = prefix + "a" + (char) i + "b";
                            root.setxattr("probe", name, "v" + i).is(0);
                            root.getxattr("probe", name, 100).is(("v" + i).length());
                            scene.equal("value", "v" + i, AttributeRules.text(root, ("v" + i).length()));
                            scene.expect(
                                    name + " is listed",
                                    AttributeRules.listed(root, Syscall.LISTXATTR, "probe")
                                            .contains(name));
                            root.removexattr("probe", name).is(0);
                        }
                    });
        }
        rules.add("setxattr(2)", "case matters in names of " + prefix, scene -> {
            AttributeRules.needed(scene, space);
            scene.root().setxattr("probe", prefix + "A", "upper").is(0);
            scene.root().setxattr("probe", prefix + "a", "l").is(0);
            scene.root().getxattr("probe", prefix + "A", 100).is(5);
        });
    }

    private static void limits(Rules rules) {
        for (int size :
                List.of(1, 255, 1024, 2000, 3000, 4000, 5000, 10_000, 32_768, XATTR_SIZE_MAX - 1, XATTR_SIZE_MAX)) {
            rules.add("setxattr(2)", "a value of " + size + " bytes is kept whole, or gives ENOSPC or E2BIG", scene -> {
                AttributeRules.needed(scene, AttributeRules.Space.USER);
                Caller root = scene.root();
                String value = Bytes.of(1, size);
                Outcome outcome = root.setxattr("probe", "user.large", value);
                if (outcome.succeeded()) {
                    root.getxattr("probe", "user.large", 0).is(size);
                    root.getxattr("probe", "user.large", XATTR_SIZE_MAX).is(size);
                    Bytes.same(scene, "value", value, AttributeRules.text(root, size));
                    root.getxattr("probe", "user.large", size == 1 ? 1 : size - 1)
                            .is(size == 1, ERANGE);
                } else {
                    outcome.fails(ENOSPC, E2BIG);
                    root.getxattr("probe", "user.large", 0).fails(ENODATA);
                }
            });
        }
        rules.add("setxattr(2)", "E2BIG for more than 65,536 bytes", scene -> {
            AttributeRules.needed(scene, AttributeRules.Space.USER);
            scene.root()
                    .setxattr("probe", "user.large", Bytes.of(1, XATTR_SIZE_MAX + 1))
                    .fails(E2BIG);
            scene.root().getxattr("probe", "user.large", 0).fails(ENODATA);
        });
        rules.add("setxattr(2)", "what does not fit leaves the attributes as they were", scene -> {
            AttributeRules.needed(scene, AttributeRules.Space.USER);
            Caller root = scene.root();
            root.setxattr("probe", "user.other", "other").is(0);
            Outcome outcome = root.setxattr("probe", AttributeRules.Space.USER.name, Bytes.of(1, XATTR_SIZE_MAX));
            if (!outcome.succeeded()) {
                outcome.fails(ENOSPC);
                root.getxattr("probe", AttributeRules.Space.USER.name, 100).is(5);
            }
            root.getxattr("probe", "user.other", 100).is(5);
        });
        rules.add("setxattr(2)", "a file may have 50 attributes, each with its value", scene -> {
            AttributeRules.needed(scene, AttributeRules.Space.USER);
            Caller root = scene.root();
            for (int i = 0; i < 50; i++) {
                root.setxattr("probe", "user.n" + i, "value " + i).is(0);
            }
            for (int i = 0; i < 50; i += 2) {
                root.removexattr("probe", "user.n" + i).is(0);
            }
            for (int i = 1; i < 50; i += 2) {
                root.getxattr("probe", "user.n" + i, 100).is(("value " + i).length());
                scene.equal("value", "value " + i, AttributeRules.text(root, ("value " + i).length()));
            }
            scene.equal(
                    "names",
                    26,
                    AttributeRules.listed(root, Syscall.LISTXATTR, "probe").size());
        });
        rules.add("listxattr(2)", "gives all names, or ENOSPC comes where a file has too many", scene -> {
            AttributeRules.needed(scene, AttributeRules.Space.USER);
            Caller root = scene.root();
            int made = 1;
            Outcome outcome = root.setxattr("probe", "user.m0", "v");
            while (outcome.succeeded() && made < 400) {
                outcome = root.setxattr("probe", "user." + "m".repeat(100) + made, "v");
                made += outcome.succeeded() ? 1 : 0;
            }
            if (!outcome.succeeded()) {
                outcome.fails(ENOSPC, E2BIG);
            }
            scene.equal(
                    "names",
                    made + 1,
                    AttributeRules.listed(root, Syscall.LISTXATTR, "probe").size());
        });
    }

    private static void life(Rules rules) {
        rules.add("xattr(7)", "attributes go with a file through rename, and belong to all its names", scene -> {
            AttributeRules.needed(scene, AttributeRules.Space.USER);
            Caller root = scene.root();
            root.rename("probe", "renamed").ok();
            root.link("renamed", "linked").ok();
            root.setxattr("linked", "user.more", "more").is(0);
            scene.equal(
                    "names",
                    List.of("user.more", AttributeRules.Space.USER.name),
                    AttributeRules.listed(root, Syscall.LISTXATTR, "renamed"));
            root.unlink("renamed").ok();
            root.getxattr("linked", AttributeRules.Space.USER.name, 100).is(5);
        });
        rules.add("xattr(7)", "attributes survive writing, truncation, chmod and chown", scene -> {
            AttributeRules.needed(scene, AttributeRules.Space.USER);
            Caller root = scene.root();
            root.write(root.open("probe", O_WRONLY).okInt(), "content").is(7);
            root.truncate("probe", 2).ok();
            root.chmod("probe", 0600).ok();
            root.chown("probe", 5, 5).ok();
            root.getxattr("probe", AttributeRules.Space.USER.name, 100).is(5);
        });
        rules.add("xattr(7)", "a file made anew under an old name has none", scene -> {
            AttributeRules.needed(scene, AttributeRules.Space.USER);
            scene.root().unlink("probe").ok();
            scene.make(REGULAR, "probe");
            scene.equal("names", List.of(), AttributeRules.listed(scene.root(), Syscall.LISTXATTR, "probe"));
        });
        rules.add("xattr(7)", "an open file without a name keeps its attributes, and may change them", scene -> {
            AttributeRules.needed(scene, AttributeRules.Space.USER);
            Caller root = scene.root();
            int fd = root.open("probe", O_RDONLY).okInt();
            root.unlink("probe").ok();
            root.call(Syscall.FGETXATTR, fd, AttributeRules.Space.USER.name, root.buffer(), 100)
                    .is(5);
            root.call(Syscall.FSETXATTR, fd, "user.more", "more", 4, 0).is(0);
            scene.equal(
                    "names",
                    2,
                    AttributeRules.listed(root, Syscall.FLISTXATTR, fd).size());
        });
        rules.add("xattr(7)", "a symbolic link has attributes of its own, apart from its target's", scene -> {
            AttributeRules.needed(scene, AttributeRules.Space.TRUSTED);
            Caller root = scene.root();
            root.symlink("probe", "s").ok();
            root.call(Syscall.LSETXATTR, "s", "trusted.link", "link", 4, 0).is(0);
            scene.equal(
                    "names of the link", List.of("trusted.link"), AttributeRules.listed(root, Syscall.LLISTXATTR, "s"));
            scene.equal(
                    "names of the target",
                    List.of(AttributeRules.Space.TRUSTED.name),
                    AttributeRules.listed(root, Syscall.LISTXATTR, "s"));
        });
    }
}
