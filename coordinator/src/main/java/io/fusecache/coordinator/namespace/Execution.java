package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.CookieRecord;
import io.fusecache.coordinator.state.Counters;
import io.fusecache.coordinator.state.Entry;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.View;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.session.Answer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One command at work: the state as it changes under it, and what its outcome will say. Inodes and counters are kept decoded
 * and written once, at the end.
 */
final class Execution {
    /** Past this many changed inodes the asker is recalled like everyone else, so that no answer grows without bound. */
    private static final int MOST_CHANGES_TOLD = 64;

    private final Context context;
    private final View before;
    private final Changes changes;
    private final Map<Long, Node> saved = new HashMap<>();
    private final Set<Long> touched = new LinkedHashSet<>();
    private final Set<Long> unlinked = new LinkedHashSet<>();
    private final Map<Long, Set<FileName>> renamed = new HashMap<>();
    private final Set<Long> leased = new LinkedHashSet<>();
    private final Set<Long> listed = new LinkedHashSet<>();
    private final List<Answer.KnownName> names = new ArrayList<>();
    private final Map<Long, FileVersion> contents = new HashMap<>();
    private Counters counters;
    private final Counters countersBefore;
    private boolean recallAsker;
    private boolean tellsAll;
    private Timestamp now;
    private long givenNumber;
    private final Map<Long, NodeId> delegatedElsewhere = new LinkedHashMap<>();
    private @Nullable NodeId writeConflict;

    Execution(Context context, View view) {
        this.context = context;
        this.before = view;
        this.changes = new Changes(view);
        byte[] bytes = view.get(Keys.counters());
        if (bytes == null) {
            throw new AssertionError("a state without counters");
        }
        countersBefore = Counters.of(bytes);
        counters = countersBefore;
        now = context.now();
    }

    Context context() {
        return context;
    }

    /** The time of what is changed. */
    Timestamp now() {
        return now;
    }

    /** What follows was done then, and what it makes has that number; 0 for none. The answer tells all that is changed. */
    void asDoneBefore(Timestamp at, long number) {
        now = at;
        givenNumber = number;
        tellsAll = true;
    }

    NodeId caller() {
        NodeId node = context.node();
        if (node == null) {
            throw new AssertionError("a client's operation without a client");
        }
        return node;
    }

    Changes state() {
        return changes;
    }

    /** This command's place in the volume's history. */
    long history() {
        return countersBefore.history() + 1;
    }

    Counters counters() {
        return counters;
    }

    void counters(Counters changed) {
        counters = changed;
    }

    // inodes

    @Nullable Node find(long ino) {
        Node mine = saved.get(ino);
        if (mine != null) {
            return mine;
        }
        byte[] bytes = changes.get(Keys.inode(ino));
        return bytes == null ? null : Node.of(bytes);
    }

    Node node(long ino) throws ErrnoException {
        Node node = find(ino);
        if (node == null) {
            throw new ErrnoException(Errno.ESTALE, "there is no inode " + ino);
        }
        return node;
    }

    /** A directory that still has its name: ESTALE, ENOTDIR, and ENOENT where it was removed. */
    Node directory(long ino) throws ErrnoException {
        Node node = node(ino);
        if (!node.inode().directory()) {
            throw new ErrnoException(Errno.ENOTDIR, "inode " + ino + " is no directory");
        }
        if (node.inode().links() == 0) {
            throw new ErrnoException(Errno.ENOENT, "directory " + ino + " was removed");
        }
        look(node);
        return node;
    }

    /** Goes by what is in an inode. Of a directory that is delegated to another node that is not all yet. */
    void look(Node node) {
        NodeId writer = node.inode().writer();
        if (node.inode().directory() && writer != null && !writer.equals(context.node())) {
            delegatedElsewhere.put(node.ino(), writer);
        }
    }

    /** Changes what clients see of an inode. */
    void save(Node node) {
        saved.put(node.ino(), node);
        touched.add(node.ino());
    }

    void save(Node node, Inode changed) {
        save(node.with(changed));
    }

    /** Changes what only the coordinator sees of it. */
    void saveQuietly(Node node) {
        saved.put(node.ino(), node);
    }

    void forget(long ino) {
        saved.remove(ino);
        touched.add(ino);
        changes.delete(Keys.inode(ino));
    }

    void count(long inodes, long usedBytes) {
        counters = counters.plus(inodes, usedBytes);
    }

    long newInode() throws ErrnoException {
        if (givenNumber != 0) {
            long given = givenNumber;
            givenNumber = 0;
            if (given >= counters.nextInode() || find(given) != null) {
                throw new ErrnoException(Errno.EINVAL, "inode number " + given + " was not given out for this");
            }
            return given;
        }
        return newInodes(1);
    }

    /** The first of so many numbers in a row, which nobody else gets. */
    long newInodes(int count) {
        long ino = counters.nextInode();
        counters = counters.withNextInode(ino + count);
        return ino;
    }

    long newWork() {
        long id = counters.nextWork();
        counters = counters.withNextWork(id + 1);
        return id;
    }

    // names

