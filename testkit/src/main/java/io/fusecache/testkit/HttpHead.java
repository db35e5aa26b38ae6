package io.fusecache.testkit;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What comes before the body of a request or an answer of HTTP/1.1 (RFC 9112). */
final class HttpHead {
    private static final int LONGEST = 256 << 10;
    private static final Pattern LENGTH = Pattern.compile("\r\ncontent-length: *(\\d+) *\r\n");
    private static final int NO_CONTENT = 204;
    private static final int NOT_MODIFIED = 304;

    private final byte[] bytes;
    private final String text;
    private final String lowerCase;

    private HttpHead(byte[] bytes) {
        this.bytes = bytes;
        this.text = new String(bytes, StandardCharsets.ISO_8859_1);
        this.lowerCase = text.toLowerCase(Locale.ROOT);
    }

    /** Null where the connection ended before. */
    static @Nullable HttpHead read(InputStream in) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        int matched = 0;
        while (matched < 4) {
            int next = in.read();
            if (next < 0) {
                return null;
            }
            head.write(next);
            matched = next == "\r\n\r\n".charAt(matched) ? matched + 1 : next == '\r' ? 1 : 0;
            if (head.size() > LONGEST) {
                throw new IOException("no end of a head within " + LONGEST + " bytes");
            }
        }
        return new HttpHead(head.toByteArray());
    }

    byte[] bytes() {
        return bytes;
    }

    /** Of a request: "GET /path?query". */
    String target() {
        return text.substring(0, text.indexOf(" HTTP/"));
    }

    /** Of an answer. */
    int status() {
        return Integer.parseInt(text.substring(9, 12));
    }

    /** Whether the request's body comes only once the server has said that it wants it. */
    boolean awaitsGoAhead() {
        return lowerCase.contains("\r\nexpect: 100-continue\r\n");
    }

    /** Of a request. */
    long length() throws IOException {
        if (chunked()) {
            throw new IOException("a request in chunks is not spoken here: " + target());
        }
        Matcher length = LENGTH.matcher(lowerCase);
        return length.find() ? Long.parseLong(length.group(1)) : 0;
    }

    private boolean chunked() {
        return lowerCase.contains("\r\ntransfer-encoding: chunked\r\n");
    }

    /** Of an answer: whether another may follow it. */
    boolean goesOn() {
        return !lowerCase.contains("\r\nconnection: close\r\n") && (chunked() || bodiless() || lengthIsTold());
    }

    private boolean bodiless() {
        return status() == NO_CONTENT || status() == NOT_MODIFIED;
    }

    private boolean lengthIsTold() {
        return LENGTH.matcher(lowerCase).find();
    }

    /** The body of an answer as it is on the wire, chunks and all. */
    byte[] body(InputStream in, String request) throws IOException {
        if (request.startsWith("HEAD ") || bodiless()) {
            return new byte[0];
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        Matcher length = LENGTH.matcher(lowerCase);
        if (chunked()) {
            copyChunks(in, body);
        } else if (length.find()) {
            copy(in, body, Long.parseLong(length.group(1)));
        } else {
            in.transferTo(body);
        }
        return body.toByteArray();
    }

    private static void copyChunks(InputStream in, ByteArrayOutputStream body) throws IOException {
        int size;
        do {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            copyLine(in, line);
            line.writeTo(body);
            String digits = line.toString(StandardCharsets.ISO_8859_1).strip();
            size = Integer.parseInt(digits.split(";", 2)[0], 16);
            copy(in, body, size);
            copyLine(in, body);
        } while (size > 0);
    }

    private static void copyLine(InputStream in, OutputStream out) throws IOException {
        int next;
        do {
            next = in.read();
            if (next < 0) {
                throw new EOFException("in the midst of chunks");
            }
            out.write(next);
        } while (next != '\n');
    }

    static void copy(InputStream in, OutputStream out, long length) throws IOException {
        copy(in, out, length, -1);
    }

    /** @param wrong the byte of which one bit is to be another, or -1 */
    static void copy(InputStream in, OutputStream out, long length, long wrong) throws IOException {
        byte[] buffer = new byte[64 << 10];
        long at = 0;
        while (at < length) {
            int count = in.read(buffer, 0, (int) Math.min(buffer.length, length - at));
            if (count < 0) {
                throw new EOFException("%d bytes of a body of %d".formatted(at, length));
            }
            if (wrong >= at && wrong < at + count) {
                buffer[(int) (wrong - at)] ^= 1;
            }
            out.write(buffer, 0, count);
            at += count;
        }
    }
}
