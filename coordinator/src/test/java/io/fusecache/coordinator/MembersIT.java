package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.raft.FreePorts;
import io.fusecache.coordinator.raft.ReplicaGroup;
import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.wire.GrpcTransport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A replica group of one that grows to three, loses one for another, and shrinks, while a client of the first works on. */
final class MembersIT {
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    @TempDir
    Path folder;

    private final Map<String, ReplicaGroup.Member> members = new TreeMap<>();
    private final Map<String, CoordinatorServer> running = new TreeMap<>();
    private final HttpClient http =
            HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();
    private final JsonMapper mapper = new JsonMapper();

    @BeforeEach
    void findPorts() throws IOException {
        Iterator<Integer> ports = FreePorts.draw(12).iterator();
        for (String name : List.of("a", "b", "c", "d")) {
            members.put(name, new ReplicaGroup.Member("127.0.0.1", ports.next(), ports.next(), ports.next()));
        }
    }

    @AfterEach
    void stopAll() {
        http.close();
        running.values().forEach(CoordinatorServer::close);
    }

    private static ConditionFactory await() {
        return Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(50));
    }

    private ReplicaGroup.Member member(String name) {
        return new ReplicaGroup(name, members).member(name);
    }

    private void start(ReplicaGroup group) throws IOException {
        ReplicaGroup.Member own = member(group.self());
        running.put(
                group.self(),
                CoordinatorServer.start(
                        new CoordinatorConfiguration(
                                "127.0.0.1",
                                own.httpPort(),
                                own.grpcPort(),
                                folder.resolve(group.self()),
                                null,
                                null,
                                group),
                        SessionLimits.DEFAULT));
    }

    private static ReplicaGroup alone(String name, ReplicaGroup.Member member) {
        return new ReplicaGroup(name, Map.of(name, member));
    }

    private Replica replica(String name) {
        CoordinatorServer server = running.get(name);
        if (server == null) {
            throw new AssertionError(name + " is not running");
        }
        return server.replica();
    }

    private String leader() {
        return await().until(
                        () -> running.keySet().stream()
                                .filter(name -> replica(name).leading().isPresent())
                                .findFirst()
                                .orElse(""),
                        name -> !name.isEmpty());
    }

    private void stop(String name) {
        CoordinatorServer server = running.remove(name);
        if (server != null) {
            server.close();
        }
    }

    private HttpResponse<String> ask(String method, String query, @Nullable Map<String, Object> body)
            throws IOException, InterruptedException {
        URI uri = URI.create("http://" + member(leader()).http() + "/api/members" + query);
        return http.send(
                HttpRequest.newBuilder(uri)
                        .method(
                                method,
                                body == null
                                        ? BodyPublishers.noBody()
                                        : BodyPublishers.ofString(mapper.writeValueAsString(body)))
                        .build(),
                BodyHandlers.ofString());
    }

    /** Asked again where an election came in between, or another change was under way. */
    private void done(String method, String query, @Nullable Map<String, Object> body) {
        await().ignoreExceptions().untilAsserted(() -> {
            HttpResponse<String> reply = ask(method, query, body);
            assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        });
    }

    /** A new process with an empty folder. */
    private void add(String name) throws IOException {
        start(alone(name, member(name)).joining(replica(leader()).groupId()));
        assertThat(replica(name).status().role().name()).isEqualTo("JOINING");
        done("POST", "", words(name));
        await().until(() -> replica(name).status().role().name(), role -> !role.equals("JOINING"));
    }

    private Map<String, Object> words(String name) {
        ReplicaGroup.Member member = member(name);
        return Map.of(
                "id", name,
                "host", member.host(),
                "raft_port", member.raftPort(),
                "grpc_port", member.grpcPort(),
                "http_port", member.httpPort());
    }

    private void allKnow(String... names) {
        await().untilAsserted(() -> {
            for (String name : running.keySet()) {
                assertThat(replica(name).members()).as(name).containsOnlyKeys(names);
            }
        });
    }

    private void make(Metadata client, String file) throws Exception {
        client.create(Inode.ROOT, name(file), file(false));
        assertThat(client.lookup(Inode.ROOT, name(file)).regular()).isTrue();
    }

    @Test
    void aGroupGrowsLosesAMemberForAnotherAndShrinks() throws Exception {
        start(alone("a", member("a")));
        leader();
        Recorder recorder = new Recorder();
        // Told of the first one alone, as it was when this client was started.
        List<InetSocketAddress> first = List.of(
                InetSocketAddress.createUnresolved("127.0.0.1", member("a").grpcPort()));
        try (Metadata client = CoordinatorClient.builder(new NodeAddress(new NodeId("n1"), "h:1", "h:2"), recorder)
                .bound(PATIENCE)
                .connect(new GrpcTransport(GrpcTransport.Options.grpc(first, null)))) {
            make(client, "one");
            add("b");
            make(client, "two");
            add("c");
            allKnow("a", "b", "c");
            JsonNode listed = mapper.readTree(ask("GET", "", null).body()).at("/members");
            assertThat(listed.valueStream().map(member -> member.at("/id").asString()))
                    .containsExactly("a", "b", "c");
            assertThat(listed.valueStream().map(member -> member.at("/role").asString()))
                    .contains("leader");

            await().untilAsserted(() -> assertThat(client.coordinators())
                    .containsExactly(
                            member("a").http(), member("b").http(), member("c").http()));

            // The one that the client knows from its start goes for good.
            anotherThanLeads("a");
            make(client, "three");
            stop("a");
            make(client, "four");
            done("DELETE", "?id=a", null);
            allKnow("b", "c");
            add("d");
            allKnow("b", "c", "d");
            make(client, "five");

            // Down to one, the leader at the last.
            String leads = leader();
            done("DELETE", "?id=" + leads, null);
            stop(leads);
            String left = leader();
            String last = running.keySet().stream()
                    .filter(name -> !name.equals(left))
                    .findFirst()
                    .orElseThrow();
            done("DELETE", "?id=" + last, null);
            stop(last);
            make(client, "six");
            assertThat(client.list(Inode.ROOT, 0, 100)).hasSize(6);
            assertThat(recorder.resets).doesNotContain(true);

            // What it became is what it is after a restart, whatever it was told at its beginning.
            stop(left);
            start(alone(left, member(left)));
            make(client, "seven");
            assertThat(replica(left).members()).containsOnlyKeys(left);
        }
    }

    /** Hands over until it follows. */
    private void anotherThanLeads(String name) {
        await().until(() -> !leader().equals(name) || replica(name).handOver());
        await().until(this::leader, leads -> !leads.equals(name));
    }

    @Test
    void whatCannotBeIsRefused() throws Exception {
        start(alone("a", member("a")));
        leader();
        HttpResponse<String> nobody = ask("POST", "", Map.of("id", "b"));
        assertThat(nobody.statusCode()).isEqualTo(400);
        assertThat(ask("DELETE", "?id=b", null).statusCode()).isEqualTo(404);
        HttpResponse<String> last = ask("DELETE", "?id=a", null);
        assertThat(last.statusCode()).as(last.body()).isEqualTo(409);
        Map<String, Object> moved = new TreeMap<>(words("a"));
        moved.put("raft_port", member("b").raftPort());
        HttpResponse<String> elsewhere = ask("POST", "", moved);
        assertThat(elsewhere.statusCode()).as(elsewhere.body()).isEqualTo(409);
        Map<String, Object> twice = new TreeMap<>(words("a"));
        twice.put("id", "b");
        HttpResponse<String> both = ask("POST", "", twice);
        assertThat(both.statusCode()).as(both.body()).isEqualTo(409);
        assertThat(both.body()).contains("one process is one member");
        assertThat(replica("a").members()).containsOnlyKeys("a");
    }

    /** Before anything is done: a leader that is not removed leads on. */
    @Test
    void aRemovalThatLeavesTooFewIsRefused() throws Exception {
        members.remove("d");
        for (String name : List.of("a", "b", "c")) {
            start(new ReplicaGroup(name, members));
        }
        String first = leader();
        String away = members.keySet().stream()
                .filter(name -> !name.equals(first))
                .findFirst()
                .orElseThrow();
        stop(away);
        await().ignoreExceptions().untilAsserted(() -> {
            String leads = leader();
            // Not before it has noticed: else it would do it.
            assertThat(replica(leads).standings())
                    .hasEntrySatisfying(
                            away,
                            standing -> assertThat(standing.heardWithin(Duration.ofSeconds(4)))
                                    .isFalse());
            HttpResponse<String> refused = ask("DELETE", "?id=" + leads, null);
            assertThat(refused.statusCode()).as(refused.body()).isEqualTo(409);
            assertThat(refused.body()).contains("too few", away + " cannot be reached");
            assertThat(leader()).isEqualTo(leads);
        });
        assertThat(replica(leader()).members()).containsOnlyKeys("a", "b", "c");
    }
}
