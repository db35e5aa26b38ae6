package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closing: commits what was written, gives the write lease and the backing file back.
 *
 * <p>The last writer may have to stay on as a writer of nobody, for two reasons. What it wrote cannot be committed while the
 * coordinator is away. Or a mapping outlives its descriptor, which the kernel releases at close(2) where the file is
 * passed through: the file is still being written then, and stores into a page that is dirty already do not even change its
 * times. So it counts as open for writing until the mapping is gone, and is committed once more.
 */
final class Releases {
    private static final Logger LOG = LoggerFactory.getLogger(Releases.class);

    /** A release whose commit failed for want of the coordinator is tried again this much later. */
    private static final Duration RETRY = Duration.ofSeconds(2);

    private final Metadata metadata;
    private final OpenFiles table;
    private final BackingChoice choice;
    private final Commits commits;
    private final Uploads uploads;
    private final Unlinked unlinked;
    private final Departed departed;
    private final PageCache pageCache;
    private final AccessTimes accessTimes;
    private final KernelCache kernel;
    private final Forwarding forwarding;
    private final Durability durability;
    private final Executor executor;
    private final Doubt doubt;

    /** When to look whether an inode was removed elsewhere: by the clock of {@link System#nanoTime}, one look each. */
    private final ConcurrentHashMap<Long, Long> looks = new ConcurrentHashMap<>();

    Releases(
            Metadata metadata,
            OpenFiles table,
            BackingChoice choice,
            Commits commits,
            Uploads uploads,
            Unlinked unlinked,
            Departed departed,
            PageCache pageCache,
            AccessTimes accessTimes,
            KernelCache kernel,
            Forwarding forwarding,
            Durability durability,
            Executor executor,
            Doubt doubt) {
        this.metadata = metadata;
        this.table = table;
        this.choice = choice;
        this.commits = commits;
        this.uploads = uploads;
        this.unlinked = unlinked;
        this.departed = departed;
        this.pageCache = pageCache;
        this.accessTimes = accessTimes;
        this.kernel = kernel;
        this.forwarding = forwarding;
        this.durability = durability;
        this.executor = executor;
        this.doubt = doubt;
    }

    /** close(2) of one descriptor: what it wrote is committed when this returns. At once for a reader's. */
    void flush(long nodeId, long handle) throws ErrnoException {
        InodeIo io = table.io(nodeId);
        if (!Handle.of(handle).write()) {
            accessTimes.closedByReader(io);
            return;
        }
        FileAtHome home = io.home();
        if (home != null) {
            forwarding.flush(home);
            return;
        }
        boolean mapped;
        io.turn.lock();
        try {
            commits.commitAtClose(io);
            tellOfMapping(io);
            mapped = io.mayHaveBeenMapped();
        } catch (IOException e) {
            throw Failures.of("commit of inode " + io.ino(), e);
        } finally {
            io.turn.unlock();
        }
        awaitDurability(io, mapped);
    }

    /** In turn, after a commit: what a mapping stores reaches the file below, and the kernel goes on with the times it has. */
    private void tellOfMapping(InodeIo io) {
        if (io.mayHaveBeenMapped()) {
            kernel.attributesChanged(io.nodeId);
        }
    }

    void fsync(long nodeId, long handle, boolean dataOnly) throws ErrnoException {
        InodeIo.Backing backing = table.backing(nodeId);
        if (backing.home() != null) {
            forwarding.sync(backing.home(), dataOnly);
        }
        if (backing.file() == null) {
            return;
        }
        metadata.settle(NodeIds.ino(nodeId));
        try {
            backing.file().sync(dataOnly);
            if (backing.mode() == InodeIo.Mode.PASSTHROUGH && Handle.of(handle).read()) {
                kernel.attributesChanged(nodeId);
            }
        } catch (IOException e) {
            throw Failures.of("fsync of inode " + NodeIds.ino(nodeId), e);
        }
        if (durability == Durability.CLOUD) {
            flush(nodeId, handle);
        }
    }

