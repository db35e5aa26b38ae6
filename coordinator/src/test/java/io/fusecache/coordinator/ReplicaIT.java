package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.raft.FreePorts;
import io.fusecache.coordinator.raft.RaftMember;
import io.fusecache.coordinator.raft.ReplicaGroup;
import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.coordinator.session.Sink;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.Welcome;
import io.fusecache.metadata.wire.GrpcTransport;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients of three coordinators over loopback gRPC, while those that lead end and come back. */
final class ReplicaIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private final Map<String, ReplicaGroup.Member> members = new LinkedHashMap<>();
    private final Map<String, CoordinatorServer> running = new TreeMap<>();
    private final List<Metadata> clients = new ArrayList<>();

    @BeforeEach
    void startAll() throws IOException {
        Iterator<Integer> ports = FreePorts.draw(9).iterator();
        for (String name : List.of("a", "b", "c")) {
            members.put(name, new ReplicaGroup.Member("127.0.0.1", ports.next(), ports.next(), ports.next()));
        }
        for (String name : members.keySet()) {
            start(name);
        }
    }

    @AfterEach
    void stopAll() {
        clients.forEach(Metadata::close);
        running.values().forEach(CoordinatorServer::close);
    }

    private ReplicaGroup.Member member(String name) {
        return new ReplicaGroup(name, members).member(name);
    }

    private void start(String name) throws IOException {
        ReplicaGroup.Member own = member(name);
        running.put(
                name,
                CoordinatorServer.start(
                        new CoordinatorConfiguration(
                                "127.0.0.1",
                                own.httpPort(),
                                own.grpcPort(),
                                folder.resolve(name),
                                null,
                                null,
                                new ReplicaGroup(name, members)),
                        SessionLimits.DEFAULT));
    }

    private String leader() {
        return Awaitility.await()
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(
                        () -> running.entrySet().stream()
                                .filter(entry ->
                                        entry.getValue().replica().leading().isPresent())
                                .map(Map.Entry::getKey)
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

    private Metadata node(String id, Recorder recorder) {
        leader();
        List<InetSocketAddress> addresses = members.values().stream()
                .map(member -> InetSocketAddress.createUnresolved("127.0.0.1", member.grpcPort()))
                .toList();
        // An election may come in between.
        Metadata client = Awaitility.await()
                .atMost(PATIENCE)
                .ignoreExceptions()
                .until(
                        () -> CoordinatorClient.builder(new NodeAddress(new NodeId(id), "h:1", "h:2"), recorder)
                                .bound(PATIENCE)
                                .connect(new GrpcTransport(GrpcTransport.Options.grpc(addresses, null))),
                        connected -> true);
        clients.add(client);
        return client;
    }

    @Test
    void changesAreExecutedOnceWhoeverLeads() throws Exception {
        Recorder recorder = new Recorder();
        Metadata a = node("n1", recorder);
        Metadata b = node("n2", new Recorder());
        CompletableFuture<List<String>> made = CompletableFuture.supplyAsync(() -> {
            List<String> failures = new ArrayList<>();
            for (int i = 0; i < 1_500; i++) {
                try {
                    a.create(Inode.ROOT, name("f" + i), file(false));
                    a.rename(Inode.ROOT, name("f" + i), Inode.ROOT, name("g" + i), 1);
                    b.lookup(Inode.ROOT, name("g" + i));
                } catch (ErrnoException e) {
                    failures.add(i + " " + e.getMessage());
                }
            }
            return failures;
        });
        for (int i = 0; i < 3; i++) {
            String leader = leader();
            stop(leader);
            leader();
            start(leader);
        }
        assertThat(made.get()).isEmpty();
        assertThat(a.usage().inodes()).isEqualTo(1_501);
        assertThat(b.list(Inode.ROOT, 0, 2_000)).hasSize(1_500);
        assertThat(recorder.resets).doesNotContain(true);
    }

    @Test
    void whoFollowsSaysWhoLeads() throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            Awaitility.await().atMost(PATIENCE).ignoreExceptions().untilAsserted(() -> {
                String leader = leader();
                String follower = members.keySet().stream()
                        .filter(name -> !name.equals(leader))
                        .findFirst()
                        .orElseThrow();
                HttpResponse<String> moved = get(http, follower, "/api/files/locations?prefix=%2F");
                assertThat(moved.statusCode()).isEqualTo(307);
                assertThat(moved.headers().firstValue("Location"))
                        .hasValue("http://" + member(leader).http() + "/api/files/locations?prefix=%2F");
                assertThat(get(http, follower, "/api/health").body()).contains("\"role\":\"follower\"");
                assertThat(get(http, follower, "/metrics").body()).contains("fuse_coordinator_leader 0");
                assertThat(get(http, leader, "/api/health").body()).contains("\"role\":\"leader\"");
                assertThat(get(http, leader, "/metrics").body())
                        .contains("fuse_coordinator_leader 1", "fuse_coordinator_inodes");
                assertThat(get(http, leader, "/api/quotas").statusCode()).isEqualTo(200);
            });
        }
    }

    @Test
    void whoResignsAnswersUntilAnotherLeads() throws Exception {
        String before = leader();
        Metadata client = node("n1", new Recorder());
        client.create(Inode.ROOT, name("one"), file(false));
        replica(before).resign();
        assertThat(replica(before).status().role()).isNotEqualTo(RaftMember.Role.LEADER);
        try (HttpClient http = HttpClient.newHttpClient()) {
            Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
                HttpResponse<String> moved = get(http, before, "/api/quotas");
                assertThat(moved.statusCode()).as(moved.body()).isEqualTo(307);
                assertThat(moved.headers().firstValue("Location").orElse(""))
                        .doesNotContain(member(before).http());
            });
        }
        // Its port is open still, and no client is left with it.
        client.create(Inode.ROOT, name("two"), file(false));
        assertThat(client.lookup(Inode.ROOT, name("one")).regular()).isTrue();
        assertThat(replica(before).leading()).isEmpty();
    }

    /** Else its clients find nobody until the others miss it. */
    @Test
    void whoIsStoppedHandsOverBeforeItsPortsClose() throws Exception {
        String before = leader();
        Replica stopped = replica(before);
        int port = member(before).httpPort();
        Thread stop = Thread.ofPlatform().start(() -> stop(before));
        Awaitility.await()
                .atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .until(() -> refuses(port));
        assertThat(stopped.status().role()).isNotEqualTo(RaftMember.Role.LEADER);
        stop.join();
    }

    private static boolean refuses(int port) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return !socket.isConnected();
        } catch (ConnectException refused) {
            return true;
        }
    }

    private HttpResponse<String> get(HttpClient http, String name, String path)
            throws IOException, InterruptedException {
        URI uri = URI.create("http://" + member(name).http() + path);
        return http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
    }

    private Replica replica(String name) {
        CoordinatorServer server = running.get(name);
        if (server == null) {
            throw new AssertionError(name + " is not running");
        }
        return server.replica();
    }

    private void anotherLeads(String than) throws Exception {
        Awaitility.await().atMost(PATIENCE).until(this::leader, name -> !name.equals(than));
        Metadata client = node("after", new Recorder());
        client.create(Inode.ROOT, name("after"), file(false));
        assertThat(client.lookup(Inode.ROOT, name("after")).regular()).isTrue();
    }

    @Test
    void aLeaderThatCannotGoOnLeavesTheLeadToAnother() throws Exception {
        Metadata before = node("before", new Recorder());
        before.create(Inode.ROOT, name("before"), file(false));
        String failed = leader();
        replica(failed).listener().failed("the log cannot be written: its disk is gone");
        anotherLeads(failed);
        assertThat(before.lookup(Inode.ROOT, name("after")).regular()).isTrue();
        Awaitility.await().atMost(PATIENCE).until(() -> replica(failed).status().role() == RaftMember.Role.ENDED);
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> health = get(http, failed, "/api/health");
            assertThat(health.statusCode()).isEqualTo(503);
            assertThat(health.body()).contains("its disk is gone", "\"role\":\"ended\"");
            assertThat(get(http, failed, "/metrics").statusCode()).isEqualTo(200);
            assertThat(get(http, failed, "/api/quotas").statusCode()).isEqualTo(503);
        }
    }

    @Test
    void aLeaderWhoseReignBreaksHandsOver() throws Exception {
        String before = leader();
        Sink breaking = new Sink() {
            @Override
            public void welcome(Welcome welcome) {
                throw new AssertionError("for the test");
            }

            @Override
            public void send(Downstream message) {}

            @Override
            public void close(String reason) {}
        };
        int[] nodes = {0};
        // Whoever comes first sends the welcome: mostly the thread of the log, whose reign ends with it.
        Awaitility.await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            NodeAddress node = new NodeAddress(new NodeId("n" + nodes[0]++), "", "");
            Hello hello = new Hello(Hello.PROTOCOL, "", node, "", "", "", 0, 0);
            Optional<Coordinator> leading = replica(before).leading();
            if (leading.isEmpty()) {
                return true;
            }
            try {
                leading.get().sessions().connect(hello, breaking);
            } catch (AssertionError sentByThisThread) {
                // Another node, then.
            }
            return false;
        });
        anotherLeads(before);
    }

    @Test
    void aFolderOfAMemberIsNoFolderOfASingleCoordinator() {
        String leader = leader();
        stop(leader);
        assertThatThrownBy(() -> Coordinator.open(folder.resolve(leader)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("is of a member of a replica group");
    }
}
