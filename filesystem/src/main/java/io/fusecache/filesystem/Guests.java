package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.cache.HomeReply;
import io.fusecache.cache.HomeRequest;
import io.fusecache.cache.Homes;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.NodeId;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node as a home: programs of other nodes that read and write files which are open for writing here ({@link Forwarding} is
 * the other end).
 *
 * <p>An open file of a guest counts as a reader or writer of its inode like one of this node's own, so the write lease, the
 * backing file and the commit live as long as it does. Everything it does goes through the very calls that the kernel's requests
 * go through, and to the same backing file that the kernel reads and writes by itself; what it changes the kernel is told before
 * the guest hears of it, with no lock and no turn held.
 *
 * <p>A guest that is silent for {@link #SILENCE_MILLIS}, or comes back as another process, is gone: what it had open is closed.
 */
final class Guests implements Homes.Host, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Guests.class);
    private static final long SILENCE_MILLIS = 15_000;
    private static final int MOST_GUESTS = 4096;

    private final OpenFiles table;
    private final Incarnations incarnations;
    private final Opens opens;
    private final Reads reads;
    private final Writes writes;
    private final FileSpace space;
    private final Releases releases;
    private final Attributes attributes;
    private final KernelCache kernel;
    private final Executor executor;
    private final ConcurrentHashMap<NodeId, GuestProcess> guests = new ConcurrentHashMap<>();
    private final AtomicBoolean watching = new AtomicBoolean();
    private volatile boolean closed;

    Guests(
            OpenFiles table,
            Incarnations incarnations,
            Opens opens,
            Reads reads,
            Writes writes,
            FileSpace space,
            Releases releases,
            Attributes attributes,
            KernelCache kernel,
            Executor executor) {
        this.table = table;
        this.incarnations = incarnations;
        this.opens = opens;
        this.reads = reads;
        this.writes = writes;
        this.space = space;
        this.releases = releases;
        this.attributes = attributes;
        this.kernel = kernel;
        this.executor = executor;
    }

    @Override
    public HomeReply serve(Homes.Guest guest, HomeRequest request, MemorySegment data) {
        try {
            return switch (request) {
                case HomeRequest.OfHandle asked -> served(guest, asked, data);
                case HomeRequest.Peek(long ino, long offset) -> peek(ino, offset, data);
                case HomeRequest.Inspect(long ino) -> inspect(ino);
                case HomeRequest.SetTimes times -> setTimes(times);
                case HomeRequest.KeepAlive alive -> {
                    GuestProcess process = process(guest);
                    if (process != null) {
                        process.keep(alive.newest(), alive.open());
                    }
                    yield new HomeReply.Done(0, null);
                }
            };
        } catch (ErrnoException e) {
            LOG.debug("{} of {}", request, guest, e);
            return new HomeReply.Failed(e.errno(), e.reason());
        } catch (RuntimeException | AssertionError e) {
            LOG.error("{} of {} failed", request, guest, e);
            return new HomeReply.Failed(Errno.EIO, "the home failed: its log says why");
        }
    }

    // guests

    private @Nullable GuestProcess process(Homes.Guest guest) {
        if (closed) {
            return null;
        }
        AtomicReference<GuestProcess> replaced = new AtomicReference<>();
        GuestProcess known = guests.compute(guest.node(), (node, now) -> {
            if (now == null) {
                return guests.mappingCount() >= MOST_GUESTS ? null : new GuestProcess(guest.process(), 0, this::close);
            }
            if (now.is(guest.process()) || now.follows(guest.process())) {
                return now;
            }
            replaced.set(now);
            return now.next(guest.process());
        });
        GuestProcess before = replaced.get();
        if (before != null) {
            LOG.info("node {} was restarted: what it had open here is closed", guest.node());
            int ignored = before.end();
        }
        if (known == null || !known.is(guest.process())) {
            // Too many, or a late word of a process that its node has replaced.
            return null;
        }
        known.heard();
        watch();
        return closed ? null : known;
    }

    private void watch() {
        if (watching.compareAndSet(false, true)) {
            CompletableFuture.delayedExecutor(SILENCE_MILLIS / 3, TimeUnit.MILLISECONDS, executor)
                    .execute(() -> {
                        watching.set(false);
                        dropSilent();
                    });
        }
    }

    private void dropSilent() {
        guests.forEach((node, process) -> {
            if (process.silentMillis() > SILENCE_MILLIS && guests.remove(node, process) && process.end() > 0) {
                LOG.warn(
                        "node {} was not heard of for {} s: what it had open here is closed",
                        node,
                        SILENCE_MILLIS / 1000);
            }
        });
        if (!guests.isEmpty() && !closed) {
            watch();
        }
    }

    private void close(GuestFile file) {
        try {
            releases.release(file.nodeId(), file.handle());
        } catch (ErrnoException e) {
            LOG.warn("a guest's handle of inode {} is not closed: {}", NodeIds.ino(file.nodeId()), e.getMessage());
        }
    }

    /** Commits and closes what guests have open, and takes nothing more: whoever asks is told that this is no home. */
    @Override
    public void close() {
        closed = true;
        guests.values().forEach(GuestProcess::end);
        guests.clear();
    }

    // handles

    private HomeReply served(Homes.Guest guest, HomeRequest.OfHandle request, MemorySegment data)
            throws ErrnoException {
        GuestProcess process = process(guest);
        if (process == null) {
            return new HomeReply.NotHome();
        }
        if (request instanceof HomeRequest.Open open) {
            return open(process, open);
        }
        if (request instanceof HomeRequest.Release) {
            process.close(request.handle());
            return new HomeReply.Done(0, null);
        }
        GuestFile file = process.enter(request.handle());
        if (file == null) {
            return new HomeReply.NotHome();
        }
        try {
            return NodeIds.ino(file.nodeId()) != request.ino() ? new HomeReply.NotHome() : used(file, request, data);
        } finally {
            process.leave(file);
        }
    }

    private HomeReply open(GuestProcess process, HomeRequest.Open open) throws ErrnoException {
        GuestFile known = process.enter(open.handle());
        if (known != null) {
            try {
                boolean same = NodeIds.ino(known.nodeId()) == open.ino()
                        && Handle.of(known.handle()).write() == open.write();
                return same && isHome(known.nodeId()) ? new HomeReply.Done(0, null) : new HomeReply.NotHome();
            } finally {
                process.leave(known);
            }
        }
        return process.open(open.handle(), () -> {
            if (process.isFull()) {
                return new HomeReply.Failed(Errno.EAGAIN, "a node has too many files open here");
            }
            GuestFile file = openHere(open.ino(), open.write());
            if (file == null) {
                return new HomeReply.NotHome();
            }
            return process.add(open.handle(), file) ? new HomeReply.Done(0, null) : new HomeReply.NotHome();
        });
    }

    /** As another reader or writer, where somebody has it open here for writing; else null. */
    private @Nullable GuestFile openHere(long ino, boolean write) {
        InodeIo io = table.use(incarnations.nodeId(ino));
        boolean opened = false;
        io.turn.lock();
        try {
            opened = !closed && io.writtenHere() && !io.lost();
            if (!opened) {
                return null;
            }
            if (write) {
                io.addWriter();
            } else {
                io.addReader();
            }
            int incarnation = io.opened().cached().incarnation();
            return new GuestFile(io.nodeId, new Handle(true, write, false, incarnation).bits());
        } finally {
            io.turn.unlock();
            if (!opened) {
                table.done(io);
            }
        }
    }

    private boolean isHome(long nodeId) {
        InodeIo io = table.use(nodeId);
        io.turn.lock();
        try {
            return !closed && incarnations.isCurrent(nodeId) && io.writtenHere() && !io.lost();
        } finally {
            io.turn.unlock();
            table.done(io);
        }
    }

    private HomeReply used(GuestFile file, HomeRequest.OfHandle request, MemorySegment data) throws ErrnoException {
        if (request instanceof HomeRequest.Change change) {
            return file.once(change.sequence(), () -> {
                change(file, change, data);
                return new HomeReply.Done(0, stat(file.nodeId()));
            });
        }
        long node = file.nodeId();
        long value = 0;
        switch (request) {
            case HomeRequest.Read read -> value = reads.read(node, offset(read.offset()), data, true);
            case HomeRequest.Seek seek -> value = space.seek(node, seek.offset(), seek.whence());
            case HomeRequest.Sync sync -> releases.fsync(node, file.handle(), sync.dataOnly());
            case HomeRequest.Flush flush -> releases.flush(node, file.handle());
            case HomeRequest.Open open -> throw new AssertionError(open);
            case HomeRequest.Release release -> throw new AssertionError(release);
            case HomeRequest.Change change -> throw new AssertionError(change);
        }
        return new HomeReply.Done(value, stat(node));
    }

    private static long offset(long offset) throws ErrnoException {
        if (offset < 0) {
            throw new ErrnoException(Errno.EINVAL, "offset " + offset);
        }
        return offset;
    }

    private void change(GuestFile file, HomeRequest.Change change, MemorySegment data) throws ErrnoException {
        long node = file.nodeId();
        if (!Handle.of(file.handle()).write()) {
            throw new ErrnoException(Errno.EBADF, "inode " + change.ino() + " is open for reading only");
        }
        switch (change) {
            case HomeRequest.Write write -> {
                if (offset(write.offset()) > Long.MAX_VALUE - data.byteSize()) {
                    throw new ErrnoException(Errno.EFBIG, "a write at " + write.offset());
                }
                if (table.backing(node).mode() == InodeIo.Mode.DAEMON) {
                    // What a mapping here has stored in these pages is written first, not later over the guest's bytes.
                    kernel.contentChanged(node, write.offset(), data.byteSize());
                }
                writes.write(node, file.handle(), write.offset(), data);
                tellKernel(node, write.offset(), data.byteSize());
            }
            case HomeRequest.Append append -> {
                long before = stat(node).size();
                boolean ignored = writes.append(node, file.handle(), before, data);
                tellKernel(node, before, 0);
            }
            case HomeRequest.Truncate truncate -> {
                long size = offset(truncate.size());
                long before = stat(node).size();
                opens.truncate(node, size);
                tellKernel(node, Math.min(before, size), 0);
            }
            case HomeRequest.Allocate allocate -> {
                space.allocate(node, file.handle(), allocate.mode(), allocate.offset(), allocate.length());
                tellKernel(node, allocate.offset(), 0);
            }
        }
    }

    /** {@code length} 0: to the end. */
    private void tellKernel(long nodeId, long offset, long length) throws ErrnoException {
        if (table.backing(nodeId).mode() == InodeIo.Mode.DAEMON) {
            kernel.contentChanged(nodeId, offset, length);
        } else {
            kernel.attributesChanged(nodeId);
        }
    }

    private Disk.Stat stat(long nodeId) throws ErrnoException {
        try {
            return table.backing(nodeId).cached().file().stat();
        } catch (IOException e) {
            throw Failures.of("stat of inode " + NodeIds.ino(nodeId), e);
        }
    }

    // without a handle

    private HomeReply peek(long ino, long offset, MemorySegment data) throws ErrnoException {
        GuestFile file = openHere(ino, false);
        if (file == null) {
            return new HomeReply.NotHome();
        }
        try {
            return new HomeReply.Done(reads.read(file.nodeId(), offset(offset), data, true), stat(file.nodeId()));
        } finally {
            close(file);
        }
    }

    private HomeReply inspect(long ino) throws ErrnoException {
        InodeIo io = table.find(incarnations.nodeId(ino));
        InodeIo.Backing backing = io == null ? null : io.backing();
        if (io == null || backing == null || !io.live()) {
            return new HomeReply.NotHome();
        }
        CachedFile file = backing.cached();
        try {
            return new HomeReply.Done(0, file.file().stat());
        } catch (IOException e) {
            if (backing.equals(io.backing())) {
                throw Failures.of("stat of inode " + ino, e);
            }
            return new HomeReply.NotHome();
        } catch (IllegalStateException e) {
            // Closed under our eyes, and its pin was given back before we asked.
            if (backing.equals(io.backing())) {
                throw e;
            }
            return new HomeReply.NotHome();
        }
    }

    private HomeReply setTimes(HomeRequest.SetTimes times) throws ErrnoException {
        long node = incarnations.nodeId(times.ino());
        if (!isHome(node)) {
            return new HomeReply.NotHome();
        }
        AttributeChange change = new AttributeChange(null, null, null, times.accessed(), times.modified(), false);
        var ignored = attributes.change(node, change);
        kernel.attributesChanged(node);
        return new HomeReply.Done(0, null);
    }
}
