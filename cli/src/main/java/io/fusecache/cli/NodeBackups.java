package io.fusecache.cli;

import io.fusecache.client.Node;
import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.StartupException;
import io.fusecache.client.backup.Backups.Backup;
import io.fusecache.client.backup.VolumeBucket;
import io.fusecache.client.http.NodeInsight.SeenBackup;
import io.fusecache.client.settings.GoDuration;
import io.fusecache.client.settings.Setting;
import io.fusecache.client.settings.Settings;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The backups that a node makes as it runs. Between two looks at the bucket nothing is kept open. */
final class NodeBackups {
    private static final Logger LOG = LoggerFactory.getLogger(NodeBackups.class);

    private final NodeConfiguration configuration;
    private final Duration every;
    private final int kept;

    private NodeBackups(NodeConfiguration configuration, Duration every, int kept) {
        this.configuration = configuration;
        this.every = every;
        this.kept = kept;
    }

    /** StartupException for what is no time, or no number. */
    static NodeBackups of(NodeConfiguration configuration, Settings settings) throws StartupException {
        return new NodeBackups(configuration, every(settings.text(Setting.BACKUP_EVERY)), BackupVerbs.kept(settings));
    }

    void start(Node node) {
        if (every.isZero() || configuration.mount().readOnly()) {
            return;
        }
        if (configuration.coordinator().http().isEmpty()) {
            LOG.info("no backups of the namespace are made by this node: give -coordinator, the HTTP address");
            return;
        }
        BackupSchedule schedule =
                new BackupSchedule(every, new OfNode(node), InstantSource.system(), new SplittableRandom());
        Thread.ofVirtual().name("backups").start(schedule::run);
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

    private final class OfNode implements BackupSchedule.Steps {
        private final Node node;

        OfNode(Node node) {
            this.node = node;
        }

        @Override
        public Optional<Backup> newest(Instant now) throws IOException, StartupException {
            try (VolumeBucket bucket = VolumeBucket.open(configuration.bucket())) {
                return bucket.backups().newest(node.namespace(), now);
            }
        }

        @Override
        public Backup make() throws IOException, StartupException, InterruptedException {
            CoordinatorApi api = BackupVerbs.coordinator(configuration, coordinators());
            return BackupVerbs.make(api, configuration, kept, node.namespace());
        }

        /** The replicas that the node was told of since it began first: those that it was started with may be gone, or somebody else's. */
        private List<String> coordinators() {
            return Stream.concat(
                            node.insight().status().coordinator().http().stream(),
                            BackupVerbs.addresses(configuration).stream())
                    .distinct()
                    .toList();
        }

        @Override
        public void known(Optional<Backup> newest) {
            node.insight()
                    .sawBackup(newest.map(backup -> new SeenBackup(backup.name(), backup.made(), backup.bytes()))
                            .orElse(null));
        }
    }
}
