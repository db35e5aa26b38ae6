package io.fusecache.cli;

import io.fusecache.client.RunningNode;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.NodeSettings;
import io.fusecache.client.settings.Setting;
import io.fusecache.client.settings.Settings;
import io.fusecache.client.settings.UsageException;
import io.fusecache.coordinator.CoordinatorConfiguration;
import io.fusecache.coordinator.CoordinatorServer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * {@code fusecache mount SOURCE DIR}: a bucket as a directory, with nothing to set up before. Without a coordinator named
 * by flag or environment it brings its own, in this process.
 */
final class MountVerb {
    private static final String LOOPBACK = "127.0.0.1";
    private static final long POLL_MILLIS = 20;

    private MountVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        List<String> rest = new ArrayList<>(words);
        boolean background = rest.removeIf(word -> word.matches("--?background|-d"));
        ClientFlags flags = new ClientFlags(
                "fusecache mount",
                "Mounts SOURCE (file:///FOLDER, s3://BUCKET/PREFIX, gs://..., az://...) on DIR until it is unmounted. "
                        + "With -background (-d) it returns once DIR is mounted. The flags are those of bin/client.",
                List.of("SOURCE", "DIR"));
        ClientFlags.Parsed parsed = flags.parse(rest.toArray(String[]::new));
        Path directory = Path.of(parsed.positional(1)).toAbsolutePath().normalize();
        Map<Setting, String> settings = settings(MountSource.parse(parsed.positional(0)), directory, parsed.flags());
        Settings check = parsed.settings(settings, System.getenv());
        NodeSettings.read(check);
        Files.createDirectories(directory);
        MountSource source = MountSource.parse(parsed.positional(0));
        if (background) {
            return detached(rest, directory, source, out);
        }
        if (given(check, Setting.COORDINATOR) || given(check, Setting.COORDINATOR_GRPC)) {
            return Foreground.run(NodeSettings.read(check), check, () -> {}, out);
        }
        CoordinatorServer coordinator = CoordinatorServer.start(embedded(source, check.text(Setting.API_KEY)));
        settings.put(Setting.COORDINATOR, LOOPBACK + ":" + coordinator.port());
        settings.put(Setting.COORDINATOR_GRPC, LOOPBACK + ":" + coordinator.grpcPort());
        Settings all = parsed.settings(settings, System.getenv());
        return Foreground.run(NodeSettings.read(all), all, coordinator::close, out);
    }

    private static boolean given(Settings settings, Setting setting) {
        return settings.source(setting) != Settings.Source.DEFAULT;
    }

    /** What source and directory say, beside the flags; what differs from a daemon's defaults suits one user's machine. */
    private static Map<Setting, String> settings(MountSource source, Path directory, Map<Setting, String> flags)
            throws UsageException {
        Map<Setting, String> settings = new EnumMap<>(Setting.class);
        settings.put(
                Setting.NVME,
                places("CACHE", "/var/cache", ".cache").resolve(source.name()).toString());
        settings.put(Setting.PORT, "0");
        settings.put(Setting.GRPC_PORT, "0");
        settings.put(Setting.LISTEN, LOOPBACK);
        settings.keySet()
                .removeIf(setting -> setting.variables().stream()
                        .anyMatch(variable -> !System.getenv()
                                .getOrDefault(variable.name(), "")
                                .isEmpty()));
        settings.putAll(flags);
        Map<Setting, String> said = new EnumMap<>(source.settings());
        said.put(Setting.MOUNT, directory.toString());
        for (Map.Entry<Setting, String> entry : said.entrySet()) {
            String flag = flags.get(entry.getKey());
            if (flag != null && !flag.equals(entry.getValue())) {
                throw new UsageException("mount: -%s %s contradicts %s: drop one of them"
                        .formatted(entry.getKey().flag(), flag, source.text()));
            }
            settings.put(entry.getKey(), entry.getValue());
        }
        return settings;
    }

    private static CoordinatorConfiguration embedded(MountSource source, String apiKey) {
        return new CoordinatorConfiguration(
                LOOPBACK, 0, 0, state(source).resolve("coordinator"), apiKey.isEmpty() ? null : apiKey);
    }

    private static Path state(MountSource source) {
        return places("STATE", "/var/lib", ".local/state").resolve(source.name());
    }

    /** Where a user's caches or states are kept; root's are the system's. */
    private static Path places(String kind, String ofRoot, String ofUser) {
        String named = System.getenv().getOrDefault("XDG_" + kind + "_HOME", "");
        if (!named.isEmpty()) {
            return Path.of(named, "fusecache");
        }
        boolean root = System.getProperty("user.name", "").equals("root");
        return root ? Path.of(ofRoot, "fusecache") : Path.of(System.getProperty("user.home"), ofUser, "fusecache");
    }

    /** The same command in a session of its own; returns once it is mounted, or says why it is not. */
    private static int detached(List<String> words, Path directory, MountSource source, PrintStream out)
            throws StartupException, IOException, InterruptedException {
        String home = System.getProperty("fusecache.home");
        if (home == null) {
            throw new StartupException("-background starts bin/fusecache again: run it as bin/fusecache mount");
        }
        Path log = Files.createDirectories(state(source)).resolve("mount.log");
        List<String> command = new ArrayList<>(
                List.of("setsid", Path.of(home, "bin", "fusecache").toString(), "mount"));
        command.addAll(words);
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .start();
        while (process.isAlive()) {
            for (RunningNode node : RunningNode.all()) {
                if (node.pid() == process.pid()) {
                    out.println(directory + " is mounted (pid " + node.pid() + ", log " + log + "); fusecache umount "
                            + directory + " ends it");
                    return ExitStatus.DONE;
                }
            }
            process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
        }
        throw new StartupException(Files.readString(log));
    }
}
