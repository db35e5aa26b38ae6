package io.fusecache.testkit;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The objects of one bucket and the uploads to it, in memory. */
final class GoogleBucket {
    private static final Comparator<String> BY_BYTES =
            Comparator.comparing(key -> key.getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned);
    private static final AtomicLong generations = new AtomicLong(1_700_000_000_000_000L);

    private final SortedMap<String, StoredBlob> objects = new TreeMap<>(BY_BYTES);
    private final Map<String, Upload> uploads = new TreeMap<>();

    /** @param metadata names in lower case, without the prefix of their headers */
    record StoredBlob(byte[] bytes, String etag, long generation, Map<String, String> metadata, Instant modified) {}

    record Upload(String key, Map<String, String> metadata, SortedMap<Integer, byte[]> parts) {}

    /** @param next from which the next page goes on; null after the last */
    record Page(
            List<Map.Entry<String, StoredBlob>> objects,
            List<String> prefixes,
            @Nullable String next) {}

    synchronized @Nullable StoredBlob find(String key) {
        return objects.get(key);
    }

    /** What comes in one request has its MD5 as its ETag. */
    synchronized StoredBlob put(String key, byte[] bytes, Map<String, String> metadata) {
        return store(key, bytes, GoogleServer.hex(GoogleServer.md5(bytes)), metadata);
    }

    private StoredBlob store(String key, byte[] bytes, @Nullable String md5, Map<String, String> metadata) {
        long generation = generations.incrementAndGet();
        String etag = md5 != null
                ? md5
                : Base64.getEncoder().encodeToString(Long.toString(generation).getBytes(StandardCharsets.US_ASCII));
        StoredBlob made = new StoredBlob(bytes, etag, generation, Map.copyOf(metadata), Instant.now());
        objects.put(key, made);
        return made;
    }

    synchronized StoredBlob copy(StoredBlob source, String key) {
        boolean simple = source.etag().equals(GoogleServer.hex(GoogleServer.md5(source.bytes())));
        return store(key, source.bytes(), simple ? source.etag() : null, source.metadata());
    }

    synchronized boolean remove(String key) {
        return objects.remove(key) != null;
    }

    synchronized List<String> keys() {
        return List.copyOf(objects.keySet());
    }

    synchronized Page list(String prefix, String delimiter, int most, String after) {
        List<Map.Entry<String, StoredBlob>> found = new ArrayList<>();
        List<String> prefixes = new ArrayList<>();
        String last = after;
        for (Map.Entry<String, StoredBlob> object : objects.tailMap(prefix).entrySet()) {
            String key = object.getKey();
            if (!key.startsWith(prefix)) {
                break;
            }
            int cut = delimiter.isEmpty() ? -1 : key.indexOf(delimiter, prefix.length());
            String shown = cut < 0 ? key : key.substring(0, cut + delimiter.length());
            if (BY_BYTES.compare(shown, last) <= 0) {
                continue;
            }
            if (found.size() + prefixes.size() == most) {
                return new Page(found, prefixes, last);
            }
            if (cut < 0) {
                found.add(Map.entry(key, object.getValue()));
            } else {
                prefixes.add(shown);
            }
            last = shown;
        }
        return new Page(found, prefixes, null);
    }

    synchronized String begin(String key, Map<String, String> metadata) {
        String id = UUID.randomUUID().toString();
        uploads.put(id, new Upload(key, metadata, new TreeMap<>()));
        return id;
    }

    synchronized @Nullable Upload upload(String id, String key) {
        Upload upload = uploads.get(id);
        return upload != null && upload.key().equals(key) ? upload : null;
    }

    synchronized void putPart(Upload upload, int number, byte[] bytes) {
        upload.parts().put(number, bytes);
    }

    /** The object of these parts, which has no MD5. */
    synchronized StoredBlob complete(String id, Upload upload, List<byte[]> parts) {
        byte[] whole = new byte[parts.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, whole, at, part.length);
            at += part.length;
        }
        uploads.remove(id);
        return store(upload.key(), whole, null, upload.metadata());
    }

    synchronized void drop(String id) {
        uploads.remove(id);
    }
}
