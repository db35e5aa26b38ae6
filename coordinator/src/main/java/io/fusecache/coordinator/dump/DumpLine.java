package io.fusecache.coordinator.dump;

import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.QuotaRecord;
import io.fusecache.coordinator.state.TrashRecord;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.ObjectRef;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One line of a dump, field by field as {@code docs/DUMP.md} has it. */
public sealed interface DumpLine {
    /** The newest format that this release writes and reads. */
    int FORMAT = 1;

    String kind();

    /**
     * The first line.
     *
     * @param namespace that the dump is of, for people: what is loaded gets one of its own
     * @param keyPrefix of the volume's object keys, or null where no client has said yet
     */
    record Header(
            String kind,
            int format,
            String written,
            String namespace,
            @Nullable String keyPrefix,
            long nextInode,
            long history,
            long trashKeepMillis)
            implements DumpLine {
        static final String KIND = "fuse-cache-dump";

        public Header(
                String written,
                String namespace,
                @Nullable String keyPrefix,
                long nextInode,
                long history,
                long trashKeepMillis) {
            this(KIND, FORMAT, written, namespace, keyPrefix, nextInode, history, trashKeepMillis);
        }
    }

    /**
     * An inode, with everything that there is once of it.
     *
     * @param target of a symbolic link, else null
     * @param parent directory of its first name; 0 of one in the trash
     * @param entries of a directory
     * @param marker the key of a directory's marker in the bucket
     * @param place of a directory with a marker, and of a file with an object: the key that its name gives, where it is another
     * @param content of a regular file, else null
     */
    record InodeLine(
            String kind,
            long inode,
            String type,
            String mode,
            long uid,
            long gid,
            int links,
            long size,
            long usedBytes,
            long device,
            String accessed,
            String modified,
            String changed,
            String born,
            @Nullable String target,
            long version,
            boolean extended,
            long parent,
            @Nullable String name,
            long entries,
            long nextCookie,
            @Nullable String marker,
            @Nullable String place,
            @Nullable Quota quota,
            @Nullable Trashed trash,
            @Nullable Content content)
            implements DumpLine {
        static final String KIND = "inode";

        static InodeLine of(
                Node node,
                @Nullable String place,
                @Nullable QuotaRecord quota,
                @Nullable TrashRecord trash,
                @Nullable ContentRecord content) {
            Inode inode = node.inode();
            byte[] target = inode.target();
            return new InodeLine(
                    KIND,
                    inode.ino(),
                    inode.type().name().toLowerCase(Locale.ROOT),
                    "%04o".formatted(inode.permissions()),
                    Integer.toUnsignedLong(inode.uid()),
                    Integer.toUnsignedLong(inode.gid()),
                    inode.links(),
                    inode.size(),
                    inode.usedBytes(),
                    inode.deviceNumber(),
                    DumpText.time(inode.accessed()),
                    DumpText.time(inode.modified()),
                    DumpText.time(inode.changed()),
                    DumpText.time(inode.born()),
                    target == null ? null : DumpText.of(target),
                    inode.version(),
                    inode.extended(),
                    node.parent(),
                    node.name() == null ? null : DumpText.of(node.name().toBytes()),
                    node.entries(),
                    node.nextCookie(),
                    node.marker(),
                    place,
                    quota == null ? null : Quota.of(quota),
                    trash == null ? null : Trashed.of(trash),
                    content == null ? null : Content.of(content));
        }

        /** The same with other content of that size. */
        public InodeLine with(Content other, long newSize, String newModified, @Nullable String newPlace) {
            return new InodeLine(
                    kind,
                    inode,
                    type,
                    mode,
                    uid,
                    gid,
                    links,
                    newSize,
                    newSize,
                    device,
                    accessed,
                    newModified,
                    changed,
                    born,
                    target,
                    version,
                    extended,
                    parent,
                    name,
                    entries,
                    nextCookie,
                    marker,
                    newPlace,
                    quota,
                    trash,
                    other);
        }
    }

    /** Limits of a directory's tree, 0 for none, and what it takes. */
    record Quota(long limitBytes, long limitInodes, long usedBytes, long usedInodes) {
        static Quota of(QuotaRecord record) {
            return new Quota(record.mostBytes(), record.mostInodes(), record.usedBytes(), record.usedInodes());
        }
    }

    /** Of a removed file that is kept. */
    record Trashed(
            String path,
            long removedMillis,
            long untilMillis,
            @Nullable String by) {
        static Trashed of(TrashRecord record) {
            return new Trashed(
                    DumpText.of(record.pathBytes()),
                    record.removedMillis(),
                    record.untilMillis(),
                    record.by() == null ? null : record.by().value());
        }
    }

    /**
     * The last version of a file, and what the bucket has.
     *
     * @param checksums CRC32C of each block, big-endian words in base64; null where it is not sealed
     * @param object of this version or of an older one; null where the bucket has none: the bytes are on nodes only
     * @param uploadKey where an upload that did not end may have left something
     */
    record Content(
            long version,
            long size,
            int blockBytes,
            @Nullable String checksums,
            long history,
            @Nullable StoredAt object,
            @Nullable String uploadKey) {
        static Content of(ContentRecord record) {
            FileVersion last = record.last();
            ObjectRef object = record.object();
            int[] checksums = last.checksums();
            return new Content(
                    last.version(),
                    last.size(),
                    last.blockBytes(),
                    checksums == null ? null : DumpText.of(checksums),
                    record.history(),
                    object == null ? null : new StoredAt(object.key(), object.etag(), record.objectVersion()),
                    record.uploadKey());
        }
    }

    /** An object, and which version it is. */
    record StoredAt(String key, String etag, long version) {}

    /** An extended attribute of the inode of the line before, its value in base64. */
    record Attribute(String kind, long inode, String name, String value) implements DumpLine {
        static final String KIND = "attribute";

        public Attribute(long inode, String name, String value) {
            this(KIND, inode, name, value);
        }
    }

    /** Where a name leads. */
    record EntryLine(String kind, long directory, String name, long inode, long cookie, long history)
            implements DumpLine {
        static final String KIND = "entry";

        public EntryLine(long directory, String name, long inode, long cookie, long history) {
            this(KIND, directory, name, inode, cookie, history);
        }
    }

    /**
     * The last line.
     *
     * @param lines before this one
     * @param crc32c of them, each with its line feed, in eight hexadecimal digits
     */
    record End(String kind, long lines, long inodes, long usedBytes, String crc32c) implements DumpLine {
        static final String KIND = "end";

        public End(long lines, long inodes, long usedBytes, String crc32c) {
            this(KIND, lines, inodes, usedBytes, crc32c);
        }
    }
}
