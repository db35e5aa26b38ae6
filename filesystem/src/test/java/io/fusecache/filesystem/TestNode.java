package io.fusecache.filesystem;

import io.fusecache.cache.BlockFetcher;
import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.CloudTier;
import io.fusecache.cache.Disk;
import io.fusecache.cache.FetchOptions;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.cache.ReadPlan;
import io.fusecache.cache.TierCounters;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.delegation.DelegationRecalls;
import io.fusecache.metadata.delegation.Delegations;
import io.fusecache.testkit.ChannelDisk;
import io.fusecache.tiers.cloud.BucketOptions;
import io.fusecache.tiers.cloud.BucketTier;
import io.fusecache.tiers.nvme.NvmeOptions;
import io.fusecache.tiers.nvme.NvmeTier;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** One node of a {@link TestCluster}: a whole client but for the kernel. */
final class TestNode implements AutoCloseable {
    final String name;
    final TestCluster cluster;
    final NvmeTier local;
    final FileSystem files;
    final Delegations metadata;
    private final CoordinatorClient session;
    final ChannelDisk disk = new ChannelDisk();
    final KernelStandIn kernel = new KernelStandIn();
    final TierCounters counters = new TierCounters();
    final Path cache;
    private final BufferArena memory = new BufferArena(48 << 20, 16 << 10, 16 << 20);
    private final BlockFetcher fetcher;
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private final CuttableTransport coordinator;
    private volatile boolean down;

    record Setup(
            boolean passthrough,
            Durability durability,
            long capacityBytes,
            Duration uploadDelay,
            Duration bucketRefresh,
            Duration spaceWait,
            boolean delegations) {
        static Setup of(boolean passthrough) {
            return new Setup(
                    passthrough,
                    Durability.LOCAL,
                    1L << 30,
                    Duration.ofMillis(20),
                    Duration.ofMinutes(10),
                    Duration.ofSeconds(5),
                    Boolean.getBoolean("fusecache.delegations"));
        }

        Setup withDelegations() {
            return new Setup(passthrough, durability, capacityBytes, uploadDelay, bucketRefresh, spaceWait, true);
        }

        Setup with(Durability level) {
            return new Setup(passthrough, level, capacityBytes, uploadDelay, bucketRefresh, spaceWait, delegations);
        }

        Setup withCapacity(long bytes, Duration wait) {
            return new Setup(passthrough, durability, bytes, uploadDelay, bucketRefresh, wait, delegations);
        }

        Setup withUploadDelay(Duration delay) {
            return new Setup(passthrough, durability, capacityBytes, delay, bucketRefresh, spaceWait, delegations);
        }

        Setup withBucketRefresh(Duration refresh) {
            return new Setup(passthrough, durability, capacityBytes, uploadDelay, refresh, spaceWait, delegations);
        }
    }

    TestNode(TestCluster cluster, String name, Setup setup) throws IOException {
        this.cluster = cluster;
        this.name = name;
        this.cache = Files.createDirectories(cluster.folder.resolve("cache-" + name));
        NodeId id = new NodeId(name);
        InstantSource clock = InstantSource.system();
        Recalls recalls = new Recalls(kernel);
        this.coordinator = new CuttableTransport(cluster.coordinator.transport());
        DelegationRecalls heard = new DelegationRecalls(recalls);
        this.session = CoordinatorClient.builder(new NodeAddress(id, "", ""), heard)
                .bound(Duration.ofSeconds(5))
                .connect(coordinator);
        this.local = NvmeTier.open(
                NvmeOptions.of(List.of(cache), "volume", id, setup.capacityBytes(), 0), disk, memory, clock);
        this.metadata = delegations(session, heard, setup, clock);
        CloudTier cloud =
                cluster.moody(new BucketTier(cluster.store(), memory, BucketOptions.of(Duration.ofSeconds(10))));
        this.fetcher = new BlockFetcher(
                cluster.peers(),
                cloud,
                new HolderDirectory(metadata),
                memory,
                counters,
                clock,
                FetchOptions.of(new ReadPlan.Settings(200 << 20, 5L << 30)));
        FileSystemOptions options = new FileSystemOptions(
                TestCluster.BLOCK_BYTES,
                setup.durability(),
                Duration.ofSeconds(4),
                setup.spaceWait(),
                setup.uploadDelay(),
                4,
                setup.bucketRefresh(),
                Duration.ofSeconds(5),
                new NewInode(FileType.REGULAR, 0644, 0, 0, 0, null, false),
                cache.resolve("lost"),
                false);
        this.files = new FileSystem(
                new FileSystem.Ground(
                        metadata,
                        local,
                        cloud,
                        fetcher,
                        cluster.homes(),
                        recalls,
                        setup.passthrough() ? kernel : null,
                        clock,
                        executor),
                options);
        files.start();
    }

