package io.fusecache.testkit;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What {@link GoogleServer} answers. */
record GoogleAnswer(int status, Map<String, String> headers, byte[] body) {
    private static final byte[] NOTHING = {};

    static GoogleAnswer empty(int status, Map<String, String> headers) {
        return new GoogleAnswer(status, headers, NOTHING);
    }

    static GoogleAnswer json(int status, String body) {
        return text(status, "application/json", body);
    }

    static GoogleAnswer xml(int status, String body) {
        return text(status, "application/xml", "<?xml version='1.0' encoding='UTF-8'?>" + body);
    }

    static GoogleAnswer error(int status, String code, String message) {
        return xml(status, "<Error><Code>%s</Code><Message>%s</Message></Error>".formatted(code, message));
    }

    private static GoogleAnswer text(int status, String type, String body) {
        return new GoogleAnswer(status, Map.of("Content-Type", type), body.getBytes(StandardCharsets.UTF_8));
    }

    GoogleAnswer with(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new GoogleAnswer(status, more, body);
    }

    void send(HttpExchange exchange) throws IOException {
        headers.forEach(exchange.getResponseHeaders()::set);
        boolean head = exchange.getRequestMethod().equals("HEAD");
        if (head || body.length == 0) {
            if (head) {
                exchange.getResponseHeaders().putIfAbsent("Content-Length", java.util.List.of("" + body.length));
            }
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }
}
