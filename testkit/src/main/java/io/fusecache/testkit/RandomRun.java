package io.fusecache.testkit;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Assertions;

/**
 * Runs a property on random input, many times, each from a seed of its own. A failure names the seed; the same run is had
 * again with {@code -Dfusecache.seed=SEED}, which then is the only one. {@code -Dfusecache.runs=N} sets how many.
 */
public final class RandomRun {
    private static final String SEED = "fusecache.seed";
    private static final String RUNS = "fusecache.runs";

    private RandomRun() {}

    /** One run of the property. */
    @FunctionalInterface
    public interface Property {
        void check(RandomGenerator random) throws Exception;
    }

    /** One run of a property that makes its input from the seed itself, so that the seed means the same elsewhere. */
    @FunctionalInterface
    public interface SeedProperty {
        void check(long seed) throws Exception;
    }

    /** Runs it {@code runs} times, from a starting seed that differs from one day to the next run. */
    public static void of(int runs, Property property) {
        ofSeeds(runs, seed -> property.check(new SplittableRandom(seed)));
    }

    /** As {@link #of}. */
    public static void ofSeeds(int runs, SeedProperty property) {
        String seed = System.getProperty(SEED);
        if (seed != null) {
            once(Long.parseLong(seed), property);
            return;
        }
        SplittableRandom seeds = new SplittableRandom();
        int count = Integer.getInteger(RUNS, runs);
        for (int i = 0; i < count; i++) {
            once(seeds.nextLong(), property);
        }
    }

    /** Runs it for seeds 1 to {@code runs}, each time the same: for what takes so long that nobody runs it twice to have it again. */
    public static void ofFirstSeeds(int runs, SeedProperty property) {
        String seed = System.getProperty(SEED);
        int count = seed == null ? Integer.getInteger(RUNS, runs) : 1;
        for (int i = 1; i <= count; i++) {
            once(seed == null ? i : Long.parseLong(seed), property);
        }
    }

    private static void once(long seed, SeedProperty property) {
        try {
            property.check(seed);
        } catch (Exception | AssertionError failed) {
            Assertions.fail("with seed " + seed + " (replay: -D" + SEED + "=" + seed + "): " + failed, failed);
        }
    }
}
