package io.fusecache.cache;

import io.fusecache.metadata.BlockKey;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Holder;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.time.InstantSource;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Brings blocks from other nodes and the bucket to this node.
 *
 * <p>For each block at most one transfer is under way on this node: whoever else wants it waits for that one. A transfer
 * runs in a thread of its own and goes on when the one who asked is interrupted. Blocks reach nobody before they were
 * checked. Transfers that somebody waits for and those made ahead of need have bounds of their own, so that the former
 * never queue behind the latter; and a block is claimed only when its transfer may begin, so that nobody waits for one
 * that is itself in a queue.
 */
public final class BlockFetcher implements AutoCloseable {
    /** Transfers that one call has under way before it waits for them. */
    private static final int MAX_AWAITED = 64;

    /** A power of two. Two of them, which a small read may touch, are still a small read of the bucket. */
    private static final int PIECE_BYTES = 128 << 10;

    private static final int KEPT_BLOCKS = 4;
    private static final int KEPT_PIECES = 32;

    private final Transfer.Sources sources;
    private final BlockDirectory directory;
    private final BufferArena buffers;
    private final FetchOptions options;
    private final ConcurrentHashMap<BlockKey, CompletableFuture<Void>> flights = new ConcurrentHashMap<>();
    private final UncachedBlocks uncached;
    private final UncachedBlocks pieces;
    private final Semaphore now;
    private final Semaphore ahead;
    private volatile boolean closed;

    /** How soon the blocks are wanted. */
    public enum Urgency {
        /** Somebody waits. */
        NOW,
        /** They will be wanted. */
        AHEAD
    }

    /**
     * @param peers null where there are none
     * @param cloud null where there is none
     * @param buffers of which nobody holds a lease while calling this object
     */
    public BlockFetcher(
            @Nullable PeerTier peers,
            @Nullable CloudTier cloud,
            BlockDirectory directory,
            BufferArena buffers,
            TierCounters counters,
            InstantSource clock,
            FetchOptions options) {
        this.directory = directory;
        this.buffers = buffers;
        this.options = options;
        this.sources = new Transfer.Sources(
                peers, cloud, new HolderCache(directory), new SourceHealth(clock), counters, options);
        this.now = new Semaphore(options.concurrent(), true);
        this.ahead = new Semaphore(options.concurrentAhead(), true);
        this.uncached = new UncachedBlocks(sources, buffers, now, KEPT_BLOCKS);
        this.pieces = new UncachedBlocks(sources.ofCloudAlone(), buffers, now, KEPT_PIECES);
    }

    public SourceHealth health() {
        return sources.health();
    }

    /** Returns when the block is present in {@code file}. */
    public void fetch(CachedFile file, int block) throws IOException {
        fetch(file, block, block, Urgency.NOW);
    }

    /**
     * Returns when blocks {@code first} to {@code last} are present in {@code file}.
     *
     * @throws FetchFailedException where no source could give them
     * @throws DiskException ENOSPC where the local tier has no room: {@link #read} goes without it
     */
    public void fetch(CachedFile file, int first, int last, Urgency urgency) throws IOException {
        FileVersion version = file.version();
        Set<CompletableFuture<Void>> awaited = new LinkedHashSet<>();
        BitSet present = file.present();
        Semaphore bound = urgency == Urgency.NOW ? now : ahead;
        int longest = longestRun(version, first, last);
        for (int block = present.nextClearBit(first); block <= last; block = present.nextClearBit(block)) {
            if (awaited.size() >= MAX_AWAITED) {
                await(awaited);
                awaited.clear();
            }
            CompletableFuture<Void> flying = flights.get(version.block(block));
            if (flying != null) {
                awaited.add(flying);
                block++;
                continue;
            }
            acquire(bound);
            int end = Math.min(last, block + longest - 1);
            CompletableFuture<Void> flight = new CompletableFuture<>();
            int claimed = claim(version, block, Math.min(end, nextPresent(present, block, end)), flight);
            if (claimed > 0) {
                awaited.add(flight);
                launch(file, version, block, block + claimed - 1, flight, bound);
                block += claimed;
            } else {
                bound.release();
            }
        }
        await(awaited);
    }

    private static int nextPresent(BitSet present, int block, int end) {
        int next = present.nextSetBit(block);
        return next < 0 ? end : next - 1;
    }

    private static void acquire(Semaphore bound) throws InterruptedIOException {
        try {
            bound.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting to fetch");
        }
    }

    /** How many blocks one request takes: one where some holder has only some, so that each goes where it is. */
    private int longestRun(FileVersion version, int first, int last) throws IOException {
        if (first == last) {
            return 1;
        }
        if (sources.peers() != null) {
            List<Holder> holders = sources.holders().of(version);
            if (holders.stream().anyMatch(h -> h.blocks() != null)) {
                return 1;
            }
        }
        long bytes = Math.min(options.batchBytes(), buffers.largestLease());
        return (int) Math.max(1, bytes / version.blockBytes());
    }

