package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.CookieRecord;
import io.fusecache.coordinator.state.KeyRecord;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.WorkRecord;
import io.fusecache.coordinator.state.WorkRecord.Kind;
import io.fusecache.metadata.CloudWork;
import io.fusecache.metadata.Expected;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.session.Operation;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Hands work out to nodes, and takes word of its end.
 *
 * <p>Taking decides what a piece of work is, from the namespace as it is now: nothing, because it has settled itself; more
 * pieces, for a directory that moved; a piece for the bucket, then leased to the node; or nothing yet. Only the node that
 * has the lease can finish it.
 */
final class WorkTaking {
    private static final int MOST_LOOKED_AT = 64;
    private static final int SCAN_ENTRIES = 256;
    private static final int MARKER_ENTRIES = 16;
    private static final long RETRY_MILLIS = 1_000;
    /** A new version makes a move unneeded: give its upload this long. */
    private static final long UPLOAD_FIRST_MILLIS = 30_000;
    /** No listing takes longer than this. */
    private static final long FREED_KEYS_KEPT_SECONDS = 3_600;

    private static final int MOST_FORGOTTEN = 256;

    /** The cookie of a move whose object an upload may have put over, that was given up. */
    private static final long UPLOADED_OVER = 3;

    private final Execution run;
    private final long leaseEndMillis;
    private final List<CloudWork> taken = new ArrayList<>();

    private WorkTaking(Execution run, long leaseMillis) {
        this.run = run;
        this.leaseEndMillis = run.context().nowMillis() + leaseMillis;
    }

    static List<CloudWork> take(Execution run, Operation.TakeWork op) {
        WorkTaking taking = new WorkTaking(run, Math.max(1, op.lease().toMillis()));
        List<Long> due = new ArrayList<>();
        byte[] end = Keys.due(run.context().nowMillis() + 1);
        run.state().scan(Keys.due(0), end, (key, value) -> {
            due.add(Keys.number(key, 9));
            return due.size() < MOST_LOOKED_AT;
        });
        for (long id : due) {
            if (taking.taken.size() >= op.limit()) {
                break;
            }
            WorkRecord work = Objects.requireNonNull(BucketWork.find(run, id));
            switch (work.kind()) {
                case DELETE, UNMARK, DELETE_AFTER_UPLOAD -> taking.delete(work);
                case MARK -> taking.mark(work);
                case RELOCATE -> taking.relocate(work);
                case SCAN -> taking.scan(work);
            }
        }
        taking.forgetFreedKeys();
        return taking.taken;
    }

    private void lease(WorkRecord work, CloudWork piece, @Nullable String key, @Nullable ObjectRef from) {
        taken.add(piece);
        BucketWork.replace(run, work, work.takenBy(run.caller().value(), leaseEndMillis, key, from));
    }

    private void later(WorkRecord work, long delayMillis) {
        BucketWork.replace(run, work, work.dueAt(run.context().nowMillis() + delayMillis));
    }

    private void delete(WorkRecord work) {
        String key = Objects.requireNonNull(work.key());
        KeyRecord record = BucketWork.findKey(run, key);
        if (record == null || record.work() != work.id()) {
            BucketWork.drop(run, work);
            return;
        }
        CloudWork piece = work.kind() == Kind.UNMARK
                ? new CloudWork.DeleteMarker(work.id(), key)
                : new CloudWork.Delete(work.id(), key, BucketWork.toDelete(work));
        lease(work, piece, key, work.from());
    }

    private void mark(WorkRecord work) {
        Node node = run.find(work.ino());
        String key = node == null ? null : ObjectKeys.ofDirectory(run, work.ino());
        if (work.lessee() != null && work.key() != null && !work.key().equals(key)) {
            // Its lease ran out, and the path has changed: the marker may or may not be there.
            BucketWork.unmark(run, work.key());
        }
        if (node == null || (key != null && key.equals(node.marker()))) {
            BucketWork.drop(run, work);
            return;
        }
        if (node.marker() != null) {
            BucketWork.unmark(run, node.marker());
            run.saveQuietly(node.withMarker(null));
        }
        if (key == null) {
            BucketWork.drop(run, work);
            return;
        }
        if (shownByContents(node.ino())) {
            if (key.equals(work.key())) {
                BucketWork.unmark(run, key);
            }
            BucketWork.drop(run, work);
            return;
        }
        KeyRecord record = BucketWork.findKey(run, key);
        boolean others = record != null && record.work() != 0 && record.work() != work.id();
        if (others || BucketWork.obstructed(run, key)) {
            later(work, RETRY_MILLIS);
            return;
        }
        BucketWork.setKey(run, key, node.ino(), work.id());
        lease(work, new CloudWork.PutMarker(work.id(), key), key, null);
    }

