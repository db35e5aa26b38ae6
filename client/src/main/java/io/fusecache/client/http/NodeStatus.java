package io.fusecache.client.http;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A node at one moment, as {@code GET /api/status} and {@code fusecache status} show it. */
public record NodeStatus(
        String id,
        String version,
        long pid,
        Instant startedAt,
        String mount,
        boolean readOnly,
        String durability,
        Kernel kernel,
        Coordinator coordinator,
        Nvme nvme,
        Cloud cloud,
        Uploads uploads,
        Memory memory,
        @Nullable Backup backup) {

    /**
     * @param protocol as negotiated: {@code 7.45}
     * @param passthroughReason why it is off, or what it stands on
     */
    public record Kernel(String protocol, boolean passthrough, String passthroughReason, int threads) {}

    /**
     * @param pendingChanges in delegated directories, which the coordinator is still to get
     * @param changesSetAside of them, because another node was let in before it got them
     */
    public record Coordinator(
            boolean connected, List<String> addresses, List<String> http, long pendingChanges, long changesSetAside) {
        public Coordinator {
            addresses = List.copyOf(addresses);
            http = List.copyOf(http);
        }
    }

    /** Tier 1; counts are since start. */
    public record Nvme(
            List<String> directories,
            long capacityBytes,
            long usedBytes,
            long unpersistedBytes,
            long files,
            long evictions,
            long corruptBlocks) {
        public Nvme {
            directories = List.copyOf(directories);
        }
    }

    /** Tier 3. */
    public record Cloud(String provider, String location, String prefix) {}

    /**
     * What is not in the bucket yet. {@code tooLargeFiles} of the files are larger than an object can be. {@code conflicts}: objects of strangers at keys of
     * this cluster's files that were kept beside them, since start. {@code lastError} is that of the latest try that failed, until one succeeds.
     */
    public record Uploads(
            long pendingFiles,
            long pendingBytes,
            long tooLargeFiles,
            long conflicts,
            @Nullable String lastError) {}

    /** The newest backup of the namespace, as this node saw last in the bucket. */
    public record Backup(String name, Instant madeAt, long bytes, long ageSeconds) {}

    public record Memory(long arenaBytes, long arenaUsedBytes, long heapMaxBytes, long residentBytes) {}
}
