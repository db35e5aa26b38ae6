package io.fusecache.coordinator.state;

import io.fusecache.metadata.ObjectRef;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Something that the bucket still has to be told. What exactly is decided when a node takes it, from the namespace as it is
 * then: a file that was renamed twice is moved once.
 *
 * @param ino the file or directory it is about; 0 where only the key matters; of DELETE_AFTER_UPLOAD: what is uploaded
 * @param key the key to delete or to put, or null
 * @param from the object of a move that was taken, or the one that is to be deleted where it is known, else null
 * @param cookie how far a SCAN has come; what else is known of a move or a delete
 * @param dueMillis when it may be taken, or when the lease of who took it runs out
 * @param lessee the node that took it, or null; of DELETE_AFTER_UPLOAD: the node that uploads
 */
public record WorkRecord(
        long id,
        Kind kind,
        long ino,
        @Nullable String key,
        @Nullable ObjectRef from,
        long cookie,
        long dueMillis,
        @Nullable String lessee) {
    /** Each with the code that the record has for it. */
    public enum Kind {
        /** Remove the object at {@code key}. */
        DELETE(1),
        /** As DELETE, once the upload to {@code key} that is under way has ended. */
        DELETE_AFTER_UPLOAD(2),
        /** Bring the object of a file to the key that its name gives. */
        RELOCATE(3),
        /** Put the marker of a directory that nothing else in the bucket shows. */
        MARK(4),
        /** Remove the marker at {@code key}. */
        UNMARK(5),
        /** Find the files and markers below a directory whose path has changed. */
        SCAN(6);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        private static Kind of(int code) {
            for (Kind kind : values()) {
                if (kind.code == code) {
                    return kind;
                }
            }
            throw new AssertionError("work of an unknown kind " + code);
        }
    }

    public WorkRecord takenBy(String node, long leaseEndMillis, @Nullable String atKey, @Nullable ObjectRef object) {
        return new WorkRecord(id, kind, ino, atKey, object, cookie, leaseEndMillis, node);
    }

    public WorkRecord dueAt(long millis) {
        return new WorkRecord(id, kind, ino, key, from, cookie, millis, null);
    }

    /** Still of the node that took it, until then. */
    public WorkRecord takenUntil(long leaseEndMillis) {
        return new WorkRecord(id, kind, ino, key, from, cookie, leaseEndMillis, lessee);
    }

    public WorkRecord at(long newCookie) {
        return new WorkRecord(id, kind, ino, key, from, newCookie, dueMillis, lessee);
    }

    /** About that object. */
    public WorkRecord of(ObjectRef object) {
        return new WorkRecord(id, kind, ino, key, object, cookie, dueMillis, lessee);
    }

    public WorkRecord as(Kind other) {
        return new WorkRecord(id, other, ino, key, from, cookie, dueMillis, lessee);
    }

    public byte[] toBytes() {
        return new RecordWriter(1)
                .number(id)
                .number(kind.code)
                .number(ino)
                .text(key)
                .text(from == null ? null : from.key())
                .text(from == null ? null : from.etag())
                .number(cookie)
                .number(dueMillis)
                .text(lessee)
                .toBytes();
    }

    public static WorkRecord of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "work", 1);
        long id = in.number();
        Kind kind = Kind.of(in.integer());
        long ino = in.number();
        String key = in.text();
        String fromKey = in.text();
        String etag = in.text();
        return new WorkRecord(
                id,
                kind,
                ino,
                key,
                fromKey == null ? null : new ObjectRef(fromKey, Objects.requireNonNull(etag)),
                in.number(),
                in.number(),
                in.text());
    }
}
