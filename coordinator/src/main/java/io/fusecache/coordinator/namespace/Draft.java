package io.fusecache.coordinator.namespace;

import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import org.jspecify.annotations.Nullable;

/** An inode being changed. */
final class Draft {
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

    Draft(Inode from) {
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
    static Inode fresh(long ino, NewInode wanted, int permissions, int gid, int links, Timestamp now) {
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

    Draft permissions(int value) {
        permissions = value;
        return this;
    }

    Draft owner(int newUid, int newGid) {
        uid = newUid;
        gid = newGid;
        return this;
    }

    Draft moreLinks(int difference) {
        links += difference;
        return this;
    }

    Draft links(int value) {
        links = value;
        return this;
    }

    Draft content(long newVersion, long newSize, long newUsedBytes) {
        version = newVersion;
        size = newSize;
        usedBytes = newUsedBytes;
        return this;
    }

    Draft accessed(Timestamp time) {
        accessed = time;
        return this;
    }

    Draft modified(Timestamp time) {
        modified = time;
        return this;
    }

    Draft changed(Timestamp time) {
        changed = time;
        return this;
    }

    Draft writer(@Nullable NodeId node) {
        writer = node;
        return this;
    }

    Draft extended(boolean value) {
        extended = value;
        return this;
    }

    Draft kept(boolean value) {
        kept = value;
        return this;
    }

    Inode inode() {
        return inode(from.born());
    }

    Inode inode(Timestamp born) {
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
