package io.fusecache.coordinator.session;

import java.time.Duration;

/**
 * The bounds of what is kept for sessions.
 *
 * @param lease how long a recall may stay unanswered, and a node silent
 * @param mostLeasesPerSession past it the oldest are asked back; about 40 bytes each
 * @param mostVersionsInDirectory of the block directory; about 150 bytes each
 */
public record SessionLimits(Duration lease, int mostLeasesPerSession, int mostVersionsInDirectory) {
    public static final SessionLimits DEFAULT = new SessionLimits(Duration.ofSeconds(10), 1 << 20, 1 << 20);

    public SessionLimits withLease(Duration changed) {
        return new SessionLimits(changed, mostLeasesPerSession, mostVersionsInDirectory);
    }
}
