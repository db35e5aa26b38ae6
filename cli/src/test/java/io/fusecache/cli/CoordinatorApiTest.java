package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.fusecache.client.StartupException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which of several coordinators is asked. */
final class CoordinatorApiTest {
    private static final Duration LONG = Duration.ofMinutes(2);

    private final List<HttpServer> servers = new ArrayList<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();

    @AfterEach
    void stop() {
        servers.forEach(server -> server.stop(0));
    }

    /** What a member does with a request. */
    private interface Member {
        void answer(HttpExchange exchange) throws IOException;
    }

    /** @return its address */
    private String member(String name, Member member) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", exchange -> {
            if (!exchange.getRequestURI().getPath().equals("/api/health")) {
                asked.add(name + " " + exchange.getRequestMethod());
            }
            try (exchange) {
                member.answer(exchange);
            }
        });
        server.start();
        servers.add(server);
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    private static void reply(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private String leader(String name) throws IOException {
        return member(name, exchange -> reply(exchange, 200, "{\"role\":\"leader\",\"by\":\"" + name + "\"}"));
    }

    private String follower(String name, String leader) throws IOException {
        return member(name, exchange -> {
            exchange.getResponseHeaders().add("Location", "http://" + leader + exchange.getRequestURI());
            boolean health = exchange.getRequestURI().getPath().equals("/api/health");
            reply(exchange, health ? 200 : 307, "{\"role\":\"follower\",\"leader\":\"" + leader + "\"}");
        });
    }

    private static CoordinatorApi api(Duration leaderWithin, String... addresses) {
        return new CoordinatorApi(List.of(addresses), leaderWithin, "", Optional.empty());
    }

    private static String nobody() throws IOException {
        try (java.net.ServerSocket free = new java.net.ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return "127.0.0.1:" + free.getLocalPort();
        }
    }

    @Test
    void ofSeveralTheOneThatLeads() throws Exception {
        String leader = leader("c");
        CoordinatorApi api = api(LONG, nobody(), follower("b", leader), leader);
        assertThat(api.delete("/api/trash").path("by").asString()).isEqualTo("c");
        assertThat(asked).containsExactly("c DELETE");
    }

    @Test
    void theLeaderIsFoundByAMemberThatNamesIt() throws Exception {
        String leader = leader("c");
        assertThat(api(LONG, nobody(), follower("b", leader))
                        .get("/api/quotas")
                        .path("by")
                        .asString())
                .isEqualTo("c");
        assertThat(api(LONG, follower("a", leader)).post("/x").path("by").asString())
                .isEqualTo("c");
    }

    @Test
    void anElectionIsWaitedFor() throws Exception {
        int[] looks = {0};
        String elected = member("a", exchange -> {
            boolean yet = ++looks[0] > 3;
            reply(exchange, 200, "{\"role\":\"" + (yet ? "leader" : "candidate") + "\",\"by\":\"a\"}");
        });
        assertThat(api(LONG, nobody(), elected).get("/x").path("by").asString()).isEqualTo("a");
    }

    @Test
    void withoutALeaderItSaysWhatEachSaid() throws Exception {
        String candidate = member("a", exchange -> reply(exchange, 200, "{\"role\":\"candidate\"}"));
        String away = nobody();
        assertThatThrownBy(() -> api(Duration.ofSeconds(1), candidate, away).get("/x"))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("leads")
                .hasMessageContaining(candidate)
                .hasMessageContaining(away);
        assertThatThrownBy(() -> api(LONG, away, nobody()).get("/x"))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("no coordinator answers at " + away);
    }

    @Test
    void whatIsOnlyReadIsAskedOfTheNextWhereOneMayLeadNoMore() throws Exception {
        String unsure = "{\"error\":{\"code\":\"not_leader\",\"message\":\"it may or may not have been done\"}}";
        String deposed = member("a", exchange -> {
            boolean health = exchange.getRequestURI().getPath().equals("/api/health");
            reply(exchange, health ? 200 : 503, health ? "{\"role\":\"leader\"}" : unsure);
        });
        CoordinatorApi api = api(LONG, deposed, leader("b"));
        assertThat(api.get("/x").path("by").asString()).isEqualTo("b");
        assertThatThrownBy(() -> api.post("/x"))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("may or may not");
        assertThat(asked).containsExactly("a GET", "b GET", "a POST");
    }

    @Test
    void whatMayBeDoneIsNotSentAgain() throws Exception {
        String broken = member("a", exchange -> {
            if (exchange.getRequestURI().getPath().equals("/api/health")) {
                reply(exchange, 200, "{\"role\":\"leader\"}");
            }
        });
        CoordinatorApi api = api(LONG, broken, nobody());
        assertThatThrownBy(() -> api.post("/api/trash/restore"))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("may or may not");
        assertThat(asked).hasSize(1);
    }
}
