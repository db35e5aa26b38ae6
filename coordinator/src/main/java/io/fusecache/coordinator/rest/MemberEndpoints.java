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
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** What a member of a replica group answers whether it leads or not, and where it sends those who want the leader. */
final class MemberEndpoints {
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
