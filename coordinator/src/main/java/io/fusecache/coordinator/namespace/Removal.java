package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.metadata.Draft;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The end of inodes. One without a name lives on while the {@link Trash} keeps it or a session holds it: the session that
 * unlinked it, and those that said that they have it open when they were recalled for it. With the last hold, inode, content
 * and attributes go, and what the bucket has of it becomes work.
 */
final class Removal {
    private Removal() {}

    /** A file has lost a name. {@code held}: to a program of the caller, which may have it open and may want it back. */
    static Inode dropName(Execution run, Node node, long parent, FileName name, boolean held) {
        Node left = Names.removeName(run, node, parent, name);
        Draft draft = new Draft(left.inode()).moreLinks(-1).changed(run.now());
        boolean kept = held && node.inode().links() == 1 && Trash.wants(run, node.inode());
        Inode inode = draft.kept(kept).inode();
        Node after = left.with(inode);
        if (inode.links() == 0) {
            lastNameGone(run, after, held);
            if (kept) {
                Trash.add(run, inode.ino(), parent, name);
            }
        } else {
            run.save(after);
            BucketWork.checkPlace(run, node.ino());
        }
        return inode;
    }

    /** A directory, empty, has lost its name. */
    static Inode dropDirectory(Execution run, Node node, boolean held) {
        Inode inode = new Draft(node.inode()).links(0).changed(run.now()).inode();
        if (node.marker() != null) {
            BucketWork.unmark(run, node.marker());
        }
        // ".." of a removed directory that someone still stands in leads where it did.
        lastNameGone(run, node.with(inode).withMarker(null), held);
        return inode;
    }

    private static void lastNameGone(Execution run, Node node, boolean held) {
        long ino = node.ino();
        run.unlinked(ino);
        run.save(node);
        if (held) {
            hold(run, ino);
        }
        for (Map.Entry<Long, Set<Long>> other : run.context().inUse().entrySet()) {
            if (other.getValue().contains(ino)) {
                hold(run, ino, other.getKey());
            }
        }
        endUnlessHeld(run, ino);
    }

    static void hold(Execution run, long ino) {
        hold(run, ino, run.context().session());
    }

    private static void hold(Execution run, long ino, long session) {
        run.state().put(Keys.orphan(session, ino), new byte[0]);
        run.state().put(Keys.orphanHolder(ino, session), new byte[0]);
    }

    /** {@code session} has no more use of these. */
    static void release(Execution run, long session, Iterable<Long> inodes) {
        for (long ino : inodes) {
            byte[] mine = Keys.orphan(session, ino);
            if (run.state().get(mine) == null) {
                continue;
            }
            run.state().delete(mine);
            run.state().delete(Keys.orphanHolder(ino, session));
            endUnlessHeld(run, ino);
        }
    }

    static void endUnlessHeld(Execution run, long ino) {
        Node node = run.find(ino);
        if (node != null && node.inode().ending() && !held(run, ino)) {
            destroy(run, ino);
        }
    }

    static List<Long> heldBy(Execution run, long session) {
        List<Long> inodes = new ArrayList<>();
        byte[] prefix = Keys.orphans(session);
        run.state().scan(prefix, Keys.after(prefix), (key, value) -> inodes.add(Keys.number(key, 9)));
        return inodes;
    }

    private static boolean held(Execution run, long ino) {
        boolean[] found = {false};
        byte[] prefix = Keys.orphanHolders(ino);
        run.state().scan(prefix, Keys.after(prefix), (key, value) -> {
            found[0] = true;
            return false;
        });
        return found[0];
    }

    private static void destroy(Execution run, long ino) {
        Node node = run.find(ino);
        if (node == null) {
            throw new AssertionError("inode " + ino + " was destroyed before");
        }
        Inode inode = node.inode();
        if (inode.regular()) {
            ContentRecord content = run.content(ino);
            BucketWork.removeObjects(run, content);
            run.state().delete(Keys.content(ino));
        }
        if (inode.writer() != null) {
            run.state().delete(Keys.writeLease(inode.writer(), ino));
        }
        if (inode.directory()) {
            run.state().delete(Keys.imported(ino));
        }
        byte[] attributes = Keys.attributes(ino);
        List<byte[]> keys = new ArrayList<>();
        run.state().scan(attributes, Keys.after(attributes), (key, value) -> keys.add(key));
        keys.forEach(run.state()::delete);
        run.forget(ino);
        run.count(-1, -inode.usedBytes());
    }
}
