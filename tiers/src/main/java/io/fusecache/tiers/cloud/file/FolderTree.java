package io.fusecache.tiers.cloud.file;

import io.fusecache.tiers.cloud.RefusedException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The folders that keys imply: made when an object needs them, removed when the last thing below them went.
 *
 * <p>A folder that was marked stays. Marking and removing exclude each other across processes by a lock on
 * {@code .fusecache/lock}, else a folder could be marked between the look at its mark and its removal. Putting needs no
 * lock: the system removes no folder that has something in it, and a put whose folder went makes it again.
 */
final class FolderTree implements AutoCloseable {
    /** A folder that is made and removed in turns by others this often in a row is a fault of theirs. */
    private static final int TRIES = 100;

    /** File locks belong to the process: one lock of ours for all stores over the same folder. */
    private static final ConcurrentMap<Path, ReentrantLock> LOCKS = new ConcurrentHashMap<>();

    private final KeyPaths keys;
    private final AttributeRecords records;
    private final boolean synced;
    private final ReentrantLock lock;
    private final FileChannel lockFile;

    FolderTree(KeyPaths keys, AttributeRecords records, boolean synced) throws IOException {
        this.keys = keys;
        this.records = records;
        this.synced = synced;
        this.lock = LOCKS.computeIfAbsent(keys.root(), root -> new ReentrantLock());
        this.lockFile =
                FileChannel.open(keys.reserved(KeyPaths.LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    /** Gives a finished file its place, replacing what is there. */
    void publish(String key, Path file, Path target) throws IOException {
        for (int i = 1; ; i++) {
            try {
                makeFolders(key, parent(target));
                Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
                sync(parent(target));
                return;
            } catch (FileSystemException failed) {
                if (i == TRIES || !mended(key, file, target, failed)) {
                    throw failed;
                }
            }
        }
    }

    /** Whether what was in the way is gone; a key in the way is refused. */
    private boolean mended(String key, Path file, Path target, FileSystemException failed) throws IOException {
        if (!Files.exists(file)) {
            return false;
        }
        Optional<FileStamp> inTheWay = FileStamp.find(target);
        if (inTheWay.isPresent() && inTheWay.get().folder()) {
            if (removeUnlessUsed(key + "/", target)) {
                return true;
            }
            throw new RefusedException(
                    "'%s' cannot be put: there are keys below '%s/', and a folder cannot hold both; remove those first"
                            .formatted(key, key),
                    failed);
        }
        return failed instanceof NoSuchFileException;
    }

    void mark(String key, Path folder) throws IOException {
        for (int i = 1; ; i++) {
            try {
                makeFolders(key, folder);
                locked(() -> {
                    records.mark(key, folder);
                    return true;
                });
                sync(folder);
                return;
            } catch (NoSuchFileException removed) {
                if (i == TRIES) {
                    throw removed;
                }
            }
        }
    }

    void unmark(String key, Path folder) throws IOException {
        locked(() -> {
            records.unmark(key, folder);
            return true;
        });
        removeEmpty(key, folder);
    }

    /** Removes the folder of a key that ends in '/', and those above it, as far as they are empty and not marked. */
    void removeEmpty(String key, Path folder) throws IOException {
        String at = key;
        Path path = folder;
        while (!path.equals(keys.root()) && removeUnlessUsed(at, path)) {
            at = at.substring(0, at.lastIndexOf('/', at.length() - 2) + 1);
            path = parent(path);
        }
    }

    private boolean removeUnlessUsed(String key, Path folder) throws IOException {
        if (!empty(folder)) {
            return false;
        }
        return locked(() -> {
            try {
                if (records.marked(key, folder)) {
                    return false;
                }
                Files.delete(folder);
                sync(parent(folder));
                return true;
            } catch (NoSuchFileException gone) {
                return true;
            } catch (DirectoryNotEmptyException used) {
                return false;
            }
        });
    }

    static boolean empty(Path folder) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            return !entries.iterator().hasNext();
        } catch (NoSuchFileException gone) {
            return true;
        }
    }

    /** Makes the folders down to {@code folder}, and makes sure that no link leads out of the tree on the way. */
    private void makeFolders(String key, Path folder) throws IOException {
        if (!inside(folder)) {
            Path parent = parent(folder);
            makeFolders(key, parent);
            try {
                Files.createDirectory(folder);
                sync(parent);
            } catch (FileAlreadyExistsException other) {
                requireFolder(key, folder);
            }
        }
    }

    private void requireFolder(String key, Path path) throws IOException {
        Optional<FileStamp> there = FileStamp.find(path);
        if (there.isPresent() && !there.get().folder()) {
            String name = keys.root().relativize(path).toString();
            throw new RefusedException(
                    there.get().object()
                            ? "'%s' cannot be put: '%s' is an object, and a folder cannot hold both; remove that first"
                                    .formatted(key, name)
                            : "'%s' cannot be put: %s is not a folder (links are not followed)".formatted(key, path));
        }
    }

    /** Whether that folder is there, with no symbolic link between the root and it. */
    boolean inside(Path folder) throws IOException {
        try {
            return folder.toRealPath().equals(folder) && Files.isDirectory(folder);
        } catch (NoSuchFileException absent) {
            return false;
        } catch (FileSystemException failed) {
            if (FileStamp.belowFile(folder)) {
                return false;
            }
            throw failed;
        }
    }

    static Path parent(Path path) {
        Path parent = path.getParent();
        if (parent == null) {
            throw new AssertionError(path + " lies in no folder");
        }
        return parent;
    }

    private void sync(Path folder) throws IOException {
        if (synced) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            } catch (NoSuchFileException removedAgain) {
                // Nothing is left to be durable.
            }
        }
    }

    @FunctionalInterface
    private interface Change {
        boolean apply() throws IOException;
    }

    private boolean locked(Change change) throws IOException {
        lock.lock();
        try (FileLock held = lockFile.lock()) {
            return change.apply();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() throws IOException {
        // Closing drops the lock that another store of this process may hold on the file: not while it does.
        lock.lock();
        try {
            lockFile.close();
        } finally {
            lock.unlock();
        }
    }
}
