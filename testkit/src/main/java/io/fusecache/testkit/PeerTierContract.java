package io.fusecache.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fusecache.cache.PeerTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.NodeAddress;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link PeerTier} does, against a node that serves the files of a fake local tier. */
public abstract class PeerTierContract {
    protected static final int BLOCK = 1 << 20;
    protected static final long INO = 42;

    protected final Arena memory = Arena.ofShared();
    protected final ServedFiles files = new ServedFiles();
    private NodeAddress peer;
    private PeerTier tier;

    /** Starts a node that serves these files. */
    protected abstract NodeAddress serve(ServedFiles served) throws Exception;

    protected abstract PeerTier open() throws Exception;

    @BeforeEach
    void startBoth() throws Exception {
        peer = serve(files);
        tier = open();
    }

    @AfterEach
    void closeTier() throws Exception {
        tier.close();
        // A response ends on the peer a moment after its last byte was received.
        await("all pins given back").until(() -> files.pins() == 0);
        memory.close();
    }

    protected static byte[] content(int size, long seed) {
        byte[] bytes = new byte[size];
        RandomGenerator.of("SplittableRandom").nextBytes(bytes);
        ByteBuffer.wrap(bytes).putLong(0, seed);
        return bytes;
    }

    protected final ReadOutcome read(FileVersion version, long offset, MemorySegment target) throws IOException {
        return tier.read(peer, version, offset, target);
    }

    protected final void assertReads(FileVersion version, byte[] content, int offset, int size) throws IOException {
        MemorySegment target = memory.allocate(size);
        assertThat(read(version, offset, target)).isEqualTo(new ReadOutcome.Hit(size));
        assertThat(target.mismatch(MemorySegment.ofArray(Arrays.copyOfRange(content, offset, offset + size))))
                .isEqualTo(-1);
    }

    protected final void assertMisses(FileVersion version, long offset, int size) throws IOException {
        assertThat(read(version, offset, memory.allocate(size))).isEqualTo(new ReadOutcome.Miss());
    }

    @Test
    void rangesComeBackExactly() throws Exception {
        byte[] content = content(3 * BLOCK + 12_345, 1);
        for (boolean sealed : new boolean[] {true, false}) {
            FileVersion version = files.hold(INO, 7, BLOCK, content, sealed);
            assertReads(version, content, 0, content.length);
            assertReads(version, content, BLOCK, BLOCK);
            assertReads(version, content, BLOCK - 3, 7);
            assertReads(version, content, content.length - 1, 1);
            assertReads(version, content, 3 * BLOCK, 12_345);
        }
    }

    @Test
    void nothingIsReadAtOnce() throws Exception {
        FileVersion version = files.hold(INO, 7, BLOCK, content(100, 1), true);
        assertThat(read(version, 0, memory.allocate(1).asSlice(0, 0))).isEqualTo(new ReadOutcome.Hit(0));
    }

    @Test
    void aFileThatThePeerHasNotIsAMiss() throws Exception {
        assertMisses(new FileVersion(INO, 1, 100, BLOCK, null, null), 0, 100);
    }

    @Test
    void anotherVersionIsAMiss() throws Exception {
        byte[] content = content(100, 1);
        FileVersion seven = files.hold(INO, 7, BLOCK, content, true);
        FileVersion eight = files.hold(INO, 8, BLOCK, content, true);
        assertMisses(seven, 0, 100);
        assertReads(eight, content, 0, 100);
    }

    @Test
    void aBlockThatIsNotThereIsAMiss() throws Exception {
        byte[] content = content(3 * BLOCK, 1);
        FileVersion version = files.hold(INO, 7, BLOCK, content, true);
        files.lose(INO, 1);
        assertReads(version, content, 0, BLOCK);
        assertReads(version, content, 2 * BLOCK, BLOCK);
        assertMisses(version, BLOCK, 10);
        assertMisses(version, BLOCK - 1, 2);
    }

    @Test
    void aBlockThatRottedOnThePeerIsAMiss() throws Exception {
        FileVersion version = files.hold(INO, 7, BLOCK, content(2 * BLOCK, 1), true);
        files.rot(INO, 1);
        assertMisses(version, 0, 2 * BLOCK);
    }

    @Test
    void aFileThatIsBeingWrittenIsBusy() throws Exception {
        FileVersion version = files.hold(INO, 7, BLOCK, content(100, 1), true);
        files.beginWriting(INO);
        assertThat(read(version, 0, memory.allocate(100))).isEqualTo(new ReadOutcome.Busy(List.of()));
    }

    @Test
    void aFileOfAnotherSizeIsAMissOrFails() throws Exception {
        files.hold(INO, 7, BLOCK, content(100, 1), true);
        assertMisses(new FileVersion(INO, 7, 200, BLOCK, null, null), 100, 100);
    }
}
