package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.DiskException;
import io.fusecache.cache.FetchFailedException;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeId;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opening and releasing: takes a file through the states of {@link InodeIo}, with the write lease, the backing file and the
 * kernel's registration of it in hand.
 */
final class Opens {
    private static final Logger LOG = LoggerFactory.getLogger(Opens.class);

    /** A release whose commit failed for want of the coordinator is tried again this much later. */
    private static final Duration RETRY = Duration.ofSeconds(2);

    /** Rounds of "the content changed again while we fetched it" before an open gives up. */
    private static final int MAX_FETCHES = 5;

    private final Metadata metadata;
    private final LocalTier local;
    private final Room room;
    private final OpenFiles table;
    private final Incarnations incarnations;
    private final BackingChoice choice;
    private final FileSpace space;
    private final Commits commits;
    private final Uploads uploads;
    private final Unlinked unlinked;
    private final PageCache pageCache;
    private final Activity activity;
    private final FileSystemOptions options;
    private final Executor executor;

    Opens(
            Metadata metadata,
            LocalTier local,
            Room room,
            OpenFiles table,
            Incarnations incarnations,
            BackingChoice choice,
            FileSpace space,
            Commits commits,
            Uploads uploads,
            Unlinked unlinked,
            PageCache pageCache,
            Activity activity,
            FileSystemOptions options,
            Executor executor) {
        this.metadata = metadata;
        this.local = local;
        this.room = room;
        this.table = table;
        this.incarnations = incarnations;
        this.choice = choice;
        this.space = space;
        this.commits = commits;
        this.uploads = uploads;
        this.unlinked = unlinked;
        this.pageCache = pageCache;
        this.activity = activity;
        this.options = options;
        this.executor = executor;
    }

    // opening

    OpenFile open(long nodeId, OpenMode mode) throws ErrnoException {
        InodeIo io = table.use(nodeId);
        io.turn.lock();
        boolean opened = false;
        try {
            OpenFile file = mode.changes() ? openForWriting(io, mode) : openForReading(io);
            opened = true;
            return file;
        } catch (IOException e) {
            throw Failures.of("open of inode " + io.ino(), e);
        } finally {
            leave(io, opened);
        }
    }

    /** As {@link #open} for reading where all that it needs is at hand, else null. */
    @Nullable OpenFile tryOpen(long nodeId, OpenMode mode) throws ErrnoException {
        Inode inode = metadata.cachedInode(NodeIds.ino(nodeId));
        if (mode.changes() || inode == null) {
            return null;
        }
        InodeIo io = table.use(nodeId);
        if (!io.turn.tryLock()) {
            table.done(io);
            return null;
        }
        boolean opened = false;
        try {
            opened = attachAtOnce(io, inode);
            return opened ? read(io) : null;
        } catch (IOException e) {
            throw Failures.of("open of inode " + io.ino(), e);
        } finally {
            leave(io, opened);
        }
    }

    private boolean attachAtOnce(InodeIo io, Inode inode) throws IOException {
        InodeIo.Backing backing = io.backing();
        if (backing != null) {
            return io.writers() > 0 || backing.version().version() == inode.version();
        }
        if (!incarnations.isCurrent(io.nodeId)) {
            return false;
        }
        Optional<CachedFile> found = local.find(io.ino());
        if (found.isEmpty()) {
            return false;
        }
        CachedFile file = found.get();
        if (file.version().version() != inode.version() || file.writing() || !file.whole() || !file.verified()) {
            file.close();
            return false;
        }
        io.attach(choice.ready(file));
        return true;
    }

    /** What every open ends with: nothing half open stays. */
    private void leave(InodeIo io, boolean opened) {
        try {
            if (!opened && io.isOpen() && io.unused()) {
                giveBack(io);
            }
        } finally {
            io.turn.unlock();
            if (!opened) {
                table.done(io);
            }
        }
    }

    private OpenFile openForReading(InodeIo io) throws ErrnoException, IOException {
        if (io.writers() == 0) {
            FileVersion now = metadata.content(io.ino());
            if (io.isOpen()) {
                refuseOther(io, now);
            } else {
                refuseOldIncarnation(io);
                attach(io, now, false);
            }
        }
        return read(io);
    }

    private OpenFile read(InodeIo io) {
        io.addReader();
        CachedFile file = io.opened().file();
        activity.opened(file != null && file.whole());
        return answer(io, new OpenMode(true, false, false));
    }

