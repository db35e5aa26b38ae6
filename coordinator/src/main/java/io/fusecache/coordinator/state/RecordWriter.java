package io.fusecache.coordinator.state;

import io.fusecache.metadata.Timestamp;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Writes the fields of a record one after the other: numbers as varints, texts and bytes with their length before. The first
 * byte is the layout of the record, so that a later one can add fields and still read those of before.
 */
final class RecordWriter {
    private byte[] bytes = new byte[96];
    private int length;

    RecordWriter(int layout) {
        number(layout);
    }

    RecordWriter number(long value) {
        long rest = value;
        room(10);
        while ((rest & ~0x7fL) != 0) {
            bytes[length++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[length++] = (byte) rest;
        return this;
    }

    /** For numbers that may be negative. */
    RecordWriter signed(long value) {
        return number((value << 1) ^ (value >> 63));
    }

    RecordWriter time(Timestamp time) {
        return signed(time.seconds()).number(time.nanos());
    }

    RecordWriter truth(boolean value) {
        return number(value ? 1 : 0);
    }

    RecordWriter bytes(byte @Nullable [] value) {
        if (value == null) {
            return number(0);
        }
        number(value.length + 1L);
        room(value.length);
        System.arraycopy(value, 0, bytes, length, value.length);
        length += value.length;
        return this;
    }

    RecordWriter text(@Nullable String value) {
        return bytes(value == null ? null : value.getBytes(StandardCharsets.UTF_8));
    }

    RecordWriter words(int @Nullable [] values) {
        if (values == null) {
            return number(0);
        }
        number(values.length + 1L);
        room(4 * values.length);
        for (int value : values) {
            bytes[length++] = (byte) (value >>> 24);
            bytes[length++] = (byte) (value >>> 16);
            bytes[length++] = (byte) (value >>> 8);
            bytes[length++] = (byte) value;
        }
        return this;
    }

    byte[] toBytes() {
        return Arrays.copyOf(bytes, length);
    }

    private void room(int more) {
        if (length + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(length + more, 2 * bytes.length));
        }
    }
}
