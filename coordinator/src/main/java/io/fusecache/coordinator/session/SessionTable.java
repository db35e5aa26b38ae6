package io.fusecache.coordinator.session;

import io.fusecache.metadata.Holder;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The sessions there are: at most one of each node. Guarded by the sequencer's lock. */
final class SessionTable {
    private final Map<Long, Session> sessions = new HashMap<>();
    private final Map<NodeId, Session> nodes = new HashMap<>();

    void add(Session session) {
        sessions.put(session.id(), session);
        nodes.put(session.node(), session);
    }

    void remove(Session session) {
        sessions.remove(session.id(), session);
        nodes.remove(session.node(), session);
    }

    @Nullable Session find(long id) {
        return sessions.get(id);
    }

    @Nullable Session of(NodeId node) {
        return nodes.get(node);
    }

    List<Session> all() {
        return List.copyOf(sessions.values());
    }

    List<NodeAddress> connected() {
        return sessions.values().stream()
                .filter(session -> session.outbox().connected())
                .map(Session::address)
                .toList();
    }

    /** Those of {@code holdings} whose node can be reached now; {@code but} is left out. */
    List<Holder> holders(List<BlockDirectory.Holding> holdings, @Nullable Session but) {
        List<Holder> holders = new ArrayList<>();
        for (BlockDirectory.Holding holding : holdings) {
            Session session = nodes.get(holding.node());
            if (session != null && session != but && session.outbox().connected()) {
                BitSet some = holding.blocks();
                holders.add(new Holder(session.address(), some == null ? null : (BitSet) some.clone()));
            }
        }
        return holders;
    }

    List<Sessions.NodeStatus> statuses(long nowNanos) {
        return sessions.values().stream()
                .map(session -> new Sessions.NodeStatus(
                        session.address(),
                        session.nvmePath(),
                        session.availableBytes(),
                        session.usedBytes(),
                        session.outbox().connected(),
                        Duration.ofNanos(nowNanos - session.heardNanos()),
                        session.leases()))
                .toList();
    }
}
