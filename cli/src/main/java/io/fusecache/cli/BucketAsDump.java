package io.fusecache.cli;

import io.fusecache.client.backup.VolumeBucket;
import io.fusecache.coordinator.dump.DumpLine.Attribute;
import io.fusecache.coordinator.dump.DumpLine.Content;
import io.fusecache.coordinator.dump.DumpLine.EntryLine;
import io.fusecache.coordinator.dump.DumpLine.Header;
import io.fusecache.coordinator.dump.DumpLine.InodeLine;
import io.fusecache.coordinator.dump.DumpLine.StoredAt;
import io.fusecache.coordinator.dump.DumpText;
import io.fusecache.coordinator.dump.LineReader;
import io.fusecache.coordinator.dump.LineWriter;
import io.fusecache.metadata.AccessControlList;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.ObjectAttributes;
import io.fusecache.metadata.ObjectXattrs;
import io.fusecache.metadata.Timestamp;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The bucket as a dump: a file for each object, with what its metadata says, and a directory for each prefix. The names of one
 * path's directories are in memory at a time. Directories are numbered when they are come to; their entries wait in a file of their own,
 * because a dump has them behind the inodes.
 */
final class BucketAsDump {
    private static final String RESERVED = ".fusecache";
    private static final int HEADS_AT_ONCE = 16;
    private static final long ROOT = 1;
    private static final long FIRST_COOKIE = 3;

    private final VolumeBucket bucket;
    private final LineWriter inodes;
    private final LineWriter entries;
    private final ExecutorService heads;
    private final String now = DumpText.time(Timestamp.of(Instant.now()));
    private long lastInode;

    private BucketAsDump(VolumeBucket bucket, LineWriter inodes, LineWriter entries, ExecutorService heads) {
        this.bucket = bucket;
        this.inodes = inodes;
        this.entries = entries;
        this.heads = heads;
    }

    /** What a directory has, by name; a file has its object, a directory none. */
    private record Found(@Nullable ListedObject file) {}

    /** Returns how many objects of files have no name. */
    static long write(VolumeBucket bucket, Path scratch, Path to) throws IOException, InterruptedException {
        Path inodeLines = scratch.resolve("inodes");
        Path entryLines = scratch.resolve("entries");
        long lastInode;
        try (ExecutorService heads = Executors.newFixedThreadPool(HEADS_AT_ONCE)) {
            try (OutputStream first = new BufferedOutputStream(Files.newOutputStream(inodeLines), 1 << 16);
                    OutputStream second = new BufferedOutputStream(Files.newOutputStream(entryLines), 1 << 16)) {
                BucketAsDump walk = new BucketAsDump(bucket, new LineWriter(first), new LineWriter(second), heads);
                walk.directory(ROOT, bucket.prefix(), null, ROOT);
                lastInode = walk.lastInode;
            }
            try (OutputStream out =
                    new BufferedOutputStream(new GZIPOutputStream(Files.newOutputStream(to)), 1 << 16)) {
                LineWriter whole = new LineWriter(out);
                whole.write(new Header(Instant.now().toString(), "", bucket.prefix(), lastInode + 1, 1, 0));
                copy(inodeLines, whole);
                copy(entryLines, whole);
                whole.end();
            }
            return withoutName(bucket);
        } finally {
            Files.deleteIfExists(inodeLines);
            Files.deleteIfExists(entryLines);
        }
    }

    private static void copy(Path lines, LineWriter to) throws IOException {
        try (InputStream in = Files.newInputStream(lines)) {
            LineReader reader = new LineReader(in);
            for (var line = reader.nextIfAny(); line != null; line = reader.nextIfAny()) {
                to.write(line);
            }
        }
    }

    private static long withoutName(VolumeBucket bucket) throws IOException {
        AtomicLong count = new AtomicLong();
        bucket.list(bucket.prefix() + RESERVED + "/objects/", object -> count.incrementAndGet());
        return count.get();
    }

    private Map<FileName, Found> list(String prefix, boolean root) throws IOException {
        Map<FileName, Found> found = new TreeMap<>();
        bucket.list(prefix, object -> {
            if (!root || !object.name().toString().equals(RESERVED)) {
                // Where "a" and "a/" both are, the directory is what can be shown.
                found.merge(
                        object.name(),
                        new Found(object.directory() ? null : object),
                        (one, other) -> one.file() == null ? one : other);
            }
        });
        return found;
    }

