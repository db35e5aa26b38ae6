package io.fusecache.cli;

import io.fusecache.client.Node;
import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.Settings;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A node as this process's whole work: started, kept until somebody unmounts it or SIGTERM or SIGINT comes, and then ended
 * cleanly with status 0.
 */
final class Foreground {
    private final Thread starter = Thread.currentThread();
    private final Runnable after;
    private final Object lock = new Object();

    /** Null until it has started and again once its end has begun; guarded by {@code lock}. */
    private @Nullable Node node;

    private volatile boolean starting = true;

    private Foreground(Runnable after) {
        this.after = after;
    }

    /** @param after runs when the node has ended, or has not started */
    static int run(NodeConfiguration configuration, Settings settings, Runnable after, PrintStream out)
            throws StartupException, InterruptedException {
        NodeBackups backups = NodeBackups.of(configuration, settings);
        Foreground foreground = new Foreground(after);
        Node node = foreground.start(configuration);
        backups.start(node);
        StartLines.print(out, configuration, settings, node, sinceStart());
        node.awaitUnmount();
        foreground.end();
        return ExitStatus.DONE;
    }

    /**
     * The hook is there before the mount is: a signal that came in between would leave a mount that nobody serves. It
     * interrupts a start, waits on the lock until that has come to its end either way, and ends what is there.
     */
    private Node start(NodeConfiguration configuration) throws StartupException, InterruptedException {
        Thread onSignal = new Thread(this::endAndHalt, "end");
        synchronized (lock) {
            Runtime.getRuntime().addShutdownHook(onSignal);
            boolean started = false;
            try {
                Node fresh = Node.start(configuration);
                node = fresh;
                started = true;
                return fresh;
            } finally {
                starting = false;
                if (!started) {
                    forget(onSignal);
                    after.run();
                }
            }
        }
    }

    /** A start that failed has its own exit status, which the hook must not replace. */
    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException signalCameFirst) {
            // The hook is what interrupted the start: it runs already and ends the process.
        }
    }

    /** On SIGTERM and SIGINT. The exit status that a signal means to the JVM would call a clean end a failure. */
    private void endAndHalt() {
        if (starting) {
            starter.interrupt();
        }
        end();
        Runtime.getRuntime().halt(ExitStatus.DONE);
    }

    /** Done once, by whoever comes first; the other waits for it: the process must not end before. */
    private void end() {
        synchronized (lock) {
            Node running = node;
            node = null;
            if (running != null) {
                try {
                    running.close();
                } finally {
                    after.run();
                }
            }
        }
    }

    /**
     * Since the process began, which is what whoever started us has waited. By the clock since boot, in hundredths of a second:
     * the process's time of day is that of the boot, in whole seconds, and so off by up to one.
     */
    static Duration sinceStart() {
        try {
            // proc(5): field 22 of stat; what is in parentheses may have spaces.
            String stat = Files.readString(Path.of("/proc/self/stat"));
            String[] afterName = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            double uptime =
                    Double.parseDouble(Files.readString(Path.of("/proc/uptime")).split(" ", 2)[0]);
            // Not negative where a container shows an uptime of its own.
            return Duration.ofMillis(Math.max(0, Math.round(1000 * uptime) - 10 * Long.parseLong(afterName[19])));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
