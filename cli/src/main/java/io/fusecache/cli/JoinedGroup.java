package io.fusecache.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Asks members of a replica group which one it is. */
final class JoinedGroup {
    private static final Duration EACH_WITHIN = Duration.ofSeconds(3);
    private static final long AGAIN_MILLIS = 500;
    private static final long WITHIN_NANOS = Duration.ofSeconds(30).toNanos();

    private JoinedGroup() {}

    /**
     * The id of the group of whoever answers first.
     *
     * @param http where its members answer HTTP
     * @throws IOException with one line, where nobody does for 30 s
     */
    static UUID of(List<String> http) throws IOException, InterruptedException {
        JsonMapper mapper = new JsonMapper();
        long end = System.nanoTime() + WITHIN_NANOS;
        try (HttpClient client =
                HttpClient.newBuilder().connectTimeout(EACH_WITHIN).build()) {
            while (true) {
                List<String> reasons = new ArrayList<>();
                for (String address : http) {
                    HttpRequest health = HttpRequest.newBuilder(URI.create("http://" + address + "/api/health"))
                            .timeout(EACH_WITHIN)
                            .build();
                    try {
                        String group = mapper.readTree(client.send(health, BodyHandlers.ofString())
                                        .body())
                                .path("group")
                                .asString("");
                        if (!group.isEmpty()) {
                            return UUID.fromString(group);
                        }
                        reasons.add(address + " (it is no member of a replica group)");
                    } catch (IOException | JacksonException | IllegalArgumentException silent) {
                        reasons.add(address + " (" + silent + ")");
                    }
                }
                if (System.nanoTime() - end >= 0) {
                    throw new IOException("nobody tells which group this member is to join: "
                            + String.join(", ", reasons) + ": give -raft-join the HTTP address of a member that is up");
                }
                Thread.sleep(AGAIN_MILLIS);
            }
        }
    }
}
