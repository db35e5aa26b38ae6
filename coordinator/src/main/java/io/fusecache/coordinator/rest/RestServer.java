package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.Coordinator;
import io.fusecache.coordinator.Replica;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicReference;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.VirtualThreads;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The coordinator's HTTP port. It binds at once, so that a port in use is found before anything else is started, and
 * answers from {@link #serve} on.
 */
public final class RestServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RestServer.class);
    private static final int SERVER_THREADS = 16;
    private static final int ACCEPT_QUEUE = 256;
    private static final int IDLE_MILLIS = 60_000;
    private static final Duration STOP = Duration.ofSeconds(2);
    /** A leader that is none any more finds out sooner. */
    private static final Duration CONFIRM = Duration.ofSeconds(10);

    /** A path of PATH_MAX bytes in the query, each percent-encoded, and the headers beside it. */
    private static final int HEADER_BYTES = 20 << 10;

    private final Server server;
    private final ServerConnector connector;
    private final Json json = new Json();
    private @Nullable Router router;

    private RestServer(Server server, ServerConnector connector) {
        this.server = server;
        this.connector = connector;
    }

    /** @throws IOException where the port cannot be had */
    public static RestServer bind(InetSocketAddress address) throws IOException {
        QueuedThreadPool threads = new QueuedThreadPool(SERVER_THREADS);
        threads.setName("http");
        threads.setDaemon(true);
        threads.setStopTimeout(0);
        threads.setVirtualThreadsExecutor(VirtualThreads.getNamedVirtualThreadsExecutor("http-"));
        Server server = new Server(threads);
        HttpConfiguration configuration = new HttpConfiguration();
        configuration.setSendServerVersion(false);
        configuration.setRequestHeaderSize(HEADER_BYTES);
        ServerConnector connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(configuration));
        connector.setHost(address.getHostString());
        connector.setPort(address.getPort());
        connector.setAcceptQueueSize(ACCEPT_QUEUE);
        connector.setIdleTimeout(IDLE_MILLIS);
        server.addConnector(connector);
        // A stop does not wait for idle connections; what is under way, close() waits for.
        server.setStopTimeout(0);
        RestServer rest = new RestServer(server, connector);
        server.setErrorHandler(rest.new JsonErrors());
        connector.open();
        return rest;
    }

    public int port() {
        return connector.getLocalPort();
    }

    /**
     * Begins to answer.
     *
     * @param grpcPort where clients find the other half
     * @param apiKey what requests must carry, or null for none
     */
    public void serve(Coordinator coordinator, int grpcPort, @Nullable String apiKey, InstantSource clock)
            throws IOException {
        serve(coordinator, grpcPort, apiKey, clock, DumpEndpoints.PACE);
    }

    void serve(
            Coordinator coordinator, int grpcPort, @Nullable String apiKey, InstantSource clock, PacedOutput.Pace dumps)
            throws IOException {
        Endpoints endpoints = new Endpoints(coordinator, grpcPort, clock, dumps, null);
        Router routing = new Router(endpoints.routes(), json, apiKey);
        router = routing;
        start(routing);
    }

    /** Begins to answer as a member of a replica group: while it leads, as its coordinator. */
    public void serve(Replica replica, int grpcPort, @Nullable String apiKey, InstantSource clock) throws IOException {
        MemberEndpoints member = new MemberEndpoints(replica, grpcPort, clock);
        Router following = new Router(member.routes(), json, apiKey, () -> {}, member::elsewhere);
        AtomicReference<@Nullable Led> last = new AtomicReference<>();
        start(new Handler.Abstract() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) {
                Coordinator leading = replica.leading().orElse(null);
                if (leading == null) {
                    last.set(null);
                    return following.handle(request, response, callback);
                }
                return led(leading).handle(request, response, callback);
            }

            private Router led(Coordinator leading) {
                Led known = last.get();
                if (known == null || known.coordinator() != leading) {
                    Endpoints endpoints = new Endpoints(leading, grpcPort, clock, DumpEndpoints.PACE, member);
                    known = new Led(
                            leading,
                            new Router(endpoints.routes(), json, apiKey, () -> leading.awaitDurable(CONFIRM), null));
                    last.set(known);
                }
                return known.router();
            }
        });
    }

    /** The way to what a member leads with. */
    private record Led(Coordinator coordinator, Router router) {}

    private void start(Handler handler) throws IOException {
        server.setHandler(handler);
        try {
            server.start();
        } catch (Exception failed) {
            throw new IOException("the HTTP server did not start: " + failed, failed);
        }
    }

    /** Cuts all connections; when it returns, no request is under way. */
    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception failed) {
            throw new IllegalStateException("the HTTP server did not stop", failed);
        } finally {
            connector.close();
        }
        if (router != null && !router.awaitEnd(STOP)) {
            LOG.warn("requests did not end within {} s", STOP.toSeconds());
        }
    }

    /** What Jetty itself refuses (a malformed request, headers too large) is JSON as well. */
    private final class JsonErrors extends ErrorHandler {
        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            int status = response.getStatus();
            Object message = request.getAttribute(ErrorHandler.ERROR_MESSAGE);
            byte[] body = json.bytes(Router.error("http_" + status, message == null ? "refused" : message.toString()));
            response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
            Content.Sink.write(response, true, new String(body, StandardCharsets.UTF_8), callback);
            return true;
        }
    }
}
