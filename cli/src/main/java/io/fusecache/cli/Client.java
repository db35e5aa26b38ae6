package io.fusecache.cli;

import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.StartupException;
import io.fusecache.client.Version;
import io.fusecache.client.settings.NodeSettings;
import io.fusecache.client.settings.Settings;
import io.fusecache.client.settings.UsageException;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;

/** {@code bin/client}: the daemon of one node, in the foreground until it is unmounted or told to end. */
public final class Client {
    private static final String DESCRIPTION =
            "The daemon of one node: mounts the shared file system, caches it on this node's disks, serves its peers.";

    private Client() {}

    public static void main(String[] arguments) {
        System.exit(run(List.of(arguments), System.getenv(), System.out, System.err));
    }

    static int run(List<String> words, Map<String, String> environment, PrintStream out, PrintStream err) {
        ClientFlags flags = new ClientFlags("client", DESCRIPTION, List.of());
        try {
            ClientFlags.Parsed parsed = flags.parse(words.toArray(String[]::new));
            if (parsed.help()) {
                out.print(flags.help());
                return ExitStatus.DONE;
            }
            if (parsed.version()) {
                out.println("fuse-cache " + Version.text() + " (Java " + Runtime.version() + ")");
                return ExitStatus.DONE;
            }
            Settings settings = parsed.settings(environment);
            NodeConfiguration configuration = NodeSettings.read(settings);
            return Foreground.run(configuration, settings, () -> {}, out);
        } catch (UsageException wrong) {
            err.println("client: " + wrong.getMessage());
            return ExitStatus.USAGE;
        } catch (StartupException failed) {
            err.println("client: " + ClientFlags.oneLine(failed.getMessage()));
            return ExitStatus.FAILURE;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            err.println("client: interrupted");
            return ExitStatus.FAILURE;
        }
    }
}
