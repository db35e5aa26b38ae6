package io.fusecache.cli;

import io.fusecache.client.Node;
import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.NodeConfiguration.HostPort;
import io.fusecache.client.Version;
import io.fusecache.client.http.NodeStatus;
import io.fusecache.client.settings.ByteSize;
import io.fusecache.client.settings.GoDuration;
import io.fusecache.client.settings.Settings;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What a node says once it is mounted: what is on, what is off and why, its memory, and its effective configuration. */
final class StartLines {
    private StartLines() {}

    static void print(PrintStream out, NodeConfiguration configuration, Settings settings, Node node, Duration took) {
        NodeStatus status = node.insight().status();
        List<String> lines = new ArrayList<>();
        lines.add("on: FUSE " + status.kernel().protocol()
                + (status.kernel().passthrough() ? ", passthrough" : "")
                + ", tier 1 in " + String.join(", ", status.nvme().directories())
                + " (" + ByteSize.text(status.nvme().usedBytes()) + " of "
                + ByteSize.text(status.nvme().capacityBytes()) + ")"
                + ", tier 2, tier 3 " + status.cloud().provider() + " "
                + status.cloud().location()
                + (status.cloud().prefix().isEmpty()
                        ? ""
                        : " prefix " + status.cloud().prefix())
                + ", durability " + status.durability()
                + ", upload " + GoDuration.text(configuration.uploadDelay()) + " after close");
        lines.add("off: " + String.join("; ", off(configuration, status)));
        lines.add("memory: " + ByteSize.text(status.memory().arenaBytes()) + " arena for I/O, heap at most "
                + ByteSize.text(status.memory().heapMaxBytes()));
        lines.add("configuration: " + String.join(" ", settings.effective()));
        lines.forEach(out::println);
        out.printf(
                "fuse-cache %s: %s is mounted at %s after %.2f s (http %s, pid %d)%n",
                Version.text(), status.id(), status.mount(), took.toMillis() / 1e3, node.http(), status.pid());
        out.flush();
    }

    private static List<String> off(NodeConfiguration configuration, NodeStatus status) {
        List<String> off = new ArrayList<>();
        if (!status.kernel().passthrough()) {
            off.add("passthrough (" + status.kernel().passthroughReason()
                    + "), so reads and writes go through the daemon");
        }
        if (configuration.network().apiKey() == null) {
            off.add("api key, so whoever reaches " + configuration.network().listenHost() + " port "
                    + configuration.network().httpPort() + " may read and write files");
        }
        if (configuration.mount().readOnly()) {
            off.add("writing (-read-only)");
        }
        if (configuration.progressBytes() == 0) {
            off.add("progress log (-io-progress-mb 0)");
        }
        off.add("gRPC server (peers are served over HTTP)");
        return off;
    }

    /** Where this machine reaches what listens at {@code bound}. */
    static HostPort reachable(HostPort bound) {
        return switch (bound.host()) {
            case "0.0.0.0" -> new HostPort("127.0.0.1", bound.port());
            case "::" -> new HostPort("::1", bound.port());
            default -> bound;
        };
    }
}
