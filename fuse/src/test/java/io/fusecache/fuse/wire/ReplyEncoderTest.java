package io.fusecache.fuse.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReplyEncoderTest {
    private static final Attributes ATTRIBUTES =
            new Attributes(1, 2, 3, 4, 7, 5, 8, 6, 9, 0100644, 11, 12, 13, 0x12345678, 4096, 1);

    /** A dirty buffer: nothing of it may go out. */
    private final byte[] bytes = new byte[512];

    private final MemorySegment out = MemorySegment.ofArray(bytes).fill((byte) 0xee);

    private ByteBuffer little() {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void assertBody(int length, Object... fields) {
        ByteBuffer in = little();
        for (Object field : fields) {
            switch (field) {
                case Long l -> assertThat(in.getLong()).isEqualTo(l);
                case Integer i -> assertThat(in.getInt()).isEqualTo(i);
                case Short s -> assertThat(in.getShort()).isEqualTo(s);
                default -> throw new AssertionError(field);
            }
        }
        assertThat(in.position()).isEqualTo(length);
        for (int i = length; i < bytes.length; i++) {
            assertThat(bytes[i]).isEqualTo((byte) 0xee);
        }
    }

    @Test
    void theErrorIsNegatedInTheHeader() {
        assertThat(ReplyEncoder.header(out, 0, 16, Errno.ENOENT, 0x1122334455667788L))
                .isEqualTo(16);
        assertBody(16, 16, -2, 0x1122334455667788L);
    }

    @Test
    void anEntryIsLaidOutAsTheKernelWants() {
        int length = ReplyEncoder.entry(out, 0, new EntryReply(99, 5, 3_000_000_007L, 2_000_000_001L, ATTRIBUTES));
        assertBody(
                length,
                99L,
                5L,
                3L,
                2L,
                7,
                1,
                1L,
                2L,
                3L,
                4L,
                5L,
                6L,
                7,
                8,
                9,
                0100644,
                11,
                12,
                13,
                0x12345678,
                4096,
                1);
        assertThat(length).isEqualTo(128);
    }

    @Test
    void attributesAreLaidOut() {
        int length = ReplyEncoder.attributes(out, 0, new AttributesReply(1_000_000_002L, ATTRIBUTES));
        assertBody(length, 1L, 2, 0, 1L, 2L, 3L, 4L, 5L, 6L, 7, 8, 9, 0100644, 11, 12, 13, 0x12345678, 4096, 1);
        assertThat(length).isEqualTo(104);
    }

    @Test
    void smallAnswersAreLaidOut() {
        assertBody(ReplyEncoder.open(out, 0, new OpenReply(7, OpenReply.PASSTHROUGH, 3)), 7L, 128, 3);
        out.fill((byte) 0xee);
        assertBody(ReplyEncoder.count(out, 0, 77), 77, 0);
        out.fill((byte) 0xee);
        assertBody(ReplyEncoder.number(out, 0, 1L << 40), 1L << 40);
        out.fill((byte) 0xee);
        assertBody(ReplyEncoder.lock(out, 0, new FileLock(1, 2, 3, 4)), 1L, 2L, 3, 4);
        out.fill((byte) 0xee);
        assertBody(ReplyEncoder.ioctl(out, 0, -1, 2, 3, 4), -1, 2, 3, 4);
        out.fill((byte) 0xee);
        assertBody(
                ReplyEncoder.statfs(out, 0, new StatfsReply(1, 2, 3, 4, 5, 6, 7, 8)),
                1L,
                2L,
                3L,
                4L,
                5L,
                6,
                7,
                8,
                0,
                0,
                0,
                0,
                0,
                0,
                0);
    }

    @Test
    void statxSplitsTheDeviceNumberAndZeroesTheRest() {
        int length = ReplyEncoder.statx(
                out, 0, new StatxReply(1_000_000_002L, StatxReply.BASIC_STATS, ATTRIBUTES, 21, 22, 23, 24));
        assertThat(length).isEqualTo(288);
        ByteBuffer in = little();
        assertThat(in.getInt(32)).isEqualTo(StatxReply.BASIC_STATS);
        assertThat(in.getShort(60)).isEqualTo((short) 0100644);
        assertThat(in.getLong(32 + 80)).isEqualTo(21);
        assertThat(in.getInt(32 + 88)).isEqualTo(22);
        assertThat(in.getLong(32 + 96)).isEqualTo(6);
        assertThat(in.getLong(32 + 112)).isEqualTo(5);
        assertThat(in.getInt(32 + 128)).isEqualTo(0x456);
        assertThat(in.getInt(32 + 132)).isEqualTo(0x12378);
        assertThat(in.getLong(32 + 248)).isZero();
    }

    @Test
    void initAnswersSixtyFourFlags() {
        long flags = InitFlag.PASSTHROUGH.bit() | InitFlag.INIT_EXT.bit();
        int length = ReplyEncoder.init(out, 0, new InitReply(7, 45, 131072, flags, 64, 48, 1 << 20, 1, 256, 1));
        assertBody(
                length,
                7,
                45,
                131072,
                1 << 30,
                (short) 64,
                (short) 48,
                1 << 20,
                1,
                (short) 256,
                (short) 0,
                1 << 5,
                1,
                0,
                0,
                0,
                0,
                0,
                0);
        assertThat(length).isEqualTo(64);
    }

    @Test
    void notificationsAreLaidOut() {
        assertBody(NotifyEncoder.invalInode(out, 5, -1, 0), 40, 2, 0L, 5L, -1L, 0L);
        out.fill((byte) 0xee);
        assertThat(NotifyEncoder.invalEntry(out, 5, FileName.of("abc"), 1)).isEqualTo(36);
        assertThat(little().getInt(0)).isEqualTo(36);
        assertThat(little().getInt(4)).isEqualTo(3);
        assertThat(little().getInt(24)).isEqualTo(3);
        assertThat(bytes[35]).isZero();
        out.fill((byte) 0xee);
        assertBody(NotifyEncoder.store(out, 5, 6, 100), 140, 4, 0L, 5L, 6L, 100, 0);
        out.fill((byte) 0xee);
        assertBody(NotifyEncoder.retrieve(out, 9, 5, 6, 100), 48, 5, 0L, 9L, 5L, 6L, 100, 0);
        out.fill((byte) 0xee);
        assertThat(NotifyEncoder.delete(out, 5, 6, FileName.of("abc"))).isEqualTo(44);
        assertThat(little().getInt(4)).isEqualTo(6);
        out.fill((byte) 0xee);
        assertBody(NotifyEncoder.resend(out), 16, 7, 0L);
        out.fill((byte) 0xee);
        assertBody(NotifyEncoder.incEpoch(out), 16, 8, 0L);
        out.fill((byte) 0xee);
        assertBody(NotifyEncoder.prune(out, 2), 48, 9, 0L, 2, 0, 0L);
        out.fill((byte) 0xee);
        assertBody(NotifyEncoder.poll(out, 3), 24, 1, 0L, 3L);
    }

    @Test
    void aListingEndsBeforeTheEntryThatDoesNotFit() {
        DirectoryBuffer listing = new DirectoryBuffer(out.asSlice(0, 80), false);
        assertThat(listing.isEmpty()).isTrue();
        assertThat(listing.add(11, 0040755, FileName.of("a"), 1)).isTrue();
        assertThat(listing.add(12, 0100644, FileName.of("a name of 20 bytes.."), 2))
                .isTrue();
        assertThat(listing.add(13, 0100644, FileName.of("c"), 3)).isFalse();
        assertThat(listing.entries()).isEqualTo(2);
        ByteBuffer in = ByteBuffer.wrap(listing.content().toArray(ValueLayout.JAVA_BYTE))
                .order(ByteOrder.LITTLE_ENDIAN);
        assertThat(in.capacity()).isEqualTo(32 + 48);
        assertThat(in.getLong(0)).isEqualTo(11);
        assertThat(in.getLong(8)).isEqualTo(1);
        assertThat(in.getInt(16)).isEqualTo(1);
        assertThat(in.getInt(20)).isEqualTo(4);
        assertThat(in.getInt(52)).isEqualTo(8);
        assertThat(in.get(25)).isZero();
        assertThatThrownBy(() -> listing.add(EntryReply.negative(0), FileName.of("x"), 4))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aPlusListingCountsLookupsButNotOfDots() {
        MemorySegment target = MemorySegment.ofArray(new byte[2048]);
        DirectoryBuffer listing = new DirectoryBuffer(target, true);
        listing.add(entry(1), FileName.DOT, 1);
        listing.add(entry(2), FileName.DOT_DOT, 2);
        listing.add(entry(3), FileName.of("..."), 3);
        listing.add(entry(4), FileName.of(".a"), 4);
        listing.add(entry(0), FileName.of("unresolved"), 5);
        listing.add(entry(5), FileName.of("b"), 6);
        List<Long> counted = new ArrayList<>();
        listing.forEachLookup(counted::add);
        assertThat(counted).containsExactly(3L, 4L, 5L);
        assertThat(listing.entries()).isEqualTo(6);
    }

    private static EntryReply entry(long nodeId) {
        return new EntryReply(nodeId, 0, 1, 1, ATTRIBUTES);
    }

    @Test
    void namesAreBytesAndNeverPaths() {
        assertThat(FileName.of(new byte[] {(byte) 0xff, 1}))
                .isEqualTo(FileName.of(new byte[] {(byte) 0xff, 1}))
                .isNotEqualTo(FileName.of(new byte[] {(byte) 0xff, 2}))
                .isLessThan(FileName.of(new byte[] {(byte) 0xff, 2}))
                .isGreaterThan(FileName.of("a"));
        assertThatThrownBy(() -> FileName.of("")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> FileName.of("a/b")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> FileName.of("a\0b")).isInstanceOf(IllegalArgumentException.class);
        byte[] mine = {'x'};
        FileName name = FileName.of(mine);
        mine[0] = '/';
        assertThat(name).hasToString("x");
    }
}
