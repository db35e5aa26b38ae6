package io.fusecache.testkit.random;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes a failing list of operations shorter: looks for the shortest end of it that still fails, then leaves out what can be
 * left out, in pieces that halve until they are single operations (delta debugging, by complements).
 */
public final class Shrinker<O> {
    private static final int FIRST_SUFFIX = 8;

    private final Trial<O> trial;
    private final long deadlineNanos;

    /** Runs a list from nothing. */
    @FunctionalInterface
    public interface Trial<O> {
        boolean fails(List<O> operations);
    }

    /** @param patience after which the shortest list so far must do; a trial under way is not cut off */
    public Shrinker(Trial<O> trial, Duration patience) {
        this.trial = trial;
        this.deadlineNanos = System.nanoTime() + patience.toNanos();
    }

    /** @param failing whose last operation shows the failure; the answer fails too, and may be the same list */
    public List<O> shrink(List<O> failing) {
        List<O> shortest = suffix(failing);
        for (int piece = Math.ceilDiv(shortest.size(), 2); piece > 0 && !late(); ) {
            List<O> shorter = withoutPieces(shortest, piece);
            boolean again = piece == 1 && shorter.size() < shortest.size();
            shortest = shorter;
            piece = again ? 1 : piece / 2;
        }
        return shortest;
    }

    private List<O> suffix(List<O> failing) {
        for (int length = FIRST_SUFFIX; length < failing.size() && !late(); length *= 4) {
            List<O> end = failing.subList(failing.size() - length, failing.size());
            if (trial.fails(end)) {
                return List.copyOf(end);
            }
        }
        return List.copyOf(failing);
    }

    /** Later pieces first: what is late in the list depends on what is early, and not the other way round. */
    private List<O> withoutPieces(List<O> failing, int piece) {
        List<O> kept = failing;
        for (int end = failing.size(); end > 0 && !late(); end -= piece) {
            List<O> shorter = new ArrayList<>(kept.subList(0, Math.max(0, end - piece)));
            shorter.addAll(kept.subList(end, kept.size()));
            if (trial.fails(shorter)) {
                kept = shorter;
            }
        }
        return kept;
    }

    private boolean late() {
        return System.nanoTime() > deadlineNanos;
    }
}
