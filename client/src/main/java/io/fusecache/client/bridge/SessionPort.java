package io.fusecache.client.bridge;

import io.fusecache.cache.Disk;
import io.fusecache.filesystem.BackingFiles;
import io.fusecache.filesystem.KernelCache;
import io.fusecache.fuse.session.BackingFile;
import io.fusecache.fuse.session.FuseSession;
import io.fusecache.fuse.sys.LocalFile;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.sys.PosixException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the file system tells the kernel, by the session, which is made after the file system is: until then the kernel has
 * nothing cached, and whoever wants to register a file waits for the moment between the first request and the session.
 */
public final class SessionPort implements KernelCache, BackingFiles {
    private static final Logger LOG = LoggerFactory.getLogger(SessionPort.class);
    private static final long ATTRIBUTES_ONLY = -1;
    private static final int START_SECONDS = 10;

    private final CompletableFuture<FuseSession> session = new CompletableFuture<>();
    private final ConcurrentHashMap<Integer, BackingFile> backing = new ConcurrentHashMap<>();

    private final ExecutorService pages = Executors.newCachedThreadPool(
            Thread.ofPlatform().daemon().name("kernel-pages-", 0).factory());

    private final boolean namesKept;
    private volatile String refusal = "";

    /** @param namesKept whether the kernel is given names that are valid for any time */
    public SessionPort(boolean namesKept) {
        this.namesKept = namesKept;
    }

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
        FuseSession now = session.getNow(null);
        if (now == null) {
            return;
        }
        try {
            // A node that the kernel does not know may be on its way there in an answer that was written before this.
            // The
            // name in that answer belongs to the epoch in which it was asked for, so a new one takes it back.
            if (!now.notifier().invalInode(nodeId, ATTRIBUTES_ONLY, 0)) {
                namesChanged();
            }
        } catch (PosixException e) {
            ended("attributes of node " + nodeId, e);
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
    public void namesChanged() {
        FuseSession now = session.getNow(null);
        // Names that are valid for no time, as all are to a kernel without epochs, are asked for again anyway. An epoch
        // would drop them from under an overlay that has them open.
        if (namesKept && now != null && now.negotiated().epochs()) {
            try {
                now.notifier().incEpoch();
            } catch (PosixException e) {
                ended("names", e);
            }
        }
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
