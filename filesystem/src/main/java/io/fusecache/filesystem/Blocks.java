package io.fusecache.filesystem;

import io.fusecache.cache.BlockFetcher;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.FetchFailedException;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.BitSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes blocks of files be here, right and in time: those that a call needs now, those that a sequential reader needs next,
 * and in the background the rest, so that the next open can be passed through.
 */
final class Blocks {
    private static final Logger LOG = LoggerFactory.getLogger(Blocks.class);

    /** A block that was dropped as wrong is fetched again; wrong this often in a row means that the disk is broken. */
    private static final int MAX_ROUNDS = 4;

    /** Between two looks for somebody who holds what is not in the bucket: he comes back by no word to this node. */
    private static final Duration HOLDER_PAUSE = Duration.ofMillis(200);

    /** A reader is no random one once he has read so much in a row: what follows is asked for in whole blocks. */
    private static final long SEQUENTIAL_BYTES = 256 << 10;

    /** One that read so much in a row will read on. */
    private static final long READS_ON_BYTES = 1 << 20;

    /** One that read so much in a row will want all of it. */
    private static final long WANTS_ALL_BYTES = 4 << 20;

    /** How far ahead of a reader blocks are asked for. */
    private static final int AHEAD_BLOCKS = 8;

    private final Metadata metadata;
    private final BlockFetcher fetcher;
    private final LocalTier local;
    private final Executor executor;
    private final Duration holderWait;
    private final Set<Long> completing = ConcurrentHashMap.newKeySet();
    private volatile boolean stopped;

    /** @param holderWait how long blocks that are not in the bucket are waited for, when nobody who has them can be reached */
    Blocks(Metadata metadata, BlockFetcher fetcher, LocalTier local, Executor executor, Duration holderWait) {
        this.metadata = metadata;
        this.fetcher = fetcher;
        this.local = local;
        this.executor = executor;
        this.holderWait = holderWait;
    }

    /**
     * Returns when blocks {@code first} to {@code last} are present and verified. DiskException ENOSPC where the disk has no
     * room for them.
     */
    void ensure(CachedFile file, int first, int last) throws IOException {
        for (int round = 0; round < MAX_ROUNDS; round++) {
            if (file.present().nextClearBit(first) <= last) {
                fetch(file, first, last);
            }
            if (file.verify(first, last - first + 1)) {
                return;
            }
        }
        throw new IOException("blocks %d to %d of inode %d are wrong on the local disk time and again: %s"
                .formatted(first, last, file.ino(), file.path()));
    }

    private void fetch(CachedFile file, int first, int last) throws IOException {
        long deadline = System.nanoTime() + holderWait.toNanos();
        while (true) {
            try {
                fetcher.fetch(file, first, last, BlockFetcher.Urgency.NOW);
                return;
            } catch (FetchFailedException e) {
                FileVersion now = otherSource(file.version(), deadline, e);
                if (now.persisted()) {
                    file.persisted(now);
                }
            }
        }
    }

