package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Access times as relatime promises them (mount(8)): a read shows where the access time was not after the last modification
 * and change, or is a day old.
 *
 * <p>Who reads a passed-through file is seen by the disk's file system alone. So where a read would have to show, the
 * backing file is given the inode's access time when it is opened ({@link #watch}), and when it has another one later, on
 * stat or at the last close, somebody has read it. The daemon's own reading of it leaves no trace (O_NOATIME).
 *
 * <p>What was seen is told to the coordinator a little later, many files at once, and other nodes are not recalled for it; until
 * it is known there, this node shows it from here. An access time that a program sets wins over all that was seen before.
 */
final class AccessTimes {
    private static final Logger LOG = LoggerFactory.getLogger(AccessTimes.class);
    private static final Duration DAY = Duration.ofDays(1);
    private static final long DELAY_MILLIS = 1000;
    private static final int MOST_PENDING = 1 << 16;
    private static final int BATCH = 256;

    private final Metadata metadata;
    private final KernelCache kernel;
    private final InstantSource clock;
    private final Executor executor;
    private final boolean kept;
    private final ConcurrentHashMap<Long, Timestamp> seen = new ConcurrentHashMap<>();
    /** What was told just now: whoever asked for the inode before, and got it as it was, is to find its time here. */
    private final ConcurrentHashMap<Long, Timestamp> told = new ConcurrentHashMap<>();

    private final AtomicBoolean scheduled = new AtomicBoolean();

    /** @param kept false: no read shows */
    AccessTimes(Metadata metadata, KernelCache kernel, InstantSource clock, Executor executor, boolean kept) {
        this.kept = kept;
        this.metadata = metadata;
        this.kernel = kernel;
        this.clock = clock;
        this.executor = executor;
    }

    /** The access time to show for an inode. */
    Timestamp of(Inode inode) {
        Timestamp pending = seen.isEmpty() ? null : seen.get(inode.ino());
        if (pending == null && !told.isEmpty()) {
            pending = told.get(inode.ino());
            if (pending != null && pending.compareTo(inode.changed()) < 0) {
                // Changed since by another node, which may have set the access time.
                pending = null;
            }
        }
        return pending != null && pending.compareTo(inode.accessed()) > 0 ? pending : inode.accessed();
    }

    private boolean due(Inode inode) {
        if (!kept) {
            return false;
        }
        Timestamp accessed = of(inode);
        return accessed.compareTo(inode.modified()) <= 0
                || accessed.compareTo(inode.changed()) <= 0
                || !accessed.toInstant().plus(DAY).isAfter(clock.instant());
    }

    /** In turn, for a reader who comes; {@code inode} may be null where the file is being written, and so watched already. */
    void opening(InodeIo io, @Nullable Inode inode) throws IOException {
        if (inode != null && !io.live()) {
            watch(io, inode);
        }
    }

    /** In turn: from here on the backing file tells the times, beginning with these. */
    void writing(InodeIo io, Disk.DiskFile file, Timestamp accessed, Timestamp modified) throws IOException {
        Disk.Stat stat = begin(file, accessed, modified);
        io.watch(stat.accessed());
        io.writingFrom(stat);
    }

    /**
     * Gives the backing file these times. The coordinator's clock is finer than the disk's, which stands still for milliseconds: an
     * access time ahead of the backing file's own change would hide the next reads from its file system.
     */
    private static Disk.Stat begin(Disk.DiskFile file, Timestamp accessed, @Nullable Timestamp modified)
            throws IOException {
        file.setTimes(accessed, modified);
        Disk.Stat stat = file.stat();
        if (accessed.compareTo(stat.changed()) <= 0) {
            return stat;
        }
        file.setTimes(stat.changed(), null);
        return file.stat();
    }

    /** In turn, of what is open: a read that has to show will be seen from here on. */
    void watch(InodeIo io, Inode inode) throws IOException {
        CachedFile file = io.opened().file();
        if (file == null || !due(inode)) {
            return;
        }
        if (io.watched() != null) {
            looked(io, file.file().stat());
            if (!due(inode)) {
                return;
            }
        }
        boolean differed = io.live() && io.differs(file.file().stat());
        Disk.Stat begun = begin(file.file(), of(inode), null);
        if (io.live() && !differed) {
            io.writingFrom(begun);
        }
        io.watch(begun.accessed());
    }

