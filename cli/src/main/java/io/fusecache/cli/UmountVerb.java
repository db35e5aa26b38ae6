package io.fusecache.cli;

import io.fusecache.client.LeftOverMount;
import io.fusecache.client.RunningNode;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** {@code fusecache umount DIR}: ends the node cleanly, or removes the mount that a dead one left. */
final class UmountVerb {
    private static final VerbLine.Form FORM =
            new VerbLine.Form("umount", "[--timeout TIME] DIR", List.of(), List.of("timeout"), 1, 1);

    private UmountVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = FORM.parse(words);
        Path mount = Path.of(line.words().getFirst()).toAbsolutePath().normalize();
        Duration timeout = FlushVerb.timeout(line, Duration.ofMinutes(2));
        Optional<RunningNode> node = RunningNode.all().stream()
                .filter(running -> running.mount().equals(mount))
                .findFirst();
        if (node.isPresent()) {
            end(node.get(), timeout);
        } else if (LeftOverMount.at(mount)) {
            LeftOverMount.detach(mount);
        } else {
            throw new StartupException("nothing is mounted at " + mount + ": fusecache status lists what is");
        }
        out.println(mount + " is unmounted");
        return ExitStatus.DONE;
    }

    /** SIGTERM: the node drains its uploads within its bound, unmounts and ends. */
    private static void end(RunningNode node, Duration timeout) throws StartupException, InterruptedException {
        Optional<ProcessHandle> process = ProcessHandle.of(node.pid());
        if (process.isEmpty() || !process.get().destroy()) {
            return;
        }
        try {
            process.get().onExit().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException slow) {
            throw new StartupException(
                    "node %s (pid %d) did not end within %s: give more --timeout, or see its log"
                            .formatted(node.id(), node.pid(), timeout),
                    slow);
        } catch (ExecutionException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
