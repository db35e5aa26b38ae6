package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.Entry;
import io.fusecache.coordinator.state.Node;
import io.fusecache.metadata.Draft;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.session.Operation;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** renameat2(2), checked in the order of Linux's do_renameat2 and vfs_rename. */
final class Renaming {
    private static final int NOREPLACE = 1;
    private static final int EXCHANGE = 2;
    private static final int WHITEOUT = 4;

    private final Execution run;
    private final Operation.Rename op;

    private Renaming(Execution run, Operation.Rename op) {
        this.run = run;
        this.op = op;
    }

    /** The inode that was replaced, if any. */
    static Optional<Inode> rename(Execution run, Operation.Rename op) throws ErrnoException {
        return new Renaming(run, op).rename();
    }

    private Optional<Inode> rename() throws ErrnoException {
        checkFlags();
        run.directory(op.parent());
        run.directory(op.newParent());
        Entry source = run.entry(op.parent(), op.name());
        Entry target = run.findEntry(op.newParent(), op.newName());
        if (target != null && has(NOREPLACE)) {
            throw new ErrnoException(Errno.EEXIST, "'" + op.newName() + "' is in directory " + op.newParent());
        }
        if (target == null && has(EXCHANGE)) {
            throw new ErrnoException(Errno.ENOENT, "no '" + op.newName() + "' in directory " + op.newParent());
        }
        Names.checkReserved(op.newParent(), op.newName());
        Node moved = run.node(source.ino());
        Node replaced = target == null ? null : run.node(target.ino());
        checkLoops(moved, replaced);
        if (replaced != null && replaced.ino() == moved.ino()) {
            return Optional.empty();
        }
        if (target != null && replaced != null) {
            if (has(EXCHANGE)) {
                exchange(source, moved, target, replaced);
                return Optional.empty();
            }
            checkReplacing(moved, replaced);
            return Optional.of(replace(source, moved, target, replaced));
        }
        move(source, moved);
        return Optional.empty();
    }

    private boolean has(int flag) {
        return (op.flags() & flag) != 0;
    }

    private void checkFlags() throws ErrnoException {
        boolean unknown = (op.flags() & ~(NOREPLACE | EXCHANGE | WHITEOUT)) != 0;
        if (unknown || (has(EXCHANGE) && (has(NOREPLACE) || has(WHITEOUT)))) {
            throw new ErrnoException(Errno.EINVAL, "rename flags " + op.flags());
        }
    }

    private void checkLoops(Node moved, @Nullable Node replaced) throws ErrnoException {
        if (op.parent() == op.newParent()) {
            return;
        }
        if (moved.inode().directory() && isWithin(op.newParent(), moved.ino())) {
            throw new ErrnoException(Errno.EINVAL, "directory " + moved.ino() + " cannot move below itself");
        }
        if (replaced != null && replaced.inode().directory() && isWithin(op.parent(), replaced.ino())) {
            throw new ErrnoException(
                    has(EXCHANGE) ? Errno.EINVAL : Errno.ENOTEMPTY, "'" + op.newName() + "' holds what moves");
        }
    }

    private boolean isWithin(long directory, long ancestor) throws ErrnoException {
        for (long at = directory; ; at = run.node(at).parent()) {
            if (at == ancestor) {
                return true;
            }
            if (at == Inode.ROOT) {
                return false;
            }
        }
    }

    private void checkReplacing(Node moved, Node replaced) throws ErrnoException {
        if (moved.inode().directory() && !replaced.inode().directory()) {
            throw new ErrnoException(Errno.ENOTDIR, "'" + op.newName() + "' is no directory");
        }
        if (!moved.inode().directory() && replaced.inode().directory()) {
            throw new ErrnoException(Errno.EISDIR, "'" + op.newName() + "' is a directory");
        }
        run.look(replaced);
        if (replaced.entries() != 0) {
            throw new ErrnoException(Errno.ENOTEMPTY, "'" + op.newName() + "' has " + replaced.entries() + " entries");
        }
    }

    private void move(Entry source, Node moved) throws ErrnoException {
        boolean directory = moved.inode().directory();
        giveUpSource(source, directory);
        Names.enter(run, run.node(op.newParent()), op.newName(), moved.ino(), directory);
        rebind(moved.ino(), op.parent(), op.name(), op.newParent(), op.newName());
    }

    private Inode replace(Entry source, Node moved, Entry target, Node replaced) throws ErrnoException {
        boolean directory = moved.inode().directory();
        giveUpSource(source, directory);
        // The name stays where it is in listings; only what it leads to changes.
        run.putEntry(op.newParent(), op.newName(), moved.ino(), target.cookie());
        // A directory that replaces a directory leaves the count of its new parent as it was.
        stamp(op.newParent(), 0);
        rebind(moved.ino(), op.parent(), op.name(), op.newParent(), op.newName());
        Node gone = run.node(replaced.ino());
        return directory
                ? Removal.dropDirectory(run, gone, true)
                : Removal.dropName(run, gone, op.newParent(), op.newName(), true);
    }

    private void exchange(Entry source, Node moved, Entry target, Node other) throws ErrnoException {
        run.putEntry(op.parent(), op.name(), other.ino(), source.cookie());
        run.putEntry(op.newParent(), op.newName(), moved.ino(), target.cookie());
        int gained = (other.inode().directory() ? 1 : 0) - (moved.inode().directory() ? 1 : 0);
        stamp(op.parent(), op.parent() == op.newParent() ? 0 : gained);
        if (op.parent() != op.newParent()) {
            stamp(op.newParent(), -gained);
        }
        rebind(moved.ino(), op.parent(), op.name(), op.newParent(), op.newName());
        rebind(other.ino(), op.newParent(), op.newName(), op.parent(), op.name());
    }

    private void giveUpSource(Entry source, boolean directory) throws ErrnoException {
        Node parent = run.node(op.parent());
        if (!has(WHITEOUT)) {
            Names.leave(run, parent, op.name(), source, directory);
            return;
        }
        NewInode whiteout = new NewInode(FileType.CHARACTER_DEVICE, 0, 0, 0, 0, null, false);
        Inode inode = Names.make(run, parent, whiteout);
        run.save(new Node(inode, parent.ino(), op.name(), 0, Node.FIRST_COOKIE, null, false));
        run.putEntry(op.parent(), op.name(), inode.ino(), source.cookie());
        stamp(op.parent(), directory ? -1 : 0);
    }

    private void stamp(long directory, int linksGained) throws ErrnoException {
        Node node = run.node(directory);
        run.save(
                node,
                new Draft(node.inode())
                        .moreLinks(linksGained)
                        .modified(run.now())
                        .changed(run.now())
                        .inode());
    }

    private void rebind(long ino, long parent, FileName name, long newParent, FileName newName) throws ErrnoException {
        Node node = run.node(ino);
        Inode inode = new Draft(node.inode()).changed(run.now()).inode();
        if (inode.directory()) {
            run.save(node.with(inode).named(newParent, newName));
            BucketWork.directoryMoved(run, ino);
        } else {
            Names.addName(run, Names.removeName(run, node.with(inode), parent, name), newParent, newName);
            BucketWork.checkPlace(run, ino);
        }
    }
}