    @Nullable Entry findEntry(long directory, FileName name) {
        byte[] bytes = changes.get(Keys.entry(directory, name));
        return bytes == null ? null : Entry.of(bytes);
    }

    Entry entry(long directory, FileName name) throws ErrnoException {
        Entry entry = findEntry(directory, name);
        if (entry == null) {
            throw new ErrnoException(Errno.ENOENT, "no '" + name + "' in directory " + directory);
        }
        return entry;
    }

    void putEntry(long directory, FileName name, long ino, long cookie) {
        changes.put(Keys.entry(directory, name), new Entry(ino, cookie, history()).toBytes());
        changes.put(Keys.cookie(directory, cookie), new CookieRecord(ino, name).toBytes());
        tell(directory, name, ino);
        renamed(directory, name);
    }

    void deleteEntry(long directory, FileName name, Entry entry) {
        changes.delete(Keys.entry(directory, name));
        changes.delete(Keys.cookie(directory, entry.cookie()));
        tell(directory, name, 0);
        renamed(directory, name);
    }

    private void renamed(long directory, FileName name) {
        renamed.computeIfAbsent(directory, none -> new HashSet<>()).add(name);
    }

    // content

    @Nullable ContentRecord findContent(long ino) {
        byte[] bytes = changes.get(Keys.content(ino));
        return bytes == null ? null : ContentRecord.of(bytes);
    }

    ContentRecord content(long ino) {
        ContentRecord content = findContent(ino);
        if (content == null) {
            throw new AssertionError("regular file " + ino + " has no content record");
        }
        return content;
    }

    void save(ContentRecord content) {
        changes.put(Keys.content(content.last().ino()), content.toBytes());
    }

    // the outcome

    void touch(long ino) {
        touched.add(ino);
    }

    void unlinked(long ino) {
        if (tellsAll) {
            // Nobody else has ever seen it.
            return;
        }
        unlinked.add(ino);
    }

    void lease(long ino) {
        leased.add(ino);
    }

    /** As {@link #lease} for an inode that the result itself shows. */
    void leaseListed(Node node) {
        look(node);
        listed.add(node.ino());
    }

    void tell(long directory, FileName name, long ino) {
        names.add(new Answer.KnownName(directory, name, ino));
    }

    void tell(FileVersion content) {
        contents.put(content.ino(), content);
        leased.add(content.ino());
    }

    void recallAsker() {
        recallAsker = true;
    }

    void heldBy(NodeId node) {
        writeConflict = node;
    }

    /** Counts what was done against the quotas of directory trees. */
    void settleQuotas(boolean enforced) throws ErrnoException {
        Set<Long> changed = new LinkedHashSet<>(saved.keySet());
        changed.addAll(touched);
        Quotas.settle(this, before, changed, enforced);
    }

    Outcome succeeded(Answer.Result result) {
        if (writeConflict != null) {
            return outcome(Answer.of(result), new Changes(changes), Set.of(), false);
        }
        for (Node node : saved.values()) {
            changes.put(Keys.inode(node.ino()), node.toBytes());
        }
        if (!changes.isEmpty()) {
            counters = counters.withHistory(history());
            changes.put(Keys.counters(), counters.toBytes());
        }
        if (recallAsker || (touched.size() > MOST_CHANGES_TOLD && !tellsAll)) {
            return outcome(Answer.of(result), changes, Set.of(), true);
        }
        // The asker learns what it changed, so that its cache goes on without a recall.
        leased.addAll(touched);
        return leasing(null, result, changes);
    }

    Outcome failed(ErrnoException failure) {
        Changes none = new Changes(changes);
        Answer.Failure told = new Answer.Failure(failure.errno(), failure.reason());
        if (!delegatedElsewhere.isEmpty()) {
            return outcome(new Answer(told, new Answer.Nothing(), List.of(), List.of()), none, Set.of(), false);
        }
        if (!saved.isEmpty() || !changes.isEmpty()) {
            return Outcome.of(new Answer(told, new Answer.Nothing(), List.of(), List.of()), none);
        }
        return leasing(told, new Answer.Nothing(), none);
    }

    private Outcome leasing(Answer.@Nullable Failure failure, Answer.Result result, Changes batch) {
        List<Answer.KnownInode> inodes = new ArrayList<>();
        Set<Long> granted = new LinkedHashSet<>(listed);
        for (long ino : leased) {
            Node node = find(ino);
            if (node != null) {
                look(node);
                inodes.add(new Answer.KnownInode(node.inode(), contents.get(ino)));
                granted.add(ino);
            }
        }
        return outcome(new Answer(failure, result, List.copyOf(inodes), List.copyOf(names)), batch, granted, false);
    }

    private Outcome outcome(Answer answer, Changes batch, Set<Long> granted, boolean askerToo) {
        Set<Long> directories = new LinkedHashSet<>();
        for (long ino : touched) {
            Node node = saved.get(ino);
            if (node != null && node.inode().directory()) {
                directories.add(ino);
                look(node);
            }
        }
        return new Outcome(
                answer,
                batch,
                touched,
                unlinked,
                renamed,
                directories,
                granted,
                askerToo,
                writeConflict,
                Map.copyOf(delegatedElsewhere));
    }
}
