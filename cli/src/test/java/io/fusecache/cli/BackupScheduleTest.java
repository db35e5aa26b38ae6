package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.client.backup.Backups.Backup;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** When nodes make backups, by a clock that goes from one look to the next. */
final class BackupScheduleTest {
    private static final Duration DAY = Duration.ofDays(1);
    private static final Duration LATEST = BackupSchedule.LONGEST_PAUSE.plus(BackupSchedule.LONGEST_PAUSE);
    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");

    private Instant now = BEGIN;
    private final List<Backup> bucket = new ArrayList<>();
    private boolean bucketIsAway;
    private boolean coordinatorIsAway;
    private int tries;

    /** A node with a schedule of its own. */
    private final class OneNode implements BackupSchedule.Steps {
        private final BackupSchedule schedule;
        private Optional<Backup> known = Optional.empty();
        private Instant next = now;
        private boolean begun;

        OneNode(Duration every, long seed) {
            schedule = new BackupSchedule(every, this, () -> now, new SplittableRandom(seed));
        }

        void act() throws InterruptedException {
            next = now.plus(begun ? schedule.look() : schedule.begin());
            begun = true;
        }

        @Override
        public Optional<Backup> newest(Instant of) throws IOException {
            assertThat(of).isEqualTo(now);
            if (bucketIsAway) {
                throw new IOException("the bucket is away");
            }
            return bucket.stream().max(Comparator.comparing(Backup::made));
        }

        @Override
        public Backup make() throws IOException {
            tries++;
            if (coordinatorIsAway) {
                throw new IOException("the coordinator is away");
            }
            Backup made = new Backup("backup-" + bucket.size(), now, 1);
            bucket.add(made);
            return made;
        }

        @Override
        public void known(Optional<Backup> newest) {
            known = newest;
        }
    }

    private void runFor(Duration time, OneNode... nodes) throws InterruptedException {
        Instant end = now.plus(time);
        while (true) {
            OneNode first = List.of(nodes).stream()
                    .min(Comparator.comparing(node -> node.next))
                    .orElseThrow();
            if (first.next.isAfter(end)) {
                now = end;
                return;
            }
            now = first.next;
            first.act();
        }
    }

    private List<Duration> pauses() {
        List<Duration> pauses = new ArrayList<>();
        for (int i = 1; i < bucket.size(); i++) {
            pauses.add(Duration.between(bucket.get(i - 1).made(), bucket.get(i).made()));
        }
        return pauses;
    }

    @Test
    void theFirstIsMadeSoonAndTheOthersWhenTheNewestIsOldEnough() throws Exception {
        OneNode node = new OneNode(DAY, 1);
        node.act();
        assertThat(bucket).as("none at once").isEmpty();
        runFor(Duration.ofDays(30), node);
        assertThat(Duration.between(BEGIN, bucket.getFirst().made()))
                .isBetween(BackupSchedule.FIRST_LOOK, BackupSchedule.FIRST_LOOK.multipliedBy(2));
        assertThat(bucket).hasSizeBetween(28, 30);
        assertThat(pauses()).allSatisfy(pause -> assertThat(pause).isBetween(DAY, DAY.plus(LATEST)));
        assertThat(node.known).hasValue(bucket.getLast());
    }

    @Test
    void whatIsInTheBucketIsKnownAtOnceAndCounts() throws Exception {
        Backup before = new Backup("before", BEGIN.minus(Duration.ofHours(20)), 1);
        bucket.add(before);
        OneNode node = new OneNode(DAY, 2);
        node.act();
        assertThat(node.known).hasValue(before);
        runFor(Duration.ofHours(3), node);
        assertThat(bucket).containsExactly(before);
        runFor(Duration.ofHours(4), node);
        assertThat(bucket).hasSize(2);
        assertThat(node.known).hasValue(bucket.getLast());
    }

    @Test
    void severalNodesMakeAboutAsManyAsOne() throws Exception {
        OneNode[] nodes = new OneNode[20];
        for (int i = 0; i < nodes.length; i++) {
            nodes[i] = new OneNode(DAY, i);
        }
        runFor(Duration.ofDays(30), nodes);
        assertThat(bucket).hasSizeBetween(29, 31);
        assertThat(pauses()).allSatisfy(pause -> assertThat(pause).isBetween(DAY, DAY.plus(LATEST)));
    }

    @Test
    void whatFailedIsTriedAgainSoonAndForAsLongAsItTakes() throws Exception {
        OneNode node = new OneNode(DAY, 3);
        coordinatorIsAway = true;
        runFor(Duration.ofHours(10), node);
        assertThat(tries).isBetween(10 * 60 / 20, 10 * 60 / 15);
        assertThat(node.known).isEmpty();
        coordinatorIsAway = false;
        runFor(BackupSchedule.AFTER_FAILURE.multipliedBy(2), node);
        assertThat(bucket).hasSize(1);
        bucketIsAway = true;
        runFor(DAY.multipliedBy(2), node);
        assertThat(bucket).as("nobody knows whether it is due").hasSize(1);
        bucketIsAway = false;
        runFor(BackupSchedule.AFTER_FAILURE.multipliedBy(2), node);
        assertThat(bucket).hasSize(2);
    }

    @Test
    void aBackupThatWasRemovedIsMadeAgainWithinHours() throws Exception {
        OneNode node = new OneNode(DAY, 4);
        runFor(Duration.ofHours(5), node);
        assertThat(bucket).hasSize(1);
        bucket.clear();
        runFor(LATEST, node);
        assertThat(bucket).hasSize(1);
        assertThat(node.known).hasValue(bucket.getFirst());
    }

    @Test
    void aShortIntervalIsKept() throws Exception {
        OneNode node = new OneNode(Duration.ofSeconds(10), 5);
        runFor(Duration.ofMinutes(10), node);
        assertThat(pauses())
                .isNotEmpty()
                .allSatisfy(pause -> assertThat(pause).isBetween(Duration.ofSeconds(10), Duration.ofSeconds(25)));
    }
}
