package io.fusecache.testkit.random;

import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.FileType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The tree as it must be. Operations either do what they say or throw {@link Refused} with the error number that Linux gives,
 * which for calls with two paths depends on the order in which it looks at them.
 */
final class TreeModel {
    private static final int MAX_LINKS_FOLLOWED = 40;

    private final Directory root = new Directory(0755);

    /** The call must fail so, and change nothing. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1;
        private final Errno errno;

        Refused(Errno errno) {
            super(errno.name(), null, false, false);
            this.errno = errno;
        }

        Errno errno() {
            return errno;
        }
    }

    /** What names lead to. */
    abstract static sealed class Node {
        int mode;
        int uid;
        int gid;
        int links = 1;
        /** Of the last modification, where a program has set it since. */
        @Nullable Long mtimeNanos;

        final Map<String, byte[]> attributes = new TreeMap<>();

        Node(int mode) {
            this.mode = mode;
        }

        FileType type() {
            return switch (this) {
                case Directory _ -> FileType.DIRECTORY;
                case File _ -> FileType.REGULAR;
                case Link _ -> FileType.SYMLINK;
                case Fifo _ -> FileType.FIFO;
            };
        }
    }

    static final class Directory extends Node {
        final Map<String, Node> entries = new TreeMap<>();

        Directory(int mode) {
            super(mode);
            links = 2;
        }
    }

    static final class File extends Node {
        /** What it contained, newest last: older versions are kept for those who have it open. */
        private final List<byte[]> versions = new ArrayList<>(List.of(new byte[0]));

        private int holders;

        File(int mode) {
            super(mode);
        }

        byte[] content() {
            return versions.getLast();
        }

        /** Somebody opens it; the answer says which version. */
        int hold() {
            holders++;
            return versions.size() - 1;
        }

        void release() {
            holders--;
        }

        /** Whether somebody who opened it at that version may see this. */
        boolean hadSince(int version, byte[] content) {
            return versions.subList(version, versions.size()).stream().anyMatch(had -> Arrays.equals(had, content));
        }

        /** How this differs from the versions since then, for the message. */
        String nearest(int version, byte[] content) {
            return versions.subList(version, versions.size()).stream()
                    .map(had -> had.length + " bytes until " + Arrays.mismatch(had, content))
                    .toList()
                    .toString();
        }

        private void become(byte[] content) {
            if (holders == 0) {
                versions.clear();
            }
            versions.add(content);
            mtimeNanos = null;
        }
    }

    static final class Link extends Node {
        final String target;

        Link(String target) {
            super(0777);
            this.target = target;
        }
    }

    static final class Fifo extends Node {
        Fifo(int mode) {
            super(mode);
        }
    }

    /** A name and the directory it is, or could be, in. */
    private record Place(Directory parent, String name) {
        @Nullable Node node() {
            return parent.entries.get(name);
        }

        void put(Node node) {
            parent.entries.put(name, node);
            parent.mtimeNanos = null;
        }

        void remove() {
            parent.entries.remove(name);
            parent.mtimeNanos = null;
        }
    }

    Directory root() {
        return root;
    }

    // Paths

    private Place place(String path) throws Refused {
        return place(root, path, new int[1]);
    }

    /** Follows links in all but the last component. */
    private Place place(Directory start, String path, int[] followed) throws Refused {
        Directory directory = start;
        String[] names = path.split("/");
        for (int i = 0; i < names.length - 1; i++) {
            Node next = follow(new Place(directory, names[i]), followed).node();
            if (next == null) {
                throw new Refused(Errno.ENOENT);
            }
            directory = directory(next);
        }
        return new Place(directory, names[names.length - 1]);
    }

    /** Where the name leads that a link stands for, and so on. */
    private Place follow(Place place, int[] followed) throws Refused {
        Place at = place;
        while (at.node() instanceof Link link) {
            if (++followed[0] > MAX_LINKS_FOLLOWED) {
                throw new Refused(Errno.ELOOP);
            }
            at = place(at.parent(), link.target, followed);
        }
        return at;
    }

    private static Directory directory(Node node) throws Refused {
        if (node instanceof Directory directory) {
            return directory;
        }
        throw new Refused(Errno.ENOTDIR);
    }

    /** The node itself, a link not followed. */
    Node node(String path) throws Refused {
        return there(place(path));
    }

    /** The node that a path leads to. */
    Node target(String path) throws Refused {
        return there(follow(place(path), new int[1]));
    }

    private static Node there(Place place) throws Refused {
        Node node = place.node();
        if (node == null) {
            throw new Refused(Errno.ENOENT);
        }
        return node;
    }

    /** Whether a data operation would meet a FIFO, where it would wait. */
    boolean leadsToFifo(String path) {
        try {
            return target(path) instanceof Fifo;
        } catch (Refused nothing) {
            return false;
        }
    }

    Directory list(String path) throws Refused {
        return directory(target(path));
    }

    // Making

    private Place free(String path) throws Refused {
        Place place = place(path);
        if (place.node() != null) {
            throw new Refused(Errno.EEXIST);
        }
        return place;
    }

    void create(String path, int mode) throws Refused {
        free(path).put(new File(mode));
    }

    void mkfifo(String path, int mode) throws Refused {
        free(path).put(new Fifo(mode));
    }

    void symlink(String target, String path) throws Refused {
        free(path).put(new Link(target));
    }

    void mkdir(String path, int mode) throws Refused {
        Place place = free(path);
        place.put(new Directory(mode));
        place.parent().links++;
    }

    void link(String from, String to) throws Refused {
        Node node = node(from);
        Place place = free(to);
        if (node instanceof Directory) {
            throw new Refused(Errno.EPERM);
        }
        place.put(node);
        node.links++;
    }