    private OpenFile openForWriting(InodeIo io, OpenMode mode) throws ErrnoException, IOException {
        beginWriting(io, mode.truncate());
        io.addWriter();
        boolean done = false;
        try {
            if (mode.truncate()) {
                space.truncate(io, 0);
            }
            done = true;
            return answer(io, mode);
        } finally {
            if (!done) {
                writerLeaves(io);
            }
        }
    }

    /** Takes the write lease and makes the backing file writable, where no writer here has done so. */
    private void beginWriting(InodeIo io, boolean anew) throws ErrnoException, IOException {
        if (io.writers() > 0) {
            return;
        }
        FileVersion base = metadata.beginWrite(io.ino(), options.writeWait());
        boolean begun = false;
        try {
            if (io.isOpen()) {
                refuseOther(io, base);
            } else {
                refuseOldIncarnation(io);
                boolean watched = metadata.inode(io.ino()).setsId();
                if (anew || base.size() == 0) {
                    attachEmpty(io, base, watched);
                } else {
                    attach(io, base, watched);
                }
            }
            startWriting(io);
            begun = true;
        } finally {
            if (!begun) {
                metadata.endWrite(io.ino());
            }
        }
    }

    /** From here on the backing file tells size and times, so it is given those of the inode first. */
    private void startWriting(InodeIo io) throws ErrnoException, IOException {
        InodeIo.Backing backing = io.opened();
        CachedFile file = backing.file();
        if (file == null) {
            throw new ErrnoException(Errno.ENOSPC, "no room on the local disk to write inode " + io.ino());
        }
        Inode inode = metadata.inode(io.ino());
        if (!file.verified()) {
            // Once it is written to, no checksum of before tells a flipped bit from a new byte.
            choice.verify(file);
        }
        file.beginWriting();
        if (!file.whole()) {
            file.file().truncate(backing.version().size());
        }
        if (!io.live()) {
            file.file().setTimes(null, inode.modified());
            io.writingFrom(file.file().stat());
        }
    }

    /** A new file, made by {@link Metadata#create} with the write lease: opened for writing. */
    OpenFile created(Inode inode, OpenMode mode) throws ErrnoException {
        InodeIo io = table.use(incarnations.nodeId(inode.ino()));
        io.turn.lock();
        boolean opened = false;
        try {
            attachEmpty(io, FileVersion.empty(inode.ino(), options.blockBytes()), inode.setsId());
            CachedFile file = io.opened().cached();
            file.beginWriting();
            file.file().setTimes(null, inode.modified());
            io.writingFrom(file.file().stat());
            io.markChanged();
            io.addWriter();
            opened = true;
            // A writer even where it was created for reading: its release gives the write lease back.
            return answer(io, new OpenMode(mode.read(), true, mode.truncate()));
        } catch (IOException e) {
            throw Failures.of("create of inode " + inode.ino(), e);
        } finally {
            leave(io, opened);
            if (!opened) {
                metadata.endWrite(inode.ino());
            }
        }
    }

    private OpenFile answer(InodeIo io, OpenMode mode) {
        InodeIo.Backing backing = io.opened();
        CachedFile file = backing.file();
        int incarnation = file == null ? 0 : file.incarnation();
        boolean keepCache = backing.mode() == InodeIo.Mode.DAEMON
                && !mode.truncate()
                && (io.shared() || pageCache.holds(io.nodeId, backing.version().version()));
        return new OpenFile(
                new Handle(mode.read(), mode.changes(), false, incarnation).bits(), backing.backingId(), keepCache);
    }

    // backing

    private void attachEmpty(InodeIo io, FileVersion base, boolean watched) throws IOException {
        FileVersion empty = base.size() == 0 && base.sealed()
                ? base
                : new FileVersion(io.ino(), base.version(), 0, options.blockBytes(), new int[0], null);
        io.attach(choice.forWriting(room.create(empty), watched));
    }

    private void attach(InodeIo io, FileVersion first, boolean watched) throws ErrnoException, IOException {
        FileVersion version = first;
        for (int i = 0; ; i++) {
            CachedFile file = cached(version);
            if (file == null) {
                io.attach(new InodeIo.Backing(InodeIo.Mode.DAEMON, version, null, 0));
                return;
            }
            boolean kept = false;
            try {
                io.attach(choice.forContent(file, watched));
                kept = true;
                return;
            } catch (FetchFailedException e) {
                if (i == MAX_FETCHES) {
                    throw e;
                }
                version = afterFailure(version, e);
            } finally {
                if (!kept) {
                    file.close();
                }
            }
        }
    }

