package io.fusecache.cli;

import io.fusecache.client.StartupException;
import io.fusecache.client.settings.ByteSize;
import io.fusecache.client.settings.GoDuration;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** {@code fusecache trash}: removed files, kept for a while. */
final class TrashVerb {
    static final String USAGE = "set|show|off|list|restore|empty ...";
    private static final List<String> ACTIONS = List.of("set", "show", "off", "list", "restore", "empty");
    private static final VerbLine.Form FORM = new VerbLine.Form(
            "trash",
            "set --keep TIME | show | off | list [DIR] [--json] | restore PATH|ID [--to PATH] | empty [--older-than TIME]",
            List.of("json"),
            List.of("keep", "to", "older-than", "coordinator", "api-key"),
            1,
            2);

    private TrashVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = FORM.parse(words);
        String action = line.words().getFirst();
        Optional<String> word = line.words().stream().skip(1).findFirst();
        if (!ACTIONS.contains(action)) {
            throw new UsageException("trash: unknown action '" + action + "': expected one of " + ACTIONS);
        }
        if (word.isEmpty() && action.equals("restore")) {
            throw new UsageException("trash restore: a path or an id is expected: fusecache trash list shows them");
        }
        Duration keep = action.equals("set") ? time(line, "keep", true) : Duration.ZERO;
        Duration age = time(line, "older-than", false);
        boolean byId = action.equals("restore") && isId(word.orElse(""));
        Optional<String> place = line.option("to").or(() -> byId ? Optional.empty() : word);
        CoordinatorApi api = CoordinatorApi.of(line, place.map(Path::of));
        switch (action) {
            case "set", "off" -> api.put("/api/trash/keeping", Map.of("keep_seconds", keep.toSeconds()));
            case "list" -> list(api, word.map(api::volumePath).orElse(""), line.has("json"), out);
            case "restore" -> restore(api, word.orElseThrow(), line.option("to"), out);
            case "empty" ->
                out.printf(
                        "%d removed for good%n",
                        api.delete("/api/trash?older_than_seconds=" + age.toSeconds())
                                .at("/removed")
                                .asLong());
            default -> show(api.get("/api/trash/keeping"), line.has("json"), out);
        }
        return ExitStatus.DONE;
    }

    private static boolean isId(String word) {
        return word.matches("\\d{1,18}");
    }

    private static Duration time(VerbLine line, String option, boolean needed) throws UsageException {
        Optional<String> text = line.option(option);
        if (text.isEmpty()) {
            if (needed) {
                throw new UsageException("trash set: give --" + option + " TIME, such as 7d");
            }
            return Duration.ZERO;
        }
        try {
            Duration time = GoDuration.parseWithDays(text.get());
            if (time.toSeconds() > 0) {
                return time;
            }
            throw new IllegalArgumentException("expected a second at least; trash off keeps nothing");
        } catch (IllegalArgumentException wrong) {
            throw new UsageException("trash: --" + option + " '" + text.get() + "': " + wrong.getMessage());
        }
    }

    private static void show(JsonNode keeping, boolean json, PrintStream out) {
        long seconds = keeping.at("/keep_seconds").asLong();
        if (json) {
            out.println(keeping);
        } else if (seconds == 0) {
            out.println("off: removed files are gone");
        } else {
            out.printf("removed files are kept for %s%n", GoDuration.textWithDays(Duration.ofSeconds(seconds)));
        }
    }

    private static void list(CoordinatorApi api, String path, boolean json, PrintStream out)
            throws StartupException, InterruptedException {
        String query = "/api/trash?path=" + CoordinatorApi.encoded(path);
        CoordinatorApi.Page page = api.page(query);
        while (true) {
            for (JsonNode file : page.body()) {
                if (json) {
                    out.println(file);
                } else {
                    print(file, out);
                }
            }
            if (page.next().isEmpty()) {
                return;
            }
            page = api.page(query + "&after=" + page.next().get());
        }
    }

    private static void print(JsonNode file, PrintStream out) {
        out.printf(
                "%d %s %s, removed %s on %s, kept until %s%n",
                file.at("/id").asLong(),
                file.at("/path").asString(""),
                file.at("/type").asString("").equals("symlink")
                        ? "symlink"
                        : ByteSize.text(file.at("/size").asLong()),
                file.at("/removed_at").asString(""),
                file.at("/removed_by").asString(""),
                file.at("/kept_until").asString(""));
    }

    private static void restore(CoordinatorApi api, String word, Optional<String> to, PrintStream out)
            throws StartupException, InterruptedException {
        Map<String, Object> wanted = new LinkedHashMap<>();
        if (isId(word)) {
            wanted.put("id", Long.parseLong(word));
        } else {
            wanted.put("path", api.volumePath(word));
        }
        to.ifPresent(path -> wanted.put("to", api.volumePath(path)));
        out.println(api.post("/api/trash/restore", wanted).at("/path").asString(""));
    }
}
