package io.fusecache.coordinator.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.rest.PacedOutput.Pace;
import io.fusecache.coordinator.rest.PacedOutput.SlowReaderException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How slow a reader may be, by a clock that goes as the reader does. */
final class PacedOutputTest {
    private static final int KIB = 1 << 10;
    private static final int MOST_KEPT = 1 << 20;

    private long nanos;
    private long nanosPerKib;
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final PacedOutput out =
            new PacedOutput(this::take, new Pace(128 * KIB, Duration.ofSeconds(30)), () -> nanos);

    private boolean take(ByteBuffer bytes, long patienceNanos) {
        long takes = nanosPerKib * bytes.remaining() / KIB;
        nanos += Math.min(takes, patienceNanos);
        byte[] part = new byte[bytes.remaining()];
        bytes.get(part);
        if (read.size() < MOST_KEPT) {
            read.writeBytes(part);
        }
        return takes <= patienceNanos;
    }

    private void rate(long kibPerSecond) {
        nanosPerKib = TimeUnit.SECONDS.toNanos(1) / kibPerSecond;
    }

    /** Returns after how many seconds it is cut off. */
    private long secondsUntilCut() {
        long begun = nanos;
        assertThatThrownBy(() -> {
                    while (true) {
                        out.write(new byte[100 * KIB]);
                    }
                })
                .isInstanceOf(SlowReaderException.class)
                .hasMessageContaining("less than 128 KiB/s for longer than 30 s");
        return TimeUnit.NANOSECONDS.toSeconds(nanos - begun);
    }

    @Test
    void whatIsWrittenArrives() throws IOException {
        byte[] bytes = new byte[200 * KIB + 7];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i >> 5);
        }
        out.write(bytes, 0, 150 * KIB);
        out.write(bytes[150 * KIB]);
        out.write(bytes, 150 * KIB + 1, bytes.length - 150 * KIB - 1);
        assertThat(read.toByteArray()).isEqualTo(bytes);
    }

    @Test
    void aReaderAtTheLeastRateMayTakeForEver() throws IOException {
        rate(129);
        for (int i = 0; i < 10_000; i++) {
            out.write(new byte[100 * KIB]);
        }
        assertThat(nanos).isGreaterThan(TimeUnit.HOURS.toNanos(2));
    }

    @Test
    void aReaderThatStandsStillIsCutOffAfterTheGrace() {
        rate(1);
        assertThat(secondsUntilCut()).isBetween(29L, 31L);
    }

    @Test
    void aReaderAtHalfTheRateIsCutOffAfterTwiceTheGrace() {
        rate(64);
        assertThat(secondsUntilCut()).isBetween(58L, 62L);
    }

    @Test
    void whatWasTakenFastCountsForNoLongerThanTheGrace() throws IOException {
        rate(1_000_000);
        for (int i = 0; i < 10_000; i++) {
            out.write(new byte[100 * KIB]);
        }
        rate(1);
        assertThat(secondsUntilCut()).isBetween(29L, 31L);
    }

    @Test
    void theTimeThatTheBytesTakeIsNotTheReaders() throws IOException {
        rate(1_000_000);
        for (int i = 0; i < 100; i++) {
            nanos += TimeUnit.MINUTES.toNanos(1);
            out.write(new byte[KIB]);
        }
        assertThat(read.size()).isEqualTo(100 * KIB);
    }
}
