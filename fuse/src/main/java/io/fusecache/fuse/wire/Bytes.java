package io.fusecache.fuse.wire;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** An immutable string of bytes of no known character set: a link target, an xattr's name or its value. */
public final class Bytes implements Comparable<Bytes> {
    public static final Bytes EMPTY = new Bytes(new byte[0]);

    private final byte[] content;

    private Bytes(byte[] content) {
        this.content = content;
    }

    public static Bytes of(byte[] content) {
        return content.length == 0 ? EMPTY : new Bytes(content.clone());
    }

    /** The UTF-8 bytes of {@code text}. */
    public static Bytes of(String text) {
        return wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    /** A copy of {@code length} bytes of {@code source} from {@code offset} on. */
    public static Bytes copyOf(MemorySegment source, long offset, int length) {
        if (length == 0) {
            return EMPTY;
        }
        byte[] content = new byte[length];
        MemorySegment.copy(source, ValueLayout.JAVA_BYTE, offset, content, 0, length);
        return new Bytes(content);
    }

    /** Takes the array over without copying it: the caller never touches it again. */
    static Bytes wrap(byte[] content) {
        return content.length == 0 ? EMPTY : new Bytes(content);
    }

    public int length() {
        return content.length;
    }

    public byte byteAt(int index) {
        return content[index];
    }

    public byte[] toByteArray() {
        return content.clone();
    }

    public void copyTo(MemorySegment target, long offset) {
        MemorySegment.copy(content, 0, target, ValueLayout.JAVA_BYTE, offset, content.length);
    }

    @Override
    public int compareTo(Bytes other) {
        return Arrays.compareUnsigned(content, other.content);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes bytes && Arrays.equals(content, bytes.content);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(content);
    }

    /** The bytes read as UTF-8, for people: what is not UTF-8 shows as the replacement character. */
    @Override
    public String toString() {
        return new String(content, StandardCharsets.UTF_8);
    }
}
