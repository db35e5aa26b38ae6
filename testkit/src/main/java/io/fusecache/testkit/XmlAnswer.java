package io.fusecache.testkit;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a server of an XML API answers. */
record XmlAnswer(int status, Map<String, String> headers, byte[] body) {
    private static final byte[] NOTHING = {};

    /** A server that is to be started, on a port of loopback that is the system's choice. */
    static HttpServer listening() throws IOException {
        // Otherwise an answer waits for the acknowledgement of its headers.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    }

    static XmlAnswer empty(int status, Map<String, String> headers) {
        return new XmlAnswer(status, headers, NOTHING);
    }

    static XmlAnswer json(int status, String body) {
        return text(status, "application/json", body);
    }

    static XmlAnswer xml(int status, String body) {
        return text(status, "application/xml", "<?xml version='1.0' encoding='UTF-8'?>" + body);
    }

    static XmlAnswer error(int status, String code, String message) {
        return xml(status, "<Error><Code>%s</Code><Message>%s</Message></Error>".formatted(code, message));
    }

    private static XmlAnswer text(int status, String type, String body) {
        return new XmlAnswer(status, Map.of("Content-Type", type), body.getBytes(StandardCharsets.UTF_8));
    }

    XmlAnswer with(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new XmlAnswer(status, more, body);
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
