package io.fusecache.tiers.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.DiskException;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.NodeId;
import io.fusecache.testkit.ChannelDisk;
import io.fusecache.testkit.FaultyDisk;
import io.fusecache.testkit.LocalTierContract;
import io.fusecache.testkit.SimulatedClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NvmeTierTest extends LocalTierContract {
    private static final NodeId NODE = new NodeId("node-1");
    private static final int CAPACITY_BLOCKS = 100;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk(new ChannelDisk());
    private final BufferArena buffers = new BufferArena(4 << 20, 4096, 1 << 20);
    private final SimulatedClock clock = new SimulatedClock();
    private int directories = 1;

    private NvmeOptions options() {
        List<Path> paths = new ArrayList<>();
        for (int i = 0; i < directories; i++) {
            paths.add(directory.resolve("nvme" + i));
        }
        return new NvmeOptions(paths, "vol", "", NODE, (long) CAPACITY_BLOCKS * BLOCK, 10L * BLOCK, 0.9, 0.5, 1000);
    }

    @Override
    protected LocalTier open() throws Exception {
        return NvmeTier.open(options(), disk, buffers, clock);
    }

    @Override
    protected LocalTier reopenAfterKill(LocalTier killed) throws Exception {
        // Closing the tier writes nothing: the pins that are open are as those of a process that was killed.
        killed.close();
        clock.advance(Duration.ofSeconds(1));
        NvmeTier tier = NvmeTier.open(options(), disk, buffers, clock);
        tier.awaitScan();
        return tier;
    }

    @Test
    void twoClientsCannotShareADirectory() {
        assertThatThrownBy(() -> NvmeTier.open(options(), disk, buffers, clock))
                .isInstanceOf(CacheDirectoryException.class)
                .hasMessageContaining("in use by another client")
                .hasMessageContaining("-nvme");
        assertThatThrownBy(() -> NvmeTier.open(options(), disk, buffers, clock))
                .as("and a failed attempt does not give up the lock")
                .hasMessageContaining("in use by another client");
    }

    @Test
    void theCacheOfAnotherMountIsRefused() throws Exception {
        tier().close();
        NvmeOptions mine = options();
        NvmeOptions other = NvmeOptions.of(mine.directories(), "vol2", NODE, 1 << 20, 0);
        assertThatThrownBy(() -> NvmeTier.open(other, disk, buffers, clock))
                .isInstanceOf(CacheDirectoryException.class)
                .hasMessageContaining("belongs to node node-1 of volume vol, not to node node-1 of volume vol2");
        assertThat(NvmeTier.nodeOf(mine.directories().getFirst())).contains(NODE);
        assertThat(NvmeTier.nodeOf(directory)).isEmpty();
        kill();
    }

    @Test
    void nothingOfAFormerNamespaceIsServedAndWhatOnlyThisNodeHasIsKept() throws Exception {
        CachedFile uploaded = written(1, 5);
        uploaded.persisted(inBucket(uploaded.version()));
        Path waiting = written(2, 7).path();
        byte[] bytes = Files.readAllBytes(waiting);
        CachedFile open = tier().create(FileVersion.empty(3, BLOCK));
        open.beginWriting();
        open.file().write(0, bytes(1, 10));
        tier().close();

        NvmeOptions first = options().withNamespace("aa");
        NvmeTier adopting = NvmeTier.open(first, disk, buffers, clock);
        assertThat(adopting.find(1))
                .as("a cache of before there were namespaces")
                .isPresent();
        adopting.close();
        NvmeTier same = NvmeTier.open(first, disk, buffers, clock);
        assertThat(same.find(2)).isPresent();
        same.close();

        NvmeTier other = NvmeTier.open(options().withNamespace("bb"), disk, buffers, clock);
        other.awaitScan();
        assertThat(other.unpersisted()).isEmpty();
        for (long ino = 1; ino <= 3; ino++) {
            assertThat(other.find(ino)).isEmpty();
        }
        other.close();
        Path lost = directory.resolve("nvme0/lost");
        try (Stream<Path> kept = Files.list(lost)) {
            assertThat(kept.map(Path::getFileName).map(Path::toString))
                    .containsExactlyInAnyOrder("aa.2.0", "aa.2.0.record", "aa.3.0", "aa.3.0.record");
        }
        assertThat(lost.resolve("aa.2.0")).hasBinaryContent(bytes);
        assertThat(lost.resolve("aa.3.0")).hasSize(10);
        kill();
    }

    @Test
    void aDirectoryThatIsAFileIsRefused() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));
        assertThatThrownBy(
                        () -> NvmeTier.open(NvmeOptions.of(List.of(file), "v", NODE, 1 << 20, 0), disk, buffers, clock))
                .isInstanceOf(CacheDirectoryException.class)
                .hasMessageContaining("is not a directory");
    }

    @Test
    void evictsTheColdestToMakeRoom() throws Exception {
        for (int i = 0; i < 10; i++) {
            filled(version(i, 1, 9 * BLOCK, 1), 1).close();
        }
        tier().find(0).orElseThrow().close();
        filled(version(20, 1, 20 * BLOCK, 1), 1).close();
        await().untilAsserted(() ->
                assertThat(tier().usage().usedBytes()).isLessThanOrEqualTo(CAPACITY_BLOCKS * 9 / 10 * BLOCK));
        assertThat(tier().find(0)).as("used again").isPresent();
        assertThat(tier().find(20)).isPresent();
        assertThat(tier().find(1)).as("coldest").isEmpty();
        assertThat(tier().usage().evictions()).isGreaterThanOrEqualTo(2);
        assertThat(Files.exists(directory.resolve("nvme0/data/001/1.0"))).isFalse();
    }

    @Test
    void neverEvictsWhatIsPinnedOrNotInTheBucket() throws Exception {
        CachedFile pinned = filled(version(1, 1, 30 * BLOCK, 1), 1);
        for (int i = 0; i < 30; i++) {
            written(100 + i, i).close();
        }
        assertThatThrownBy(() -> filled(version(2, 1, 90 * BLOCK, 1), 1))
                .isInstanceOfSatisfying(
                        DiskException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC));
        assertContent(pinned, 1);
        assertThat(tier().unpersisted()).hasSize(30);
        assertThat(tier().hasRoom(60L * BLOCK)).isFalse();
        pinned.close();
        try (CachedFile one = tier().find(100).orElseThrow()) {
            one.persisted(inBucket(one.version()));
        }
        assertThat(tier().unpersisted()).hasSize(29);
    }

    @Test
    void aDiskBelowItsReserveTakesNothingThatEvictionCannotMakeRoomFor() throws Exception {
        filled(version(1, 1, 5 * BLOCK, 1), 1).close();
        disk.fullAfter(9L * BLOCK);
        clock.advance(Duration.ofSeconds(1));
        assertThat(tier().hasRoom(0)).isFalse();
        assertThatThrownBy(() -> tier().create(FileVersion.empty(3, BLOCK)))
                .isInstanceOfSatisfying(
                        DiskException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC));
        assertThat(tier().usage().files()).as("everything that could go went").isZero();
        disk.healthy();
        clock.advance(Duration.ofSeconds(1));
        tier().create(FileVersion.empty(3, BLOCK)).close();
    }

    @Test
    void aWriteThatFailsStoresNothingAndAnotherAttemptMay() throws Exception {
        try (CachedFile file = tier().create(version(1, 1, BLOCK, 1))) {
            disk.failing((operation, path) ->
                    operation == FaultyDisk.Operation.WRITE && !path.toString().endsWith(".record") ? Errno.EIO : null);
            assertThatThrownBy(() -> store(file, 0, 1)).isInstanceOf(DiskException.class);
            assertThat(file.whole()).isFalse();
            disk.healthy();
            store(file, 0, 1);
            assertContent(file, 1);
        }
    }

    @Test
    void writingDoesNotBeginWhereItCannotBeRecorded() throws Exception {
        try (CachedFile file = filled(inBucket(version(1, 1, BLOCK, 1)), 1)) {
            disk.failing((operation, path) -> operation == FaultyDisk.Operation.WRITE ? Errno.EIO : null);
            assertThatThrownBy(file::beginWriting).isInstanceOf(IOException.class);
            assertThat(file.writing()).isFalse();
            disk.healthy();
            file.beginWriting();
            assertThat(file.writing()).isTrue();
        }
    }

    @Test
    void anIncarnationNumberIsNotUsedWhileAnotherLivesByIt() throws Exception {
        List<CachedFile> pins = new ArrayList<>();
        for (int v = 1; v <= 5; v++) {
            pins.add(filled(version(INO, v, BLOCK, v), v));
        }
        assertThat(pins.stream().map(CachedFile::incarnation).distinct()).hasSize(5);
        for (int v = 1; v <= 5; v++) {
            assertContent(pins.get(v - 1), v);
            pins.get(v - 1).close();
        }
        assertThat(tier().usage().files()).isEqualTo(1);
    }

    @Test
    void spreadsOverSeveralDirectories() throws Exception {
        tier().close();
        directories = 2;
        kill();
        filled(version(1, 1, BLOCK, 1), 1).close();
        kill();
        try (CachedFile file = tier().find(1).orElseThrow()) {
            assertContent(file, 1);
        }
    }

    @Test
    void whatACrashLeftBesideTheFilesIsRemoved() throws Exception {
        filled(version(INO, 1, BLOCK, 1), 1).close();
        Path shard = directory.resolve("nvme0/data/04d");
        Files.createFile(shard.resolve("1101.0"));
        Files.createFile(shard.resolve("2125.0.record"));
        Files.createFile(shard.resolve("77.0.record.new"));
        kill();
        try (var names = Files.list(shard)) {
            assertThat(names.map(p -> p.getFileName().toString())).containsExactlyInAnyOrder("77.0", "77.0.record");
        }
    }

    @Test
    void anInodeIsFoundBeforeTheScanHasReachedIt() throws Exception {
        for (int i = 0; i < 200; i++) {
            filled(version(i, 1, 100, i), i).close();
        }
        tier().close();
        try (NvmeTier early = NvmeTier.open(options(), disk, buffers, clock)) {
            for (int i = 199; i >= 0; i--) {
                try (CachedFile file = early.find(i).orElseThrow()) {
                    assertContent(file, i);
                }
            }
            assertThat(early.find(500)).isEmpty();
        }
        kill();
    }

    @Test
    void aRecordThatOutgrowsItsStateIsWrittenAnew() throws Exception {
        FileVersion base = inBucket(version(INO, 1, BLOCK, 1));
        try (CachedFile file = filled(base, 1)) {
            for (int i = 0; i < 2000; i++) {
                file.beginWriting();
                file.committed(base, false);
            }
        }
        assertThat(Files.size(directory.resolve("nvme0/data/04d/77.0.record"))).isLessThan(20_000);
        kill();
        try (CachedFile file = tier().find(INO).orElseThrow()) {
            assertThat(file.version()).isEqualTo(base);
            assertThat(file.whole()).isTrue();
        }
    }

    @Test
    void fsyncMakesTheRecordAndItsNameDurableToo() throws Exception {
        List<String> synced = new ArrayList<>();
        try (CachedFile file = written(INO, 1)) {
            disk.failing((operation, path) -> {
                if (operation == FaultyDisk.Operation.SYNC || operation == FaultyDisk.Operation.SYNC_DIRECTORY) {
                    synced.add(path.getFileName().toString());
                }
                return null;
            });
            file.sync(true);
            assertThat(synced).containsExactly("77.0", "77.0.record", "04d", "pending");
            synced.clear();
            file.sync(true);
            assertThat(synced).containsExactly("77.0");
        }
    }
}
