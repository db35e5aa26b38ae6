package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.Flags.F_SETLK;
import static io.fusecache.testkit.posix.scene.Flags.F_WRLCK;
import static io.fusecache.testkit.posix.scene.Flags.LOCK_EX;
import static io.fusecache.testkit.posix.scene.Flags.LOCK_NB;
import static io.fusecache.testkit.posix.scene.Flags.MAP_SHARED;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_NOFOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_NONBLOCK;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_TRUNC;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.PROT_READ;
import static io.fusecache.testkit.posix.scene.Flags.PROT_WRITE;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;

/** What a file that is open can do after its last name has gone, in whatever way that went. */
final class NamelessRules {
    private static final String CONTENT = "bytes";

    private NamelessRules() {}

    /** How {@code d/x} loses its last name. */
    private enum Loss {
        UNLINKED("its name was removed", "unlink(2)"),
        REPLACED("another file took its name", "rename(2)"),
        RENAMED("it was renamed and removed", "unlink(2)"),
        BOTH_NAMES("both its names were removed", "unlink(2)"),
        PARENT_REMOVED("its name and its directory were removed", "rmdir(2)"),
        PARENT_MOVED("its directory was moved, and its name removed", "rename(2)"),
        NAME_TAKEN("its name was removed and made again", "unlink(2)");

        private final String phrase;
        private final String page;

        Loss(String phrase, String page) {
            this.phrase = phrase;
            this.page = page;
        }

        void happen(Scene scene) {
            Caller root = scene.root();
            switch (this) {
                case UNLINKED -> root.unlink("d/x").ok();
                case REPLACED -> {
                    scene.file("y", "another");
                    root.rename("y", "d/x").ok();
                }
                case RENAMED -> {
                    root.rename("d/x", "z").ok();
                    root.unlink("z").ok();
                }
                case BOTH_NAMES -> {
                    root.link("d/x", "z").ok();
                    root.unlink("d/x").ok();
                    root.unlink("z").ok();
                }
                case PARENT_REMOVED -> {
                    root.unlink("d/x").ok();
                    root.rmdir("d").ok();
                }
                case PARENT_MOVED -> {
                    root.rename("d", "e").ok();
                    root.unlink("e/x").ok();
                }
                case NAME_TAKEN -> {
                    root.unlink("d/x").ok();
                    scene.file("d/x", "another");
                }
            }
        }
    }

