package io.fusecache.fuse.sys;

/** What statvfs(3) says of a file system; sizes in units of {@code fragmentSize} bytes. */
public record FileSystemStat(
        long blockSize,
        long fragmentSize,
        long blocks,
        long freeBlocks,
        long availableBlocks,
        long files,
        long freeFiles,
        long nameLength) {
    public long availableBytes() {
        return availableBlocks * fragmentSize;
    }

    public long totalBytes() {
        return blocks * fragmentSize;
    }
}
