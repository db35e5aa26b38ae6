package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.Errno.EFAULT;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ELOOP;
import static io.fusecache.testkit.posix.scene.Errno.ENOENT;
import static io.fusecache.testkit.posix.scene.Errno.ENOTDIR;
import static io.fusecache.testkit.posix.scene.Errno.EOVERFLOW;
import static io.fusecache.testkit.posix.scene.Errno.EPERM;
import static io.fusecache.testkit.posix.scene.Errno.ESTALE;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.FileType.SYMLINK;
import static io.fusecache.testkit.posix.scene.Flags.AT_EMPTY_PATH;
import static io.fusecache.testkit.posix.scene.Flags.AT_FDCWD;
import static io.fusecache.testkit.posix.scene.Flags.AT_SYMLINK_FOLLOW;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Syscall;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** open_by_handle_at(2): files by what they are instead of where they are, as servers of NFS name them. */
final class HandleRules {
    private static final String NAMES = "name_to_handle_at(2)";
    private static final String OPENS = "open_by_handle_at(2)";
    /** The size of a struct file_handle without the handle. */
    private static final int HEADER = 8;

    private static final int LONGEST = 128;

    private HandleRules() {}

    static void add(Rules rules) {
        names(rules);
        for (FileType type : FileType.values()) {
            types(rules, type);
        }
        opens(rules);
        refusals(rules);
        for (Actor actor : PathRules.JUDGED) {
            rules.add(OPENS, "EPERM without CAP_DAC_READ_SEARCH, as " + actor, scene -> {
                scene.makeOwned(REGULAR, "x", 0777, actor);
                byte[] handle = handle(scene, scene.as(actor), "x");
                int mount = scene.as(actor).open(".", O_RDONLY).okInt();
                scene.as(actor).openByHandle(mount, handle, O_RDONLY).fails(EPERM);
            });
        }
    }

    private static byte[] handle(Scene scene, Caller caller, String path) {
        asked(caller, path, LONGEST, 0).ok();
        byte[] handle = caller.answeredHandle();
        scene.expect("a handle has bytes", handle.length > HEADER);
        return handle;
    }

    private static Outcome asked(Caller caller, String path, int bytes, int flags) {
        return caller.nameToHandle(AT_FDCWD, path, bytes, flags).orNotApplicable("handles");
    }

    private static int here(Caller caller) {
        return caller.open(".", O_RDONLY).okInt();
    }

