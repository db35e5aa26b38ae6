package io.fusecache.fuse.wire;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The name of a directory entry: one or more bytes, any but '/' and NUL.
 *
 * <p>It need not be UTF-8, so it is never a {@link String}; two names are equal when their bytes are. How long a name may
 * be is the file system's to say (ENAMETOOLONG): the kernel sends up to 1024 bytes.
 */
public final class FileName implements Comparable<FileName> {
    public static final FileName DOT = of(".");
    public static final FileName DOT_DOT = of("..");

    private final byte[] content;
    private int hash;

    private FileName(byte[] content) {
        this.content = content;
    }

    /**
     * The name with these bytes.
     *
     * @throws IllegalArgumentException when they are none, or hold '/' or NUL
     */
    public static FileName of(byte[] content) {
        return checked(content.clone());
    }

    /** The name with the UTF-8 bytes of {@code text}; the same rules. */
    public static FileName of(String text) {
        return checked(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Reads the name off a request; the caller has checked that no NUL is in it. */
    static FileName read(MemorySegment source, long offset, int length) {
        byte[] content = new byte[length];
        MemorySegment.copy(source, ValueLayout.JAVA_BYTE, offset, content, 0, length);
        return checked(content);
    }

    private static FileName checked(byte[] content) {
        if (content.length == 0) {
            throw new IllegalArgumentException("a file name is not empty");
        }
        for (byte b : content) {
            if (b == '/' || b == 0) {
                throw new IllegalArgumentException(
                        "a file name holds no '/' and no NUL: " + new String(content, StandardCharsets.UTF_8));
            }
        }
        return new FileName(content);
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
    public int compareTo(FileName other) {
        return Arrays.compareUnsigned(content, other.content);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FileName name && Arrays.equals(content, name.content);
    }

    @Override
    public int hashCode() {
        int h = hash;
        if (h == 0) {
            h = Arrays.hashCode(content);
            hash = h;
        }
        return h;
    }

    /** The name read as UTF-8, for people. */
    @Override
    public String toString() {
        return new String(content, StandardCharsets.UTF_8);
    }
}
