package io.fusecache.cli;

import io.fusecache.client.Node;
import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.Settings;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A node as this process's whole work: started, kept until somebody unmounts it or SIGTERM or SIGINT comes, and then ended
 * cleanly with status 0.
 */
final class Foreground {
    private final Node node;
    private final Runnable after;
    private final AtomicBoolean ended = new AtomicBoolean();

    private Foreground(Node node, Runnable after) {
        this.node = node;
        this.after = after;
    }

    /** @param after runs when the node has ended, or has not started */
    static int run(NodeConfiguration configuration, Settings settings, Runnable after, PrintStream out)
            throws StartupException, InterruptedException {
        Foreground foreground = new Foreground(started(configuration, after), after);
        Thread onSignal = new Thread(foreground::endAndHalt, "end");
        Runtime.getRuntime().addShutdownHook(onSignal);
        StartLines.print(out, configuration, settings, foreground.node, sinceStart());
        foreground.node.awaitUnmount();
        foreground.end();
        return ExitStatus.DONE;
    }

    private static Node started(NodeConfiguration configuration, Runnable after)
            throws StartupException, InterruptedException {
        boolean started = false;
        try {
            Node node = Node.start(configuration);
            started = true;
            return node;
        } finally {
            if (!started) {
                after.run();
            }
        }
    }

    /** On SIGTERM and SIGINT. The exit status that a signal means to the JVM would call a clean end a failure. */
    private void endAndHalt() {
        end();
        Runtime.getRuntime().halt(ExitStatus.DONE);
    }

    /** Done once, by whoever comes first; the other waits for it: the process must not end before. */
    private void end() {
        synchronized (ended) {
            if (ended.compareAndSet(false, true)) {
                try {
                    node.close();
                } finally {
                    after.run();
                }
            }
        }
    }

    /** Since the JVM began, which is what whoever started us has waited. */
    private static Duration sinceStart() {
        Instant now = Instant.now();
        return Duration.between(ProcessHandle.current().info().startInstant().orElse(now), now);
    }
}
