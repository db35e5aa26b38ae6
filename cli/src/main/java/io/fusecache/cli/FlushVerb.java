package io.fusecache.cli;

import io.fusecache.client.RunningNode;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.GoDuration;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** {@code fusecache flush}: waits until nothing of this machine's nodes is missing in the bucket. */
final class FlushVerb {
    private static final VerbLine.Form FORM =
            new VerbLine.Form("flush", "[--timeout TIME] [DIR]", List.of(), List.of("timeout", "api-key"), 0, 1);
    private static final Duration ROUND = Duration.ofSeconds(10);

    private FlushVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = FORM.parse(words);
        long deadline = System.nanoTime() + timeout(line, Duration.ofDays(365)).toNanos();
        for (RunningNode node :
                NodeApi.running(line.words().stream().findFirst().map(Path::of))) {
            flush(NodeApi.of(node, line), deadline, out);
        }
        return ExitStatus.DONE;
    }

    private static void flush(NodeApi api, long deadline, PrintStream out)
            throws StartupException, InterruptedException {
        while (true) {
            long left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()))
                    .plusMillis(999)
                    .toSeconds();
            JsonNode uploads = api.post("/api/flush?timeout_seconds=" + Math.min(left, ROUND.toSeconds()));
            long tooLarge = uploads.at("/too_large_files").asLong();
            if (uploads.at("/pending_files").asLong() == tooLarge) {
                if (tooLarge > 0) {
                    throw new StartupException("node " + api.node().id() + ": every file is in the bucket but "
                            + tooLarge + ", larger than an object can be: the node's log names them");
                }
                out.println(api.node().id() + ": every file is in the bucket");
                return;
            }
            if (left == 0) {
                throw new StartupException("node " + api.node().id() + " still has " + StatusVerb.uploads(uploads)
                        + ": give more --timeout, or see the node's log");
            }
            out.println(api.node().id() + ": " + StatusVerb.uploads(uploads));
        }
    }

    static Duration timeout(VerbLine line, Duration absent) throws UsageException {
        Optional<String> text = line.option("timeout");
        try {
            return text.isEmpty() ? absent : GoDuration.parse(text.get());
        } catch (IllegalArgumentException wrong) {
            throw new UsageException("--timeout: '" + text.orElse("") + "': " + wrong.getMessage());
        }
    }
}
