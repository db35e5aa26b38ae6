package io.fusecache.testkit;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A clock that stands still until it is told to move. */
public final class SimulatedClock implements InstantSource {
    private volatile Instant now;

    public SimulatedClock(Instant start) {
        now = start;
    }

    /** One that starts at a round moment in 2026. */
    public SimulatedClock() {
        this(Instant.parse("2026-01-01T00:00:00Z"));
    }

    @Override
    public Instant instant() {
        return now;
    }

    public synchronized void advance(Duration by) {
        now = now.plus(by);
    }

    /** The same as nanoseconds, for code that measures elapsed time. */
    public long nanos() {
        Instant time = instant();
        return time.getEpochSecond() * 1_000_000_000L + time.getNano();
    }
}
