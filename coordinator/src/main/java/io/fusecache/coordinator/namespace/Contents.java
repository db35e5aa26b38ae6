package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.metadata.AccessControlList;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.Draft;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Attributes, extended attributes, write leases and versions. */
final class Contents {
    private static final int XATTR_CREATE = 1;
    private static final int XATTR_REPLACE = 2;

    /** The limits of xattr(7). */
    static final int ATTRIBUTE_MAX_BYTES = 65_536;

    static final int ATTRIBUTE_NAMES_MAX_BYTES = 65_536;

    private Contents() {}

    // attributes

    static Inode setAttributes(Execution run, Operation.SetAttributes op) throws ErrnoException {
        Node node = run.node(op.ino());
        Inode inode = node.inode();
        AttributeChange change = op.change();
        Inode changed = new Draft(inode).changed(run.now()).apply(change).inode();
        if (change.permissions() != null) {
            AccessLists.follow(run, inode, changed.permissions());
        }
        run.save(node, changed);
        return changed;
    }

    static void touch(Execution run, Operation.Touch op) {
        op.accessed().forEach((ino, time) -> {
            Node node = run.find(ino);
            if (node != null && time.compareTo(node.inode().accessed()) > 0) {
                run.saveQuietly(node.with(new Draft(node.inode()).accessed(time).inode()));
                run.lease(ino);
            }
        });
    }

    static byte[] attribute(Execution run, Operation.ReadAttribute op) throws ErrnoException {
        run.node(op.ino());
        run.lease(op.ino());
        byte[] value = run.state().get(Keys.attribute(op.ino(), op.name()));
        if (value == null) {
            throw new ErrnoException(Errno.ENODATA, "inode " + op.ino() + " has no '" + op.name() + "'");
        }
        return value;
    }

    static List<FileName> attributeNames(Execution run, long ino) throws ErrnoException {
        run.node(ino);
        run.lease(ino);
        List<FileName> names = new ArrayList<>();
        byte[] prefix = Keys.attributes(ino);
        run.state().scan(prefix, Keys.after(prefix), (key, value) -> names.add(Keys.attributeName(key, prefix.length)));
        return names;
    }

    static Map<FileName, byte[]> attributes(Execution run, long ino) {
        Map<FileName, byte[]> attributes = new TreeMap<>();
        byte[] prefix = Keys.attributes(ino);
        run.state().scan(prefix, Keys.after(prefix), (key, value) -> {
            attributes.put(Keys.attributeName(key, prefix.length), value);
            return true;
        });
        return attributes;
    }

    static void setAttribute(Execution run, Operation.SetAttribute op) throws ErrnoException {
        Node node = run.node(op.ino());
        if (op.value().length > ATTRIBUTE_MAX_BYTES) {
            throw new ErrnoException(Errno.E2BIG, "an attribute of " + op.value().length + " bytes");
        }
        byte[] key = Keys.attribute(op.ino(), op.name());
        boolean exists = run.state().get(key) != null;
        if ((op.flags() & ~(XATTR_CREATE | XATTR_REPLACE | Metadata.CLEAR_SET_GROUP_ID)) != 0) {
            throw new ErrnoException(Errno.EINVAL, "setxattr flags " + op.flags());
        }
        if (exists && (op.flags() & XATTR_CREATE) != 0) {
            throw new ErrnoException(Errno.EEXIST, "inode " + op.ino() + " has '" + op.name() + "'");
        }
        if (!exists && (op.flags() & XATTR_REPLACE) != 0) {
            throw new ErrnoException(Errno.ENODATA, "inode " + op.ino() + " has no '" + op.name() + "'");
        }
        if (!exists) {
            int length = op.name().length() + 1;
            for (FileName name : attributeNames(run, op.ino())) {
                length += name.length() + 1;
            }
            if (length > ATTRIBUTE_NAMES_MAX_BYTES) {
                throw new ErrnoException(Errno.ENOSPC, "inode " + op.ino() + " has too many attributes");
            }
        }
        byte[] value = op.value();
        Inode inode = node.inode();
        if (AccessControlList.names(op.name())) {
            boolean clear = (op.flags() & Metadata.CLEAR_SET_GROUP_ID) != 0;
            AccessLists.Replaced acl = AccessLists.replace(inode, op.name(), value, clear);
            inode = acl.inode();
            value = acl.kept();
        }
        if (value != null) {
            run.state().put(key, value);
            run.save(node, new Draft(inode).extended(true).changed(run.now()).inode());
        } else {
            drop(run, node.with(inode), key);
        }
    }

