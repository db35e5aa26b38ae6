package io.fusecache.metadata.delegation;

import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.Draft;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Operation.DelegatedChange;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Delegated directories, and the files that were made in them since: all of their names, attributes and versions, changed as the
 * coordinator's namespace would.
 *
 * <p>A directory comes in when it is made, so that all its names are known, and nobody else has seen any inode that is here. Each
 * change is written down before it takes effect. What this cannot do answers null (or false): it is the coordinator's to do, once the
 * directory is here no more. Used under its owner's lock.
 */
final class DelegatedTree {
    private static final int NOREPLACE = 1;
    private static final int MOST_ENDED = 1 << 16;

    /** Writes a change down; {@code inodes} look different afterwards. */
    interface Ledger {
        void note(DelegatedChange change, long... inodes) throws ErrnoException;
    }

    private final Map<Long, DelegatedDirectory> directories = new HashMap<>();
    private final Map<Long, DelegatedFile> files = new HashMap<>();
    private final Set<Long> ended = new HashSet<>();
    private final NodeId self;
    private final InstantSource clock;
    private final LongSupplier numbers;
    private final Ledger ledger;

    /** @param numbers of inodes, 0 where there is none left */
    DelegatedTree(NodeId self, InstantSource clock, LongSupplier numbers, Ledger ledger) {
        this.self = self;
        this.clock = clock;
        this.numbers = numbers;
        this.ledger = ledger;
    }

    // what is here

    /** A directory that has just been made, empty, by the coordinator's word. */
    void add(Inode made, long parent) {
        directories.put(made.ino(), new DelegatedDirectory(made, parent));
    }

    boolean hasDirectory(long ino) {
        return directories.containsKey(ino);
    }

    boolean contains(long ino) {
        return directories.containsKey(ino) || files.containsKey(ino);
    }

    Set<Long> directories() {
        return directories.keySet();
    }

    /** The directory that the inode is here with: itself, or that of a file; 0 for none. */
    long home(long ino) {
        DelegatedFile file = files.get(ino);
        return file != null ? file.directory : hasDirectory(ino) ? ino : 0;
    }

    int size() {
        return directories.size() + files.size();
    }

    /** Whether it was made and has ended here, so that nobody ever had it but this node. */
    boolean ended(long ino) {
        return ended.contains(ino);
    }

    /** A directory, and what is here with it. */
    Set<Long> inodes(long directory) {
        Set<Long> all = new HashSet<>(Set.of(directory));
        DelegatedDirectory here = directories.get(directory);
        if (here != null) {
            all.addAll(here.names.values());
            all.addAll(here.orphans);
        }
        return all;
    }

    /** The directory is not ours alone any more, nor is any file in it. */
    void drop(long directory) {
        DelegatedDirectory gone = directories.remove(directory);
        if (gone != null) {
            gone.names.values().forEach(files::remove);
            gone.orphans.forEach(files::remove);
        }
    }

    void clear() {
        directories.clear();
        files.clear();
    }

    @Nullable Inode inode(long ino) {
        DelegatedFile file = files.get(ino);
        if (file != null) {
            return file.inode;
        }
        DelegatedDirectory directory = directories.get(ino);
        return directory == null ? null : directory.inode;
    }

    /** Null for what is no file here. */
    @Nullable FileVersion content(long ino) {
        DelegatedFile file = files.get(ino);
        return file == null ? null : file.content;
    }

    /** What a name of a directory that is here leads to. ENOENT; null where the inode is not here. */
    @Nullable Inode lookup(long parent, FileName name) throws ErrnoException {
        DelegatedDirectory directory = directories.get(parent);
        return directory == null ? null : inode(directory.entry(name));
    }

    private Timestamp now() {
        return Timestamp.of(clock.instant());
    }

    // names

