package io.fusecache.filesystem;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How a file is being read here: which reads go on where another one ended, and how much random ones have cost.
 *
 * <p>The kernel does not say which descriptor a read is of, and its read-ahead comes from several threads, out of order: so
 * several runs are followed at once, and what is near the end of one belongs to it.
 *
 * <p>A block is rented in pieces until as much was paid for it as it would have cost as a whole. So random readers never fetch
 * more than twice what the better of both ways would have, without anybody having to guess which that is.
 */
final class AccessPattern {
    private static final int RUNS = 8;
    private static final long NEAR_BYTES = 1 << 20;
    private static final int MAX_BLOCKS = 4096;

    /** Guarded by this, as is {@link #fetched}. The end of each run, and its length; the oldest goes first. */
    private final long[] ends = new long[RUNS];

    private final long[] lengths = new long[RUNS];
    private int next;

    /** The blocks that readers entered last. */
    private final int[] entered = new int[RUNS];

    private int nextEntered;

    /** By block, what was fetched of it in pieces. */
    private final Map<Integer, Long> fetched = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Long> eldest) {
            return size() > MAX_BLOCKS;
        }
    };

    /** Notes a read; returns how many bytes its reader has read in a row, these included. */
    synchronized long read(long offset, long length) {
        for (int i = 0; i < RUNS; i++) {
            if (lengths[i] > 0 && Math.abs(offset - ends[i]) <= NEAR_BYTES) {
                ends[i] = Math.max(ends[i], offset + length);
                lengths[i] += length;
                return lengths[i];
            }
        }
        ends[next] = offset + length;
        lengths[next] = length;
        next = (next + 1) % RUNS;
        return length;
    }

    /** Whether a reader is in that block for the first time lately. */
    synchronized boolean enters(int block) {
        for (int known : entered) {
            if (known == block + 1) {
                return false;
            }
        }
        entered[nextEntered] = block + 1;
        nextEntered = (nextEntered + 1) % RUNS;
        return true;
    }

    /** Whether pieces of that block have cost as much as the block would. */
    synchronized boolean paid(int block, int blockBytes) {
        return fetched.getOrDefault(block, 0L) >= blockBytes;
    }

    synchronized void fetched(int block, long bytes) {
        fetched.merge(block, bytes, Long::sum);
    }
}
