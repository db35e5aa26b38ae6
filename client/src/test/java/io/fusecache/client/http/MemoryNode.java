package io.fusecache.client.http;

import io.fusecache.cache.LocalTier.CachedFileSummary;
import io.fusecache.filesystem.Node;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A node whose files are in memory. A path is a directory while something lies below it. */
final class MemoryNode implements NodeFiles, NodeInsight {
    final ConcurrentNavigableMap<String, byte[]> contents = new ConcurrentSkipListMap<>();
    final AtomicInteger listings = new AtomicInteger();
    volatile CountDownLatch listed = new CountDownLatch(0);

    @Override
    public int relist(Optional<FilePath> path) throws ErrnoException {
        if (path.isPresent()) {
            Node ignored = find(path.get());
        }
        listings.incrementAndGet();
        try {
            listed.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return 7;
    }

    @Override
    public Node find(FilePath path) throws ErrnoException {
        byte[] content = contents.get(path.toString());
        if (content == null && !directory(path)) {
            throw new ErrnoException(Errno.ENOENT, path.toString());
        }
        return node(
                path, content == null ? FileType.DIRECTORY : FileType.REGULAR, content == null ? 0 : content.length);
    }

    private boolean directory(FilePath path) {
        String below = path + "/";
        String next = contents.ceilingKey(below);
        return next != null && next.startsWith(below);
    }

    private static Node node(FilePath path, FileType type, long size) {
        Timestamp time = Timestamp.of(Instant.parse("2026-11-01T12:00:00Z"));
        Inode inode = new Inode(
                path.hashCode() & 0xffff_ffffL,
                type,
                0644,
                0,
                0,
                1,
                size,
                size,
                0,
                time,
                time,
                time,
                time,
                null,
                1,
                null,
                false,
                false);
        return new Node(inode.ino(), inode);
    }

    @Override
    public OpenedFile open(Node node) throws ErrnoException {
        if (node.inode().directory()) {
            throw new ErrnoException(Errno.EISDIR, "a directory");
        }
        byte[] content = contents.entrySet().stream()
                .filter(entry -> entry.getValue().length == node.inode().size())
                .findFirst()
                .orElseThrow()
                .getValue();
        return new OpenedFile() {
            @Override
            public long size() {
                return content.length;
            }

            @Override
            public int read(long offset, MemorySegment target) {
                int count = (int) Math.clamp(content.length - offset, 0, target.byteSize());
                MemorySegment.copy(MemorySegment.ofArray(content), offset, target, 0, count);
                return count;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public boolean store(FilePath path, InputStream content, long length) throws ErrnoException, IOException {
        byte[] bytes = content.readAllBytes();
        if (length >= 0 && bytes.length != length) {
            throw new IOException("broke off");
        }
        if (directory(path)) {
            throw new ErrnoException(Errno.EISDIR, path.toString());
        }
        return contents.put(path.toString(), bytes) == null;
    }

    @Override
    public void remove(FilePath path) throws ErrnoException {
        if (contents.remove(path.toString()) == null) {
            throw new ErrnoException(directory(path) ? Errno.EISDIR : Errno.ENOENT, path.toString());
        }
    }

    @Override
    public NodeStatus status() {
        return new NodeStatus(
                "node-1",
                "test",
                1,
                Instant.EPOCH,
                "/mnt",
                false,
                "local",
                new NodeStatus.Kernel("7.45", true, "kernel 6.18", 2),
                new NodeStatus.Coordinator(true, List.of("localhost:9080"), List.of("localhost:8080"), 0, 0),
                new NodeStatus.Nvme(List.of("/cache"), 100, 40, 10, 3, 5, 1),
                new NodeStatus.Cloud("file", "/bucket", ""),
                new NodeStatus.Uploads(1, 10, 0, 2, null),
                new NodeStatus.Memory(256, 0, 64, 128),
                new NodeStatus.Backup("backup-1", Instant.EPOCH.plusSeconds(7), 77, 5));
    }

    @Override
    public Explanation explain(FilePath path) throws ErrnoException {
        Inode inode = find(path).inode();
        return new Explanation(
                path.toString(),
                inode.ino(),
                "regular",
                "peer",
                "node-2 has all of it",
                1,
                inode.size(),
                4096,
                1,
                0,
                false,
                true,
                false,
                null,
                List.of(new Explanation.Holding("node-2", "localhost:8082", 1)),
                "key",
                null);
    }

    @Override
    public List<NodeAddress> peers() {
        return List.of(new NodeAddress(new NodeId("node-2"), "localhost:8082", "localhost:9082"));
    }

    @Override
    public List<CachedFileSummary> cachedFiles(int limit) {
        return List.of(new CachedFileSummary(7, 1, 10, 10, true, false)).subList(0, Math.min(1, limit));
    }

    @Override
    public int bucketKeysLeftOut() {
        return 14;
    }

    @Override
    public long kernelNamesDropped() {
        return 3;
    }

    @Override
    public ReadCounts reads() {
        return new ReadCounts(
                new ReadCounts.Tier(1, 2, 3, 4),
                new ReadCounts.Tier(10, 20, 2_000_000, 1_000_000_000),
                new ReadCounts.Tier(100, 200, 300, 0),
                6,
                7,
                new ReadCounts.BucketRequests(8, 9, 10, 11, 12, 13));
    }

    @Override
    public NodeStatus.Uploads flush(Duration bound) {
        return new NodeStatus.Uploads(0, 0, 0, 0, null);
    }

    @Override
    public void sawBackup(@Nullable SeenBackup newest) {
        throw new AssertionError("it looks at no bucket");
    }
}
