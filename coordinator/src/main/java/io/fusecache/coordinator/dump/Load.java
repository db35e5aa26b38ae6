package io.fusecache.coordinator.dump;

import io.fusecache.coordinator.dump.DumpLine.Attribute;
import io.fusecache.coordinator.dump.DumpLine.Content;
import io.fusecache.coordinator.dump.DumpLine.EntryLine;
import io.fusecache.coordinator.dump.DumpLine.Header;
import io.fusecache.coordinator.dump.DumpLine.InodeLine;
import io.fusecache.coordinator.dump.DumpLine.StoredAt;
import io.fusecache.coordinator.dump.DumpLine.Trashed;
import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.CookieRecord;
import io.fusecache.coordinator.state.Counters;
import io.fusecache.coordinator.state.Entry;
import io.fusecache.coordinator.state.KeyRecord;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.QuotaRecord;
import io.fusecache.coordinator.state.TrashRecord;
import io.fusecache.coordinator.state.TrashRule;
import io.fusecache.coordinator.state.VolumeRecord;
import io.fusecache.coordinator.state.WorkRecord;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Brings a dump into an empty state, in batches, the last of which makes it a whole one: before that, and where this fails, the
 * state says that it is being loaded, and nobody is let in.
 *
 * <p>What follows from the lines is not in them and is made here: owners of keys, places in listings, further names, the order of
 * the trash, and work for what is not where its name says. Work that was under way is not brought back: an object that was
 * to be deleted may have become another by now.
 */
public final class Load {
    private static final int LINES_AT_ONCE = 500;
    private static final int BYTES_AT_ONCE = 1 << 20;

    private final LineReader in;
    private final LoadTarget target;
    private final String namespace;
    private final long nowMillis;
    private Changes changes;
    private int lines;
    private long bytes;

    private long nextInode;
    private long history;
    private long nextWork = 1;

    // How far the lines are.
    private long lastInode;
    private boolean entriesBegun;
    private long directory;
    private long cookieEnd;
    private long entriesLeft;
    private @Nullable FileName lastName;

    // What is to come out even.
    private long entriesToCome;
    private long linksToCome;
    private long firstNamesToCome;
    private long inodes;
    private long usedBytes;

    private Load(InputStream in, LoadTarget target, String namespace, long nowMillis) {
        this.in = new LineReader(in);
        this.target = target;
        this.namespace = namespace;
        this.nowMillis = nowMillis;
        this.changes = new Changes(target.view());
    }

    /** What was loaded. */
    public record Loaded(String namespace, long inodes, long usedBytes) {}

    /**
     * @param namespace a fresh one
     * @throws DumpException naming the line that is wrong; what was written by then is to be wiped
     */
    public static Loaded run(InputStream in, LoadTarget target, String namespace, long nowMillis) throws IOException {
        return new Load(in, target, namespace, nowMillis).run();
    }

    private Loaded run() throws IOException {
        Header header = in.header();
        nextInode = header.nextInode();
        history = header.history();
        if (header.format() < 1
                || nextInode < 2
                || nextInode > Inode.MAX
                || history < 1
                || header.trashKeepMillis() < 0) {
            throw in.wrong("a number of the header is out of its range");
        }
        for (DumpLine line = in.next(); line != null; line = in.next()) {
            try {
                take(line);
            } catch (ErrnoException refused) {
                throw in.wrong(refused.reason());
            } catch (NullPointerException missing) {
                throw in.wrong("a field is missing");
            } catch (IllegalArgumentException | ArithmeticException wrong) {
                throw in.wrong(String.valueOf(wrong.getMessage()));
            }
            if (++lines >= LINES_AT_ONCE || bytes >= BYTES_AT_ONCE) {
                write();
            }
        }
        try {
            checkDirectoryEnd();
        } catch (IllegalArgumentException wrong) {
            throw in.wrong(String.valueOf(wrong.getMessage()));
        }
        if (lastInode == 0 || entriesToCome != 0 || linksToCome != 0 || firstNamesToCome != 0) {
            throw in.wrong("the inodes and the names do not fit: " + entriesToCome + " entries, " + linksToCome
                    + " links and " + firstNamesToCome + " first names more than there are");
        }
        VolumeRecord volume = new VolumeRecord(header.keyPrefix(), namespace);
        Counters counters = new Counters(nextInode, nextWork, 1, history, history, usedBytes, inodes);
        changes.put(Keys.volume(), volume.toBytes());
        changes.put(Keys.counters(), counters.toBytes());
        if (header.trashKeepMillis() > 0) {
            changes.put(Keys.trashRule(), new TrashRule(header.trashKeepMillis()).toBytes());
        }
        changes.delete(Keys.loading());
        write();
        return new Loaded(namespace, inodes, usedBytes);
    }

    private void write() throws IOException {
        target.write(changes);
        changes = new Changes(target.view());
        lines = 0;
        bytes = 0;
    }

