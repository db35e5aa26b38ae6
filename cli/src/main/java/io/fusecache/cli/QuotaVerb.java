package io.fusecache.cli;

import io.fusecache.client.StartupException;
import io.fusecache.client.settings.ByteSize;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** {@code fusecache quota}: limits of directory trees. */
final class QuotaVerb {
    static final String USAGE = "set|show|remove [DIR] ...";
    private static final VerbLine.Form FORM = new VerbLine.Form(
            "quota",
            "set DIR [--bytes SIZE] [--inodes N] | show | remove DIR",
            List.of("json"),
            List.of("bytes", "inodes", "coordinator", "api-key"),
            1,
            2);

    private QuotaVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = FORM.parse(words);
        String action = line.words().getFirst();
        Optional<String> directory = line.words().stream().skip(1).findFirst();
        if (!List.of("set", "show", "remove").contains(action)) {
            throw new UsageException("quota: unknown action '" + action + "': expected set, show or remove");
        }
        if (directory.isEmpty() && !action.equals("show")) {
            throw new UsageException("quota " + action + ": a directory is expected");
        }
        Map<String, Object> wanted = action.equals("set") ? limits(line) : Map.of();
        CoordinatorApi api = CoordinatorApi.of(line, directory.map(Path::of));
        switch (action) {
            case "set" -> {
                wanted.put("path", api.volumePath(directory.orElseThrow()));
                api.put("/api/quotas", wanted);
            }
            case "remove" ->
                api.delete("/api/quotas?path=" + CoordinatorApi.encoded(api.volumePath(directory.orElseThrow())));
            default -> show(api.get("/api/quotas"), line.has("json"), directory.map(api::volumePath), out);
        }
        return ExitStatus.DONE;
    }

    private static Map<String, Object> limits(VerbLine line) throws UsageException {
        Map<String, Object> limits = new LinkedHashMap<>();
        try {
            line.option("bytes").ifPresent(text -> limits.put("limit_bytes", ByteSize.parse(text, 1)));
            line.option("inodes").ifPresent(text -> limits.put("limit_inodes", ByteSize.parse(text, 1)));
        } catch (IllegalArgumentException wrong) {
            throw new UsageException("quota set: " + wrong.getMessage());
        }
        if (limits.isEmpty()) {
            throw new UsageException("quota set: give --bytes, --inodes or both");
        }
        return limits;
    }

    private static void show(JsonNode quotas, boolean json, Optional<String> only, PrintStream out) {
        if (json) {
            out.println(quotas);
            return;
        }
        for (JsonNode quota : quotas) {
            String path = quota.at("/path").asString("");
            if (only.isEmpty() || only.get().equals(path)) {
                out.printf(
                        "%s: %s of %s, %d of %s inodes%n",
                        path,
                        ByteSize.text(quota.at("/used_bytes").asLong()),
                        limit(quota.at("/limit_bytes").asLong(), true),
                        quota.at("/used_inodes").asLong(),
                        limit(quota.at("/limit_inodes").asLong(), false));
            }
        }
    }

    private static String limit(long limit, boolean bytes) {
        if (limit == 0) {
            return "unlimited";
        }
        return bytes ? ByteSize.text(limit) : Long.toString(limit);
    }
}
