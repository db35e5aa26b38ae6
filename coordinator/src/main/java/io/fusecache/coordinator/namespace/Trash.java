package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.TrashRecord;
import io.fusecache.coordinator.state.TrashRule;
import io.fusecache.coordinator.state.View;
import io.fusecache.metadata.Draft;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.session.Answer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Removed files that are kept for a time, if a volume wants that.
 *
 * <p>A file that loses its last name to a program goes on as the inode that it is, with no name and the trash as one more
 * holder: whoever has it open reads and writes it as ever, what he commits is kept, its bytes are uploaded like those of any
 * other file, and its object makes way for a new file of the name. Giving it a name again is all that restoring takes. When
 * its time is over the trash lets go of it, as a session does, and it ends if nobody else holds it.
 */
public final class Trash {
    /** So many files go in one command. */
    public static final int MOST_AT_ONCE = 256;

    private static final Duration LONGEST = Duration.ofDays(36_500);

    private Trash() {}

    // going in

    /** Whether a file that now loses its last name is kept. Directories, devices and sockets have nothing to keep. */
    static boolean wants(Execution run, Inode inode) {
        boolean worthIt = inode.regular() || inode.type() == FileType.SYMLINK;
        return worthIt && rule(run.state()).on();
    }

    /** Notes a file that has just lost its last name; its inode says already that it is kept. */
    static void add(Execution run, long ino, long parent, FileName name) {
        long now = run.context().nowMillis();
        long until = now + rule(run.state()).keepMillis();
        List<FileName> path = path(run, parent, name);
        TrashRecord record = new TrashRecord(path, now, until, run.context().node());
        run.state().put(Keys.trashed(ino), record.toBytes());
        run.state().put(Keys.removedPath(record.pathBytes(), now, ino), new byte[0]);
        run.state().put(Keys.keptUntil(until, ino), new byte[0]);
        BucketWork.checkPlace(run, ino);
    }

    private static List<FileName> path(Execution run, long parent, FileName name) {
        Deque<FileName> path = new ArrayDeque<>(List.of(name));
        for (long at = parent; at != Inode.ROOT; ) {
            Node node = run.find(at);
            if (node == null || node.name() == null) {
                throw new AssertionError("directory " + parent + " has no path");
            }
            path.addFirst(node.name());
            at = node.parent();
        }
        return List.copyOf(path);
    }

    private static @Nullable TrashRecord find(View view, long ino) {
        byte[] bytes = view.get(Keys.trashed(ino));
        return bytes == null ? null : TrashRecord.of(bytes);
    }

    // coming out

    private static void remove(Execution run, long ino, TrashRecord record) {
        run.state().delete(Keys.trashed(ino));
        run.state().delete(Keys.removedPath(record.pathBytes(), record.removedMillis(), ino));
        run.state().delete(Keys.keptUntil(record.untilMillis(), ino));
    }

    /** Gives a file of the trash a name. ENOENT where it is not there, EEXIST, EDQUOT, and what making a name fails with. */
    public static Outcome restore(long ino, long parent, FileName name, Context context, View view) {
        Execution run = new Execution(context, view);
        try {
            TrashRecord record = find(view, ino);
            if (record == null) {
                throw new ErrnoException(Errno.ENOENT, ino + " is not in the trash");
            }
            Node directory = run.directory(parent);
            Names.checkReserved(parent, name);
            if (run.findEntry(parent, name) != null) {
                throw new ErrnoException(Errno.EEXIST, "'" + name + "' is in directory " + parent);
            }
            remove(run, ino, record);
            Node node = run.node(ino);
            Inode inode = new Draft(node.inode())
                    .links(1)
                    .kept(false)
                    .changed(run.now())
                    .inode();
            Names.addName(run, node.with(inode), parent, name);
            Names.enter(run, directory, name, ino, false);
            BucketWork.checkPlace(run, ino);
            run.settleQuotas(true);
            return run.succeeded(new Answer.OneInode(inode));
        } catch (ErrnoException failure) {
            return run.failed(failure);
        }
    }

    /** Ends files whose time is over, at most {@link #MOST_AT_ONCE}; the answer says how many. */
    public static Outcome expire(Context context, View view) {
        return drop(due(context, view, MOST_AT_ONCE), Long.MAX_VALUE, context, view);
    }

    public static boolean anyDue(Context context, View view) {
        return view.get(Keys.loading()) == null && !due(context, view, 1).isEmpty();
    }

