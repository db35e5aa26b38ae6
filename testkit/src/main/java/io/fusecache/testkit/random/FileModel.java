package io.fusecache.testkit.random;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/** The file as it must be: its bytes in memory. Behind its end there are zeros, so that growing shows them. */
final class FileModel {
    private final MemorySegment bytes;
    private int size;

    /** @param maxBytes that it may ever have */
    FileModel(int maxBytes) {
        bytes = MemorySegment.ofArray(new byte[maxBytes]);
    }

    int size() {
        return size;
    }

    int maxBytes() {
        return (int) bytes.byteSize();
    }

    /** How much of a range lies before the end. */
    int clip(int offset, int length) {
        return Math.clamp(size - offset, 0, length);
    }

    void write(int offset, MemorySegment source, int length) {
        MemorySegment.copy(source, 0, bytes, offset, length);
        grow(offset + length);
    }

    void grow(int least) {
        size = Math.max(size, least);
    }

    void truncate(int length) {
        if (length < size) {
            bytes.asSlice(length, size - length).fill((byte) 0);
        }
        size = length;
    }

    void zero(int offset, int length) {
        bytes.asSlice(Math.min(offset, size), clip(offset, length)).fill((byte) 0);
    }

    /** Ranges must not overlap; what lies behind the end is not copied. */
    void copy(int from, int to, int length) {
        int copied = clip(from, length);
        if (copied > 0) {
            MemorySegment.copy(bytes, from, bytes, to, copied);
            grow(to + copied);
        }
    }

    /** Where what was found at this offset is not what must be there, or -1. */
    long mismatch(int offset, MemorySegment found, int length) {
        long at = MemorySegment.mismatch(bytes, offset, offset + (long) length, found, 0, length);
        return at < 0 ? -1 : offset + at;
    }

    byte at(long offset) {
        return bytes.get(JAVA_BYTE, offset);
    }

    /** Where the first byte of this range is that is not zero, or -1. */
    long firstNonZero(long from, long to) {
        for (long at = from; at < to; at++) {
            if (at(at) != 0) {
                return at;
            }
        }
        return -1;
    }

    byte[] content() {
        return bytes.asSlice(0, size).toArray(JAVA_BYTE);
    }
}
