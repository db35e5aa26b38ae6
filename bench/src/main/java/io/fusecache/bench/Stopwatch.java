package io.fusecache.bench;

import java.time.Duration;

/** Runs from the moment it is made. */
final class Stopwatch {
    private final long startNanos = System.nanoTime();

    Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - startNanos);
    }

    /** @return how many per second {@code count} were, done since the start */
    double perSecond(long count) {
        return count * 1e9 / (System.nanoTime() - startNanos);
    }
}