    /** Whether something in the directory has, or will have, a key of its own in the bucket. */
    private boolean shownByContents(long directory) {
        boolean[] shown = {false};
        int[] seen = {0};
        byte[] prefix = Keys.cookies(directory);
        run.state().scan(prefix, Keys.after(prefix), (key, value) -> {
            Node child = run.find(CookieRecord.of(value).ino());
            FileType type = child == null ? FileType.SYMLINK : child.inode().type();
            shown[0] = type == FileType.REGULAR || type == FileType.DIRECTORY;
            return !shown[0] && ++seen[0] < MARKER_ENTRIES;
        });
        return shown[0];
    }

    private void relocate(WorkRecord work) {
        long ino = work.ino();
        ContentRecord content = run.findContent(ino);
        if (work.from() != null) {
            retake(work, content, work.from());
            return;
        }
        Node node = run.find(ino);
        String place = node == null ? null : ObjectKeys.ofFile(run, node);
        if (content == null || place == null) {
            dropRelocation(work);
            return;
        }
        if (Uploading.underWay(run, content)) {
            later(work, RETRY_MILLIS);
            return;
        }
        content = Uploading.withoutLeftover(run, content, place);
        ObjectRef object = content.object();
        if (object == null || object.key().equals(place)) {
            dropRelocation(work);
        } else if (place.equals(content.uploadKey())) {
            // Something may lie there already that is not what a move would bring. The next upload puts over it.
            later(work, RETRY_MILLIS);
        } else if (BucketWork.obstructed(run, place)) {
            // It may be in the way itself, of what is in its own way: a file in the directory that has its old name.
            outOfTheWay(work, content, object);
        } else if (!content.persisted() && work.cookie() == 0) {
            later(work.at(1), UPLOAD_FIRST_MILLIS);
        } else {
            Optional<Expected> there = BucketWork.claim(run, place, ino);
            if (there.isPresent()) {
                move(work, content, object, place, there.get());
            } else {
                outOfTheWay(work, content, object);
            }
        }
    }

    /** The second time that its place is not free. */
    private void outOfTheWay(WorkRecord work, ContentRecord content, ObjectRef object) {
        if (work.cookie() < 2) {
            later(work.at(2), RETRY_MILLIS);
        } else if (!object.key().equals(ObjectKeys.aside(run, work.ino()))) {
            // Whoever is in its place may wait for this very object to go: two files that changed places.
            move(work, content, object, ObjectKeys.aside(run, work.ino()), Expected.NOTHING);
        } else {
            later(work, RETRY_MILLIS);
        }
    }

    /** Its lease ran out: how far it came nobody knows, so the same again. */
    private void retake(WorkRecord work, @Nullable ContentRecord content, ObjectRef from) {
        String to = Objects.requireNonNull(work.key());
        if (content == null) {
            BucketWork.deleteObject(run, from);
            BucketWork.deleteLeftover(run, to);
            dropRelocation(work);
            return;
        }
        Expected over = new Expected(null, true);
        lease(work, new CloudWork.Move(work.id(), work.ino(), content.objectVersion(), from, to, over), to, from);
    }

    private void move(WorkRecord work, ContentRecord content, ObjectRef from, String to, Expected over) {
        WorkRecord known = from.key().equals(content.uploadKey()) ? work.at(UPLOADED_OVER) : work;
        BucketWork.setKey(run, to, work.ino(), work.id());
        BucketWork.setKey(run, from.key(), work.ino(), work.id());
        lease(known, new CloudWork.Move(work.id(), work.ino(), content.objectVersion(), from, to, over), to, from);
    }

    private void dropRelocation(WorkRecord work) {
        BucketWork.drop(run, work);
        run.state().delete(Keys.relocation(work.ino()));
    }

    private void scan(WorkRecord work) {
        String directory = ObjectKeys.ofDirectory(run, work.ino());
        List<CookieRecord> entries = new ArrayList<>();
        long[] last = {0};
        byte[] end = Keys.after(Keys.cookies(work.ino()));
        run.state().scan(Keys.cookie(work.ino(), work.cookie() + 1), end, (key, value) -> {
            entries.add(CookieRecord.of(value));
            last[0] = Keys.number(key, 9);
            return entries.size() < SCAN_ENTRIES;
        });
        for (CookieRecord entry : entries) {
            Node child = Objects.requireNonNull(run.find(entry.ino()));
            if (child.inode().directory()) {
                BucketWork.directoryMoved(run, child.ino());
            } else if (child.inode().regular() && child.hasFirstName(work.ino(), entry.name())) {
                String place = directory == null ? null : ObjectKeys.append(directory, entry.name(), "");
                ObjectRef object = run.content(child.ino()).object();
                if (object == null || !object.key().equals(place)) {
                    BucketWork.checkPlace(run, child.ino());
                }
            }
        }
        if (entries.size() < SCAN_ENTRIES) {
            BucketWork.drop(run, work);
        } else {
            BucketWork.replace(run, work, work.at(last[0]).dueAt(run.context().nowMillis()));
        }
    }