    /** Claims blocks from {@code first} on until one that is under way already; returns how many. */
    private int claim(FileVersion version, int first, int last, CompletableFuture<Void> flight) {
        int block = first;
        while (block <= last && flights.putIfAbsent(version.block(block), flight) == null) {
            block++;
        }
        return block - first;
    }

    private void launch(
            CachedFile file,
            FileVersion version,
            int first,
            int last,
            CompletableFuture<Void> flight,
            Semaphore bound) {
        Thread.ofVirtual().name("fetch-" + version.ino() + "-" + first).start(() -> {
            try {
                if (closed) {
                    throw new IOException("the fetcher is closed");
                }
                transfer(file, version, first, last);
                unclaim(version, first, last);
                flight.complete(null);
            } catch (IOException | RuntimeException | Error e) {
                unclaim(version, first, last);
                flight.completeExceptionally(e);
            } finally {
                bound.release();
            }
        });
    }

    private void unclaim(FileVersion version, int first, int last) {
        for (int block = first; block <= last; block++) {
            flights.remove(version.block(block));
        }
    }

    private void transfer(CachedFile file, FileVersion version, int first, int last) throws IOException {
        long bytes = (long) (last - first) * version.blockBytes() + version.bytesInBlock(last);
        // What landed between the look of before and the claim is here: its transfer had the claim until then.
        BitSet present = file.present();
        if (present.nextClearBit(first) > last) {
            return;
        }
        sources.counters().miss(TierKind.NVME);
        try (BufferArena.Lease lease = buffers.lease(bytes)) {
            new Transfer(sources, version, first, last, present, file::store).run(lease.segment());
        } finally {
            present = file.present();
            if (!present.isEmpty()) {
                directory.advertise(version.ino(), version.version(), file.whole() ? null : present);
            }
        }
    }

    private static void await(Set<CompletableFuture<Void>> flights) throws IOException {
        IOException failure = null;
        for (Future<Void> flight : flights) {
            try {
                flight.get();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while fetching; the transfer goes on");
            } catch (ExecutionException e) {
                failure = failure == null ? cause(e) : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private static IOException cause(ExecutionException e) {
        if (e.getCause() instanceof Error error) {
            throw error;
        }
        return e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
    }

    /**
     * Fetches what is missing of {@code pin} in blocks {@code first} to {@code last}, ahead of need, and gives the pin back.
     * The future says how it ended; nobody has to look.
     */
    public CompletableFuture<Void> fetchAhead(CachedFile pin, int first, int last) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread.ofVirtual().name("ahead-" + pin.ino()).start(() -> {
            try (pin) {
                fetch(pin, first, Math.min(last, pin.version().blocks() - 1), Urgency.AHEAD);
                done.complete(null);
            } catch (IOException | RuntimeException e) {
                done.completeExceptionally(e);
            }
        });
        return done;
    }

    /** Makes the file whole ahead of need, and gives the pin back. */
    public CompletableFuture<Void> complete(CachedFile pin) {
        return fetchAhead(pin, 0, Integer.MAX_VALUE);
    }

    /**
     * Reads bytes of a version without storing its blocks: for a disk that has no room. Whole blocks are fetched and
     * checked; the last few are kept in memory for the reads that follow.
     */
    public void read(FileVersion version, long offset, MemorySegment target) throws IOException {
        uncached.read(version, offset, target);
    }

    /**
     * Whether bytes of this version may come by {@link #readPieces}. Not where blocks could be checked and pieces of them cannot, on
     * a way that does not notice changes; not where another node has blocks: those are near; and not of a small file, which comes whole and
     * stays.
     */
    public boolean givesPieces(FileVersion version) throws IOException {
        CloudTier cloud = sources.cloud();
        return cloud != null
                && version.object() != null
                && Math.min(version.size(), version.blockBytes()) > 2L * PIECE_BYTES
                && (!version.sealed() || cloud.guardsRanges())
                && (sources.peers() == null || sources.holders().of(version).isEmpty());
    }

    /**
     * Reads a few bytes of a version from the bucket without fetching their blocks. Nothing of it is stored, because no checksum of ours
     * covers less than a block: the object's ETag, the length, and the transport are what says that the bytes are right.
     *
     * @return how many bytes had to be fetched for that, about
     */
    public long readPieces(FileVersion version, long offset, MemorySegment target) throws IOException {
        FileVersion inPieces =
                new FileVersion(version.ino(), version.version(), version.size(), PIECE_BYTES, null, version.object());
        return (long) pieces.read(inPieces, offset, target) * PIECE_BYTES;
    }

    /** Nothing is fetched from now on; transfers under way end by themselves. Frees the memory of uncached blocks. */
    @Override
    public void close() {
        closed = true;
        uncached.close();
        pieces.close();
    }
}
