package io.fusecache.tiers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fusecache.cache.BlockChecksum;
import io.fusecache.cache.BlockDirectory;
import io.fusecache.cache.BlockFetcher;
import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.DiskException;
import io.fusecache.cache.FetchFailedException;
import io.fusecache.cache.FetchOptions;
import io.fusecache.cache.LocalTier;
import io.fusecache.cache.PeerTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.cache.ReadPlan;
import io.fusecache.cache.TierCounters;
import io.fusecache.cache.TierKind;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.testkit.ChannelDisk;
import io.fusecache.testkit.FaultyDisk;
import io.fusecache.testkit.SimulatedClock;
import io.fusecache.tiers.nvme.NvmeOptions;
import io.fusecache.tiers.nvme.NvmeTier;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BlockFetcherTest {
    private static final int BLOCK = 4096;
    private static final NodeAddress A = node("a");
    private static final NodeAddress B = node("b");
    private static final NodeAddress C = node("c");

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk(new ChannelDisk());
    private final SimulatedClock clock = new SimulatedClock();
    private final BufferArena buffers = new BufferArena(1 << 20, BLOCK, 1 << 18);
    private final TierCounters counters = new TierCounters();
    private final FakePeers peers = new FakePeers();
    private final FakeCloud cloud = new FakeCloud();
    private final FakeDirectory holders = new FakeDirectory();
    private LocalTier tier;
    private BlockFetcher fetcher;

    private static NodeAddress node(String name) {
        return new NodeAddress(new NodeId(name), name + ":1", name + ":2");
    }

    @BeforeEach
    void open() throws Exception {
        tier = NvmeTier.open(
                NvmeOptions.of(List.of(directory), "v", new NodeId("me"), 1 << 22, 0), disk, buffers, clock);
        fetcher = new BlockFetcher(
                peers,
                cloud,
                holders,
                buffers,
                counters,
                clock,
                new FetchOptions(4, 2, 4L * BLOCK, Duration.ofSeconds(5), new ReadPlan.Settings(1 << 20, 1L << 40)));
    }

    @AfterEach
    void close() throws Exception {
        fetcher.close();
        await().until(() -> buffers.usedBytes() == 0);
        tier.close();
    }

    private static byte content(long at) {
        return (byte) (at * 13 + (at >> 12));
    }

    static void fill(MemorySegment target, long offset) {
        for (long i = 0; i < target.byteSize(); i++) {
            target.set(ValueLayout.JAVA_BYTE, i, content(offset + i));
        }
    }

    private static FileVersion version(int blocks, boolean inBucket) {
        int[] sums = new int[blocks];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate(BLOCK);
            for (int b = 0; b < blocks; b++) {
                fill(block, (long) b * BLOCK);
                sums[b] = BlockChecksum.of(block);
            }
        }
        return new FileVersion(9, 1, (long) blocks * BLOCK, BLOCK, sums, inBucket ? new ObjectRef("k", "e") : null);
    }

    private static void assertContent(CachedFile file) throws IOException {
        assertThat(file.whole()).isTrue();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment found = arena.allocate(file.version().size());
            MemorySegment expected = arena.allocate(file.version().size());
            fill(expected, 0);
            file.read(0, found);
            assertThat(found.mismatch(expected)).isEqualTo(-1);
        }
    }

    @Test
    void takesFromAPeerBeforeTheBucketAndTellsOthers() throws Exception {
        holders.hold(A, null);
        try (CachedFile file = tier.create(version(6, true))) {
            fetcher.fetch(file, 0, 5, BlockFetcher.Urgency.NOW);
            assertContent(file);
        }
        assertThat(cloud.reads).isEmpty();
        assertThat(peers.reads).as("batches of four blocks").hasSize(2);
        assertThat(counters.figures(TierKind.PEER).bytes()).isEqualTo(6 * BLOCK);
        assertThat(counters.figures(TierKind.PEER).hits()).isEqualTo(2);
        assertThat(counters.figures(TierKind.NVME).misses()).isEqualTo(2);
        assertThat(holders.advertised).contains("all");
    }

    @Test
    void aFewBytesComeFromTheBucketWithoutTheirBlock() throws Exception {
        FileVersion large = foreign(4 << 20);
        assertThat(fetcher.givesPieces(large)).isTrue();
        assertPiece(large, 300_000, 4096, 128 << 10);
        assertPiece(large, 304_096, 4096, 0);
        assertPiece(large, (256 << 10) - 1, 2, 128 << 10);
        assertThat(cloud.reads).containsExactly(256L << 10, 128L << 10);
        assertThat(counters.figures(TierKind.CLOUD).bytes()).isEqualTo(256 << 10);
    }

    private static FileVersion foreign(int blockBytes) {
        return new FileVersion(9, 1, 10_000_000, blockBytes, null, new ObjectRef("k", "e"));
    }

    private void assertPiece(FileVersion version, long offset, int length, long fetched) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment found = arena.allocate(length);
            MemorySegment expected = arena.allocate(length);
            fill(expected, offset);
            assertThat(fetcher.readPieces(version, offset, found)).isEqualTo(fetched);
            assertThat(found.mismatch(expected)).isEqualTo(-1);
        }
    }

    @Test
    void whatCanBeCheckedAsABlockComesInPiecesOnlyByAWayThatNoticesChanges() throws Exception {
        FileVersion any = foreign(4 << 20);
        FileVersion sealed = new FileVersion(9, 1, any.size(), any.blockBytes(), new int[3], any.object());
        assertThat(fetcher.givesPieces(sealed)).isTrue();
        cloud.guardsRanges = false;
        assertThat(fetcher.givesPieces(sealed)).isFalse();
        assertThat(fetcher.givesPieces(any)).as("of which nobody has checksums").isTrue();
    }

    @Test
    void noPiecesOfWhatIsNearOrNotInTheBucketOrSmall() throws Exception {
        assertThat(fetcher.givesPieces(foreign(256 << 10)))
                .as("hardly more than a piece")
                .isFalse();
        assertThat(fetcher.givesPieces(new FileVersion(9, 1, 256 << 10, 4 << 20, null, new ObjectRef("k", "e"))))
                .as("all of it is hardly more than a piece")
                .isFalse();
        assertThat(fetcher.givesPieces(new FileVersion(9, 1, 10_000_000, 4 << 20, null, null)))
                .isFalse();
        holders.hold(A, null);
        assertThat(fetcher.givesPieces(foreign(4 << 20))).isFalse();
    }

    @Test
    void piecesOfAnObjectThatIsGoneAreNotServed() throws Exception {
        cloud.gone = true;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(10);
            assertThatThrownBy(() -> fetcher.readPieces(foreign(4 << 20), 0, target))
                    .isInstanceOf(FetchFailedException.class);
        }
    }

    @Test
    void manyReadersOfABlockCauseOneTransfer() throws Exception {
        holders.hold(A, null);
        peers.gate = new CountDownLatch(1);
        try (CachedFile file = tier.create(version(1, true))) {
            List<Thread> readers = new ArrayList<>();
            AtomicInteger done = new AtomicInteger();
            for (int i = 0; i < 20; i++) {
                readers.add(Thread.ofVirtual().start(() -> {
                    try {
                        fetcher.fetch(file, 0);
                        done.incrementAndGet();
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                }));
            }
            await().until(() ->
                    peers.reads.size() == 1 && readers.stream().allMatch(t -> t.getState() == Thread.State.WAITING));
            peers.gate.countDown();
            for (Thread reader : readers) {
                reader.join();
            }
            assertThat(done).hasValue(20);
            assertThat(peers.reads).hasSize(1);
        }
    }

    @Test
    void aMissIsNoFailureAndTheNextSourceServes() throws Exception {
        holders.hold(A, null);
        peers.missing.add(A);
        try (CachedFile file = tier.create(version(1, true))) {
            fetcher.fetch(file, 0);
            assertContent(file);
        }
        assertThat(counters.figures(TierKind.PEER).misses()).isEqualTo(1);
        assertThat(counters.figures(TierKind.PEER).failures()).isZero();
        assertThat(fetcher.health().snapshot().values())
                .allSatisfy(s -> assertThat(s.avoided()).isFalse());
    }

    @Test
    void wrongBytesAreCountedAndFetchedElsewhereAndOnlyTheWrongBlock() throws Exception {
        holders.hold(A, null);
        peers.corruptBlock = 2;
        try (CachedFile file = tier.create(version(4, true))) {
            fetcher.fetch(file, 0, 3, BlockFetcher.Urgency.NOW);
            assertContent(file);
        }
        assertThat(counters.figures(TierKind.PEER).corruptBlocks()).isEqualTo(1);
        assertThat(cloud.reads).containsExactly(2L * BLOCK);
        assertThat(counters.figures(TierKind.CLOUD).bytes()).isEqualTo(BLOCK);
    }

    @Test
    void wrongBytesOfTheBucketAreAskedForOnceMoreAndNeverServed() throws Exception {
        try (CachedFile file = tier.create(version(4, true))) {
            cloud.wrongReads.set(1000);
            assertThatThrownBy(() -> fetcher.fetch(file, 0, 3, BlockFetcher.Urgency.NOW))
                    .isInstanceOf(FetchFailedException.class)
                    .hasMessageContaining("CRC32C");
            assertThat(file.present().get(0)).isFalse();
            assertThat(cloud.reads).hasSize(2);
            cloud.wrongReads.set(1);
            fetcher.fetch(file, 0, 3, BlockFetcher.Urgency.NOW);
            assertContent(file);
        }
        assertThat(counters.figures(TierKind.CLOUD).corruptBlocks()).isEqualTo(3);
    }

    @Test
    void aPeerThatFailedIsAvoidedForAWhile() throws Exception {
        holders.hold(A, null);
        peers.failing.add(A);
        try (CachedFile file = tier.create(version(3, true))) {
            fetcher.fetch(file, 0);
            fetcher.fetch(file, 1);
            assertThat(peers.reads).as("asked once, then left alone").hasSize(1);
            peers.failing.clear();
            clock.advance(Duration.ofSeconds(3));
            fetcher.fetch(file, 2);
            assertThat(peers.reads).hasSize(2);
            assertContent(file);
        }
        assertThat(counters.figures(TierKind.PEER).failures()).isEqualTo(1);
    }

    @Test
    void whereAllFailTheErrorNamesEachSource() throws Exception {
        holders.hold(A, null);
        holders.hold(B, null);
        peers.failing.add(A);
        peers.missing.add(B);
        cloud.gone = true;
        try (CachedFile file = tier.create(version(1, true))) {
            assertThatThrownBy(() -> fetcher.fetch(file, 0))
                    .isInstanceOf(FetchFailedException.class)
                    .hasMessageContaining("node a at a:1: connection refused")
                    .hasMessageContaining("node b at b:1 does not have them")
                    .hasMessageContaining("the bucket does not have them");
        }
        try (CachedFile file = tier.create(version(1, false))) {
            holders.holders.clear();
            clock.advance(Duration.ofSeconds(2));
            await().untilAsserted(() -> assertThatThrownBy(() -> fetcher.fetch(file, 0))
                    .hasMessageContaining("no live node holds them and the bucket does not have this version"));
        }
    }

    @Test
    void aBusyPeerNamesOthersWhoAreAsked() throws Exception {
        holders.hold(A, null);
        peers.busy.add(A);
        peers.referrals.add(C);
        try (CachedFile file = tier.create(version(1, false))) {
            fetcher.fetch(file, 0);
            assertContent(file);
        }
        assertThat(peers.reads).containsExactly("a 0", "c 0");
    }

    @Test
    void whereAllAreBusyTheyAreAskedAgain() throws Exception {
        holders.hold(A, null);
        peers.busy.add(A);
        peers.busyAnswers.set(3);
        try (CachedFile file = tier.create(version(1, false))) {
            fetcher.fetch(file, 0);
            assertContent(file);
        }
        assertThat(peers.reads).hasSize(4);
    }

    @Test
    void blocksGoWhereTheyAre() throws Exception {
        holders.hold(A, BitSet.valueOf(new long[] {0b01}));
        holders.hold(B, BitSet.valueOf(new long[] {0b10}));
        try (CachedFile file = tier.create(version(2, false))) {
            fetcher.fetch(file, 0, 1, BlockFetcher.Urgency.NOW);
            assertContent(file);
        }
        assertThat(peers.reads).containsExactlyInAnyOrder("a 0", "b 4096");
    }

    @Test
    void completesInTheBackgroundAndGivesThePinBack() throws Exception {
        holders.hold(A, null);
        CachedFile file = tier.create(version(40, true));
        fetcher.complete(tier.find(9).orElseThrow()).get();
        assertContent(file);
        file.close();
        assertThat(peers.mostAtOnce.get()).isLessThanOrEqualTo(2);
    }

    @Test
    void whoWaitsIsNotHeldUpByWhatIsFetchedAhead() throws Exception {
        holders.hold(A, null);
        peers.gate = new CountDownLatch(1);
        try (CachedFile file = tier.create(version(40, true))) {
            var ahead = fetcher.fetchAhead(tier.find(9).orElseThrow(), 0, 19);
            await().until(() -> peers.reads.size() == 2);
            peers.ungated = 30L * BLOCK;
            fetcher.fetch(file, 30);
            assertThat(ahead).isNotDone();
            peers.gate.countDown();
            ahead.get();
        }
    }

    @Test
    void aFullDiskIsSaidSoAndTheBytesCanBeReadWithoutIt() throws Exception {
        holders.hold(A, null);
        FileVersion version = version(6, true);
        try (CachedFile file = tier.create(version)) {
            disk.fullAfter(0);
            clock.advance(Duration.ofSeconds(1));
            assertThatThrownBy(() -> fetcher.fetch(file, 0)).isInstanceOf(DiskException.class);
        }
        peers.reads.clear();
        peers.corruptBlock = 1;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment found = arena.allocate(100);
            MemorySegment expected = arena.allocate(100);
            for (long offset = 0; offset + 100 <= version.size(); offset += 100) {
                fetcher.read(version, offset, found);
                fill(expected, offset);
                assertThat(found.mismatch(expected)).as("at %d", offset).isEqualTo(-1);
            }
        }
        assertThat(peers.reads.size() + cloud.reads.size())
                .as("each block about once")
                .isEqualTo(7);
    }

    @Test
    void anInterruptedReaderLeavesTheTransferToTheOthers() throws Exception {
        holders.hold(A, null);
        peers.gate = new CountDownLatch(1);
        try (CachedFile file = tier.create(version(1, false))) {
            Thread impatient = Thread.ofVirtual().start(() -> {
                try {
                    fetcher.fetch(file, 0);
                } catch (IOException interrupted) {
                    Thread.currentThread().interrupt();
                }
            });
            await().until(() -> peers.reads.size() == 1);
            impatient.interrupt();
            impatient.join();
            peers.gate.countDown();
            fetcher.fetch(file, 0);
            assertContent(file);
            assertThat(peers.reads).hasSize(1);
        }
    }

    private static final class FakeDirectory implements BlockDirectory {
        final List<Holder> holders = new ArrayList<>();
        final ConcurrentLinkedQueue<String> advertised = new ConcurrentLinkedQueue<>();

        void hold(NodeAddress node, @Nullable BitSet blocks) {
            holders.add(new Holder(node, blocks));
        }

        @Override
        public List<Holder> holders(long ino, long version) {
            return List.copyOf(holders);
        }

        @Override
        public void advertise(long ino, long version, @Nullable BitSet blocks) {
            advertised.add(blocks == null ? "all" : blocks.toString());
        }
    }

    /** Peers that have everything, but for what they are told. */
    private static final class FakePeers implements PeerTier {
        final ConcurrentLinkedQueue<String> reads = new ConcurrentLinkedQueue<>();
        final List<NodeAddress> missing = new ArrayList<>();
        final List<NodeAddress> failing = new ArrayList<>();
        final List<NodeAddress> busy = new ArrayList<>();
        final List<NodeAddress> referrals = new ArrayList<>();
        final AtomicInteger atOnce = new AtomicInteger();
        final AtomicInteger mostAtOnce = new AtomicInteger();
        final AtomicInteger busyAnswers = new AtomicInteger(Integer.MAX_VALUE);
        volatile int corruptBlock = -1;
        volatile long ungated = -1;
        volatile @Nullable CountDownLatch gate;

        @Override
        public ReadOutcome read(NodeAddress peer, FileVersion version, long offset, MemorySegment target)
                throws IOException {
            reads.add(peer.id() + " " + offset);
            mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
            try {
                CountDownLatch latch = gate;
                if (latch != null && offset != ungated) {
                    latch.await();
                }
                Thread.sleep(1);
                return answer(peer, offset, target);
            } catch (InterruptedException e) {
                throw new IOException(e);
            } finally {
                atOnce.decrementAndGet();
            }
        }

        private ReadOutcome answer(NodeAddress peer, long offset, MemorySegment target) throws IOException {
            if (failing.contains(peer)) {
                throw new IOException("connection refused");
            }
            if (missing.contains(peer)) {
                return new ReadOutcome.Miss();
            }
            if (busy.contains(peer) && busyAnswers.getAndDecrement() > 0) {
                return new ReadOutcome.Busy(referrals);
            }
            fill(target, offset);
            long wrong = (long) corruptBlock * BLOCK - offset;
            if (wrong >= 0 && wrong < target.byteSize()) {
                target.set(ValueLayout.JAVA_BYTE, wrong, (byte) ~content(offset + wrong));
            }
            return new ReadOutcome.Hit((int) target.byteSize());
        }

        @Override
        public void close() {}
    }
}
