package io.fusecache.testkit;

import com.sun.net.httpserver.HttpExchange;
import io.fusecache.testkit.MemoryBucket.StoredBlob;
import io.fusecache.testkit.MemoryBucket.StoredPart;
import io.fusecache.testkit.MemoryBucket.Upload;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
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

/**
 * One request to a bucket by somebody who may: "XML API methods" of the Cloud Storage reference, and the API reference of S3 where it speaks
 * of directory buckets.
 */
final class XmlRequest {
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
    private static final Pattern PART = Pattern.compile("(?s)<Part>(.*?)</Part>");
    private static final Pattern ELEMENT = Pattern.compile("<(\\w+)>([^<]*)</\\1>");

    private final HttpExchange exchange;
    private final byte[] body;
    private final MemoryBucket bucket;
    private final String key;
    private final Map<String, String> query;
    private final XmlDialect dialect;

    XmlRequest(HttpExchange exchange, byte[] body, MemoryBucket bucket, String key, XmlDialect dialect) {
        this.exchange = exchange;
        this.body = body;
        this.bucket = bucket;
        this.key = key;
        this.query = query(exchange.getRequestURI().getRawQuery());
        this.dialect = dialect;
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

    XmlAnswer answer() {
        if (key.isEmpty()) {
            return exchange.getRequestMethod().equals("GET") ? list() : notAllowed();
        }
        return query.containsKey("uploadId") || query.containsKey("uploads") ? ofUpload() : ofObject();
    }

    private XmlAnswer ofObject() {
        return switch (exchange.getRequestMethod()) {
            case "GET", "HEAD" -> read();
            case "PUT" -> header(dialect.family() + "copy-source").isEmpty() ? put() : copy();
            case "DELETE" ->
                bucket.remove(key) || !dialect.google() ? XmlAnswer.empty(NO_CONTENT, Map.of()) : noSuchKey();
            default -> notAllowed();
        };
    }

    private static XmlAnswer notAllowed() {
        return XmlAnswer.error(NOT_ALLOWED, "MethodNotAllowed", "The method is not allowed here.");
    }

    private static XmlAnswer noSuchKey() {
        return XmlAnswer.error(NOT_FOUND, "NoSuchKey", "The specified key does not exist.");
    }

    private static XmlAnswer otherThere() {
        return XmlAnswer.error(PRECONDITION_FAILED, "PreconditionFailed", "A precondition did not hold.");
    }

    private XmlAnswer read() {
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
            return described(new XmlAnswer(OK, Map.of(), found.bytes()), found);
        }
        int from = Integer.parseInt(range.group(1));
        int to = (int) Math.min(size, Long.parseLong(range.group(2)) + 1);
        return from >= size
                ? XmlAnswer.error(NO_SUCH_RANGE, "InvalidRange", "The requested range cannot be satisfied.")
                : described(new XmlAnswer(PARTIAL, Map.of(), Arrays.copyOfRange(found.bytes(), from, to)), found)
                        .with("Content-Range", "bytes %d-%d/%d".formatted(from, to - 1, size));
    }

    private XmlAnswer described(XmlAnswer answer, StoredBlob object) {
        Map<String, String> headers = new LinkedHashMap<>(answer.headers());
        headers.put("ETag", quoted(object.etag()));
        headers.put("Content-Type", "application/octet-stream");
        headers.put(
                "Last-Modified",
                DateTimeFormatter.RFC_1123_DATE_TIME.format(object.modified().atOffset(ZoneOffset.UTC)));
        headers.put("x-goog-generation", Long.toString(object.generation()));
        headers.put("x-goog-hash", "crc32c=" + crc32c(object.bytes()));
        object.metadata().forEach((name, value) -> headers.put(dialect.family() + "meta-" + name, value));
        return new XmlAnswer(answer.status(), headers, answer.body());
    }

    private Map<String, String> metadata() {
        Map<String, String> metadata = new TreeMap<>();
        String prefix = dialect.family() + "meta-";
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
        String crc = header("x-amz-checksum-crc32c");
        return (!md5.isEmpty() && !md5.equals(Base64.getEncoder().encodeToString(MemoryBucket.md5(body))))
                || (!crc.isEmpty() && !crc.equals(crc32c(body)));
    }

