package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.FileType.CHARACTER;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.Flags.O_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.O_CREAT;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_SYNC;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.SYNC_FILE_RANGE_WAIT_AFTER;
import static io.fusecache.testkit.posix.scene.Flags.SYNC_FILE_RANGE_WAIT_BEFORE;
import static io.fusecache.testkit.posix.scene.Flags.SYNC_FILE_RANGE_WRITE;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.util.List;

/** fsync(2), fdatasync(2), sync_file_range(2), syncfs(2): what they take, and that they change nothing. */
final class SyncRules {
    /** A call that makes what was written durable. */
    private record Sync(String page, String what, Act act) {
        String form() {
            return what.isEmpty() ? "" : " (" + what + ")";
        }
    }

    @FunctionalInterface
    private interface Act {
        Outcome on(Caller caller, int fd);
    }

    private static final int ALL_STEPS =
            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

    private static final List<Sync> SYNCS = List.of(
            new Sync("fsync(2)", "", Caller::fsync),
            new Sync("fdatasync(2)", "", (c, fd) -> c.call(Syscall.FDATASYNC, fd)),
            new Sync("syncfs(2)", "", (c, fd) -> c.call(Syscall.SYNCFS, fd)),
            new Sync("sync_file_range(2)", "whole", (c, fd) -> c.call(Syscall.SYNC_FILE_RANGE, fd, 0, 0, ALL_STEPS)));

    private SyncRules() {}

    static void add(Rules rules) {
        for (Sync sync : SYNCS) {
            for (int flags : List.of(O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_APPEND, O_RDWR | O_SYNC)) {
                rules.add(
                        sync.page,
                        "of bytes that another wrote, by descriptor of flags 0" + Integer.toOctalString(flags)
                                + sync.form(),
                        scene -> {
                            scene.file("f", "content");
                            Caller root = scene.root();
                            root.pwrite(root.open("f", O_WRONLY).okInt(), Bytes.of(1, 50_000), 0)
                                    .is(50_000);
                            Times times = scene.times("f");
                            sync.act.on(root, root.open("f", flags).okInt()).is(0);
                            times.kept("f", "mc");
                            Bytes.same(scene, "content", Bytes.of(1, 50_000), scene.content("f"));
                        });
            }
            rules.add(sync.page, "of a file without a name" + sync.form(), scene -> {
                Caller root = scene.root();
                int fd = root.open("f", O_CREAT | O_RDWR, 0644).okInt();
                root.write(fd, "content").is(7);
                root.unlink("f").ok();
                sync.act.on(root, fd).is(0);
                scene.equal("content", "content", scene.content(fd));
            });
            rules.add(sync.page, "of a directory after names came and went" + sync.form(), scene -> {
                Caller root = scene.root();
                scene.make(DIRECTORY, "d").file("d/a", "a").file("d/b", "b");
                root.rename("d/a", "d/c").ok();
                root.unlink("d/b").ok();
                sync.act
                        .on(root, root.open("d", O_RDONLY | O_DIRECTORY).okInt())
                        .is(0);
                scene.equal("names", List.of("c"), scene.names("d"));
            });
            rules.add(sync.page, "of a directory without a name" + sync.form(), scene -> {
                Caller root = scene.root();
                scene.make(DIRECTORY, "d");
                int fd = root.open("d", O_RDONLY | O_DIRECTORY).okInt();
                root.rmdir("d").ok();
                sync.act.on(root, fd).is(0);
            });
            for (Actor actor : Actor.values()) {
                rules.add(sync.page, "whoever has a file open may" + sync.form() + ", as " + actor, scene -> {
                    scene.file("f", "content");
                    sync.act
                            .on(
                                    scene.as(actor),
                                    scene.as(actor).open("f", O_RDONLY).okInt())
                            .is(0);
                });
            }
        }
        for (int flags = 0; flags < 16; flags++) {
            int bits = flags;
            String text = (bits < 8 ? "may be made" : "EINVAL") + " with flags " + bits;
            rules.add("sync_file_range(2)", text, scene -> {
                scene.file("f", Bytes.of(1, 20_000));
                Caller root = scene.root();
                int fd = root.open("f", O_RDWR).okInt();
                root.call(Syscall.SYNC_FILE_RANGE, fd, 4096, 8192, bits).is(bits < 8, EINVAL);
                root.call(Syscall.SYNC_FILE_RANGE, fd, 1L << 40, 10, bits).is(bits < 8, EINVAL);
            });
        }
        for (long[] range : new long[][] {{-1, 10}, {0, -1}, {Long.MAX_VALUE, Long.MAX_VALUE}, {Long.MIN_VALUE, 0}}) {
            rules.add("sync_file_range(2)", "EINVAL for " + range[1] + " bytes from " + range[0], scene -> {
                scene.file("f", "content");
                int fd = scene.root().open("f", O_RDWR).okInt();
                scene.root()
                        .call(Syscall.SYNC_FILE_RANGE, fd, range[0], range[1], ALL_STEPS)
                        .fails(EINVAL);
            });
        }
        for (FileType type : List.of(FIFO, CHARACTER)) {
            rules.add("syncfs(2)", "reaches the file system of " + type, scene -> {
                scene.make(type, "x");
                Outcome opened = scene.root().open("x", O_RDWR);
                scene.needs("devices are not to be opened here", () -> !opened.failed(EACCES));
                scene.root().call(Syscall.SYNCFS, opened.okInt()).is(0);
            });
        }
    }
}
