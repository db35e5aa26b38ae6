package io.fusecache.coordinator.state;

import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NodeId;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An inode as the state has it.
 *
 * @param parent directory of its first name, 0 where it has no name; of the root: itself
 * @param name its first name, the one that gives the object key; null for the root and for an inode without a name
 * @param entries of a directory
 * @param nextCookie of a directory: what its next entry gets
 * @param marker the key at which the bucket has this directory's marker, or null
 * @param linkable made without a name (O_TMPFILE): may get its first one
 */
public record Node(
        Inode inode,
        long parent,
        @Nullable FileName name,
        long entries,
        long nextCookie,
        @Nullable String marker,
        boolean linkable) {
    public static final long FIRST_COOKIE = 3;

    public long ino() {
        return inode.ino();
    }

    public boolean hasFirstName(long directory, FileName candidate) {
        return parent == directory && Objects.equals(name, candidate);
    }

    public Node with(Inode changed) {
        return new Node(changed, parent, name, entries, nextCookie, marker, linkable);
    }

    public Node named(long newParent, @Nullable FileName newName) {
        return new Node(inode, newParent, newName, entries, nextCookie, marker, linkable);
    }

    public Node withEntries(long newEntries, long newNextCookie) {
        return new Node(inode, parent, name, newEntries, newNextCookie, marker, linkable);
    }

    public Node withMarker(@Nullable String newMarker) {
        return new Node(inode, parent, name, entries, nextCookie, newMarker, linkable);
    }

    public Node withLinkable(boolean newLinkable) {
        return new Node(inode, parent, name, entries, nextCookie, marker, newLinkable);
    }

    public byte[] toBytes() {
        return new RecordWriter(3)
                .number(inode.ino())
                .number(inode.type().modeBits())
                .number(inode.permissions())
                .number(Integer.toUnsignedLong(inode.uid()))
                .number(Integer.toUnsignedLong(inode.gid()))
                .number(inode.links())
                .number(inode.size())
                .number(inode.usedBytes())
                .number(inode.deviceNumber())
                .time(inode.accessed())
                .time(inode.modified())
                .time(inode.changed())
                .time(inode.born())
                .bytes(inode.target())
                .number(inode.version())
                .text(inode.writer() == null ? null : inode.writer().value())
                .number(parent)
                .bytes(name == null ? null : name.toBytes())
                .number(entries)
                .number(nextCookie)
                .text(marker)
                .truth(linkable)
                .truth(inode.extended())
                .truth(inode.kept())
                .toBytes();
    }

    public static Node of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "inode", 3);
        long ino = in.number();
        FileType type = FileType.ofMode(in.integer());
        int permissions = in.integer();
        int uid = (int) in.number();
        int gid = (int) in.number();
        int links = in.integer();
        long size = in.number();
        long used = in.number();
        long device = in.number();
        var accessed = in.time();
        var modified = in.time();
        var changed = in.time();
        var born = in.time();
        byte[] target = in.bytes();
        long version = in.number();
        String writer = in.text();
        long parent = in.number();
        byte[] name = in.bytes();
        long entries = in.number();
        long nextCookie = in.number();
        String marker = in.text();
        boolean linkable = in.truth();
        // Layout 1 did not say: then somebody has to look.
        boolean extended = in.layout() < 2 || in.truth();
        boolean kept = in.layout() >= 3 && in.truth();
        Inode inode = new Inode(
                ino,
                type,
                permissions,
                uid,
                gid,
                links,
                size,
                used,
                device,
                accessed,
                modified,
                changed,
                born,
                target,
                version,
                writer == null ? null : new NodeId(writer),
                extended,
                kept);
        return new Node(
                inode, parent, name == null ? null : RecordReader.name(name), entries, nextCookie, marker, linkable);
    }
}
