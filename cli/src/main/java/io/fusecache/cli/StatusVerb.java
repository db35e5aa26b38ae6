package io.fusecache.cli;

import io.fusecache.client.RunningNode;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.ByteSize;
import io.fusecache.client.settings.GoDuration;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** {@code fusecache status}: what the nodes of this machine are at. */
final class StatusVerb {
    private static final VerbLine.Form FORM =
            new VerbLine.Form("status", "[--json] [DIR]", List.of("json"), List.of("api-key"), 0, 1);

    /** What nobody leads is to be seen soon. */
    private static final Duration LEADER_WITHIN = Duration.ofSeconds(3);

    private StatusVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = FORM.parse(words);
        for (RunningNode node :
                NodeApi.running(line.words().stream().findFirst().map(Path::of))) {
            JsonNode status = NodeApi.of(node, line).get("/api/status");
            if (line.has("json")) {
                out.println(status);
            } else {
                print(status, node, out);
                members(status, line, out);
            }
        }
        return ExitStatus.DONE;
    }

    private static void print(JsonNode status, RunningNode node, PrintStream out) {
        Duration up = Duration.between(Instant.parse(text(status, "/started_at")), Instant.now());
        out.printf(
                "%s at %s%s (pid %d, up %s, http %s)%n",
                text(status, "/id"),
                text(status, "/mount"),
                status.at("/read_only").asBoolean() ? " read-only" : "",
                node.pid(),
                GoDuration.text(Duration.ofSeconds(up.toSeconds())),
                node.http());
        String passthrough = status.at("/kernel/passthrough").asBoolean() ? "on" : "off";
        row(
                out,
                "kernel",
                "FUSE " + text(status, "/kernel/protocol") + ", passthrough " + passthrough + ": "
                        + text(status, "/kernel/passthrough_reason"));
        row(
                out,
                "coordinator",
                (status.at("/coordinator/connected").asBoolean() ? "connected at " : "AWAY at ")
                        + addresses(status.at("/coordinator/addresses")));
        row(
                out,
                "nvme",
                "%s of %s in %d files; %d evictions, %d corrupt blocks"
                        .formatted(
                                size(status, "/nvme/used_bytes"),
                                size(status, "/nvme/capacity_bytes"),
                                status.at("/nvme/files").asLong(),
                                status.at("/nvme/evictions").asLong(),
                                status.at("/nvme/corrupt_blocks").asLong()));
        row(
                out,
                "bucket",
                text(status, "/cloud/provider") + " " + text(status, "/cloud/location") + ", prefix '"
                        + text(status, "/cloud/prefix") + "'; durability " + text(status, "/durability"));
        row(out, "uploads", uploads(status.at("/uploads")));
        row(out, "backup", backup(status.at("/backup")));
        row(
                out,
                "memory",
                size(status, "/memory/resident_bytes") + " resident; arena " + size(status, "/memory/arena_used_bytes")
                        + " of " + size(status, "/memory/arena_bytes"));
    }

    /** Of a coordinator that is one of several, or was told to be. */
    private static void members(JsonNode status, VerbLine line, PrintStream out) throws InterruptedException {
        List<String> addresses = CoordinatorApi.addresses(status);
        if (addresses.size() < 2) {
            return;
        }
        try {
            CoordinatorApi.at(addresses, line, LEADER_WITHIN)
                    .get("/api/members")
                    .at("/members")
                    .forEach(member -> row(out, "member", MembersVerb.text(member)));
        } catch (StartupException nobody) {
            row(out, "members", ClientFlags.oneLine(nobody.getMessage()));
        }
    }

    static String uploads(JsonNode uploads) {
        long files = uploads.at("/pending_files").asLong();
        String error = uploads.at("/last_error").isNull() ? "" : "; last error: " + text(uploads, "/last_error");
        return files == 0
                ? "nothing pending" + error
                : "%d files, %s pending%s".formatted(files, size(uploads, "/pending_bytes"), error);
    }

    static String backup(JsonNode backup) {
        return backup.isObject()
                ? "%s, %s, %s old"
                        .formatted(
                                text(backup, "/name"),
                                size(backup, "/bytes"),
                                GoDuration.text(Duration.ofSeconds(
                                        backup.at("/age_seconds").asLong())))
                : "none of this namespace is known";
    }

    private static void row(PrintStream out, String name, String value) {
        out.printf("  %-12s %s%n", name, value);
    }

    private static String addresses(JsonNode addresses) {
        return String.join(", ", addresses.valueStream().map(JsonNode::asString).toList());
    }

    private static String text(JsonNode node, String pointer) {
        return node.at(pointer).asString("");
    }

    private static String size(JsonNode node, String pointer) {
        return ByteSize.text(node.at(pointer).asLong());
    }
}