    private void directory(long inode, String prefix, @Nullable FileName name, long parent)
            throws IOException, InterruptedException {
        lastInode = Math.max(lastInode, inode);
        Map<FileName, Found> children = list(prefix, inode == ROOT);
        long directories =
                children.values().stream().filter(found -> found.file() == null).count();
        inodes.write(directoryLine(inode, name, parent, children.size(), directories));
        Map<FileName, Long> numbers = new TreeMap<>();
        List<ListedObject> some = new ArrayList<>();
        for (Map.Entry<FileName, Found> child : children.entrySet()) {
            ListedObject file = child.getValue().file();
            if (file != null) {
                some.add(file);
            }
            if (some.size() == 10 * HEADS_AT_ONCE) {
                files(some, prefix, inode, numbers);
            }
        }
        files(some, prefix, inode, numbers);
        for (Map.Entry<FileName, Found> child : children.entrySet()) {
            if (child.getValue().file() == null) {
                FileName below = child.getKey();
                long number = lastInode + 1;
                numbers.put(below, number);
                directory(number, prefix + text(below) + "/", below, inode);
            }
        }
        long cookie = FIRST_COOKIE;
        for (Map.Entry<FileName, Long> child : numbers.entrySet()) {
            entries.write(new EntryLine(inode, DumpText.of(child.getKey().toBytes()), child.getValue(), cookie++, 1));
        }
    }

    private static String text(FileName name) {
        return new String(name.toBytes(), StandardCharsets.UTF_8);
    }

    private void files(List<ListedObject> some, String prefix, long parent, Map<FileName, Long> numbers)
            throws IOException, InterruptedException {
        List<Future<Map<String, String>>> attributes = new ArrayList<>();
        for (ListedObject object : some) {
            attributes.add(heads.submit(() -> attributes(object, prefix + text(object.name()))));
        }
        for (int i = 0; i < some.size(); i++) {
            long number = ++lastInode;
            numbers.put(some.get(i).name(), number);
            file(number, some.get(i), await(attributes.get(i)), prefix, parent);
        }
        some.clear();
    }

    /** Those of the listing, where listings carry them. */
    private Map<String, String> attributes(ListedObject object, String key) throws IOException {
        if (!object.attributes().isEmpty()) {
            return object.attributes();
        }
        return bucket.head(key).map(VolumeBucket.Stored::attributes).orElse(Map.of());
    }

    private static Map<String, String> await(Future<Map<String, String>> answer)
            throws IOException, InterruptedException {
        try {
            return answer.get();
        } catch (ExecutionException failed) {
            throw new IOException("an object's metadata cannot be had: " + failed.getCause(), failed);
        }
    }

    private void file(long inode, ListedObject object, Map<String, String> metadata, String prefix, long parent)
            throws IOException {
        Optional<ObjectAttributes> known = ObjectAttributes.parse(metadata);
        Map<FileName, byte[]> attributes = new TreeMap<>(ObjectXattrs.parse(metadata));
        attributes.remove(AccessControlList.DEFAULT);
        StoredAt stored = new StoredAt(prefix + text(object.name()), object.etag(), 1);
        String modified = DumpText.time(known.map(ObjectAttributes::modified).orElse(object.modified()));
        inodes.write(new InodeLine(
                "inode",
                inode,
                "regular",
                "%04o".formatted(known.map(ObjectAttributes::permissions).orElse(0644)),
                Integer.toUnsignedLong(known.map(ObjectAttributes::uid).orElse(bucket.foreignUser())),
                Integer.toUnsignedLong(known.map(ObjectAttributes::gid).orElse(bucket.foreignGroup())),
                1,
                object.size(),
                object.size(),
                0,
                modified,
                modified,
                now,
                DumpText.time(known.map(ObjectAttributes::born).orElse(object.modified())),
                null,
                1,
                !attributes.isEmpty(),
                parent,
                DumpText.of(object.name().toBytes()),
                0,
                FIRST_COOKIE,
                null,
                null,
                null,
                null,
                new Content(
                        1,
                        object.size(),
                        FileVersion.DEFAULT_BLOCK_BYTES,
                        object.size() == 0 ? "" : null,
                        1,
                        stored,
                        null)));
        for (Map.Entry<FileName, byte[]> attribute : attributes.entrySet()) {
            inodes.write(new Attribute(
                    inode, DumpText.of(attribute.getKey().toBytes()), DumpText.base64(attribute.getValue())));
        }
    }

    private InodeLine directoryLine(long inode, @Nullable FileName name, long parent, long children, long directories) {
        return new InodeLine(
                "inode",
                inode,
                "directory",
                "0755",
                Integer.toUnsignedLong(bucket.foreignUser()),
                Integer.toUnsignedLong(bucket.foreignGroup()),
                Math.toIntExact(2 + directories),
                0,
                0,
                0,
                now,
                now,
                now,
                now,
                null,
                0,
                false,
                parent,
                name == null ? null : DumpText.of(name.toBytes()),
                children,
                FIRST_COOKIE + children,
                null,
                null,
                null,
                null,
                null);
    }
}
