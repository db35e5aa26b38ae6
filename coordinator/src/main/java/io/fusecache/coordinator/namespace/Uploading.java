package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.KeyRecord;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.WorkRecord;
import io.fusecache.coordinator.state.WorkRecord.Kind;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Expected;
import io.fusecache.metadata.ObjectAttributes;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.ObjectXattrs;
import io.fusecache.metadata.UploadTicket;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Versions on their way into the bucket. */
final class Uploading {
    private Uploading() {}

    /** A {@link Answer.Ticket}, or {@link Answer.Nothing} where it cannot be now. */
    static Answer.Result begin(Execution run, Operation.BeginUpload op) throws ErrnoException {
        Node node = run.node(op.ino());
        if (!node.inode().regular() || node.inode().ending()) {
            return new Answer.Nothing();
        }
        ContentRecord content = run.content(op.ino());
        if (content.last().version() != op.version() || content.persisted() || busy(run, content)) {
            return new Answer.Nothing();
        }
        String key = ObjectKeys.ofFile(run, node);
        content = withoutLeftover(run, content, key);
        Optional<Expected> there =
                BucketWork.obstructed(run, key) ? Optional.empty() : BucketWork.claim(run, key, op.ino());
        if (there.isEmpty()) {
            return new Answer.Nothing();
        }
        Expected over = over(content, key, there.get());
        run.save(content.uploading(key, run.caller(), run.context().nowMillis()));
        run.state().put(Keys.upload(run.caller(), op.ino()), new byte[0]);
        Map<String, String> attributes =
                ObjectXattrs.add(ObjectAttributes.of(node.inode()).toMap(), Contents.attributes(run, op.ino()));
        return new Answer.Ticket(new UploadTicket(content.version(), key, over, attributes));
    }

    /** What of this file is at the key, or was by {@code claimed}. */
    private static Expected over(ContentRecord content, String key, Expected claimed) {
        ObjectRef object = content.object();
        String etag = object != null && object.key().equals(key) ? object.etag() : claimed.etag();
        return new Expected(etag, claimed.leftover() || key.equals(content.uploadKey()));
    }

    /** An upload of before to another key was given up, and may have left something there. */
    static ContentRecord withoutLeftover(Execution run, ContentRecord content, String key) {
        String before = content.uploadKey();
        String stored = content.object() == null ? null : content.object().key();
        if (before == null || before.equals(key) || before.equals(stored)) {
            return content;
        }
        BucketWork.deleteLeftover(run, content.last().ino(), before);
        ContentRecord without = content.notUploading();
        run.save(without);
        return without;
    }

    /** Whether or not anything is heard of the node: what it has begun may go on without the coordinator. */
    static boolean underWay(Execution run, ContentRecord content) {
        return content.uploader() != null
                && run.context().nowMillis() - content.uploadSinceMillis() < BucketWork.UPLOAD_LIMIT_MILLIS;
    }

    /** Another node uploads a version of it, or its object is being moved. */
    private static boolean busy(Execution run, ContentRecord content) {
        if (underWay(run, content) && !run.caller().equals(content.uploader())) {
            return true;
        }
        KeyRecord held = content.object() == null
                ? null
                : BucketWork.findKey(run, content.object().key());
        return held != null && held.work() != 0;
    }

    static boolean renew(Execution run, long ino) {
        ContentRecord content = run.findContent(ino);
        String key = content == null ? null : content.uploadKey();
        if (content == null || key == null || !run.caller().equals(content.uploader())) {
            return false;
        }
        run.save(content.uploading(key, run.caller(), run.context().nowMillis()));
        return true;
    }

    /** False where the caller's leave had gone to another, or the file is no more. */
    static boolean finish(Execution run, Operation.FinishUpload op) {
        run.state().delete(Keys.upload(run.caller(), op.ino()));
        ObjectRef object = op.object();
        ContentRecord content = run.findContent(op.ino());
        KeyRecord key = BucketWork.findKey(run, object.key());
        if (content == null) {
            finishForNobody(run, object, key);
            return false;
        }
        if (key == null
                || key.ino() != op.ino()
                || op.version() > content.last().version()
                || !run.caller().equals(content.uploader())
                || !object.key().equals(content.uploadKey())) {
            // The key was given to another since: what is there is for that one to overwrite.
            return false;
        }
        ContentRecord after = content.notUploading();
        if (op.version() >= content.objectVersion()) {
            ObjectRef old = content.object();
            after = after.stored(object, op.version(), run.history());
            if (old != null && !old.key().equals(object.key())) {
                BucketWork.deleteObject(run, old);
            }
            run.touch(op.ino());
        }
        run.save(after);
        run.tell(after.version());
        Node node = run.find(op.ino());
        if (node != null && !ObjectKeys.ofFile(run, node).equals(object.key())) {
            BucketWork.checkPlace(run, op.ino());
        }
        return true;
    }

    /** The caller's upload is over without a result; the key stays noted, since something may lie there. */
    static void abandon(Execution run, long ino) {
        run.state().delete(Keys.upload(run.caller(), ino));
        ContentRecord content = run.findContent(ino);
        if (content == null) {
            for (WorkRecord work : BucketWork.takenBy(run, run.caller())) {
                if (work.kind() == Kind.DELETE_AFTER_UPLOAD && work.ino() == ino) {
                    BucketWork.uploadEnded(run, work);
                }
            }
        } else if (run.caller().equals(content.uploader())) {
            run.save(content.notUploadedBy());
        }
    }

    private static void finishForNobody(Execution run, ObjectRef object, @Nullable KeyRecord record) {
        if (record == null || record.free()) {
            BucketWork.deleteObject(run, object);
            return;
        }
        WorkRecord work = BucketWork.find(run, record.work());
        if (work != null && work.kind() == Kind.DELETE_AFTER_UPLOAD) {
            BucketWork.uploadEnded(run, work, object);
        }
    }
}
