package io.fusecache.filesystem;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Metadata;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * xattr(7). The kernel asks for {@code security.capability} before it writes to nearly every file; which inodes have no
 * attribute at all is therefore remembered, for as long as their read lease stands.
 */
final class ExtendedAttributes {
    private static final int MAX_BARE = 1 << 16;

    private final Metadata metadata;
    private final Set<Long> bare = ConcurrentHashMap.newKeySet();
    private final AtomicLong recalls = new AtomicLong();

    ExtendedAttributes(Metadata metadata) {
        this.metadata = metadata;
    }

    /** getxattr(2). ENODATA. */
    byte[] value(long ino, FileName name) throws ErrnoException {
        refuseSystem(name);
        refuseWhereBare(ino, name);
        long before = recalls.get();
        try {
            return metadata.attribute(ino, name);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENODATA && metadata.attributeNames(ino).isEmpty()) {
                rememberBare(ino, before);
            }
            throw e;
        }
    }

    /** ENODATA where that is known here; returns where it is not. */
    void refuseWhereBare(long ino, FileName name) throws ErrnoException {
        if (isBare(ino)) {
            throw new ErrnoException(Errno.ENODATA, "inode " + ino + " has no attribute " + name);
        }
    }

    List<FileName> names(long ino) throws ErrnoException {
        if (isBare(ino)) {
            return List.of();
        }
        long before = recalls.get();
        List<FileName> names = metadata.attributeNames(ino);
        if (names.isEmpty()) {
            rememberBare(ino, before);
        }
        return names;
    }

    void set(long ino, FileName name, byte[] value, int flags) throws ErrnoException {
        refuseSystem(name);
        bare.remove(ino);
        metadata.setAttribute(ino, name, value, flags);
        bare.remove(ino);
    }

    void remove(long ino, FileName name) throws ErrnoException {
        refuseSystem(name);
        metadata.removeAttribute(ino, name);
    }

    /**
     * Attributes of {@code system.} mean something to the kernel: an ACL that is only kept, and changes neither mode nor who may
     * do what, would be a lie. cp(1) and others set the mode instead when they hear that there are none.
     */
    private static void refuseSystem(FileName name) throws ErrnoException {
        if (name.toString().startsWith("system.")) {
            throw new ErrnoException(Errno.EOPNOTSUPP, "no attribute " + name + " here: ACLs are not kept");
        }
    }

    /** A new inode has none. */
    void bare(long ino) {
        rememberBare(ino, recalls.get());
    }

    private boolean isBare(long ino) {
        return bare.contains(ino) && metadata.cachedInode(ino) != null;
    }

    private void rememberBare(long ino, long before) {
        if (bare.size() >= MAX_BARE) {
            bare.clear();
        }
        bare.add(ino);
        if (recalls.get() != before) {
            bare.remove(ino);
        }
    }

    void recalled(Set<Long> inodes) {
        recalls.incrementAndGet();
        bare.removeAll(inodes);
    }

    void reset() {
        recalls.incrementAndGet();
        bare.clear();
    }
}
