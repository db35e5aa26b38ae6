package io.fusecache.tiers.nvme;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.cache.DiskException;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.NodeId;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The local tier over one or several directories on this node's disks.
 *
 * <p>What is where is known from memory ({@link CacheIndex}); the records on disk are read once, by the
 * {@link RecoveryScan}, and again when a file is pinned. The first pin of a file opens it and the last one closes it. Room
 * is made ahead of need by the {@link Evictor}, and by the caller itself where that was not enough.
 */
public final class NvmeTier implements LocalTier {
    private static final Logger log = LoggerFactory.getLogger(NvmeTier.class);

    private final Disk disk;
    private final BufferArena buffers;
    private final InstantSource clock;
    private final List<CacheDirectory> directories;
    private final CacheIndex index = new CacheIndex();
    private final RecoveryScan scan;
    private final Evictor evictor;
    private final NvmeOptions options;
    private @Nullable Thread scanning;
    private volatile @Nullable Removed removed;

    private NvmeTier(
            NvmeOptions options,
            Disk disk,
            BufferArena buffers,
            InstantSource clock,
            List<CacheDirectory> directories) {
        this.options = options;
        this.disk = disk;
        this.buffers = buffers;
        this.clock = clock;
        this.directories = directories;
        this.scan = new RecoveryScan(directories, this::readShard);
        this.evictor = new Evictor(options, directories, index, clock, this::removeFiles);
    }

    /**
     * Locks the directories and begins to look at what they hold; returns before that is done.
     *
     * @param buffers for checking blocks
     * @throws CacheDirectoryException where a directory is in use, belongs to another mount or cannot be written
     */
    public static NvmeTier open(NvmeOptions options, Disk disk, BufferArena buffers, InstantSource clock)
            throws IOException {
        List<CacheDirectory> directories = new ArrayList<>();
        try {
            for (Path path : options.directories()) {
                directories.add(CacheDirectory.open(path, options, disk));
            }
        } catch (IOException | RuntimeException failed) {
            for (CacheDirectory directory : directories) {
                directory.close();
            }
            throw failed;
        }
        NvmeTier tier = new NvmeTier(options, disk, buffers, clock, List.copyOf(directories));
        tier.scanning = tier.scan.start();
        tier.evictor.start();
        return tier;
    }

    /** The node that a cache directory belongs to; empty where it belongs to none yet. */
    public static Optional<NodeId> nodeOf(Path directory) throws IOException {
        return CacheDirectory.identity(directory)
                .map(identity -> identity.get("node"))
                .map(NodeId::new);
    }

    CacheIndex index() {
        return index;
    }

    BufferArena buffers() {
        return buffers;
    }

    long nowMillis() {
        return clock.millis();
    }

    @Override
    public Optional<CachedFile> find(long ino) throws IOException {
        scan.ensure(CacheDirectory.shard(ino));
        CacheIndex.Pinned pinned = index.pin(ino);
        if (pinned == null) {
            return Optional.empty();
        }
        if (pinned.first()) {
            open(pinned);
        }
        try {
            return Optional.of(new PinnedFile(this, pinned.backing().join()));
        } catch (CompletionException failed) {
            unpin(pinned.entry());
            if (failed.getCause() instanceof RecordLostException) {
                return Optional.empty();
            }
            throw new IOException("cannot open " + pinned.entry().path + ": " + failed.getCause(), failed.getCause());
        }
    }

    private void open(CacheIndex.Pinned pinned) {
        CacheEntry entry = pinned.entry();
        try {
            BackingFile backing = open(entry);
            if (index.verified(entry)) {
                backing.alreadyVerified();
            }
            pinned.backing().complete(backing);
        } catch (IOException | RuntimeException e) {
            if (e instanceof RecordLostException) {
                recordLost(entry);
                index.supersede(entry);
            }
            pinned.backing().completeExceptionally(e);
        }
    }

    /** A file in which nothing was stored, such as an empty one, never had a record. */
    private static void recordLost(CacheEntry entry) {
        if (entry.facts.unpersisted() || entry.facts.writing()) {
            log.error("{} has no record that can be believed any more: it is dropped", entry.path);
        } else {
            log.debug("{} has no record: what it holds can be had elsewhere, and it is dropped", entry.path);
        }
    }

    private BackingFile open(CacheEntry entry) throws IOException {
        RecordJournal journal = journal(entry);
        Disk.DiskFile file = null;
        try {
            FileRecord record = journal.read();
            if (record == null) {
                throw new RecordLostException();
            }
            file = disk.open(entry.path, false);
            return new BackingFile(this, entry, file, journal, record);
        } catch (IOException | RuntimeException failed) {
            journal.close();
            if (file != null) {
                file.close();
            }
            throw failed;
        }
    }

    private RecordJournal journal(CacheEntry entry) {
        return new RecordJournal(disk, CacheDirectory.recordPath(entry.path), entry.ino, entry.incarnation);
    }

    @Override
    public CachedFile create(FileVersion version) throws IOException {
        long ino = version.ino();
        scan.ensure(CacheDirectory.shard(ino));
        CacheDirectory directory = evictor.roomiest();
        evictor.reserve(directory, Math.min(version.size(), version.blockBytes()));
        CacheEntry entry = reserve(ino, directory);
        Disk.DiskFile file = null;
        BackingFile backing;
        try {
            file = disk.open(entry.path, true);
            if (version.size() > 0) {
                file.truncate(version.size());
            }
            backing = new BackingFile(
                    this, entry, file, journal(entry), new FileRecord(version, Math.max(1, nowMillis())));
        } catch (IOException | RuntimeException failed) {
            if (file != null) {
                file.close();
                CacheDirectory.remove(entry.path);
            }
            index.removed(entry);
            throw failed;
        }
        CacheEntry before = index.add(entry, backing, backing.facts());
        if (before != null) {
            removeFiles(before);
        }
        return new PinnedFile(this, backing);
    }

