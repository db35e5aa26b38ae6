package io.fusecache.cache;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class LeastRecentlyUsedTest {
    @Test
    void theOneUnusedForLongestGoesFirst() {
        LeastRecentlyUsed<String> order = new LeastRecentlyUsed<>();
        order.used("a");
        order.used("b");
        order.used("c");
        order.used("a");
        assertThat(order.victim(k -> true)).isEqualTo("b");
        assertThat(order.victim(k -> !k.equals("b"))).isEqualTo("c");
        assertThat(order.hottest(2)).containsExactly("a", "c");
        order.removed("b");
        order.removed("c");
        order.removed("a");
        assertThat(order.victim(k -> true)).isNull();
    }
}
