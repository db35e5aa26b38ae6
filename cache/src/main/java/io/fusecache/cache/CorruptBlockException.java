package io.fusecache.cache;

import io.fusecache.metadata.BlockKey;
import java.io.IOException;

/** Bytes that do not have the checksum that their version says. */
public final class CorruptBlockException extends IOException {
    private static final long serialVersionUID = 1L;

    public CorruptBlockException(BlockKey block, int expected, int found, String source) {
        super("block %d of version %d of inode %d from %s: CRC32C %08x, expected %08x"
                .formatted(block.index(), block.version(), block.ino(), source, found, expected));
    }
}
