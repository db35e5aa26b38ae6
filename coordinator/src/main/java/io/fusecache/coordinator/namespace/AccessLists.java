package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.metadata.AccessControlList;
import io.fusecache.metadata.Draft;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import org.jspecify.annotations.Nullable;

/**
 * ACLs, kept as the extended attributes that the kernel knows them by, and in step with the permissions of their inode
 * (acl(5)). An access ACL that says no more than permissions do is not kept.
 */
final class AccessLists {
    private AccessLists() {}

    /**
     * What a new inode gets from its directory.
     *
     * @param permissions as asked for, less the umask or what the default ACL does not give
     */
    record Inherited(int permissions, @Nullable AccessControlList access, byte @Nullable [] forEntries) {
        /** The new inode with its ACLs. */
        Inode give(Execution run, Inode made) {
            if (access != null) {
                run.state().put(Keys.attribute(made.ino(), AccessControlList.ACCESS), access.toBytes());
            }
            if (forEntries != null) {
                run.state().put(Keys.attribute(made.ino(), AccessControlList.DEFAULT), forEntries);
            }
            return access == null && forEntries == null
                    ? made
                    : new Draft(made).extended(true).inode();
        }
    }

    static Inherited inherited(Execution run, Node parent, NewInode wanted) throws ErrnoException {
        if (wanted.type() == FileType.SYMLINK) {
            return new Inherited(wanted.permissions(), null, null);
        }
        byte[] value = value(run, parent.inode(), AccessControlList.DEFAULT);
        AccessControlList list = value == null ? null : AccessControlList.parse(value);
        if (list == null) {
            return new Inherited(wanted.permissions() & ~wanted.umask(), null, null);
        }
        AccessControlList access = list.limitedTo(wanted.permissions());
        return new Inherited(
                access.shownIn(wanted.permissions()),
                access.minimal() ? null : access,
                wanted.type() == FileType.DIRECTORY ? value : null);
    }

    private static byte @Nullable [] value(Execution run, Inode inode, FileName name) {
        return inode.extended() ? run.state().get(Keys.attribute(inode.ino(), name)) : null;
    }

    /** setxattr(2) of an ACL: what is to be kept in its place (null: nothing), and the inode as it then is. */
    record Replaced(byte @Nullable [] kept, Inode inode) {}

    static Replaced replace(Inode inode, FileName name, byte[] value, boolean clearSetGroupId) throws ErrnoException {
        AccessControlList list = AccessControlList.parse(value);
        if (inode.type() == FileType.SYMLINK) {
            throw new ErrnoException(Errno.EOPNOTSUPP, "a symbolic link has no ACL");
        }
        if (name.equals(AccessControlList.DEFAULT)) {
            if (!inode.directory() && list != null) {
                throw new ErrnoException(Errno.EACCES, "inode " + inode.ino() + " has no entries for a default ACL");
            }
            return new Replaced(list == null ? null : list.toBytes(), inode);
        }
        if (list == null) {
            return new Replaced(null, inode);
        }
        int permissions = list.shownIn(inode.permissions()) & (clearSetGroupId ? ~02000 : ~0);
        Inode shown = new Draft(inode).permissions(permissions).inode();
        return new Replaced(list.minimal() ? null : list.toBytes(), shown);
    }

    /** After a chmod(2) to {@code permissions}. */
    static void follow(Execution run, Inode inode, int permissions) throws ErrnoException {
        byte[] value = value(run, inode, AccessControlList.ACCESS);
        AccessControlList list = value == null ? null : AccessControlList.parse(value);
        if (list != null) {
            run.state()
                    .put(
                            Keys.attribute(inode.ino(), AccessControlList.ACCESS),
                            list.changedTo(permissions).toBytes());
        }
    }
}