    private void put(byte[] key, byte[] value) {
        changes.put(key, value);
        bytes += key.length + value.length;
    }

    private static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    private void take(DumpLine line) throws ErrnoException {
        switch (line) {
            case InodeLine inode -> inode(inode);
            case Attribute attribute -> attribute(attribute);
            case EntryLine entry -> entry(entry);
            case Header header -> throw new AssertionError(header);
            case DumpLine.End end -> throw new AssertionError(end);
        }
    }

    // inodes

    private void inode(InodeLine line) throws ErrnoException {
        check(!entriesBegun, "an inode after the entries");
        check(
                line.inode() > lastInode && line.inode() < nextInode,
                "inode: expected above " + lastInode + " and below the header's next_inode " + nextInode);
        check(lastInode != 0 || line.inode() == Inode.ROOT, "inode: expected the root, 1, first");
        lastInode = line.inode();
        Node node = node(line);
        Inode inode = node.inode();
        check((inode.links() > 0) != (line.trash() != null), "it has names, or is in the trash: expected one of them");
        check(
                inode.directory() || (line.quota() == null && line.entries() == 0 && line.marker() == null),
                "quota, entries, marker: of directories only");
        check(inode.regular() == (line.content() != null), "content: of regular files, and of each");
        check((inode.type() == FileType.SYMLINK) == (line.target() != null), "target: of symbolic links, and of each");
        check(inode.ino() != Inode.ROOT || inode.directory(), "the root is no directory");
        check((inode.ino() == Inode.ROOT || inode.links() == 0) == (node.name() == null), "name: missing, or too much");
        put(Keys.inode(inode.ino()), node.toBytes());
        inodes++;
        usedBytes = Math.addExact(usedBytes, inode.usedBytes());
        if (node.name() != null) {
            firstNamesToCome++;
        }
        if (inode.directory()) {
            entriesToCome = Math.addExact(entriesToCome, node.entries());
            directory(line, node);
        } else {
            linksToCome += inode.links();
        }
        if (line.trash() != null) {
            trash(inode, line.trash());
        }
        if (line.content() != null) {
            content(line, line.content());
        }
    }

    private static Node node(InodeLine line) throws ErrnoException {
        FileType type = FileType.valueOf(line.type().toUpperCase(Locale.ROOT));
        check(line.mode().matches("[0-7]{4}"), "mode: expected four octal digits");
        long mostId = 0xffff_ffffL;
        check(line.uid() >= 0 && line.uid() <= mostId && line.gid() >= 0 && line.gid() <= mostId, "uid, gid: 32 bits");
        check(
                line.links() >= 0
                        && line.size() >= 0
                        && line.usedBytes() >= 0
                        && line.version() >= 0
                        && line.parent() >= 0
                        && line.entries() >= 0
                        && line.nextCookie() >= 0,
                "a number below 0");
        byte[] target = line.target() == null ? null : DumpText.bytes(line.target());
        Inode inode = new Inode(
                line.inode(),
                type,
                Integer.parseInt(line.mode(), 8),
                (int) line.uid(),
                (int) line.gid(),
                line.links(),
                line.size(),
                line.usedBytes(),
                line.device(),
                DumpText.time(line.accessed()),
                DumpText.time(line.modified()),
                DumpText.time(line.changed()),
                DumpText.time(line.born()),
                target,
                line.version(),
                null,
                line.extended(),
                line.trash() != null);
        FileName name = line.name() == null ? null : FileName.of(DumpText.bytes(line.name()));
        return new Node(inode, line.parent(), name, line.entries(), line.nextCookie(), line.marker(), false);
    }

    private void directory(InodeLine line, Node node) {
        if (line.quota() != null) {
            DumpLine.Quota quota = line.quota();
            check(quota.limitBytes() >= 0 && quota.limitInodes() >= 0, "quota: a number below 0");
            put(
                    Keys.quota(node.ino()),
                    new QuotaRecord(quota.limitBytes(), quota.limitInodes(), quota.usedBytes(), quota.usedInodes())
                            .toBytes());
        }
        if (node.marker() != null) {
            own(node.marker(), node.ino());
        }
        boolean unmarked = node.marker() == null && node.entries() == 0 && node.name() != null;
        if (unmarked || line.place() != null) {
            work(WorkRecord.Kind.MARK, node.ino());
        }
    }

    private void trash(Inode inode, Trashed trash) throws ErrnoException {
        check(trash.removedMillis() >= 0 && trash.untilMillis() >= 0, "trash: a time below 0");
        TrashRecord record = new TrashRecord(
                path(DumpText.bytes(trash.path())),
                trash.removedMillis(),
                trash.untilMillis(),
                trash.by() == null ? null : new NodeId(trash.by()));
        put(Keys.trashed(inode.ino()), record.toBytes());
        put(Keys.removedPath(record.pathBytes(), record.removedMillis(), inode.ino()), new byte[0]);
        put(Keys.keptUntil(record.untilMillis(), inode.ino()), new byte[0]);
    }

