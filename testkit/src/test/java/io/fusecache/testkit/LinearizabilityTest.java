package io.fusecache.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.testkit.Linearizability.Model;
import io.fusecache.testkit.Linearizability.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The checker on histories of one number that is set and read, which are known to be right or wrong. */
final class LinearizabilityTest {
    private record Call(boolean set, int value) {}

    private static final Model<Integer, Call> NUMBER = new Model<>() {
        @Override
        public Integer initial() {
            return 0;
        }

        @Override
        public @Nullable Integer after(Integer state, Call call) {
            return call.set() || state == call.value() ? (Integer) call.value() : null;
        }
    };

    private static Step<Call> set(int program, int value, long begun, long ended) {
        return new Step<>(program, begun, ended, new Call(true, value));
    }

    private static Step<Call> read(int program, int value, long begun, long ended) {
        return new Step<>(program, begun, ended, new Call(false, value));
    }

    private static boolean right(List<Step<Call>> history) {
        return Linearizability.unexplained(NUMBER, history, 10_000).isEmpty();
    }

    @Test
    void whatOverlapsMayComeInEitherOrder() {
        assertThat(right(List.of(set(1, 5, 0, 10), read(2, 0, 1, 2), read(2, 5, 3, 4))))
                .isTrue();
        assertThat(right(List.of(set(1, 5, 0, 10), read(2, 5, 1, 2), read(3, 5, 3, 4))))
                .isTrue();
    }

    @Test
    void whatHadEndedComesFirst() {
        assertThat(right(List.of(set(1, 5, 0, 10), read(2, 0, 11, 12)))).isFalse();
        assertThat(right(List.of(set(1, 5, 0, 10), read(2, 5, 11, 12)))).isTrue();
    }

    /** One program saw the new value while it was being set, so another that asks later may not see the old one. */
    @Test
    void nobodyGoesBack() {
        assertThat(right(List.of(set(1, 5, 0, 10), read(2, 5, 1, 2), read(3, 0, 3, 4))))
                .isFalse();
    }

    @Test
    void aWrongHistoryIsToldWithWhatComesNext() {
        assertThat(Linearizability.unexplained(NUMBER, List.of(set(1, 5, 0, 10), read(2, 7, 11, 12)), 10_000))
                .get()
                .asString()
                .contains("[1, 0]", "value=7");
    }

    @Test
    void givesUpWhereItWouldTakeTooLong() {
        List<Step<Call>> many = new ArrayList<>();
        for (int program = 0; program < 8; program++) {
            for (int i = 0; i < 8; i++) {
                many.add(set(program, program * 8 + i, i, 100 + i));
            }
        }
        many.removeIf(step -> step.begun() > 0);
        many.add(read(99, -1, 200, 201));
        assertThatThrownBy(() -> Linearizability.unexplained(NUMBER, many, 50)).isInstanceOf(AssertionError.class);
    }

    /** Calls that take effect somewhere between their begin and end, one after another. */
    @Test
    void whatHappenedInOneOrderIsExplained() {
        for (long seed = 0; seed < 100; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            List<Step<Call>> history = new ArrayList<>();
            long[] free = new long[5];
            int value = 0;
            for (long at = 10; at < 2_000; at += 10) {
                int program = random.nextInt(5);
                long begun = Math.max(free[program] + 1, at - random.nextInt(100));
                if (begun > at) {
                    continue;
                }
                long ended = at + random.nextInt(100);
                free[program] = ended;
                boolean set = random.nextBoolean();
                value = set ? random.nextInt(3) : value;
                history.add(new Step<>(program, begun, ended, new Call(set, value)));
            }
            assertThat(Linearizability.unexplained(NUMBER, history, 100_000))
                    .as("seed " + seed)
                    .isEmpty();
        }
    }
}
