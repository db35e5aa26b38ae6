package io.fusecache.coordinator.state;

import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The content of a file: its last version, and what the bucket has of it.
 *
 * @param last without its object, which {@link #version} adds where it is this version's
 * @param object what the bucket has, of this version or of an older one, or null
 * @param objectVersion the version that {@code object} is, else 0
 * @param uploadKey where an upload is under way, or null
 * @param uploader the node that does it
 * @param uploadSinceMillis when it began
 * @param history when a version or an object was last added
 */
public record ContentRecord(
        FileVersion last,
        @Nullable ObjectRef object,
        long objectVersion,
        @Nullable String uploadKey,
        @Nullable NodeId uploader,
        long uploadSinceMillis,
        long history) {

    public static ContentRecord fresh(FileVersion version, long history) {
        return new ContentRecord(version, null, 0, null, null, 0, history);
    }

    public FileVersion version() {
        if (!persisted()) {
            return last;
        }
        return new FileVersion(last.ino(), last.version(), last.size(), last.blockBytes(), last.checksums(), object);
    }

    public boolean persisted() {
        return object != null && objectVersion == last.version();
    }

    public ContentRecord committed(FileVersion version, long at) {
        return new ContentRecord(version, object, objectVersion, uploadKey, uploader, uploadSinceMillis, at);
    }

    public ContentRecord uploading(String key, NodeId node, long sinceMillis) {
        return new ContentRecord(last, object, objectVersion, key, node, sinceMillis, history);
    }

    /** Nobody uploads now, but something may lie at the key. */
    public ContentRecord notUploadedBy() {
        return new ContentRecord(last, object, objectVersion, uploadKey, null, 0, history);
    }

    public ContentRecord notUploading() {
        return new ContentRecord(last, object, objectVersion, null, null, 0, history);
    }

    public ContentRecord withoutObject(long at) {
        return new ContentRecord(last, null, 0, uploadKey, uploader, uploadSinceMillis, at);
    }

    public ContentRecord stored(ObjectRef where, long version, long at) {
        return new ContentRecord(last, where, version, uploadKey, uploader, uploadSinceMillis, at);
    }

    public byte[] toBytes() {
        return new RecordWriter(1)
                .number(last.ino())
                .number(last.version())
                .number(last.size())
                .number(last.blockBytes())
                .words(last.checksums())
                .text(object == null ? null : object.key())
                .text(object == null ? null : object.etag())
                .number(objectVersion)
                .text(uploadKey)
                .text(uploader == null ? null : uploader.value())
                .number(uploadSinceMillis)
                .number(history)
                .toBytes();
    }

    public static ContentRecord of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "content", 1);
        FileVersion last = new FileVersion(in.number(), in.number(), in.number(), in.integer(), in.words(), null);
        String key = in.text();
        String etag = in.text();
        long objectVersion = in.number();
        String uploadKey = in.text();
        String uploader = in.text();
        return new ContentRecord(
                last,
                key == null ? null : new ObjectRef(key, Objects.requireNonNull(etag)),
                objectVersion,
                uploadKey,
                uploader == null ? null : new NodeId(uploader),
                in.number(),
                in.number());
    }
}
