package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.Entry;
import io.fusecache.coordinator.state.ImportRecord;
import io.fusecache.coordinator.state.KeyRecord;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.metadata.AccessControlList;
import io.fusecache.metadata.Draft;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.Listing;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.ObjectAttributes;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.ObjectXattrs;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.session.Operation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Takes over what others did in the bucket.
 *
 * <p>A listing shows the bucket at some time after {@link Listing#token}. The namespace is right wherever it knows of a
 * reason why the bucket may look otherwise: the name came to lead where it leads, or the content got its version or its
 * object, after the token; the last version is not in the bucket yet, or is there at another key; a key has work
 * outstanding, or was freed after the token; a node has the file open for writing. In every other case the bucket was
 * changed by someone else, and the namespace follows.
 */
final class Imports {
    /** So many keys are looked at below a directory that only the listing knows; where there are more, it waits. */
    private static final int MOST_KEYS_BELOW = 1_000;

    private final Execution run;
    private final Operation.ImportListing op;
    private final String prefix;
    private int changed;

    private Imports(Execution run, Operation.ImportListing op, String prefix) {
        this.run = run;
        this.op = op;
        this.prefix = prefix;
    }

    static Listing begin(Execution run, long directory) throws ErrnoException {
        run.directory(directory);
        String prefix = ObjectKeys.ofDirectory(run, directory);
        if (prefix == null) {
            throw new ErrnoException(Errno.EOPNOTSUPP, "no object key can spell the path of directory " + directory);
        }
        byte[] last = run.state().get(Keys.imported(directory));
        Timestamp at = last == null ? null : ImportRecord.of(last).at();
        return new Listing(directory, run.counters().history(), prefix, at);
    }

    static int take(Execution run, Operation.ImportListing op) throws ErrnoException {
        Listing listing = op.listing();
        run.directory(listing.directory());
        String prefix = ObjectKeys.ofDirectory(run, listing.directory());
        if (prefix == null
                || !listing.keyPrefix().equals(prefix)
                || listing.token() < run.counters().forgotten()) {
            throw new ErrnoException(Errno.EAGAIN, "the directory has moved, or the listing is too old: list it again");
        }
        run.recallAsker();
        return new Imports(run, op, prefix).take();
    }

    private int take() throws ErrnoException {
        // In the order of names, which is that of their records, too.
        Map<FileName, ListedObject> listed = new LinkedHashMap<>();
        for (ListedObject object : op.objects()) {
            if (isReserved(object.name())) {
                continue;
            }
            // Where "a" and "a/" both exist, the directory is what can be shown.
            listed.merge(object.name(), object, (one, other) -> one.directory() ? one : other);
        }
        removeMissing(listed);
        for (ListedObject object : listed.values()) {
            Entry entry = run.findEntry(op.listing().directory(), object.name());
            if (entry != null && object.directory() && vanished(object.name(), entry)) {
                // The object "a" was in an earlier part than "a/".
                remove(object.name());
                entry = null;
            }
            if (entry != null) {
                refresh(object, entry);
            } else if (object.directory()) {
                addDirectory(object);
            } else {
                addFile(object);
            }
        }
        if (op.through() == null) {
            ImportRecord done = new ImportRecord(run.now(), op.listing().token());
            run.state().put(Keys.imported(op.listing().directory()), done.toBytes());
        }
        return changed;
    }

    private boolean isReserved(FileName name) {
        return op.listing().directory() == Inode.ROOT && ObjectKeys.RESERVED.equals(name.toString());
    }

    private boolean later(long history) {
        return history > op.listing().token();
    }

    private @Nullable String key(FileName name) {
        return ObjectKeys.append(prefix, name, "");
    }

    // gone from the bucket

    private void removeMissing(Map<FileName, ListedObject> listed) throws ErrnoException {
        long directory = op.listing().directory();
        FileName after = op.after();
        FileName through = op.through();
        byte[] all = Keys.entries(directory);
        byte[] from = after == null ? all : Keys.justAfter(Keys.entry(directory, after));
        byte[] to = through == null ? Keys.after(all) : Keys.justAfter(Keys.entry(directory, through));
        List<FileName> missing = new ArrayList<>();
        run.state().scan(from, to, (key, value) -> {
            FileName name = Keys.name(key, all.length);
            ListedObject object = listed.get(name);
            if ((object == null || object.directory()) && vanished(name, Entry.of(value))) {
                missing.add(name);
            }
            return true;
        });
        for (FileName name : missing) {
            remove(name);
        }
    }

    private void remove(FileName name) throws ErrnoException {
        long directory = op.listing().directory();
        Entry entry = run.entry(directory, name);
        ContentRecord content = run.content(entry.ino());
        ObjectRef object = content.object();
        if (object != null) {
            // It is gone, or a directory hides it; and what is there by then is not ours to delete.
            BucketWork.freeKey(run, object.key());
            run.save(content.withoutObject(run.history()));
        }
        Names.leave(run, run.node(directory), name, entry, false);
        Removal.dropName(run, run.node(entry.ino()), directory, name, false);
        changed++;
    }

    private boolean vanished(FileName name, Entry entry) {
        Node node = run.find(entry.ino());
        if (node == null || later(entry.history()) || node.inode().links() != 1) {
            return false;
        }
        ContentRecord content = untouched(node);
        return content != null
                && content.object() != null
                && content.object().key().equals(key(name));
    }

    /** The content of a file that the bucket was right about when the listing began, else null. */
    private @Nullable ContentRecord untouched(Node node) {
        if (!node.inode().regular() || node.inode().writer() != null) {
            return null;
        }
        ContentRecord content = run.content(node.ino());
        ObjectRef object = content.object();
        if (!content.persisted() || content.uploadKey() != null || later(content.history()) || object == null) {
            return null;
        }
        KeyRecord key = BucketWork.findKey(run, object.key());
        return key == null || key.work() == 0 ? content : null;
    }

    // changed in the bucket

    private void refresh(ListedObject listed, Entry entry) throws ErrnoException {
        if (listed.directory() || later(entry.history()) || isKnown(listed, entry)) {
            return;
        }
        Node node = run.node(entry.ino());
        ContentRecord content = untouched(node);
        ObjectRef object = content == null ? null : content.object();
        if (content == null || object == null || !object.key().equals(key(listed.name()))) {
            return;
        }
        Inode inode = node.inode();
        FileVersion version = version(inode.ino(), inode.version() + 1, listed);
        Optional<ObjectAttributes> attributes = ObjectAttributes.parse(listed.attributes());
        Draft draft = new Draft(inode)
                .content(version.version(), version.size(), version.size())
                .modified(attributes.map(ObjectAttributes::modified).orElse(listed.modified()))
                .changed(run.now());
        if (attributes.isPresent()) {
            ObjectAttributes known = attributes.get();
            draft.permissions(known.permissions()).owner(known.uid(), known.gid());
            AccessLists.follow(run, inode, known.permissions());
        }
        run.save(node, draft.inode());
        run.count(0, version.size() - inode.usedBytes());
        ObjectRef now = new ObjectRef(object.key(), listed.etag());
        run.save(content.committed(version, run.history()).stored(now, version.version(), run.history()));
        changed++;
    }

    /** Of most names of most listings, that is all there is to read. */
    private boolean isKnown(ListedObject listed, Entry entry) {
        ContentRecord content = run.findContent(entry.ino());
        ObjectRef object = content == null ? null : content.object();
        return object != null && object.etag().equals(listed.etag());
    }

    private static FileVersion version(long ino, long version, ListedObject listed) {
        int[] checksums = listed.size() == 0 ? new int[0] : null;
        return new FileVersion(ino, version, listed.size(), FileVersion.DEFAULT_BLOCK_BYTES, checksums, null);
    }

    // new in the bucket

    private void addFile(ListedObject listed) throws ErrnoException {
        String key = key(listed.name());
        KeyRecord record = key == null ? null : BucketWork.findKey(run, key);
        if (key == null || (record != null && (!record.free() || later(record.history())))) {
            return;
        }
        NewInode like = op.fallback();
        Optional<ObjectAttributes> attributes = ObjectAttributes.parse(listed.attributes());
        NewInode wanted = new NewInode(
                FileType.REGULAR,
                attributes.map(ObjectAttributes::permissions).orElse(like.permissions()),
                attributes.map(ObjectAttributes::uid).orElse(like.uid()),
                attributes.map(ObjectAttributes::gid).orElse(like.gid()),
                0,
                null,
                false);
        Inode made = add(listed.name(), wanted);
        FileVersion version = version(made.ino(), 1, listed);
        Draft draft = new Draft(made)
                .content(1, listed.size(), listed.size())
                .modified(attributes.map(ObjectAttributes::modified).orElse(listed.modified()));
        Inode inode = draft.inode(attributes.map(ObjectAttributes::born).orElse(listed.modified()));
        run.save(run.node(inode.ino()), inode);
        run.count(0, listed.size());
        ObjectRef object = new ObjectRef(key, listed.etag());
        run.save(ContentRecord.fresh(version, run.history()).stored(object, 1, run.history()));
        BucketWork.setKey(run, key, inode.ino(), 0);
        for (var attribute : ObjectXattrs.parse(listed.attributes()).entrySet()) {
            FileName name = attribute.getKey();
            if (!name.equals(AccessControlList.DEFAULT)) {
                Contents.setAttribute(run, new Operation.SetAttribute(inode.ino(), name, attribute.getValue(), 0));
            }
        }
    }

    private void addDirectory(ListedObject listed) throws ErrnoException {
        String below = ObjectKeys.append(prefix, listed.name(), "/");
        if (below == null || explained(below)) {
            return;
        }
        NewInode like = op.fallback();
        int permissions = like.permissions() | ((like.permissions() & 0444) >> 2);
        add(listed.name(), new NewInode(FileType.DIRECTORY, permissions, like.uid(), like.gid(), 0, null, false));
    }

    /** Whether keys below {@code prefix} are on their way elsewhere: then the listing may show what is no more. */
    private boolean explained(String below) {
        boolean[] found = {false};
        int[] seen = {0};
        byte[] from = Keys.objectKey(below);
        run.state().scan(from, Keys.after(from), (key, value) -> {
            KeyRecord record = KeyRecord.of(value);
            found[0] = !record.free() || later(record.history()) || ++seen[0] >= MOST_KEYS_BELOW;
            return !found[0];
        });
        return found[0];
    }

    private Inode add(FileName name, NewInode wanted) throws ErrnoException {
        Node parent = run.node(op.listing().directory());
        Inode inode = Names.make(run, parent, wanted);
        run.save(new Node(inode, parent.ino(), name, 0, Node.FIRST_COOKIE, null, false));
        Names.enter(run, parent, name, inode.ino(), inode.directory());
        changed++;
        return inode;
    }
}
