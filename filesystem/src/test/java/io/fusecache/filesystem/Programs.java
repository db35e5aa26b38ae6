package io.fusecache.filesystem;

import io.fusecache.cache.Disk;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Programs on a node: they call by path, and this calls the file system as the kernel would for them, passed-through reads
 * and writes going straight to the backing file, and ESTALE of an open being tried once more by name.
 */
final class Programs {
    static final OpenMode READ_WRITE = new OpenMode(true, true, false);
    static final OpenMode TRUNCATE = new OpenMode(false, true, true);

    private final TestNode node;
    private final FileSystem files;

    Programs(TestNode node) {
        this.node = node;
        this.files = node.files;
    }

    // names

    Node find(String path) throws ErrnoException {
        Node at = files.root();
        for (String name : parts(path)) {
            at = files.lookup(at.id(), FileName.of(name));
        }
        return at;
    }

    private static List<String> parts(String path) {
        List<String> parts = new ArrayList<>();
        for (String part : path.split("/", -1)) {
            if (!part.isEmpty()) {
                parts.add(part);
            }
        }
        return parts;
    }

    private long parent(String path) throws ErrnoException {
        List<String> parts = parts(path);
        return find(String.join("/", parts.subList(0, parts.size() - 1))).id();
    }

    private static FileName last(String path) throws ErrnoException {
        return FileName.of(parts(path).getLast());
    }

    static NewInode inode(FileType type, int permissions) {
        return new NewInode(type, permissions, 1000, 1000, 0, null, false);
    }

    Node mkdir(String path) throws ErrnoException {
        return files.make(parent(path), last(path), inode(FileType.DIRECTORY, 0755));
    }

    Node symlink(String target, String path) throws ErrnoException {
        NewInode link = new NewInode(FileType.SYMLINK, 0777, 1000, 1000, 0, target.getBytes(UTF_8), false);
        return files.make(parent(path), last(path), link);
    }

    private static final java.nio.charset.Charset UTF_8 = java.nio.charset.StandardCharsets.UTF_8;

    /** The kernel forgets an inode with its last name, or with its last handle where one is open. */
    void unlink(String path) throws ErrnoException {
        long id = find(path).id();
        boolean last = stat(path).links() == 1;
        files.unlink(parent(path), last(path));
        if (last) {
            forget(id);
        }
    }

    void rmdir(String path) throws ErrnoException {
        files.rmdir(parent(path), last(path));
    }

    void rename(String from, String to) throws ErrnoException {
        rename(from, to, 0);
    }

    void rename(String from, String to, int flags) throws ErrnoException {
        files.rename(parent(from), last(from), parent(to), last(to), flags);
    }

    Node link(String from, String to) throws ErrnoException {
        return files.link(find(from).id(), parent(to), last(to));
    }

    List<String> list(String path) throws ErrnoException {
        long directory = find(path).id();
        files.openDirectory(directory);
        List<String> names = new ArrayList<>();
        long cookie = 2;
        while (true) {
            List<DirectoryEntry> entries = files.list(directory, cookie, 7);
            if (entries.isEmpty()) {
                return names;
            }
            for (DirectoryEntry entry : entries) {
                names.add(entry.name().toString());
                cookie = entry.cookie();
            }
        }
    }

    Inode stat(String path) throws ErrnoException {
        return files.attributes(find(path).id());
    }