    /** What is done by the descriptor then. */
    private enum Deed {
        STAT("has no links, and all other attributes") {
            @Override
            void check(Scene scene, int fd) {
                Stat stat = scene.stat(fd);
                scene.equal("links", 0, stat.links());
                scene.equal("size", 5L, stat.size());
                scene.equal("permissions", 0644, stat.permissions());
            }
        },
        READ("is read") {
            @Override
            void check(Scene scene, int fd) {
                scene.equal("content", CONTENT, scene.content(fd));
            }
        },
        WRITE("is written and grows") {
            @Override
            void check(Scene scene, int fd) {
                scene.root().pwrite(fd, "more", 5).is(4);
                scene.equal("content", "bytesmore", scene.content(fd));
                scene.equal("size", 9L, scene.stat(fd).size());
                scene.root().fsync(fd).ok();
            }
        },
        TRUNCATE("is truncated") {
            @Override
            void check(Scene scene, int fd) {
                scene.root().ftruncate(fd, 2).ok();
                scene.equal("content", "by", scene.content(fd));
                scene.root().ftruncate(fd, 4).ok();
                scene.equal("content", "by\0\0", scene.content(fd));
            }
        },
        ALLOCATE("is allocated") {
            @Override
            void check(Scene scene, int fd) {
                scene.root()
                        .fallocate(fd, 0, 0, 10_000)
                        .orNotApplicable("fallocate")
                        .ok();
                scene.equal("size", 10_000L, scene.stat(fd).size());
            }
        },
        CHMOD("changes permissions, and ctime") {
            @Override
            void check(Scene scene, int fd) {
                Times times = scene.times(fd);
                scene.root().fchmod(fd, 0604).ok();
                scene.equal("permissions", 0604, scene.stat(fd).permissions());
                times.exactly(fd, "c");
            }
        },
        CHOWN("changes owner and group, and ctime") {
            @Override
            void check(Scene scene, int fd) {
                Times times = scene.times(fd);
                scene.root().fchown(fd, 7, 8).ok();
                scene.equal("owner", 7, scene.stat(fd).uid());
                scene.equal("group", 8, scene.stat(fd).gid());
                times.exactly(fd, "c");
            }
        },
        TIMES("takes times") {
            @Override
            void check(Scene scene, int fd) {
                scene.root().futimens(fd, Caller.times(1, 2, 3, 4)).ok();
                scene.equal("mtime", 3_000_000_004L, scene.stat(fd).mtime());
            }
        },
        ATTRIBUTES("takes extended attributes") {
            @Override
            void check(Scene scene, int fd) {
                Caller root = scene.root();
                root.call(Syscall.FSETXATTR, fd, "user.suite", new byte[] {1, 2, 3}, 3, 0)
                        .orNotApplicable("user attributes")
                        .ok();
                root.call(Syscall.FGETXATTR, fd, "user.suite", root.buffer(), 100)
                        .is(3);
                root.call(Syscall.FREMOVEXATTR, fd, "user.suite").ok();
            }
        },
        LOCK("is locked") {
            @Override
            void check(Scene scene, int fd) {
                scene.root().flock(fd, LOCK_EX | LOCK_NB).ok();
                scene.root().lock(fd, F_SETLK, F_WRLCK, SEEK_SET, 0, 0).ok();
            }
        },
        MAP("is mapped") {
            @Override
            void check(Scene scene, int fd) {
                scene.root()
                        .mmap(4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                        .ok();
            }
        },
        REOPEN("is opened anew by its descriptor's path under /proc") {
            @Override
            void check(Scene scene, int fd) {
                String path = "/proc/thread-self/fd/" + fd;
                int reader = scene.root().open(path, O_RDONLY).okInt();
                int writer = scene.root().open(path, O_WRONLY | O_TRUNC).okInt();
                scene.root().write(writer, "anew").is(4);
                scene.equal("content", "anew", scene.content(reader));
                scene.equal("content", "anew", scene.content(fd));
            }
        },
        DUPLICATE("outlives all descriptors but the last") {
            @Override
            void check(Scene scene, int fd) {
                int other = scene.root().dup(fd).okInt();
                scene.root().close(fd).ok();
                scene.equal("content", CONTENT, scene.content(other));
                scene.root().pwrite(other, "more", 5).is(4);
                scene.equal("content", "bytesmore", scene.content(other));
            }
        };

        private final String phrase;

        Deed(String phrase) {
            this.phrase = phrase;
        }

        abstract void check(Scene scene, int fd);
    }

    static void add(Rules rules) {
        for (Loss loss : Loss.values()) {
            for (Deed deed : Deed.values()) {
                rules.add(loss.page, "an open file " + deed.phrase + " after " + loss.phrase, scene -> {
                    scene.make(DIRECTORY, "d").file("d/x", CONTENT);
                    int fd = scene.root().open("d/x", O_RDWR).okInt();
                    loss.happen(scene);
                    deed.check(scene, fd);
                    if (loss == Loss.REPLACED || loss == Loss.NAME_TAKEN) {
                        scene.equal("content of who has the name", "another", scene.content("d/x"));
                        scene.links(1, "d/x");
                    }
                });
            }
            rules.add(loss.page, "a file written before and after, and never closed between: " + loss.phrase, scene -> {
                scene.make(DIRECTORY, "d");
                int fd = scene.root().open("d/x", O_CREAT | O_RDWR, 0600).okInt();
                scene.root().write(fd, "before").is(6);
                loss.happen(scene);
                scene.root().write(fd, " after").is(6);
                scene.equal("content", "before after", scene.content(fd));
                scene.root().close(fd).ok();
            });
        }
        types(rules);
    }

    private static void types(Rules rules) {
        for (FileType type : FileType.LEAVES) {
            rules.add("unlink(2)", "attributes of " + type + " without a name are those it had", scene -> {
                scene.makeOwned(type, "x", 0640);
                int fd = scene.root().open("x", O_PATH | O_NOFOLLOW).okInt();
                Stat before = scene.stat(fd);
                scene.root().unlink("x").ok();
                Stat after = scene.stat(fd);
                scene.equal("links", 0, after.links());
                scene.equal("inode", before.ino(), after.ino());
                scene.equal("mode", before.mode(), after.mode());
                scene.equal("owner", before.uid(), after.uid());
                scene.equal("mtime", before.mtime(), after.mtime());
                scene.equal("size", before.size(), after.size());
            });
        }
        rules.add("unlink(2)", "a FIFO without a name still carries bytes", scene -> {
            scene.make(FIFO, "p");
            int fd = scene.root().open("p", O_RDWR | O_NONBLOCK).okInt();
            scene.root().unlink("p").ok();
            scene.root().write(fd, "through").is(7);
            scene.root().read(fd, 100).is(7);
        });
    }
}