    private static XmlAnswer badDigest() {
        return XmlAnswer.error(BAD_REQUEST, "BadDigest", "The Content-MD5 does not match what was received.");
    }

    private XmlAnswer put() {
        if (damaged()) {
            return badDigest();
        }
        StoredBlob made = bucket.put(key, body, metadata());
        return XmlAnswer.empty(OK, Map.of("ETag", quoted(made.etag())));
    }

    /** What a request copies from; or the answer to it where that is not there. */
    private sealed interface Source {
        record Found(StoredBlob blob) implements Source {}

        record Refused(XmlAnswer answer) implements Source {}
    }

    private Source source() {
        String[] path = URLDecoder.decode(
                        header(dialect.family() + "copy-source").replace("+", "%2B"), StandardCharsets.UTF_8)
                .replaceFirst("^/", "")
                .split("/", 2);
        StoredBlob found = bucket.find(path[1]);
        if (found == null) {
            return new Source.Refused(noSuchKey());
        }
        String match = header(dialect.family() + "copy-source-if-match");
        return match.isEmpty() || match.equals(quoted(found.etag()))
                ? new Source.Found(found)
                : new Source.Refused(otherThere());
    }

    private XmlAnswer copy() {
        return switch (source()) {
            case Source.Refused(XmlAnswer answer) -> answer;
            case Source.Found(StoredBlob blob) ->
                copied("CopyObjectResult", bucket.copy(blob, key).etag());
        };
    }

    private static XmlAnswer copied(String element, String etag) {
        return XmlAnswer.xml(
                OK,
                "<%s><ETag>%s</ETag><LastModified>%s</LastModified></%s>"
                        .formatted(element, escaped(quoted(etag)), Instant.now(), element));
    }

    private XmlAnswer ofUpload() {
        String method = exchange.getRequestMethod();
        if (query.containsKey("uploads")) {
            return method.equals("POST")
                    ? XmlAnswer.xml(
                            OK,
                            "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>"
                                    .formatted(bucket.begin(key, metadata())))
                    : notAllowed();
        }
        String id = query.getOrDefault("uploadId", "");
        Upload upload = bucket.upload(id, key);
        if (upload == null) {
            return XmlAnswer.error(NOT_FOUND, "NoSuchUpload", "The requested upload was not found.");
        }
        return switch (method) {
            case "PUT" -> part(upload);
            case "GET" -> parts(upload);
            case "POST" -> complete(id, upload);
            case "DELETE" -> {
                bucket.drop(id);
                yield XmlAnswer.empty(NO_CONTENT, Map.of());
            }
            default -> notAllowed();
        };
    }

    private XmlAnswer part(Upload upload) {
        int number = Integer.parseInt(query.getOrDefault("partNumber", ""));
        if (!header(dialect.family() + "copy-source").isEmpty()) {
            return partCopy(upload, number);
        }
        return damaged()
                ? badDigest()
                : XmlAnswer.empty(
                        OK,
                        Map.of(
                                "ETag",
                                quoted(bucket.putPart(upload, number, body).etag())));
    }

    private XmlAnswer partCopy(Upload upload, int number) {
        Matcher range = RANGE.matcher(header(dialect.family() + "copy-source-range"));
        if (dialect.google() || !range.matches()) {
            return XmlAnswer.error(BAD_REQUEST, "InvalidArgument", "A part cannot be copied so.");
        }
        return switch (source()) {
            case Source.Refused(XmlAnswer answer) -> answer;
            case Source.Found(StoredBlob blob) -> {
                byte[] bytes = Arrays.copyOfRange(
                        blob.bytes(), Integer.parseInt(range.group(1)), Integer.parseInt(range.group(2)) + 1);
                yield copied(
                        "CopyPartResult", bucket.putPart(upload, number, bytes).etag());
            }
        };
    }