    /** What a look at an open file tells. */
    void looked(InodeIo io, Disk.Stat now) {
        Timestamp before = io.watched();
        if (before != null && !before.equals(now.accessed())) {
            io.watch(now.accessed());
            saw(io.ino(), now.accessed());
        }
    }

    /** Before the last close of it. */
    void closing(InodeIo io) {
        CachedFile file = io.opened().file();
        if (io.watched() == null || file == null) {
            return;
        }
        try {
            looked(io, file.file().stat());
        } catch (IOException e) {
            LOG.debug("whether inode {} was read is not known", io.ino(), e);
        }
    }

    /** A read through the daemon. */
    void read(InodeIo io) {
        if (io.watched() == null) {
            return;
        }
        if (!io.live()) {
            // Until something changes again, once is enough.
            io.watch(null);
            saw(io.ino(), Timestamp.of(clock.instant()));
        } else if (changedSinceRead(io)) {
            saw(io.ino(), Timestamp.of(clock.instant()));
        }
    }

    /** Of what is written here: whether its last read, as far as it is known, is of before its last change. */
    private boolean changedSinceRead(InodeIo io) {
        InodeIo.Backing backing = io.backing();
        CachedFile file = backing == null ? null : backing.file();
        Timestamp last = seen.getOrDefault(io.ino(), told.getOrDefault(io.ino(), io.watched()));
        try {
            Disk.Stat now = file == null ? null : file.file().stat();
            return now == null
                    || last == null
                    || last.compareTo(now.modified()) <= 0
                    || last.compareTo(now.changed()) <= 0;
        } catch (IOException e) {
            LOG.debug("whether inode {} changed since it was read is not known", io.ino(), e);
            return true;
        }
    }

    /**
     * At close(2) of a reader: where the kernel may have had pages, it may have answered from them without a word, so whoever
     * closes has read.
     */
    void closedByReader(InodeIo io) {
        InodeIo.Backing backing = io.backing();
        CachedFile file = backing == null ? null : backing.file();
        if (io.watched() == null || file == null) {
            return;
        }
        try {
            if (io.mayHavePages(file.file().stat())) {
                read(io);
                kernel.attributesChanged(io.nodeId);
            }
        } catch (IOException e) {
            LOG.debug("whether inode {} was read is not known", io.ino(), e);
        }
    }

    /** A directory was listed, or a symbolic link followed. */
    void read(Inode inode) {
        if (due(inode)) {
            saw(inode.ino(), Timestamp.of(clock.instant()));
        }
    }

    /** A program sets the access time. */
    void forget(long ino) {
        seen.remove(ino);
        told.remove(ino);
    }

    private void saw(long ino, Timestamp at) {
        if (seen.size() < MOST_PENDING || seen.containsKey(ino)) {
            seen.merge(ino, at, (one, other) -> one.compareTo(other) >= 0 ? one : other);
            if (scheduled.compareAndSet(false, true)) {
                CompletableFuture.delayedExecutor(DELAY_MILLIS, TimeUnit.MILLISECONDS, executor)
                        .execute(this::tell);
            }
        }
    }

    private void tell() {
        scheduled.set(false);
        Map<Long, Timestamp> batch = HashMap.newHashMap(BATCH);
        for (Map.Entry<Long, Timestamp> entry : seen.entrySet()) {
            batch.put(entry.getKey(), entry.getValue());
            if (batch.size() == BATCH) {
                tell(batch);
                batch.clear();
            }
        }
        if (!batch.isEmpty()) {
            tell(batch);
        }
    }

    private void tell(Map<Long, Timestamp> batch) {
        try {
            metadata.touch(batch);
        } catch (ErrnoException e) {
            LOG.debug("{} access times are not told: {}", batch.size(), e.getMessage());
        }
        Map<Long, Timestamp> through = Map.copyOf(batch);
        told.putAll(through);
        through.forEach(seen::remove);
        CompletableFuture.delayedExecutor(DELAY_MILLIS, TimeUnit.MILLISECONDS, executor)
                .execute(() -> through.forEach(told::remove));
    }
}
