package io.fusecache.metadata;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One component of a path: 1 to 255 bytes of anything but '/' and NUL, in no particular encoding; never "." or "..". Or the name of
 * an extended attribute, which may have '/' in it.
 */
public final class FileName implements Comparable<FileName> {
    public static final int MAX_BYTES = 255;

    private final byte[] bytes;

    private FileName(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Takes ownership of {@code bytes}. Throws ENAMETOOLONG past 255 bytes, EINVAL for what can name no entry. */
    public static FileName of(byte[] bytes) throws ErrnoException {
        if (bytes.length > MAX_BYTES) {
            throw new ErrnoException(Errno.ENAMETOOLONG, "a name of " + bytes.length + " bytes: at most " + MAX_BYTES);
        }
        if (bytes.length == 0 || isDots(bytes)) {
            throw new ErrnoException(Errno.EINVAL, "an empty name, '.' or '..' names no entry");
        }
        for (byte b : bytes) {
            if (b == '/' || b == 0) {
                throw new ErrnoException(Errno.EINVAL, "a name with '/' or NUL in it");
            }
        }
        return new FileName(bytes);
    }

    /** The name of an extended attribute, xattr(7). Takes ownership of {@code bytes}. ERANGE past 255 bytes or for none, as Linux. */
    public static FileName ofAttribute(byte[] bytes) throws ErrnoException {
        if (bytes.length == 0 || bytes.length > MAX_BYTES) {
            throw new ErrnoException(
                    Errno.ERANGE, "an attribute's name of " + bytes.length + " bytes: 1 to " + MAX_BYTES);
        }
        for (byte b : bytes) {
            if (b == 0) {
                throw new ErrnoException(Errno.EINVAL, "an attribute's name with NUL in it");
            }
        }
        return new FileName(bytes);
    }

    public static FileName of(String name) throws ErrnoException {
        return of(name.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean isDots(byte[] bytes) {
        return bytes[0] == '.' && (bytes.length == 1 || (bytes.length == 2 && bytes[1] == '.'));
    }

    /** A copy of the bytes. */
    public byte[] toBytes() {
        return bytes.clone();
    }

    public int length() {
        return bytes.length;
    }

    /** Whichever comes later in the order of names; {@code one} may be null for none. */
    public static FileName later(@Nullable FileName one, FileName other) {
        return one == null || one.compareTo(other) < 0 ? other : one;
    }

    @Override
    public int compareTo(FileName other) {
        return Arrays.compareUnsigned(bytes, other.bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FileName name && Arrays.equals(bytes, name.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    /** For people: bytes that are not UTF-8 show as replacement characters. */
    @Override
    public String toString() {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
