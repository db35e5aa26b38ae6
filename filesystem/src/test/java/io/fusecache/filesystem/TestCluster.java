package io.fusecache.filesystem;

import io.fusecache.cache.CloudTier;
import io.fusecache.cache.HomeReply;
import io.fusecache.cache.HomeRequest;
import io.fusecache.cache.Homes;
import io.fusecache.cache.PeerTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.coordinator.Coordinator;
import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Recall;
import io.fusecache.metadata.RecallListener;
import io.fusecache.tiers.cloud.file.FolderStore;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** A coordinator, a bucket in a folder, and nodes, all in one process; peers read each other's cache directly. */
final class TestCluster implements AutoCloseable {
    /** Small, so that a few hundred KiB are many blocks. */
    static final int BLOCK_BYTES = 16 << 10;

    final Path folder;
    final Path bucket;
    final Coordinator coordinator;
    private final Map<String, TestNode> nodes = new ConcurrentHashMap<>();

    /** What a read of the bucket does before it answers; for tests of its failures. */
    volatile BucketMood mood = () -> {};

    /** The same for a read of a peer. */
    volatile BucketMood peerMood = () -> {};

    interface BucketMood {
        void answer() throws IOException;
    }

    TestCluster(Path folder) throws IOException {
        this.folder = folder;
        this.bucket = Files.createDirectories(folder.resolve("bucket"));
        this.coordinator = Coordinator.open(
                Files.createDirectories(folder.resolve("state")),
                SessionLimits.DEFAULT.withLease(Duration.ofSeconds(1)));
    }

    TestNode node(String name, boolean passthrough) throws IOException {
        return node(name, TestNode.Setup.of(passthrough));
    }

    /** Starts a node, or starts it again on the cache directory of before. */
    TestNode node(String name, TestNode.Setup setup) throws IOException {
        TestNode node = new TestNode(this, name, setup);
        nodes.put(name, node);
        return node;
    }

    /** Whether the inode is no more, by the coordinator's word: a node's own leases may still know of it. */
    boolean isGone(long ino) throws IOException, ErrnoException {
        try (Metadata judge = coordinator.connect(new NodeId("judge"), NO_CACHE)) {
            Inode ignored = judge.inode(ino);
            return false;
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ESTALE) {
                throw e;
            }
            return true;
        }
    }

    private static final RecallListener NO_CACHE = new RecallListener() {
        @Override
        public Set<Long> recalled(Recall recall) {
            return Set.of();
        }

        @Override
        public void reset(boolean fenced) {}
    };

    /** The node of that name, started where it does not run. */
    TestNode running(String name, boolean passthrough) throws IOException {
        TestNode node = nodes.get(name);
        return node != null && !node.isDown() ? node : node(name, passthrough);
    }

    /** Everything that was closed on any node is in the bucket when this returns. */
    void flushUploads() {
        for (TestNode node : nodes.values()) {
            if (!node.isDown() && !node.files.flushUploads(Duration.ofSeconds(20))) {
                throw new AssertionError("node " + node.name + " still has " + node.files.pendingUploads());
            }
        }
    }

    FolderStore store() {
        return new FolderStore(bucket, new FolderStore.Options(false, true, 100));
    }

    byte[] object(String key) throws IOException {
        return Files.readAllBytes(bucket.resolve(key));
    }

    /** All keys, sorted. */
    List<String> keys() throws IOException {
        try (Stream<Path> all = Files.walk(bucket)) {
            return all.filter(Files::isRegularFile)
                    .map(file -> bucket.relativize(file).toString())
                    .filter(key -> !key.startsWith(".fusecache"))
                    .sorted()
                    .toList();
        }
    }

    boolean hasObject(String key) {
        return Files.isRegularFile(bucket.resolve(key));
    }

    void putForeign(String key, byte[] content) throws IOException {
        Path file = bucket.resolve(key);
        Files.createDirectories(file.getParent());
        Files.write(file, content);
    }

    PeerTier peers() {
        return new PeerTier() {
            @Override
            public ReadOutcome read(NodeAddress peer, FileVersion version, long offset, MemorySegment target)
                    throws IOException {
                peerMood.answer();
                TestNode node = nodes.get(peer.id().value());
                if (node == null || node.isDown()) {
                    throw new IOException("node " + peer.id() + " is down");
                }
                return node.serve(version, offset, target);
            }

            @Override
            public void close() {}
        };
    }

    /** What a request to a home meets on its way, before and after it is executed; for tests of the network. */
    volatile Wire wire = (request, executed) -> {};

    interface Wire {
        void pass(HomeRequest request, boolean executed) throws IOException;
    }

    Homes homes() {
        return new Homes() {
            @Override
            public HomeReply ask(NodeAddress home, Guest guest, HomeRequest request, MemorySegment data)
                    throws IOException {
                TestNode node = nodes.get(home.id().value());
                if (node == null || node.isDown()) {
                    throw new IOException("node " + home.id() + " is down");
                }
                wire.pass(request, false);
                HomeReply reply = node.files.host().serve(guest, request, data);
                wire.pass(request, true);
                if (node.isDown()) {
                    throw new IOException("node " + home.id() + " went down");
                }
                return reply;
            }

            @Override
            public void close() {}
        };
    }

    CloudTier moody(CloudTier cloud) {
        return new MoodyCloud(cloud, () -> mood);
    }

    @Override
    public void close() throws IOException {
        for (TestNode node : nodes.values()) {
            node.close();
        }
        coordinator.close();
    }
}
