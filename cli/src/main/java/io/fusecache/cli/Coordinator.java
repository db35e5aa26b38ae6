package io.fusecache.cli;

import io.fusecache.client.Version;
import io.fusecache.client.settings.ByteSize;
import io.fusecache.client.settings.UsageException;
import io.fusecache.coordinator.CoordinatorConfiguration;
import io.fusecache.coordinator.CoordinatorServer;
import io.fusecache.coordinator.raft.ReplicaGroup;
import io.fusecache.coordinator.state.StateStore;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.ParseResult;

/** {@code bin/coordinator}: runs until SIGTERM or SIGINT, which end it cleanly with status 0. */
public final class Coordinator {
    private static final Logger LOG = LoggerFactory.getLogger(Coordinator.class);

    private Coordinator() {}

    public static void main(String[] arguments) throws InterruptedException {
        int status = run(arguments, System.getenv(), System.out, System.err);
        if (status == RUNS) {
            new CountDownLatch(1).await();
        }
        System.exit(status);
    }

    /** The server is up, and signals end it. */
    private static final int RUNS = -1;

    static int run(String[] arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        try {
            ParseResult flags = CoordinatorFlags.parse(arguments);
            if (flags.isUsageHelpRequested()) {
                out.print(CoordinatorFlags.help());
                return ExitStatus.DONE;
            }
            if (flags.isVersionHelpRequested()) {
                out.println("fuse-cache " + Version.text() + " (Java " + Runtime.version() + ")");
                return ExitStatus.DONE;
            }
            CoordinatorConfiguration configuration = CoordinatorFlags.read(flags, environment);
            List<String> joins = CoordinatorFlags.joins(flags, environment);
            ReplicaGroup group = configuration.replicas();
            // Whose folder is not empty knows its group.
            serve(
                    group == null || joins.isEmpty() || ReplicaGroup.owns(configuration.data())
                            ? configuration
                            : configuration.of(group.joining(JoinedGroup.of(joins))));
            return RUNS;
        } catch (UsageException wrong) {
            err.println("coordinator: " + wrong.getMessage());
            return ExitStatus.USAGE;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            err.println("coordinator: interrupted");
            return ExitStatus.FAILURE;
        } catch (IOException failed) {
            err.println("coordinator: " + ClientFlags.oneLine(failed.getMessage()));
            return ExitStatus.FAILURE;
        }
    }

    private static void serve(CoordinatorConfiguration configuration) throws IOException {
        CoordinatorServer server = CoordinatorServer.start(configuration);
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("stop").unstarted(() -> stop(server)));
        LOG.info(
                "fuse-cache coordinator {} serves: listen={} port={} grpc-port={} data={} | api-key {}, replication {}, "
                        + "TLS off | memory: heap {}, database {}",
                Version.text(),
                configuration.listenHost(),
                server.port(),
                server.grpcPort(),
                configuration.data(),
                configuration.apiKey() == null ? "off" : "on",
                replication(configuration.replicas()),
                ByteSize.text(Runtime.getRuntime().maxMemory()),
                ByteSize.text(StateStore.MEMORY_BYTES));
    }

    private static String replication(@Nullable ReplicaGroup group) {
        return group == null
                ? "off (one member)"
                : "on (" + group.self() + " of "
                        + String.join(", ", group.members().keySet()) + ")";
    }

    /** A signal is how a coordinator is meant to end: status 0, and not the JVM's 143. */
    private static void stop(CoordinatorServer server) {
        server.close();
        LOG.info("coordinator stopped: its state is on disk");
        Runtime.getRuntime().halt(ExitStatus.DONE);
    }
}
