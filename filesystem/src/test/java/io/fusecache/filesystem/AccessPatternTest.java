package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class AccessPatternTest {
    private static final long MIB = 1 << 20;

    private final AccessPattern pattern = new AccessPattern();

    @Test
    void aReaderThatGoesOnIsSeenToThoughHisReadsComeOutOfOrder() {
        long[] order = {0, 2, 1, 3, 5, 4};
        long run = 0;
        for (long at : order) {
            run = pattern.read(100 * MIB + at * MIB / 2, MIB / 2);
        }
        assertThat(run).isEqualTo(3 * MIB);
    }

    @Test
    void severalReadersAreFollowedAtOnce() {
        for (int step = 0; step < 10; step++) {
            for (int reader = 0; reader < 5; reader++) {
                assertThat(pattern.read(reader * 1000L * MIB + step * 4096L, 4096))
                        .isEqualTo((step + 1) * 4096L);
            }
        }
    }

    @Test
    void randomReadsMakeNoRun() {
        Random random = new Random(1);
        long longest = 0;
        for (int i = 0; i < 10_000; i++) {
            longest = Math.max(longest, pattern.read(random.nextLong(1024 * MIB), 4096));
        }
        assertThat(longest).isLessThan(64 << 10);
    }

    @Test
    void aBlockIsEnteredOnce() {
        for (int block = 0; block < 20; block++) {
            assertThat(pattern.enters(block)).isTrue();
            assertThat(pattern.enters(block)).isFalse();
        }
        assertThat(pattern.enters(0)).as("a second time, much later").isTrue();
    }

    @Test
    void aBlockIsPaidOnceItsPiecesHaveCostAsMuch() {
        for (int i = 0; i < 31; i++) {
            pattern.fetched(7, 128 << 10);
            assertThat(pattern.paid(7, 4 << 20)).isFalse();
        }
        pattern.fetched(7, 128 << 10);
        assertThat(pattern.paid(7, 4 << 20)).isTrue();
        assertThat(pattern.paid(8, 4 << 20)).isFalse();
    }
}
