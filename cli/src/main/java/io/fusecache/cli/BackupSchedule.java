package io.fusecache.cli;

import io.fusecache.client.Node;
import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.StartupException;
import io.fusecache.client.backup.Backups;
import io.fusecache.client.backup.VolumeBucket;
import io.fusecache.client.settings.GoDuration;
import io.fusecache.client.settings.Setting;
import io.fusecache.client.settings.Settings;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a backup of the namespace when the newest in the bucket is old enough. Every node looks, each at a time of its own, and
 * the bucket says what the others did: two that look at once make one too many, which does no harm. Between two looks
 * nothing is kept open.
 */
final class BackupSchedule {
    private static final Logger LOG = LoggerFactory.getLogger(BackupSchedule.class);

    /** So that a node that is started for some minutes makes none. */
    private static final Duration FIRST_LOOK = Duration.ofMinutes(10);

    private static final Duration AFTER_FAILURE = Duration.ofMinutes(15);

    /** Between two looks: clocks are set, and backups removed. */
    private static final Duration LONGEST_PAUSE = Duration.ofHours(1);

    private final NodeConfiguration configuration;
    private final Settings settings;
    private final Duration every;

    private BackupSchedule(NodeConfiguration configuration, Settings settings, Duration every) {
        this.configuration = configuration;
        this.settings = settings;
        this.every = every;
    }

    /** StartupException for what is no time. */
    static BackupSchedule of(NodeConfiguration configuration, Settings settings) throws StartupException {
        return new BackupSchedule(configuration, settings, every(settings.text(Setting.BACKUP_EVERY)));
    }

    void start(Node node) {
        if (every.isZero() || configuration.mount().readOnly()) {
            return;
        }
        if (configuration.coordinator().http().isEmpty()) {
            LOG.info("no backups of the namespace are made by this node: give -coordinator, the HTTP address");
            return;
        }
        Thread.ofVirtual().name("backups").start(() -> run(node));
    }

    private static Duration every(String text) throws StartupException {
        try {
            Duration every = GoDuration.parseWithDays(text);
            if (every.isZero() || every.compareTo(Duration.ofSeconds(1)) >= 0) {
                return every;
            }
        } catch (IllegalArgumentException wrong) {
            LOG.debug("{}", text, wrong);
        }
        throw new StartupException("-backup-every '" + text + "': expected a time such as 24h or 7d, or 0 for never");
    }

    private void run(Node node) {
        Duration pause = shorter(every.dividedBy(2), FIRST_LOOK);
        try {
            while (true) {
                Thread.sleep(pause.toMillis() + ThreadLocalRandom.current().nextLong(pause.toMillis() / 4 + 1));
                pause = shorter(look(node), LONGEST_PAUSE);
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    /** Returns until when there is nothing to do. */
    private Duration look(Node node) throws InterruptedException {
        try {
            Duration left = every.minus(age());
            if (left.isPositive()) {
                return left;
            }
            CoordinatorApi api = BackupVerbs.coordinator(configuration, coordinators(node));
            Backups.Backup made = BackupVerbs.make(api, configuration, settings, node.namespace());
            LOG.info("the backup {} of the namespace is in the bucket, {} bytes", made.name(), made.bytes());
            return every;
        } catch (IOException | StartupException | RuntimeException failed) {
            LOG.warn("no backup of the namespace was made: {}", ClientFlags.oneLine(failed.getMessage()));
            return shorter(every, AFTER_FAILURE);
        }
    }

    /** The replicas that the node was told of since it began first: those that it was started with may be gone, or somebody else's. */
    private List<String> coordinators(Node node) {
        return Stream.concat(
                        node.insight().status().coordinator().http().stream(),
                        BackupVerbs.addresses(configuration).stream())
                .distinct()
                .toList();
    }

    /** Of the newest; as old as can be where there is none. */
    private Duration age() throws IOException, StartupException {
        try (VolumeBucket bucket = VolumeBucket.open(configuration.bucket())) {
            Instant now = Instant.now();
            return Backups.newest(bucket.backups().list(), now)
                    .map(newest -> Duration.between(newest.made(), now))
                    .orElse(every);
        }
    }
}
