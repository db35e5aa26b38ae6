package io.fusecache.cluster;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Three coordinators that stand in for each other, and some nodes. */
final class ReplicaCluster extends ClusterProcesses {
    private static final int MEMBERS = 3;

    /** One that is stopped takes connections and says nothing. */
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(2);

    private static final JsonMapper JSON = new JsonMapper();

    private final List<Integer> raftPorts = new ArrayList<>();
    private final TreeSet<Integer> paused = new TreeSet<>();

    private ReplicaCluster(List<String> flags) throws IOException {
        super(MEMBERS, List.of(), flags);
        for (int i = 0; i < MEMBERS; i++) {
            raftPorts.add(freePort());
        }
    }

    /** @param flags of every node, beside those that make it part of this cluster */
    static ReplicaCluster start(int nodes, String... flags) throws IOException, InterruptedException {
        ReplicaCluster cluster = new ReplicaCluster(List.of(flags));
        cluster.begin(nodes);
        return cluster;
    }

    @Override
    List<String> coordinatorFlags(int number) {
        String peers = IntStream.range(0, MEMBERS)
                .mapToObj(i -> "m%d=localhost:%d:%d:%d".formatted(i, raftPorts.get(i), grpcPort(i), httpPort(i)))
                .collect(Collectors.joining(","));
        return List.of("-raft-id", "m" + number, "-raft-peers", peers);
    }

    /** SIGSTOP. */
    void pause(int member) throws IOException, InterruptedException {
        paused.add(member);
        signal(member, "STOP");
    }

    /** SIGCONT. */
    void resume(int member) throws IOException, InterruptedException {
        signal(member, "CONT");
        paused.remove(member);
    }

    private void signal(int member, String name) throws IOException, InterruptedException {
        String pid = Long.toString(coordinator(member).pid());
        Shell.run(Path.of("/"), Map.of(), List.of("kill", "-" + name, pid)).orFail();
    }

    /** The one that leads, and has heard the others lately. */
    int leader() {
        return Awaitility.await("a leader")
                .atMost(UP_WITHIN)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(50))
                .until(this::leading, OptionalInt::isPresent)
                .orElseThrow();
    }

    private OptionalInt leading() throws InterruptedException {
        for (int i = 0; i < MEMBERS; i++) {
            if (!paused.contains(i)
                    && get(i, "/api/health").path("role").asString("").equals("leader")) {
                return OptionalInt.of(i);
            }
        }
        return OptionalInt.empty();
    }

    /** Until all members are up, and none lacks much of the log: any one of them may go then. */
    void awaitWhole() {
        Awaitility.await("all members")
                .atMost(UP_WITHIN)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> {
                    OptionalInt leads = leading();
                    return leads.isPresent()
                            && get(leads.getAsInt(), "/api/members")
                                            .path("members")
                                            .valueStream()
                                            .filter(member -> !member.path("role")
                                                    .asString("away")
                                                    .equals("away"))
                                            .filter(member ->
                                                    member.path("behind").asLong() < 100)
                                            .count()
                                    == MEMBERS;
                });
    }

    /** An empty answer where there is none. */
    private JsonNode get(int member, String path) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + httpPort(member) + path))
                .timeout(ANSWER_WITHIN)
                .build();
        try {
            HttpResponse<String> reply = http().send(request, BodyHandlers.ofString());
            return JSON.readTree(reply.body());
        } catch (IOException | JacksonException silent) {
            return JSON.createObjectNode();
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        for (int member : List.copyOf(paused)) {
            resume(member);
        }
        super.close();
    }
}
