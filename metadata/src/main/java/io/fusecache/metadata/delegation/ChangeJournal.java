package io.fusecache.metadata.delegation;

import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Operation.DelegatedChange;
import io.fusecache.metadata.wire.DelegationCodec;
import io.fusecache.metadata.wire.MalformedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was answered in delegated directories and the coordinator may not have yet, in files on the node's disk.
 *
 * <p>A file is records one after another: length, CRC32C of the rest, number, and the change as it travels; one without a change
 * says that the coordinator has all up to its number. They are written without a sync: they outlive the process, and what is to
 * outlive the machine is given to the coordinator. A file whose changes the coordinator has all goes. Used under its owner's lock.
 */
final class ChangeJournal implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ChangeJournal.class);
    private static final int HEADER_BYTES = 16;
    private static final long MOST_BYTES_PER_FILE = 8L << 20;
    private static final int MOST_BYTES_PER_RECORD = 16 << 20;
    private static final String SUFFIX = ".changes";

    private record Segment(Path path, long last) {}

    private final Path folder;
    private final Path asideFolder;
    private final ArrayDeque<Segment> full = new ArrayDeque<>();
    private FileChannel channel;
    private Path path;
    private long bytes;
    private long last;

    /** Of a new, empty file; those that are there already are left for {@link #read}. */
    private ChangeJournal(Path folder, Path asideFolder) throws IOException {
        this.folder = folder;
        this.asideFolder = asideFolder;
        Files.createDirectories(folder);
        path = folder.resolve(name(0));
        channel = begin(path);
    }

    /** A journal that goes on after {@code last}, in a folder without one. */
    static ChangeJournal begin(Path folder, Path asideFolder, long last) throws IOException {
        ChangeJournal journal = new ChangeJournal(folder, asideFolder);
        journal.last = last;
        return journal;
    }

    private static String name(long number) {
        return "%020d".formatted(number) + SUFFIX;
    }

    private static FileChannel begin(Path path) throws IOException {
        return FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
    }

    // what a process of before left

    /** The changes in a folder's files by number, those left out that it says the coordinator has. Ends at the first broken record of a file. */
    static NavigableMap<Long, DelegatedChange> read(Path folder) throws IOException {
        NavigableMap<Long, DelegatedChange> changes = new TreeMap<>();
        long done = 0;
        for (Path file : files(folder)) {
            ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file));
            while (in.remaining() >= HEADER_BYTES) {
                int length = in.getInt();
                int check = in.getInt();
                if (length < 8 || length > in.remaining() || crc(in.slice(in.position(), length)) != check) {
                    LOG.warn("{} is whole up to byte {} of {}", file, in.position() - 8, in.limit());
                    break;
                }
                long number = in.getLong();
                byte[] change = new byte[length - 8];
                in.get(change);
                if (length == 8) {
                    done = Math.max(done, number);
                } else {
                    changes.put(number, decode(file, change));
                }
            }
        }
        changes.headMap(done, true).clear();
        return changes;
    }

    private static DelegatedChange decode(Path file, byte[] change) throws IOException {
        try {
            return DelegationCodec.ofBytes(change);
        } catch (MalformedException e) {
            throw new IOException(file + " has a change that this release does not know: " + e.getMessage(), e);
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(file -> file.toString().endsWith(SUFFIX)).sorted().toList();
        }
    }

    /** Takes all files out of the folder: the coordinator has what they say. */
    static void clear(Path folder) throws IOException {
        for (Path file : files(folder)) {
            Files.delete(file);
        }
    }

    /** Moves all files of {@code folder} into a new one in {@code asideFolder}, which is returned. */
    static Path setAside(Path folder, Path asideFolder, String reason) throws IOException {
        Files.createDirectories(asideFolder);
        Path to = null;
        for (int i = 1; to == null; i++) {
            Path candidate = asideFolder.resolve(String.valueOf(i));
            if (!Files.exists(candidate)) {
                to = Files.createDirectory(candidate);
            }
        }
        for (Path file : files(folder)) {
            Files.move(file, to.resolve(String.valueOf(file.getFileName())), StandardCopyOption.ATOMIC_MOVE);
        }
        List<String> lines = new ArrayList<>(List.of(reason, ""));
        read(to).forEach((number, change) -> lines.add(number + " " + change));
        Files.write(to.resolve("README"), lines, StandardCharsets.UTF_8);
        return to;
    }

    /** The inodes that changes made which were set aside, now or ever. */
    static Set<Long> madeAside(Path asideFolder) throws IOException {
        Set<Long> made = new HashSet<>();
        if (Files.isDirectory(asideFolder)) {
            List<Path> folders;
            try (Stream<Path> all = Files.list(asideFolder)) {
                folders = all.toList();
            }
            for (Path folder : folders) {
                read(folder).values().stream()
                        .filter(change -> change.operation() instanceof Operation.Create)
                        .forEach(change -> made.add(change.ino()));
            }
        }
        return made;
    }

    // writing

    void append(long number, DelegatedChange change) throws IOException {
        write(number, DelegationCodec.toBytes(change));
        last = number;
        if (bytes > MOST_BYTES_PER_FILE) {
            Path next = folder.resolve(name(number));
            FileChannel opened = begin(next);
            channel.close();
            full.add(new Segment(path, number));
            path = next;
            channel = opened;
            bytes = 0;
        }
    }

    private void write(long number, byte[] change) throws IOException {
        if (change.length > MOST_BYTES_PER_RECORD) {
            throw new IOException("a change of " + change.length + " bytes");
        }
        ByteBuffer record = ByteBuffer.allocate(HEADER_BYTES + change.length);
        record.putInt(8 + change.length).putInt(0).putLong(number).put(change);
        record.putInt(4, crc(record.slice(8, 8 + change.length)));
        record.flip();
        long at = bytes;
        while (record.hasRemaining()) {
            // At its place, so that one that could not be written whole is overwritten by the next.
            at += channel.write(record, at);
        }
        bytes = at;
    }

    private static int crc(ByteBuffer of) {
        CRC32C crc = new CRC32C();
        crc.update(of);
        return (int) crc.getValue();
    }

    /** The coordinator has all up to that number. */
    void done(long number) throws IOException {
        while (!full.isEmpty() && full.getFirst().last() <= number) {
            Files.delete(full.removeFirst().path());
        }
        if (number >= last && full.isEmpty()) {
            channel.truncate(0);
            bytes = 0;
        } else {
            write(number, new byte[0]);
        }
    }

    /** What is written down so far is kept apart, and the journal begins anew. Where to is returned. */
    Path setAside(String reason) throws IOException {
        channel.close();
        full.clear();
        Path to = setAside(folder, asideFolder, reason);
        path = folder.resolve(name(last));
        channel = begin(path);
        bytes = 0;
        return to;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