    private static void drop(Execution run, Node node, byte[] key) throws ErrnoException {
        run.state().delete(key);
        boolean more = !attributeNames(run, node.ino()).isEmpty();
        run.save(node, new Draft(node.inode()).extended(more).changed(run.now()).inode());
    }

    static void removeAttribute(Execution run, Operation.RemoveAttribute op) throws ErrnoException {
        Node node = run.node(op.ino());
        byte[] key = Keys.attribute(op.ino(), op.name());
        if (run.state().get(key) != null) {
            drop(run, node, key);
        } else if (!AccessControlList.names(op.name())) {
            throw new ErrnoException(Errno.ENODATA, "inode " + op.ino() + " has no '" + op.name() + "'");
        }
    }

    // content

    /** The inode of a regular file. */
    private static Node file(Execution run, long ino) throws ErrnoException {
        Node node = run.node(ino);
        if (node.inode().directory()) {
            throw new ErrnoException(Errno.EISDIR, "inode " + ino + " is a directory");
        }
        if (!node.inode().regular()) {
            throw new ErrnoException(Errno.EINVAL, "inode " + ino + " is no regular file");
        }
        return node;
    }

    static FileVersion read(Execution run, long ino) throws ErrnoException {
        file(run, ino);
        FileVersion version = run.content(ino).version();
        run.tell(version);
        return version;
    }

    static Answer.Result beginWrite(Execution run, long ino) throws ErrnoException {
        Node node = file(run, ino);
        NodeId other = otherWriter(run, node);
        if (other != null) {
            return new Answer.HeldBy(other);
        }
        FileVersion version = run.content(ino).version();
        run.tell(version);
        if (node.inode().writer() == null) {
            grant(run, node);
        }
        return new Answer.Content(version);
    }

    static Answer.Result awaitWriter(Execution run, long ino) throws ErrnoException {
        NodeId other = otherWriter(run, file(run, ino));
        return other == null ? new Answer.Nothing() : new Answer.HeldBy(other);
    }

    private static @Nullable NodeId otherWriter(Execution run, Node node) {
        NodeId writer = node.inode().writer();
        // In any case an EndWrite of before that still waits for recalls comes first.
        run.touch(node.ino());
        if (writer == null || writer.equals(run.caller())) {
            return null;
        }
        run.heldBy(writer);
        return writer;
    }

    static Inode grant(Execution run, Node node) {
        NodeId caller = run.caller();
        Inode inode = new Draft(node.inode()).writer(caller).inode();
        run.save(node, inode);
        run.state().put(Keys.writeLease(caller, node.ino()), new byte[0]);
        return inode;
    }

    static void endWrite(Execution run, long ino, NodeId holder) {
        Node node = run.find(ino);
        if (node != null && holder.equals(node.inode().writer())) {
            run.save(node, new Draft(node.inode()).writer(null).inode());
        }
        run.state().delete(Keys.writeLease(holder, ino));
    }

    static Inode commit(Execution run, Operation.Commit op) throws ErrnoException {
        FileVersion version = op.content();
        Node node = file(run, version.ino());
        Inode inode = node.inode();
        if (!run.caller().equals(inode.writer())) {
            throw new ErrnoException(Errno.ESTALE, "the write lease of inode " + inode.ino() + " was lost");
        }
        if (version.version() != inode.version() + 1) {
            throw new ErrnoException(Errno.ESTALE, version + " is not next after version " + inode.version());
        }
        if (op.usedBytes() < 0 || version.object() != null) {
            throw new ErrnoException(Errno.EINVAL, "a new version has no object, and no negative size on disk");
        }
        Inode committed = new Draft(inode)
                .content(version.version(), version.size(), op.usedBytes())
                .modified(op.modified())
                .changed(op.changed().compareTo(inode.changed()) > 0 ? op.changed() : inode.changed())
                .inode();
        run.save(node, committed);
        run.count(0, op.usedBytes() - inode.usedBytes());
        run.save(run.content(inode.ino()).committed(version, run.history()));
        run.tell(version);
        return committed;
    }

    static boolean seal(Execution run, Operation.Seal op) throws ErrnoException {
        Node node = file(run, op.ino());
        ContentRecord content = run.content(op.ino());
        FileVersion last = content.last();
        if (last.version() != op.version()) {
            return false;
        }
        if (op.checksums().length != last.blocks()) {
            throw new ErrnoException(
                    Errno.EINVAL, op.checksums().length + " checksums for the " + last.blocks() + " blocks of " + last);
        }
        FileVersion sealed =
                new FileVersion(last.ino(), last.version(), last.size(), last.blockBytes(), op.checksums(), null);
        ContentRecord changed = content.committed(sealed, content.history());
        run.save(changed);
        run.touch(node.ino());
        run.tell(changed.version());
        return true;
    }
}
