package io.fusecache.client;

import io.fusecache.cache.BlockFetcher;
import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CloudTier;
import io.fusecache.cache.FetchOptions;
import io.fusecache.cache.ReadPlan;
import io.fusecache.cache.TierCounters;
import io.fusecache.client.NodeConfiguration.HostPort;
import io.fusecache.client.NodeConfiguration.Passthrough;
import io.fusecache.client.bridge.KernelBridge;
import io.fusecache.client.bridge.PosixDisk;
import io.fusecache.client.bridge.RootSquash;
import io.fusecache.client.bridge.SessionPort;
import io.fusecache.client.http.MountedFiles;
import io.fusecache.client.http.NodeHttp;
import io.fusecache.client.http.NodeInsight;
import io.fusecache.client.http.NodeStatus;
import io.fusecache.filesystem.Durability;
import io.fusecache.filesystem.FileSystem;
import io.fusecache.filesystem.FileSystemOptions;
import io.fusecache.filesystem.HolderDirectory;
import io.fusecache.filesystem.Recalls;
import io.fusecache.fuse.mount.FuseMount;
import io.fusecache.fuse.mount.MountException;
import io.fusecache.fuse.mount.MountOptions;
import io.fusecache.fuse.session.Capabilities;
import io.fusecache.fuse.session.FuseHandler;
import io.fusecache.fuse.session.FuseSession;
import io.fusecache.fuse.session.SessionOptions;
import io.fusecache.fuse.sys.Linux;
import io.fusecache.fuse.wire.InitFlag;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.RecallListener;
import io.fusecache.metadata.delegation.DelegationRecalls;
import io.fusecache.metadata.delegation.Delegations;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.wire.GrpcTransport;
import io.fusecache.tiers.cloud.BucketTier;
import io.fusecache.tiers.cloud.RefusedException;
import io.fusecache.tiers.nvme.CacheDirectoryException;
import io.fusecache.tiers.nvme.NvmeOptions;
import io.fusecache.tiers.nvme.NvmeTier;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running node: everything that a configuration asks for, started in the order in which one part needs another, and
 * stopped in the opposite one. What cannot start leaves nothing half-started behind.
 *
 * <p>Memory: the FUSE session's buffers, the peer server's and the arena of all other I/O make up {@code -memory} together.
 */