    /**
     * Its holders may have gone on to the next version, which is what this open should see then. Or one is about to: whoever
     * writes in place has the bytes of no version until he closes, and that can be waited for.
     */
    private FileVersion afterFailure(FileVersion version, FetchFailedException failure)
            throws ErrnoException, IOException {
        FileVersion now = metadata.content(version.ino());
        if (now.version() == version.version()) {
            NodeId writer = metadata.inode(version.ino()).writer();
            if (writer == null || writer.equals(metadata.self())) {
                throw failure;
            }
            now = metadata.beginWrite(version.ino(), options.writeWait());
            metadata.endWrite(version.ino());
        }
        return now;
    }

    /** The local file of that version, made where there is none; null where the disk has no room. */
    private @Nullable CachedFile cached(FileVersion version) throws IOException {
        Optional<CachedFile> found = local.find(version.ino());
        if (found.isPresent()) {
            CachedFile file = found.get();
            if (file.version().version() == version.version()) {
                int[] checksums = version.checksums();
                if (checksums != null && !file.version().sealed()) {
                    file.sealed(version.version(), checksums);
                }
                return file;
            }
            file.close();
        }
        try {
            return local.create(version);
        } catch (DiskException e) {
            if (e.errno() == Errno.ENOSPC) {
                return null;
            }
            throw e;
        }
    }

    private void refuseOther(InodeIo io, FileVersion now) throws ErrnoException {
        if (io.opened().version().version() != now.version()) {
            incarnations.supersede(io.nodeId);
            throw new ErrnoException(
                    Errno.ESTALE,
                    "inode " + io.ino() + " has a new version while an older one is open here: look it up again");
        }
    }

    private void refuseOldIncarnation(InodeIo io) throws ErrnoException {
        if (!incarnations.isCurrent(io.nodeId)) {
            throw new ErrnoException(
                    Errno.ESTALE, "inode " + io.ino() + " goes by another node id now: look it up again");
        }
    }

    // closing

    /** close(2) of one descriptor: what it wrote is committed when this returns. */
    void flush(long nodeId, long handle) throws ErrnoException {
        if (!Handle.of(handle).write()) {
            return;
        }
        InodeIo io = table.io(nodeId);
        io.turn.lock();
        try {
            commits.commitChanges(io, true);
        } catch (IOException e) {
            throw Failures.of("commit of inode " + io.ino(), e);
        } finally {
            io.turn.unlock();
        }
        awaitDurability(io);
    }

    void fsync(long nodeId, long handle, boolean dataOnly) throws ErrnoException {
        InodeIo.Backing backing = table.backing(nodeId);
        if (backing.file() == null) {
            return;
        }
        try {
            backing.file().sync(dataOnly);
        } catch (IOException e) {
            throw Failures.of("fsync of inode " + NodeIds.ino(nodeId), e);
        }
        if (options.durability() == Durability.CLOUD) {
            flush(nodeId, handle);
        }
    }

    private void awaitDurability(InodeIo io) throws ErrnoException {
        InodeIo.Backing backing = io.backing();
        if (options.durability() == Durability.CLOUD && backing != null && !unlinked.contains(io.ino())) {
            uploads.uploadNow(backing.version());
        }
    }

    /** The last descriptor of a handle is gone. What was written after the last flush, through a mapping, is committed. */
    void release(long nodeId, long handle) throws ErrnoException {
        InodeIo io = table.io(nodeId);
        io.turn.lock();
        try {
            if (!io.isOpen()) {
                throw new ErrnoException(Errno.EBADF, "release of inode " + io.ino() + ", which is not open");
            }
            if (Handle.of(handle).write()) {
                writerLeaves(io);
            } else if (io.removeReader()) {
                giveBack(io);
            }
        } finally {
            io.turn.unlock();
        }
        table.done(io);
    }

    /** As {@link #release} of a reader where nothing is in the way, else false. */
    boolean tryRelease(long nodeId, long handle) throws ErrnoException {
        InodeIo io = table.io(nodeId);
        if (Handle.of(handle).write() || !io.turn.tryLock()) {
            return false;
        }
        try {
            if (io.isOpen() && io.removeReader()) {
                giveBack(io);
            }
        } finally {
            io.turn.unlock();
        }
        table.done(io);
        return true;
    }

    /** Where what the last writer wrote cannot be committed now, it stays on as a writer of its own until it can. */
    private void writerLeaves(InodeIo io) {
        if (io.writers() == 1 && !stopWriting(io)) {
            table.use(io.nodeId);
            CompletableFuture.delayedExecutor(RETRY.toMillis(), TimeUnit.MILLISECONDS, executor)
                    .execute(() -> retryRelease(io));
            return;
        }
        if (io.removeWriter()) {
            giveBack(io);
        }
    }

