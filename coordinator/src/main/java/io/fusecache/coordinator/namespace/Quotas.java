package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.CookieRecord;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.QuotaRecord;
import io.fusecache.coordinator.state.View;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.session.Answer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Limits of directory trees, and what counts against them: each inode that has a name, and its bytes, for every limited
 * directory above its first name.
 *
 * <p>Counted at the end of each command, from what the inodes that it changed were before and are now, so that no command can
 * forget to. Only a directory that moves changes what is counted of inodes that no command touched: then the tree below it is
 * walked, and where that is too long, it moves as between two file systems (EXDEV), which mv(1) knows how to do.
 */
public final class Quotas {
    private static final int MOST_MOVED = 10_000;

    private final Execution run;
    private final View before;
    private final Set<Long> limited;
    private final Map<Long, Use> differences = new HashMap<>();

    private record Use(long bytes, long inodes) {
        static final Use NONE = new Use(0, 0);

        Use plus(Use other, int times) {
            return new Use(bytes + times * other.bytes, inodes + times * other.inodes);
        }
    }

    private Quotas(Execution run, View before, Set<Long> limited) {
        this.run = run;
        this.before = before;
        this.limited = limited;
    }

    /** Counts what a command did. EDQUOT, EXDEV where {@code enforced}: then it does nothing. */
    static void settle(Execution run, View before, Set<Long> changed, boolean enforced) throws ErrnoException {
        Set<Long> limited = limited(before);
        if (!limited.isEmpty()) {
            new Quotas(run, before, limited).settle(changed, enforced);
        }
    }

    static boolean any(View view) {
        return !limited(view).isEmpty();
    }

    private static Set<Long> limited(View view) {
        Set<Long> limited = new TreeSet<>();
        byte[] prefix = Keys.quotas();
        view.scan(prefix, Keys.after(prefix), (key, value) -> limited.add(Keys.number(key, 1)));
        return limited;
    }

    private void settle(Set<Long> changed, boolean enforced) throws ErrnoException {
        for (long ino : changed) {
            Node was = was(ino);
            Node is = run.find(ino);
            if (was != null
                    && is != null
                    && was.parent() == is.parent()
                    && counted(was).equals(counted(is))) {
                continue;
            }
            Set<Long> from = above(was, this::was);
            Set<Long> to = above(is, run::find);
            charge(from, was, -1);
            charge(to, is, 1);
            if (was != null && is != null && is.inode().directory() && !from.equals(to)) {
                Use below = below(run, ino, enforced ? MOST_MOVED : Integer.MAX_VALUE);
                from.forEach(root -> differences.merge(root, below, (sum, more) -> sum.plus(more, -1)));
                to.forEach(root -> differences.merge(root, below, (sum, more) -> sum.plus(more, 1)));
            }
            if (limited.contains(ino) && counted(is).inodes() == 0 && ino != Inode.ROOT) {
                run.state().delete(Keys.quota(ino));
                limited.remove(ino);
            }
        }
        for (Map.Entry<Long, Use> difference : differences.entrySet()) {
            apply(difference.getKey(), difference.getValue(), enforced);
        }
    }

    private void apply(long root, Use more, boolean enforced) throws ErrnoException {
        byte[] bytes = run.state().get(Keys.quota(root));
        if (bytes == null || more.equals(Use.NONE)) {
            return;
        }
        QuotaRecord now = QuotaRecord.of(bytes).plus(more.bytes(), more.inodes());
        boolean tooManyBytes = more.bytes() > 0 && now.mostBytes() != 0 && now.usedBytes() > now.mostBytes();
        boolean tooManyInodes = more.inodes() > 0 && now.mostInodes() != 0 && now.usedInodes() > now.mostInodes();
        if (enforced && (tooManyBytes || tooManyInodes)) {
            throw new ErrnoException(
                    Errno.EDQUOT,
                    "directory %d may take %d bytes and %d inodes, and would take %d and %d"
                            .formatted(root, now.mostBytes(), now.mostInodes(), now.usedBytes(), now.usedInodes()));
        }
        run.state().put(Keys.quota(root), now.toBytes());
    }

    private @Nullable Node was(long ino) {
        byte[] bytes = before.get(Keys.inode(ino));
        return bytes == null ? null : Node.of(bytes);
    }

    private static Use counted(@Nullable Node node) {
        return node == null || node.inode().links() == 0 || node.parent() == 0
                ? Use.NONE
                : new Use(node.inode().usedBytes(), 1);
    }