    boolean exists(String path) throws ErrnoException {
        try {
            Node ignored = find(path);
            return true;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return false;
            }
            throw e;
        }
    }

    void utimens(String path, Timestamp modified) throws ErrnoException {
        files.change(find(path).id(), new AttributeChange(null, null, null, null, modified, false), null);
    }

    void chmod(String path, int permissions) throws ErrnoException {
        files.change(find(path).id(), new AttributeChange(permissions, null, null, null, null, false), null);
    }

    void truncate(String path, long size) throws ErrnoException {
        try {
            truncate(find(path).id(), size);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ESTALE) {
                throw e;
            }
            truncate(find(path).id(), size);
        }
    }

    private void truncate(long id, long size) throws ErrnoException {
        Inode ignored = files.change(id, new AttributeChange(null, null, null, null, null, false), size);
    }

    // content

    Fd create(String path) throws ErrnoException {
        return create(path, READ_WRITE);
    }

    Fd create(String path, OpenMode mode) throws ErrnoException {
        Names.Created made = files.create(parent(path), last(path), inode(FileType.REGULAR, 0644), mode);
        return new Fd(made.node().id(), made.file(), mode);
    }

    Fd tmpfile(String directory) throws ErrnoException {
        Names.Created made = files.createUnnamed(find(directory).id(), inode(FileType.REGULAR, 0600), READ_WRITE);
        return new Fd(made.node().id(), made.file(), READ_WRITE);
    }

    Fd open(String path, OpenMode mode) throws ErrnoException {
        try {
            return openNode(find(path).id(), mode);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ESTALE) {
                throw e;
            }
            return openNode(find(path).id(), mode);
        }
    }

    Fd openNode(long id, OpenMode mode) throws ErrnoException {
        OpenFile quick = files.tryOpen(id, mode);
        return new Fd(id, quick != null ? quick : files.open(id, mode), mode);
    }

    void write(String path, byte[] content) throws ErrnoException, IOException {
        try (Fd fd = exists(path) ? open(path, TRUNCATE) : create(path)) {
            fd.write(0, content);
        }
    }

    byte[] read(String path) throws ErrnoException, IOException {
        try (Fd fd = open(path, OpenMode.READ)) {
            return fd.read(0, Math.toIntExact(fd.stat().size()));
        }
    }

    void forget(long id) {
        files.forget(id);
    }

    /** An open file description. Its close is a flush and a release, as for one descriptor. */
    final class Fd implements AutoCloseable {
        final long id;
        final OpenFile file;
        private final OpenMode mode;
        private boolean closed;

        private Fd(long id, OpenFile file, OpenMode mode) {
            this.id = id;
            this.file = file;
            this.mode = mode;
        }

        private Disk.@Nullable DiskFile backing() {
            return file.passthrough() ? Objects.requireNonNull(node.kernel.backing.get(file.backingId())) : null;
        }

        void write(long offset, byte[] bytes) throws ErrnoException, IOException {
            if (bytes.length == 0) {
                return;
            }
            try (Arena arena = Arena.ofShared()) {
                MemorySegment source = arena.allocate(bytes.length);
                MemorySegment.copy(bytes, 0, source, ValueLayout.JAVA_BYTE, 0, bytes.length);
                Disk.DiskFile backing = backing();
                if (backing != null) {
                    backing.write(offset, source);
                } else {
                    files.write(id, file.handle(), offset, source);
                }
            }
        }

        /** write(2) with O_APPEND. */
        void append(byte[] bytes) throws ErrnoException, IOException {
            try (Arena arena = Arena.ofShared()) {
                MemorySegment source = arena.allocate(bytes.length);
                MemorySegment.copy(bytes, 0, source, ValueLayout.JAVA_BYTE, 0, bytes.length);
                Disk.DiskFile backing = backing();
                if (backing != null) {
                    backing.append(source);
                } else {
                    boolean ignored = files.append(id, file.handle(), 0, source);
                }
            }
        }

        /** Through a mapping of a page that is dirty already: where the kernel writes itself, that changes no time. */
        void store(long offset, byte[] bytes) throws ErrnoException, IOException {
            Timestamp modified = stat().modified();
            write(offset, bytes);
            Disk.DiskFile backing = backing();
            if (backing != null) {
                backing.setTimes(null, modified);
            }
        }

        byte[] read(long offset, int length) throws ErrnoException, IOException {
            try (Arena arena = Arena.ofShared()) {
                MemorySegment target = arena.allocate(Math.max(1, length));
                MemorySegment part = target.asSlice(0, length);
                Disk.DiskFile backing = backing();
                int count = backing != null ? backing.read(offset, part) : files.read(id, offset, part, true);
                return part.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
            }
        }

        Inode stat() throws ErrnoException {
            Inode quick = files.tryAttributes(id);
            return quick != null ? quick : files.attributes(id);
        }

        void truncate(long size) throws ErrnoException {
            files.change(id, new AttributeChange(null, null, null, null, null, false), size);
        }

        void utimens(Timestamp modified) throws ErrnoException {
            files.change(id, new AttributeChange(null, null, null, null, modified, false), null);
        }

        void allocate(int allocation, long offset, long length) throws ErrnoException {
            files.allocate(id, file.handle(), allocation, offset, length);
        }

        long seek(long offset, int whence) throws ErrnoException {
            return files.seek(id, offset, whence);
        }

        void fsync() throws ErrnoException {
            files.fsync(id, file.handle(), false);
        }

        /** close(2) of a descriptor that has a duplicate. */
        void flush() throws ErrnoException {
            files.flush(id, file.handle());
        }

        @Override
        public void close() throws ErrnoException {
            if (closed) {
                return;
            }
            closed = true;
            try {
                if (mode.write() || mode.truncate()) {
                    files.flush(id, file.handle());
                }
            } finally {
                if (!files.tryRelease(id, file.handle())) {
                    files.release(id, file.handle());
                }
            }
        }
    }
}