    private static void names(Rules rules) {
        for (int bytes : List.of(0, 1, 4)) {
            rules.add(NAMES, "EOVERFLOW where " + bytes + " bytes do not hold it, and how many do", scene -> {
                scene.make(REGULAR, "x");
                Caller root = scene.root();
                byte[] handle = handle(scene, root, "x");
                asked(root, "x", bytes, 0).fails(EOVERFLOW);
                int needed = root.buffer().get(ValueLayout.JAVA_INT, 0);
                scene.equal("bytes needed", handle.length - HEADER, needed);
                asked(root, "x", needed, 0).ok();
                scene.expect("the same handle", Arrays.equals(handle, root.answeredHandle()));
            });
        }
        for (int bytes : List.of(LONGEST + 1, -1, Integer.MAX_VALUE)) {
            rules.add(NAMES, "EINVAL for room for " + bytes + " bytes", scene -> {
                scene.make(REGULAR, "x");
                asked(scene.root(), "x", bytes, 0).fails(EINVAL);
            });
        }
        for (int flags : List.of(0x800, 0x100, -1)) {
            rules.add(NAMES, "EINVAL for flags " + flags, scene -> {
                scene.make(REGULAR, "x");
                asked(scene.root(), "x", LONGEST, flags).fails(EINVAL);
            });
        }
        rules.add(NAMES, "EFAULT where the handle is no address", scene -> {
            scene.make(REGULAR, "x");
            Caller root = scene.root();
            handle(scene, root, "x");
            root.call(Syscall.NAME_TO_HANDLE_AT, AT_FDCWD, "x", 1, root.buffer(), 0)
                    .fails(EFAULT);
        });
        rules.add(NAMES, "EBADF for a relative path from descriptor -1", scene -> {
            scene.make(REGULAR, "x");
            scene.root().nameToHandle(-1, "x", LONGEST, 0).fails(EBADF);
        });
        rules.add(NAMES, "ENOENT for an empty path without AT_EMPTY_PATH", scene -> {
            scene.make(REGULAR, "x");
            int fd = scene.root().open("x", O_RDONLY).okInt();
            scene.root().nameToHandle(fd, "", LONGEST, 0).fails(ENOENT);
        });
        rules.add(NAMES, "AT_EMPTY_PATH means the descriptor's file", scene -> {
            scene.make(REGULAR, "x");
            Caller root = scene.root();
            byte[] handle = handle(scene, root, "x");
            int fd = root.open("x", O_PATH).okInt();
            root.nameToHandle(fd, "", LONGEST, AT_EMPTY_PATH).ok();
            scene.expect("the same handle", Arrays.equals(handle, root.answeredHandle()));
        });
        rules.add(
                NAMES, "AT_SYMLINK_FOLLOW follows a symbolic link, which otherwise has a handle of its own", scene -> {
                    scene.make(REGULAR, "x").root().symlink("x", "s").ok();
                    Caller root = scene.root();
                    byte[] handle = handle(scene, root, "x");
                    scene.expect("a handle of its own", !Arrays.equals(handle, handle(scene, root, "s")));
                    asked(root, "s", LONGEST, AT_SYMLINK_FOLLOW).ok();
                    scene.expect("the file's handle", Arrays.equals(handle, root.answeredHandle()));
                });
    }

    private static void types(Rules rules, FileType type) {
        rules.add(NAMES, "a handle of " + type + " is its own, and stays when it is renamed and changed", scene -> {
            scene.make(type, "x").make(type, "y").make(DIRECTORY, "d");
            Caller root = scene.root();
            byte[] handle = handle(scene, root, "x");
            scene.expect("another than y's", !Arrays.equals(handle, handle(scene, root, "y")));
            root.rename("x", "d/z").ok();
            root.lchown("d/z", 1, 1).ok();
            scene.expect("the same handle", Arrays.equals(handle, handle(scene, root, "d/z")));
        });
        rules.add(OPENS, "opens by O_PATH what the handle of " + type + " was given for", scene -> {
            scene.make(type, "x");
            Caller root = scene.root();
            byte[] handle = handle(scene, root, "x");
            int fd = root.openByHandle(here(root), handle, O_PATH).okInt();
            scene.equal("inode", scene.stat("x").ino(), scene.stat(fd).ino());
        });
        rules.add(OPENS, "ESTALE where " + type + " was removed", scene -> {
            scene.make(type, "x");
            Caller root = scene.root();
            byte[] handle = handle(scene, root, "x");
            (type == DIRECTORY ? root.rmdir("x") : root.unlink("x")).ok();
            staleSoon(root, handle, O_PATH);
        });
        if (type != DIRECTORY) {
            rules.add(OPENS, "ENOTDIR for O_DIRECTORY by the handle of " + type, scene -> {
                scene.make(type, "x");
                Caller root = scene.root();
                byte[] handle = handle(scene, root, "x");
                root.openByHandle(here(root), handle, O_RDONLY | O_DIRECTORY).fails(ENOTDIR, ELOOP);
            });
        }
    }

