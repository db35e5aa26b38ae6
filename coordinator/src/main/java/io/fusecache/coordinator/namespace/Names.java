package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.CookieRecord;
import io.fusecache.coordinator.state.Entry;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Draft;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.session.Operation;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Names coming, going and being read.
 *
 * <p>A directory's link count is 2 and one for each directory in it. A file's first name is in its inode, further ones are
 * in L records. What an entry's coming and going does to times is inode(7): the directory's modification and change
 * times, and the change time of the inode that gained or lost a name.
 */
final class Names {
    /** As ext4: of anything but a directory. */
    static final int MOST_LINKS = 65_000;

    static final int TARGET_MAX_BYTES = 4095;

    /** In one answer, however many were asked for. */
    private static final int MOST_LISTED = 4096;

    private Names() {}

    static Inode lookup(Execution run, Operation.Lookup op) throws ErrnoException {
        Node parent = run.directory(op.parent());
        run.lease(parent.ino());
        Entry entry = run.findEntry(op.parent(), op.name());
        run.tell(op.parent(), op.name(), entry == null ? 0 : entry.ino());
        if (entry == null) {
            throw new ErrnoException(Errno.ENOENT, "no '" + op.name() + "' in directory " + op.parent());
        }
        run.lease(entry.ino());
        return run.node(entry.ino()).inode();
    }

    static List<DirectoryEntry> list(Execution run, Operation.ListEntries op) throws ErrnoException {
        Node directory = run.node(op.directory());
        if (!directory.inode().directory()) {
            throw new ErrnoException(Errno.ENOTDIR, "inode " + op.directory() + " is no directory");
        }
        run.lease(directory.ino());
        List<DirectoryEntry> entries = new ArrayList<>();
        int limit = Math.clamp(op.limit(), 1, MOST_LISTED);
        long from = Math.max(op.cookie(), Node.FIRST_COOKIE - 1) + 1;
        byte[] end = Keys.after(Keys.cookies(op.directory()));
        run.state().scan(Keys.cookie(op.directory(), from), end, (key, value) -> {
            CookieRecord at = CookieRecord.of(value);
            Node node = run.find(at.ino());
            if (node == null) {
                throw new AssertionError("entry '" + at.name() + "' leads to no inode");
            }
            run.leaseListed(node);
            entries.add(new DirectoryEntry(at.name(), Keys.number(key, 9), node.inode()));
            return entries.size() < limit;
        });
        return entries;
    }

    static Inode parent(Execution run, long directory) throws ErrnoException {
        Node node = run.node(directory);
        if (!node.inode().directory()) {
            throw new ErrnoException(Errno.ENOTDIR, "inode " + directory + " is no directory");
        }
        Node parent = run.node(node.parent());
        run.lease(parent.ino());
        return parent.inode();
    }

    static Inode create(Execution run, Operation.Create op) throws ErrnoException {
        Node parent = run.directory(op.parent());
        checkReserved(op.parent(), op.name());
        if (run.findEntry(op.parent(), op.name()) != null) {
            throw new ErrnoException(Errno.EEXIST, "'" + op.name() + "' is in directory " + op.parent());
        }
        Inode inode = makeInheriting(run, parent, op.inode());
        boolean directory = inode.directory();
        Node node = new Node(inode, parent.ino(), op.name(), 0, Node.FIRST_COOKIE, null, false);
        run.save(node);
        enter(run, parent, op.name(), inode.ino(), directory);
        if (directory) {
            BucketWork.checkMarker(run, inode.ino());
        }
        return finishMaking(run, node, op.inode());
    }

    static Inode createUnnamed(Execution run, Operation.CreateUnnamed op) throws ErrnoException {
        Node parent = run.directory(op.parent());
        if (op.inode().type() != FileType.REGULAR) {
            throw new ErrnoException(Errno.EINVAL, "only a regular file can be made without a name");
        }
        Inode inode =
                new Draft(makeInheriting(run, parent, op.inode())).links(0).inode();
        Node node = new Node(inode, 0, null, 0, Node.FIRST_COOKIE, null, true);
        run.save(node);
        Removal.hold(run, inode.ino());
        return finishMaking(run, node, op.inode());
    }

    /** As {@link #make}, with what default ACL and umask make of the permissions. */
    private static Inode makeInheriting(Execution run, Node parent, NewInode wanted) throws ErrnoException {
        AccessLists.Inherited inherited = AccessLists.inherited(run, parent, wanted);
        Inode made = make(run, parent, wanted, inherited.permissions());
        return inherited.give(run, made);
    }

    static Inode make(Execution run, Node parent, NewInode wanted) throws ErrnoException {
        return make(run, parent, wanted, wanted.permissions());
    }

    /** The inode itself, without any name: numbered, counted, with set-group-id taken from the parent. */
    private static Inode make(Execution run, Node parent, NewInode wanted, int asked) throws ErrnoException {
        byte[] target = wanted.target();
        if ((wanted.type() == FileType.SYMLINK) != (target != null)) {
            throw new ErrnoException(Errno.EINVAL, "a symbolic link, and nothing else, has a target");
        }
        if (target != null && (target.length == 0 || target.length > TARGET_MAX_BYTES)) {
            throw target.length == 0
                    ? new ErrnoException(Errno.ENOENT, "a symbolic link to nothing")
                    : new ErrnoException(Errno.ENAMETOOLONG, "a target of " + target.length + " bytes");
        }
        if (run.counters().nextInode() > Inode.MAX) {
            throw new ErrnoException(Errno.ENOSPC, "all inode numbers have been used");
        }
        boolean directory = wanted.type() == FileType.DIRECTORY;
        boolean setGid = (parent.inode().permissions() & 02000) != 0;
        int permissions = (asked & 07777) | (setGid && directory ? 02000 : 0);
        int gid = setGid ? parent.inode().gid() : wanted.gid();
        run.count(1, 0);
        return Draft.fresh(run.newInode(), wanted, permissions, gid, directory ? 2 : 1, run.now());
    }