    private static List<FileName> path(byte[] bytes) throws ErrnoException {
        check(bytes.length > 1 && bytes[0] == '/', "path: expected a slash before each name");
        List<FileName> names = new ArrayList<>();
        for (int begin = 1, end; begin <= bytes.length; begin = end + 1) {
            end = begin;
            while (end < bytes.length && bytes[end] != '/') {
                end++;
            }
            names.add(FileName.of(Arrays.copyOfRange(bytes, begin, end)));
        }
        return names;
    }

    private void content(InodeLine line, Content content) {
        int[] checksums = content.checksums() == null ? null : DumpText.words(content.checksums());
        check(
                content.version() >= 0 && content.history() >= 0 && content.history() <= history,
                "content: a number out of its range");
        FileVersion last =
                new FileVersion(line.inode(), content.version(), content.size(), content.blockBytes(), checksums, null);
        ContentRecord record = ContentRecord.fresh(last, content.history());
        StoredAt stored = content.object();
        if (stored != null) {
            check(stored.version() >= 0 && stored.version() <= content.version(), "object: of no version");
            ObjectRef object = new ObjectRef(stored.key(), Objects.requireNonNull(stored.etag()));
            record = record.stored(object, stored.version(), content.history());
            own(stored.key(), line.inode());
            if (line.place() != null && !line.place().equals(stored.key())) {
                WorkRecord work = work(WorkRecord.Kind.RELOCATE, line.inode());
                put(Keys.relocation(line.inode()), Keys.work(work.id()));
            }
        }
        String left = content.uploadKey();
        if (left != null) {
            record = new ContentRecord(last, record.object(), record.objectVersion(), left, null, 0, content.history());
            if (stored == null || !left.equals(stored.key())) {
                own(left, line.inode());
            }
        }
        put(Keys.content(line.inode()), record.toBytes());
    }

    private void own(String key, long ino) {
        byte[] at = Keys.objectKey(key);
        check(changes.get(at) == null, "key '" + key + "' is of another inode already");
        put(at, new KeyRecord(ino, 0, history).toBytes());
    }

    private WorkRecord work(WorkRecord.Kind kind, long ino) {
        WorkRecord work = new WorkRecord(nextWork++, kind, ino, null, null, 0, nowMillis, null);
        put(Keys.work(work.id()), work.toBytes());
        put(Keys.due(work.dueMillis(), work.id()), new byte[0]);
        return work;
    }

    private void attribute(Attribute line) throws ErrnoException {
        check(!entriesBegun && line.inode() == lastInode, "an attribute that is not behind its inode");
        FileName name = FileName.ofAttribute(DumpText.bytes(line.name()));
        byte[] key = Keys.attribute(line.inode(), name);
        check(changes.get(key) == null, "the attribute '" + name + "' a second time");
        put(key, Base64.getDecoder().decode(line.value()));
    }

    // names

    private void entry(EntryLine line) throws ErrnoException {
        FileName name = FileName.of(DumpText.bytes(line.name()));
        if (!entriesBegun || line.directory() != directory) {
            checkDirectoryEnd();
            entriesBegun = true;
            Node node = node(line.directory());
            check(node.inode().directory(), "directory: inode " + line.directory() + " is none");
            directory = line.directory();
            entriesLeft = node.entries();
            cookieEnd = node.nextCookie();
            lastName = null;
        }
        check(lastName == null || lastName.compareTo(name) < 0, "the entries are not in the order of their names");
        lastName = name;
        check(line.cookie() >= Node.FIRST_COOKIE && line.cookie() < cookieEnd, "cookie: out of its range");
        check(line.history() >= 0 && line.history() <= history, "history: out of its range");
        byte[] cookie = Keys.cookie(directory, line.cookie());
        check(changes.get(cookie) == null, "cookie: a second time");
        Node node = node(line.inode());
        boolean first = node.hasFirstName(directory, name);
        check(
                node.name() != null && (first || !node.inode().directory()),
                "inode " + line.inode() + " has no such name");
        byte[] at = Keys.entry(directory, name);
        check(changes.get(at) == null, "the name a second time");
        put(at, new Entry(line.inode(), line.cookie(), line.history()).toBytes());
        put(cookie, new CookieRecord(line.inode(), name).toBytes());
        if (first) {
            firstNamesToCome--;
        } else {
            put(Keys.furtherName(line.inode(), directory, name), new byte[0]);
        }
        if (!node.inode().directory()) {
            linksToCome--;
        }
        entriesToCome--;
        entriesLeft--;
    }

    private Node node(long ino) {
        byte[] bytes = changes.get(Keys.inode(ino));
        check(bytes != null, "there is no inode " + ino);
        return Node.of(Objects.requireNonNull(bytes));
    }

    private void checkDirectoryEnd() {
        check(entriesLeft == 0, "directory " + directory + " has " + entriesLeft + " entries more than there are");
    }
}
