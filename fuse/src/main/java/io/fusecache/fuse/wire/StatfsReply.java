package io.fusecache.fuse.wire;

/** What statfs(2) shows: sizes in units of {@code fragmentSize} bytes. */
public record StatfsReply(
        long blocks,
        long freeBlocks,
        long availableBlocks,
        long files,
        long freeFiles,
        int blockSize,
        int nameLength,
        int fragmentSize) {}
