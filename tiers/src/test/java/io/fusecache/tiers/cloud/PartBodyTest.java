package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.cache.BlockChecksum;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PartBodyTest {
    private static final int OFFSET = 77;
    private static final int SIZE = 1000;

    private final Arena memory = Arena.ofShared();
    private final byte[] bytes = new byte[OFFSET + SIZE + 50];
    private final AtomicInteger reads = new AtomicInteger();

    PartBodyTest() {
        new Random(1).nextBytes(bytes);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private byte[] part() {
        return Arrays.copyOfRange(bytes, OFFSET, OFFSET + SIZE);
    }

    private PartBody body(int window) {
        return new PartBody(
                (offset, target) -> {
                    reads.incrementAndGet();
                    MemorySegment.copy(bytes, (int) offset, target, ValueLayout.JAVA_BYTE, 0, (int) target.byteSize());
                },
                OFFSET,
                SIZE,
                memory.allocate(window));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 500, 999, 1000})
    void itsBytesAndChecksumsAreThoseOfTheSourceThroughAnyWindow(int window) throws Exception {
        PartBody body = body(window);
        assertThat(body.crc32c()).isEqualTo(BlockChecksum.of(memory.allocateFrom(ValueLayout.JAVA_BYTE, part())));
        assertThat(body.md5()).isEqualTo(MessageDigest.getInstance("MD5").digest(part()));
        try (InputStream first = body.stream();
                InputStream second = body.stream()) {
            assertThat(first.readNBytes(10)).isEqualTo(Arrays.copyOf(part(), 10));
            assertThat(second.readAllBytes()).isEqualTo(part());
            first.mark(SIZE);
            assertThat(first.readAllBytes()).isEqualTo(Arrays.copyOfRange(part(), 10, SIZE));
            first.reset();
            assertThat(first.available()).isEqualTo(SIZE - 10);
            assertThat(first.read()).isEqualTo(part()[10] & 0xff);
        }
    }

    @Test
    void whatFitsIntoTheWindowIsReadOnce() throws Exception {
        PartBody body = body(SIZE);
        body.begin();
        assertThat(body.md5()).hasSize(16);
        assertThat(body.stream().readAllBytes()).isEqualTo(part());
        assertThat(reads).hasValue(1);
    }

    @Test
    void aStreamThatIsClosedReadsNothingAnyMore() throws Exception {
        InputStream stream = body(10).stream();
        assertThat(stream.read()).isEqualTo(part()[0] & 0xff);
        stream.close();
        assertThatThrownBy(stream::read).isInstanceOf(IOException.class);
        assertThat(reads).hasValue(1);
    }

    @Test
    void anEmptyBodyHasNoBytes() throws Exception {
        PartBody empty = PartBody.of(MemorySegment.NULL);
        assertThat(empty.stream().readAllBytes()).isEmpty();
        assertThat(empty.crc32c()).isZero();
    }

    @Test
    void aSourceThatCannotBeReadIsToldFromAStoreThatFails() throws Exception {
        PartBody good = body(10);
        good.begin();
        good.requireSource();
        PartBody broken = new PartBody(
                (offset, target) -> {
                    throw new IOException("the disk is broken");
                },
                0,
                SIZE,
                memory.allocate(10));
        assertThatThrownBy(broken::crc32c).hasMessage("the disk is broken");
        assertThatThrownBy(broken::requireSource)
                .isInstanceOf(RefusedException.class)
                .hasMessage("the disk is broken");
    }
}
