package io.fusecache.filesystem;

import io.fusecache.cache.Disk;
import io.fusecache.cache.HomeReply;
import io.fusecache.cache.HomeRequest;
import io.fusecache.cache.Homes;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that are open for writing on another node, operated there: {@link Guests} is the other end.
 *
 * <p>What happens when a home does not answer: the request is sent again as it is, since a change is executed once. Before each
 * further try the coordinator is asked whether that node still is the home, which also ends the lease of a node that is gone for
 * longer than it. Where it is not, the handle is gone for good and its users get EIO; where it is, but cannot be reached from
 * here, they get EIO after a bound.
 */
final class Forwarding implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Forwarding.class);
    private static final MemorySegment NO_BYTES = MemorySegment.NULL;

    /** How long the coordinator is asked to watch for a change of home between two tries. */
    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(1);

    private final Metadata metadata;
    private final Homes homes;
    private final Executor executor;
    private final Duration bound;
    private final Homes.Guest self;
    private final GuestHandles handles;
    private final Map<NodeId, NodeAddress> addresses = new ConcurrentHashMap<>();

    /** @param bound how long a call waits for a home that does not answer */
    Forwarding(Metadata metadata, Homes homes, Executor executor, Duration bound, long process) {
        this.metadata = metadata;
        this.homes = homes;
        this.executor = executor;
        this.bound = bound;
        this.self = new Homes.Guest(metadata.self(), process);
        this.handles = new GuestHandles(this::keepAlive, executor);
    }

    /** The node that has the file open for writing, where that is another one, else null. */
    @Nullable NodeId elsewhere(@Nullable NodeId writer) {
        return writer == null || writer.equals(metadata.self()) ? null : writer;
    }

    // opening and closing

    /** In turn. Makes sure of a handle at the home; false where that node is not the home. */
    boolean open(FileAtHome file, boolean write) throws ErrnoException {
        long known = file.handle(write);
        long handle = known == 0 ? handles.add(file.home) : known;
        boolean opened = false;
        try {
            HomeReply reply = ask(file.ino, file.home, new HomeRequest.Open(file.ino, handle, write), NO_BYTES);
            opened = done(file.home, reply) != null;
            if (opened) {
                file.opened(write, handle);
            }
            return opened;
        } finally {
            if (!opened && known == 0) {
                release(file, handle);
            }
        }
    }

    /** In turn. The last writer here is gone. Does not wait for the home. */
    void stopWriting(FileAtHome file) {
        release(file, file.handle(true));
        file.opened(true, 0);
    }

    /** In turn. Nobody here has it open any more. */
    void close(FileAtHome file) {
        stopWriting(file);
        release(file, file.handle(false));
        file.opened(false, 0);
    }

    private void release(FileAtHome file, long handle) {
        if (handle == 0) {
            return;
        }
        handles.remove(file.home, handle);
        executor.execute(() -> {
            try {
                HomeReply ignored = once(file.home, new HomeRequest.Release(file.ino, handle), NO_BYTES);
            } catch (IOException | ErrnoException e) {
                // The home hears of it with the next sign of life, or takes this node for gone.
                LOG.debug("node {} was not told that inode {} is closed here", file.home, file.ino, e);
            }
        });
    }

    // using

    int read(FileAtHome file, long offset, MemorySegment target) throws ErrnoException {
        int done = 0;
        while (done < target.byteSize()) {
            MemorySegment piece = target.asSlice(done, Math.min(HomeRequest.MAX_BYTES, target.byteSize() - done));
            long count = use(file, new HomeRequest.Read(file.ino, file.anyHandle(), offset + done), piece);
            done += (int) count;
            if (count < piece.byteSize()) {
                break;
            }
        }
        return done;
    }

    void write(FileAtHome file, long offset, MemorySegment source) throws ErrnoException {
        for (long done = 0; done < source.byteSize(); done += HomeRequest.MAX_BYTES) {
            MemorySegment piece = source.asSlice(done, Math.min(HomeRequest.MAX_BYTES, source.byteSize() - done));
            long ignored =
                    use(file, new HomeRequest.Write(file.ino, file.handle(true), next(file), offset + done), piece);
        }
    }

    /** In one piece up to {@link HomeRequest#MAX_BYTES}, which is as much as the kernel sends in one. */
    void append(FileAtHome file, MemorySegment source) throws ErrnoException {
        for (long done = 0; done < source.byteSize(); done += HomeRequest.MAX_BYTES) {
            MemorySegment piece = source.asSlice(done, Math.min(HomeRequest.MAX_BYTES, source.byteSize() - done));
            long ignored = use(file, new HomeRequest.Append(file.ino, file.handle(true), next(file)), piece);
        }
    }

    void truncate(FileAtHome file, long size) throws ErrnoException {
        long ignored = use(file, new HomeRequest.Truncate(file.ino, file.handle(true), next(file), size), NO_BYTES);
    }

    void allocate(FileAtHome file, int mode, long offset, long length) throws ErrnoException {
        long ignored = use(
                file,
                new HomeRequest.Allocate(file.ino, file.handle(true), next(file), mode, offset, length),
                NO_BYTES);
    }

    long seek(FileAtHome file, long offset, int whence) throws ErrnoException {
        return use(file, new HomeRequest.Seek(file.ino, file.anyHandle(), offset, whence), NO_BYTES);
    }

    void sync(FileAtHome file, boolean dataOnly) throws ErrnoException {
        long ignored = use(file, new HomeRequest.Sync(file.ino, file.anyHandle(), dataOnly), NO_BYTES);
    }

    void flush(FileAtHome file) throws ErrnoException {
        long ignored = use(file, new HomeRequest.Flush(file.ino, file.handle(true)), NO_BYTES);
    }

    private static long next(FileAtHome file) {
        return file.lastChange.incrementAndGet();
    }

    private long use(FileAtHome file, HomeRequest.OfHandle request, MemorySegment data) throws ErrnoException {
        if (!file.gone() && request.handle() != 0) {
            HomeReply.Done done = done(file.home, ask(file.ino, file.home, request, data));
            if (done != null) {
                return done.value();
            }
            file.markGone();
        }
        throw new ErrnoException(
                Errno.EIO, "inode " + file.ino + " was open on node " + file.home + ", which has it open no more");
    }

    // without a handle

    /** How the file looks while it is written there; null where it is not, or the home does not answer at once. */
    Disk.@Nullable Stat inspect(long ino, NodeId home) throws ErrnoException {
        try {
            HomeReply.Done done = done(home, twice(home, new HomeRequest.Inspect(ino), NO_BYTES));
            return done == null ? null : done.now();
        } catch (IOException e) {
            LOG.info("node {} writes inode {} and does not say how it looks: {}", home, ino, e.getMessage());
            return null;
        }
    }

    /** What is being written there, at this moment; -1 where nothing is. */
    int peek(long ino, NodeId home, long offset, MemorySegment target) throws ErrnoException {
        MemorySegment piece = target.asSlice(0, Math.min(HomeRequest.MAX_BYTES, target.byteSize()));
        HomeReply.Done done = done(home, ask(ino, home, new HomeRequest.Peek(ino, offset), piece));
        return done == null ? -1 : (int) done.value();
    }

    /** False where the file is not written there. */
    boolean setTimes(long ino, NodeId home, @Nullable Timestamp accessed, @Nullable Timestamp modified)
            throws ErrnoException {
        return done(home, ask(ino, home, new HomeRequest.SetTimes(ino, accessed, modified), NO_BYTES)) != null;
    }

    // asking

    private static HomeReply.@Nullable Done done(NodeId home, HomeReply reply) throws ErrnoException {
        return switch (reply) {
            case HomeReply.Done done -> done;
            case HomeReply.NotHome() -> null;
            case HomeReply.Failed(Errno errno, String reason) ->
                throw new ErrnoException(errno, "node " + home + ": " + reason);
        };
    }

    private HomeReply ask(long ino, NodeId home, HomeRequest request, MemorySegment data) throws ErrnoException {
        long deadline = System.nanoTime() + bound.toNanos();
        while (true) {
            try {
                return twice(home, request, data);
            } catch (IOException e) {
                Optional<NodeId> now = metadata.awaitWriter(ino, BETWEEN_TRIES);
                if (!now.equals(Optional.of(home))) {
                    return new HomeReply.NotHome();
                }
                if (System.nanoTime() - deadline > 0) {
                    LOG.warn(
                            "node {} has inode {} open for writing, and cannot be reached from here within {} s: {}",
                            home,
                            ino,
                            bound.toSeconds(),
                            e.getMessage());
                    throw new ErrnoException(
                            Errno.EIO, "node " + home + ", where inode " + ino + " is open, does not answer", e);
                }
            }
        }
    }

    /** A kept connection may turn out to be closed, so one more try costs nothing and often helps. */
    private HomeReply twice(NodeId home, HomeRequest request, MemorySegment data) throws ErrnoException, IOException {
        try {
            return once(home, request, data);
        } catch (IOException e) {
            LOG.debug("{} goes to node {} again", request, home, e);
            addresses.remove(home);
            return once(home, request, data);
        }
    }

    private HomeReply once(NodeId home, HomeRequest request, MemorySegment data) throws ErrnoException, IOException {
        return homes.ask(address(home), self, request, data);
    }

    private NodeAddress address(NodeId home) throws ErrnoException, IOException {
        NodeAddress known = addresses.get(home);
        if (known != null) {
            return known;
        }
        for (NodeAddress node : metadata.nodes()) {
            addresses.put(node.id(), node);
        }
        NodeAddress found = addresses.get(home);
        if (found == null) {
            throw new IOException("node " + home + " is not connected to the coordinator");
        }
        return found;
    }

    private void keepAlive(NodeId home, long newest, List<Long> open) {
        try {
            HomeReply ignored = once(home, new HomeRequest.KeepAlive(newest, open), NO_BYTES);
        } catch (IOException | ErrnoException e) {
            LOG.debug("node {} does not hear that {} files are open here", home, open.size(), e);
        }
    }

    /** Every home is told once that nothing is open here any more. */
    @Override
    public void close() {
        handles.close();
    }
}
