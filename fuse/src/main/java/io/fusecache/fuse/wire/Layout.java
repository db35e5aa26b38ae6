package io.fusecache.fuse.wire;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Sizes and offsets of the kernel's structs, as include/uapi/linux/fuse.h lays them out: every field at its natural
 * alignment, in the machine's byte order, the same for 32-bit and 64-bit processes.
 */
final class Layout {
    static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;
    static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED;
    static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED;
    static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED;

    static final int IN_HEADER = 40;
    static final int OUT_HEADER = 16;
    static final int WRITE_IN = 40;
    static final int ATTR = 88;
    static final int ENTRY_OUT = 128;
    static final int ATTR_OUT = 104;
    static final int OPEN_OUT = 16;
    static final int STATFS_OUT = 80;
    static final int LK_OUT = 24;
    static final int STATX_OUT = 288;
    static final int INIT_OUT = 64;
    static final int DIRENT = 24;
    static final int IOCTL_OUT = 16;

    static {
        // Two structs are made of others; a slip in one of the sums would shift every field after it.
        check(ENTRY_OUT == 40 + ATTR, "fuse_entry_out");
        check(ATTR_OUT == 16 + ATTR, "fuse_attr_out");
        check(STATX_OUT == 32 + 256, "fuse_statx_out");
        check(
                ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN,
                "this machine is big-endian, which nothing here was tried on");
    }

    private Layout() {}

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    static int u32(MemorySegment segment, long offset) {
        return segment.get(U32, offset);
    }

    static long u64(MemorySegment segment, long offset) {
        return segment.get(U64, offset);
    }

    /** {@code length} rounded up to the protocol's 8 bytes. */
    static int align(int length) {
        return (length + 7) & ~7;
    }
}
