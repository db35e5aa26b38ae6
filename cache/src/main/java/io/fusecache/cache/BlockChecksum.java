package io.fusecache.cache;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/** The checksum of a block: CRC32C of its bytes. */
public final class BlockChecksum {
    private BlockChecksum() {}

    public static int of(MemorySegment bytes) {
        CRC32C crc = new CRC32C();
        update(crc, bytes);
        return (int) crc.getValue();
    }

    /** Adds the bytes to a checksum that grows piece by piece. */
    public static void update(CRC32C crc, MemorySegment bytes) {
        crc.update(bytes.asByteBuffer());
    }
}
