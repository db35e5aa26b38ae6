package io.fusecache.fuse.wire;

import static io.fusecache.fuse.wire.Layout.U16;
import static io.fusecache.fuse.wire.Layout.U32;
import static io.fusecache.fuse.wire.Layout.U64;

import java.lang.foreign.MemorySegment;

/**
 * Lays answers out for the kernel. Every method writes its struct at {@code at}, whole, and returns its length, so that
 * structs follow one another and no byte of an earlier use of the buffer goes out.
 */
public final class ReplyEncoder {
    public static final int HEADER_LENGTH = Layout.OUT_HEADER;

    /** Room enough for every answer but data, listings and ioctl output, header included. */
    public static final int LONGEST_FIXED_REPLY = Layout.OUT_HEADER + Layout.STATX_OUT;

    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private ReplyEncoder() {}

    /**
     * The header: {@code length} counts it too.
     *
     * @param errno 0, or the error, positive
     */
    public static int header(MemorySegment out, long at, int length, int errno, long unique) {
        out.set(U32, at, length);
        out.set(U32, at + 4, -errno);
        out.set(U64, at + 8, unique);
        return Layout.OUT_HEADER;
    }

    public static int entry(MemorySegment out, long at, EntryReply entry) {
        out.set(U64, at, entry.nodeId());
        out.set(U64, at + 8, entry.generation());
        out.set(U64, at + 16, entry.entryValidNanos() / NANOS_PER_SECOND);
        out.set(U64, at + 24, entry.attributesValidNanos() / NANOS_PER_SECOND);
        out.set(U32, at + 32, (int) (entry.entryValidNanos() % NANOS_PER_SECOND));
        out.set(U32, at + 36, (int) (entry.attributesValidNanos() % NANOS_PER_SECOND));
        return 40 + attr(out, at + 40, entry.attributes());
    }

    public static int attributes(MemorySegment out, long at, AttributesReply reply) {
        out.set(U64, at, reply.validNanos() / NANOS_PER_SECOND);
        out.set(U32, at + 8, (int) (reply.validNanos() % NANOS_PER_SECOND));
        out.set(U32, at + 12, 0);
        return 16 + attr(out, at + 16, reply.attributes());
    }

    private static int attr(MemorySegment out, long at, Attributes a) {
        out.set(U64, at, a.ino());
        out.set(U64, at + 8, a.size());
        out.set(U64, at + 16, a.blocks());
        out.set(U64, at + 24, a.atimeSeconds());
        out.set(U64, at + 32, a.mtimeSeconds());
        out.set(U64, at + 40, a.ctimeSeconds());
        out.set(U32, at + 48, a.atimeNanos());
        out.set(U32, at + 52, a.mtimeNanos());
        out.set(U32, at + 56, a.ctimeNanos());
        out.set(U32, at + 60, a.mode());
        out.set(U32, at + 64, a.links());
        out.set(U32, at + 68, a.uid());
        out.set(U32, at + 72, a.gid());
        out.set(U32, at + 76, a.rdev());
        out.set(U32, at + 80, a.blockSize());
        out.set(U32, at + 84, a.flags());
        return Layout.ATTR;
    }

    public static int open(MemorySegment out, long at, OpenReply reply) {
        out.set(U64, at, reply.fh());
        out.set(U32, at + 8, reply.flags());
        out.set(U32, at + 12, reply.backingId());
        return Layout.OPEN_OUT;
    }

    public static int statfs(MemorySegment out, long at, StatfsReply reply) {
        out.set(U64, at, reply.blocks());
        out.set(U64, at + 8, reply.freeBlocks());
        out.set(U64, at + 16, reply.availableBlocks());
        out.set(U64, at + 24, reply.files());
        out.set(U64, at + 32, reply.freeFiles());
        out.set(U32, at + 40, reply.blockSize());
        out.set(U32, at + 44, reply.nameLength());
        out.set(U32, at + 48, reply.fragmentSize());
        out.asSlice(at + 52, 28).fill((byte) 0);
        return Layout.STATFS_OUT;
    }

