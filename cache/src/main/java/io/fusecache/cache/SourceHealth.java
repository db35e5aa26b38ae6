package io.fusecache.cache;

import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How each source did lately: its rate, what it is sending now, and whether it failed. Misses and busy answers say nothing
 * about health; only failures do. A source that failed is avoided for a while, twice as long with each failure in a row.
 */
public final class SourceHealth {
    private static final Duration FIRST_AVOIDANCE = Duration.ofSeconds(2);
    private static final int MAX_DOUBLINGS = 5;
    private static final double WEIGHT_OF_NEW = 0.2;
    private static final int MAX_SOURCES = 4096;

    private final InstantSource clock;
    private final ReentrantLock lock = new ReentrantLock();
    /** Bounded: the source that appeared first is forgotten first. */
    private final Map<Source, State> states = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Source, State> eldest) {
            return size() > MAX_SOURCES && eldest.getValue().bytesInFlight == 0;
        }
    };

    private static final class State {
        double bytesPerSecond;
        long bytesInFlight;
        int failuresInARow;
        long avoidUntilMillis;
        long failures;
    }

    /** For status and metrics. */
    public record Snapshot(double bytesPerSecond, long bytesInFlight, boolean avoided, long failures) {}

    public SourceHealth(InstantSource clock) {
        this.clock = clock;
    }

    ReadPlan.Candidate candidate(Source source) {
        lock.lock();
        try {
            State state = states.get(source);
            return state == null
                    ? new ReadPlan.Candidate(source, 0, 0, false)
                    : new ReadPlan.Candidate(source, state.bytesPerSecond, state.bytesInFlight, avoided(state));
        } finally {
            lock.unlock();
        }
    }

    private boolean avoided(State state) {
        return clock.millis() < state.avoidUntilMillis;
    }

    void asked(Source source, long bytes) {
        lock.lock();
        try {
            states.computeIfAbsent(source, s -> new State()).bytesInFlight += bytes;
        } finally {
            lock.unlock();
        }
    }

    /** The bytes came. */
    void served(Source source, long bytes, long nanos) {
        lock.lock();
        try {
            State state = states.computeIfAbsent(source, s -> new State());
            state.bytesInFlight -= bytes;
            state.failuresInARow = 0;
            state.avoidUntilMillis = 0;
            double rate = bytes * 1e9 / Math.max(1, nanos);
            state.bytesPerSecond = state.bytesPerSecond == 0
                    ? rate
                    : state.bytesPerSecond * (1 - WEIGHT_OF_NEW) + rate * WEIGHT_OF_NEW;
        } finally {
            lock.unlock();
        }
    }

    /** It had nothing for us, or no time. */
    void passed(Source source, long bytes) {
        lock.lock();
        try {
            states.computeIfAbsent(source, s -> new State()).bytesInFlight -= bytes;
        } finally {
            lock.unlock();
        }
    }

    void failed(Source source, long bytes) {
        lock.lock();
        try {
            State state = states.computeIfAbsent(source, s -> new State());
            state.bytesInFlight -= bytes;
            state.failures++;
            long millis = FIRST_AVOIDANCE.toMillis() << Math.min(state.failuresInARow, MAX_DOUBLINGS);
            state.failuresInARow++;
            state.avoidUntilMillis = clock.millis() + millis;
        } finally {
            lock.unlock();
        }
    }

    public Map<Source, Snapshot> snapshot() {
        lock.lock();
        try {
            Map<Source, Snapshot> snapshot = new HashMap<>();
            states.forEach((source, r) ->
                    snapshot.put(source, new Snapshot(r.bytesPerSecond, r.bytesInFlight, avoided(r), r.failures)));
            return snapshot;
        } finally {
            lock.unlock();
        }
    }
}
