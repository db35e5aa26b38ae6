package io.fusecache.testkit.posix.scene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** The native memory of one worker: arguments of the call under way, and one buffer that calls fill. */
final class Memory {
    /** Of the buffer. */
    static final int BUFFER_BYTES = 1 << 20;

    private static final int SCRATCH_BYTES = 4 << 20;
    private static final int PAGE_BYTES = 4096;

    private final MemorySegment scratch;
    private final MemorySegment buffer;
    private long used;

    Memory(Arena arena) {
        scratch = arena.allocate(SCRATCH_BYTES, PAGE_BYTES);
        buffer = arena.allocate(BUFFER_BYTES, PAGE_BYTES);
    }

    /** Where the answer of a call goes; page-aligned, valid until the next call that fills it. */
    MemorySegment buffer() {
        return buffer;
    }

    /** Takes back all arguments. */
    void reset() {
        used = 0;
    }

    /** A path, a byte for each char, and a NUL. */
    long string(String path) {
        byte[] bytes = path.getBytes(StandardCharsets.ISO_8859_1);
        MemorySegment segment = take(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        segment.set(JAVA_BYTE, bytes.length, (byte) 0);
        return segment.address();
    }

    /** Page-aligned, as direct I/O wants it. */
    long bytes(byte[] bytes) {
        used = (used + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
        MemorySegment segment = take(bytes.length);
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        return segment.address();
    }

    MemorySegment take(long bytes) {
        MemorySegment segment = scratch.asSlice(used, bytes, 1);
        used += (bytes + 7) / 8 * 8;
        return segment;
    }
}
