package io.fusecache.client.http;

import io.fusecache.metadata.ErrnoException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the route of a request, asks for the API key, runs the endpoint, and turns failures into JSON. */
final class Api extends Handler.Abstract {
    private static final Logger LOG = LoggerFactory.getLogger(Api.class);
    private static final String BEARER = "Bearer ";

    private final List<Route> routes;
    private final Json json;
    private final byte @Nullable [] apiKey;

    Api(List<Route> routes, Json json, @Nullable String apiKey) {
        this.routes = List.copyOf(routes);
        this.json = json;
        this.apiKey = apiKey == null ? null : apiKey.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        Exchange exchange = new Exchange(request, response, json);
        try {
            answer(exchange);
            callback.succeeded();
        } catch (EofException gone) {
            // The client hung up: nobody is left to be told.
            callback.failed(gone);
        } catch (IOException | RuntimeException | InterruptedException broken) {
            LOG.warn("{} {}: {}", exchange.method(), exchange.path(), broken.toString(), broken);
            callback.failed(broken);
        }
        return true;
    }

    private void answer(Exchange exchange) throws IOException, InterruptedException {
        try {
            route(exchange);
        } catch (HttpFailure failure) {
            fail(exchange, failure);
        } catch (ErrnoException failure) {
            HttpFailure known = HttpFailure.of(failure);
            if (known.status() >= 500) {
                LOG.warn("{} {}: {}", exchange.method(), exchange.path(), failure.getMessage());
            }
            fail(exchange, known);
        }
    }

    private void route(Exchange exchange) throws HttpFailure, ErrnoException, IOException, InterruptedException {
        String path = exchange.path();
        TreeSet<String> allowed = new TreeSet<>();
        for (Route route : routes) {
            Optional<String> rest = route.match(path);
            if (rest.isPresent() && route.method().equals(exchange.method())) {
                if (!route.open()) {
                    requireKey(exchange);
                }
                route.endpoint().answer(exchange, rest.get());
                return;
            }
            rest.ifPresent(ignored -> allowed.add(route.method()));
        }
        if (allowed.isEmpty()) {
            throw new HttpFailure(404, "not_found", "nothing is at " + path + ": see /api/openapi.json");
        }
        exchange.replyHeaders().put(HttpHeader.ALLOW, String.join(", ", allowed));
        throw new HttpFailure(
                405, "method_not_allowed", exchange.method() + " is not for " + path + ": use " + allowed);
    }

    private void requireKey(Exchange exchange) throws HttpFailure {
        if (apiKey == null) {
            return;
        }
        String key = exchange.header("X-API-Key");
        String authorization = exchange.header(HttpHeader.AUTHORIZATION);
        if (key == null && authorization != null && authorization.startsWith(BEARER)) {
            key = authorization.substring(BEARER.length());
        }
        if (key == null || !MessageDigest.isEqual(key.getBytes(StandardCharsets.UTF_8), apiKey)) {
            throw new HttpFailure(
                    401, "unauthorized", "an API key is expected: header X-API-Key, or Authorization: Bearer");
        }
    }

    private static void fail(Exchange exchange, HttpFailure failure) throws IOException {
        if (exchange.committed()) {
            throw new IOException("failed after the reply began: " + failure.getMessage(), failure);
        }
        if (failure.status() != 416) {
            exchange.replyHeaders().remove(HttpHeader.CONTENT_RANGE);
        }
        exchange.reply(
                failure.status(), Map.of("error", Map.of("code", failure.code(), "message", failure.getMessage())));
    }
}
