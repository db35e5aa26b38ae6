package io.fusecache.coordinator.state;

import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Timestamp;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Reads what {@link RecordWriter} wrote. A record that ends early or has an unknown layout is a broken invariant. */
final class RecordReader {
    private final byte[] bytes;
    private final long layout;
    private int at;

    RecordReader(byte[] bytes, String what, int newestLayout) {
        this.bytes = bytes;
        layout = number();
        if (layout < 1 || layout > newestLayout) {
            throw new AssertionError(what + " record of layout " + layout + ": expected 1 to " + newestLayout);
        }
    }

    long layout() {
        return layout;
    }

    long number() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            byte next = bytes[at++];
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new AssertionError("a number of more than 64 bits");
    }

    int integer() {
        return Math.toIntExact(number());
    }

    long signed() {
        long value = number();
        return (value >>> 1) ^ -(value & 1);
    }

    boolean truth() {
        return number() != 0;
    }

    Timestamp time() {
        return new Timestamp(signed(), integer());
    }

    byte @Nullable [] bytes() {
        long length = number();
        if (length == 0) {
            return null;
        }
        int end = Math.toIntExact(at + length - 1);
        byte[] value = Arrays.copyOfRange(bytes, at, end);
        at = end;
        return value;
    }

    @Nullable String text() {
        byte[] value = bytes();
        return value == null ? null : new String(value, StandardCharsets.UTF_8);
    }

    int @Nullable [] words() {
        long count = number();
        if (count == 0) {
            return null;
        }
        int[] values = new int[Math.toIntExact(count - 1)];
        for (int i = 0; i < values.length; i++) {
            values[i] = ((bytes[at] & 0xff) << 24)
                    | ((bytes[at + 1] & 0xff) << 16)
                    | ((bytes[at + 2] & 0xff) << 8)
                    | (bytes[at + 3] & 0xff);
            at += 4;
        }
        return values;
    }

    static FileName attributeName(byte[] bytes) {
        try {
            return FileName.ofAttribute(bytes);
        } catch (ErrnoException invalid) {
            throw new AssertionError("an invalid attribute in the state", invalid);
        }
    }

    /** A name out of the state, where only valid ones are. */
    static FileName name(byte[] bytes) {
        try {
            return FileName.of(bytes);
        } catch (ErrnoException invalid) {
            throw new AssertionError("an invalid name in the state", invalid);
        }
    }
}
