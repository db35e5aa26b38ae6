package io.fusecache.filesystem;

/**
 * What the kernel caches of this mount and can be told to drop. None of these waits for a file system request, so they may
 * be called while a lease is being recalled. A node id that the kernel does not know is no error: an answer with it may be
 * on its way, so an implementation must see to it that such an answer is not trusted for long.
 */
public interface KernelCache {
    /** The attributes of this node changed. */
    void attributesChanged(long nodeId);

    /** Names may lead elsewhere now: every cached name is to be asked about again before it is used. */
    void namesChanged();

    /** For mounts without a kernel: tests, and tools that walk a volume. */
    KernelCache NONE = new KernelCache() {
        @Override
        public void attributesChanged(long nodeId) {}

        @Override
        public void namesChanged() {}
    };
}
