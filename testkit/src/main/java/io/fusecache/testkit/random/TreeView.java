package io.fusecache.testkit.random;

import static io.fusecache.testkit.posix.scene.Flags.*;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Entry;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Violation;
import io.fusecache.testkit.random.TreeModel.Directory;
import io.fusecache.testkit.random.TreeModel.Fifo;
import io.fusecache.testkit.random.TreeModel.File;
import io.fusecache.testkit.random.TreeModel.Link;
import io.fusecache.testkit.random.TreeModel.Node;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Looks at a tree by system calls, and compares what it sees with nodes of the model. */
final class TreeView {
    private final Caller caller;
    private final MemorySegment buffer;

    /** @param buffer longer than any file */
    TreeView(Caller caller, MemorySegment buffer) {
        this.caller = caller;
        this.buffer = buffer;
    }

    /** What the model does not know, and all nodes must agree on. */
    record Seen(long ino, long ctime, long mtime, long btime) {}

    /** Compares everything below a root, and answers what else it saw. */
    Map<String, Seen> look(String root, Map<String, Node> all) {
        Map<String, Seen> seen = new TreeMap<>();
        Map<Long, Node> inodes = new HashMap<>();
        Map<Node, Long> numbers = new HashMap<>();
        all.forEach((path, node) -> {
            String place = path.isEmpty() ? root : root + "/" + path;
            caller.statx(AT_FDCWD, place, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME)
                    .ok();
            Stat stat = caller.answeredStat();
            sameStatus(place, node, stat);
            Node known = inodes.putIfAbsent(stat.ino(), node);
            Long number = numbers.putIfAbsent(node, stat.ino());
            if ((known != null && known != node) || (number != null && number != stat.ino())) {
                throw new Violation(
                        place + " has inode number " + stat.ino() + ", which is another file's, or not its own");
            }
            seen.put(path, new Seen(stat.ino(), stat.ctime(), stat.mtime(), stat.btime()));
            contents(place, node);
        });
        return seen;
    }

    static String difference(Map<String, Seen> one, Map<String, Seen> other) {
        for (Map.Entry<String, Seen> entry : one.entrySet()) {
            if (!entry.getValue().equals(other.get(entry.getKey()))) {
                return "/" + entry.getKey() + " is " + entry.getValue() + " and " + other.get(entry.getKey());
            }
        }
        throw new AssertionError("the same");
    }

    private void contents(String place, Node node) {
        switch (node) {
            case File file -> {
                int fd = caller.open(place, O_RDONLY).okInt();
                long count = caller.call(Syscall.PREAD64, fd, buffer, buffer.byteSize(), 0)
                        .ok();
                sameContent(place, file.content(), count);
                caller.close(fd).is(0);
                sameAttributes(place, node);
            }
            case Directory directory -> {
                int fd = caller.open(place, O_RDONLY | O_DIRECTORY).okInt();
                sameNames(place, directory, fd);
                caller.close(fd).is(0);
                sameAttributes(place, node);
            }
            case Link link -> {
                long count = caller.readlink(place, PATH_MAX).ok();
                String target = new String(caller.buffered(count), StandardCharsets.ISO_8859_1);
                same("target of " + place, link.target, target);
            }
            case Fifo _ -> {}
        }
    }

    /** The buffer holds what was read. */
    void sameContent(String place, byte[] expected, long count) {
        long at = MemorySegment.mismatch(buffer, 0, count, MemorySegment.ofArray(expected), 0, expected.length);
        if (at >= 0) {
            throw new Violation("%s has %d bytes, and should have %d: other ones from %d on"
                    .formatted(place, count, expected.length, at));
        }
    }

    void sameStatus(String place, Node node, Stat stat) {
        same("mode of " + place, octal(node.type().bits() | node.mode), octal(stat.mode()));
        same("owner of " + place, node.uid + ":" + node.gid, stat.uid() + ":" + stat.gid());
        same("links of " + place, node.links, stat.links());
        switch (node) {
            case File file -> same("size of " + place, (long) file.content().length, stat.size());
            case Link link -> same("size of " + place, (long) link.target.length(), stat.size());
            case Directory _, Fifo _ -> {}
        }
        if (node.mtimeNanos != null) {
            same("mtime of " + place, node.mtimeNanos, stat.mtime());
        }
    }

    void sameNames(String place, Directory directory, int fd) {
        TreeSet<String> expected = new TreeSet<>(List.of(". 4", ".. 4"));
        directory.entries.forEach(
                (name, node) -> expected.add(name + " " + node.type().directoryEntryType()));
        List<String> found = caller.entries(fd).stream()
                .map(entry -> entry.name() + " " + entry.type())
                .sorted()
                .toList();
        same("names in " + place, List.copyOf(expected), found);
    }

    private void sameAttributes(String place, Node node) {
        long count = caller.listxattr(place, 4096).ok();
        String names = new String(caller.buffered(count), StandardCharsets.ISO_8859_1);
        List<String> found = Arrays.stream(names.split("\0"))
                .filter(name -> name.startsWith("user."))
                .sorted()
                .toList();
        same("attributes of " + place, List.copyOf(node.attributes.keySet()), found);
        node.attributes.forEach((name, expected) -> {
            long length = caller.getxattr(place, name, 4096).ok();
            byte[] value = caller.buffered(length);
            if (!Arrays.equals(expected, value)) {
                throw new Violation(name + " of " + place + " has another value: " + length + " bytes, "
                        + expected.length + " expected");
            }
        });
    }

    private static void same(String what, Object expected, Object found) {
        if (!expected.equals(found)) {
            throw new Violation(what + ": " + found + ", and should be " + expected);
        }
    }

    private static String octal(int mode) {
        return "0" + Integer.toOctalString(mode);
    }

    /** Removes a tree; what is gone already is no matter. */
    void remove(String path) {
        Outcome opened = caller.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (!opened.succeeded()) {
            caller.unlink(path);
            return;
        }
        for (Entry entry : caller.entries(opened.okInt())) {
            if (!entry.name().equals(".") && !entry.name().equals("..")) {
                remove(path + "/" + entry.name());
            }
        }
        caller.close(opened.okInt());
        caller.rmdir(path);
    }
}
