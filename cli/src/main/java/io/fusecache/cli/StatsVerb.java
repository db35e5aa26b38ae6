package io.fusecache.cli;

import io.fusecache.client.RunningNode;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.ByteSize;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** {@code fusecache stats}: what each tier served since start. */
final class StatsVerb {
    private static final VerbLine.Form FORM =
            new VerbLine.Form("stats", "[--json] [DIR]", List.of("json"), List.of("api-key"), 0, 1);

    private StatsVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = FORM.parse(words);
        for (RunningNode node :
                NodeApi.running(line.words().stream().findFirst().map(Path::of))) {
            JsonNode stats = NodeApi.of(node, line).get("/api/cache/stats");
            if (line.has("json")) {
                out.println(stats);
            } else {
                print(stats, node, out);
            }
        }
        return ExitStatus.DONE;
    }

    private static void print(JsonNode stats, RunningNode node, PrintStream out) {
        out.printf("%s at %s%n", node.id(), node.mount());
        out.printf("  %-8s %12s %12s %12s %10s%n", "tier", "hits", "misses", "bytes", "MB/s");
        for (String tier : List.of("nvme", "peer", "cloud")) {
            JsonNode counts = stats.at("/reads/" + tier);
            long nanos = counts.at("/nanos").asLong();
            long bytes = counts.at("/bytes").asLong();
            out.printf(
                    "  %-8s %12d %12d %12s %10s%n",
                    tier,
                    counts.at("/hits").asLong(),
                    counts.at("/misses").asLong(),
                    ByteSize.text(bytes),
                    nanos == 0 ? "-" : "%.0f".formatted(bytes * 1e3 / nanos));
        }
        out.printf(
                "  commits  %d of %s%n",
                stats.at("/writes/count").asLong(),
                ByteSize.text(stats.at("/writes/bytes").asLong()));
    }
}