    @Nullable Inode create(long parent, FileName name, NewInode wanted) throws ErrnoException {
        DelegatedDirectory directory = directories.get(parent);
        byte[] target = wanted.target();
        boolean link = wanted.type() == FileType.SYMLINK;
        if (directory == null
                || link != (target != null)
                || (target != null && (target.length == 0 || target.length > 4095))) {
            return null;
        }
        directory.checkLives();
        if (directory.names.containsKey(name)) {
            throw new ErrnoException(Errno.EEXIST, "'" + name + "' is in directory " + parent);
        }
        long ino = numbers.getAsLong();
        if (ino == 0) {
            return null;
        }
        Timestamp now = now();
        boolean folder = wanted.type() == FileType.DIRECTORY;
        NewInode asked = folder ? wanted.forWriting() : wanted;
        boolean setGid = (directory.inode.permissions() & 02000) != 0;
        int permissions = (link ? wanted.permissions() : wanted.permissions() & ~wanted.umask()) & 07777;
        Inode made = Draft.fresh(
                ino,
                wanted,
                permissions | (setGid && folder ? 02000 : 0),
                setGid ? directory.inode.gid() : wanted.gid(),
                folder ? 2 : 1,
                now);
        boolean written = folder || (made.regular() && wanted.openForWriting());
        Inode inode = written ? new Draft(made).writer(self).inode() : made;
        ledger.note(new DelegatedChange(now, parent, ino, new Operation.Create(parent, name, asked)), parent, ino);
        directory.names.put(name, ino);
        directory.stamp(folder ? 1 : 0, now);
        if (folder) {
            add(inode, parent);
        } else {
            FileVersion empty = made.regular() ? FileVersion.empty(ino, FileVersion.DEFAULT_BLOCK_BYTES) : null;
            files.put(ino, new DelegatedFile(inode, empty, parent));
        }
        return inode;
    }

    @Nullable Inode unlink(long parent, FileName name) throws ErrnoException {
        DelegatedDirectory directory = directories.get(parent);
        if (directory == null) {
            return null;
        }
        directory.checkLives();
        long ino = directory.entry(name);
        if (hasDirectory(ino)) {
            throw new ErrnoException(Errno.EISDIR, "'" + name + "' is a directory");
        }
        DelegatedFile file = files.get(ino);
        if (file == null) {
            return null;
        }
        Timestamp now = now();
        ledger.note(new DelegatedChange(now, parent, ino, new Operation.Unlink(parent, name)), parent, ino);
        directory.names.remove(name);
        directory.stamp(0, now);
        return orphaned(file, directory, now);
    }

    private static Inode orphaned(DelegatedFile file, DelegatedDirectory directory, Timestamp now) {
        file.inode = new Draft(file.inode).links(0).changed(now).inode();
        directory.orphans.add(file.inode.ino());
        return file.inode;
    }

    @Nullable Inode rmdir(long parent, FileName name) throws ErrnoException {
        DelegatedDirectory directory = directories.get(parent);
        if (directory == null) {
            return null;
        }
        directory.checkLives();
        long ino = directory.entry(name);
        if (files.containsKey(ino)) {
            throw new ErrnoException(Errno.ENOTDIR, "'" + name + "' is no directory");
        }
        DelegatedDirectory gone = directories.get(ino);
        if (gone == null) {
            return null;
        }
        gone.checkEmpty(name);
        Timestamp now = now();
        ledger.note(new DelegatedChange(now, parent, ino, new Operation.RemoveDirectory(parent, name)), parent, ino);
        directory.names.remove(name);
        directory.stamp(-1, now);
        return gone.removed(now);
    }

    /** A rename that was done. */
    record Renamed(@Nullable Inode replaced) {}

