package io.fusecache.tiers.nvme;

import io.fusecache.cache.Disk;
import io.fusecache.metadata.NodeId;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;

/**
 * One {@code -nvme} directory: its layout, its lock and its identity.
 *
 * <pre>
 *   LOCK                        locked by the daemon that uses it
 *   identity                    format, volume, namespace and node that it belongs to
 *   pending                     one bit per shard that may hold unpersisted files: where the scan at start begins
 *   data/SHARD/INO.INCARNATION  bytes of a file
 *   data/SHARD/INO.INCARNATION.record
 *   uploads/                    notes of uploads that are not complete, see {@link io.fusecache.tiers.cloud.UploadNotes}
 *   lost/                       bytes that nobody has but this node, and that no file of the namespace is of
 * </pre>
 */
final class CacheDirectory implements AutoCloseable {
    static final int SHARDS = 1024;
    private static final int FORMAT = 1;
    private static final String RECORD = ".record";
    private static final String TEMPORARY = ".record.new";

    /**
     * Real paths that this process has locked: the system's lock is the process's, and closing any descriptor of the lock
     * file, as a second attempt would, gives it up.
     */
    private static final Set<Path> IN_THIS_PROCESS = ConcurrentHashMap.newKeySet();

    private final Path root;
    private final Path data;
    private final Disk disk;
    private final FileChannel lockFile;
    private final Disk.DiskFile pendingFile;

    /** Guards what follows. The writes of one byte under it go to the page cache. */
    private final ReentrantLock lock = new ReentrantLock();

    private final BitSet shards = new BitSet(SHARDS);
    private final BitSet pending;
    private final int[] pendingFiles = new int[SHARDS];

    private CacheDirectory(Path root, Disk disk, FileChannel lockFile, Disk.DiskFile pendingFile, BitSet pending) {
        this.root = root;
        this.data = root.resolve("data");
        this.disk = disk;
        this.lockFile = lockFile;
        this.pendingFile = pendingFile;
        this.pending = pending;
    }