    public static int lock(MemorySegment out, long at, FileLock lock) {
        out.set(U64, at, lock.start());
        out.set(U64, at + 8, lock.end());
        out.set(U32, at + 16, lock.type());
        out.set(U32, at + 20, lock.pid());
        return Layout.LK_OUT;
    }

    public static int statx(MemorySegment out, long at, StatxReply reply) {
        Attributes a = reply.attributes();
        out.asSlice(at, Layout.STATX_OUT).fill((byte) 0);
        out.set(U64, at, reply.validNanos() / NANOS_PER_SECOND);
        out.set(U32, at + 8, (int) (reply.validNanos() % NANOS_PER_SECOND));
        long stat = at + 32;
        out.set(U32, stat, reply.mask());
        out.set(U32, stat + 4, a.blockSize());
        out.set(U64, stat + 8, reply.fileAttributes());
        out.set(U32, stat + 16, a.links());
        out.set(U32, stat + 20, a.uid());
        out.set(U32, stat + 24, a.gid());
        out.set(U16, stat + 28, (short) a.mode());
        out.set(U64, stat + 32, a.ino());
        out.set(U64, stat + 40, a.size());
        out.set(U64, stat + 48, a.blocks());
        out.set(U64, stat + 56, reply.fileAttributesMask());
        time(out, stat + 64, a.atimeSeconds(), a.atimeNanos());
        time(out, stat + 80, reply.birthSeconds(), reply.birthNanos());
        time(out, stat + 96, a.ctimeSeconds(), a.ctimeNanos());
        time(out, stat + 112, a.mtimeSeconds(), a.mtimeNanos());
        // Device numbers as the kernel's own encoding splits them: 12 bits of major between 20 bits of minor.
        out.set(U32, stat + 128, (a.rdev() & 0xfff00) >>> 8);
        out.set(U32, stat + 132, (a.rdev() & 0xff) | ((a.rdev() >>> 12) & 0xfff00));
        return Layout.STATX_OUT;
    }

    private static void time(MemorySegment out, long at, long seconds, int nanos) {
        out.set(U64, at, seconds);
        out.set(U32, at + 8, nanos);
    }

    /** The 8 bytes of a count and padding that answer WRITE, an xattr's size, and POLL. */
    public static int count(MemorySegment out, long at, int count) {
        out.set(U32, at, count);
        out.set(U32, at + 4, 0);
        return 8;
    }

    /** The 8 bytes that answer LSEEK, BMAP and COPY_FILE_RANGE_64. */
    public static int number(MemorySegment out, long at, long number) {
        out.set(U64, at, number);
        return 8;
    }

    /** The struct before an ioctl's output. */
    public static int ioctl(MemorySegment out, long at, int result, int flags, int inVectors, int outVectors) {
        out.set(U32, at, result);
        out.set(U32, at + 4, flags);
        out.set(U32, at + 8, inVectors);
        out.set(U32, at + 12, outVectors);
        return Layout.IOCTL_OUT;
    }

    public static int init(MemorySegment out, long at, InitReply reply) {
        out.asSlice(at, Layout.INIT_OUT).fill((byte) 0);
        out.set(U32, at, reply.major());
        out.set(U32, at + 4, reply.minor());
        out.set(U32, at + 8, reply.maxReadAhead());
        out.set(U32, at + 12, (int) reply.flags());
        out.set(U16, at + 16, (short) reply.maxBackground());
        out.set(U16, at + 18, (short) reply.congestionThreshold());
        out.set(U32, at + 20, reply.maxWrite());
        out.set(U32, at + 24, reply.timeGranularityNanos());
        out.set(U16, at + 28, (short) reply.maxPages());
        out.set(U32, at + 32, (int) (reply.flags() >>> 32));
        out.set(U32, at + 36, reply.maxStackDepth());
        return Layout.INIT_OUT;
    }
}