    /** The directory must be one, or the file cannot be made; then it needs a name that is free. */
    void linkTemporary(String directory, String to, int mode, byte[] content) throws Refused {
        list(directory);
        File file = new File(mode);
        file.become(content);
        free(to).put(file);
    }

    // Bytes

    private File file(String path) throws Refused {
        return file(target(path));
    }

    private static File file(Node node) throws Refused {
        return switch (node) {
            case File file -> file;
            case Directory _ -> throw new Refused(Errno.EISDIR);
            case Link _, Fifo _ -> throw new AssertionError("not opened: " + node);
        };
    }

    void write(String path, int mode, byte[] content) throws Refused {
        Place place = follow(place(path), new int[1]);
        if (place.node() == null) {
            place.put(new File(mode));
        }
        file(there(place)).become(content);
    }

    /** @param offset or -1: at the end. Nothing is written nowhere: no byte leaves the file as long as it is */
    void update(String path, int offset, byte[] bytes) throws Refused {
        File file = file(path);
        if (bytes.length == 0) {
            return;
        }
        int at = offset < 0 ? file.content().length : offset;
        byte[] content = Arrays.copyOf(file.content(), Math.max(file.content().length, at + bytes.length));
        System.arraycopy(bytes, 0, content, at, bytes.length);
        file.become(content);
    }

    void truncate(String path, int size) throws Refused {
        File file = file(path);
        file.become(Arrays.copyOf(file.content(), size));
    }

    /** For reading, which a directory may be opened for, but not read. */
    File read(String path) throws Refused {
        return file(path);
    }

    // Attributes

    void chmod(String path, int mode) throws Refused {
        target(path).mode = mode;
    }

    void chown(String path, int uid, int gid) throws Refused {
        Node node = target(path);
        node.uid = uid;
        node.gid = gid;
    }

    void touch(String path, long nanos) throws Refused {
        target(path).mtimeNanos = nanos;
    }

    void setAttribute(String path, String name, byte[] value) throws Refused {
        attributes(path).put(name, value);
    }

    void removeAttribute(String path, String name) throws Refused {
        if (attributes(path).remove(name) == null) {
            throw new Refused(Errno.ENODATA);
        }
    }

    /** Of the user's name space, which only files and directories have. */
    private Map<String, byte[]> attributes(String path) throws Refused {
        Node node = target(path);
        if (node instanceof Fifo) {
            throw new Refused(Errno.EPERM);
        }
        return node.attributes;
    }

    // Names

    void unlink(String path) throws Refused {
        Place place = place(path);
        if (there(place) instanceof Directory) {
            throw new Refused(Errno.EISDIR);
        }
        there(place).links--;
        place.remove();
    }

    void rmdir(String path) throws Refused {
        Place place = place(path);
        if (!directory(there(place)).entries.isEmpty()) {
            throw new Refused(Errno.ENOTEMPTY);
        }
        place.remove();
        place.parent().links--;
    }

    void rename(String from, String to, TreeOperation.RenameFlag flag) throws Refused {
        Place source = place(from);
        Place target = place(to);
        Node moved = there(source);
        Node replaced = target.node();
        boolean exchange = flag == TreeOperation.RenameFlag.EXCHANGE;
        if (flag == TreeOperation.RenameFlag.NOREPLACE && replaced != null) {
            throw new Refused(Errno.EEXIST);
        }
        if (exchange && replaced == null) {
            throw new Refused(Errno.ENOENT);
        }
        if (moved instanceof Directory directory && isIn(directory, target.parent())) {
            throw new Refused(Errno.EINVAL);
        }
        if (replaced instanceof Directory directory && isIn(directory, source.parent())) {
            throw new Refused(exchange ? Errno.EINVAL : Errno.ENOTEMPTY);
        }
        if (moved == replaced) {
            return;
        }
        if (exchange) {
            exchange(source, target, moved, there(target));
        } else {
            move(source, target, moved, replaced);
        }
    }

    private static void exchange(Place source, Place target, Node one, Node other) {
        source.put(other);
        target.put(one);
        int directories = (one instanceof Directory ? 1 : 0) - (other instanceof Directory ? 1 : 0);
        source.parent().links -= directories;
        target.parent().links += directories;
    }

    private static void move(Place source, Place target, Node moved, @Nullable Node replaced) throws Refused {
        if (replaced != null) {
            if (moved instanceof Directory && !(replaced instanceof Directory)) {
                throw new Refused(Errno.ENOTDIR);
            }
            if (!(moved instanceof Directory) && replaced instanceof Directory) {
                throw new Refused(Errno.EISDIR);
            }
            if (replaced instanceof Directory directory) {
                if (!directory.entries.isEmpty()) {
                    throw new Refused(Errno.ENOTEMPTY);
                }
                target.parent().links--;
            }
            replaced.links--;
        }
        source.remove();
        target.put(moved);
        if (moved instanceof Directory) {
            source.parent().links--;
            target.parent().links++;
        }
    }

    private static boolean isIn(Directory ancestor, Directory directory) {
        return ancestor == directory
                || ancestor.entries.values().stream()
                        .anyMatch(entry -> entry instanceof Directory below && isIn(below, directory));
    }

    /** Every path, the root's empty one first. */
    Map<String, Node> all() {
        Map<String, Node> all = new TreeMap<>();
        collect("", root, all);
        return all;
    }

    private static void collect(String path, Node node, Map<String, Node> all) {
        all.put(path, node);
        if (node instanceof Directory directory) {
            directory.entries.forEach((name, entry) -> collect(path.isEmpty() ? name : path + "/" + name, entry, all));
        }
    }
}
