package io.fusecache.tiers.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.cache.BlockDirectory;
import io.fusecache.cache.BlockFetcher;
import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.CorruptTransferException;
import io.fusecache.cache.FetchFailedException;
import io.fusecache.cache.FetchOptions;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.cache.ReadPlan;
import io.fusecache.cache.TierCounters;
import io.fusecache.cache.TierKind;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.testkit.ChannelDisk;
import io.fusecache.testkit.FaultyPeer;
import io.fusecache.testkit.SimulatedClock;
import io.fusecache.tiers.nvme.NvmeOptions;
import io.fusecache.tiers.nvme.NvmeTier;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.Executors;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PeerTierTest {
    private static final int BLOCK = 64 << 10;
    private static final int BLOCKS = 20;
    private static final long INO = 12;
    private static final NodeAddress OTHER = new NodeAddress(new NodeId("other"), "10.0.0.9:8081", "10.0.0.9:9081");

    @TempDir
    Path directory;

    private final Arena memory = Arena.ofShared();
    private final SimulatedClock clock = new SimulatedClock();
    private final BufferArena buffers = new BufferArena(16 << 20, 64 << 10, 4 << 20);
    private NvmeTier local;
    private Server server;
    private FaultyPeer proxy;
    private PeerClient client;
    private PeerBlockHandler handler;
    private FileVersion version;

    @BeforeEach
    void start() throws Exception {
        local = NvmeTier.open(
                NvmeOptions.of(List.of(directory.resolve("a")), "v", new NodeId("a"), 1 << 26, 0),
                new ChannelDisk(),
                buffers,
                clock);
        try (CachedFile file = local.create(FileVersion.empty(INO, BLOCK))) {
            file.beginWriting();
            for (int b = 0; b < BLOCKS; b++) {
                file.file().write((long) b * BLOCK, content(b));
            }
            version = new FileVersion(INO, 1, (long) BLOCK * BLOCKS, BLOCK, null, null);
            file.committed(version, false);
            file.sealed(1, file.checksum(version.size(), BLOCK));
            version = file.version();
        }
        serve(4, "secret");
    }

    private void serve(int maxServes, @Nullable String token) throws Exception {
        QueuedThreadPool threads = new QueuedThreadPool();
        threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server = new Server(threads);
        ServerConnector connector = new ServerConnector(server, 1, 1);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        PeerAccess access = token == null ? PeerAccess.open() : PeerAccess.token(token);
        handler = new PeerBlockHandler(local, buffers, access, (ino, v) -> List.of(OTHER), maxServes);
        server.setHandler(handler);
        server.start();
        proxy = new FaultyPeer(connector.getLocalPort());
        client = new PeerClient(Duration.ofSeconds(2), Duration.ofSeconds(2), token);
    }

    @AfterEach
    void stop() throws Exception {
        client.close();
        proxy.close();
        server.stop();
        local.close();
        memory.close();
    }

    private MemorySegment content(int block) {
        MemorySegment bytes = memory.allocate(BLOCK);
        for (int i = 0; i < BLOCK; i++) {
            bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 7 + block + (i >> 9)));
        }
        return bytes;
    }

    private NodeAddress peer() {
        return new NodeAddress(new NodeId("a"), "127.0.0.1:" + proxy.port(), "127.0.0.1:1");
    }

    private ReadOutcome read(FileVersion of, long offset, MemorySegment target) throws IOException {
        return client.read(peer(), of, offset, target);
    }

    private static FileVersion next(FileVersion version) {
        return new FileVersion(version.ino(), version.version() + 1, version.size(), version.blockBytes(), null, null);
    }

    @Test
    void readsRangesOfAVersion() throws Exception {
        MemorySegment target = memory.allocate(3 * BLOCK);
        assertThat(read(version, 2 * BLOCK, target)).isEqualTo(new ReadOutcome.Hit(3 * BLOCK));
        for (int b = 0; b < 3; b++) {
            assertThat(target.asSlice((long) b * BLOCK, BLOCK).mismatch(content(b + 2)))
                    .isEqualTo(-1);
        }
        MemorySegment few = memory.allocate(5);
        assertThat(read(version, version.size() - 5, few)).isEqualTo(new ReadOutcome.Hit(5));
        assertThat(few.mismatch(content(BLOCKS - 1).asSlice(BLOCK - 5, 5))).isEqualTo(-1);
        assertThat(proxy.connections()).as("kept").isEqualTo(1);
        assertThat(handler.servedBytes()).isEqualTo(3 * BLOCK + 5);
    }

    @Test
    void anotherVersionAnAbsentFileAndAnAbsentBlockAreMisses() throws Exception {
        MemorySegment target = memory.allocate(BLOCK);
        assertThat(read(next(version), 0, target)).isEqualTo(new ReadOutcome.Miss());
        FileVersion absent = new FileVersion(99, 1, BLOCK, BLOCK, null, null);
        assertThat(read(absent, 0, target)).isEqualTo(new ReadOutcome.Miss());
        FileVersion partial = new FileVersion(13, 1, 2 * BLOCK, BLOCK, null, null);
        try (CachedFile file = local.create(partial)) {
            file.store(1, content(1));
            assertThat(read(partial, 0, target)).isEqualTo(new ReadOutcome.Miss());
            assertThat(read(partial, BLOCK, target)).isEqualTo(new ReadOutcome.Hit(BLOCK));
        }
    }

    @Test
    void aFileThatIsBeingWrittenIsBusyByItsCommittedVersion() throws Exception {
        MemorySegment target = memory.allocate(BLOCK);
        try (CachedFile file = local.find(INO).orElseThrow()) {
            file.beginWriting();
            assertThat(read(version, 0, target)).isEqualTo(new ReadOutcome.Busy(List.of()));
            file.committed(next(version), false);
            assertThat(read(version, 0, target)).isEqualTo(new ReadOutcome.Miss());
            assertThat(read(file.version(), 0, target)).isEqualTo(new ReadOutcome.Hit(BLOCK));
        }
    }

    @Test
    void whenAllServesAreTakenTheAnswerIsBusyAndNamesOthers() throws Exception {
        stopServing();
        serve(0, "secret");
        assertThat(read(version, 0, memory.allocate(1))).isEqualTo(new ReadOutcome.Busy(List.of(OTHER)));
        assertThat(handler.busyAnswers()).isEqualTo(1);
    }

    private void stopServing() throws Exception {
        client.close();
        proxy.close();
        server.stop();
    }

    @Test
    void withoutTheTokenNothingIsServed() throws Exception {
        try (PeerClient stranger = new PeerClient(Duration.ofSeconds(1), Duration.ofSeconds(1), "guess")) {
            assertThatThrownBy(() -> stranger.read(peer(), version, 0, memory.allocate(1)))
                    .hasMessageContaining("refuses our token");
        }
        stopServing();
        serve(4, null);
        assertThat(read(version, 0, memory.allocate(1))).isEqualTo(new ReadOutcome.Hit(1));
    }

    @Test
    void aPlainClientGetsAPlainRange() throws Exception {
        stopServing();
        serve(4, null);
        HttpResponse<byte[]> answer = get("/blocks/" + INO + "/1", "bytes=10-19");
        assertThat(answer.statusCode()).isEqualTo(206);
        assertThat(answer.headers().firstValue("Content-Range")).contains("bytes 10-19/" + version.size());
        assertThat(answer.body()).isEqualTo(content(0).asSlice(10, 10).toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void badRequestsAreNamed() throws Exception {
        stopServing();
        serve(4, null);
        assertThat(get("/blocks/12", "bytes=0-1").statusCode()).isEqualTo(400);
        assertThat(get("/blocks/x/1", "bytes=0-1").statusCode()).isEqualTo(400);
        assertThat(get("/blocks/-1/1", "bytes=0-1").statusCode()).isEqualTo(400);
        assertThat(get("/blocks/12/1", "bytes=5-1").statusCode()).isEqualTo(400);
        assertThat(get("/blocks/12/1", "chars=5-6").statusCode()).isEqualTo(400);
        assertThat(get("/blocks/12/1", "bytes=0-99999999999").statusCode()).isEqualTo(416);
        assertThat(get("/other", "bytes=0-1").statusCode()).isEqualTo(404);
    }

    private HttpResponse<byte[]> get(String path, String range) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + proxy.port() + path);
            return http.send(
                    HttpRequest.newBuilder(uri).header("Range", range).build(),
                    HttpResponse.BodyHandlers.ofByteArray());
        }
    }

    @Test
    void aBitThatFlipsOnTheWireIsFoundInTheTransfer() throws Exception {
        proxy.inject(new FaultyPeer.Fault.FlipBit(5000));
        assertThatThrownBy(() -> read(version, 0, memory.allocate(BLOCK))).isInstanceOf(CorruptTransferException.class);
        proxy.inject(new FaultyPeer.Fault.None());
        assertThat(read(version, 0, memory.allocate(BLOCK))).isEqualTo(new ReadOutcome.Hit(BLOCK));
    }

    @Test
    void aCutAResetAndAStallAreFailuresNotShortReads() throws Exception {
        proxy.inject(new FaultyPeer.Fault.Truncate(20_000));
        assertThatThrownBy(() -> read(version, 0, memory.allocate(BLOCK))).isInstanceOf(IOException.class);
        proxy.inject(new FaultyPeer.Fault.Reset(20_000));
        assertThatThrownBy(() -> read(version, 0, memory.allocate(BLOCK))).isInstanceOf(IOException.class);
        proxy.inject(new FaultyPeer.Fault.Stall(20_000));
        long start = System.nanoTime();
        assertThatThrownBy(() -> read(version, 0, memory.allocate(BLOCK)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("did not answer within 2000 ms");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
    }

    @Test
    void bytesThatDripInEndAtTheDeadlineToo() throws Exception {
        proxy.inject(new FaultyPeer.Fault.Delay(Duration.ofMillis(300)));
        assertThatThrownBy(() -> read(version, 0, memory.allocate(10 * BLOCK)))
                .hasMessageContaining("did not answer within 2000 ms");
    }

    @Test
    void aPeerThatIsAwayIsAnErrorThatNamesIt() throws Exception {
        int port;
        try (ServerSocket unused = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = unused.getLocalPort();
        }
        NodeAddress away = new NodeAddress(new NodeId("gone"), "127.0.0.1:" + port, "127.0.0.1:1");
        assertThatThrownBy(() -> client.read(away, version, 0, memory.allocate(1)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(String.valueOf(port));
    }

    @Test
    void aBlockThatRottedOnTheServersDiskIsNotServed() throws Exception {
        try (CachedFile file = local.find(INO).orElseThrow()) {
            file.persisted(new FileVersion(
                    INO, 1, version.size(), BLOCK, version.checksums(), new io.fusecache.metadata.ObjectRef("k", "e")));
        }
        stopServing();
        local.close();
        try (FileChannel channel = FileChannel.open(directory.resolve("a/data/00c/12.0"), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {99}), 3 * BLOCK + 17);
        }
        local = NvmeTier.open(
                NvmeOptions.of(List.of(directory.resolve("a")), "v", new NodeId("a"), 1 << 26, 0),
                new ChannelDisk(),
                buffers,
                clock);
        serve(4, "secret");
        assertThat(read(version, 3 * BLOCK, memory.allocate(BLOCK))).isEqualTo(new ReadOutcome.Miss());
        assertThat(local.usage().corruptBlocks()).isEqualTo(1);
        assertThat(read(version, 4 * BLOCK, memory.allocate(BLOCK))).isEqualTo(new ReadOutcome.Hit(BLOCK));
    }

    @Test
    void throughTheFetcherASpoiledPeerIsCountedAndTheOtherServes() throws Exception {
        proxy.inject(new FaultyPeer.Fault.FlipBit(9000));
        int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
        NodeAddress sound = new NodeAddress(new NodeId("sound"), "127.0.0.1:" + port, "127.0.0.1:1");
        TierCounters counters = new TierCounters();
        BlockDirectory both = new BlockDirectory() {
            @Override
            public List<Holder> holders(long ino, long number) {
                return List.of(new Holder(peer(), null), new Holder(sound, null));
            }

            @Override
            public void advertise(long ino, long number, @Nullable BitSet blocks) {}
        };
        NvmeOptions options = NvmeOptions.of(List.of(directory.resolve("b")), "v", new NodeId("b"), 1 << 26, 0);
        try (NvmeTier mine = NvmeTier.open(options, new ChannelDisk(), buffers, clock);
                BlockFetcher fetcher = new BlockFetcher(
                        client,
                        null,
                        both,
                        buffers,
                        counters,
                        clock,
                        FetchOptions.of(new ReadPlan.Settings(200 << 20, Long.MAX_VALUE)))) {
            try (CachedFile file = mine.create(version)) {
                fetcher.fetch(file, 0, BLOCKS - 1, BlockFetcher.Urgency.NOW);
                assertThat(file.whole()).isTrue();
                MemorySegment found = memory.allocate(BLOCK);
                for (int b = 0; b < BLOCKS; b++) {
                    file.read((long) b * BLOCK, found);
                    assertThat(found.mismatch(content(b))).isEqualTo(-1);
                }
            }
            assertThat(counters.figures(TierKind.PEER).corruptBlocks()).isEqualTo(1);
            server.stop();
            try (CachedFile file = mine.create(next(version))) {
                assertThatThrownBy(() -> fetcher.fetch(file, 0)).isInstanceOf(FetchFailedException.class);
            }
        }
    }
}
