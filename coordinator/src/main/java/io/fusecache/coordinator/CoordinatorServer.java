package io.fusecache.coordinator;

import io.fusecache.coordinator.raft.RaftTiming;
import io.fusecache.coordinator.raft.ReplicaGroup;
import io.fusecache.coordinator.rest.RestServer;
import io.fusecache.coordinator.rpc.RpcServer;
import io.fusecache.coordinator.rpc.SessionService;
import io.fusecache.coordinator.session.SessionLimits;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A coordinator and its two ports.
 *
 * <p>Ports first, because finding them taken leaves nothing behind; then the state; then clients are let in. At the end nobody
 * may use the state any more before it is closed, because it is native memory: the ports first again. Only that a leader hands over
 * comes before, so that clients that it cuts find the next one.
 */
public final class CoordinatorServer implements AutoCloseable {
    private final RestServer rest;
    private final RpcServer rpc;
    private final @Nullable Coordinator coordinator;
    private final @Nullable Replica replica;

    private CoordinatorServer(
            RestServer rest, RpcServer rpc, @Nullable Coordinator coordinator, @Nullable Replica replica) {
        this.rest = rest;
        this.rpc = rpc;
        this.coordinator = coordinator;
        this.replica = replica;
    }

    /** @throws IOException with one line that names the port or the folder and the way out; nothing is left started then */
    public static CoordinatorServer start(CoordinatorConfiguration configuration) throws IOException {
        return start(configuration, SessionLimits.DEFAULT);
    }

    public static CoordinatorServer start(CoordinatorConfiguration configuration, SessionLimits limits)
            throws IOException {
        RestServer rest = null;
        RpcServer rpc = null;
        Coordinator coordinator = null;
        Replica replica = null;
        boolean started = false;
        try {
            String host = configuration.listenHost();
            SessionService service = new SessionService(configuration.apiKey());
            rest = bindRest(host, configuration.port());
            rpc = bindRpc(host, configuration.grpcPort(), service);
            ReplicaGroup group = configuration.replicas();
            if (group == null) {
                coordinator = Coordinator.open(configuration.data(), limits);
                serve(coordinator, rest, rpc, service, configuration);
            } else {
                replica = Replica.start(
                        group,
                        configuration.data(),
                        limits,
                        RaftTiming.DEFAULT,
                        configuration.trashKeep(),
                        configuration.awaitLoad());
                rest.serve(replica, rpc.port(), configuration.apiKey(), InstantSource.system());
                service.serve(replica);
            }
            started = true;
            return new CoordinatorServer(rest, rpc, coordinator, replica);
        } finally {
            if (!started) {
                close(coordinator, replica, rpc, rest);
            }
        }
    }

    private static void serve(
            Coordinator coordinator,
            RestServer rest,
            RpcServer rpc,
            SessionService service,
            CoordinatorConfiguration configuration)
            throws IOException {
        if (configuration.awaitLoad()) {
            coordinator.awaitLoad();
        }
        Duration keep = configuration.trashKeep();
        if (keep != null) {
            coordinator.keepRemoved(keep);
        }
        rest.serve(coordinator, rpc.port(), configuration.apiKey(), InstantSource.system());
        service.serve(coordinator.sessions());
    }

    private static RestServer bindRest(String host, int port) throws IOException {
        try {
            return RestServer.bind(new InetSocketAddress(host, port));
        } catch (IOException | IllegalArgumentException refused) {
            throw refusal(host, port, "-port", refused);
        }
    }

    private static RpcServer bindRpc(String host, int port, SessionService service) throws IOException {
        try {
            return RpcServer.bind(new InetSocketAddress(host, port), service);
        } catch (IOException | IllegalArgumentException refused) {
            throw refusal(host, port, "-grpc-port", refused);
        }
    }

    private static IOException refusal(String host, int port, String flag, Exception refused) {
        Throwable cause = refused;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String reason = String.valueOf(cause.getMessage());
        return new IOException(
                reason.contains("in use")
                        ? "port %d of %s is in use: give another one with %s, or stop what listens there (ss -ltnp 'sport = :%d')"
                                .formatted(port, host, flag, port)
                        : "cannot listen on %s port %d (%s): give another -listen or %s"
                                .formatted(host, port, reason, flag),
                refused);
    }

    public int port() {
        return rest.port();
    }

    public int grpcPort() {
        return rpc.port();
    }

    /** Of a server that is no member of a replica group. */
    public Coordinator coordinator() {
        return Objects.requireNonNull(coordinator);
    }

    /** Of a member of a replica group. */
    Replica replica() {
        return Objects.requireNonNull(replica);
    }

    @Override
    public void close() {
        close(coordinator, replica, rpc, rest);
    }

    private static void close(
            @Nullable Coordinator coordinator,
            @Nullable Replica replica,
            @Nullable RpcServer rpc,
            @Nullable RestServer rest) {
        try (coordinator;
                replica;
                rpc;
                rest) {
            if (replica != null) {
                replica.resign();
            }
            // Closed from the last to the first.
        }
    }
}