    /** Creates what is missing, locks it, and checks whose it is. */
    static CacheDirectory open(Path root, NvmeOptions options, Disk disk) throws IOException {
        FileChannel lockFile = lock(root);
        try {
            claim(root, options, disk);
            Files.createDirectories(root.resolve("data"));
            Disk.DiskFile pendingFile = disk.open(root.resolve("pending"), true);
            CacheDirectory directory = new CacheDirectory(root, disk, lockFile, pendingFile, readPending(pendingFile));
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory.data)) {
                entries.forEach(shard -> shardOfName(shard).ifPresent(directory.shards::set));
            }
            return directory;
        } catch (IOException | RuntimeException failed) {
            unlock(root, lockFile);
            if (failed instanceof FileSystemException e) {
                throw unusable(root, e);
            }
            throw failed;
        }
    }

    private static FileChannel lock(Path root) throws IOException {
        try {
            Files.createDirectories(root);
            Path real = root.toRealPath();
            if (!IN_THIS_PROCESS.add(real)) {
                throw inUse(root);
            }
            FileChannel channel = null;
            FileLock held = null;
            try {
                channel = FileChannel.open(root.resolve("LOCK"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                held = channel.tryLock();
            } finally {
                if (held == null) {
                    IN_THIS_PROCESS.remove(real);
                    if (channel != null) {
                        channel.close();
                    }
                }
            }
            if (held == null) {
                throw inUse(root);
            }
            return channel;
        } catch (FileSystemException e) {
            throw unusable(root, e);
        }
    }

    private static CacheDirectoryException inUse(Path root) {
        return new CacheDirectoryException(
                root, "is in use by another client", "give each client an -nvme directory of its own");
    }

    private static void unlock(Path root, FileChannel lockFile) throws IOException {
        IN_THIS_PROCESS.remove(root.toRealPath());
        lockFile.close();
    }

    private static CacheDirectoryException unusable(Path root, FileSystemException e) {
        String problem = switch (e) {
            case AccessDeniedException denied -> "cannot be written";
            case NotDirectoryException no -> "is not a directory";
            case FileAlreadyExistsException no -> "is not a directory";
            default -> "cannot be used (" + (e.getReason() == null ? e.toString() : e.getReason()) + ")";
        };
        return new CacheDirectoryException(root, problem, "name a directory that this user can write to with -nvme", e);
    }

    private static void claim(Path root, NvmeOptions options, Disk disk) throws IOException {
        String volume = options.volume();
        NodeId node = options.node();
        Optional<Map<String, String>> found = identity(root);
        if (found.isPresent()) {
            Map<String, String> identity = found.get();
            if (!Integer.toString(FORMAT).equals(identity.get("format"))) {
                throw new CacheDirectoryException(
                        root,
                        "has format " + identity.get("format") + ", this program knows " + FORMAT,
                        "use the version that wrote it, or name another directory with -nvme");
            }
            if (!volume.equals(identity.get("volume")) || !node.value().equals(identity.get("node"))) {
                throw new CacheDirectoryException(
                        root,
                        "belongs to node %s of volume %s, not to node %s of volume %s"
                                .formatted(identity.get("node"), identity.get("volume"), node, volume),
                        "name another directory with -nvme, or remove this one when nothing in it waits for upload");
            }
            String before = identity.getOrDefault("namespace", "");
            if (options.namespace().isEmpty() || options.namespace().equals(before)) {
                return;
            }
            if (!before.isEmpty()) {
                new FormerNamespace(root, before, disk).leave();
            }
            writeIdentity(root, options);
            return;
        }
        if (Files.exists(root.resolve("data"))) {
            throw new CacheDirectoryException(
                    root, "has data but no identity file", "restore its identity file, or name another directory");
        }
        writeIdentity(root, options);
    }

    private static void writeIdentity(Path root, NvmeOptions options) throws IOException {
        Path fresh = root.resolve("identity.new");
        String namespace = options.namespace().isEmpty() ? "" : "namespace " + options.namespace() + "\n";
        Files.writeString(
                fresh,
                "format %d\nvolume %s\nnode %s\n%s".formatted(FORMAT, options.volume(), options.node(), namespace));
        try (FileChannel written = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
            written.force(true);
        }
        Files.move(fresh, root.resolve("identity"), StandardCopyOption.ATOMIC_MOVE);
    }

    /** The lines of the identity file by their first word; empty where there is none. */
    static Optional<Map<String, String>> identity(Path root) throws IOException {
        try {
            return Optional.of(Files.readAllLines(root.resolve("identity")).stream()
                    .map(line -> line.split(" ", 2))
                    .collect(Collectors.toMap(w -> w[0], w -> w.length > 1 ? w[1] : "", (a, b) -> b)));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        }
    }

    private static BitSet readPending(Disk.DiskFile file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(SHARDS / 8);
            file.read(0, bytes);
            return BitSet.valueOf(bytes.asByteBuffer());
        }
    }

    static int shard(long ino) {
        // Inode numbers are handed out in sequence: their low bits spread evenly.
        return (int) (ino % SHARDS);
    }

    private static Optional<Integer> shardOfName(Path shard) {
        try {
            int number = Integer.parseInt(shard.getFileName().toString(), 16);
            return number >= 0 && number < SHARDS ? Optional.of(number) : Optional.empty();
        } catch (NumberFormatException foreign) {
            return Optional.empty();
        }
    }

    Path pathOf(int shard) {
        return data.resolve("%03x".formatted(shard));
    }

    /** The directory of an inode's files, which is there when this returns. */
    Path shardPath(long ino) throws IOException {
        int shard = shard(ino);
        Path directory = pathOf(shard);
        if (!hasShard(shard)) {
            Files.createDirectories(directory);
            lock.lock();
            try {
                shards.set(shard);
            } finally {
                lock.unlock();
            }
        }
        return directory;
    }

    static Path recordPath(Path dataPath) {
        return dataPath.resolveSibling(dataPath.getFileName() + RECORD);
    }

    boolean hasShard(int shard) {
        lock.lock();
        try {
            return shards.get(shard);
        } finally {
            lock.unlock();
        }
    }

    boolean mayHavePending(int shard) {
        lock.lock();
        try {
            return pending.get(shard);
        } finally {
            lock.unlock();
        }
    }

    /** Called before the record of a file says unpersisted. */
    void pending(CacheEntry entry) throws IOException {
        lock.lock();
        try {
            if (!entry.pending) {
                entry.pending = true;
                int shard = shard(entry.ino);
                pendingFiles[shard]++;
                mark(shard, true);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Called after the record stopped saying so, or is gone. */
    void settled(CacheEntry entry) throws IOException {
        lock.lock();
        try {
            if (entry.pending) {
                entry.pending = false;
                int shard = shard(entry.ino);
                pendingFiles[shard]--;
                mark(shard, pendingFiles[shard] > 0);
            }
        } finally {
            lock.unlock();
        }
    }

    /** The scan has been there, and has called {@link #pending} for what it found. */
    void scanned(int shard) throws IOException {
        lock.lock();
        try {
            mark(shard, pendingFiles[shard] > 0);
        } finally {
            lock.unlock();
        }
    }

    private void mark(int shard, boolean some) throws IOException {
        if (pending.get(shard) == some) {
            return;
        }
        pending.set(shard, some);
        int index = shard / 8;
        byte[] bytes = pending.toByteArray();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(1);
            one.set(ValueLayout.JAVA_BYTE, 0, index < bytes.length ? bytes[index] : 0);
            pendingFile.write(index, one);
        }
    }

    void syncPending() throws IOException {
        pendingFile.sync(true);
    }

    /** A file found on disk. */
    record Found(long ino, int incarnation) {}

    /**
     * The files of a shard that have a record, in no order. Removes what a crash left: bytes without a record, records
     * without bytes, and records half replaced.
     */
    List<Found> scan(int shard) throws IOException {
        List<String> records = new ArrayList<>();
        List<String> files = new ArrayList<>();
        Path directory = pathOf(shard);
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (name.endsWith(TEMPORARY)) {
                    Files.deleteIfExists(entry);
                } else if (name.endsWith(RECORD)) {
                    records.add(name.substring(0, name.length() - RECORD.length()));
                } else {
                    files.add(name);
                }
            }
        } catch (NoSuchFileException absent) {
            return List.of();
        }
        Set<String> both = new java.util.HashSet<>(files);
        both.retainAll(new java.util.HashSet<>(records));
        List<Found> found = new ArrayList<>();
        for (String name : both) {
            parse(name, shard).ifPresent(found::add);
        }
        for (String name : files) {
            if (!both.contains(name) && parse(name, shard).isPresent()) {
                Files.deleteIfExists(directory.resolve(name));
            }
        }
        for (String name : records) {
            if (!both.contains(name)) {
                Files.deleteIfExists(directory.resolve(name + RECORD));
            }
        }
        return found;
    }

    private static Optional<Found> parse(String name, int shard) {
        int dot = name.indexOf('.');
        try {
            Found found = new Found(
                    Long.parseLong(name.substring(0, Math.max(dot, 0))), Integer.parseInt(name.substring(dot + 1)));
            return shard(found.ino) == shard ? Optional.of(found) : Optional.empty();
        } catch (NumberFormatException foreign) {
            return Optional.empty();
        }
    }

    /** Removes a file: its record first, so that a crash in between leaves only bytes without a record. */
    static void remove(Path dataPath) throws IOException {
        Files.deleteIfExists(recordPath(dataPath));
        Files.deleteIfExists(dataPath);
    }

    void syncShard(long ino) throws IOException {
        disk.syncDirectory(pathOf(shard(ino)));
    }

    Disk.Space space() throws IOException {
        return disk.space(data);
    }

    Path root() {
        return root;
    }

    @Override
    public void close() throws IOException {
        try (pendingFile) {
            unlock(root, lockFile);
        }
    }
}
