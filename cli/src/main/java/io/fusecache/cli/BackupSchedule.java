package io.fusecache.cli;

import io.fusecache.client.StartupException;
import io.fusecache.client.backup.Backups.Backup;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When a backup of the namespace is made: once the newest in the bucket is old enough. Every node looks, each at a time of its own,
 * and the bucket says what the others did: two that look at once make one too many, which does no harm.
 */
final class BackupSchedule {
    private static final Logger LOG = LoggerFactory.getLogger(BackupSchedule.class);

    /** So that a node that is started for some minutes makes none. */
    static final Duration FIRST_LOOK = Duration.ofMinutes(10);

    static final Duration AFTER_FAILURE = Duration.ofMinutes(15);

    /** Between two looks: clocks are set, and backups removed. */
    static final Duration LONGEST_PAUSE = Duration.ofHours(1);

    /** A pause is longer than it has to be by a part of this at most, so that nodes do not look at once. */
    static final int SPREAD = 4;

    private final Duration every;
    private final Steps steps;
    private final InstantSource clock;
    private final RandomGenerator random;

    /** What is done. */
    interface Steps {
        /** The newest of the namespace that can have been made by now. */
        Optional<Backup> newest(Instant now) throws IOException, StartupException;

        Backup make() throws IOException, StartupException, InterruptedException;

        /** What the newest is, for people. */
        void known(Optional<Backup> newest);
    }

    BackupSchedule(Duration every, Steps steps, InstantSource clock, RandomGenerator random) {
        this.every = every;
        this.steps = steps;
        this.clock = clock;
        this.random = random;
    }

    /** Until it is interrupted. */
    void run() {
        try {
            Thread.sleep(begin());
            while (true) {
                Thread.sleep(look());
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    /** Finds out what there is, and makes none. Returns for how long it then waits. */
    Duration begin() {
        try {
            steps.known(steps.newest(clock.instant()));
        } catch (IOException | StartupException | RuntimeException failed) {
            LOG.info(
                    "the newest backup of the namespace is not known yet: {}",
                    ClientFlags.oneLine(failed.getMessage()));
        }
        return spread(shorter(every.dividedBy(2), FIRST_LOOK));
    }

    /** Makes one where it is due. Returns for how long there is nothing to do. */
    Duration look() throws InterruptedException {
        Duration pause;
        try {
            Instant now = clock.instant();
            Optional<Backup> newest = steps.newest(now);
            steps.known(newest);
            Duration left = every.minus(
                    newest.map(backup -> Duration.between(backup.made(), now)).orElse(every));
            pause = left.isPositive() ? left : make();
        } catch (IOException | StartupException | RuntimeException failed) {
            LOG.warn("no backup of the namespace was made: {}", ClientFlags.oneLine(failed.getMessage()));
            pause = shorter(every, AFTER_FAILURE);
        }
        return spread(shorter(pause, LONGEST_PAUSE));
    }

    private Duration make() throws IOException, StartupException, InterruptedException {
        Backup made = steps.make();
        steps.known(Optional.of(made));
        LOG.info("the backup {} of the namespace is in the bucket, {} bytes", made.name(), made.bytes());
        return every;
    }

    private Duration spread(Duration pause) {
        return pause.plusMillis(random.nextLong(pause.toMillis() / SPREAD + 1));
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
