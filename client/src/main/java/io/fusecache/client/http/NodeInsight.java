package io.fusecache.client.http;

import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.NodeAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a node knows of itself, for status, statistics, metrics and {@code explain}. */
public interface NodeInsight {
    NodeStatus status();

    /** Which tier would serve the file, and why. ENOENT. */
    Explanation explain(FilePath path) throws ErrnoException;

    /** The other live nodes, as the coordinator knows them. */
    List<NodeAddress> peers() throws ErrnoException;

    /** Most recently used first, at most {@code limit}. */
    List<LocalTier.CachedFileSummary> cachedFiles(int limit);

    /** Counts per tier since start. */
    ReadCounts reads();

    /** How often the kernel had to drop all names of the mount, because one could not be expired in time. */
    long kernelNamesDropped();

    /** Keys seen in listings of the bucket since start that no path can lead to. */
    int bucketKeysLeftOut();

    /** Waits until nothing waits for upload, for at most {@code bound}. Returns what is pending then. */
    NodeStatus.Uploads flush(Duration bound) throws InterruptedException;

    /** A backup of the namespace, as it is in the bucket. */
    record SeenBackup(String name, Instant made, long bytes) {}

    /** Is told of the newest by whoever looks at the bucket; null where there is none. */
    void sawBackup(@Nullable SeenBackup newest);
}
