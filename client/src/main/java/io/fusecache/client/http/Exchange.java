package io.fusecache.client.http;

import io.fusecache.metadata.ErrnoException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Blocker;
import org.eclipse.jetty.util.Fields;
import org.eclipse.jetty.util.StringUtil;
import org.jspecify.annotations.Nullable;

/** One request and its reply, used by the virtual thread that handles it; every method may block. */
final class Exchange {
    /** JSON bodies are a few fields. */
    private static final int MAX_JSON_BYTES = 1 << 20;

    private static final int MAX_DISCARDED_BYTES = 4 << 20;

    private final Request request;
    private final Response response;
    private final Json json;

    Exchange(Request request, Response response, Json json) {
        this.request = request;
        this.response = response;
        this.json = json;
    }

    String method() {
        return request.getMethod();
    }

    boolean head() {
        return method().equals("HEAD");
    }

    /** As it came: still percent-encoded. */
    String path() {
        String path = request.getHttpURI().getPath();
        return path == null ? "/" : path;
    }

    @Nullable String header(HttpHeader name) {
        return request.getHeaders().get(name);
    }

    @Nullable String header(String name) {
        return request.getHeaders().get(name);
    }

    HttpFields.Mutable replyHeaders() {
        return response.getHeaders();
    }

    /** The value of a query parameter; 400 where the query is no UTF-8. */
    Optional<String> query(String name) throws HttpFailure {
        try {
            Fields fields = Request.extractQueryParameters(request);
            return Optional.ofNullable(fields.getValue(name)).filter(StringUtil::isNotBlank);
        } catch (RuntimeException malformed) {
            throw new HttpFailure(400, "invalid_query", "the query is not percent-encoded UTF-8");
        }
    }

    /** Bytes of the body as announced, or -1. */
    long bodyLength() {
        return request.getLength();
    }

    InputStream body() {
        return Content.Source.asInputStream(request);
    }

    /** The body as a JSON object of these fields; empty for an empty body. */
    Map<String, Object> jsonBody() throws HttpFailure {
        byte[] bytes;
        try (InputStream body = body()) {
            bytes = body.readNBytes(MAX_JSON_BYTES + 1);
            if (bytes.length > MAX_JSON_BYTES) {
                // Who is still sending when the connection closes gets a reset, and not the answer.
                body.readNBytes(MAX_DISCARDED_BYTES);
            }
        } catch (IOException broken) {
            throw new HttpFailure(400, "incomplete_body", "the body broke off");
        }
        if (bytes.length > MAX_JSON_BYTES) {
            throw new HttpFailure(413, "body_too_large", "a JSON body of more than " + MAX_JSON_BYTES + " bytes");
        }
        return bytes.length == 0 ? Map.of() : json.object(bytes);
    }

    void reply(int status, Object body) throws IOException {
        byte[] bytes = json.bytes(body);
        response.setStatus(status);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, bytes.length);
        write(true, ByteBuffer.wrap(bytes));
    }

    void reply(int status, String contentType, byte[] bytes) throws IOException {
        response.setStatus(status);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, contentType);
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, bytes.length);
        write(true, ByteBuffer.wrap(bytes));
    }

    void reply(int status) {
        response.setStatus(status);
    }

    /** Returns when {@code bytes} were taken over and may be used again. */
    void write(boolean last, ByteBuffer bytes) throws IOException {
        try (Blocker.Callback written = Blocker.callback()) {
            response.write(last, bytes, written);
            written.block();
        }
    }

    boolean committed() {
        return response.isCommitted();
    }

    /** What an endpoint does with a request. */
    @FunctionalInterface
    interface Endpoint {
        /** @param rest the part of the path that the route leaves open, percent-encoded */
        void answer(Exchange exchange, String rest)
                throws HttpFailure, ErrnoException, IOException, InterruptedException;
    }
}
