package io.fusecache.cli;

import io.fusecache.client.RunningNode;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.ByteSize;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** {@code fusecache explain PATH}: where a file's bytes would come from, and what is known of it. */
final class ExplainVerb {
    private static final VerbLine.Form FORM =
            new VerbLine.Form("explain", "[--json] PATH", List.of("json"), List.of("api-key"), 1, 1);

    private ExplainVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = FORM.parse(words);
        Path path = Path.of(line.words().getFirst()).toAbsolutePath().normalize();
        RunningNode node = NodeApi.running(Optional.of(path)).getFirst();
        if (path.equals(node.mount())) {
            throw new UsageException("explain: " + path + " is the mount itself: name a file in it");
        }
        JsonNode explanation = NodeApi.of(node, line).get("/api/explain" + NodeApi.below(node, path));
        if (line.has("json")) {
            out.println(explanation);
        } else {
            print(explanation, out);
        }
        return ExitStatus.DONE;
    }

    private static void print(JsonNode explanation, PrintStream out) {
        out.printf(
                "%s: %s, inode %d%n",
                text(explanation, "/path"),
                text(explanation, "/type"),
                explanation.at("/ino").asLong());
        row(out, "tier", text(explanation, "/tier") + ": " + text(explanation, "/reason"));
        if (text(explanation, "/tier").equals("none")) {
            return;
        }
        row(
                out,
                "version",
                "%d, %s, %s"
                        .formatted(
                                explanation.at("/version").asLong(),
                                ByteSize.text(explanation.at("/size").asLong()),
                                explanation.at("/sealed").asBoolean() ? "checksums known" : "no checksums yet"));
        row(
                out,
                "nvme",
                "%d of %d blocks of %s%s"
                        .formatted(
                                explanation.at("/blocks_present").asInt(),
                                explanation.at("/blocks").asInt(),
                                ByteSize.text(explanation.at("/block_bytes").asLong()),
                                explanation.at("/whole").asBoolean() ? ", whole" : ""));
        for (JsonNode holder : explanation.at("/holders")) {
            row(
                    out,
                    "peer",
                    "%s at %s has %d blocks"
                            .formatted(
                                    text(holder, "/id"),
                                    text(holder, "/address"),
                                    holder.at("/blocks").asInt()));
        }
        row(
                out,
                "bucket",
                explanation.at("/object_key").isNull()
                        ? "not there yet" + (explanation.at("/pending").asBoolean() ? ", waits for upload" : "")
                        : "object " + text(explanation, "/object_key") + ", ETag " + text(explanation, "/object_etag"));
        if (!explanation.at("/writer").isNull()) {
            row(out, "writer", text(explanation, "/writer"));
        }
    }

    private static void row(PrintStream out, String name, String value) {
        out.printf("  %-8s %s%n", name, value);
    }

    private static String text(JsonNode node, String pointer) {
        return node.at(pointer).asString("");
    }
}
