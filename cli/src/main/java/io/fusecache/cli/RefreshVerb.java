package io.fusecache.cli;

import io.fusecache.client.RunningNode;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** {@code fusecache refresh PATH}: what others did to the bucket there shows now, and not when its listing is due. */
final class RefreshVerb {
    static final String USAGE = "[--json] PATH";

    private static final VerbLine.Form FORM =
            new VerbLine.Form("refresh", USAGE, List.of("json"), List.of("api-key"), 1, 1);

    private RefreshVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = FORM.parse(words);
        Path path = Path.of(line.words().getFirst()).toAbsolutePath().normalize();
        RunningNode node = NodeApi.running(Optional.of(path)).getFirst();
        NodeApi api = NodeApi.of(node, line);
        String request = "/api/refresh" + NodeApi.below(node, path);
        JsonNode answer = api.post(request);
        while (!answer.at("/done").asBoolean()) {
            answer = api.post(request + "?join=" + answer.at("/begun").asBoolean());
        }
        if (line.has("json")) {
            out.println(answer);
        } else {
            int changed = answer.at("/names_changed").asInt();
            out.println(path + ": " + (changed == 0 ? "nothing has changed" : changed + " names have changed"));
        }
        return ExitStatus.DONE;
    }
}