    /** Null where that is not to be done here. Flags other than RENAME_NOREPLACE are not. */
    @Nullable Renamed rename(long parent, FileName name, long newParent, FileName newName, int flags) throws ErrnoException {
        DelegatedDirectory from = directories.get(parent);
        DelegatedDirectory to = directories.get(newParent);
        if (from == null || to == null || (flags & ~NOREPLACE) != 0) {
            return null;
        }
        from.checkLives();
        to.checkLives();
        long moved = from.entry(name);
        Long replaced = to.names.get(newName);
        if (replaced != null && flags == NOREPLACE) {
            throw new ErrnoException(Errno.EEXIST, "'" + newName + "' is in directory " + newParent);
        }
        if (!contains(moved) || (replaced != null && !contains(replaced))) {
            return null;
        }
        checkLoops(parent, newParent, moved, replaced);
        if (replaced != null && replaced == moved) {
            return new Renamed(null);
        }
        boolean folder = hasDirectory(moved);
        if (replaced != null) {
            checkReplacing(folder, replaced, newName);
        }
        Timestamp now = now();
        Operation.Rename rename = new Operation.Rename(parent, name, newParent, newName, flags);
        ledger.note(
                new DelegatedChange(now, parent, replaced == null ? 0 : replaced, rename),
                parent,
                newParent,
                moved,
                replaced == null ? moved : replaced);
        from.names.remove(name);
        from.stamp(folder ? -1 : 0, now);
        to.names.put(newName, moved);
        to.stamp(folder && replaced == null ? 1 : 0, now);
        rebind(moved, newParent, now);
        return new Renamed(replaced == null ? null : replaced(replaced, to, now));
    }

    private void rebind(long moved, long newParent, Timestamp now) {
        DelegatedFile file = files.get(moved);
        DelegatedDirectory directory = directories.get(moved);
        if (file != null) {
            file.directory = newParent;
            file.inode = new Draft(file.inode).changed(now).inode();
        } else if (directory != null) {
            directory.parent = newParent;
            directory.inode = new Draft(directory.inode).changed(now).inode();
        }
    }

    private Inode replaced(long ino, DelegatedDirectory in, Timestamp now) {
        DelegatedFile file = files.get(ino);
        return file != null
                ? orphaned(file, in, now)
                : Objects.requireNonNull(directories.get(ino)).removed(now);
    }

    private void checkLoops(long parent, long newParent, long moved, @Nullable Long replaced) throws ErrnoException {
        if (parent == newParent) {
            return;
        }
        if (hasDirectory(moved) && within(newParent, moved)) {
            throw new ErrnoException(Errno.EINVAL, "directory " + moved + " cannot move below itself");
        }
        if (replaced != null && hasDirectory(replaced) && within(parent, replaced)) {
            throw new ErrnoException(Errno.ENOTEMPTY, "directory " + replaced + " holds what moves");
        }
    }

    private boolean within(long directory, long ancestor) {
        long at = directory;
        for (DelegatedDirectory here = directories.get(at); here != null; here = directories.get(at)) {
            if (at == ancestor) {
                return true;
            }
            at = here.parent;
        }
        return false;
    }

    private void checkReplacing(boolean folder, long replaced, FileName name) throws ErrnoException {
        DelegatedDirectory directory = directories.get(replaced);
        if (folder && directory == null) {
            throw new ErrnoException(Errno.ENOTDIR, "'" + name + "' is no directory");
        }
        if (!folder && directory != null) {
            throw new ErrnoException(Errno.EISDIR, "'" + name + "' is a directory");
        }
        if (directory != null) {
            directory.checkEmpty(name);
        }
    }

    /** False where it is not here, or has a name. */
    boolean release(long ino) throws ErrnoException {
        Inode inode = inode(ino);
        if (inode == null || inode.links() != 0) {
            return false;
        }
        ledger.note(new DelegatedChange(now(), 0, 0, new Operation.ReleaseUnlinked(Set.of(ino))), ino);
        DelegatedFile file = files.remove(ino);
        if (file != null) {
            DelegatedDirectory directory = directories.get(file.directory);
            if (directory != null) {
                directory.orphans.remove(ino);
            }
        } else {
            drop(ino);
        }
        if (ended.size() == MOST_ENDED) {
            ended.clear();
        }
        ended.add(ino);
        return true;
    }

    // attributes

