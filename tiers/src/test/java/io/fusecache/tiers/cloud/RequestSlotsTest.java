package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class RequestSlotsTest {
    private static final int MOST = 16;

    private final RequestSlots slots = new RequestSlots(MOST);

    private int free() {
        int count = 0;
        while (slots.tryAcquire()) {
            count++;
        }
        for (int i = 0; i < count; i++) {
            slots.release();
        }
        return count;
    }

    private void answered(int times) {
        for (int i = 0; i < times; i++) {
            slots.answered();
        }
    }

    @Test
    void aRefusalHalvesThemAndOfABurstTheFirstAlone() {
        slots.refused(0, 10);
        assertThat(slots.limit()).isEqualTo(8);
        slots.refused(1, 11);
        slots.refused(9, 12);
        assertThat(slots.limit()).isEqualTo(8);
        slots.refused(10, 20);
        assertThat(slots.limit()).isEqualTo(4);
        assertThat(free()).isEqualTo(4);
        assertThat(slots.throttled()).isEqualTo(4);
    }

    @Test
    void oneIsLeft() {
        for (int i = 0; i < 10; i++) {
            slots.refused(i, i);
        }
        assertThat(slots.limit()).isEqualTo(1);
        assertThat(free()).isEqualTo(1);
    }

    @Test
    void answersBringThemBackOneByOne() {
        slots.refused(0, 1);
        answered(7);
        assertThat(slots.limit()).isEqualTo(8);
        answered(1);
        assertThat(slots.limit()).isEqualTo(9);
        answered(9);
        assertThat(slots.limit()).isEqualTo(10);
        answered(1000);
        assertThat(slots.limit()).isEqualTo(MOST);
        assertThat(free()).isEqualTo(MOST);
    }

    @Test
    void thoseInFlightAreCountedAmongTheFewer() throws Exception {
        for (int i = 0; i < MOST; i++) {
            slots.acquire();
        }
        slots.refused(0, 1);
        for (int i = 0; i < 8; i++) {
            slots.release();
            assertThat(slots.tryAcquire()).isFalse();
        }
        slots.release();
        assertThat(free()).isEqualTo(1);
    }
}
