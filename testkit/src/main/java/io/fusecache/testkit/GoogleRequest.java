package io.fusecache.testkit;

import com.sun.net.httpserver.HttpExchange;
import io.fusecache.testkit.GoogleBucket.StoredBlob;
import io.fusecache.testkit.GoogleBucket.Upload;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** One request of the XML API to a bucket, by somebody who may: "XML API methods" of the Cloud Storage reference. */
final class GoogleRequest {
    private static final int OK = 200;
    private static final int NO_CONTENT = 204;
    private static final int PARTIAL = 206;
    private static final int BAD_REQUEST = 400;
    private static final int NOT_FOUND = 404;
    private static final int PRECONDITION_FAILED = 412;
    private static final int NO_SUCH_RANGE = 416;
    private static final int NOT_ALLOWED = 405;
    private static final int LEAST_PART = 5 << 20;

    private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d+)");
    private static final Pattern PART = Pattern.compile(
            "<Part>(?:<PartNumber>(\\d+)</PartNumber>)?<ETag>([^<]*)</ETag>(?:<PartNumber>(\\d+)</PartNumber>)?</Part>");

    private final HttpExchange exchange;
    private final byte[] body;
    private final GoogleBucket bucket;
    private final String key;
    private final Map<String, String> query;
    /** Of the headers that this request has, and wants. */
    private final String family;

    GoogleRequest(HttpExchange exchange, byte[] body, GoogleBucket bucket, String key) {
        this.exchange = exchange;
        this.body = body;
        this.bucket = bucket;
        this.key = key;
        this.query = query(exchange.getRequestURI().getRawQuery());
        this.family =
                exchange.getRequestHeaders().getFirst("Authorization").startsWith("Bearer ") ? "x-goog-" : "x-amz-";
    }

    private static Map<String, String> query(@Nullable String raw) {
        Map<String, String> values = new TreeMap<>();
        for (String pair : raw == null ? new String[0] : raw.split("&")) {
            String[] sides = pair.split("=", 2);
            values.put(sides[0], sides.length < 2 ? "" : URLDecoder.decode(sides[1], StandardCharsets.UTF_8));
        }
        return values;
    }

    private String header(String name) {
        String value = exchange.getRequestHeaders().getFirst(name);
        return value == null ? "" : value;
    }

    GoogleAnswer answer() {
        if (key.isEmpty()) {
            return exchange.getRequestMethod().equals("GET") ? list() : notAllowed();
        }
        return query.containsKey("uploadId") || query.containsKey("uploads") ? ofUpload() : ofObject();
    }

    private GoogleAnswer ofObject() {
        return switch (exchange.getRequestMethod()) {
            case "GET", "HEAD" -> read();
            case "PUT" -> header(family + "copy-source").isEmpty() ? put() : copy();
            case "DELETE" -> bucket.remove(key) ? GoogleAnswer.empty(NO_CONTENT, Map.of()) : noSuchKey();
            default -> notAllowed();
        };
    }

    private static GoogleAnswer notAllowed() {
        return GoogleAnswer.error(NOT_ALLOWED, "MethodNotAllowed", "The method is not allowed here.");
    }

    private static GoogleAnswer noSuchKey() {
        return GoogleAnswer.error(NOT_FOUND, "NoSuchKey", "The specified key does not exist.");
    }

    private static GoogleAnswer otherThere() {
        return GoogleAnswer.error(PRECONDITION_FAILED, "PreconditionFailed", "A precondition did not hold.");
    }

    private GoogleAnswer read() {
        StoredBlob found = bucket.find(key);
        if (found == null) {
            return noSuchKey();
        }
        if (!header("If-Match").isEmpty() && !header("If-Match").equals(quoted(found.etag()))) {
            return otherThere();
        }
        int size = found.bytes().length;
        Matcher range = RANGE.matcher(header("Range"));
        if (!range.matches()) {
            return described(new GoogleAnswer(OK, Map.of(), found.bytes()), found);
        }
        int from = Integer.parseInt(range.group(1));
        int to = (int) Math.min(size, Long.parseLong(range.group(2)) + 1);
        return from >= size
                ? GoogleAnswer.error(NO_SUCH_RANGE, "InvalidRange", "The requested range cannot be satisfied.")
                : described(new GoogleAnswer(PARTIAL, Map.of(), Arrays.copyOfRange(found.bytes(), from, to)), found)
                        .with("Content-Range", "bytes %d-%d/%d".formatted(from, to - 1, size));
    }

    private GoogleAnswer described(GoogleAnswer answer, StoredBlob object) {
        Map<String, String> headers = new LinkedHashMap<>(answer.headers());
        headers.put("ETag", quoted(object.etag()));
        headers.put("Content-Type", "application/octet-stream");
        headers.put(
                "Last-Modified",
                DateTimeFormatter.RFC_1123_DATE_TIME.format(object.modified().atOffset(ZoneOffset.UTC)));
        headers.put("x-goog-generation", Long.toString(object.generation()));
        headers.put("x-goog-hash", "crc32c=" + crc32c(object.bytes()));
        object.metadata().forEach((name, value) -> headers.put(family + "meta-" + name, value));
        return new GoogleAnswer(answer.status(), headers, answer.body());
    }

    private Map<String, String> metadata() {
        Map<String, String> metadata = new TreeMap<>();
        String prefix = family + "meta-";
        exchange.getRequestHeaders().forEach((name, values) -> {
            String lower = name.toLowerCase(Locale.ROOT);
            if (lower.startsWith(prefix)) {
                metadata.put(lower.substring(prefix.length()), values.getFirst());
            }
        });
        return metadata;
    }

    private boolean damaged() {
        String md5 = header("Content-MD5");
        return !md5.isEmpty() && !md5.equals(Base64.getEncoder().encodeToString(GoogleServer.md5(body)));
    }

    private static GoogleAnswer badDigest() {
        return GoogleAnswer.error(BAD_REQUEST, "BadDigest", "The Content-MD5 does not match what was received.");
    }

    private GoogleAnswer put() {
        if (damaged()) {
            return badDigest();
        }
        StoredBlob made = bucket.put(key, body, metadata());
        return GoogleAnswer.empty(OK, Map.of("ETag", quoted(made.etag())));
    }

    private GoogleAnswer copy() {
        String[] path = URLDecoder.decode(header(family + "copy-source").replace("+", "%2B"), StandardCharsets.UTF_8)
                .replaceFirst("^/", "")
                .split("/", 2);
        StoredBlob source = bucket.find(path[1]);
        if (source == null) {
            return noSuchKey();
        }
        String match = header(family + "copy-source-if-match");
        if (!match.isEmpty() && !match.equals(quoted(source.etag()))) {
            return otherThere();
        }
        StoredBlob made = bucket.copy(source, key);
        return GoogleAnswer.xml(
                OK,
                "<CopyObjectResult><ETag>%s</ETag><LastModified>%s</LastModified></CopyObjectResult>"
                        .formatted(escaped(quoted(made.etag())), made.modified()));
    }

    private GoogleAnswer ofUpload() {
        String method = exchange.getRequestMethod();
        if (query.containsKey("uploads")) {
            return method.equals("POST")
                    ? GoogleAnswer.xml(
                            OK,
                            "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>"
                                    .formatted(bucket.begin(key, metadata())))
                    : notAllowed();
        }
        String id = query.getOrDefault("uploadId", "");
        Upload upload = bucket.upload(id, key);
        if (upload == null) {
            return GoogleAnswer.error(NOT_FOUND, "NoSuchUpload", "The requested upload was not found.");
        }
        return switch (method) {
            case "PUT" -> part(upload);
            case "GET" -> parts(upload);
            case "POST" -> complete(id, upload);
            case "DELETE" -> {
                bucket.drop(id);
                yield GoogleAnswer.empty(NO_CONTENT, Map.of());
            }
            default -> notAllowed();
        };
    }

    private GoogleAnswer part(Upload upload) {
        if (!header(family + "copy-source").isEmpty()) {
            return GoogleAnswer.error(BAD_REQUEST, "InvalidArgument", "A part cannot be copied.");
        }
        if (damaged()) {
            return badDigest();
        }
        bucket.putPart(upload, Integer.parseInt(query.getOrDefault("partNumber", "")), body);
        return GoogleAnswer.empty(OK, Map.of("ETag", quoted(GoogleServer.hex(GoogleServer.md5(body)))));
    }

    private GoogleAnswer parts(Upload upload) {
        int after = Integer.parseInt(query.getOrDefault("part-number-marker", "0"));
        int most = Integer.parseInt(query.getOrDefault("max-parts", "1000"));
        StringBuilder xml = new StringBuilder("<ListPartsResult>");
        int shown = 0;
        int last = after;
        for (Map.Entry<Integer, byte[]> part : upload.parts().tailMap(after + 1).entrySet()) {
            if (shown++ == most) {
                xml.append("<NextPartNumberMarker>%d</NextPartNumberMarker>".formatted(last));
                break;
            }
            last = part.getKey();
            xml.append("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag><Size>%d</Size></Part>"
                    .formatted(
                            last,
                            escaped(quoted(GoogleServer.hex(GoogleServer.md5(part.getValue())))),
                            part.getValue().length));
        }
        xml.append("<IsTruncated>%b</IsTruncated></ListPartsResult>".formatted(shown > most));
        return GoogleAnswer.xml(OK, xml.toString());
    }

    private GoogleAnswer complete(String id, Upload upload) {
        String asked = new String(body, StandardCharsets.UTF_8).replaceAll(">\\s+<", "><");
        List<byte[]> parts = new ArrayList<>();
        Matcher part = PART.matcher(asked);
        while (part.find()) {
            byte[] there = upload.parts().get(Integer.parseInt(part.group(1) == null ? part.group(3) : part.group(1)));
            String etag = part.group(2).replace("&quot;", "").replace("\"", "");
            if (there == null || !etag.equals(GoogleServer.hex(GoogleServer.md5(there)))) {
                return GoogleAnswer.error(BAD_REQUEST, "InvalidPart", "A part was not found, or has another ETag.");
            }
            parts.add(there);
        }
        if (parts.isEmpty() || asked.split("<Part>", -1).length != parts.size() + 1) {
            return GoogleAnswer.error(BAD_REQUEST, "MalformedCompleteMultipartUploadRequest", "It is not well formed.");
        }
        if (parts.stream().limit(parts.size() - 1L).anyMatch(each -> each.length < LEAST_PART)) {
            return GoogleAnswer.error(BAD_REQUEST, "EntityTooSmall", "A part other than the last is too small.");
        }
        StoredBlob made = bucket.complete(id, upload, parts);
        return GoogleAnswer.xml(
                OK,
                "<CompleteMultipartUploadResult><ETag>%s</ETag></CompleteMultipartUploadResult>"
                        .formatted(escaped(quoted(made.etag()))));
    }

    private GoogleAnswer list() {
        String token = query.getOrDefault("continuation-token", "");
        GoogleBucket.Page page = bucket.list(
                query.getOrDefault("prefix", ""),
                query.getOrDefault("delimiter", ""),
                Integer.parseInt(query.getOrDefault("max-keys", "1000")),
                new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8));
        StringBuilder xml = new StringBuilder("<ListBucketResult>");
        for (Map.Entry<String, StoredBlob> object : page.objects()) {
            StoredBlob blob = object.getValue();
            xml.append(
                    "<Contents><Key>%s</Key><Generation>%d</Generation><LastModified>%s</LastModified><ETag>%s</ETag>"
                            .formatted(
                                    shown(object.getKey()),
                                    blob.generation(),
                                    blob.modified(),
                                    escaped(quoted(blob.etag()))));
            xml.append("<Size>%d</Size></Contents>".formatted(blob.bytes().length));
        }
        page.prefixes()
                .forEach(prefix ->
                        xml.append("<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>".formatted(shown(prefix))));
        String next = page.next();
        xml.append("<IsTruncated>%b</IsTruncated>".formatted(next != null));
        if (next != null) {
            xml.append("<NextContinuationToken>%s</NextContinuationToken>"
                    .formatted(Base64.getUrlEncoder().encodeToString(next.getBytes(StandardCharsets.UTF_8))));
        }
        if (query.containsKey("encoding-type")) {
            xml.append("<EncodingType>url</EncodingType>");
        }
        return GoogleAnswer.xml(OK, xml.append("</ListBucketResult>").toString());
    }

    private String shown(String name) {
        return query.containsKey("encoding-type")
                ? URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20")
                : escaped(name);
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }

    private static String quoted(String etag) {
        return '"' + etag + '"';
    }

    private static String crc32c(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return Base64.getEncoder()
                .encodeToString(
                        ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
    }
}
