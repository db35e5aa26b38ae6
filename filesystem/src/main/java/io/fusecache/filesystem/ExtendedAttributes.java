package io.fusecache.filesystem;

import io.fusecache.metadata.AccessControlList;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import java.util.List;

/**
 * xattr(7). The kernel asks for {@code security.capability} before it writes to nearly every file, and for an ACL before it
 * judges by the group's permissions: an inode says whether it has any attribute at all.
 */
final class ExtendedAttributes {
    private static final List<String> NAMESPACES = List.of("user.", "trusted.", "security.");

    private final Metadata metadata;

    ExtendedAttributes(Metadata metadata) {
        this.metadata = metadata;
    }

    /** getxattr(2). ENODATA, EOPNOTSUPP. */
    byte[] value(long ino, FileName name) throws ErrnoException {
        refuseWhereBare(ino, name);
        return metadata.attribute(ino, name);
    }

    /** ENODATA where that is known here; returns where it is not. */
    void refuseWhereBare(long ino, FileName name) throws ErrnoException {
        checkNamespace(name);
        if (isBare(ino)) {
            throw new ErrnoException(Errno.ENODATA, "inode " + ino + " has no attribute " + name);
        }
    }

    List<FileName> names(long ino) throws ErrnoException {
        return isBare(ino) ? List.of() : metadata.attributeNames(ino);
    }

    void set(long ino, FileName name, byte[] value, int flags) throws ErrnoException {
        checkNamespace(name);
        metadata.setAttribute(ino, name, value, flags);
    }

    void remove(long ino, FileName name) throws ErrnoException {
        checkNamespace(name);
        metadata.removeAttribute(ino, name);
    }

    /** Of {@code system.} there are ACLs and nothing else: whatever else it is to mean, it would not mean here. */
    private static void checkNamespace(FileName name) throws ErrnoException {
        if (AccessControlList.names(name)) {
            return;
        }
        String text = name.toString();
        for (String namespace : NAMESPACES) {
            if (text.startsWith(namespace)) {
                if (text.length() == namespace.length()) {
                    throw new ErrnoException(Errno.EINVAL, "attribute '" + name + "' has no name of its own");
                }
                return;
            }
        }
        throw new ErrnoException(Errno.EOPNOTSUPP, "attributes of user., trusted. and security. are kept, not " + name);
    }

    private boolean isBare(long ino) {
        Inode inode = metadata.cachedInode(ino);
        return inode != null && !inode.extended();
    }
}
