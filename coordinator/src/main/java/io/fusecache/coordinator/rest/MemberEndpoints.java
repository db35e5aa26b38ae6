package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.Replica;
import io.fusecache.coordinator.raft.RaftMember;
import io.fusecache.coordinator.raft.ReplicaGroup;
import io.fusecache.coordinator.rest.Exchange.Route;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** What a member of a replica group answers whether it leads or not, and where it sends those who want the leader. */
final class MemberEndpoints {
    /** Catching up included; what takes longer goes on. */
    private static final Duration CHANGE = Duration.ofSeconds(60);

    /** A follower answers several times a second. */
    private static final long AWAY_MILLIS = 5_000;

    private final Replica replica;
    private final int grpcPort;
    private final InstantSource clock;
    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();

    MemberEndpoints(Replica replica, int grpcPort, InstantSource clock) {
        this.replica = replica;
        this.grpcPort = grpcPort;
        this.clock = clock;
        gauge(
                "leader",
                "whether this member of the replica group leads",
                status -> replica.leading().isPresent() ? 1 : 0);
        gauge("term", "the term of the replica group, as this member knows it", RaftMember.Status::term);
        gauge("commit_index", "the last entry of the log that a majority has", RaftMember.Status::committed);
        gauge(
                "commit_lag",
                "entries that a majority has and this member's state has not",
                status -> Math.max(0, status.committed() - status.applied()));
    }

    private void gauge(String name, String help, ToDoubleFunction<RaftMember.Status> value) {
        GaugeWithCallback.builder()
                .name("fuse_coordinator_" + name)
                .help(help)
                .callback(gauge -> gauge.call(value.applyAsDouble(replica.status())))
                .register(registry);
    }

    /** Of a member that follows. */
    List<Route> routes() {
        return List.of(
                new Route("GET", "/api/health", true, this::health),
                new Route("GET", "/metrics", true, this::metrics),
                new Route("GET", "/api/openapi.json", true, Endpoints::document));
    }

    void health(Exchange exchange) throws IOException {
        String failure = replica.failure();
        RaftMember.Status status = replica.status();
        Map<String, Object> health = new LinkedHashMap<>();
        health.put("status", failure == null ? "healthy" : "unhealthy");
        health.put("timestamp", clock.instant().getEpochSecond());
        health.put("service", "coordinator");
        health.put("grpc_address", exchange.host() + ":" + grpcPort);
        health.put(
                "role",
                replica.leading().isPresent()
                        ? "leader"
                        : status.role() == RaftMember.Role.LEADER
                                ? "candidate"
                                : status.role().name().toLowerCase(Locale.ROOT));
        replica.leader().ifPresent(leader -> health.put("leader", leader.http()));
        health.put("group", replica.groupId().toString());
        if (failure != null) {
            health.put("reason", failure);
        }
        exchange.reply(failure == null ? 200 : 503, health);
    }

    private void metrics(Exchange exchange) throws IOException {
        exchange.reply(200, MetricsText.CONTENT_TYPE, render());
    }

