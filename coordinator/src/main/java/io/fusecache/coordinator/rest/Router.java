package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.rest.Exchange.Endpoint;
import io.fusecache.coordinator.rest.Exchange.Route;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the route of a request, asks for the API key, runs the endpoint, and turns failures into JSON. */
final class Router extends Handler.Abstract {
    private static final Logger LOG = LoggerFactory.getLogger(Router.class);
    private static final String BEARER = "Bearer ";

    private final List<Route> routes;
    private final Json json;
    private final byte @Nullable [] apiKey;
    private final Exchange.Confirmation confirmation;
    private final @Nullable Endpoint elsewhere;

    /** Read-held by each request under way; write-held once there may be none any more. */
    private final ReentrantReadWriteLock underWay = new ReentrantReadWriteLock();

    Router(List<Route> routes, Json json, @Nullable String apiKey) {
        this(routes, json, apiKey, () -> {}, null);
    }

    /**
     * @param confirmation of every reply to what needs the API key
     * @param elsewhere answers whatever has no route, or null where nothing does
     */
    Router(
            List<Route> routes,
            Json json,
            @Nullable String apiKey,
            Exchange.Confirmation confirmation,
            @Nullable Endpoint elsewhere) {
        this.confirmation = confirmation;
        this.elsewhere = elsewhere;
        this.routes = List.copyOf(routes);
        this.json = json;
        this.apiKey = apiKey == null ? null : apiKey.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        if (!underWay.readLock().tryLock()) {
            callback.failed(new EofException("the coordinator stops"));
            return true;
        }
        Exchange exchange = new Exchange(request, response, json);
        try {
            answer(exchange);
            callback.succeeded();
        } catch (EofException gone) {
            // The client hung up: nobody is left to be told.
            callback.failed(gone);
        } catch (PacedOutput.SlowReaderException slow) {
            LOG.warn("{} {} from {}: {}", request.getMethod(), exchange.path(), exchange.caller(), slow.getMessage());
            callback.failed(slow);
        } catch (IOException | RuntimeException broken) {
            LOG.warn("{} {}: {}", request.getMethod(), exchange.path(), broken.toString(), broken);
            callback.failed(broken);
        } finally {
            underWay.readLock().unlock();
        }
        return true;
    }

    /** Refuses what comes from now on; false where something is still under way after {@code patience}. */
    boolean awaitEnd(Duration patience) {
        try {
            return underWay.writeLock().tryLock(patience.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void answer(Exchange exchange) throws IOException {
        try {
            route(exchange);
        } catch (UnconfirmedException unconfirmed) {
            exchange.reply(
                    503, error("not_leader", "another coordinator may lead by now: it may or may not have been done"));
        } catch (RestFailure failure) {
            if (exchange.committed()) {
                throw new IOException("failed after the reply began: " + failure.text(), failure);
            }
            exchange.reply(failure.status(), error(failure.code(), failure.text()));
        }
    }

    private void confirm(Exchange exchange) throws IOException {
        try {
            confirmation.await();
        } catch (IOException unconfirmed) {
            exchange.confirmFirst(() -> {});
            throw new UnconfirmedException(unconfirmed);
        }
    }

    /** What was to be replied may not be true. */
    private static final class UnconfirmedException extends IOException {
        private static final long serialVersionUID = 1L;

        UnconfirmedException(IOException cause) {
            super(cause.getMessage(), cause);
        }
    }

    static Map<String, Object> error(String code, String message) {
        return Map.of("error", Map.of("code", code, "message", message));
    }

    private void route(Exchange exchange) throws RestFailure, IOException {
        TreeSet<String> allowed = new TreeSet<>();
        for (Route route : routes) {
            if (!route.path().equals(exchange.path())) {
                continue;
            }
            if (route.method().equals(exchange.method())) {
                if (!route.open()) {
                    requireKey(exchange);
                    exchange.confirmFirst(() -> confirm(exchange));
                }
                route.endpoint().answer(exchange);
                return;
            }
            allowed.add(route.method());
        }
        if (allowed.isEmpty() && elsewhere != null) {
            elsewhere.answer(exchange);
            return;
        }
        if (allowed.isEmpty()) {
            throw new RestFailure(404, "not_found", "nothing is at " + exchange.path() + ": see /api/openapi.json");
        }
        if (allowed.contains("GET")) {
            allowed.add("HEAD");
        }
        exchange.replyHeader("Allow", String.join(", ", allowed));
        throw new RestFailure(
                405, "method_not_allowed", exchange.method() + " is not for " + exchange.path() + ": use " + allowed);
    }

    private void requireKey(Exchange exchange) throws RestFailure {
        if (apiKey == null) {
            return;
        }
        String key = exchange.header("X-API-Key");
        String authorization = exchange.header("Authorization");
        if (key == null && authorization != null && authorization.startsWith(BEARER)) {
            key = authorization.substring(BEARER.length());
        }
        if (key == null || !MessageDigest.isEqual(key.getBytes(StandardCharsets.UTF_8), apiKey)) {
            throw new RestFailure(
                    401, "unauthorized", "an API key is expected: header X-API-Key, or Authorization: Bearer");
        }
    }
}