    private void forgetFreedKeys() {
        List<byte[]> old = new ArrayList<>();
        byte[] end = Keys.freed(Math.max(0, run.now().seconds() - FREED_KEYS_KEPT_SECONDS), "");
        run.state().scan(Keys.freed(0, ""), end, (key, value) -> {
            old.add(key);
            return old.size() < MOST_FORGOTTEN;
        });
        for (byte[] freed : old) {
            run.state().delete(freed);
            String key = new String(Arrays.copyOfRange(freed, 9, freed.length), StandardCharsets.UTF_8);
            KeyRecord record = BucketWork.findKey(run, key);
            if (record != null && record.free()) {
                run.state().delete(Keys.objectKey(key));
                long upTo = Math.max(run.counters().forgotten(), record.history());
                run.counters(run.counters().withForgotten(upTo));
            }
        }
    }

    /** Whether the piece is still the caller's, who then has it for as long again. */
    static boolean renew(Execution run, Operation.RenewWork op) {
        WorkRecord work = BucketWork.find(run, op.id());
        if (work == null
                || work.kind() == Kind.DELETE_AFTER_UPLOAD
                || !run.caller().value().equals(work.lessee())) {
            return false;
        }
        long leaseMillis = Math.max(1, op.lease().toMillis());
        BucketWork.replace(run, work, work.takenUntil(run.context().nowMillis() + leaseMillis));
        return true;
    }

    /** The piece of work is done; of a move: its object was not there any more as it was known. */
    static void finish(Execution run, long id) {
        WorkRecord work = BucketWork.find(run, id);
        if (work == null || !run.caller().value().equals(work.lessee())) {
            return;
        }
        String key = Objects.requireNonNull(work.key());
        BucketWork.drop(run, work);
        switch (work.kind()) {
            case DELETE, UNMARK, DELETE_AFTER_UPLOAD -> BucketWork.freeKey(run, key);
            case MARK -> {
                Node node = run.find(work.ino());
                if (node != null && key.equals(ObjectKeys.ofDirectory(run, work.ino()))) {
                    BucketWork.setKey(run, key, work.ino(), 0);
                    run.saveQuietly(node.withMarker(key));
                } else {
                    BucketWork.unmark(run, key);
                }
            }
            case RELOCATE -> {
                String from = Objects.requireNonNull(work.from()).key();
                run.state().delete(Keys.relocation(work.ino()));
                BucketWork.freeKey(run, key);
                if (work.cookie() == UPLOADED_OVER) {
                    BucketWork.deleteLeftover(run, from);
                } else {
                    BucketWork.freeKey(run, from);
                }
                ContentRecord content = run.findContent(work.ino());
                if (content != null) {
                    run.save(leftAt(content, from).withoutObject(run.history()));
                    run.touch(work.ino());
                    run.tell(run.content(work.ino()).version());
                }
            }
            case SCAN -> throw new AssertionError("a scan is no node's work");
        }
    }

    /** The content once nothing is at the key any more that an upload may have left. */
    private static ContentRecord leftAt(ContentRecord content, String key) {
        return key.equals(content.uploadKey()) ? content.notUploading() : content;
    }

    static void finishMove(Execution run, Operation.FinishMove op) {
        WorkRecord work = BucketWork.find(run, op.id());
        if (work == null || work.from() == null || !run.caller().value().equals(work.lessee())) {
            return;
        }
        String from = work.from().key();
        BucketWork.drop(run, work);
        run.state().delete(Keys.relocation(work.ino()));
        ContentRecord content = run.findContent(work.ino());
        BucketWork.freeKey(run, from);
        if (content == null) {
            BucketWork.deleteObject(run, op.at());
            return;
        }
        BucketWork.setKey(run, op.at().key(), work.ino(), 0);
        ContentRecord moved = leftAt(content, from).stored(op.at(), content.objectVersion(), run.history());
        run.save(moved);
        run.touch(work.ino());
        run.tell(moved.version());
        Node node = Objects.requireNonNull(run.find(work.ino()));
        if (!ObjectKeys.ofFile(run, node).equals(op.at().key())) {
            BucketWork.checkPlace(run, work.ino());
        }
    }
}