    /** @param mapped whether a mapping may store what no time shows, unless its pages are clean: then their next store has a time */
    private void awaitDurability(InodeIo io, boolean mapped) throws ErrnoException {
        InodeIo.Backing backing = io.backing();
        if (durability == Durability.CLOUD && backing != null && !unlinked.worthless(io.ino())) {
            try {
                if (mapped) {
                    backing.cached().sync(true);
                }
            } catch (IOException e) {
                throw Failures.of("sync of inode " + io.ino(), e);
            }
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

    /** In turn. Where the last writer cannot leave yet, it stays on until it can. */
    void writerLeaves(InodeIo io) {
        FileAtHome home = io.home();
        if (home != null) {
            if (io.writers() == 1) {
                forwarding.stopWriting(home);
            }
        } else if (io.writers() == 1) {
            long wait = stopWriting(io);
            if (wait > 0) {
                table.use(io.nodeId);
                CompletableFuture.delayedExecutor(wait, TimeUnit.MILLISECONDS, executor)
                        .execute(() -> retryRelease(io));
                return;
            }
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

    /** Returns 0 where all is committed and the lease given back, else after how many milliseconds to try again. */
    private long stopWriting(InodeIo io) {
        long ino = io.ino();
        try {
            if (!io.lost() && !unlinked.worthlessElsewhere(ino)) {
                boolean mapped = io.live() && writtenByMapping(io);
                if (io.unmapped(mapped)) {
                    commits.commitOtherBytes(io);
                } else if (io.live() && !mapped) {
                    commits.commitUnseenStores(io);
                }
                commits.commitAtLastClose(io, mapped);
                tellOfMapping(io);
                if (mapped) {
                    return io.nextLookMillis();
                }
                if (!unlinked.worthless(ino)) {
                    queueUpload(io);
                }
            }
        } catch (ErrnoException | IOException e) {
            setAsideWhereOverQuota(io, e);
            boolean hopeless = e instanceof IOException && unlinked.worthless(ino);
            if (!io.lost() && !hopeless) {
                LOG.warn("inode {} is written but not committed, trying again in {}: {}", ino, RETRY, e.getMessage());
                return RETRY.toMillis();
            }
            LOG.error("inode {}: {}", ino, e.getMessage());
        }
        metadata.endWrite(ino);
        if (!unlinked.worthlessElsewhere(ino)) {
            io.stoppedWriting();
        }
        return 0;
    }

    /** It would not fit later either. close() has told, and the last version that did fit stands. */
    private void setAsideWhereOverQuota(InodeIo io, Exception failure) {
        if (failure instanceof ErrnoException refused && refused.errno() == Errno.EDQUOT) {
            try {
                commits.setAside(io, io.opened().cached());
                kernel.attributesChanged(io.nodeId);
            } catch (IOException e) {
                LOG.error("inode {} is over its quota and cannot be set aside: {}", io.ino(), e.getMessage());
            }
        }
    }

    /**
     * Whether some mapping writes the file. Where the system counts readers as well, this cannot be told while one has it
     * open here: the look is put off until the last of them leaves.
     */
    private static boolean writtenByMapping(InodeIo io) throws IOException {
        if (!io.opened().cached().file().writableElsewhere()) {
            return false;
        }
        if (io.readers() > 0) {
            io.doubtWhereMappable();
            return false;
        }
        return true;
    }

    private void queueUpload(InodeIo io) {
        FileVersion version = io.opened().cached().version();
        if (io.committedHere()) {
            uploads.closed(version, io.committedStat());
        } else {
            uploads.closedUnchanged(version, io.committedStat());
        }
    }

    /** In turn, after the last handle: nothing of it stays open. */
    void giveBack(InodeIo io) {
        boolean lost = io.lost();
        boolean doubted = io.doubted();
        Disk.Stat committed = io.committedStat();
        boolean overtaken = io.overtaken();
        accessTimes.closing(io);
        InodeIo.Backing last = io.detach();
        choice.giveBack(last);
        if (overtaken) {
            pageCache.drop(io.nodeId);
        } else if (last.mode() == InodeIo.Mode.DAEMON) {
            pageCache.closedAt(io.nodeId, last.version().version());
        }
        if (last.home() != null) {
            // A private mapping has brought in pages of no version.
            pageCache.drop(io.nodeId);
            forwarding.close(last.home());
        }
        CachedFile file = last.file();
        if (file != null) {
            if (lost) {
                drop(file);
            } else if (doubted) {
                executor.execute(() -> {
                    if (!uploads.stands(io.ino(), committed)) {
                        doubt.settle(io.ino(), committed);
                    }
                });
            }
            file.close();
        }
        if (table.isOpen(io.ino())) {
            // As another incarnation, whose last close comes here, too.
            return;
        }
        if (unlinked.contains(io.ino())) {
            if (unlinked.worthless(io.ino())) {
                discard(io.ino());
            }
            unlinked.closed(io.ino());
        } else if (unlinked.suspected(io.ino())) {
            lookLater(io.ino());
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

    /**
     * Said to be open, though it may not be yet, or not be any more while its name led others here a moment ago: where it is not soon,
     * and was removed elsewhere, nothing here keeps it.
     */
    void lookLater(long ino) {
        long when = System.nanoTime() + 2 * RecentLookups.WINDOW.toNanos();
        if (looks.put(ino, when) == null) {
            lookAt(ino, when);
        }
    }

    private void lookAt(long ino, long when) {
        CompletableFuture.delayedExecutor(when - System.nanoTime(), TimeUnit.NANOSECONDS, executor)
                .execute(() -> {
                    Long last = looks.get(ino);
                    if (last != null && !looks.remove(ino, when)) {
                        lookAt(ino, last);
                    } else if (table.isOpen(ino)) {
                        // Its last close looks.
                        return;
                    } else if (table.isUsed(ino)) {
                        lookLater(ino);
                    } else if (unlinked.takeSuspicion(ino)) {
                        releaseWhereRemoved(ino);
                    }
                });
    }

    private void releaseWhereRemoved(long ino) {
        boolean kept = false;
        try {
            Inode inode = metadata.inode(ino);
            kept = inode.kept();
            if (inode.links() > 0) {
                return;
            }
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ESTALE) {
                LOG.debug("whether inode {} was removed meanwhile is not known", ino, e);
                unlinked.suspect(ino);
                lookLater(ino);
                return;
            }
        }
        Runnable last = kept ? () -> {} : () -> discard(ino);
        if (!unlinked.releaseRemoved(ino, () -> table.isUsed(ino), last)) {
            unlinked.suspect(ino);
            lookLater(ino);
        }
    }

    /** The file has no name any more: its bytes go, unless a handle still reads them, here or on another node. */
    void discard(long ino) {
        uploads.forget(ino);
        if (!table.isOpen(ino)) {
            departed.add(ino);
        }
    }

    /** Takes a file up again that a mapping may write, though nobody has it open. */
    interface Doubt {
        /** @param committed how the backing file looked with what was committed last */
        void settle(long ino, Disk.@Nullable Stat committed);
    }
}
