package io.fusecache.metadata;

import org.jspecify.annotations.Nullable;

/**
 * The attributes of one file as last committed.
 *
 * @param ino 1 is the root; below 2^48, so that a kernel node id has 16 bits for the incarnation
 * @param permissions the low 12 bits of {@code st_mode}
 * @param links 0 once unlinked while some session holds it open, or the trash keeps it
 * @param size bytes of the committed version, of the target for a symlink, 0 for a directory
 * @param usedBytes bytes that statfs and st_blocks count for it
 * @param deviceNumber as mknod(2) got it; 0 but for devices
 * @param target of a symlink, else null
 * @param version of the content ({@link FileVersion#version}); 0 but for regular files that were committed once
 * @param writer the node that holds the write lease, or null; of a directory: to which it is delegated
 * @param extended whether it has extended attributes, ACLs included; may be true where the last of them is gone
 * @param kept removed, and in the trash: its bytes are to be kept as those of a file with a name
 */
public record Inode(
        long ino,
        FileType type,
        int permissions,
        int uid,
        int gid,
        int links,
        long size,
        long usedBytes,
        long deviceNumber,
        Timestamp accessed,
        Timestamp modified,
        Timestamp changed,
        Timestamp born,
        byte @Nullable [] target,
        long version,
        @Nullable NodeId writer,
        boolean extended,
        boolean kept) {
    public static final long ROOT = 1;
    public static final long MAX = (1L << 48) - 1;

    public int mode() {
        return type.modeBits() | permissions;
    }

    /** Set-user-id or set-group-id. */
    public boolean setsId() {
        return (permissions & 06000) != 0;
    }

    public boolean directory() {
        return type == FileType.DIRECTORY;
    }

    public boolean regular() {
        return type == FileType.REGULAR;
    }

    /** Has no name and is not in the trash: nothing of it outlives those who have it open. */
    public boolean ending() {
        return links == 0 && !kept;
    }
}
