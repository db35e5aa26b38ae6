package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PartSizesTest {
    private static final long MIB = 1 << 20;
    private static final long WISH = 8 * MIB;
    private static final long TIB = 1L << 40;
    private static final PartSizes S3 = new PartSizes(5 * MIB, 5L << 30, 10_000, 5 * TIB);
    private static final PartSizes AZURE = new PartSizes(1, 4000 * MIB, 50_000, 50_000 * 4000 * MIB);

    private static long parts(PartSizes sizes, long size) throws RefusedException {
        long part = sizes.of("k", size, WISH);
        assertThat(part).isBetween(sizes.smallest(), sizes.largest());
        return (size + part - 1) / part;
    }

    @Test
    void theWishIsHeardWhereItWillDo() throws Exception {
        assertThat(S3.of("k", 1, WISH)).isEqualTo(WISH);
        assertThat(S3.of("k", 10_000 * WISH, WISH)).isEqualTo(WISH);
        assertThat(S3.of("k", 100 * MIB, 1 * MIB)).isEqualTo(5 * MIB);
        assertThat(S3.of("k", 100 * MIB, 6L << 30)).isEqualTo(5L << 30);
        assertThat(AZURE.of("k", 50_000 * WISH, WISH)).isEqualTo(WISH);
    }

    @Test
    void oneByteMoreThanFitsRaisesThePart() throws Exception {
        assertThat(S3.of("k", 10_000 * WISH + 1, WISH)).isEqualTo(WISH + PartSizes.ROUNDED_TO);
        assertThat(AZURE.of("k", 50_000 * WISH + 1, WISH)).isEqualTo(WISH + PartSizes.ROUNDED_TO);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 80_000 * MIB, 80_000 * MIB + 1, TIB, 5 * TIB - 1, 5 * TIB})
    void everyObjectThatS3TakesFits(long size) throws Exception {
        assertThat(parts(S3, size)).isBetween(1L, 10_000L);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 5 * TIB, 50_000 * 4000 * MIB - 1, 50_000 * 4000 * MIB})
    void everyBlobThatAzureTakesFits(long size) throws Exception {
        assertThat(parts(AZURE, size)).isBetween(1L, 50_000L);
    }

    @Test
    void whatIsLargerThanAnyObjectIsRefused() {
        assertThatThrownBy(() -> S3.of("k", 5 * TIB + 1, WISH))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("'k'");
        assertThatThrownBy(() -> AZURE.of("k", 50_000 * 4000 * MIB + 1, WISH)).isInstanceOf(RefusedException.class);
    }

    @Test
    void limitsThatContradictEachOtherAreNone() {
        assertThatThrownBy(() -> new PartSizes(1, 10, 10, 101)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new PartSizes(11, 10, 10, 100)).isInstanceOf(IllegalArgumentException.class);
        assertThat(new PartSizes(10, 10, 10, 100).largestObject()).isEqualTo(100);
    }
}