    private XmlAnswer parts(Upload upload) {
        int after = Integer.parseInt(query.getOrDefault("part-number-marker", "0"));
        int most = Integer.parseInt(query.getOrDefault("max-parts", "1000"));
        StringBuilder xml = new StringBuilder("<ListPartsResult>");
        int shown = 0;
        int last = after;
        for (Map.Entry<Integer, StoredPart> part :
                upload.parts().tailMap(after + 1).entrySet()) {
            if (shown++ == most) {
                xml.append("<NextPartNumberMarker>%d</NextPartNumberMarker>".formatted(last));
                break;
            }
            last = part.getKey();
            byte[] bytes = part.getValue().bytes();
            xml.append("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag><Size>%d</Size>%s</Part>"
                    .formatted(
                            last,
                            escaped(quoted(part.getValue().etag())),
                            bytes.length,
                            dialect.google() ? "" : "<ChecksumCRC32C>" + crc32c(bytes) + "</ChecksumCRC32C>"));
        }
        xml.append("<IsTruncated>%b</IsTruncated></ListPartsResult>".formatted(shown > most));
        return XmlAnswer.xml(OK, xml.toString());
    }

    private XmlAnswer complete(String id, Upload upload) {
        String asked = new String(body, StandardCharsets.UTF_8);
        List<byte[]> parts = new ArrayList<>();
        Matcher part = PART.matcher(asked);
        while (part.find()) {
            Map<String, String> said = new TreeMap<>();
            ELEMENT.matcher(part.group(1)).results().forEach(each -> said.put(each.group(1), each.group(2)));
            int number = Integer.parseInt(said.getOrDefault("PartNumber", "0"));
            StoredPart there = upload.parts().get(number);
            String etag = said.getOrDefault("ETag", "").replace("&quot;", "").replace("\"", "");
            String crc = said.getOrDefault("ChecksumCRC32C", "");
            boolean wrong = dialect.google()
                    ? said.size() != 2
                    : number != parts.size() + 1
                            || (there != null && !crc.isEmpty() && !crc.equals(crc32c(there.bytes())));
            if (there == null || !etag.equals(there.etag()) || wrong) {
                return XmlAnswer.error(BAD_REQUEST, "InvalidPart", "A part was not found, or is another one.");
            }
            parts.add(there.bytes());
        }
        if (parts.isEmpty()) {
            return XmlAnswer.error(BAD_REQUEST, "MalformedXML", "It is not well formed.");
        }
        if (parts.stream().limit(parts.size() - 1L).anyMatch(each -> each.length < LEAST_PART)) {
            return XmlAnswer.error(BAD_REQUEST, "EntityTooSmall", "A part other than the last is too small.");
        }
        return XmlAnswer.xml(
                OK,
                "<CompleteMultipartUploadResult><ETag>%s</ETag></CompleteMultipartUploadResult>"
                        .formatted(escaped(
                                quoted(bucket.complete(id, upload, parts).etag()))));
    }

    private XmlAnswer list() {
        String prefix = query.getOrDefault("prefix", "");
        String delimiter = query.getOrDefault("delimiter", "");
        int most = Integer.parseInt(query.getOrDefault("max-keys", "1000"));
        String after = new String(
                Base64.getUrlDecoder().decode(query.getOrDefault("continuation-token", "")), StandardCharsets.UTF_8);
        if (!dialect.google() && !prefix.isEmpty() && !prefix.endsWith("/")) {
            return XmlAnswer.error(BAD_REQUEST, "InvalidRequest", "The prefix has to end in a delimiter.");
        }
        MemoryBucket.Page page = dialect.google()
                ? bucket.list(prefix, delimiter, most, after)
                : bucket.listUnsorted(prefix, delimiter, most, after);
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
                .forEach(each ->
                        xml.append("<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>".formatted(shown(each))));
        String next = page.next();
        xml.append("<IsTruncated>%b</IsTruncated>".formatted(next != null));
        if (next != null) {
            xml.append("<NextContinuationToken>%s</NextContinuationToken>"
                    .formatted(Base64.getUrlEncoder().encodeToString(next.getBytes(StandardCharsets.UTF_8))));
        }
        if (query.containsKey("encoding-type")) {
            xml.append("<EncodingType>url</EncodingType>");
        }
        return XmlAnswer.xml(OK, xml.append("</ListBucketResult>").toString());
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