    byte[] render() throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        writer.write(text, registry.scrape());
        return text.toByteArray();
    }

    /**
     * @param role leader, follower, or away where the leader has not heard it lately
     * @param behind so many entries of the log that are committed it is not known to know of
     * @param heardMs since the leader heard it; absent where it never did
     */
    record Standing(
            String id,
            String host,
            int raftPort,
            int grpcPort,
            int httpPort,
            String role,
            long commitIndex,
            long behind,
            @Nullable Long heardMs) {}

    /** Without replicas there are no members, and no group and term. */
    record Members(@Nullable String group, @Nullable Long term, List<Standing> members) {}

    /** @param raftPort where the other members reach it */
    record NewMember(
            @Nullable String id,
            @Nullable String host,
            @Nullable Integer raftPort,
            @Nullable Integer grpcPort,
            @Nullable Integer httpPort) {}

    /** Of the member that leads. */
    void list(Exchange exchange) throws RestFailure, IOException {
        exchange.reply(200, members());
    }

    private Members members() throws RestFailure {
        List<Standing> all = new ArrayList<>();
        try {
            replica.standings().forEach((name, standing) -> {
                boolean away = standing.heardMillis() < 0 || standing.heardMillis() > AWAY_MILLIS;
                all.add(new Standing(
                        name,
                        standing.member().host(),
                        standing.member().raftPort(),
                        standing.member().grpcPort(),
                        standing.member().httpPort(),
                        standing.leads() ? "leader" : away ? "away" : "follower",
                        standing.committed(),
                        standing.behind(),
                        standing.heardMillis() < 0 ? null : standing.heardMillis()));
            });
        } catch (IOException ended) {
            throw new RestFailure(503, "no_leader", "this member has ended: try another");
        }
        return new Members(replica.groupId().toString(), replica.status().term(), all);
    }

    /** Takes in a process that was started with -raft-join. */
    void add(Exchange exchange) throws RestFailure, IOException {
        NewMember wanted = exchange.body(NewMember.class);
        String id = name(Demand.given(wanted.id(), "id"));
        String host = Demand.given(wanted.host(), "host");
        if (!host.matches("[A-Za-z0-9._:-]{1,253}")) {
            throw new RestFailure(400, "invalid_field", "host: expected a name or an address");
        }
        ReplicaGroup.Member member = new ReplicaGroup.Member(
                host,
                port(wanted.raftPort(), "raft_port"),
                port(wanted.grpcPort(), "grpc_port"),
                port(wanted.httpPort(), "http_port"));
        try {
            replica.add(id, member, CHANGE);
        } catch (IOException refused) {
            throw new RestFailure(409, "refused", id + " is not added: " + refused.getMessage());
        }
        exchange.reply(200, members());
    }

    void remove(Exchange exchange) throws RestFailure, IOException {
        String id = name(exchange.query("id")
                .orElseThrow(() -> new RestFailure(400, "missing_query", "id: missing: ?id=NAME of a member")));
        if (!replica.members().containsKey(id)) {
            throw new RestFailure(
                    404,
                    "no_member",
                    id + " is no member: they are " + replica.members().keySet());
        }
        boolean own = id.equals(replica.self());
        try {
            if (own) {
                handOver();
            } else {
                replica.remove(id, CHANGE);
            }
        } catch (IOException refused) {
            throw new RestFailure(409, "refused", id + " is not removed: " + refused.getMessage());
        }
        if (own) {
            // Nothing was done yet: the next leader does it.
            exchange.confirmFirst(() -> {});
            elsewhere(exchange);
        } else {
            exchange.reply(200, members());
        }
    }

    /** Not before it is known that the next leader can remove this one. */
    private void handOver() throws IOException {
        replica.checkRemoval(replica.self());
        if (!replica.handOver()) {
            throw new IOException("it leads, and no other member takes over");
        }
    }

    private static String name(String id) throws RestFailure {
        if (!id.matches("[A-Za-z0-9._-]{1,64}")) {
            throw new RestFailure(400, "invalid_field", "id: expected letters, digits, '.', '_' and '-', at most 64");
        }
        return id;
    }

    private static int port(@Nullable Integer port, String field) throws RestFailure {
        if (port == null) {
            throw new RestFailure(400, "missing_field", field + ": missing");
        }
        if (port < 1 || port > 65_535) {
            throw new RestFailure(400, "invalid_field", field + ": expected a port from 1 to 65535");
        }
        return port;
    }

    /** Where the leader is, for whoever wants anything else. */
    void elsewhere(Exchange exchange) throws IOException {
        Optional<ReplicaGroup.Member> leader = replica.leader();
        if (leader.isEmpty() || replica.status().role() == RaftMember.Role.LEADER) {
            exchange.replyHeader("Retry-After", "1");
            exchange.reply(503, Router.error("no_leader", "there is no leader at this moment: try again"));
            return;
        }
        exchange.replyHeader("Location", "http://" + leader.get().http() + exchange.target());
        exchange.reply(
                307,
                Router.error("not_leader", "the leader is at " + leader.get().http()));
    }
}
