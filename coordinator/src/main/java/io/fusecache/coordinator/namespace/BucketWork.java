package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.KeyRecord;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.WorkRecord;
import io.fusecache.coordinator.state.WorkRecord.Kind;
import io.fusecache.metadata.Expected;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.UploadTicket;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the bucket still has to be told, and who may write which of its keys.
 *
 * <p>Two rules keep the bucket right while names change faster than objects can follow:
 * <ol>
 *   <li>At most one inode owns a key; only its owner's bytes are put there.
 *   <li>A key with work outstanding is not written by anyone else. Work that no node has taken yet can be called off, so a
 *       file that replaces a removed one overwrites its object instead of waiting for its end.
 * </ol>
 */
final class BucketWork {
    /** A name that is soon used again overwrites the object. */
    private static final long DELETE_DELAY_MILLIS = 3_000;
    /** A new directory soon has files, a file just written is often renamed: wait and see. */
    private static final long SETTLE_DELAY_MILLIS = 1_000;
    /** So many keys below another are looked at; a store that minds one further on says so. */
    private static final int MOST_KEYS_BELOW = 64;
    /** The cookie of a delete where an upload may have put something over what is known. */
    private static final long LEFTOVER = 1;
    /** An upload that its node has not renewed for so long has ended: it begins nothing that could take longer. */
    static final long UPLOAD_LIMIT_MILLIS = UploadTicket.VALID.toMillis();

    private BucketWork() {}

    // the queue

    static WorkRecord queue(Execution run, Kind kind, long ino, @Nullable String key, long delayMillis) {
        WorkRecord work = new WorkRecord(
                run.newWork(), kind, ino, key, null, 0, run.context().nowMillis() + delayMillis, null);
        put(run, work);
        return work;
    }

    private static void put(Execution run, WorkRecord work) {
        run.state().put(Keys.work(work.id()), work.toBytes());
        run.state().put(Keys.due(work.dueMillis(), work.id()), new byte[0]);
        if (work.lessee() != null) {
            run.state().put(Keys.taken(work.lessee(), work.id()), new byte[0]);
        }
    }

    static void replace(Execution run, WorkRecord before, WorkRecord after) {
        drop(run, before);
        put(run, after);
    }

    static void drop(Execution run, WorkRecord work) {
        run.state().delete(Keys.work(work.id()));
        run.state().delete(Keys.due(work.dueMillis(), work.id()));
        if (work.lessee() != null) {
            run.state().delete(Keys.taken(work.lessee(), work.id()));
        }
    }

    static @Nullable WorkRecord find(Execution run, long id) {
        byte[] bytes = run.state().get(Keys.work(id));
        return bytes == null ? null : WorkRecord.of(bytes);
    }

    static List<WorkRecord> takenBy(Execution run, NodeId node) {
        List<WorkRecord> taken = new ArrayList<>();
        byte[] prefix = Keys.taken(node.value());
        run.state().scan(prefix, Keys.after(prefix), (key, value) -> {
            taken.add(Objects.requireNonNull(find(run, Keys.number(key, prefix.length))));
            return true;
        });
        return taken;
    }

    /** The node began anew: what its process of before was at in the bucket has ended, however far it came. */
    static void restarted(Execution run, NodeId node) {
        for (WorkRecord work : takenBy(run, node)) {
            if (work.kind() == Kind.DELETE_AFTER_UPLOAD) {
                uploadEnded(run, work);
            } else {
                replace(run, work, work.takenUntil(run.context().nowMillis()));
            }
        }
        List<Long> uploads = new ArrayList<>();
        byte[] prefix = Keys.uploads(node);
        run.state().scan(prefix, Keys.after(prefix), (key, value) -> uploads.add(Keys.number(key, prefix.length)));
        for (long ino : uploads) {
            run.state().delete(Keys.upload(node, ino));
            ContentRecord content = run.findContent(ino);
            if (content != null && node.equals(content.uploader())) {
                run.save(content.notUploadedBy());
            }
        }
    }

    /** Of a file that is no more: its object goes, which is what an upload has put last. */
    static void uploadEnded(Execution run, WorkRecord work, ObjectRef object) {
        replace(
                run,
                work,
                work.as(Kind.DELETE).at(0).dueAt(run.context().nowMillis()).of(object));
    }

    /** Of a file that is no more: what lies at its key now goes. */
    static void uploadEnded(Execution run, WorkRecord work) {
        replace(run, work, work.as(Kind.DELETE).dueAt(run.context().nowMillis()));
    }

    // keys

    static @Nullable KeyRecord findKey(Execution run, String key) {
        byte[] bytes = run.state().get(Keys.objectKey(key));
        return bytes == null ? null : KeyRecord.of(bytes);
    }

    static void setKey(Execution run, String key, long ino, long work) {
        run.state().put(Keys.objectKey(key), new KeyRecord(ino, work, run.history()).toBytes());
    }

    /** Nobody's any more, but remembered for a while. */
    static void freeKey(Execution run, String key) {
        setKey(run, key, 0, 0);
        run.state().put(Keys.freed(run.context().now().seconds(), key), new byte[0]);
    }

    /**
     * Makes {@code ino} the owner of a key, if that can be now; where not, sees that it can be later.
     *
     * @return what of ours is there, empty where it cannot be now. Of what was to be deleted, this is the last word.
     */
    static Optional<Expected> claim(Execution run, String key, long ino) {
        KeyRecord record = findKey(run, key);
        Expected there = Expected.NOTHING;
        if (record != null && record.work() != 0) {
            WorkRecord work = find(run, record.work());
            if (work == null || work.kind() != Kind.DELETE || work.lessee() != null) {
                return Optional.empty();
            }
            there = toDelete(work);
            drop(run, work);
        } else if (record != null && record.ino() != 0 && record.ino() != ino) {
            if (run.find(record.ino()) != null) {
                checkPlace(run, record.ino());
                return Optional.empty();
            }
            there = new Expected(null, true);
        }
        setKey(run, key, ino, 0);
        return Optional.of(there);
    }

