package io.fusecache.client;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.LocalTier;
import io.fusecache.cache.TierCounters;
import io.fusecache.cache.TierKind;
import io.fusecache.client.NodeConfiguration.HostPort;
import io.fusecache.client.NodeConfiguration.Store;
import io.fusecache.client.bridge.SessionPort;
import io.fusecache.client.http.Explanation;
import io.fusecache.client.http.FilePath;
import io.fusecache.client.http.MountedFiles;
import io.fusecache.client.http.NodeInsight;
import io.fusecache.client.http.NodeStatus;
import io.fusecache.client.http.ReadCounts;
import io.fusecache.filesystem.Activity;
import io.fusecache.filesystem.FileSystem;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.delegation.Delegations;
import io.fusecache.tiers.cloud.BucketTier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What one running node tells of itself. */
final class NodeReport implements NodeInsight {
    private static final Path PROCESS = Path.of("/proc/self/status");

    private final NodeConfiguration configuration;
    private final NodeStatus.Kernel kernel;
    private final Parts parts;
    private final InstantSource clock;
    private final Instant startedAt;
    private volatile @Nullable SeenBackup backup;

    /** What there is to tell of. */
    record Parts(
            Delegations metadata,
            LocalTier local,
            FileSystem files,
            MountedFiles paths,
            TierCounters counters,
            BucketTier bucket,
            BufferArena memory,
            SessionPort port) {}

    NodeReport(NodeConfiguration configuration, NodeStatus.Kernel kernel, Parts parts, InstantSource clock) {
        this.configuration = configuration;
        this.kernel = kernel;
        this.parts = parts;
        this.clock = clock;
        this.startedAt = clock.instant();
    }

    @Override
    public void sawBackup(@Nullable SeenBackup newest) {
        backup = newest;
    }

    private NodeStatus.@Nullable Backup backup() {
        SeenBackup newest = backup;
        return newest == null
                ? null
                : new NodeStatus.Backup(
                        newest.name(),
                        newest.made(),
                        newest.bytes(),
                        Math.max(
                                0,
                                Duration.between(newest.made(), clock.instant()).toSeconds()));
    }

    @Override
    public NodeStatus status() {
        return new NodeStatus(
                parts.metadata().self().value(),
                Version.text(),
                ProcessHandle.current().pid(),
                startedAt,
                configuration.mount().directory().toString(),
                configuration.mount().readOnly(),
                configuration.durability().name().toLowerCase(Locale.ROOT),
                kernel,
                new NodeStatus.Coordinator(
                        parts.metadata().connected(),
                        coordinators(),
                        coordinatorHttp(),
                        parts.metadata().pendingChanges(),
                        parts.metadata().setAside()),
                nvme(),
                cloud(configuration.bucket()),
                uploads(),
                new NodeStatus.Memory(
                        parts.memory().totalBytes(),
                        parts.memory().usedBytes(),
                        Runtime.getRuntime().maxMemory(),
                        residentBytes()),
                backup());
    }

    /** The replicas that it was told of, and else what it was started with. */
    private List<String> coordinatorHttp() {
        List<String> told = parts.metadata().coordinators();
        return told.isEmpty()
                ? configuration.coordinator().http().stream()
                        .map(HostPort::toString)
                        .toList()
                : told;
    }

    private List<String> coordinators() {
        NodeConfiguration.Coordinator coordinator = configuration.coordinator();
        List<HostPort> addresses = coordinator.grpc().isEmpty() ? coordinator.http() : coordinator.grpc();
        return addresses.stream().map(HostPort::toString).toList();
    }

    private NodeStatus.Nvme nvme() {
        LocalTier.Usage usage = parts.local().usage();
        long arrived = parts.counters().figures(TierKind.PEER).corruptBlocks()
                + parts.counters().figures(TierKind.CLOUD).corruptBlocks();
        return new NodeStatus.Nvme(
                configuration.cache().directories().stream().map(Path::toString).toList(),
                usage.capacityBytes(),
                usage.usedBytes(),
                usage.unpersistedBytes(),
                usage.files(),
                usage.evictions(),
                usage.corruptBlocks() + arrived);
    }

    static NodeStatus.Cloud cloud(NodeConfiguration.Bucket bucket) {
        return switch (bucket.store()) {
            case Store.FileFolder(Path root) -> new NodeStatus.Cloud("file", root.toString(), bucket.prefix());
            case Store.S3 s3 -> new NodeStatus.Cloud("s3", s3.bucket(), bucket.prefix());
            case Store.Azure azure -> new NodeStatus.Cloud("azure", azure.container(), bucket.prefix());
            case Store.Gcp gcp -> new NodeStatus.Cloud("gcp", gcp.bucket(), bucket.prefix());
        };
    }

