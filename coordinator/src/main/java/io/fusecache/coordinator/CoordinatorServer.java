package io.fusecache.coordinator;

import io.fusecache.coordinator.rest.RestServer;
import io.fusecache.coordinator.rpc.RpcServer;
import io.fusecache.coordinator.rpc.SessionService;
import io.fusecache.coordinator.session.SessionLimits;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * A coordinator and its two ports.
 *
 * <p>Ports first, because finding them taken leaves nothing behind; then the state; then clients are let in. At the end nobody
 * may use the state any more before it is closed, because it is native memory: the ports first again.
 */
public final class CoordinatorServer implements AutoCloseable {
    private final RestServer rest;
    private final RpcServer rpc;
    private final Coordinator coordinator;

    private CoordinatorServer(RestServer rest, RpcServer rpc, Coordinator coordinator) {
        this.rest = rest;
        this.rpc = rpc;
        this.coordinator = coordinator;
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
        boolean started = false;
        try {
            String host = configuration.listenHost();
            SessionService service = new SessionService(configuration.apiKey());
            rest = bindRest(host, configuration.port());
            rpc = bindRpc(host, configuration.grpcPort(), service);
            coordinator = Coordinator.open(configuration.data(), limits);
            Duration keep = configuration.trashKeep();
            if (keep != null) {
                coordinator.keepRemoved(keep);
            }
            rest.serve(coordinator, rpc.port(), configuration.apiKey(), InstantSource.system());
            service.serve(coordinator.sessions());
            started = true;
            return new CoordinatorServer(rest, rpc, coordinator);
        } finally {
            if (!started) {
                close(coordinator, rpc, rest);
            }
        }
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

    public Coordinator coordinator() {
        return coordinator;
    }

    @Override
    public void close() {
        close(coordinator, rpc, rest);
    }

    private static void close(@Nullable Coordinator coordinator, @Nullable RpcServer rpc, @Nullable RestServer rest) {
        try (coordinator;
                rpc;
                rest) {
            // Closed from the last to the first.
        }
    }
}
