package io.fusecache.metadata;

import org.jspecify.annotations.Nullable;

/**
 * What mknod, mkdir, symlink, create or O_TMPFILE makes. The coordinator gives the number and the times, and takes group
 * and set-group-id from a parent that has set-group-id.
 *
 * @param permissions as asked for: the umask is taken off, unless the parent has a default ACL (umask(2))
 * @param target for a symlink, else null
 * @param openForWriting grants the write lease to the calling node in the same step; that of a directory is its delegation, and not
 *     always to be had: the answer says who is its writer
 * @param umask of the caller
 */
public record NewInode(
        FileType type,
        int permissions,
        int uid,
        int gid,
        long deviceNumber,
        byte @Nullable [] target,
        boolean openForWriting,
        int umask) {
    /** With a umask of 0. */
    public NewInode(
            FileType type,
            int permissions,
            int uid,
            int gid,
            long deviceNumber,
            byte @Nullable [] target,
            boolean openForWriting) {
        this(type, permissions, uid, gid, deviceNumber, target, openForWriting, 0);
    }

    public NewInode forWriting() {
        return new NewInode(type, permissions, uid, gid, deviceNumber, target, true, umask);
    }
}