    private CacheEntry reserve(long ino, CacheDirectory directory) throws IOException {
        Path shard = directory.shardPath(ino);
        return index.reserve(
                ino,
                incarnation -> new CacheEntry(ino, incarnation, directory, shard.resolve(ino + "." + incarnation)));
    }

    @Override
    public void discard(long ino) throws IOException {
        scan.ensure(CacheDirectory.shard(ino));
        CacheEntry entry = index.discard(ino);
        if (entry != null) {
            removeFiles(entry);
        }
    }

    /** Removes a doomed entry that nobody has pinned. What cannot be removed now is removed by the next start. */
    private void removeFiles(CacheEntry entry) {
        try {
            CacheDirectory.remove(entry.path);
            entry.directory.settled(entry);
        } catch (IOException e) {
            log.warn("cannot remove {}", entry.path, e);
        } finally {
            index.removed(entry);
            Removed watcher = removed;
            if (watcher != null && entry.facts.version() > 0) {
                watcher.removed(entry.ino, entry.facts.version());
            }
        }
    }

    /** Told of each version whose file goes, evicted or not: its blocks cannot be had here any more. */
    public interface Removed {
        void removed(long ino, long version);
    }

    /** Must not block. */
    public void whenRemoved(Removed watcher) {
        removed = watcher;
    }

    void unpin(CacheEntry entry) {
        CacheIndex.Unpinned todo = index.unpin(entry);
        CompletableFuture<BackingFile> backing = todo.close();
        if (backing != null && !backing.isCompletedExceptionally()) {
            BackingFile file = backing.join();
            try {
                if (file.verifiedWhole()) {
                    index.verified(entry, true);
                }
                file.close();
            } catch (IOException e) {
                log.warn("cannot close {}", entry.path, e);
            }
        }
        if (todo.remove()) {
            removeFiles(entry);
        }
    }

    /** Makes room for bytes that are about to be stored; ENOSPC where there is none. */
    void reserve(CacheDirectory directory, long bytes) throws IOException {
        evictor.reserve(directory, bytes);
    }

    private void readShard(CacheDirectory directory, int shard) throws IOException {
        for (CacheDirectory.Found found : directory.scan(shard)) {
            Path path = directory.pathOf(shard).resolve(found.ino() + "." + found.incarnation());
            CacheEntry entry = new CacheEntry(found.ino(), found.incarnation(), directory, path);
            readRecord(entry);
        }
        directory.scanned(shard);
    }

    private void readRecord(CacheEntry entry) throws IOException {
        RecordJournal journal = journal(entry);
        FileRecord record = journal.read();
        journal.close();
        if (record == null) {
            log.warn("{} has no record that can be believed: it is dropped", entry.path);
            CacheDirectory.remove(entry.path);
            return;
        }
        if (journal.tornTail()) {
            log.warn("the record of {} ends in an entry that was not finished: taken as of before", entry.path);
        }
        if (record.unpersisted) {
            entry.directory.pending(entry);
        }
        CacheEntry.Facts facts = new CacheEntry.Facts(
                record.version.version(),
                record.version.size(),
                bytesOnDisk(entry, record),
                record.whole(),
                record.writing,
                record.unpersisted,
                record.createdMillis,
                record.committedMillis);
        CacheEntry loser = index.addFound(entry, facts);
        if (loser != null) {
            removeFiles(loser);
        }
    }

    private long bytesOnDisk(CacheEntry entry, FileRecord record) throws IOException {
        if (!record.writing && record.version.blocks() <= 1) {
            return record.presentBytes();
        }
        try (Disk.DiskFile file = disk.open(entry.path, false)) {
            return file.stat().allocatedBytes();
        }
    }

    @Override
    public List<Unpersisted> unpersisted() throws IOException {
        try {
            scan.awaitPending();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while the cache is scanned");
        }
        List<Unpersisted> result = new ArrayList<>();
        for (CacheEntry entry : index.unpersisted()) {
            Optional<CachedFile> file = find(entry.ino);
            if (file.isPresent()) {
                try (CachedFile pinned = file.get()) {
                    result.add(new Unpersisted(entry.ino, pinned.version(), pinned.writing()));
                }
            }
        }
        return result;
    }

    /** Waits until the scan at start is through: figures are then complete. */
    public void awaitScan() throws InterruptedException {
        scan.awaitAll();
    }

    @Override
    public boolean hasRoom(long bytes) {
        return evictor.hasRoom(bytes);
    }

    @Override
    public Usage usage() {
        return index.usage(options.capacityBytes());
    }

    @Override
    public List<CachedFileSummary> files(int limit) {
        return index.summaries(limit);
    }

    /** Ends the scan and the eviction and gives the directories up. Every pin must have been given back. */
    @Override
    public void close() throws IOException {
        scan.stop();
        evictor.stop();
        try {
            Thread scanner = scanning;
            if (scanner != null) {
                scanner.join();
            }
            evictor.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (CacheDirectory directory : directories) {
            directory.close();
        }
    }

    /** For a disk that is full. */
    static DiskException full(CacheDirectory directory, long bytes) {
        return new DiskException(
                Errno.ENOSPC, "no room for " + bytes + " bytes in cache directory " + directory.root());
    }

    @Override
    public String toString() {
        return Arrays.toString(options.directories().toArray()) + ", " + (options.capacityBytes() >> 20) + " MiB, "
                + (options.reserveBytes() >> 20) + " MiB left free";
    }

    /** The record was there at the scan and is not any more. */
    private static final class RecordLostException extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }
}
