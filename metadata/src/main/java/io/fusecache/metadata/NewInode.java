package io.fusecache.metadata;

import org.jspecify.annotations.Nullable;

/**
 * What mknod, mkdir, symlink, create or O_TMPFILE makes. The coordinator gives the number and the times, and takes group
 * and set-group-id from a parent that has set-group-id.
 *
 * @param permissions after the umask
 * @param target for a symlink, else null
 * @param openForWriting grants the write lease to the calling node in the same step
 */
public record NewInode(
        FileType type,
        int permissions,
        int uid,
        int gid,
        long deviceNumber,
        byte @Nullable [] target,
        boolean openForWriting) {}
