package io.fusecache.client.http;

import io.fusecache.filesystem.FileSystem;
import io.fusecache.filesystem.Node;
import io.fusecache.filesystem.OpenFile;
import io.fusecache.filesystem.OpenMode;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** The files of this node's mount, through its file system. */
public final class MountedFiles implements NodeFiles {
    private static final int MAX_SYMLINKS = 40;
    private static final int COPY_BYTES = 256 << 10;
    private static final int DIRECTORY_PERMISSIONS = 0755;
    private static final int FILE_PERMISSIONS = 0644;
    private static final OpenMode READ = new OpenMode(true, false, false);
    private static final OpenMode WRITE = new OpenMode(false, true, false);

    private final FileSystem files;
    private final int uid;
    private final int gid;

    private final boolean readOnly;

    /** @param uid who owns what is stored here */
    public MountedFiles(FileSystem files, int uid, int gid, boolean readOnly) {
        this.readOnly = readOnly;
        this.files = files;
        this.uid = uid;
        this.gid = gid;
    }

    @Override
    public Node find(FilePath path) throws ErrnoException {
        return walk(path.names(), path);
    }

    private Node walk(List<FileName> names, FilePath path) throws ErrnoException {
        Node at = files.root();
        Node parent = at;
        Deque<FileStep> left = new ArrayDeque<>();
        names.forEach(name -> left.addLast(new FileStep.Down(name)));
        int links = 0;
        while (!left.isEmpty()) {
            switch (left.removeFirst()) {
                case FileStep.Up() -> at = directory(files.parent(at.inode().ino()));
                case FileStep.Down(FileName name) -> {
                    parent = at;
                    at = files.lookup(parent.id(), name);
                    if (at.inode().type() == FileType.SYMLINK) {
                        if (++links > MAX_SYMLINKS) {
                            throw new ErrnoException(Errno.ELOOP, path + " has too many symbolic links");
                        }
                        List<FileStep> target = steps(files.readLink(at.id()), path);
                        target.reversed().forEach(left::addFirst);
                        at = parent;
                    }
                }
            }
        }
        return at;
    }

    private Node directory(Inode inode) {
        return new Node(inode.ino(), inode);
    }

    /** A symlink's target: relative ones only, for an absolute one means another place on every machine. */
    private static List<FileStep> steps(byte[] target, FilePath path) throws ErrnoException {
        String text = new String(target, StandardCharsets.ISO_8859_1);
        if (text.startsWith("/")) {
            throw new ErrnoException(Errno.ENOENT, path + " leads out of the mount, to " + text);
        }
        Deque<FileStep> steps = new ArrayDeque<>();
        for (String part : text.split("/")) {
            if (part.equals("..")) {
                steps.addLast(new FileStep.Up());
            } else if (!part.isEmpty() && !part.equals(".")) {
                steps.addLast(new FileStep.Down(FileName.of(part.getBytes(StandardCharsets.ISO_8859_1))));
            }
        }
        return List.copyOf(steps);
    }

    /** One part of a path. */
    private sealed interface FileStep {
        record Up() implements FileStep {}

        record Down(FileName name) implements FileStep {}
    }

    @Override
    public OpenedFile open(Node node) throws ErrnoException {
        if (node.inode().directory()) {
            throw new ErrnoException(Errno.EISDIR, "a directory has no content");
        }
        if (!node.inode().regular()) {
            throw new ErrnoException(Errno.EINVAL, "a " + node.inode().type() + " has no content to send");
        }
        OpenFile open = files.open(node.id(), READ);
        try {
            return new Reading(
                    node.id(), open.handle(), files.attributes(node.id()).size());
        } catch (ErrnoException failed) {
            files.release(node.id(), open.handle());
            throw failed;
        }
    }

    /** An open of ours, beside those of the kernel. */
    private final class Reading implements OpenedFile {
        private final long node;
        private final long handle;
        private final long size;

        Reading(long node, long handle, long size) {
            this.node = node;
            this.handle = handle;
            this.size = size;
        }

        @Override
        public long size() {
            return size;
        }

        @Override
        public int read(long offset, MemorySegment target) throws ErrnoException {
            return files.read(node, offset, target, true);
        }

        @Override
        public void close() throws ErrnoException {
            files.release(node, handle);
        }
    }

    @Override
    public int relist(Optional<FilePath> path) throws ErrnoException {
        Node at = files.root();
        Node above = at;
        int changed = 0;
        for (int depth = 1; path.isPresent() && depth <= path.get().names().size(); depth++) {
            above = at;
            List<FileName> names = path.get().names().subList(0, depth);
            try {
                at = walk(names, path.get());
            } catch (ErrnoException absent) {
                if (absent.errno() != Errno.ENOENT) {
                    throw absent;
                }
                changed += files.relist(above.id());
                at = relisted(above, path.get(), depth);
            }
        }
        return changed + files.relist(at.inode().directory() ? at.id() : above.id());
    }