    private static List<Long> due(Context context, View view, int most) {
        List<Long> due = new ArrayList<>();
        view.scan(Keys.keptUntil(0), Keys.keptUntil(context.nowMillis() + 1), (key, value) -> {
            due.add(Keys.number(key, 9));
            return due.size() < most;
        });
        return due;
    }

    /**
     * Ends these files of the trash before their time, but those removed after {@code lastRemovedMillis}, which may be another
     * removal than the caller saw; the answer says how many.
     */
    public static Outcome drop(List<Long> inodes, long lastRemovedMillis, Context context, View view) {
        Execution run = new Execution(context, view);
        int dropped = 0;
        for (long ino : inodes) {
            TrashRecord record = find(run.state(), ino);
            if (record != null && record.removedMillis() <= lastRemovedMillis) {
                remove(run, ino, record);
                Node node = run.find(ino);
                if (node == null) {
                    throw new AssertionError("the trash keeps inode " + ino + ", which is gone");
                }
                run.save(node, new Draft(node.inode()).kept(false).inode());
                Removal.endUnlessHeld(run, ino);
                dropped++;
            }
        }
        return run.succeeded(new Answer.Count(dropped));
    }

    // what people ask

    /** How long files are kept that are removed from now on; those in the trash keep their time. Zero: not at all. */
    public static Outcome keep(Duration time, Context context, View view) {
        Execution run = new Execution(context, view);
        if (time.isNegative() || time.compareTo(LONGEST) > 0) {
            return run.failed(new ErrnoException(
                    Errno.EINVAL, "removed files are kept for 0 to " + LONGEST.toDays() + " days, not " + time));
        }
        TrashRule rule = new TrashRule(time.toMillis());
        if (!rule.equals(rule(view))) {
            Delegations.look(run);
            run.state().put(Keys.trashRule(), rule.toBytes());
        }
        return run.succeeded(new Answer.Nothing());
    }

    public static TrashRule rule(View view) {
        byte[] bytes = view.get(Keys.trashRule());
        return bytes == null ? TrashRule.OFF : TrashRule.of(bytes);
    }

    /** A file of the trash, with its attributes. */
    public record Kept(Inode inode, TrashRecord record) {}

    /**
     * A part of the trash, in order of paths; of one path what was removed last comes first.
     *
     * @param next what to go on after, or null at the end
     */
    public record Page(List<Kept> files, byte @Nullable [] next) {}

    /** What was removed below a directory, or had that very path; {@code after}: where the page before ended, or null. */
    public static Page page(List<FileName> path, byte @Nullable [] after, int most, View view) {
        byte[] start = TrashRecord.pathBytes(path);
        List<Kept> files = new ArrayList<>();
        byte[] last = null;
        for (byte separator : new byte[] {0, '/'}) {
            byte[] begin = Keys.removedPaths(Arrays.copyOf(start, start.length + 1));
            begin[begin.length - 1] = separator;
            byte[] end = Keys.after(begin);
            byte[] from = after != null && Arrays.compareUnsigned(after, begin) >= 0 ? Keys.justAfter(after) : begin;
            if (files.size() < most && Arrays.compareUnsigned(from, end) < 0) {
                last = scan(from, end, most, files, view);
            }
        }
        return new Page(List.copyOf(files), files.size() < most ? null : last);
    }

    private static byte @Nullable [] scan(byte[] from, byte[] end, int most, List<Kept> files, View view) {
        byte[] @Nullable [] last = {null};
        view.scan(from, end, (key, value) -> {
            long ino = Keys.number(key, key.length - Long.BYTES);
            files.add(kept(ino, view));
            last[0] = key;
            return files.size() < most;
        });
        return last[0];
    }

    private static Kept kept(long ino, View view) {
        byte[] inode = view.get(Keys.inode(ino));
        TrashRecord record = find(view, ino);
        if (inode == null || record == null) {
            throw new AssertionError("the trash keeps inode " + ino + ", which is gone");
        }
        return new Kept(Node.of(inode).inode(), record);
    }

    /** The file that had this path and was removed last. */
    public static OptionalLong lastRemoved(List<FileName> path, View view) {
        List<Kept> found = new ArrayList<>();
        byte[] start = TrashRecord.pathBytes(path);
        byte[] begin = Keys.removedPaths(Arrays.copyOf(start, start.length + 1));
        scan(begin, Keys.after(begin), 1, found, view);
        return found.stream().mapToLong(kept -> kept.inode().ino()).findFirst();
    }

    /** The path that a file of the trash had; null where it is not there. */
    public static @Nullable List<FileName> pathOf(long ino, View view) {
        TrashRecord record = find(view, ino);
        return record == null ? null : record.path();
    }
}
