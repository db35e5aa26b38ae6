package io.fusecache.fuse.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LookupCountsTest {
    @Test
    void itCountsAsAMapWould() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        LookupCounts counts = new LookupCounts();
        Map<Long, Long> model = new HashMap<>();
        for (int i = 0; i < 200_000; i++) {
            // Growing, then shrinking, over few ids and many.
            long node = 1 + random.nextLong(i % 2 == 0 ? 50 : 20_000);
            if (random.nextInt(10) < (i < 100_000 ? 7 : 2)) {
                counts.add(node);
                model.merge(node, 1L, Long::sum);
            } else {
                long held = model.getOrDefault(node, 0L);
                long forgotten = random.nextBoolean() ? held : Math.min(held, 1);
                counts.forget(node, forgotten);
                model.merge(node, -forgotten, Long::sum);
                model.remove(node, 0L);
            }
            assertThat(counts.count(node)).as("seed %d, step %d", seed, i).isEqualTo(model.getOrDefault(node, 0L));
        }
        assertThat(counts.nodes()).as("seed %d", seed).isEqualTo(model.size());
        model.forEach((node, count) ->
                assertThat(counts.count(node)).as("seed %d", seed).isEqualTo(count));
        model.forEach(counts::forget);
        assertThat(counts.nodes()).isZero();
    }

    @Test
    void forgettingMoreThanWasGivenEndsAtZero() {
        LookupCounts counts = new LookupCounts();
        counts.add(5);
        counts.forget(5, 3);
        counts.forget(6, 1);
        assertThat(counts.count(5)).isZero();
        assertThat(counts.nodes()).isZero();
    }
}
