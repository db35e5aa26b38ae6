package io.fusecache.client.http;

import io.fusecache.client.NodeConfiguration.HostPort;
import io.fusecache.client.StartupException;
import java.io.IOException;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.UriCompliance;
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

/**
 * The HTTP server of a node. It binds at once, so that a port in use is found before anything else is started, and
 * answers from {@link #serve} on.
 */
public final class NodeHttp implements AutoCloseable {
    private static final int SERVER_THREADS = 16;
    private static final int ACCEPT_QUEUE = 256;
    private static final int IDLE_MILLIS = 60_000;
    /** A path of PATH_MAX bytes, each percent-encoded, and the headers beside it. */
    private static final int HEADER_BYTES = 20 << 10;

    private final Server server;
    private final ServerConnector connector;
    private final Json json = new Json();

    private NodeHttp(Server server, ServerConnector connector) {
        this.server = server;
        this.connector = connector;
    }

    /** @param port 0 for any free one */
    public static NodeHttp bind(String host, int port) throws StartupException {
        QueuedThreadPool threads = new QueuedThreadPool(SERVER_THREADS);
        threads.setName("http");
        threads.setDaemon(true);
        threads.setStopTimeout(0);
        threads.setVirtualThreadsExecutor(VirtualThreads.getNamedVirtualThreadsExecutor("http-"));
        Server server = new Server(threads);
        HttpConfiguration configuration = new HttpConfiguration();
        configuration.setSendServerVersion(false);
        configuration.setRequestHeaderSize(HEADER_BYTES);
        // Names are any bytes: the API decodes and checks the path itself, and hands no path to anything that would
        // decode
        // it again.
        configuration.setUriCompliance(UriCompliance.from(EnumSet.allOf(UriCompliance.Violation.class)));
        ServerConnector connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(configuration));
        connector.setHost(host);
        connector.setPort(port);
        connector.setAcceptQueueSize(ACCEPT_QUEUE);
        connector.setIdleTimeout(IDLE_MILLIS);
        server.addConnector(connector);
        // A stop waits for nobody: idle connections would hold it up, and whoever is cut off asks another node.
        server.setStopTimeout(0);
        NodeHttp http = new NodeHttp(server, connector);
        server.setErrorHandler(http.new JsonErrors());
        try {
            connector.open();
        } catch (IOException refused) {
            throw new StartupException(refusal(host, port, refused), refused);
        }
        return http;
    }

    private static String refusal(String host, int port, IOException refused) {
        String cause = refused.getCause() instanceof BindException bind ? bind.getMessage() : refused.getMessage();
        return String.valueOf(cause).contains("in use")
                ? "port %d of %s is in use: give another one with -port, or stop what listens there (ss -ltnp 'sport = :%d')"
                        .formatted(port, host, port)
                : "cannot listen on %s port %d (%s): give another -listen or -port".formatted(host, port, cause);
    }

    public HostPort address() {
        return new HostPort(Objects.requireNonNull(connector.getHost()), connector.getLocalPort());
    }

    /**
     * Begins to answer.
     *
     * @param peers answer what they know and leave the rest to the API
     * @param apiKey what requests must carry, or null for none
     */
    public void serve(
            List<Handler> peers, NodeFiles files, NodeInsight insight, @Nullable String apiKey, InstantSource clock)
            throws StartupException {
        List<Handler> handlers = new ArrayList<>(peers);
        handlers.add(new Api(routes(files, insight, clock), json, apiKey));
        server.setHandler(new Handler.Sequence(handlers));
        try {
            server.start();
        } catch (Exception failed) {
            throw new StartupException("the HTTP server did not start: " + failed, failed);
        }
    }

    static List<Route> routes(NodeFiles files, NodeInsight insight, InstantSource clock) {
        List<Route> routes = new ArrayList<>(new FilesEndpoint(files).routes());
        routes.addAll(new NodeEndpoint(insight, clock).routes());
        return routes;
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (Exception failed) {
            throw new IllegalStateException("the HTTP server did not stop", failed);
        } finally {
            connector.close();
        }
    }

    /** What Jetty itself refuses (a malformed request, headers too large) is JSON as well. */
    private final class JsonErrors extends ErrorHandler {
        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            int status = response.getStatus();
            Object message = request.getAttribute(ErrorHandler.ERROR_MESSAGE);
            byte[] body = json.bytes(Map.of(
                    "error",
                    Map.of("code", "http_" + status, "message", message == null ? "refused" : message.toString())));
            response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
            Content.Sink.write(response, true, new String(body, StandardCharsets.UTF_8), callback);
            return true;
        }
    }
}
