package io.fusecache.filesystem;

import io.fusecache.metadata.Recall;
import io.fusecache.metadata.RecallListener;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Leases taken back: drops what this file system and the kernel cache of inodes that change elsewhere.
 *
 * <p>Made before the session with the coordinator, which needs it, and bound to the file system after, which needs the
 * session. It takes no turn of an inode and asks nobody: a recall must be answered while file system calls wait.
 */
public final class Recalls implements RecallListener {
    private final KernelCache kernel;
    private volatile @Nullable Rooms rooms;

    /** Where something is cached or open. */
    record Rooms(
            Incarnations incarnations,
            OpenFiles table,
            Unlinked unlinked,
            Departed departed,
            RecentLookups recent,
            Releases releases) {}

    public Recalls(KernelCache kernel) {
        this.kernel = kernel;
    }

    void bind(Rooms bound) {
        rooms = bound;
    }

    KernelCache kernel() {
        return kernel;
    }

    @Override
    public void recallBegins() {
        kernel.recallBegins();
    }

    @Override
    public void recallEnds() {
        kernel.recallEnds();
    }

    @Override
    public Set<Long> recalled(Recall recall) {
        Rooms bound = rooms;
        if (bound == null) {
            return Set.of();
        }
        Set<Long> open = new HashSet<>();
        Set<Long> renewed = new HashSet<>();
        Set<Long> nodeIds = new HashSet<>();
        for (long ino : recall.inodes()) {
            if (bound.table().isOpen(ino)) {
                // It may get new content, which its name then leads to under another node id.
                renewed.add(ino);
                open.add(ino);
                bound.unlinked().suspect(ino);
                // Its last close may have looked just before.
                bound.releases().lookLater(ino);
            } else if (bound.unlinked().contains(ino)) {
                open.add(ino);
            } else if (bound.table().isUsed(ino) || bound.recent().contains(ino)) {
                open.add(ino);
                bound.unlinked().suspect(ino);
                bound.releases().lookLater(ino);
            }
            bound.departed().recalled(ino);
            nodeIds.addAll(bound.incarnations().known(ino));
            nodeIds.addAll(bound.table().used(ino));
        }
        kernel.recalled(recall, nodeIds, renewed);
        return open;
    }

    @Override
    public Set<Long> namesLeft(Recall recall) {
        return recall.names() ? kernel.namesLeft(recall.inodes()) : Set.of();
    }

    @Override
    public void reset(boolean fenced) {
        Rooms bound = rooms;
        if (bound == null) {
            return;
        }
        bound.departed().reset();
        Set<Long> used = new HashSet<>();
        for (InodeIo io : bound.table().all()) {
            bound.unlinked().suspect(io.ino());
            used.add(io.nodeId);
        }
        kernel.allChanged(used);
    }
}