    private Node relisted(Node above, FilePath path, int depth) throws ErrnoException {
        Optional<Inode> found = present(above, path.names().get(depth - 1));
        if (found.isEmpty()) {
            throw new ErrnoException(Errno.ENOENT, path + " is neither here nor in the bucket");
        }
        return walk(path.names().subList(0, depth), path);
    }

    private void refuseWhereReadOnly(FilePath path) throws ErrnoException {
        if (readOnly) {
            throw new ErrnoException(Errno.EROFS, path + ": this node is mounted read-only");
        }
    }

    @Override
    public boolean store(FilePath path, InputStream content, long length) throws ErrnoException, IOException {
        refuseWhereReadOnly(path);
        Node directory = directories(path);
        Optional<Inode> replaced = present(directory, path.last());
        if (replaced.isPresent() && replaced.get().directory()) {
            throw new ErrnoException(Errno.EISDIR, path + " is a directory");
        }
        FileName fresh = FileName.of(".fusecache-put-" + UUID.randomUUID());
        NewInode what = new NewInode(
                FileType.REGULAR,
                replaced.map(Inode::permissions).orElse(FILE_PERMISSIONS),
                replaced.map(Inode::uid).orElse(uid),
                replaced.map(Inode::gid).orElse(gid),
                0,
                null,
                true);
        Node node = files.make(directory.id(), fresh, what);
        boolean renamed = false;
        try {
            fill(node, content, length);
            files.rename(directory.id(), fresh, directory.id(), path.last(), 0);
            renamed = true;
        } finally {
            if (!renamed) {
                files.unlink(directory.id(), fresh);
                files.forget(node.id());
            }
        }
        files.changedBehindKernel(Set.of(directory.id()));
        replaced.ifPresent(inode -> files.forget(inode.ino()));
        return replaced.isEmpty();
    }

    private Node directories(FilePath path) throws ErrnoException {
        Node at = files.root();
        int depth = 0;
        for (FileName name : path.parents()) {
            depth++;
            Optional<Inode> inode = present(at, name);
            if (inode.isPresent()) {
                at = walk(path.names().subList(0, depth), path);
                if (!at.inode().directory()) {
                    throw new ErrnoException(Errno.EEXIST, name + " on the way to " + path + " is no directory");
                }
            } else {
                at = made(at, name);
            }
        }
        return at;
    }

    private Node made(Node parent, FileName name) throws ErrnoException {
        try {
            NewInode directory = new NewInode(FileType.DIRECTORY, DIRECTORY_PERMISSIONS, uid, gid, 0, null, false);
            Node made = files.make(parent.id(), name, directory);
            files.changedBehindKernel(Set.of(parent.id()));
            return made;
        } catch (ErrnoException failed) {
            if (failed.errno() == Errno.EEXIST) {
                return files.lookup(parent.id(), name);
            }
            throw failed;
        }
    }

    private Optional<Inode> present(Node directory, FileName name) throws ErrnoException {
        try {
            return Optional.of(files.lookup(directory.id(), name).inode());
        } catch (ErrnoException absent) {
            if (absent.errno() == Errno.ENOENT) {
                return Optional.empty();
            }
            throw absent;
        }
    }

    private void fill(Node node, InputStream content, long length) throws ErrnoException, IOException {
        OpenFile open = files.open(node.id(), WRITE);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment buffer = arena.allocate(COPY_BYTES);
            byte[] bytes = new byte[COPY_BYTES];
            long written = 0;
            for (int count = content.readNBytes(bytes, 0, COPY_BYTES);
                    count > 0;
                    count = content.readNBytes(bytes, 0, COPY_BYTES)) {
                MemorySegment.copy(MemorySegment.ofArray(bytes), 0, buffer, 0, count);
                files.write(node.id(), open.handle(), written, buffer.asSlice(0, count));
                written += count;
            }
            if (length >= 0 && written != length) {
                throw new EOFException("the body broke off after " + written + " of " + length + " bytes");
            }
            files.flush(node.id(), open.handle());
        } finally {
            files.release(node.id(), open.handle());
        }
    }

    @Override
    public void remove(FilePath path) throws ErrnoException {
        refuseWhereReadOnly(path);
        List<FileName> parents = path.parents();
        Node directory = parents.isEmpty() ? files.root() : walk(parents, path);
        if (!directory.inode().directory()) {
            throw new ErrnoException(Errno.ENOTDIR, path + ": its parent is no directory");
        }
        Node removed = files.lookup(directory.id(), path.last());
        files.unlink(directory.id(), path.last());
        files.changedBehindKernel(Set.of(directory.id(), removed.id()));
        files.forget(removed.id());
    }
}
