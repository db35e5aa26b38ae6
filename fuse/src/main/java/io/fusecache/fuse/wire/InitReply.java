package io.fusecache.fuse.wire;

/**
 * The answer to INIT: what the connection will be like.
 *
 * @param flags of {@link InitFlag}
 * @param maxReadAhead bytes; the kernel takes the lower of this and its own
 * @param maxWrite the largest WRITE, bytes
 * @param timeGranularityNanos the finest time the file system stores
 * @param maxPages pages in the largest request
 * @param maxStackDepth 1 lets ordinary file systems back a passthrough file, 2 stacked ones too; 0 without passthrough
 */
public record InitReply(
        int major,
        int minor,
        int maxReadAhead,
        long flags,
        int maxBackground,
        int congestionThreshold,
        int maxWrite,
        int timeGranularityNanos,
        int maxPages,
        int maxStackDepth) {}
