package io.fusecache.tiers.cloud.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that are not objects yet, in a directory of this process and store below {@code .fusecache/tmp}.
 *
 * <p>Several nodes share a folder. A lock file in each directory, locked as long as its process lives, tells the next one
 * that starts which directories are abandoned.
 */
final class TemporaryFiles implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TemporaryFiles.class);
    private static final String LOCK = "lock";

    /**
     * Locks belong to the process, and closing any descriptor of a file drops them: the directories of this very process
     * must not even be looked at, and are known by their names.
     */
    private static final String PROCESS = UUID.randomUUID().toString();

    private static final AtomicLong STORES = new AtomicLong();

    private final Path directory;
    private final FileChannel lockFile;
    private final AtomicLong count = new AtomicLong();

    private TemporaryFiles(Path directory, FileChannel lockFile) {
        this.directory = directory;
        this.lockFile = lockFile;
    }

    /** Makes a directory of our own, and removes what dead processes left. */
    static TemporaryFiles open(Path all) throws IOException {
        Files.createDirectories(all);
        sweep(all);
        Path directory = all.resolve(PROCESS + "." + STORES.incrementAndGet());
        Path lock = directory.resolve(LOCK);
        // Locked before it is seen under the name that a sweep would look for.
        Path draft = all.resolve(directory.getFileName() + "." + LOCK);
        FileChannel lockFile = FileChannel.open(draft, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try {
            lockFile.lock();
            Files.createDirectory(directory);
            Files.move(draft, lock);
            return new TemporaryFiles(directory, lockFile);
        } catch (IOException | RuntimeException failed) {
            lockFile.close();
            Files.deleteIfExists(draft);
            throw failed;
        }
    }

    private static void sweep(Path all) throws IOException {
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(all)) {
            for (Path directory : directories) {
                String name = directory.getFileName().toString();
                Path lock = Files.isDirectory(directory) ? directory.resolve(LOCK) : directory;
                try {
                    if (!name.startsWith(PROCESS) && abandoned(lock)) {
                        remove(directory);
                        LOG.info("removed {}: uploads that a process left when it died", directory);
                    }
                } catch (NoSuchFileException swept) {
                    LOG.debug("{} was swept by another process", directory);
                }
            }
        }
    }

    private static boolean abandoned(Path lock) throws IOException {
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
                FileLock free = channel.tryLock()) {
            return free != null;
        } catch (NoSuchFileException beingMadeOrRemoved) {
            return false;
        }
    }

    private static void remove(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, file -> !file.endsWith(LOCK))) {
                for (Path file : files) {
                    Files.deleteIfExists(file);
                }
            }
            Files.deleteIfExists(directory.resolve(LOCK));
        }
        Files.deleteIfExists(directory);
    }

    /** A name for a new file; nothing is there yet. */
    Path next() throws IOException {
        if (!Files.isDirectory(directory)) {
            // Someone tidied up too much; without the lock file nobody will take ours for abandoned.
            Files.createDirectories(directory);
        }
        return of(Long.toString(count.incrementAndGet()));
    }

    /** The file of that name. */
    Path of(String name) {
        return directory.resolve(name);
    }

    /** Removes what is left of ours. */
    @Override
    public void close() throws IOException {
        try {
            if (Files.isDirectory(directory)) {
                remove(directory);
            }
        } finally {
            lockFile.close();
        }
    }
}