    private Delegations delegations(CoordinatorClient client, DelegationRecalls heard, Setup setup, InstantSource clock)
            throws IOException {
        try {
            return Delegations.open(
                    client,
                    heard,
                    new Delegations.Options(
                            cache.resolve("changes"),
                            cache.resolve("setaside"),
                            setup.delegations() && setup.durability() == Durability.LOCAL,
                            Duration.ofSeconds(5),
                            clock));
        } catch (ErrnoException e) {
            throw new IOException(e);
        }
    }

    Programs programs() {
        return new Programs(this);
    }

    void losesChanges() {
        coordinator.losesChanges();
    }

    boolean isDown() {
        return down;
    }

    ReadOutcome serve(FileVersion version, long offset, MemorySegment target) throws IOException {
        Optional<CachedFile> found = local.find(version.ino());
        if (found.isEmpty()) {
            return new ReadOutcome.Miss();
        }
        try (CachedFile file = found.get()) {
            boolean served = file.version().version() == version.version() && !file.writing();
            return served ? file.read(offset, target) : new ReadOutcome.Miss();
        }
    }

    /** As after kill -9: nothing is closed, released or committed; what the kernel wrote is there. */
    void kill() throws IOException {
        down = true;
        coordinator.cut();
        files.stop();
        fetcher.close();
        local.close();
    }

    @Override
    public void close() throws IOException {
        if (!down) {
            down = true;
            files.close();
            fetcher.close();
            metadata.close();
            session.close();
            local.close();
        }
    }

    /** What the kernel would hold: backing files by id, and the notices it got. */
    static final class KernelStandIn implements KernelCache, BackingFiles {
        final Map<Integer, Disk.DiskFile> backing = new ConcurrentHashMap<>();
        final List<Long> changedAttributes = new ArrayList<>();
        final AtomicInteger namesChanged = new AtomicInteger();
        private final AtomicInteger ids = new AtomicInteger();
        volatile @Nullable IOException refusal;

        @Override
        public synchronized void attributesChanged(long nodeId) {
            changedAttributes.add(nodeId);
        }

        @Override
        public void contentChanged(long nodeId, long offset, long length) {
            attributesChanged(nodeId);
        }

        synchronized boolean wasTold(long nodeId) {
            return changedAttributes.contains(nodeId);
        }

        @Override
        public synchronized void changed(Collection<Long> nodeIds, Set<Long> directories, Set<Long> inodes) {
            changedAttributes.addAll(nodeIds);
            if (!directories.isEmpty() || !inodes.isEmpty()) {
                namesChanged.incrementAndGet();
            }
        }

        @Override
        public synchronized void allChanged(Collection<Long> nodeIds) {
            changedAttributes.addAll(nodeIds);
            namesChanged.incrementAndGet();
        }

        @Override
        public int register(Disk.DiskFile file) throws IOException {
            IOException refused = refusal;
            if (refused != null) {
                throw refused;
            }
            int id = ids.incrementAndGet();
            backing.put(id, file);
            return id;
        }

        @Override
        public void unregister(int backingId) {
            if (backing.remove(backingId) == null) {
                throw new AssertionError("backing file " + backingId + " is not registered");
            }
        }
    }
}
