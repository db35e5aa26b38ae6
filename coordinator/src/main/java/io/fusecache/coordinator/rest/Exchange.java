package io.fusecache.coordinator.rest;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Blocker;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** One request and its reply, used by the virtual thread that handles it; every method may block. */
final class Exchange {
    private static final int MAX_BODY_BYTES = 1 << 20;
    /** Of a body that is too large, so much is read nevertheless: a client that still sends may not see an answer. */
    private static final int MAX_READ_BYTES = 4 * MAX_BODY_BYTES;

    private final Request request;
    private final Response response;
    private final Json json;
    private Confirmation confirmation = () -> {};

    Exchange(Request request, Response response, Json json) {
        this.request = request;
        this.response = response;
        this.json = json;
    }

    /** HEAD is asked of what answers GET; the server leaves the body out. */
    String method() {
        return request.getMethod().equals("HEAD") ? "GET" : request.getMethod();
    }

    String path() {
        String path = request.getHttpURI().getPath();
        return path == null ? "/" : path;
    }

    @Nullable String header(String name) {
        return request.getHeaders().get(name);
    }

    /** Where the request comes from. */
    String caller() {
        return Request.getRemoteAddr(request);
    }

    /** The host that the caller reached this server at, as a URI has it. */
    String host() {
        return Request.getServerName(request);
    }

    /** The bytes of a query parameter, because names of files are bytes; empty where there is none of that name. */
    Optional<byte[]> queryBytes(String name) throws RestFailure {
        String query = request.getHttpURI().getQuery();
        for (String part : query == null ? new String[0] : query.split("&")) {
            int equals = part.indexOf('=');
            if (equals > 0 && part.substring(0, equals).equals(name)) {
                return Optional.of(decode(part.substring(equals + 1)));
            }
        }
        return Optional.empty();
    }

    Optional<String> query(String name) throws RestFailure {
        Optional<byte[]> bytes = queryBytes(name);
        if (bytes.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.get()))
                    .toString());
        } catch (CharacterCodingException wrong) {
            throw new RestFailure(400, "invalid_query", name + ": expected UTF-8");
        }
    }

    int queryNumber(String name, int absent, int most) throws RestFailure {
        Optional<String> text = query(name);
        if (text.isEmpty()) {
            return absent;
        }
        if (!text.get().matches("\\d{1,9}") || Integer.parseInt(text.get()) > most) {
            throw new RestFailure(400, "invalid_query", name + ": expected a number from 0 to " + most);
        }
        return Integer.parseInt(text.get());
    }

    private static byte[] decode(String text) throws RestFailure {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
        byte[] raw = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < raw.length; i++) {
            if (raw[i] == '%') {
                int high = i + 2 < raw.length ? Character.digit(raw[i + 1], 16) : -1;
                int low = i + 2 < raw.length ? Character.digit(raw[i + 2], 16) : -1;
                if (high < 0 || low < 0) {
                    throw new RestFailure(
                            400, "invalid_query", "a '%' that two hexadecimal digits do not follow: write it as %25");
                }
                bytes.write(high << 4 | low);
                i += 2;
            } else {
                bytes.write(raw[i] == '+' ? ' ' : raw[i]);
            }
        }
        return bytes.toByteArray();
    }

    <T> T body(Class<T> type) throws RestFailure {
        if (request.getLength() > MAX_READ_BYTES) {
            throw tooLarge();
        }
        byte[] bytes;
        try (InputStream body = Content.Source.asInputStream(request)) {
            bytes = body.readNBytes(MAX_BODY_BYTES + 1);
            if (bytes.length > MAX_BODY_BYTES) {
                body.skip(MAX_READ_BYTES - bytes.length);
            }
        } catch (IOException broken) {
            throw new RestFailure(400, "incomplete_body", "the body broke off");
        }
        if (bytes.length > MAX_BODY_BYTES) {
            throw tooLarge();
        }
        if (bytes.length == 0) {
            throw new RestFailure(400, "invalid_json", "an empty body: a JSON object is expected");
        }
        return json.read(bytes, type);
    }

    /** A body of any size, to be read as it comes. */
    InputStream stream() {
        return Content.Source.asInputStream(request);
    }

    /** Writes a body as it comes. */
    @FunctionalInterface
    interface Body {
        void writeTo(OutputStream out) throws IOException;
    }

    /** A reply whose length is not known; one that breaks off, also because its reader is too slow, ends the connection. */
    void reply(String contentType, PacedOutput.Pace pace, Body body) throws IOException {
        confirmation.await();
        response.setStatus(200);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, contentType);
        OutputStream out = new BufferedOutputStream(new PacedOutput(this::send, pace, System::nanoTime), 64 << 10);
        body.writeTo(out);
        out.flush();
        try (Blocker.Callback ended = Blocker.callback()) {
            response.write(true, BufferUtil.EMPTY_BUFFER, ended);
            ended.block();
        }
    }

    private boolean send(ByteBuffer bytes, long patienceNanos) throws IOException {
        Callback.Completable written = new Callback.Completable();
        response.write(false, bytes, written);
        try {
            written.get(patienceNanos, TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException slow) {
            // Else the write would be under way still when the request has ended.
            request.getConnectionMetaData().getConnection().getEndPoint().close(slow);
            return false;
        } catch (ExecutionException broken) {
            throw broken.getCause() instanceof IOException cause ? cause : new IOException(broken.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    private static RestFailure tooLarge() {
        return new RestFailure(413, "body_too_large", "a body of more than " + MAX_BODY_BYTES + " bytes");
    }

    /** The path and the query, as they came. */
    String target() {
        return request.getHttpURI().getPathQuery();
    }

    /** What must be so before a reply may be given. */
    @FunctionalInterface
    interface Confirmation {
        /** Waits for it; IOException where it is not so. */
        void await() throws IOException;
    }

    /** From now on replies wait for that. */
    void confirmFirst(Confirmation first) {
        confirmation = first;
    }

    void replyHeader(String name, String value) {
        response.getHeaders().put(name, value);
    }

    void reply(int status, Object body) throws IOException {
        reply(status, "application/json", json.bytes(body));
    }

    void reply(int status, String contentType, byte[] bytes) throws IOException {
        confirmation.await();
        if (!request.consumeAvailable()) {
            // The next request cannot be found behind this one's body: the server ends the connection, and says so.
            response.getHeaders().put(HttpHeader.CONNECTION, HttpHeaderValue.CLOSE);
        }
        response.setStatus(status);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, contentType);
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, bytes.length);
        try (Blocker.Callback written = Blocker.callback()) {
            response.write(true, ByteBuffer.wrap(bytes), written);
            written.block();
        }
    }

    boolean committed() {
        return response.isCommitted();
    }

    /** What is done with a request. */
    @FunctionalInterface
    interface Endpoint {
        void answer(Exchange exchange) throws RestFailure, IOException;
    }

    /**
     * One path of the API and one method on it.
     *
     * @param open needs no API key
     */
    record Route(String method, String path, boolean open, Endpoint endpoint) {}
}
