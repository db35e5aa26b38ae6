package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.Coordinator;
import io.fusecache.coordinator.rest.Exchange.Route;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.metadata.VolumeUsage;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The coordinator's API: its table of routes, and what each answers. */
final class Endpoints {
    private static final int DEFAULT_LOCATIONS = 1000;
    private static final int MOST_LOCATIONS = 10_000;

    private final Coordinator coordinator;
    private final int grpcPort;
    private final InstantSource clock;
    private final Instant started;
    private final Peers peers;
    private final Locations locations;
    private final MetricsText metrics;
    private final QuotaEndpoints quotas;
    private final TrashEndpoints trash;
    private final DumpEndpoints dumps;
    private final @Nullable MemberEndpoints member;

    /**
     * @param dumps at which dumps have to be read
     * @param member of the member of a replica group that leads, or null without replicas
     */
    Endpoints(
            Coordinator coordinator,
            int grpcPort,
            InstantSource clock,
            PacedOutput.Pace dumps,
            @Nullable MemberEndpoints member) {
        this.member = member;
        this.coordinator = coordinator;
        this.grpcPort = grpcPort;
        this.clock = clock;
        this.started = clock.instant();
        this.peers = new Peers(coordinator.sessions()::nodes, clock);
        this.locations = new Locations(coordinator.sessions());
        this.quotas = new QuotaEndpoints(coordinator.sessions());
        this.trash = new TrashEndpoints(coordinator.sessions());
        this.dumps = new DumpEndpoints(coordinator, dumps);
        this.metrics = new MetricsText(this::figures);
    }

    List<Route> routes() {
        return List.of(
                new Route("GET", "/api/health", true, this::health),
                new Route("GET", "/metrics", true, this::metrics),
                new Route("GET", "/api/openapi.json", true, Endpoints::document),
                new Route("GET", "/api/peers", false, this::peers),
                new Route("POST", "/api/peers/register", false, this::register),
                new Route("PUT", "/api/peers/status", false, this::updateStatus),
                new Route("GET", "/api/files/location", false, this::location),
                new Route("PUT", "/api/files/location", false, this::tellLocation),
                new Route("GET", "/api/files/locations", false, this::listLocations),
                new Route("GET", "/api/stats", false, this::stats),
                new Route("GET", "/api/dump", false, dumps::dump),
                new Route("POST", "/api/load", false, dumps::load),
                new Route("GET", "/api/quotas", false, quotas::list),
                new Route("PUT", "/api/quotas", false, quotas::set),
                new Route("DELETE", "/api/quotas", false, quotas::remove),
                new Route("GET", "/api/members", false, this::members),
                new Route("POST", "/api/members", false, this::addMember),
                new Route("DELETE", "/api/members", false, this::removeMember),
                new Route("GET", "/api/trash", false, trash::list),
                new Route("DELETE", "/api/trash", false, trash::empty),
                new Route("POST", "/api/trash/restore", false, trash::restore),
                new Route("GET", "/api/trash/keeping", false, trash::keeping),
                new Route("PUT", "/api/trash/keeping", false, trash::keep));
    }

    private void health(Exchange exchange) throws IOException {
        if (member != null) {
            member.health(exchange);
            return;
        }
        String failure = coordinator.failure();
        Map<String, Object> health = new LinkedHashMap<>();
        health.put("status", failure == null ? "healthy" : "unhealthy");
        health.put("timestamp", clock.instant().getEpochSecond());
        health.put("service", "coordinator");
        // As the caller sees this host: what it is called here may mean nothing there.
        health.put("grpc_address", exchange.host() + ":" + grpcPort);
        if (failure != null) {
            health.put("reason", failure);
        }
        exchange.reply(failure == null ? 200 : 503, health);
    }

    private void members(Exchange exchange) throws RestFailure, IOException {
        if (member == null) {
            exchange.reply(200, new MemberEndpoints.Members(null, null, List.of()));
        } else {
            member.list(exchange);
        }
    }

    private void addMember(Exchange exchange) throws RestFailure, IOException {
        ofGroup().add(exchange);
    }

