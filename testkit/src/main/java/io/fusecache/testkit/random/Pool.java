package io.fusecache.testkit.random;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/** Random bytes, always the same, of which each number picks others. */
final class Pool {
    private static final int BYTES = 8 << 20;
    private static final long SEED = 20260101;
    private static final int STEP = 40961;
    private static final byte[] RANDOM = random();

    private final MemorySegment bytes;

    Pool(Arena arena) {
        bytes = arena.allocate(BYTES, FileOperations.PAGE_BYTES);
        MemorySegment.copy(RANDOM, 0, bytes, JAVA_BYTE, 0, BYTES);
    }

    private static byte[] random() {
        byte[] random = new byte[BYTES];
        new SplittableRandom(SEED).nextBytes(random);
        return random;
    }

    /** Native memory, not to be written to. */
    MemorySegment pick(int fill, int length) {
        return bytes.asSlice(fill * (long) STEP % (BYTES - length), length);
    }

    byte[] copy(int fill, int length) {
        return pick(fill, length).toArray(JAVA_BYTE);
    }
}