public final class Node implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Node.class);

    private static final Duration BUCKET_ANSWERS_WITHIN = Duration.ofSeconds(5);
    private static final Duration SPACE_WAIT = Duration.ofSeconds(30);
    private static final int UPLOADS = 16;
    private static final int SLOT_BYTES = 64 << 10;
    private static final int LARGE_BUFFERS = 24;
    private static final int SMALL_BUFFERS = 64;
    private static final int READ_AHEAD_KIB = 4096;
    private static final int FOREIGN_PERMISSIONS = 0644;

    private final NodeConfiguration configuration;
    private final StopList started = new StopList();
    private final InstantSource clock = InstantSource.system();
    private final SessionPort port;
    private @Nullable FuseSession session;
    private @Nullable NodeReport report;
    private @Nullable FileSystem files;
    private @Nullable HostPort address;
    private String namespace = "";

    private Node(NodeConfiguration configuration) {
        this.configuration = configuration;
        this.port = new SessionPort();
    }

    /** Returns when it is mounted and answers. StartupException with one line that says why not, and what to do. */
    public static Node start(NodeConfiguration configuration) throws StartupException, InterruptedException {
        Node node = new Node(configuration);
        boolean done = false;
        try {
            node.start();
            done = true;
            return node;
        } catch (IOException | ErrnoException e) {
            throw new StartupException(String.valueOf(e.getMessage()), e);
        } finally {
            if (!done) {
                node.started.run();
            }
        }
    }

    private void start() throws StartupException, IOException, ErrnoException, InterruptedException {
        long begin = System.nanoTime();
        requireMountPoint();
        NodeConfiguration.Network network = configuration.network();
        NodeHttp http = started.add("HTTP", NodeHttp.bind(network.listenHost(), network.httpPort()));
        address = http.address();
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
        started.add("the executor", executor::shutdownNow);

        SessionOptions sessionOptions = sessionOptions();
        Peers peers = new Peers(started, key());
        BufferArena memory = memory(sessionOptions.bufferBytes() + Peers.BUFFER_BYTES);
        started.add("names", port);
        Recalls recalls = new Recalls(port);
        NodeId id = NodeIdentity.of(configuration);
        DelegationRecalls heard = started.add("waiting recalls", new DelegationRecalls(recalls));
        CoordinatorClient coordinator = started.add("the session with the coordinator", connect(id, heard));
        namespace = coordinator.namespace();
        NvmeTier local = started.add("the cache", openCache(id, namespace, memory));
        Delegations metadata = started.add("the delegations", WorkAlone.open(configuration, coordinator, heard, clock));
        BucketTier cloud = started.add("the bucket", Buckets.open(configuration, memory, clock));
        Future<?> bucketCheck = executor.submit(() -> {
            cloud.check();
            return cloud;
        });
        TierCounters counters = new TierCounters();
        BlockFetcher fetcher = fetcher(peers, metadata, cloud, memory, counters);

        boolean wanted = configuration.mount().passthrough() != Passthrough.OFF;
        FileSystem tree = started.add(
                "the file system",
                new FileSystem(
                        new FileSystem.Ground(
                                metadata,
                                local,
                                cloud,
                                fetcher,
                                peers.homes(),
                                recalls,
                                wanted ? port : null,
                                clock,
                                executor),
                        fileSystemOptions()));
        files = tree;
        tree.start();
        started.add("word of what the cache holds", Holdings.announce(local, metadata));
        KernelBridge bridge = new KernelBridge(tree, metadata, port, nameValidity(), clock, executor);
        requireBucket(bucketCheck);
        boolean squash = configuration.mount().rootSquash();
        FuseSession mounted = mount(sessionOptions, squash ? new RootSquash(bridge, tree, executor) : bridge);
        NodeStatus.Kernel kernel = kernel(mounted.negotiated());

        MountedFiles paths = new MountedFiles(
                tree,
                Linux.effectiveUser(),
                Linux.effectiveGroup(),
                configuration.mount().readOnly());
        NodeReport insight = new NodeReport(
                configuration,
                kernel,
                new NodeReport.Parts(metadata, local, tree, paths, counters, cloud, memory, port),
                clock);
        report = insight;
        started.add("the progress log", ProgressLog.start(insight, configuration.progressBytes()));
        http.serve(peers.handlers(metadata, local, tree), paths, insight, key(), clock);
        enter(id, http.address());
        LOG.info(
                "{} is mounted on {} after {} ms: memory {}, FUSE buffers {} MiB, peer buffers {} MiB; passthrough {}: {}",
                id,
                configuration.mount().directory(),
                (System.nanoTime() - begin) / 1_000_000,
                memory,
                sessionOptions.bufferBytes() >> 20,
                Peers.BUFFER_BYTES >> 20,
                kernel.passthrough() ? "on" : "off",
                kernel.passthroughReason());
        LOG.debug("{}", mounted.negotiated().describe());
    }

    // parts

    private SessionOptions sessionOptions() {
        NodeConfiguration.Mount mount = configuration.mount();
        MountOptions options = MountOptions.of("fusecache", "fusecache").withReadOnly(mount.readOnly());
        if (Linux.effectiveUser() == 0) {
            options = options.withSetuid(true).withDevices(true);
        } else {
            options = options.withAllowOther(false);
        }
        SessionOptions session = SessionOptions.of(options)
                .withReaders(mount.threads())
                .with(InitFlag.POSIX_ACL)
                .with(InitFlag.DONT_MASK)
                // A shared mapping of a file that others write on another node would see nothing of that.
                .without(InitFlag.DIRECT_IO_ALLOW_MMAP)
                .withReadAheadKib(READ_AHEAD_KIB)
                .withBuffers(LARGE_BUFFERS, SMALL_BUFFERS)
                .with(InitFlag.POSIX_LOCKS)
                .with(InitFlag.FLOCK_LOCKS);
        return mount.passthrough() == Passthrough.OFF ? session.without(InitFlag.PASSTHROUGH) : session;
    }

    /** For how long the kernel may go by a name without asking. */
    private Duration nameValidity() {
        NodeConfiguration.Mount mount = configuration.mount();
        return mount.rootSquash() || !mount.nameCache()
                ? Duration.ZERO
                : configuration.bucket().refresh();
    }

    private BufferArena memory(long taken) throws StartupException {
        long left = configuration.memoryBytes() - taken;
        int region = regionBytes();
        if (left < 2L * region) {
            throw new StartupException(
                    "-memory of %d MiB is too little: the mount's own buffers take %d MiB, and blocks of %d"
                                    .formatted(
                                            configuration.memoryBytes() >> 20,
                                            taken >> 20,
                                            configuration.cache().blockBytes())
                            + " bytes want " + ((2L * region) >> 20) + " MiB more");
        }
        return started.add("memory", new BufferArena(left, SLOT_BYTES, region));
    }

    /** Room for two blocks in one piece: what the bucket is asked for at once. */
    private int regionBytes() {
        return Math.max(16 << 20, 2 * configuration.cache().blockBytes());
    }

    /** A coordinator that is not there yet is waited for, as a mount point that is not free yet is. */
    private CoordinatorClient connect(NodeId id, RecallListener recalls)
            throws StartupException, IOException, InterruptedException {
        NodeConfiguration.Coordinator coordinator = configuration.coordinator();
        GrpcTransport.Options way = coordinator.grpc().isEmpty()
                ? GrpcTransport.Options.http(addresses(coordinator.http()), key())
                : GrpcTransport.Options.grpc(addresses(coordinator.grpc()), key());
        CoordinatorClient.Builder builder = CoordinatorClient.builder(self(id), recalls)
                .nvmePath(configuration.cache().directories().getFirst().toString())
                .keyPrefix(configuration.bucket().prefix())
                .bound(coordinator.timeout());
        NodeConfiguration.Mount mount = configuration.mount();
        String told = "";
        for (int tries = 0; ; tries++) {
            try {
                return builder.connect(new GrpcTransport(way));
            } catch (SessionTransport.RefusedException e) {
                throw new StartupException(String.valueOf(e.getMessage()), e);
            } catch (IOException e) {
                String message = e.getMessage()
                        + ": start bin/coordinator there, or name another with -coordinator or -coordinator-grpc";
                if (tries == mount.retries()) {
                    throw new StartupException(message, e);
                }
                if (!message.equals(told)) {
                    LOG.warn(
                            "{}; trying again every {} s, {} times",
                            message,
                            mount.retryDelay().toSeconds(),
                            mount.retries() - tries);
                    told = message;
                }
                Thread.sleep(mount.retryDelay());
            }
        }
    }

    private static List<InetSocketAddress> addresses(List<HostPort> hosts) {
        return hosts.stream()
                .map(host -> InetSocketAddress.createUnresolved(host.host(), host.port()))
                .toList();
    }

    /** Where others reach this node. */
    private NodeAddress self(NodeId id) throws IOException {
        NodeConfiguration.Network network = configuration.network();
        HostPort bound = Objects.requireNonNull(address);
        String host = network.advertisedHost();
        if (host == null) {
            host = OwnAddress.towards(configuration.coordinator().first());
        }
        int port = network.advertisedPort() == 0 ? bound.port() : network.advertisedPort();
        return new NodeAddress(
                id, new HostPort(host, port).toString(), new HostPort(host, network.grpcPort()).toString());
    }

    private NvmeTier openCache(NodeId id, String namespace, BufferArena memory) throws StartupException {
        NodeConfiguration.Cache cache = configuration.cache();
        NodeStatus.Cloud bucket = NodeReport.cloud(configuration.bucket());
        String volume = bucket.provider() + ":" + bucket.location() + "/" + bucket.prefix();
        try {
            return NvmeTier.open(
                    NvmeOptions.of(cache.directories(), volume, id, cache.capacityBytes(), cache.reserveBytes())
                            .withNamespace(namespace),
                    new PosixDisk(),
                    memory,
                    clock);
        } catch (CacheDirectoryException e) {
            throw new StartupException(String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            throw new StartupException(
                    "cache %s cannot be used (%s): make room there, or give another directory with -nvme"
                            .formatted(cache.directories(), e.getMessage()),
                    e);
        }
    }

    /** A bucket that refuses us will go on doing so; one that is away for a while stops nothing that the other tiers can do. */
    private static void requireBucket(Future<?> check) throws StartupException, InterruptedException {
        try {
            check.get(BUCKET_ANSWERS_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.warn("the bucket has not answered within {} s: going on without it", BUCKET_ANSWERS_WITHIN.toSeconds());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RefusedException refused) {
                throw new StartupException(String.valueOf(refused.getMessage()), refused);
            }
            LOG.warn("the bucket cannot be reached, going on without it: {}", String.valueOf(e.getCause()));
        }
    }

    private BlockFetcher fetcher(
            Peers peers, Metadata metadata, CloudTier cloud, BufferArena memory, TierCounters counters) {
        NodeConfiguration.PeerReads reads = configuration.peerReads();
        return started.add(
                "the fetcher",
                new BlockFetcher(
                        peers.blocks(reads.timeout()),
                        cloud,
                        new HolderDirectory(metadata),
                        memory,
                        counters,
                        clock,
                        FetchOptions.of(new ReadPlan.Settings(reads.bytesPerSecond(), reads.hybridThresholdBytes()))));
    }

    private FileSystemOptions fileSystemOptions() {
        Path first = configuration.cache().directories().getFirst();
        return new FileSystemOptions(
                configuration.cache().blockBytes(),
                switch (configuration.durability()) {
                    case LOCAL -> Durability.LOCAL;
                    case PEER -> Durability.PEER;
                    case CLOUD -> Durability.CLOUD;
                },
                configuration.coordinator().timeout(),
                SPACE_WAIT,
                configuration.uploadDelay(),
                UPLOADS,
                configuration.bucket().refresh(),
                configuration.bucket().timeout(),
                new NewInode(
                        FileType.REGULAR,
                        FOREIGN_PERMISSIONS,
                        Linux.effectiveUser(),
                        Linux.effectiveGroup(),
                        0,
                        null,
                        false),
                first.resolve("lost"),
                configuration.mount().readOnly());
    }

    private @Nullable String key() {
        NodeConfiguration.Secret secret = configuration.network().apiKey();
        return secret == null ? null : secret.value();
    }

    // the mount

    /** Asked before anything is started, so that a wrong mount point costs nobody a session and a cache. */
    private void requireMountPoint() throws MountException {
        try {
            FuseMount.checked(configuration.mount().directory());
        } catch (MountException e) {
            if (!e.mayPass() || configuration.mount().retries() == 0) {
                throw e;
            }
        }
    }

    private FuseSession mount(SessionOptions options, FuseHandler bridge) throws IOException, InterruptedException {
        NodeConfiguration.Mount mount = configuration.mount();
        for (int tries = 0; ; tries++) {
            Arena arena = Arena.ofShared();
            try {
                FuseSession mounted = FuseSession.start(mount.directory(), options, bridge, arena);
                port.bind(mounted);
                session = mounted;
                started.add("FUSE buffers", arena);
                return started.add("the mount", mounted);
            } catch (MountException e) {
                arena.close();
                if (!e.mayPass() || tries == mount.retries()) {
                    throw e;
                }
                LOG.warn(
                        "{}; trying again in {} s",
                        e.getMessage(),
                        mount.retryDelay().toSeconds());
                Thread.sleep(mount.retryDelay());
            }
        }
    }

    /** Whether the kernel really takes backing files from the cache directory, which its file system decides as well. */
    private NodeStatus.Kernel kernel(Capabilities agreed) throws StartupException {
        NodeConfiguration.Mount mount = configuration.mount();
        String refusal;
        if (mount.passthrough() == Passthrough.OFF) {
            refusal = "-passthrough is off";
        } else if (!agreed.passthrough()) {
            refusal = agreed.whyOff(InitFlag.PASSTHROUGH).orElse("");
        } else {
            refusal = port.tryPassthrough(configuration.cache().directories());
        }
        if (!refusal.isEmpty() && mount.passthrough() == Passthrough.ON) {
            throw new StartupException("passthrough cannot be had: " + refusal + "; use -passthrough auto");
        }
        String reason = refusal.isEmpty() ? "the kernel reads and writes cached files itself" : refusal;
        return new NodeStatus.Kernel("7." + agreed.minor(), refusal.isEmpty(), reason, agreed.readers());
    }

    private void enter(NodeId id, HostPort http) throws IOException {
        String host = http.host().equals("0.0.0.0") || http.host().equals("::") ? "127.0.0.1" : http.host();
        RunningNode running = new RunningNode(
                ProcessHandle.current().pid(),
                id.value(),
                configuration.mount().directory().toRealPath(),
                new HostPort(host, http.port()));
        running.enter();
        started.add("the entry of this node", running::leave);
    }

    // life

    /** Where the node's HTTP answers. */
    public HostPort http() {
        return Objects.requireNonNull(address);
    }

    /** The coordinator's, for as long as this node runs. */
    public String namespace() {
        return namespace;
    }

    /** What the node tells of itself. */
    public NodeInsight insight() {
        return Objects.requireNonNull(report);
    }

    public FileSystem files() {
        return Objects.requireNonNull(files);
    }

    /** Returns when somebody unmounted it. */
    public void awaitUnmount() throws InterruptedException {
        Objects.requireNonNull(session).awaitUnmount();
    }

    /** Unmounts, lets pending uploads go out for as long as the configuration says, and stops everything. */
    @Override
    public void close() {
        try {
            Objects.requireNonNull(session).close();
        } catch (IOException e) {
            LOG.warn("the unmount was not clean: {}", e.getMessage());
        }
        // What other nodes write here is committed, so that it is among what is uploaded.
        files().leaveCluster();
        if (!files().flushUploads(configuration.drainTimeout())) {
            var pending = files().pendingUploads();
            LOG.warn(
                    "{} files ({} bytes) are not in the bucket yet: the next start goes on with them",
                    pending.files(),
                    pending.bytes());
        }
        started.run();
    }
}
