package io.fusecache.metadata;

import org.jspecify.annotations.Nullable;

/** An inode being changed, by the coordinator or by a node to which its directory is delegated. */
public final class Draft {
    private final Inode from;
    private int permissions;
    private int uid;
    private int gid;
    private int links;
    private long size;
    private long usedBytes;
    private Timestamp accessed;
    private Timestamp modified;
    private Timestamp changed;
    private long version;
    private @Nullable NodeId writer;
    private boolean extended;
    private boolean kept;

    public Draft(Inode from) {
        this.from = from;
        permissions = from.permissions();
        uid = from.uid();
        gid = from.gid();
        links = from.links();
        size = from.size();
        usedBytes = from.usedBytes();
        accessed = from.accessed();
        modified = from.modified();
        changed = from.changed();
        version = from.version();
        writer = from.writer();
        extended = from.extended();
        kept = from.kept();
    }

    /** A new inode, all of its times {@code now}. */
    public static Inode fresh(long ino, NewInode wanted, int permissions, int gid, int links, Timestamp now) {
        byte[] target = wanted.target();
        return new Inode(
                ino,
                wanted.type(),
                permissions,
                wanted.uid(),
                gid,
                links,
                wanted.type() == FileType.SYMLINK && target != null ? target.length : 0,
                0,
                wanted.deviceNumber(),
                now,
                now,
                now,
                now,
                target,
                0,
                null,
                false,
                false);
    }

    public Draft permissions(int value) {
        permissions = value;
        return this;
    }

    public Draft owner(int newUid, int newGid) {
        uid = newUid;
        gid = newGid;
        return this;
    }

    public Draft moreLinks(int difference) {
        links += difference;
        return this;
    }

    public Draft links(int value) {
        links = value;
        return this;
    }

    public Draft content(long newVersion, long newSize, long newUsedBytes) {
        version = newVersion;
        size = newSize;
        usedBytes = newUsedBytes;
        return this;
    }

    public Draft accessed(Timestamp time) {
        accessed = time;
        return this;
    }

    public Draft modified(Timestamp time) {
        modified = time;
        return this;
    }

    public Draft changed(Timestamp time) {
        changed = time;
        return this;
    }

    public Draft writer(@Nullable NodeId node) {
        writer = node;
        return this;
    }

    public Draft extended(boolean value) {
        extended = value;
        return this;
    }

    public Draft kept(boolean value) {
        kept = value;
        return this;
    }

    /** All of it but the change time, and without a look at ACLs. */
    public Draft apply(AttributeChange change) {
        if (change.permissions() != null) {
            permissions = change.permissions() & 07777;
        }
        if (change.clearSetId()) {
            permissions &= ~04000;
            if ((permissions & 0010) != 0) {
                permissions &= ~02000;
            }
        }
        uid = change.uid() == null ? uid : change.uid();
        gid = change.gid() == null ? gid : change.gid();
        accessed = change.accessed() == null ? accessed : change.accessed();
        modified = change.modified() == null ? modified : change.modified();
        return this;
    }

    public Inode inode() {
        return inode(from.born());
    }

    public Inode inode(Timestamp born) {
        return new Inode(
                from.ino(),
                from.type(),
                permissions,
                uid,
                gid,
                links,
                size,
                usedBytes,
                from.deviceNumber(),
                accessed,
                modified,
                changed,
                born,
                from.target(),
                version,
                writer,
                extended,
                kept);
    }
}
