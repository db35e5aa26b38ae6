package io.fusecache.client;

import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.Metadata;
import io.fusecache.tiers.nvme.NvmeTier;

/**
 * Tells the coordinator which versions this node can serve: what the cache kept over a restart, once it is known, and what
 * goes from it. What comes is told by who brings it.
 */
final class Holdings {
    private Holdings() {}

    /** Returns what ends the telling. */
    static AutoCloseable announce(NvmeTier local, Metadata metadata) {
        local.whenRemoved(metadata::withdraw);
        Thread teller = Thread.ofVirtual().name("holdings").start(() -> {
            try {
                local.awaitScan();
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
                return;
            }
            for (LocalTier.CachedFileSummary file : local.files(Integer.MAX_VALUE)) {
                if (file.whole() && file.version() > 0) {
                    metadata.advertise(file.ino(), file.version(), null);
                }
            }
        });
        return teller::interrupt;
    }
}
