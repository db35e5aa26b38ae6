package io.fusecache.tiers.nvme;

import io.fusecache.cache.Disk;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a cache directory holds of a namespace that the coordinator has no longer, because its state was lost or replaced.
 *
 * <p>The new one gives the same inode numbers and versions to other files, so nothing of it may be served. What the bucket
 * has is dropped. What it has not, or where the record does not say, goes to {@code lost/NAMESPACE.INO.INCARNATION}, its
 * record beside it, for people. The directory's identity names the new namespace only when this is done, so that a crash in between begins again.
 */
final class FormerNamespace {
    private static final Logger LOG = LoggerFactory.getLogger(FormerNamespace.class);
    private static final String RECORD = ".record";

    private final Path root;
    private final String namespace;
    private final Disk disk;
    private int kept;
    private int dropped;

    FormerNamespace(Path root, String namespace, Disk disk) {
        this.root = root;
        this.namespace = namespace;
        this.disk = disk;
    }

    void leave() throws IOException {
        Path data = root.resolve("data");
        for (Path shard : entries(data)) {
            for (Path file : entries(shard)) {
                if (!file.getFileName().toString().contains(RECORD)) {
                    leave(file);
                }
            }
            for (Path record : entries(shard)) {
                Files.deleteIfExists(record);
            }
            if (Files.isDirectory(shard)) {
                Files.deleteIfExists(shard);
            }
        }
        Files.deleteIfExists(root.resolve("pending"));
        if (kept > 0) {
            LOG.error(
                    "{} files of the former namespace {} were not in the bucket yet, and the coordinator has another"
                            + " namespace now: their bytes are kept in {}",
                    kept,
                    namespace,
                    root.resolve("lost"));
        }
        LOG.warn(
                "the coordinator has another namespace than the cache {} is of: {} cached files of before are dropped",
                root,
                dropped);
    }

    private void leave(Path file) throws IOException {
        if (inBucket(file)) {
            Files.delete(file);
            dropped++;
            return;
        }
        Path lost = root.resolve("lost");
        Files.createDirectories(lost);
        Path aside = free(lost, namespace + "." + file.getFileName());
        Path record = CacheDirectory.recordPath(file);
        if (Files.exists(record)) {
            // First, so that a crash in between leaves the bytes where this looks for them.
            Files.copy(record, CacheDirectory.recordPath(aside), StandardCopyOption.REPLACE_EXISTING);
        }
        Files.move(file, aside, StandardCopyOption.ATOMIC_MOVE);
        kept++;
    }

    /** Of a state that was lost, given back and lost again, the same file may be there already. */
    private static Path free(Path lost, String name) {
        Path path = lost.resolve(name);
        for (int i = 1; Files.exists(path); i++) {
            path = lost.resolve(name + "." + i);
        }
        return path;
    }

    /** False where the record says otherwise, or cannot be believed. */
    private boolean inBucket(Path file) throws IOException {
        String name = file.getFileName().toString();
        int dot = name.indexOf('.');
        try {
            long ino = Long.parseLong(name.substring(0, Math.max(dot, 0)));
            int incarnation = Integer.parseInt(name.substring(dot + 1));
            RecordJournal journal = new RecordJournal(disk, CacheDirectory.recordPath(file), ino, incarnation);
            try {
                FileRecord record = journal.read();
                return record != null && !record.unpersisted && !record.writing && !journal.tornTail();
            } finally {
                journal.close();
            }
        } catch (NumberFormatException foreign) {
            return false;
        }
    }

    private static List<Path> entries(Path directory) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            entries.forEach(found::add);
        } catch (NoSuchFileException | NotDirectoryException noneOfOurs) {
            return List.of();
        }
        return found;
    }
}
