package io.fusecache.filesystem;

/**
 * What the kernel caches of this mount and can be told to drop. But for {@link #contentChanged} none of these waits for a file
 * system request, so they may be called while a lease is being recalled. A node id that the kernel does not know is no error: an answer with it may be
 * on its way, so an implementation must see to it that such an answer is not trusted for long.
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

    /** Names may lead elsewhere now: every cached name is to be asked about again before it is used. */
    void namesChanged();

    /** For mounts without a kernel: tests, and tools that walk a volume. */
    KernelCache NONE = new KernelCache() {
        @Override
        public void attributesChanged(long nodeId) {}

        @Override
        public void contentChanged(long nodeId, long offset, long length) {}

        @Override
        public void namesChanged() {}
    };
}
