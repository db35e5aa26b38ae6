package io.fusecache.coordinator.raft;

import java.time.Duration;

/**
 * How patient replicas are with each other.
 *
 * @param leastElection a follower that has heard of its leader lately votes for no other, so long at least
 * @param mostElection without word of a leader for so long, each follower wants to be it
 * @param confirmed so long a leader may speak after it sent what a majority then took: less than {@code leastElection}, with room
 *     for clocks of different speed
 * @param renewed while it is asked, it has that confirmed so often
 */
public record RaftTiming(Duration leastElection, Duration mostElection, Duration confirmed, Duration renewed) {
    public static final RaftTiming DEFAULT = new RaftTiming(
            Duration.ofMillis(1_200), Duration.ofMillis(1_800), Duration.ofMillis(900), Duration.ofMillis(200));

    /** What a majority has not taken after so long is waited for no longer. */
    public Duration patience() {
        return mostElection.multipliedBy(3);
    }

    public RaftTiming {
        if (confirmed.compareTo(leastElection) >= 0 || renewed.compareTo(confirmed) >= 0) {
            throw new IllegalArgumentException("a leader that speaks when another may have been elected");
        }
    }
}
