package io.fusecache.testkit.random;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class ShrinkerTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    @Test
    void onlyWhatIsNeededIsLeft() {
        List<Integer> all = IntStream.range(0, 10_000).boxed().toList();
        List<Integer> needed = List.of(17, 4711, 9999);
        assertThat(new Shrinker<Integer>(some -> some.containsAll(needed), LONG).shrink(all))
                .isEqualTo(needed);
    }

    @Test
    void aLateFailureIsLookedForAtTheEnd() {
        List<Integer> all = IntStream.range(0, 100_000).boxed().toList();
        int[] longest = {0};
        List<Integer> left = new Shrinker<Integer>(
                        some -> {
                            longest[0] = Math.max(longest[0], some.size());
                            return some.contains(99_990);
                        },
                        LONG)
                .shrink(all);
        assertThat(left).containsExactly(99_990);
        assertThat(longest[0]).isLessThan(100);
    }

    @Test
    void withoutPatienceTheListStaysAsItIs() {
        List<Integer> all = List.of(1, 2, 3);
        assertThat(new Shrinker<Integer>(some -> true, Duration.ZERO).shrink(all))
                .isEqualTo(all);
    }
}
