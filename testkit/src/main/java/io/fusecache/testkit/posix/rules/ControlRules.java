package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.Errno.EFAULT;
import static io.fusecache.testkit.posix.scene.Errno.EINVAL;
import static io.fusecache.testkit.posix.scene.Errno.ENOTTY;
import static io.fusecache.testkit.posix.scene.FileType.CHARACTER;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.FileType.REGULAR;
import static io.fusecache.testkit.posix.scene.Flags.F_DUPFD;
import static io.fusecache.testkit.posix.scene.Flags.F_GETFL;
import static io.fusecache.testkit.posix.scene.Flags.F_SETFL;
import static io.fusecache.testkit.posix.scene.Flags.O_APPEND;
import static io.fusecache.testkit.posix.scene.Flags.O_NONBLOCK;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;
import static io.fusecache.testkit.posix.scene.Flags.SEEK_SET;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Times;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** ioctl(2) on what is no terminal, and the flags of descriptors by fcntl(2). */
final class ControlRules {
    private static final String PAGE = "ioctl(2)";
    private static final int FIONREAD = 0x541b;
    private static final int FIGETBSZ = 2;

    /** Requests that mean something to terminals and other devices alone. */
    private static final Map<String, Integer> FOREIGN = new TreeMap<>(Map.of(
            "TCGETS", 0x5401,
            "TIOCGWINSZ", 0x5413,
            "TIOCGPGRP", 0x540f,
            "BLKGETSIZE64", 0x80081272,
            "a number that means nothing", 0x12345678));

    private ControlRules() {}

    static void add(Rules rules) {
        for (FileType type : List.of(REGULAR, DIRECTORY, FIFO, CHARACTER)) {
            FOREIGN.forEach((name, request) -> rules.add(PAGE, "ENOTTY for " + name + " on " + type, scene -> {
                scene.make(type, "x");
                Caller root = scene.root();
                int fd = root.open("x", type == DIRECTORY ? O_RDONLY : O_RDWR | O_NONBLOCK)
                        .okInt();
                Times times = scene.times("x");
                root.call(Syscall.IOCTL, fd, request, root.buffer()).fails(ENOTTY);
                times.kept("x", "amc");
            }));
        }
        FOREIGN.forEach((name, request) -> rules.add(PAGE, "EBADF for " + name + " by O_PATH", scene -> {
            scene.make(REGULAR, "x");
            Caller root = scene.root();
            root.call(Syscall.IOCTL, root.open("x", O_PATH).okInt(), request, root.buffer())
                    .fails(EBADF);
        }));
        sizes(rules);
        flags(rules);
    }

    private static void sizes(Rules rules) {
        for (int position : List.of(0, 3, 7)) {
            rules.add(PAGE, "FIONREAD tells how much is left to read behind " + position + " of 7 bytes", scene -> {
                scene.file("x", "content");
                Caller root = scene.root();
                int fd = root.open("x", O_RDONLY).okInt();
                root.lseek(fd, position, SEEK_SET).is(position);
                root.call(Syscall.IOCTL, fd, FIONREAD, root.buffer()).is(0);
                scene.equal("bytes", 7 - position, root.buffer().get(ValueLayout.JAVA_INT, 0));
            });
        }
        rules.add(PAGE, "EFAULT for FIONREAD where the answer goes to no address", scene -> {
            scene.file("x", "content");
            Caller root = scene.root();
            root.call(Syscall.IOCTL, root.open("x", O_RDONLY).okInt(), FIONREAD, 1)
                    .fails(EFAULT);
        });
        rules.add(PAGE, "FIGETBSZ tells the size of a block", scene -> {
            scene.file("x", "content");
            Caller root = scene.root();
            root.call(Syscall.IOCTL, root.open("x", O_RDONLY).okInt(), FIGETBSZ, root.buffer())
                    .is(0);
            int bytes = root.buffer().get(ValueLayout.JAVA_INT, 0);
            scene.expect("a power of two: " + bytes, bytes >= 512 && Integer.bitCount(bytes) == 1);
        });
    }

    private static void flags(Rules rules) {
        for (int mode : List.of(O_RDONLY, O_WRONLY, O_RDWR)) {
            rules.add("fcntl(2)", "F_GETFL tells the access mode, and what F_SETFL set: " + mode, scene -> {
                scene.file("x", "content");
                Caller root = scene.root();
                int fd = root.open("x", mode).okInt();
                root.call(Syscall.FCNTL, fd, F_SETFL, O_APPEND | O_NONBLOCK).is(0);
                long flags = root.call(Syscall.FCNTL, fd, F_GETFL, 0).ok();
                scene.equal("mode", (long) mode, flags & 3);
                scene.equal("flags", (long) (O_APPEND | O_NONBLOCK), flags & (O_APPEND | O_NONBLOCK));
                root.call(Syscall.FCNTL, fd, F_SETFL, 0).is(0);
                scene.equal(
                        "flags", 0L, root.call(Syscall.FCNTL, fd, F_GETFL, 0).ok() & (O_APPEND | O_NONBLOCK));
            });
        }
        rules.add("fcntl(2)", "O_APPEND that F_SETFL set moves writes to the end", scene -> {
            scene.file("x", "content");
            Caller root = scene.root();
            int fd = root.open("x", O_RDWR).okInt();
            root.call(Syscall.FCNTL, fd, F_SETFL, O_APPEND).is(0);
            root.write(fd, "more").is(4);
            scene.equal("content", "contentmore", scene.content("x"));
            root.call(Syscall.FCNTL, fd, F_SETFL, 0).is(0);
            root.lseek(fd, 0, SEEK_SET).is(0);
            root.write(fd, "C").is(1);
            scene.equal("content", "Contentmore", scene.content("x"));
        });
        for (FileType type : FileType.TARGETS) {
            rules.add("fcntl(2)", "F_GETFL tells O_PATH, and F_SETFL gives EBADF, on " + type, scene -> {
                scene.make(type, "x");
                Caller root = scene.root();
                int fd = root.open("x", O_PATH).okInt();
                long flags = root.call(Syscall.FCNTL, fd, F_GETFL, 0).ok();
                scene.equal("O_PATH", (long) O_PATH, flags & O_PATH);
                root.call(Syscall.FCNTL, fd, F_SETFL, O_APPEND).fails(EBADF);
            });
        }
        rules.add("fcntl(2)", "EINVAL for F_DUPFD from -1, and for a command that there is not", scene -> {
            scene.file("x", "content");
            Caller root = scene.root();
            int fd = root.open("x", O_RDONLY).okInt();
            root.call(Syscall.FCNTL, fd, F_DUPFD, -1).fails(EINVAL);
            root.call(Syscall.FCNTL, fd, 12_345, 0).fails(EINVAL);
        });
    }
}