    private void charge(Set<Long> roots, @Nullable Node node, int times) {
        Use use = counted(node);
        for (long root : roots) {
            differences.merge(root, Use.NONE.plus(use, times), (sum, more) -> sum.plus(more, 1));
        }
    }

    /** The limited directories above a node. */
    private Set<Long> above(@Nullable Node node, LongFunction<@Nullable Node> find) {
        Set<Long> roots = new TreeSet<>();
        if (node == null || counted(node).inodes() == 0 || node.ino() == Inode.ROOT) {
            return roots;
        }
        Node at = node;
        do {
            at = find.apply(at.parent());
            if (at == null) {
                throw new AssertionError("inode " + node.ino() + " lies in no directory");
            }
            if (limited.contains(at.ino())) {
                roots.add(at.ino());
            }
        } while (at.ino() != Inode.ROOT);
        return roots;
    }

    /** What lies below a directory. EXDEV where that is more than {@code most} entries. */
    private static Use below(Execution run, long directory, int most) throws ErrnoException {
        Deque<Long> left = new ArrayDeque<>(List.of(directory));
        Use[] sum = {Use.NONE};
        int[] seen = {0};
        for (Long at = left.poll(); at != null; at = left.poll()) {
            long parent = at;
            byte[] entries = Keys.cookies(parent);
            run.state().scan(entries, Keys.after(entries), (key, value) -> {
                CookieRecord entry = CookieRecord.of(value);
                Node node = run.find(entry.ino());
                if (node != null && node.inode().directory()) {
                    left.push(node.ino());
                }
                if (node != null && node.hasFirstName(parent, entry.name())) {
                    sum[0] = sum[0].plus(counted(node), 1);
                }
                return ++seen[0] <= most;
            });
            if (seen[0] > most) {
                throw new ErrnoException(
                        Errno.EXDEV,
                        "directory " + directory + " has more than " + most + " entries below it to count anew");
            }
        }
        return sum[0];
    }

    // what people do

    /** A limited directory; {@code path} by names from the root. */
    public record Limited(List<FileName> path, QuotaRecord quota) {}

    public static List<Limited> all(View view) {
        List<Limited> all = new ArrayList<>();
        for (long ino : limited(view)) {
            byte[] quota = view.get(Keys.quota(ino));
            if (quota != null) {
                all.add(new Limited(path(view, ino), QuotaRecord.of(quota)));
            }
        }
        return all;
    }

    private static List<FileName> path(View view, long directory) {
        List<FileName> path = new ArrayList<>();
        long at = directory;
        while (at != Inode.ROOT) {
            byte[] bytes = view.get(Keys.inode(at));
            Node node = bytes == null ? null : Node.of(bytes);
            if (node == null || node.name() == null) {
                throw new AssertionError("limited directory " + directory + " has no path");
            }
            path.addFirst(node.name());
            at = node.parent();
        }
        return path;
    }

    /** Limits a directory's tree, which is counted where it was not limited before. A limit below what it takes stops growth. */
    public static Outcome limit(long directory, long mostBytes, long mostInodes, Context context, View view) {
        Execution run = new Execution(context, view);
        try {
            run.directory(directory);
            Delegations.look(run);
            byte[] known = run.state().get(Keys.quota(directory));
            QuotaRecord used = known == null ? counted(run, directory) : QuotaRecord.of(known);
            QuotaRecord quota = new QuotaRecord(mostBytes, mostInodes, used.usedBytes(), used.usedInodes());
            run.state().put(Keys.quota(directory), quota.toBytes());
            return run.succeeded(new Answer.Nothing());
        } catch (ErrnoException failure) {
            return run.failed(failure);
        }
    }

    private static QuotaRecord counted(Execution run, long directory) throws ErrnoException {
        Use use = below(run, directory, Integer.MAX_VALUE - 1);
        return new QuotaRecord(0, 0, use.bytes(), use.inodes());
    }

    /** ENODATA where it is not limited. */
    public static Outcome lift(long directory, Context context, View view) {
        Execution run = new Execution(context, view);
        if (run.state().get(Keys.quota(directory)) == null) {
            return run.failed(new ErrnoException(Errno.ENODATA, "directory " + directory + " has no quota"));
        }
        run.state().delete(Keys.quota(directory));
        return run.succeeded(new Answer.Nothing());
    }
}
