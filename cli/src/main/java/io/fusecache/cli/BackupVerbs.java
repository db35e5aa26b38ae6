package io.fusecache.cli;

import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.NodeConfiguration.HostPort;
import io.fusecache.client.StartupException;
import io.fusecache.client.backup.Backups;
import io.fusecache.client.backup.VolumeBucket;
import io.fusecache.client.settings.ByteSize;
import io.fusecache.client.settings.Setting;
import io.fusecache.client.settings.Settings;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** {@code fusecache backup}, {@code restore} and {@code rebuild}: the namespace in the bucket, and a coordinator out of it. */
final class BackupVerbs {
    static final String USAGE = "[client flags]";
    static final String RESTORE_USAGE = "[client flags] [NAME]";
    private static final String NEWEST = "newest";

    private BackupVerbs() {}

    /** The bucket and the coordinator that client flags name. */
    private record Ends(NodeConfiguration configuration, Settings settings, String word) {
        VolumeBucket bucket() throws StartupException {
            return VolumeBucket.open(configuration.bucket());
        }

        CoordinatorApi coordinator() throws StartupException, InterruptedException {
            return BackupVerbs.coordinator(configuration);
        }
    }

    private static CoordinatorApi coordinator(NodeConfiguration configuration)
            throws StartupException, InterruptedException {
        List<String> addresses = addresses(configuration);
        if (addresses.isEmpty()) {
            throw new StartupException("the coordinator's HTTP address is not known: give -coordinator HOST:PORT");
        }
        return coordinator(configuration, addresses);
    }

    static CoordinatorApi coordinator(NodeConfiguration configuration, List<String> addresses) {
        NodeConfiguration.Secret key = configuration.network().apiKey();
        return CoordinatorApi.at(addresses, key == null ? "" : key.value());
    }

    /** Where the coordinator answers HTTP, as the configuration has it. */
    static List<String> addresses(NodeConfiguration configuration) {
        return configuration.coordinator().http().stream()
                .map(HostPort::toString)
                .toList();
    }

    private static Ends ends(String verb, List<String> positionals, List<String> words) throws UsageException {
        ClientFlags.Parsed parsed =
                new ClientFlags("fusecache " + verb, "", positionals).parse(words.toArray(String[]::new));
        String word = positionals.isEmpty() ? "" : parsed.positional(0);
        return new Ends(parsed.configuration(System.getenv()), parsed.settings(System.getenv()), word);
    }

    static int backup(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        Ends ends = ends("backup", List.of(), words);
        Backups.Backup made = make(ends.coordinator(), ends.configuration(), kept(ends.settings()), "");
        out.println(made.name() + ", " + ByteSize.text(made.bytes()) + ", is in the bucket");
        return ExitStatus.DONE;
    }

    /**
     * As a person asks for it, or the schedule.
     *
     * @param namespace that it has to be of; empty: of any
     */
    static Backups.Backup make(CoordinatorApi api, NodeConfiguration configuration, int kept, String namespace)
            throws StartupException, IOException, InterruptedException {
        Path scratch = scratch();
        try (VolumeBucket bucket = VolumeBucket.open(configuration.bucket())) {
            return bucket.backups().make(() -> api.open("/api/dump"), scratch, kept, namespace);
        } finally {
            Files.deleteIfExists(scratch);
        }
    }

    static int kept(Settings settings) throws StartupException {
        String text = settings.text(Setting.BACKUPS_KEPT);
        if (!text.matches("[1-9]\\d{0,4}")) {
            throw new StartupException("-backups-kept '" + text + "': expected 1 to 99999");
        }
        return Integer.parseInt(text);
    }

    private static Path scratch() throws IOException {
        return Files.createTempDirectory("fusecache-backup");
    }

    static int restore(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        Ends ends = ends("restore", List.of("[NAME]"), words);
        try (VolumeBucket bucket = ends.bucket()) {
            List<Backups.Backup> all = bucket.backups().list();
            if (ends.word().isEmpty()) {
                for (Backups.Backup backup : all) {
                    out.println(text(backup, bucket));
                }
                return ExitStatus.DONE;
            }
            if (all.isEmpty()) {
                throw new StartupException("there is no backup in the bucket: fusecache rebuild makes the namespace of"
                        + " what the objects say");
            }
            Backups.Backup chosen = ends.word().equals(NEWEST) ? newest(all) : named(ends.word(), all);
            out.println(text(chosen, bucket));
            restore(chosen.name(), ends, bucket, out);
        }
        return ExitStatus.DONE;
    }

    /** As it is listed, and as it is restored: somebody is to see what it is of. */
    private static String text(Backups.Backup backup, VolumeBucket bucket) throws IOException {
        return backup.name() + " " + ByteSize.text(backup.bytes()) + " of namespace "
                + bucket.backups().namespace(backup).orElse("unknown");
    }

    private static Backups.Backup named(String name, List<Backups.Backup> all) throws StartupException {
        return all.stream()
                .filter(backup -> backup.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () -> new StartupException("there is no backup " + name + ": restore without a name lists"));
    }

    private static void restore(String name, Ends ends, VolumeBucket bucket, PrintStream out)
            throws StartupException, IOException, InterruptedException {
        Path scratch = scratch();
        Path fetched = scratch.resolve("fetched.gz");
        Path current = scratch.resolve("current.gz");
        try {
            bucket.backups().fetch(name, fetched);
            BackupBroughtUpToDate.Report report = BackupBroughtUpToDate.write(fetched, current, bucket);
            out.println(DumpVerb.text(DumpVerb.load(ends.coordinator(), current)));
            report.print(out);
        } finally {
            Files.deleteIfExists(fetched);
            Files.deleteIfExists(current);
            Files.deleteIfExists(scratch);
        }
    }

    private static Backups.Backup newest(List<Backups.Backup> all) throws StartupException {
        return Backups.newest(all, Instant.now())
                .orElseThrow(() -> new StartupException(
                        "all backups are named for later than now: see to this machine's clock, or give a name"));
    }

    static int rebuild(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        Ends ends = ends("rebuild", List.of(), words);
        Path scratch = scratch();
        Path lines = scratch.resolve("rebuilt.gz");
        try (VolumeBucket bucket = ends.bucket()) {
            long aside = BucketAsDump.write(bucket, scratch, lines);
            out.println(DumpVerb.text(DumpVerb.load(ends.coordinator(), lines)));
            if (aside > 0) {
                out.println(aside + " objects are left at " + bucket.prefix()
                        + ".fusecache/objects/: only a backup knows their names");
            }
        } finally {
            Files.deleteIfExists(lines);
            Files.deleteIfExists(scratch);
        }
        return ExitStatus.DONE;
    }
}
