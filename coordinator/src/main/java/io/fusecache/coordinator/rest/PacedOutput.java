package io.fusecache.coordinator.rest;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A body on its way to somebody who must take it at a least rate, because something is held as long as that takes. Time that goes
 * by while the bytes are made is nobody's; what is taken faster counts for later, as far as the grace goes.
 */
final class PacedOutput extends OutputStream {
    private static final int PART_BYTES = 64 << 10;

    /**
     * How slow a reader may be.
     *
     * @param grace for so long it may stand still
     */
    record Pace(long leastBytesPerSecond, Duration grace) {
        long nanosFor(int bytes) {
            return TimeUnit.SECONDS.toNanos(bytes) / leastBytesPerSecond;
        }
    }

    /** Where the bytes go. */
    @FunctionalInterface
    interface Sink {
        /** Returns when there is room for more, or false where there was none for so long; nobody changes the bytes any more. */
        boolean write(ByteBuffer bytes, long patienceNanos) throws IOException;
    }

    private final Sink sink;
    private final Pace pace;
    private final LongSupplier nanoTime;
    private long leftNanos;
    private long sent;

    PacedOutput(Sink sink, Pace pace, LongSupplier nanoTime) {
        this.sink = sink;
        this.pace = pace;
        this.nanoTime = nanoTime;
        this.leftNanos = pace.grace().toNanos();
    }

    @Override
    public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        for (int at = offset; at < offset + length; at += PART_BYTES) {
            writePart(Arrays.copyOfRange(bytes, at, Math.min(offset + length, at + PART_BYTES)));
        }
    }

    private void writePart(byte[] part) throws IOException {
        long may = leftNanos + pace.nanosFor(part.length);
        long before = nanoTime.getAsLong();
        boolean taken = sink.write(ByteBuffer.wrap(part), may);
        long left = may - (nanoTime.getAsLong() - before);
        if (!taken || left < 0) {
            throw new SlowReaderException(
                    "the reader took less than %d KiB/s for longer than %d s: cut off behind %d bytes"
                            .formatted(
                                    pace.leastBytesPerSecond() >> 10,
                                    pace.grace().toSeconds(),
                                    sent));
        }
        leftNanos = Math.min(pace.grace().toNanos(), left);
        sent += part.length;
    }

    /** Whoever reads is too slow. */
    static final class SlowReaderException extends IOException {
        private static final long serialVersionUID = 1L;

        SlowReaderException(String message) {
            super(message);
        }
    }
}
