package io.fusecache.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.cache.BlockChecksum;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.CorruptBlockException;
import io.fusecache.cache.LocalTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link LocalTier} does. A subclass says how one is opened, and opened again after its process died. */
public abstract class LocalTierContract {
    protected static final int BLOCK = 4096;
    protected static final long INO = 77;

    protected final Arena memory = Arena.ofShared();
    private LocalTier tier;

    /** An empty tier of at least 64 blocks. */
    protected abstract LocalTier open() throws Exception;

    /** The tier as a new process finds it, after the old one was killed: nothing was closed in order. */
    protected abstract LocalTier reopenAfterKill(LocalTier killed) throws Exception;

    @BeforeEach
    void openTier() throws Exception {
        tier = open();
    }

    @AfterEach
    void closeTier() throws Exception {
        tier.close();
        memory.close();
    }

    protected LocalTier tier() {
        return tier;
    }

    protected void kill() throws Exception {
        tier = reopenAfterKill(tier);
    }

    /** Bytes that differ from block to block and from seed to seed. */
    protected MemorySegment bytes(int seed, int length) {
        MemorySegment bytes = memory.allocate(Math.max(1, length)).asSlice(0, length);
        for (int i = 0; i < length; i++) {
            bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (seed * 31 + i * 7 + (i >> 8)));
        }
        return bytes;
    }

    /** A sealed version whose block {@code b} is {@code bytes(seed + b, ...)}. */
    protected FileVersion version(long ino, long number, long size, int seed) {
        FileVersion plain = new FileVersion(ino, number, size, BLOCK, null, null);
        int[] sums = new int[plain.blocks()];
        for (int b = 0; b < sums.length; b++) {
            sums[b] = BlockChecksum.of(bytes(seed + b, plain.bytesInBlock(b)));
        }
        return new FileVersion(ino, number, size, BLOCK, sums, null);
    }

    protected void store(CachedFile file, int block, int seed) throws IOException {
        file.store(block, bytes(seed + block, file.version().bytesInBlock(block)));
    }

    protected CachedFile filled(FileVersion version, int seed) throws IOException {
        CachedFile file = tier.create(version);
        for (int b = 0; b < version.blocks(); b++) {
            store(file, b, seed);
        }
        return file;
    }

    protected static FileVersion inBucket(FileVersion version) {
        return new FileVersion(
                version.ino(),
                version.version(),
                version.size(),
                version.blockBytes(),
                version.checksums(),
                new ObjectRef("k" + version.ino(), "e" + version.version()));
    }

    protected void assertContent(CachedFile file, int seed) throws IOException {
        for (int b = 0; b < file.version().blocks(); b++) {
            int length = file.version().bytesInBlock(b);
            MemorySegment read = memory.allocate(length);
            assertThat(file.read((long) b * BLOCK, read)).isEqualTo(new ReadOutcome.Hit(length));
            assertThat(read.mismatch(bytes(seed + b, length))).as("block " + b).isEqualTo(-1);
        }
    }

    protected static void flipBit(Path file, long at) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, at);
            one.put(0, (byte) (one.get(0) ^ 4)).rewind();
            channel.write(one, at);
        }
    }

    @Test
    void knowsNothingOfAnInodeThatWasNeverCreated() throws Exception {
        assertThat(tier.find(INO)).isEmpty();
        assertThat(tier.unpersisted()).isEmpty();
    }

    @Test
    void fillsBlockByBlockUntilWhole() throws Exception {
        FileVersion version = version(INO, 3, 2 * BLOCK + 10, 1);
        try (CachedFile file = tier.create(version)) {
            assertThat(file.whole()).isFalse();
            assertThat(file.read(0, memory.allocate(1))).isEqualTo(new ReadOutcome.Miss());
            store(file, 2, 1);
            store(file, 0, 1);
            assertThat(file.present()).isEqualTo(BitSet.valueOf(new long[] {0b101}));
            assertThat(file.read(BLOCK - 1, memory.allocate(2))).isEqualTo(new ReadOutcome.Miss());
            store(file, 1, 1);
            assertThat(file.whole()).isTrue();
            assertThat(file.verify(0, 3)).isTrue();
            assertContent(file, 1);
            assertThat(file.file().stat().size()).isEqualTo(version.size());
        }
    }

    @Test
    void readsToTheEndOfTheContentAndNoFurther() throws Exception {
        try (CachedFile file = filled(version(INO, 1, 100, 5), 5)) {
            assertThat(file.read(60, memory.allocate(100))).isEqualTo(new ReadOutcome.Hit(40));
            assertThat(file.read(100, memory.allocate(100))).isEqualTo(new ReadOutcome.Hit(0));
            assertThat(file.read(1000, memory.allocate(100))).isEqualTo(new ReadOutcome.Hit(0));
        }
    }

    @Test
    void refusesABlockWithAnotherChecksumAndStoresNothing() throws Exception {
        try (CachedFile file = tier.create(version(INO, 1, BLOCK, 1))) {
            MemorySegment wrong = bytes(1, BLOCK);
            wrong.set(ValueLayout.JAVA_BYTE, 9, (byte) ~wrong.get(ValueLayout.JAVA_BYTE, 9));
            assertThatThrownBy(() -> file.store(0, wrong)).isInstanceOf(CorruptBlockException.class);
            assertThat(file.present().isEmpty()).isTrue();
            assertThat(file.read(0, memory.allocate(1))).isEqualTo(new ReadOutcome.Miss());
        }
    }

    @Test
    void refusesABlockOfAnotherLength() throws Exception {
        try (CachedFile file = tier.create(version(INO, 1, BLOCK, 1))) {
            assertThatThrownBy(() -> file.store(0, bytes(1, BLOCK - 1))).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void keepsWhatItHoldsOverAKill() throws Exception {
        CachedFile file = filled(version(INO, 3, 3 * BLOCK, 1), 1);
        kill();
        try (CachedFile found = tier.find(INO).orElseThrow()) {
            assertThat(found.version()).isEqualTo(version(INO, 3, 3 * BLOCK, 1));
            assertThat(found.incarnation()).isEqualTo(file.incarnation());
            assertThat(found.whole()).isTrue();
            assertThat(found.verified()).isFalse();
            assertThat(found.verify(0, 3)).isTrue();
            assertThat(found.verified()).isTrue();
            assertContent(found, 1);
        }
        try (CachedFile again = tier.find(INO).orElseThrow()) {
            assertThat(again.verified()).as("checked once per process").isTrue();
        }
        assertThat(tier.unpersisted()).isEmpty();
        assertThat(tier.usage().usedBytes()).isEqualTo(3 * BLOCK);
    }

    @Test
    void aBitFlippedOnDiskIsFoundDroppedAndCounted() throws Exception {
        CachedFile file = filled(version(INO, 3, 3 * BLOCK, 1), 1);
        Path path = file.path();
        kill();
        flipBit(path, BLOCK + 100);
        try (CachedFile found = tier.find(INO).orElseThrow()) {
            assertThat(found.verify(0, 3)).isFalse();
            assertThat(found.present()).isEqualTo(BitSet.valueOf(new long[] {0b101}));
            assertThat(found.read(BLOCK, memory.allocate(1))).isEqualTo(new ReadOutcome.Miss());
            assertThat(tier.usage().corruptBlocks()).isEqualTo(1);
            store(found, 1, 1);
            assertThat(found.verify(0, 3)).isTrue();
            assertContent(found, 1);
        }
    }

    @Test
    void whatAFetchBroughtIsCheckedAfterAKillEvenWhereTheVersionIsNotSealed() throws Exception {
        FileVersion unsealed = new FileVersion(INO, 4, BLOCK, BLOCK, null, new ObjectRef("k", "e"));
        CachedFile file = tier.create(unsealed);
        file.store(0, bytes(9, BLOCK));
        kill();
        flipBit(file.path(), 0);
        try (CachedFile found = tier.find(INO).orElseThrow()) {
            assertThat(found.verify(0, 1)).isFalse();
            assertThat(found.whole()).isFalse();
        }
    }

    @Test
    void aNewFileIsWholeAndEmptyAndMayBeWritten() throws Exception {
        try (CachedFile file = tier.create(FileVersion.empty(INO, BLOCK))) {
            assertThat(file.whole()).isTrue();
            file.beginWriting();
            assertThat(file.writing()).isTrue();
            file.file().write(0, bytes(2, BLOCK));
            file.file().write(BLOCK, bytes(3, 100));
            FileVersion committed = new FileVersion(INO, 1, BLOCK + 100, BLOCK, null, null);
            file.committed(committed, false);
            assertThat(file.writing()).isFalse();
            assertThat(file.whole()).isTrue();
            int[] sums = file.checksum(committed.size(), BLOCK);
            file.sealed(1, sums);
            assertThat(file.version()).isEqualTo(version(INO, 1, BLOCK + 100, 2));
            assertContent(file, 2);
        }
        assertThat(tier.unpersisted())
                .containsExactly(new LocalTier.Unpersisted(INO, version(INO, 1, BLOCK + 100, 2), false));
        assertThat(tier.usage().unpersistedBytes()).isEqualTo(BLOCK + 100);
    }

    @Test
    void whatTheBucketLostIsKeptAgainAndComesBackAfterAKill() throws Exception {
        FileVersion lost = version(INO, 2, BLOCK, 1);
        CachedFile fetched = filled(inBucket(lost), 1);
        fetched.unpersisted(1);
        assertThat(tier.unpersisted()).isEmpty();
        fetched.unpersisted(2);
        assertThat(fetched.version()).isEqualTo(lost);
        assertThat(tier.usage().unpersistedBytes()).isEqualTo(BLOCK);
        kill();
        assertThat(tier.unpersisted()).containsExactly(new LocalTier.Unpersisted(INO, lost, false));
        try (CachedFile found = tier.find(INO).orElseThrow()) {
            assertContent(found, 1);
            found.beginWriting();
            found.committed(inBucket(lost), false);
            assertThat(tier.unpersisted()).hasSize(1);
            found.persisted(inBucket(lost));
            assertThat(tier.unpersisted()).isEmpty();
        }
    }

    @Test
    void unpersistedFilesComeBackAfterAKillOldestCommitFirst() throws Exception {
        CachedFile first = written(INO, 1);
        CachedFile second = written(INO + 1, 5);
        CachedFile open = tier.create(FileVersion.empty(INO + 2, BLOCK));
        open.beginWriting();
        open.file().write(0, bytes(1, 10));
        CachedFile uploaded = written(INO + 3, 9);
        uploaded.persisted(inBucket(uploaded.version()));
        kill();
        assertThat(tier.unpersisted())
                .containsExactlyInAnyOrder(
                        new LocalTier.Unpersisted(INO, first.version(), false),
                        new LocalTier.Unpersisted(INO + 1, second.version(), false),
                        new LocalTier.Unpersisted(INO + 2, FileVersion.empty(INO + 2, BLOCK), true));
        assertThat(tier.unpersisted().stream().map(LocalTier.Unpersisted::ino).filter(i -> i != INO + 2))
                .containsExactly(INO, INO + 1);
        try (CachedFile found = tier.find(INO + 2).orElseThrow()) {
            assertThat(found.writing()).isTrue();
            assertThat(found.read(0, memory.allocate(10))).isEqualTo(new ReadOutcome.Hit(10));
        }
    }

    protected CachedFile written(long ino, int seed) throws IOException {
        CachedFile file = tier.create(FileVersion.empty(ino, BLOCK));
        file.beginWriting();
        file.file().write(0, bytes(seed, BLOCK));
        file.committed(new FileVersion(ino, 1, BLOCK, BLOCK, null, null), false);
        return file;
    }

    @Test
    void writingOverABaseThatIsNotWholeKeepsOwnBlocksAndTakesTheRestFromTheBase() throws Exception {
        FileVersion base = inBucket(version(INO, 1, 3 * BLOCK, 1));
        try (CachedFile file = tier.create(base)) {
            file.beginWriting();
            file.dirtied(1, 1);
            file.file().write(BLOCK, bytes(50, BLOCK));
            store(file, 0, 1);
            file.store(1, bytes(2, BLOCK));
            assertThat(file.present()).isEqualTo(BitSet.valueOf(new long[] {0b11}));
            FileVersion next = new FileVersion(INO, 2, 5 * BLOCK, BLOCK, null, null);
            file.file().truncate(next.size());
            file.committed(next, false);
            assertThat(file.present()).isEqualTo(BitSet.valueOf(new long[] {0b11011}));
            MemorySegment read = memory.allocate(BLOCK);
            file.read(BLOCK, read);
            assertThat(read.mismatch(bytes(50, BLOCK))).isEqualTo(-1);
            store(file, 2, 1);
            assertThat(file.whole()).isTrue();
        }
    }

    @Test
    void aWritingThatChangedNothingEndsWithTheSameVersion() throws Exception {
        FileVersion base = inBucket(version(INO, 2, BLOCK, 1));
        try (CachedFile file = filled(base, 1)) {
            file.beginWriting();
            assertThat(tier.unpersisted()).hasSize(1);
            file.committed(base, false);
            assertThat(file.writing()).isFalse();
            assertThat(tier.unpersisted()).isEmpty();
            assertThat(file.verify(0, 1)).isTrue();
        }
    }

    @Test
    void aSealForAVersionThatWasOvertakenChangesNothing() throws Exception {
        try (CachedFile file = written(INO, 1)) {
            file.sealed(7, new int[] {1});
            assertThat(file.version().sealed()).isFalse();
        }
    }

    @Test
    void aNewIncarnationLeavesTheOldOneToThoseWhoHaveIt() throws Exception {
        CachedFile old = filled(version(INO, 1, BLOCK, 1), 1);
        CachedFile fresh = filled(version(INO, 2, BLOCK, 40), 40);
        assertThat(fresh.incarnation()).isNotEqualTo(old.incarnation());
        assertContent(old, 1);
        try (CachedFile found = tier.find(INO).orElseThrow()) {
            assertThat(found.incarnation()).isEqualTo(fresh.incarnation());
        }
        Path gone = old.path();
        old.close();
        assertThat(gone).doesNotExist();
        assertContent(fresh, 40);
        fresh.close();
        kill();
        try (CachedFile found = tier.find(INO).orElseThrow()) {
            assertThat(found.version().version()).isEqualTo(2);
        }
    }

    @Test
    void afterAKillTheNewerOfTwoIncarnationsStands() throws Exception {
        CachedFile old = filled(version(INO, 1, BLOCK, 1), 1);
        CachedFile fresh = filled(version(INO, 2, BLOCK, 40), 40);
        kill();
        try (CachedFile found = tier.find(INO).orElseThrow()) {
            assertThat(found.incarnation()).isEqualTo(fresh.incarnation());
        }
        assertThat(old.path()).doesNotExist();
        assertThat(tier.usage().files()).isEqualTo(1);
    }

    @Test
    void aDiscardedFileIsGoneThoughReadersGoOn() throws Exception {
        try (CachedFile file = filled(version(INO, 1, BLOCK, 1), 1)) {
            tier.discard(INO);
            assertThat(tier.find(INO)).isEmpty();
            assertContent(file, 1);
        }
        assertThat(tier.usage().usedBytes()).isZero();
        kill();
        assertThat(tier.find(INO)).isEmpty();
    }

    @Test
    void aPinOfManyIsGivenBackOnce() throws Exception {
        CachedFile first = filled(version(INO, 1, BLOCK, 1), 1);
        CachedFile second = tier.find(INO).orElseThrow();
        first.close();
        first.close();
        assertContent(second, 1);
        assertThatThrownBy(first::version).isInstanceOf(IllegalStateException.class);
        second.close();
    }

    @Test
    void listsWhatItHolds() throws Exception {
        filled(version(INO, 3, BLOCK + 1, 1), 1).close();
        written(INO + 1, 2).close();
        assertThat(tier.files(10))
                .containsExactlyInAnyOrder(
                        new LocalTier.CachedFileSummary(INO, 3, BLOCK + 1, BLOCK + 1, true, true),
                        new LocalTier.CachedFileSummary(INO + 1, 1, BLOCK, BLOCK, true, false));
        assertThat(tier.files(1)).hasSize(1);
    }

    @Test
    void storesOfTheSameBlockFromManyThreadsAreOne() throws Exception {
        try (CachedFile file = tier.create(version(INO, 1, 8 * BLOCK, 1))) {
            List<Thread> threads = new java.util.ArrayList<>();
            for (int t = 0; t < 8; t++) {
                threads.add(Thread.ofVirtual().start(() -> {
                    for (int b = 0; b < 8; b++) {
                        try {
                            store(file, b, 1);
                        } catch (IOException e) {
                            throw new AssertionError(e);
                        }
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(file.whole()).isTrue();
            assertThat(tier.usage().usedBytes()).isEqualTo(8 * BLOCK);
            assertContent(file, 1);
        }
    }
}
