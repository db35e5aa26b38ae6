package io.fusecache.testkit;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The objects of one bucket and the uploads to it, in memory. */
final class MemoryBucket {
    private static final Comparator<String> BY_BYTES =
            Comparator.comparing(key -> key.getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned);
    private static final AtomicLong generations = new AtomicLong(1_700_000_000_000_000L);

    private final boolean opaque;
    private final SortedMap<String, StoredBlob> objects = new TreeMap<>(BY_BYTES);
    private final Map<String, Upload> uploads = new TreeMap<>();

    /** @param opaque whether no ETag is an MD5 */
    MemoryBucket(boolean opaque) {
        this.opaque = opaque;
    }

    /** @param metadata names in lower case, without the prefix of their headers */
    record StoredBlob(byte[] bytes, String etag, long generation, Map<String, String> metadata, Instant modified) {}

    record Upload(String key, Map<String, String> metadata, SortedMap<Integer, StoredPart> parts) {}

    record StoredPart(byte[] bytes, String etag) {}

    /** @param next from which the next page goes on; null after the last */
    record Page(
            List<Map.Entry<String, StoredBlob>> objects,
            List<String> prefixes,
            @Nullable String next) {}

    synchronized @Nullable StoredBlob find(String key) {
        return objects.get(key);
    }

    synchronized StoredBlob put(String key, byte[] bytes, Map<String, String> metadata) {
        return store(key, bytes, etagOf(bytes), metadata);
    }

    /** What comes in one request has its MD5 as its ETag, where that is of use to anybody. */
    private @Nullable String etagOf(byte[] bytes) {
        return opaque ? null : HexFormat.of().formatHex(md5(bytes));
    }

    static byte[] md5(byte[] bytes) {
        try {
            return MessageDigest.getInstance("MD5").digest(bytes);
        } catch (NoSuchAlgorithmException missing) {
            throw new AssertionError(missing);
        }
    }

    private static String opaque(long generation) {
        return Base64.getEncoder().encodeToString(Long.toString(generation).getBytes(StandardCharsets.US_ASCII));
    }

    private StoredBlob store(String key, byte[] bytes, @Nullable String md5, Map<String, String> metadata) {
        long generation = generations.incrementAndGet();
        String etag = md5 != null ? md5 : opaque(generation);
        StoredBlob made = new StoredBlob(bytes, etag, generation, Map.copyOf(metadata), Instant.now());
        objects.put(key, made);
        return made;
    }

    synchronized StoredBlob copy(StoredBlob source, String key) {
        boolean simple = source.etag().equals(etagOf(source.bytes()));
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

    /** In no order that anybody could rely on, and the same each time. */
    synchronized Page listUnsorted(String prefix, String delimiter, int most, String after) {
        List<Map.Entry<String, StoredBlob>> found = new ArrayList<>();
        NavigableSet<String> prefixes = new TreeSet<>(BY_BYTES);
        Stream.concat(objects.keySet().stream(), uploads.values().stream().map(Upload::key))
                .filter(key -> key.startsWith(prefix))
                .forEach(key -> {
                    int cut = delimiter.isEmpty() ? -1 : key.indexOf(delimiter, prefix.length());
                    StoredBlob object = objects.get(key);
                    if (cut >= 0) {
                        prefixes.add(key.substring(0, cut + delimiter.length()));
                    } else if (object != null) {
                        found.add(Map.entry(key, object));
                    }
                });
        List<String> names = new ArrayList<>(prefixes);
        found.stream().map(Map.Entry::getKey).distinct().forEach(names::add);
        names.sort(
                Comparator.comparing(name -> new StringBuilder(name).reverse().toString()));
        int from = after.isEmpty() ? 0 : Integer.parseInt(after);
        List<String> page = names.subList(from, Math.min(names.size(), from + most));
        return new Page(
                page.stream()
                        .filter(name -> !prefixes.contains(name))
                        .map(name -> Map.entry(name, Objects.requireNonNull(objects.get(name))))
                        .toList(),
                page.stream().filter(prefixes::contains).toList(),
                from + most < names.size() ? Integer.toString(from + most) : null);
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

    synchronized StoredPart putPart(Upload upload, int number, byte[] bytes) {
        String md5 = etagOf(bytes);
        StoredPart part = new StoredPart(bytes, md5 != null ? md5 : opaque(generations.incrementAndGet()));
        upload.parts().put(number, part);
        return part;
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
