package io.fusecache.fuse.session;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Native memory to lay short answers out in: a fixed set of pieces, one borrowed for each answer being written.
 *
 * <p>Writing to the device does not wait, so a borrower gives its piece back within microseconds and there are never more
 * borrowers than operating system threads: when all are taken, trying on is enough.
 */
final class ReplyScratch {
    /** The longest answer of fixed size, and after it two vectors for writev. */
    static final int PIECE_BYTES = 512;

    static final int VECTORS_AT = 448;

    private static final int PIECES = 256;
    static final long BYTES = (long) PIECES * PIECE_BYTES;

    private final MemorySegment[] pieces = new MemorySegment[PIECES];
    private final AtomicIntegerArray busy = new AtomicIntegerArray(PIECES);

    ReplyScratch(Arena arena) {
        MemorySegment slab = arena.allocate(BYTES, 64);
        for (int i = 0; i < PIECES; i++) {
            pieces[i] = slab.asSlice((long) i * PIECE_BYTES, PIECE_BYTES);
        }
    }

    int take() {
        int i = (int) Thread.currentThread().threadId() & (PIECES - 1);
        while (!busy.compareAndSet(i, 0, 1)) {
            i = (i + 1) & (PIECES - 1);
        }
        return i;
    }

    MemorySegment piece(int i) {
        return pieces[i];
    }

    void give(int i) {
        busy.setRelease(i, 0);
    }
}