    /**
     * Returns where it makes sense to try again, with where the version is now: an object follows its file when that is
     * renamed; and whoever alone holds what is not in the bucket yet may be starting again, or have found the coordinator
     * before this node did. Not where the version is overtaken, or another node writes over it: nobody serves it then.
     */
    private FileVersion otherSource(FileVersion version, long deadline, FetchFailedException failure)
            throws IOException {
        FileVersion now = content(version.ino());
        if (now.version() != version.version()) {
            throw failure;
        }
        ObjectRef object = now.object();
        if (object != null && !object.equals(version.object())) {
            return now;
        }
        if (version.persisted() || System.nanoTime() - deadline > 0 || writtenElsewhere(version.ino())) {
            throw failure;
        }
        try {
            Thread.sleep(HOLDER_PAUSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while no holder of " + version + " can be reached");
        }
        return version;
    }

    private FileVersion content(long ino) throws IOException {
        try {
            return metadata.content(ino);
        } catch (ErrnoException e) {
            throw new IOException("where inode " + ino + " is now is not known: " + e.getMessage(), e);
        }
    }

    private boolean writtenElsewhere(long ino) throws IOException {
        try {
            NodeId writer = metadata.inode(ino).writer();
            return writer != null && !writer.equals(metadata.self());
        } catch (ErrnoException e) {
            throw new IOException("who writes inode " + ino + " is not known: " + e.getMessage(), e);
        }
    }

    /**
     * Where {@code offset} cuts a block of the base: returns when that block is here. What is cut, or grows from a cut, has
     * other bytes than the base's from then on, so nobody else could serve it.
     */
    void ensureCut(CachedFile file, FileVersion base, long offset) throws IOException {
        int block = FileSpace.block(offset, base);
        if (offset % base.blockBytes() != 0 && block < base.blocks()) {
            ensure(file, block, block);
        }
    }

    /** Bytes of a committed version, without keeping them. */
    void read(FileVersion version, long offset, MemorySegment target) throws IOException {
        long deadline = System.nanoTime() + holderWait.toNanos();
        for (FileVersion now = version; ; ) {
            try {
                if (!readHere(now, offset, target)) {
                    fetcher.read(now, offset, target);
                }
                return;
            } catch (FetchFailedException e) {
                now = otherSource(now, deadline, e);
            }
        }
    }

    /** False where this node does not have that version whole: nobody is asked for what only this one may have. */
    private boolean readHere(FileVersion version, long offset, MemorySegment target) throws IOException {
        Optional<CachedFile> found = local.find(version.ino());
        if (found.isEmpty()) {
            return false;
        }
        try (CachedFile file = found.get()) {
            if (file.version().version() != version.version() || file.writing() || !file.whole()) {
                return false;
            }
            int first = FileSpace.block(offset, version);
            int last = FileSpace.block(offset + Math.max(0, target.byteSize() - 1), version);
            if (!file.verify(first, last - first + 1)) {
                return false;
            }
            target.asSlice(file.file().read(offset, target)).fill((byte) 0);
            return true;
        }
    }

    /**
     * For a random reader: reads bytes that are not here without fetching the blocks that they are in, where that is sound and costs less
     * in the long run. False where it is not: nothing was read.
     */
    boolean readPieces(
            CachedFile file, FileVersion version, AccessPattern pattern, long run, long offset, MemorySegment target)
            throws IOException {
        int first = FileSpace.block(offset, version);
        int last = FileSpace.block(offset + target.byteSize() - 1, version);
        int present = file.present().nextSetBit(first);
        if (run >= SEQUENTIAL_BYTES
                || offset + target.byteSize() > version.size()
                || (present >= 0 && present <= last)
                || pattern.paid(first, version.blockBytes())
                || pattern.paid(last, version.blockBytes())
                || !fetcher.givesPieces(version)) {
            return false;
        }
        try {
            pattern.fetched(first, fetcher.readPieces(version, offset, target));
            return true;
        } catch (FetchFailedException e) {
            LOG.debug("no pieces of {} at {}: whole blocks may be had elsewhere", version, offset, e);
            return false;
        }
    }

    /**
     * For a reader that is at blocks {@code first} to {@code last} of a file that is not whole and has read {@code run} bytes in a row:
     * begins to fetch what follows, and then the rest. At once where a block is missing that costs the bucket nothing, or comes whole
     * only. Who reads what is here waits for nobody.
     */
    void anticipate(CachedFile file, FileVersion version, AccessPattern pattern, int first, int last, long run)
            throws IOException {
        if (stopped) {
            return;
        }
        BitSet present = file.present();
        boolean here = present.nextClearBit(first) > last;
        boolean eager = run >= WANTS_ALL_BYTES || (!here && !fetcher.givesPieces(version));
        if (!eager && run < READS_ON_BYTES) {
            return;
        }
        int next = last + 1;
        int end = Math.min(version.blocks(), next + AHEAD_BLOCKS);
        boolean missing = next < end && pattern.enters(last) && present.nextClearBit(next) < end;
        if (missing) {
            Optional<CachedFile> pin = local.find(version.ino());
            if (pin.isPresent()) {
                CompletableFuture<Void> ignored = fetcher.fetchAhead(pin.get(), next, end - 1);
            }
        }
        if (eager) {
            complete(version);
        }
    }

    /** Fetches and verifies everything that is missing, in the background, once at a time, where there is room for it. */
    private void complete(FileVersion version) throws IOException {
        if (completing.contains(version.ino()) || !local.hasRoom(version.size()) || !completing.add(version.ino())) {
            return;
        }
        Optional<CachedFile> pin = local.find(version.ino());
        if (pin.isEmpty()) {
            completing.remove(version.ino());
            return;
        }
        executor.execute(() -> {
            CachedFile file = pin.get();
            try {
                file.verify(0, version.blocks());
            } catch (IOException e) {
                LOG.debug("inode {} cannot be verified now", file.ino(), e);
            }
            // A failure is nobody's business: the next reader asks again.
            CompletableFuture<Void> ignored =
                    fetcher.complete(file).whenComplete((done, failure) -> completing.remove(version.ino()));
        });
    }

    /** Nothing is begun ahead of need from now on. */
    void stop() {
        stopped = true;
    }
}