    private static void opens(Rules rules) {
        rules.add(OPENS, "reads and writes the file, whatever its name is now", scene -> {
            scene.file("x", "content").make(DIRECTORY, "d");
            Caller root = scene.root();
            byte[] handle = handle(scene, root, "x");
            root.rename("x", "d/y").ok();
            int fd = root.openByHandle(here(root), handle, O_RDWR).okInt();
            scene.equal("content", "content", scene.content(fd));
            root.pwrite(fd, "C", 0).is(1);
            root.close(fd).ok();
            scene.equal("content", "Content", scene.content("d/y"));
        });
        rules.add(OPENS, "any name of the file gives its handle, and it outlives the one that gave it", scene -> {
            scene.file("x", "content").root().link("x", "y").ok();
            Caller root = scene.root();
            byte[] handle = handle(scene, root, "x");
            scene.expect("the same handle", Arrays.equals(handle, handle(scene, root, "y")));
            root.unlink("x").ok();
            int fd = root.openByHandle(here(root), handle, O_RDONLY).okInt();
            scene.equal("content", "content", scene.content(fd));
        });
        rules.add(OPENS, "lists a directory", scene -> {
            scene.make(DIRECTORY, "d").make(REGULAR, "d/x").make(FIFO, "d/y");
            Caller root = scene.root();
            byte[] handle = handle(scene, root, "d");
            int fd = root.openByHandle(here(root), handle, O_RDONLY | O_DIRECTORY)
                    .okInt();
            scene.equal(
                    "names",
                    List.of(".", "..", "x", "y"),
                    root.entries(fd).stream()
                            .map(entry -> entry.name())
                            .sorted()
                            .toList());
        });
        rules.add(OPENS, "ELOOP for a symbolic link without O_PATH", scene -> {
            scene.make(SYMLINK, "s");
            Caller root = scene.root();
            byte[] handle = handle(scene, root, "s");
            root.openByHandle(here(root), handle, O_RDONLY).fails(ELOOP);
        });
        rules.add(OPENS, "another file of the same name is another file", scene -> {
            scene.file("x", "content");
            Caller root = scene.root();
            byte[] handle = handle(scene, root, "x");
            root.unlink("x").ok();
            scene.file("x", "other");
            staleSoon(root, handle, O_RDONLY);
        });
    }

    /** A kernel may have a file in use for a moment after its last close(2), which FUSE's RELEASE follows: O_PATH opens nothing there. */
    private static void staleSoon(Caller root, byte[] handle, int flags) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        int mount = here(root);
        Outcome outcome = root.openByHandle(mount, handle, O_PATH);
        while (outcome.succeeded() && System.nanoTime() < deadline) {
            root.close(outcome.okInt()).is(0);
            outcome = root.openByHandle(mount, handle, O_PATH);
        }
        root.openByHandle(mount, handle, flags).fails(ESTALE);
    }

    private static void refusals(Rules rules) {
        rules.add(OPENS, "EBADF for descriptor -1", scene -> {
            scene.make(REGULAR, "x");
            Caller root = scene.root();
            root.openByHandle(-1, handle(scene, root, "x"), O_RDONLY).fails(EBADF);
        });
        rules.add(OPENS, "EFAULT where the handle is no address", scene -> {
            Caller root = scene.root();
            root.call(Syscall.OPEN_BY_HANDLE_AT, here(root), 1, O_RDONLY).fails(EFAULT);
        });
        for (int bytes : List.of(0, LONGEST + 1, -1)) {
            rules.add(OPENS, "EINVAL for a handle of " + bytes + " bytes", scene -> {
                scene.make(REGULAR, "x");
                Caller root = scene.root();
                byte[] handle = Arrays.copyOf(handle(scene, root, "x"), 256);
                for (int i = 0; i < 4; i++) {
                    handle[i] = (byte) (bytes >> (8 * i));
                }
                root.openByHandle(here(root), handle, O_RDONLY).fails(EINVAL);
            });
        }
        rules.add(OPENS, "ESTALE for a handle that was never given", scene -> {
            scene.make(REGULAR, "x");
            Caller root = scene.root();
            byte[] handle = handle(scene, root, "x");
            Arrays.fill(handle, HEADER, handle.length, (byte) 0x7b);
            root.openByHandle(here(root), handle, O_RDONLY).fails(ESTALE);
        });
    }
}
