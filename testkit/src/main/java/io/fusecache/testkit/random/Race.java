package io.fusecache.testkit.random;

import io.fusecache.testkit.posix.scene.Caller;
import java.util.List;

/**
 * Calls that contenders on several nodes make at the same moment, and what may come of them on one disk, in whatever order they
 * were served. Paths begin with the race's directory as the caller's node has it.
 */
record Race(String name, Preparation preparation, Attempt attempt, Verdict verdict) {
    /** By one thread, before. */
    @FunctionalInterface
    interface Preparation {
        void prepare(Caller caller, String directory);
    }

    /** By each contender, all at once. */
    @FunctionalInterface
    interface Attempt {
        /** What the call answered; for several calls, how many succeeded. */
        long make(Caller caller, String directory, int contender);
    }

    /** By one thread, after, for each node's view. */
    @FunctionalInterface
    interface Verdict {
        /** @param answers of all contenders, in their order */
        void check(Caller caller, String directory, List<Long> answers);
    }
}