    private NodeStatus.Uploads uploads() {
        var pending = parts.files().pendingUploads();
        return new NodeStatus.Uploads(
                pending.files(),
                pending.bytes(),
                pending.tooLarge(),
                parts.files().conflicts(),
                null);
    }

    private static long residentBytes() {
        try {
            return Files.readAllLines(PROCESS).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .findFirst()
                    .orElse(0);
        } catch (IOException unreadable) {
            return 0;
        }
    }

    @Override
    public Explanation explain(FilePath path) throws ErrnoException {
        Inode inode = parts.paths().find(path).inode();
        if (!inode.regular()) {
            return Explanation.withoutBytes(path.toString(), inode, "it has no bytes in any tier");
        }
        FileVersion version = parts.metadata().content(inode.ino());
        List<Holder> holders = parts.metadata().holders(inode.ino(), version.version());
        try (CachedFile cached = parts.local().find(inode.ino()).orElse(null)) {
            boolean current = cached != null && cached.version().version() == version.version();
            int present = cached != null && current ? cached.present().cardinality() : 0;
            boolean writing = cached != null && cached.writing();
            boolean whole = cached != null && current && cached.whole();
            Judgement judgement = judge(version, holders, whole || writing, writing, present);
            return new Explanation(
                    path.toString(),
                    inode.ino(),
                    inode.type().name().toLowerCase(Locale.ROOT),
                    judgement.tier(),
                    judgement.reason(),
                    version.version(),
                    version.size(),
                    version.blockBytes(),
                    version.blocks(),
                    present,
                    whole,
                    version.sealed(),
                    parts.files().uploadPending(inode.ino()),
                    inode.writer() == null ? null : inode.writer().value(),
                    holders.stream()
                            .map(holder -> new Explanation.Holding(
                                    holder.node().id().value(),
                                    holder.node().http(),
                                    holder.blocks() == null
                                            ? version.blocks()
                                            : holder.blocks().cardinality()))
                            .toList(),
                    version.object() == null ? null : version.object().key(),
                    version.object() == null ? null : version.object().etag());
        } catch (IOException e) {
            throw new ErrnoException(Errno.EIO, "the cache cannot be asked about " + path, e);
        }
    }

    private Judgement judge(FileVersion version, List<Holder> holders, boolean here, boolean writing, int present) {
        String rest = present == 0 ? "" : "; " + present + " of " + version.blocks() + " blocks are here already";
        if (here) {
            String by = kernel.passthrough() ? "the kernel reads it itself" : "the daemon reads it";
            return new Judgement("nvme", (writing ? "open for writing here: " : "whole here: ") + by);
        }
        if (!holders.isEmpty()) {
            return new Judgement("peer", holders.size() + " other nodes have blocks of it" + rest);
        }
        if (version.persisted()) {
            return new Judgement("cloud", "no other node has it, the bucket does" + rest);
        }
        return version.size() == 0
                ? new Judgement("none", "it is empty")
                : new Judgement("none", "no live node has it, nor the bucket" + rest);
    }

    private record Judgement(String tier, String reason) {}

    @Override
    public List<NodeAddress> peers() throws ErrnoException {
        return parts.metadata().nodes();
    }

    @Override
    public List<LocalTier.CachedFileSummary> cachedFiles(int limit) {
        return parts.local().files(limit);
    }

    @Override
    public ReadCounts reads() {
        Activity.Figures here = parts.files().activity();
        long missed = parts.counters().figures(TierKind.NVME).misses();
        return new ReadCounts(
                new ReadCounts.Tier(here.hits(), here.misses() + missed, here.readBytes(), here.readNanos()),
                tier(TierKind.PEER),
                tier(TierKind.CLOUD),
                here.commits(),
                here.committedBytes(),
                requests());
    }

    private ReadCounts.BucketRequests requests() {
        BucketTier.Requests requests = parts.bucket().requests();
        return new ReadCounts.BucketRequests(
                requests.repeated(),
                requests.throttled(),
                requests.limit(),
                requests.hedged(),
                requests.hedgesWon(),
                requests.hedgedBytes());
    }

    @Override
    public int bucketKeysLeftOut() {
        return parts.bucket().keysLeftOut();
    }

    @Override
    public long kernelNamesDropped() {
        return parts.port().namesDropped();
    }

    private ReadCounts.Tier tier(TierKind kind) {
        TierCounters.Figures figures = parts.counters().figures(kind);
        return new ReadCounts.Tier(figures.hits(), figures.misses(), figures.bytes(), figures.nanos());
    }

    @Override
    public NodeStatus.Uploads flush(Duration bound) {
        parts.files().flushUploads(bound);
        return uploads();
    }
}
