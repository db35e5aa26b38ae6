package io.fusecache.metadata;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What read leases allow to remember: inodes with their content version and extended attributes, and names of directories,
 * those that lead nowhere included.
 *
 * <p><b>Why nothing stale stays.</b> Everything that enters comes off the session's stream, by the one thread that reads it:
 * {@link #apply} for an answer, {@link #drop} for a recall. The coordinator puts answers and recalls on the stream in the
 * order in which it executed them, and a recall of an inode goes before any change of it. So for two messages about one
 * inode:
 * <ul>
 *   <li>answer, then recall: the answer is remembered, then dropped;
 *   <li>recall, then answer: the answer was executed after the recall. The coordinator gives no lease on an inode between its
 *       recall and the change that the recall is for, so an answer with one shows the state after that change. One without, from in
 *       between, is not remembered: there is nothing of that inode here to mix it with.
 * </ul>
 * An answer cannot be overtaken, so it needs no sequence of its own: its place on the stream is the sequence of its grant.
 * A mutation of this session changes the cache by its own answer, at its place in the same order. When the stream breaks,
 * everything is dropped before the next stream's first message is read, and messages of the old one are ignored.
 *
 * <p>A name is remembered with the epoch of its directory's entry: dropping the directory drops all of its names at once,
 * and so does its eviction. Bounded by bytes; what is used often stays (W-TinyLFU). Reading takes no lock and allocates no
 * more than a key.
 */
final class LeaseCache {
    private static final int UNIT_BYTES = 256;
    private static final int INODE_BYTES = 400;
    private static final int NAME_BYTES = 200;
    private static final int MOST_ATTRIBUTES = 16;
    private static final int MOST_ATTRIBUTE_BYTES = 4096;

    private record Name(long directory, FileName name) {}

    /** What a name leads to (0: nowhere), while its directory's entry is of {@code epoch}. */
    private record Target(long ino, long epoch) {}

    /** An extended attribute; null where the inode is known to have none of that name. */
    record Attribute(byte @Nullable [] value) {
        int length() {
            return value == null ? 0 : value.length;
        }
    }

    private record Entry(long epoch, Inode inode, @Nullable FileVersion content, Map<FileName, Attribute> attributes) {
        int weight() {
            int[] checksums = content == null ? null : content.checksums();
            long bytes = INODE_BYTES + (checksums == null ? 0 : 4L * checksums.length);
            for (Attribute attribute : attributes.values()) {
                bytes += NAME_BYTES + attribute.length();
            }
            return (int) Math.min(Integer.MAX_VALUE, bytes / UNIT_BYTES + 1);
        }
    }

    private final Cache<Long, Entry> inodes;
    private final Cache<Name, Target> names;
    private long lastEpoch;

    LeaseCache(long maxBytes) {
        inodes = Caffeine.newBuilder()
                .maximumWeight(Math.max(1, maxBytes / 2 / UNIT_BYTES))
                .weigher((Long ino, Entry entry) -> entry.weight())
                .executor(Runnable::run)
                .build();
        names = Caffeine.newBuilder()
                .maximumSize(Math.max(1, maxBytes / 2 / NAME_BYTES))
                .executor(Runnable::run)
                .build();
    }

    // reading

    @Nullable Inode inode(long ino) {
        Entry entry = inodes.getIfPresent(ino);
        return entry == null ? null : entry.inode();
    }

    @Nullable Inode lookup(long directory, FileName name) throws ErrnoException {
        Entry parent = inodes.getIfPresent(directory);
        if (parent == null) {
            return null;
        }
        Target target = names.getIfPresent(new Name(directory, name));
        if (target == null || target.epoch() != parent.epoch()) {
            return null;
        }
        if (target.ino() == 0) {
            throw new ErrnoException(Errno.ENOENT, "no such name, as cached");
        }
        return inode(target.ino());
    }

    @Nullable FileVersion content(long ino) {
        Entry entry = inodes.getIfPresent(ino);
        return entry == null ? null : entry.content();
    }

    /** Null where unknown. */
    @Nullable Attribute attribute(long ino, FileName name) {
        Entry entry = inodes.getIfPresent(ino);
        return entry == null ? null : entry.attributes().get(name);
    }

    long inodes() {
        return inodes.estimatedSize();
    }

    // changing: by the reader of the stream only

    void apply(Operation operation, Answer answer) {
        for (Answer.KnownInode known : answer.inodes()) {
            remember(known.inode(), known.content());
        }
        for (Answer.KnownName known : answer.names()) {
            remember(known.parent(), known.name(), known.ino());
        }
        if (operation instanceof Operation.ListEntries list
                && answer.result() instanceof Answer.Entries entries
                && leases(answer, list.directory())) {
            for (DirectoryEntry entry : entries.entries()) {
                remember(entry.inode(), null);
                remember(list.directory(), entry.name(), entry.inode().ino());
            }
        }
        rememberAttributes(operation, answer);
        dropReleased(operation);
        if (operation instanceof Operation.Delegated delegated) {
            delegated.changes().forEach(change -> dropReleased(change.operation()));
        }
    }

    private void dropReleased(Operation operation) {
        if (operation instanceof Operation.ReleaseUnlinked(Set<Long> released)) {
            drop(released);
        }
    }

    private static boolean leases(Answer answer, long ino) {
        return answer.inodes().stream().anyMatch(known -> known.inode().ino() == ino);
    }

    private void remember(Inode inode, @Nullable FileVersion content) {
        Entry before = inodes.getIfPresent(inode.ino());
        if (before == null) {
            inodes.put(inode.ino(), new Entry(++lastEpoch, inode, content, Map.of()));
            return;
        }
        FileVersion known = content == null ? before.content() : content;
        if (known != null && known.version() != inode.version()) {
            known = null;
        }
        inodes.put(inode.ino(), new Entry(before.epoch(), inode, known, before.attributes()));
    }

    private void remember(long directory, FileName name, long ino) {
        Entry parent = inodes.getIfPresent(directory);
        if (parent != null) {
            names.put(new Name(directory, name), new Target(ino, parent.epoch()));
        }
    }

    private void rememberAttributes(Operation operation, Answer answer) {
        if (operation instanceof Operation.ReadAttribute read
                && !answer.inodes().isEmpty()) {
            if (answer.result() instanceof Answer.Value value) {
                attribute(read.ino(), read.name(), value.bytes());
            } else if (answer.failure() != null && answer.failure().errno() == Errno.ENODATA) {
                attribute(read.ino(), read.name(), null);
            }
        } else if (answer.failure() == null && operation instanceof Operation.SetAttributes change) {
            // An access ACL follows the permissions.
            forget(change.ino(), AccessControlList.ACCESS);
        } else if (answer.failure() == null
                && operation instanceof Operation.SetAttribute acl
                && AccessControlList.names(acl.name())) {
            // What is kept of it is the coordinator's to say.
            forget(acl.ino(), acl.name());
        } else if (answer.failure() == null && operation instanceof Operation.SetAttribute set) {
            attribute(set.ino(), set.name(), set.value());
        } else if (answer.failure() == null && operation instanceof Operation.RemoveAttribute remove) {
            attribute(remove.ino(), remove.name(), null);
        }
    }

    private void attribute(long ino, FileName name, byte @Nullable [] value) {
        Entry entry = inodes.getIfPresent(ino);
        if (entry == null) {
            return;
        }
        Map<FileName, Attribute> attributes = new HashMap<>(entry.attributes());
        Attribute attribute = new Attribute(value);
        attributes.remove(name);
        if (attributes.size() < MOST_ATTRIBUTES && attribute.length() <= MOST_ATTRIBUTE_BYTES) {
            attributes.put(name, attribute);
        }
        inodes.put(ino, new Entry(entry.epoch(), entry.inode(), entry.content(), Map.copyOf(attributes)));
    }

    private void forget(long ino, FileName attribute) {
        Entry entry = inodes.getIfPresent(ino);
        if (entry != null && entry.attributes().containsKey(attribute)) {
            Map<FileName, Attribute> attributes = new HashMap<>(entry.attributes());
            attributes.remove(attribute);
            inodes.put(ino, new Entry(entry.epoch(), entry.inode(), entry.content(), Map.copyOf(attributes)));
        }
    }

    void drop(Iterable<Long> recalled) {
        inodes.invalidateAll(recalled);
    }

    void clear() {
        inodes.invalidateAll();
        names.invalidateAll();
    }
}
