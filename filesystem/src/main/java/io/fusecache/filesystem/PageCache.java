package io.fusecache.filesystem;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Of which version the kernel's page cache holds bytes, per node id that was last open through the daemon: an open at that
 * version may keep them. Bounded: what is not known here is merely read again.
 */
final class PageCache {
    private static final int MAX_ENTRIES = 1 << 14;

    private final Map<Long, Long> versions = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Long> eldest) {
            return size() > MAX_ENTRIES;
        }
    };

    synchronized boolean holds(long nodeId, long version) {
        Long held = versions.get(nodeId);
        return held != null && held == version;
    }

    synchronized void closedAt(long nodeId, long version) {
        versions.put(nodeId, version);
    }

    synchronized void drop(long nodeId) {
        versions.remove(nodeId);
    }

    synchronized void clear() {
        versions.clear();
    }
}
