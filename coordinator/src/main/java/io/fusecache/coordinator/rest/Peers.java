package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.session.Sessions;
import io.fusecache.metadata.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * All peers: nodes with a session, and those that registered by HTTP alone.
 *
 * <p>A session is the truth about its node. A peer without one is active for 30 s after it was last heard, and forgotten
 * after ten minutes; at most {@link #MOST} are kept. Guarded by this.
 */
final class Peers {
    private static final Duration ALIVE = Duration.ofSeconds(30);
    private static final Duration REMEMBERED = Duration.ofMinutes(10);
    static final int MOST = 10_000;

    private record Told(Peer peer, Instant heard) {}

    private final Supplier<List<Sessions.NodeStatus>> nodes;
    private final InstantSource clock;
    private final Map<NodeId, Told> told = new LinkedHashMap<>();

    Peers(Supplier<List<Sessions.NodeStatus>> nodes, InstantSource clock) {
        this.nodes = nodes;
        this.clock = clock;
    }

    void register(Peer peer) throws RestFailure {
        NodeId id = Demand.nodeId(peer.id(), "id");
        String address = Demand.address(peer.address(), "address");
        if (peer.grpcAddress() != null && !peer.grpcAddress().isEmpty()) {
            Demand.address(peer.grpcAddress(), "grpc_address");
        }
        Demand.time(peer.lastHeartbeat(), "last_heartbeat");
        Peer checked = new Peer(
                id.value(),
                address,
                Demand.text(peer.grpcAddress(), "grpc_address"),
                Demand.text(peer.nvmePath(), "nvme_path"),
                Demand.bytes(peer.availableSpace(), "available_space"),
                Demand.bytes(peer.usedSpace(), "used_space"),
                peer.status() == null || peer.status().isEmpty() ? Peer.ACTIVE : Demand.status(peer.status(), "status"),
                null);
        for (Sessions.NodeStatus node : nodes.get()) {
            if (node.connected() && node.address().id().equals(id)) {
                if (node.address().http().equals(address)) {
                    return;
                }
                throw new RestFailure(
                        409,
                        "peer_exists",
                        "a node '" + id + "' has a session, at "
                                + node.address().http() + ": register under another id");
            }
        }
        remember(id, checked);
    }

    private synchronized void remember(NodeId id, Peer peer) throws RestFailure {
        Instant now = clock.instant();
        told.values().removeIf(other -> other.heard().isBefore(now.minus(REMEMBERED)));
        if (told.size() >= MOST && !told.containsKey(id)) {
            throw new RestFailure(503, "too_many_peers", MOST + " peers are registered already");
        }
        told.put(id, new Told(peer, now));
    }

    void update(Peer.Status status) throws RestFailure {
        NodeId id = Demand.nodeId(status.peerId(), "peer_id");
        String word = status.status() == null || status.status().isEmpty()
                ? Peer.ACTIVE
                : Demand.status(status.status(), "status");
        long available = Demand.bytes(status.availableSpace(), "available_space");
        long used = Demand.bytes(status.usedSpace(), "used_space");
        if (nodes.get().stream()
                .anyMatch(node -> node.connected() && node.address().id().equals(id))) {
            // Its session tells all of this, and more often.
            return;
        }
        synchronized (this) {
            Told known = told.get(id);
            if (known == null || known.heard().isBefore(clock.instant().minus(REMEMBERED))) {
                throw new RestFailure(
                        404, "unknown_peer", "no peer '" + id + "' is registered: POST /api/peers/register first");
            }
            Peer before = known.peer();
            Peer now = new Peer(
                    before.id(),
                    before.address(),
                    before.grpcAddress(),
                    before.nvmePath(),
                    status.availableSpace() == null ? before.availableSpace() : Long.valueOf(available),
                    status.usedSpace() == null ? before.usedSpace() : Long.valueOf(used),
                    word,
                    null);
            told.put(id, new Told(now, clock.instant()));
        }
    }

    /** Those that are alive. */
    List<Peer> active() {
        Instant now = clock.instant();
        Map<String, Peer> active = new LinkedHashMap<>();
        for (Sessions.NodeStatus node : nodes.get()) {
            if (node.connected()) {
                active.put(node.address().id().value(), peer(node, now));
            }
        }
        synchronized (this) {
            told.forEach((id, peer) -> {
                boolean alive = peer.heard().isAfter(now.minus(ALIVE));
                if (alive && Peer.ACTIVE.equals(peer.peer().status())) {
                    active.putIfAbsent(id.value(), heard(peer.peer(), peer.heard()));
                }
            });
        }
        return new ArrayList<>(active.values());
    }

    private static Peer peer(Sessions.NodeStatus node, Instant now) {
        Peer peer = new Peer(
                node.address().id().value(),
                node.address().http(),
                node.address().grpc(),
                node.nvmePath(),
                node.availableBytes(),
                node.usedBytes(),
                Peer.ACTIVE,
                null);
        return heard(peer, now.minus(node.silence()));
    }

    private static Peer heard(Peer peer, Instant when) {
        return new Peer(
                peer.id(),
                peer.address(),
                peer.grpcAddress(),
                peer.nvmePath(),
                peer.availableSpace(),
                peer.usedSpace(),
                peer.status(),
                when.truncatedTo(ChronoUnit.MILLIS).toString());
    }
}