    private void retryRelease(InodeIo io) {
        io.turn.lock();
        try {
            writerLeaves(io);
        } finally {
            io.turn.unlock();
        }
        table.done(io);
    }

    private boolean stopWriting(InodeIo io) {
        long ino = io.ino();
        try {
            if (!io.lost() && commits.commitChanges(io, false)) {
                FileVersion version = io.opened().cached().version();
                if (io.committedHere()) {
                    uploads.closed(version, io.committedStat());
                } else {
                    uploads.closedUnchanged(version, io.committedStat());
                }
            }
        } catch (ErrnoException | IOException e) {
            if (!io.lost()) {
                LOG.warn("inode {} is written but not committed, trying again in {}: {}", ino, RETRY, e.getMessage());
                return false;
            }
            LOG.error("inode {}: {}", ino, e.getMessage());
        }
        metadata.endWrite(ino);
        if (!unlinked.contains(ino)) {
            io.stoppedWriting();
        }
        return true;
    }

    private void giveBack(InodeIo io) {
        boolean lost = io.lost();
        InodeIo.Backing last = io.detach();
        choice.giveBack(last);
        if (last.mode() == InodeIo.Mode.DAEMON) {
            pageCache.closedAt(io.nodeId, last.version().version());
        }
        CachedFile file = last.file();
        if (file != null) {
            if (lost) {
                drop(file);
            }
            file.close();
        }
        if (unlinked.contains(io.ino())) {
            discard(io.ino());
            unlinked.closed(io.ino());
        } else if (unlinked.takeSuspicion(io.ino())) {
            executor.execute(() -> releaseWhereRemoved(io.ino()));
        }
    }

    /** What could not be committed was set aside: nobody must take it for the version it was written on. */
    private static void drop(CachedFile file) {
        try {
            file.supersede();
        } catch (IOException e) {
            LOG.error(
                    "the lost bytes of inode {} stay in the cache as {}: {}", file.ino(), file.path(), e.getMessage());
        }
    }

    private void releaseWhereRemoved(long ino) {
        try {
            if (metadata.inode(ino).links() > 0) {
                return;
            }
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ESTALE) {
                LOG.debug("whether inode {} was removed meanwhile is not known", ino, e);
                return;
            }
        }
        if (!table.isOpen(ino)) {
            unlinked.releaseRemoved(ino);
            discard(ino);
        }
    }

    /** The file is gone for good: its bytes go too, unless a handle still reads them. */
    void discard(long ino) {
        uploads.forget(ino);
        if (!table.isOpen(ino)) {
            try {
                local.discard(ino);
            } catch (IOException e) {
                LOG.warn("the cached bytes of removed inode {} stay until they are evicted: {}", ino, e.getMessage());
            }
        }
    }

    /** Runs {@code change} on a file as a writer that opens, changes, commits and leaves at once: truncate(2) by path. */
    void change(long nodeId, boolean anew, Change change) throws ErrnoException {
        InodeIo io = table.use(nodeId);
        io.turn.lock();
        try {
            beginWriting(io, anew);
            io.addWriter();
            try {
                change.on(io);
                if (io.writers() == 1) {
                    commits.commitChanges(io, true);
                }
            } finally {
                writerLeaves(io);
            }
        } catch (IOException e) {
            throw Failures.of("change of inode " + io.ino(), e);
        } finally {
            leave(io, false);
        }
    }

    /** Commits the backing file of a file that was being written, on top of {@code base}, when the process ended. */
    void recover(FileVersion base) throws ErrnoException {
        InodeIo io = table.use(incarnations.nodeId(base.ino()));
        io.turn.lock();
        try {
            FileVersion now = metadata.beginWrite(base.ino(), options.writeWait());
            Optional<CachedFile> found = local.find(base.ino());
            if (now.version() != base.version() || found.isEmpty()) {
                metadata.endWrite(base.ino());
                throw new ErrnoException(Errno.EIO, "inode " + base.ino() + " went on to " + now + " during recovery");
            }
            io.attach(new InodeIo.Backing(InodeIo.Mode.DAEMON, base, found.get(), 0));
            io.writingFrom(found.get().file().stat());
            io.markChanged();
            io.addWriter();
            writerLeaves(io);
        } catch (IOException e) {
            throw Failures.of("recovery of inode " + base.ino(), e);
        } finally {
            leave(io, false);
        }
    }

    /** Commits the backing file of a closed file, found to be ahead of its version: a mapping outlived the last close. */
    void recommit(long ino) throws ErrnoException {
        change(incarnations.nodeId(ino), false, InodeIo::markChanged);
    }

    interface Change {
        void on(InodeIo io) throws ErrnoException, IOException;
    }
}
