package io.fusecache.client.backup;

import io.fusecache.cache.CloudTier;
import io.fusecache.cache.CloudTier.Permit;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.ListedObject;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The backups in one bucket: dumps packed by gzip, named for when they were made. An object appears whole or not at all, so
 * what is listed is whole; the dump's own end line and the checksum of gzip say so again when it is read.
 */
public final class Backups {
    private static final String FOLDER = ".fusecache/backups/";
    private static final String ENDING = ".jsonl.gz";
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH-mm-ss-SSS'Z'").withZone(ZoneOffset.UTC);

    private static final int PART_BYTES = 4 << 20;
    private static final int FIRST_BYTES = 64 << 10;

    /** What is named for later than that was made by a clock that is wrong. */
    private static final Duration AHEAD = Duration.ofHours(1);

    private final CloudTier bucket;
    private final String folder;

    /** @param prefix of the volume's keys, empty or with a slash at its end */
    public Backups(CloudTier bucket, String prefix) {
        this.bucket = bucket;
        this.folder = prefix + FOLDER;
    }

    /** One of them. */
    public record Backup(String name, Instant made, long bytes) {}

    /** The newest first; what others put there is none. */
    public List<Backup> list() throws IOException {
        List<Backup> found = new ArrayList<>();
        CloudTier.Pages pages = bucket.list(folder);
        for (Optional<List<ListedObject>> page = pages.next(); page.isPresent(); page = pages.next()) {
            for (ListedObject object : page.get()) {
                String name = object.name().toString();
                if (!object.directory() && name.endsWith(ENDING)) {
                    made(name).ifPresent(made -> found.add(new Backup(name, made, object.size())));
                }
            }
        }
        found.sort(Comparator.comparing(Backup::made).reversed());
        return List.copyOf(found);
    }

    /** Of one namespace, the newest that can have been made by now. */
    public Optional<Backup> newest(String namespace, Instant now) throws IOException {
        for (Backup backup : list()) {
            if (!backup.made().isAfter(now.plus(AHEAD)) && namespace(backup).equals(Optional.of(namespace))) {
                return Optional.of(backup);
            }
        }
        return Optional.empty();
    }

    /** The newest that can have been made by now, of what was listed. */
    public static Optional<Backup> newest(List<Backup> listed, Instant now) {
        return listed.stream()
                .filter(backup -> !backup.made().isAfter(now.plus(AHEAD)))
                .findFirst();
    }

    private static Optional<Instant> made(String name) {
        try {
            return Optional.of(TIME.parse(name.substring(0, name.length() - ENDING.length()), Instant::from));
        } catch (DateTimeParseException foreign) {
            return Optional.empty();
        }
    }

    /** Puts a dump that is packed already. */
    public Backup put(Path packed, Instant made) throws IOException {
        String name = TIME.format(made) + ENDING;
        long size = Files.size(packed);
        try (FileChannel file = FileChannel.open(packed, StandardOpenOption.READ)) {
            bucket.put(folder + name, size, Map.of(), (offset, target) -> fill(file, offset, target), Permit.FOR_GOOD);
        }
        return new Backup(name, made, size);
    }

    private static void fill(FileChannel file, long offset, MemorySegment target) throws IOException {
        ByteBuffer bytes = target.asByteBuffer();
        while (bytes.hasRemaining()) {
            if (file.read(bytes, offset + bytes.position()) < 0) {
                throw new EOFException("the backup has become shorter");
            }
        }
    }

    /**
     * Drops all of the namespace but the newest {@code kept}, of which {@code made} is one. What is named for later than now stays, and
     * so does what is of another namespace: only a person can say that it is not needed any more.
     */
    private void drop(int kept, Backup made, String namespace) throws IOException {
        Instant latest = made.made().plus(AHEAD);
        int seen = 0;
        for (Backup backup : list()) {
            if (backup.made().isAfter(latest) || !namespace(backup).equals(Optional.of(namespace))) {
                continue;
            }
            seen++;
            if (seen > kept && !backup.name().equals(made.name())) {
                bucket.delete(folder + backup.name(), Permit.FOR_GOOD);
            }
        }
    }

    /** That a backup is of; empty where it is gone, or says none. */
    public Optional<String> namespace(Backup backup) throws IOException {
        Optional<StoredObject> stored = bucket.head(folder + backup.name());
        if (stored.isEmpty() || stored.get().size() == 0) {
            return Optional.empty();
        }
        try (Arena arena = Arena.ofShared()) {
            MemorySegment first = arena.allocate(Math.clamp(stored.get().size(), 1, FIRST_BYTES));
            return bucket.read(stored.get().object(), 0, first) instanceof ReadOutcome.Hit
                    ? PackedDump.namespaceOfPacked(first.toArray(ValueLayout.JAVA_BYTE))
                    : Optional.empty();
        }
    }

    /** Brings a backup into a file, packed as it is. */
    public void fetch(String name, Path file) throws IOException {
        StoredObject stored =
                bucket.head(folder + name).orElseThrow(() -> new IOException("there is no backup " + name));
        try (Arena arena = Arena.ofShared();
                FileChannel to = FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            MemorySegment part = arena.allocate(PART_BYTES);
            for (long at = 0; at < stored.size(); at += PART_BYTES) {
                MemorySegment target = part.asSlice(0, Math.min(PART_BYTES, stored.size() - at));
                if (!(bucket.read(stored.object(), at, target) instanceof ReadOutcome.Hit)) {
                    throw new IOException("the backup " + name + " was replaced while it was read");
                }
                ByteBuffer bytes = target.asByteBuffer();
                while (bytes.hasRemaining()) {
                    to.write(bytes);
                }
            }
        }
    }

    /** Where a dump comes from. */
    @FunctionalInterface
    public interface Source {
        /** To be closed by whoever opened it; IOException where it breaks off. */
        InputStream open() throws IOException, InterruptedException;
    }

    /**
     * Makes one, and drops those of its namespace that are too many.
     *
     * @param namespace that it has to be of; empty: of any
     * @throws IOException also where the dump is of another
     */
    public Backup make(Source dump, Path scratch, int kept, String namespace) throws IOException, InterruptedException {
        Files.createDirectories(scratch);
        Path packed = Files.createTempFile(scratch, "backup", ENDING);
        try {
            Instant now = Instant.now();
            String dumped = PackedDump.write(dump, packed);
            if (!namespace.isEmpty() && !namespace.equals(dumped)) {
                throw new IOException("the coordinator that was asked has namespace %s, and this node's has %s"
                        .formatted(dumped, namespace));
            }
            Backup made = put(packed, now);
            drop(kept, made, dumped);
            return made;
        } finally {
            Files.deleteIfExists(packed);
        }
    }
}