    /** Of what has no name only this node knows. */
    private long guard(long ino) {
        Inode inode = inode(ino);
        return inode == null || inode.links() == 0 ? 0 : home(ino);
    }

    private void set(long ino, Inode inode) {
        DelegatedFile file = files.get(ino);
        DelegatedDirectory directory = directories.get(ino);
        if (file != null) {
            file.inode = inode;
        } else if (directory != null) {
            directory.inode = inode;
        }
    }

    @Nullable Inode setAttributes(long ino, AttributeChange change) throws ErrnoException {
        Inode inode = inode(ino);
        if (inode == null) {
            return null;
        }
        Timestamp now = now();
        ledger.note(new DelegatedChange(now, guard(ino), 0, new Operation.SetAttributes(ino, change)), ino);
        Inode changed = new Draft(inode).changed(now).apply(change).inode();
        set(ino, changed);
        return changed;
    }

    /** False where it is not here. */
    boolean touch(long ino, Timestamp time) throws ErrnoException {
        Inode inode = inode(ino);
        if (inode == null) {
            return false;
        }
        if (time.compareTo(inode.accessed()) > 0) {
            Operation.Touch touch = new Operation.Touch(Map.of(ino, time));
            ledger.note(new DelegatedChange(now(), guard(ino), 0, touch), ino);
            set(ino, new Draft(inode).accessed(time).inode());
        }
        return true;
    }

    // content

    /** What to write on. */
    @Nullable FileVersion beginWrite(long ino) throws ErrnoException {
        DelegatedFile file = files.get(ino);
        if (file == null || file.content == null) {
            return null;
        }
        if (file.inode.writer() == null) {
            Operation.BeginWrite begin = new Operation.BeginWrite(ino, Duration.ZERO);
            ledger.note(new DelegatedChange(now(), guard(ino), 0, begin), ino);
            file.inode = new Draft(file.inode).writer(self).inode();
        }
        return file.content;
    }

    boolean endWrite(long ino) throws ErrnoException {
        DelegatedFile file = files.get(ino);
        if (file == null) {
            return false;
        }
        if (file.inode.writer() != null) {
            ledger.note(new DelegatedChange(now(), guard(ino), 0, new Operation.EndWrite(ino)), ino);
            file.inode = new Draft(file.inode).writer(null).inode();
        }
        return true;
    }

    @Nullable Inode commit(FileVersion version, Timestamp modified, Timestamp changed, long usedBytes) throws ErrnoException {
        long ino = version.ino();
        DelegatedFile file = files.get(ino);
        if (file == null || file.content == null || usedBytes < 0 || version.object() != null) {
            return null;
        }
        if (!self.equals(file.inode.writer()) || version.version() != file.inode.version() + 1) {
            throw new ErrnoException(Errno.ESTALE, version + " cannot follow version " + file.inode.version());
        }
        Operation.Commit commit = new Operation.Commit(version, modified, changed, usedBytes);
        ledger.note(new DelegatedChange(now(), guard(ino), 0, commit), ino);
        file.inode = new Draft(file.inode)
                .content(version.version(), version.size(), usedBytes)
                .modified(modified)
                .changed(changed.compareTo(file.inode.changed()) > 0 ? changed : file.inode.changed())
                .inode();
        file.content = version;
        return file.inode;
    }

    @Nullable Boolean seal(long ino, long version, int[] checksums) throws ErrnoException {
        DelegatedFile file = files.get(ino);
        if (file == null) {
            return null;
        }
        FileVersion last = file.content;
        if (last == null || (last.version() == version && last.blocks() != checksums.length)) {
            return null;
        }
        if (last.version() != version) {
            return false;
        }
        Operation.Seal seal = new Operation.Seal(ino, version, checksums);
        ledger.note(new DelegatedChange(now(), guard(ino), 0, seal), ino);
        file.content = new FileVersion(ino, version, last.size(), last.blockBytes(), checksums, null);
        return true;
    }
}
