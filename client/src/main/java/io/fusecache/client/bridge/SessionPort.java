package io.fusecache.client.bridge;

import io.fusecache.cache.Disk;
import io.fusecache.filesystem.BackingFiles;
import io.fusecache.filesystem.KernelCache;
import io.fusecache.filesystem.NodeIds;
import io.fusecache.fuse.session.BackingFile;
import io.fusecache.fuse.session.FuseSession;
import io.fusecache.fuse.sys.LocalFile;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.sys.PosixException;
import io.fusecache.fuse.wire.FileName;
import io.fusecache.metadata.Recall;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the file system tells the kernel, by the session, which is made after the file system is: until then the kernel has
 * nothing cached, and whoever wants to register a file waits for the moment between the first request and the session.
 */
public final class SessionPort implements KernelCache, BackingFiles, NameExpiry.Kernel, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SessionPort.class);
    private static final long ATTRIBUTES_ONLY = -1;
    private static final int START_SECONDS = 10;

    private final CompletableFuture<FuseSession> session = new CompletableFuture<>();
    private final ConcurrentHashMap<Integer, BackingFile> backing = new ConcurrentHashMap<>();

    private final ExecutorService pages = Executors.newCachedThreadPool(
            Thread.ofPlatform().daemon().name("kernel-pages-", 0).factory());

    private final GivenNames names = new GivenNames(GivenNames.MOST, System::nanoTime);
    private final NameExpiry expiry = new NameExpiry(names, this);
    private volatile String refusal = "";

    public void bind(FuseSession started) {
        session.complete(started);
    }

    /**
     * Registers a file of each directory, to see whether the kernel takes it. Returns why not, or "". No further file is
     * offered to a kernel that refuses.
     */
    public String tryPassthrough(List<Path> directories) {
        for (Path directory : directories) {
            try {
                Path probe = Files.createTempFile(directory, "passthrough-", ".probe");
                try (LocalFile file = LocalFile.open(probe, Posix.O_RDWR | Posix.O_CLOEXEC, 0)) {
                    started().registerBacking(file.fd()).close();
                } finally {
                    Files.delete(probe);
                }
            } catch (IOException e) {
                refusal = "the kernel refuses files of " + directory + ": " + e.getMessage();
                return refusal;
            }
        }
        return "";
    }

    @Override
    public void attributesChanged(long nodeId) {
        if (!told(nodeId)) {
            // It may be on its way there in an answer that was written before this.
            expiry.again(names.of(GivenNames.Doubtful.all(Set.of(), Set.of(NodeIds.ino(nodeId)))), Duration.ZERO);
        }
    }

    /** False where the kernel does not know the node. */
    private boolean told(long nodeId) {
        FuseSession now = session.getNow(null);
        if (now == null) {
            return true;
        }
        try {
            return now.notifier().invalInode(nodeId, ATTRIBUTES_ONLY, 0);
        } catch (PosixException e) {
            ended("attributes of node " + nodeId, e);
            return true;
        }
    }

    @Override
    public void recallBegins() {
        names.recallBegins();
    }

    @Override
    public void recallEnds() {
        names.goOn();
        names.recallEnds();
    }

    @Override
    public void recalled(Recall recall, Collection<Long> nodeIds, Set<Long> inodes) {
        Map<Long, Set<FileName>> changed = new HashMap<>();
        recall.directories().forEach((directory, all) -> changed.put(directory, kernelNames(all)));
        GivenNames.Doubtful doubtful = new GivenNames.Doubtful(changed, tell(nodeIds, inodes));
        do {
            expiry.changed(doubtful);
        } while (!names.settle(doubtful));
    }

    private static Set<FileName> kernelNames(Set<io.fusecache.metadata.FileName> names) {
        return names.stream().map(name -> FileName.of(name.toBytes())).collect(Collectors.toSet());
    }

    @Override
    public Set<Long> namesLeft(Set<Long> directories) {
        List<GivenNames.Given> left = names.of(GivenNames.Doubtful.all(directories, Set.of()));
        expiry.whenPossible(left);
        return left.stream().map(given -> given.directory).collect(Collectors.toSet());
    }

    @Override
    public void changed(Collection<Long> nodeIds, Set<Long> directories, Set<Long> inodes) {
        names.recallBegins();
        try {
            expiry.changed(GivenNames.Doubtful.all(directories, tell(nodeIds, inodes)));
        } finally {
            names.recallEnds();
        }
    }

    /** Returns what the names lead to that are over. */
    private Set<Long> tell(Collection<Long> nodeIds, Set<Long> inodes) {
        Set<Long> leadingTo = new HashSet<>(inodes);
        for (long nodeId : nodeIds) {
            if (!told(nodeId)) {
                // In an answer under way, it may be: then the name in that answer is over when it has arrived.
                leadingTo.add(NodeIds.ino(nodeId));
            }
        }
        return leadingTo;
    }

    @Override
    public void allChanged(Collection<Long> nodeIds) {
        names.recallBegins();
        try {
            expiry.allChanged();
            nodeIds.forEach(this::told);
        } finally {
            names.recallEnds();
        }
    }

    /**
     * On a thread of its own: it may wait for pages whose requests need the very carrier threads that this one's caller would
     * otherwise keep.
     */
    @Override
    public void contentChanged(long nodeId, long offset, long length) {
        FuseSession now = session.getNow(null);
        if (now == null) {
            return;
        }
        try {
            pages.submit(() -> now.notifier().invalInode(nodeId, offset, length))
                    .get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof PosixException gone) {
                ended("content of node " + nodeId, gone);
            } else {
                throw new IllegalStateException("content of node " + nodeId + " is not dropped", e);
            }
        } catch (RejectedExecutionException e) {
            LOG.debug("the mount is going away: content of node {} is not dropped", nodeId, e);
        }
    }

    @Override
    public void expire(long directory, FileName name) throws PosixException {
        FuseSession now = session.getNow(null);
        if (now != null && !now.notifier().expireEntry(directory, name)) {
            LOG.trace("the kernel has no name '{}' in directory {}", name, directory);
        }
    }

    @Override
    public void drop() {
        FuseSession now = session.getNow(null);
        if (now != null && now.negotiated().epochs()) {
            try {
                now.notifier().incEpoch();
            } catch (PosixException e) {
                ended("names", e);
            }
        }
    }

    /** What the kernel is given by way of names is to be put in here. */
    GivenNames names() {
        return names;
    }

    /** How often all names of the mount had to go. */
    public long namesDropped() {
        return expiry.dropped();
    }

    NameExpiry expiry() {
        return expiry;
    }

    @Override
    public void close() {
        expiry.close();
    }

    private static void ended(String what, PosixException e) {
        LOG.debug("the kernel takes no notice of changed {}: the mount is going away", what, e);
    }

    @Override
    public int register(Disk.DiskFile file) throws IOException {
        if (!refusal.isEmpty()) {
            throw new IOException(refusal);
        }
        BackingFile registered = started().registerBacking(file.descriptor());
        backing.put(registered.id(), registered);
        return registered.id();
    }

    private FuseSession started() throws IOException {
        FuseSession now = session.getNow(null);
        if (now != null) {
            return now;
        }
        try {
            return session.get(START_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while the mount starts");
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("the mount has not started", e);
        }
    }

    @Override
    public void unregister(int backingId) {
        @Nullable BackingFile registered = backing.remove(backingId);
        if (registered != null) {
            registered.close();
        }
    }
}