    private static Inode finishMaking(Execution run, Node node, NewInode wanted) {
        Inode inode = node.inode();
        if (inode.directory() && wanted.openForWriting() && Delegations.mayBe(run, inode)) {
            return Contents.grant(run, node);
        }
        if (!inode.regular()) {
            return inode;
        }
        FileVersion empty = FileVersion.empty(inode.ino(), FileVersion.DEFAULT_BLOCK_BYTES);
        run.save(ContentRecord.fresh(empty, run.history()));
        run.tell(empty);
        if (wanted.openForWriting()) {
            inode = Contents.grant(run, node);
        }
        return inode;
    }

    static Inode link(Execution run, Operation.Link op) throws ErrnoException {
        Node node = run.node(op.ino());
        Node parent = run.directory(op.parent());
        checkReserved(op.parent(), op.name());
        if (run.findEntry(op.parent(), op.name()) != null) {
            throw new ErrnoException(Errno.EEXIST, "'" + op.name() + "' is in directory " + op.parent());
        }
        Inode inode = node.inode();
        if (inode.directory()) {
            throw new ErrnoException(Errno.EPERM, "a directory has one name");
        }
        if (inode.links() == 0 && !node.linkable()) {
            throw new ErrnoException(Errno.ENOENT, "inode " + op.ino() + " was removed");
        }
        if (inode.links() >= MOST_LINKS) {
            throw new ErrnoException(Errno.EMLINK, "inode " + op.ino() + " has " + inode.links() + " names");
        }
        Inode linked = new Draft(inode).moreLinks(1).changed(run.now()).inode();
        addName(run, node.with(linked).withLinkable(false), op.parent(), op.name());
        enter(run, run.node(parent.ino()), op.name(), op.ino(), false);
        return linked;
    }

    static Inode unlink(Execution run, Operation.Unlink op) throws ErrnoException {
        Node parent = run.directory(op.parent());
        Entry entry = run.entry(op.parent(), op.name());
        Node node = run.node(entry.ino());
        if (node.inode().directory()) {
            throw new ErrnoException(Errno.EISDIR, "'" + op.name() + "' is a directory");
        }
        leave(run, parent, op.name(), entry, false);
        return Removal.dropName(run, node, op.parent(), op.name(), true);
    }

    static Inode removeDirectory(Execution run, Operation.RemoveDirectory op) throws ErrnoException {
        Node parent = run.directory(op.parent());
        Entry entry = run.entry(op.parent(), op.name());
        Node node = run.node(entry.ino());
        if (!node.inode().directory()) {
            throw new ErrnoException(Errno.ENOTDIR, "'" + op.name() + "' is no directory");
        }
        run.look(node);
        if (node.entries() != 0) {
            throw new ErrnoException(Errno.ENOTEMPTY, "'" + op.name() + "' has " + node.entries() + " entries");
        }
        leave(run, parent, op.name(), entry, true);
        return Removal.dropDirectory(run, node, true);
    }

    /** {@code .fusecache} in the root is where records of the bucket lie: no file of the volume has that name. */
    static void checkReserved(long parent, FileName name) throws ErrnoException {
        if (parent == Inode.ROOT && ObjectKeys.RESERVED.equals(name.toString())) {
            throw new ErrnoException(Errno.EPERM, "'" + name + "' is reserved for fuse-cache's own records");
        }
    }

    /** Adds an entry to a directory. */
    static void enter(Execution run, Node directory, FileName name, long ino, boolean subdirectory) {
        run.putEntry(directory.ino(), name, ino, directory.nextCookie());
        Draft draft = new Draft(directory.inode()).modified(run.now()).changed(run.now());
        if (subdirectory) {
            draft.moreLinks(1);
        }
        run.save(directory.withEntries(directory.entries() + 1, directory.nextCookie() + 1), draft.inode());
    }

    /** Takes an entry out of a directory. */
    static void leave(Execution run, Node directory, FileName name, Entry entry, boolean subdirectory) {
        run.deleteEntry(directory.ino(), name, entry);
        Draft draft = new Draft(directory.inode()).modified(run.now()).changed(run.now());
        if (subdirectory) {
            draft.moreLinks(-1);
        }
        run.save(directory.withEntries(directory.entries() - 1, directory.nextCookie()), draft.inode());
        if (directory.entries() == 1) {
            BucketWork.checkMarker(run, directory.ino());
        }
    }

    /** Gives a file one more name: its first where it has none. The caller made the entry and the count. */
    static void addName(Execution run, Node node, long parent, FileName name) {
        if (node.name() == null) {
            run.save(node.named(parent, name));
        } else {
            run.state().put(Keys.furtherName(node.ino(), parent, name), new byte[0]);
            run.save(node);
        }
    }

    /** Takes one of its names from a file; another becomes the first. The caller sees to entry and count. */
    static Node removeName(Execution run, Node node, long parent, FileName name) {
        if (!node.hasFirstName(parent, name)) {
            run.state().delete(Keys.furtherName(node.ino(), parent, name));
            return node;
        }
        Node[] renamed = {node.named(0, null)};
        byte[] names = Keys.furtherNames(node.ino());
        byte[] @Nullable [] next = {null};
        run.state().scan(names, Keys.after(names), (key, value) -> {
            renamed[0] = node.named(Keys.number(key, 9), Keys.name(key, 17));
            next[0] = key;
            return false;
        });
        if (next[0] != null) {
            run.state().delete(next[0]);
        }
        return renamed[0];
    }
}
