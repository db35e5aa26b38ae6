package io.fusecache.fuse.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Where downcalls leave errno: a fixed set of native words, one borrowed for each call under way.
 *
 * <p>A thread-local would cost an allocation for each of the virtual threads that make one call and end. A virtual
 * thread in a downcall keeps its carrier, so no more words are in use than there are operating system threads.
 */
final class ErrnoSlots {
    private static final int COUNT = 4096;
    /** A cache line each, so that two threads' calls do not share one. */
    private static final int STRIDE = 64;

    private static final MemorySegment[] SEGMENTS = new MemorySegment[COUNT];
    private static final int[] BUSY = new int[COUNT];
    private static final VarHandle BUSY_AT = MethodHandles.arrayElementVarHandle(int[].class);

    static {
        MemorySegment slab = Arena.global().allocate((long) COUNT * STRIDE, STRIDE);
        for (int i = 0; i < COUNT; i++) {
            SEGMENTS[i] = slab.asSlice((long) i * STRIDE, ValueLayout.JAVA_INT);
        }
    }

    private ErrnoSlots() {}

    /** Borrows a slot; where its thread's usual one is taken, the next. */
    static int take() {
        int slot = ((int) Thread.currentThread().threadId() * 16) & (COUNT - 1);
        while (!BUSY_AT.compareAndSet(BUSY, slot, 0, 1)) {
            slot = (slot + 1) & (COUNT - 1);
        }
        return slot;
    }

    static MemorySegment segment(int slot) {
        return SEGMENTS[slot];
    }

    static int errno(int slot) {
        return SEGMENTS[slot].get(ValueLayout.JAVA_INT, 0);
    }

    static void give(int slot) {
        BUSY_AT.setRelease(BUSY, slot, 0);
    }
}
