package io.fusecache.cache;

import io.fusecache.metadata.BlockKey;
import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Blocks that are read through memory and not kept on the local disk: it has no room for them, or they are mere pieces of those that
 * it holds. A reader takes a block in many small reads: the last few blocks stay here, so that each is fetched about once.
 */
final class UncachedBlocks implements AutoCloseable {
    /** What is kept takes no more than this part of the memory, so that there is always some for the next transfer. */
    private static final int SHARE = 4;

    private final Transfer.Sources sources;
    private final BufferArena buffers;
    private final Semaphore bound;
    private final int kept;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<BlockKey, Block> blocks = new LinkedHashMap<>(16, 0.75f, true);
    private boolean closed;

    /** One block in memory; {@code users} and {@code kept} are guarded by the lock. */
    private static final class Block {
        final CompletableFuture<BufferArena.Lease> bytes = new CompletableFuture<>();
        int users;
        boolean kept = true;
    }

    /** @param kept blocks that stay here, where that is not too much of the memory */
    UncachedBlocks(Transfer.Sources sources, BufferArena buffers, Semaphore bound, int kept) {
        this.sources = sources;
        this.buffers = buffers;
        this.bound = bound;
        this.kept = kept;
    }

    /** Returns how many blocks it fetched for that. */
    int read(FileVersion version, long offset, MemorySegment target) throws IOException {
        if (offset < 0 || offset + target.byteSize() > version.size()) {
            throw new IllegalArgumentException("%d bytes at %d of %s".formatted(target.byteSize(), offset, version));
        }
        int fetched = 0;
        for (long done = 0; done < target.byteSize(); ) {
            int block = Math.toIntExact((offset + done) / version.blockBytes());
            long within = offset + done - (long) block * version.blockBytes();
            long count = Math.min(target.byteSize() - done, version.bytesInBlock(block) - within);
            fetched += copy(version, block, within, target.asSlice(done, count)) ? 1 : 0;
            done += count;
        }
        return fetched;
    }

    /** Whether it had to be fetched. */
    private boolean copy(FileVersion version, int index, long within, MemorySegment target) throws IOException {
        BlockKey key = version.block(index);
        Block mine = new Block();
        Block block = use(key, version.blockBytes(), mine);
        try {
            boolean missing = mine.equals(block);
            if (missing) {
                fetch(version, index, mine);
            }
            MemorySegment.copy(block.bytes.get().segment(), within, target, 0, target.byteSize());
            return missing;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while fetching");
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
        } finally {
            release(key, block);
        }
    }

    private Block use(BlockKey key, int blockBytes, Block fresh) throws IOException {
        List<Block> evicted = new ArrayList<>();
        try {
            lock.lock();
            try {
                if (closed) {
                    throw new IOException("the fetcher is closed");
                }
                Block block = blocks.get(key);
                if (block == null) {
                    block = fresh;
                    while (blocks.size() >= limit(blockBytes)) {
                        forget(blocks.keySet().iterator().next(), evicted);
                    }
                    blocks.put(key, block);
                }
                block.users++;
                return block;
            } finally {
                lock.unlock();
            }
        } finally {
            evicted.forEach(UncachedBlocks::free);
        }
    }

    private int limit(int blockBytes) {
        return Math.clamp(buffers.totalBytes() / SHARE / blockBytes, 1, kept);
    }

    /** Out of the map, and into {@code unused} where nobody uses it. */
    private void forget(BlockKey key, List<Block> unused) {
        Block block = blocks.remove(key);
        if (block != null) {
            block.kept = false;
            if (block.users == 0) {
                unused.add(block);
            }
        }
    }

    private void release(BlockKey key, Block block) {
        Block unused = null;
        lock.lock();
        try {
            block.users--;
            if (block.kept && block.bytes.isCompletedExceptionally() && blocks.remove(key, block)) {
                block.kept = false;
            }
            if (!block.kept && block.users == 0) {
                unused = block;
            }
        } finally {
            lock.unlock();
        }
        free(unused);
    }

    private static void free(@Nullable Block block) {
        if (block != null && block.bytes.isDone() && !block.bytes.isCompletedExceptionally()) {
            block.bytes.join().close();
        }
    }

    private void fetch(FileVersion version, int index, Block block) {
        BufferArena.Lease lease = null;
        try {
            bound.acquire();
            try {
                lease = buffers.lease(version.bytesInBlock(index));
                new Transfer(sources, version, index, index, new BitSet(), (b, bytes) -> check(version, b, bytes))
                        .run(lease.segment());
            } finally {
                bound.release();
            }
            block.bytes.complete(lease);
        } catch (IOException | InterruptedException | RuntimeException e) {
            if (lease != null) {
                lease.close();
            }
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            block.bytes.completeExceptionally(e);
        }
    }

    private static void check(FileVersion version, int block, MemorySegment bytes) throws CorruptBlockException {
        int[] sealed = version.checksums();
        if (sealed != null) {
            int found = BlockChecksum.of(bytes);
            if (found != sealed[block]) {
                throw new CorruptBlockException(version.block(block), sealed[block], found, "a fetch");
            }
        }
    }

    @Override
    public void close() {
        List<Block> unused = new ArrayList<>();
        lock.lock();
        try {
            closed = true;
            for (BlockKey key : List.copyOf(blocks.keySet())) {
                forget(key, unused);
            }
        } finally {
            lock.unlock();
        }
        unused.forEach(UncachedBlocks::free);
    }
}
