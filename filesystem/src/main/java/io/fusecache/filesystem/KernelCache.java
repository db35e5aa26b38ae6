package io.fusecache.filesystem;

import io.fusecache.metadata.Recall;
import java.util.Collection;
import java.util.Set;

/**
 * What the kernel caches of this mount and can be told to drop. But for {@link #contentChanged} none of these waits for a file
 * system request, other than for a bounded time, so they may be called while a lease is being recalled. A node id that the kernel does not know is
 * no error: an answer with it may be on its way, so an implementation must see to it that such an answer is not trusted for long.
 */
public interface KernelCache {
    /** The attributes of this node changed. */
    void attributesChanged(long nodeId);

    /**
     * The attributes of this node changed, and {@code length} bytes of its content from {@code offset}; 0: to the end. Waits for
     * pages that are being read or written by requests to this file system: never to be called by who answers those, nor in
     * turn, nor while a lease is being recalled.
     */
    void contentChanged(long nodeId, long offset, long length);

    /**
     * The attributes of these nodes change, names of these directories, and the node ids that names of these inodes lead to:
     * what was answered before this began is asked about again before it is used.
     */
    void changed(Collection<Long> nodeIds, Set<Long> directories, Set<Long> inodes);

    /** A lease is being recalled, from here to {@link #recallEnds}: what is asked for meanwhile may be of before the change. */
    default void recallBegins() {}

    default void recallEnds() {}

    /** As {@link #changed}, for such a recall, of the names that it says change: from when this returns to its end the kernel moves no name. */
    default void recalled(Recall recall, Collection<Long> nodeIds, Set<Long> inodes) {
        changed(nodeIds, recall.directories().keySet(), inodes);
    }

    /** Those of the directories of which the kernel has names that need not be asked about. They go when they can. */
    default Set<Long> namesLeft(Set<Long> directories) {
        return Set.of();
    }

    /** Every cached name, and the attributes of these nodes. */
    void allChanged(Collection<Long> nodeIds);

    /** For mounts without a kernel: tests, and tools that walk a volume. */
    KernelCache NONE = new KernelCache() {
        @Override
        public void attributesChanged(long nodeId) {}

        @Override
        public void contentChanged(long nodeId, long offset, long length) {}

        @Override
        public void changed(Collection<Long> nodeIds, Set<Long> directories, Set<Long> inodes) {}

        @Override
        public void allChanged(Collection<Long> nodeIds) {}
    };
}