    /** Work of releases that did not note the object has none: it may be anything of ours. */
    static Expected toDelete(WorkRecord work) {
        ObjectRef object = work.from();
        return new Expected(object == null ? null : object.etag(), object == null || work.cookie() == LEFTOVER);
    }

    /**
     * Whether a key above or below has an object that is to go yet, as where a directory has the name that a file had: a store
     * of folders cannot hold both. What is in its place stays, and is not in the way of a store that has no folders.
     */
    static boolean obstructed(Execution run, String key) {
        for (int slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
            if (leaves(run, key.substring(0, slash))) {
                return true;
            }
        }
        boolean[] found = {false};
        int[] seen = {0};
        boolean marker = key.endsWith("/");
        byte[] below = Keys.objectKey(marker ? key : key + "/");
        run.state().scan(marker ? Keys.justAfter(below) : below, Keys.after(below), (at, value) -> {
            found[0] = !KeyRecord.of(value).free() && leaves(run, Keys.objectKeyOf(at));
            return !found[0] && ++seen[0] < MOST_KEYS_BELOW;
        });
        return found[0];
    }

    /** Whether an object is at the key, or will be, that shall not stay there. Sees to it that it goes. */
    private static boolean leaves(Execution run, String key) {
        KeyRecord record = findKey(run, key);
        if (record == null || record.free()) {
            return false;
        }
        if (record.work() != 0) {
            WorkRecord work = find(run, record.work());
            long now = run.context().nowMillis();
            if (work != null && work.kind() == Kind.DELETE && work.lessee() == null && work.dueMillis() > now) {
                replace(run, work, work.dueAt(now));
            }
            return true;
        }
        Node owner = run.find(record.ino());
        if (owner == null) {
            return false;
        }
        if (owner.inode().directory()) {
            // Of a marker that shall go its own work takes care.
            return !key.equals(ObjectKeys.ofDirectory(run, owner.ino()));
        }
        if (ObjectKeys.ofFile(run, owner).equals(key)) {
            return false;
        }
        checkPlace(run, record.ino());
        return true;
    }

    // what makes work

    /** The object is not wanted any more. */
    static void deleteObject(Execution run, ObjectRef object) {
        WorkRecord work = queue(run, Kind.DELETE, 0, object.key(), DELETE_DELAY_MILLIS);
        replace(run, work, work.of(object));
        setKey(run, object.key(), 0, work.id());
    }

    /** What of ours is at {@code key}, if anything, is not wanted any more. */
    static void deleteLeftover(Execution run, String key) {
        WorkRecord work = queue(run, Kind.DELETE, 0, key, DELETE_DELAY_MILLIS);
        setKey(run, key, 0, work.id());
    }

    /** What an upload may have left that was given up: not where the key is another's by now, or a move's, which sees to it. */
    static void deleteLeftover(Execution run, long ino, String key) {
        KeyRecord record = findKey(run, key);
        if (record != null && record.ino() == ino && record.work() == 0) {
            deleteLeftover(run, key);
        }
    }

    /** The file of this content is no more. */
    static void removeObjects(Execution run, ContentRecord content) {
        String uploading = content.uploadKey();
        NodeId uploader = content.uploader();
        if (uploading != null && uploader == null) {
            deleteLeftover(run, content.last().ino(), uploading);
        } else if (uploading != null && uploader != null) {
            long ino = content.last().ino();
            WorkRecord work = queue(run, Kind.DELETE_AFTER_UPLOAD, ino, uploading, UPLOAD_LIMIT_MILLIS);
            ObjectRef before = content.object();
            ObjectRef there = before != null && before.key().equals(uploading) ? before : null;
            replace(run, work, work.at(LEFTOVER).takenBy(uploader.value(), work.dueMillis(), uploading, there));
            run.state().delete(Keys.upload(uploader, ino));
            setKey(run, uploading, 0, work.id());
        }
        if (content.object() != null && !content.object().key().equals(uploading)) {
            KeyRecord record = findKey(run, content.object().key());
            // A move under way deletes it, or its new place, when it is finished.
            if (record == null || record.work() == 0) {
                deleteObject(run, content.object());
            }
        }
    }

    /** A file's name has changed, or someone else wants the key that it is at. */
    static void checkPlace(Execution run, long ino) {
        ContentRecord content = run.findContent(ino);
        if (content == null || (content.object() == null && content.uploadKey() == null)) {
            return;
        }
        if (run.state().get(Keys.relocation(ino)) == null) {
            WorkRecord work = queue(run, Kind.RELOCATE, ino, null, SETTLE_DELAY_MILLIS);
            run.state().put(Keys.relocation(ino), Keys.work(work.id()));
        }
    }

    /** A directory is new, or has become empty. */
    static void checkMarker(Execution run, long directory) {
        Node node = run.find(directory);
        if (node != null && node.marker() == null && node.name() != null) {
            queue(run, Kind.MARK, directory, null, SETTLE_DELAY_MILLIS);
        }
    }

    /** A directory, and everything below it, has another path now. */
    static void directoryMoved(Execution run, long directory) {
        queue(run, Kind.SCAN, directory, null, SETTLE_DELAY_MILLIS);
        queue(run, Kind.MARK, directory, null, SETTLE_DELAY_MILLIS);
    }

    static void unmark(Execution run, String key) {
        WorkRecord work = queue(run, Kind.UNMARK, 0, key, 0);
        setKey(run, key, 0, work.id());
    }
}
