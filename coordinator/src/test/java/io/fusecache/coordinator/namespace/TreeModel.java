package io.fusecache.coordinator.namespace;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the man pages say of names and links, over plain objects: slow, obvious, and written without the namespace. */
final class TreeModel {
    static final class File {
        final long ino;
        final FileType type;
        final Map<String, File> entries = new TreeMap<>();
        final Map<String, String> attributes = new TreeMap<>();

        @Nullable File parent;

        int links;
        boolean held;
        boolean kept;

        File(long ino, FileType type) {
            this.ino = ino;
            this.type = type;
        }

        boolean directory() {
            return type == FileType.DIRECTORY;
        }
    }

    final Map<Long, File> files = new HashMap<>();

    /** Whether files that lose their last name are kept. */
    boolean trash;

    TreeModel() {
        File root = new File(Inode.ROOT, FileType.DIRECTORY);
        root.links = 2;
        root.parent = root;
        files.put(Inode.ROOT, root);
    }

    private @Nullable Errno parentError(long parent) {
        File file = files.get(parent);
        if (file == null) {
            return Errno.ESTALE;
        }
        if (!file.directory()) {
            return Errno.ENOTDIR;
        }
        return file.links == 0 ? Errno.ENOENT : null;
    }

    @Nullable Errno create(long parent, String name, FileType type, long ino) {
        Errno error = parentError(parent);
        if (error != null) {
            return error;
        }
        File directory = file(parent);
        if (directory.entries.containsKey(name)) {
            return Errno.EEXIST;
        }
        File made = new File(ino, type);
        made.links = type == FileType.DIRECTORY ? 2 : 1;
        made.parent = directory;
        directory.entries.put(name, made);
        directory.links += made.directory() ? 1 : 0;
        files.put(ino, made);
        return null;
    }

    @Nullable Errno link(long ino, long parent, String name) {
        File file = files.get(ino);
        if (file == null) {
            return Errno.ESTALE;
        }
        Errno error = parentError(parent);
        if (error != null) {
            return error;
        }
        if (file(parent).entries.containsKey(name)) {
            return Errno.EEXIST;
        }
        if (file.directory()) {
            return Errno.EPERM;
        }
        if (file.links == 0) {
            return Errno.ENOENT;
        }
        file.links++;
        file(parent).entries.put(name, file);
        return null;
    }

    @Nullable Errno remove(long parent, String name, boolean directory) {
        Errno error = parentError(parent);
        if (error != null) {
            return error;
        }
        File file = file(parent).entries.get(name);
        if (file == null) {
            return Errno.ENOENT;
        }
        if (directory && !file.directory()) {
            return Errno.ENOTDIR;
        }
        if (!directory && file.directory()) {
            return Errno.EISDIR;
        }
        if (!file.entries.isEmpty()) {
            return Errno.ENOTEMPTY;
        }
        file(parent).entries.remove(name);
        drop(file(parent), file);
        return null;
    }

    private void drop(File parent, File file) {
        if (file.directory()) {
            file.links = 0;
            parent.links--;
        } else {
            file.links--;
        }
        file.held = file.links == 0;
        file.kept = file.held && trash && (file.type == FileType.REGULAR || file.type == FileType.SYMLINK);
    }

    /** Gives a file of the trash a name. */
    @Nullable Errno restore(long ino, long parent, String name) {
        File file = files.get(ino);
        if (file == null || !file.kept) {
            return Errno.ENOENT;
        }
        Errno error = parentError(parent);
        if (error != null) {
            return error;
        }
        if (file(parent).entries.containsKey(name)) {
            return Errno.EEXIST;
        }
        file.kept = false;
        file.links = 1;
        file(parent).entries.put(name, file);
        return null;
    }

    /** Nothing is kept any longer. */
    void emptyTrash() {
        files.values().forEach(file -> file.kept = false);
        files.values().removeIf(file -> file.links == 0 && !file.held);
    }

    void release(Set<Long> inodes) {
        for (long ino : inodes) {
            File file = files.get(ino);
            if (file != null && file.links == 0) {
                file.held = false;
                if (!file.kept) {
                    files.remove(ino);
                }
            }
        }
    }

    /** setxattr(2); {@code flags} are XATTR_CREATE, 1, and XATTR_REPLACE, 2. */
    @Nullable Errno setAttribute(long ino, String name, String value, int flags) {
        File file = files.get(ino);
        if (file == null) {
            return Errno.ESTALE;
        }
        boolean there = file.attributes.containsKey(name);
        if (there && (flags & 1) != 0) {
            return Errno.EEXIST;
        }
        if (!there && (flags & 2) != 0) {
            return Errno.ENODATA;
        }
        file.attributes.put(name, value);
        return null;
    }

    @Nullable Errno removeAttribute(long ino, String name) {
        File file = files.get(ino);
        if (file == null) {
            return Errno.ESTALE;
        }
        return file.attributes.remove(name) == null ? Errno.ENODATA : null;
    }

    @Nullable Errno rename(long parent, String name, long newParent, String newName, int flags) {
        boolean exchange = (flags & 2) != 0;
        Errno error = parentError(parent);
        if (error == null) {
            error = parentError(newParent);
        }
        if (error != null) {
            return error;
        }
        File from = file(parent);
        File to = file(newParent);
        File moved = from.entries.get(name);
        File there = to.entries.get(newName);
        if (moved == null) {
            return Errno.ENOENT;
        }
        if (there != null && (flags & 1) != 0) {
            return Errno.EEXIST;
        }
        if (there == null && exchange) {
            return Errno.ENOENT;
        }
        if (parent != newParent && moved.directory() && within(to, moved)) {
            return Errno.EINVAL;
        }
        if (parent != newParent && there != null && there.directory() && within(from, there)) {
            return exchange ? Errno.EINVAL : Errno.ENOTEMPTY;
        }
        if (moved == there) {
            return null;
        }
        if (there != null && exchange) {
            from.entries.put(name, there);
            to.entries.put(newName, moved);
            moved.parent = to;
            there.parent = from;
            from.links += (there.directory() ? 1 : 0) - (moved.directory() ? 1 : 0);
            to.links += (moved.directory() ? 1 : 0) - (there.directory() ? 1 : 0);
            return null;
        }
        if (there != null) {
            if (moved.directory() && !there.directory()) {
                return Errno.ENOTDIR;
            }
            if (!moved.directory() && there.directory()) {
                return Errno.EISDIR;
            }
            if (!there.entries.isEmpty()) {
                return Errno.ENOTEMPTY;
            }
            drop(to, there);
        }
        from.entries.remove(name);
        to.entries.put(newName, moved);
        if (moved.directory()) {
            from.links--;
            to.links++;
        }
        moved.parent = to;
        return null;
    }

    private static boolean within(File directory, File ancestor) {
        Set<File> seen = new HashSet<>();
        for (File at = directory; at != null && seen.add(at); at = at.parent) {
            if (at == ancestor) {
                return true;
            }
        }
        return false;
    }

    File file(long ino) {
        File file = files.get(ino);
        if (file == null) {
            throw new AssertionError("the model has no inode " + ino);
        }
        return file;
    }
}
