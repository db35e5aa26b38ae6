package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ObservedTimesTest {
    private final ObservedTimes times = new ObservedTimes();

    @Test
    void aFewSayNothing() {
        for (int i = 0; i < 31; i++) {
            times.add(1000, 1);
        }
        assertThat(times.p99(1000)).isEmpty();
    }

    @Test
    void theSlowestOfAHundredIsLeftOut() {
        for (int i = 0; i < 160; i++) {
            times.add(1000, i == 7 ? 1_000_000 : 1 + i % 100);
        }
        assertThat(times.p99(1000)).hasValue(100);
    }

    @Test
    void whatIsLongAgoIsForgotten() {
        for (int i = 0; i < 512; i++) {
            times.add(1000, 5_000);
        }
        for (int i = 0; i < 256; i++) {
            times.add(1000, 10);
        }
        assertThat(times.p99(1000)).hasValue(10);
    }

    @Test
    void largeReadsSayNothingOfSmallOnes() {
        for (int i = 0; i < 64; i++) {
            times.add(8 << 20, 1_000_000);
            times.add(4096, 10);
        }
        assertThat(times.p99(4096)).hasValue(10);
        assertThat(times.p99(8 << 20)).hasValue(1_000_000);
        assertThat(times.p99(5 << 20)).hasValue(1_000_000);
        assertThat(times.p99(0)).isEmpty();
    }
}