    private void removeMember(Exchange exchange) throws RestFailure, IOException {
        ofGroup().remove(exchange);
    }

    private MemberEndpoints ofGroup() throws RestFailure {
        if (member == null) {
            throw new RestFailure(
                    409, "no_replicas", "this coordinator is no member of a replica group: see -raft-peers");
        }
        return member;
    }

    private void metrics(Exchange exchange) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        text.writeBytes(metrics.render());
        if (member != null) {
            text.writeBytes(member.render());
        }
        exchange.reply(200, MetricsText.CONTENT_TYPE, text.toByteArray());
    }

    static void document(Exchange exchange) throws IOException {
        try (InputStream document = Endpoints.class.getResourceAsStream("openapi.json")) {
            if (document == null) {
                throw new AssertionError("openapi.json is not beside the classes");
            }
            exchange.reply(200, "application/json", document.readAllBytes());
        }
    }

    private void peers(Exchange exchange) throws RestFailure, IOException {
        String requester = exchange.query("requester_id").orElse("");
        exchange.reply(
                200,
                peers.active().stream()
                        .filter(peer -> !requester.equals(peer.id()))
                        .toList());
    }

    private void register(Exchange exchange) throws RestFailure, IOException {
        peers.register(exchange.body(Peer.class));
        exchange.reply(200, Map.of("success", true));
    }

    private void updateStatus(Exchange exchange) throws RestFailure, IOException {
        peers.update(exchange.body(Peer.Status.class));
        exchange.reply(200, Map.of("success", true));
    }

    private void location(Exchange exchange) throws RestFailure, IOException {
        byte[] path = exchange.queryBytes("path")
                .orElseThrow(() -> new RestFailure(400, "missing_query", "path: missing: ?path=/a/file"));
        exchange.reply(200, locations.find(FilePath.of(path)));
    }

    private void tellLocation(Exchange exchange) throws RestFailure, IOException {
        locations.tell(exchange.body(FileLocation.class));
        exchange.reply(200, Map.of("success", true));
    }

    private void listLocations(Exchange exchange) throws RestFailure, IOException {
        byte[] prefix = exchange.queryBytes("prefix").orElse(new byte[0]);
        int limit = exchange.queryNumber("limit", DEFAULT_LOCATIONS, MOST_LOCATIONS);
        Locations.Page page = locations.list(prefix, limit);
        exchange.replyHeader("X-Truncated", Boolean.toString(page.truncated()));
        exchange.reply(200, page.locations());
    }

    private void stats(Exchange exchange) throws IOException {
        exchange.reply(200, figures());
    }

    private Stats figures() {
        Sessions sessions = coordinator.sessions();
        List<Sessions.NodeStatus> nodes = sessions.nodes();
        List<Peer> active = peers.active();
        int connected =
                (int) nodes.stream().filter(Sessions.NodeStatus::connected).count();
        Answer usage = sessions.ask(new Operation.ReadUsage());
        VolumeUsage used = usage.result() instanceof Answer.Usage(VolumeUsage known) ? known : new VolumeUsage(0, 0);
        Map<String, Long> sizes = coordinator.sizes();
        return new Stats(
                new Stats.PeerCounts(active.size(), nodes.size(), nodes.size() - connected),
                new Stats.Files(used.inodes(), used.usedBytes()),
                new Stats.Space(
                        active.stream()
                                .mapToLong(peer -> bytes(peer.availableSpace()))
                                .sum(),
                        active.stream()
                                .mapToLong(peer -> bytes(peer.usedSpace()))
                                .sum()),
                new Stats.Leases(
                        sessions.leasedInodes(),
                        sessions.recallsSent(),
                        sessions.blocks().size()),
                new Stats.State(sizes.getOrDefault("disk_bytes", 0L), sizes.getOrDefault("memory_bytes", 0L)),
                sessions.commands(),
                clock.instant().getEpochSecond() - started.getEpochSecond());
    }

    private static long bytes(@Nullable Long bytes) {
        return bytes == null ? 0 : bytes;
    }
}
