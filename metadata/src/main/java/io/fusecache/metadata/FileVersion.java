package io.fusecache.metadata;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The content of a file at one commit. A version never changes its bytes; it is <em>sealed</em> once the checksums of
 * all its blocks are known, and <em>persisted</em> once the bucket holds it.
 *
 * @param version grows by one with every commit of the inode, from 1; 0 is the empty file before its first commit
 * @param size bytes
 * @param blockBytes size of a block, a property of the version: a reader's own setting never matters
 * @param checksums CRC32C of each block, or null where not sealed; a version that came from the bucket without
 *     checksums is never sealed, and its ETag guards it
 * @param object where the bucket has exactly these bytes, or null
 */
public record FileVersion(
        long ino,
        long version,
        long size,
        int blockBytes,
        int @Nullable [] checksums,
        @Nullable ObjectRef object) {
    public static final int DEFAULT_BLOCK_BYTES = 4 << 20;

    /** In the long form: the compact one loses the annotation of the array in the class file, and with it its callers. */
    public FileVersion(
            long ino, long version, long size, int blockBytes, int @Nullable [] checksums, @Nullable ObjectRef object) {
        if (size < 0 || blockBytes < 4096 || Integer.bitCount(blockBytes) != 1) {
            throw new IllegalArgumentException("size " + size + ", block of " + blockBytes + " bytes");
        }
        if (checksums != null && checksums.length != blocks(size, blockBytes)) {
            throw new IllegalArgumentException(
                    checksums.length + " checksums for " + blocks(size, blockBytes) + " blocks");
        }
        this.ino = ino;
        this.version = version;
        this.size = size;
        this.blockBytes = blockBytes;
        this.checksums = checksums;
        this.object = object;
    }

    public static FileVersion empty(long ino, int blockBytes) {
        return new FileVersion(ino, 0, 0, blockBytes, new int[0], null);
    }

    public int blocks() {
        return blocks(size, blockBytes);
    }

    private static int blocks(long size, int blockBytes) {
        return Math.toIntExact((size + blockBytes - 1) / blockBytes);
    }

    /** Bytes in block {@code index}: the last one may be short. */
    public int bytesInBlock(int index) {
        return (int) Math.min(blockBytes, size - (long) index * blockBytes);
    }

    public boolean sealed() {
        return checksums != null;
    }

    public boolean persisted() {
        return object != null;
    }

    public BlockKey block(int index) {
        return new BlockKey(ino, version, index);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FileVersion that
                && ino == that.ino
                && version == that.version
                && size == that.size
                && blockBytes == that.blockBytes
                && Arrays.equals(checksums, that.checksums)
                && Objects.equals(object, that.object);
    }

    @Override
    public int hashCode() {
        return Objects.hash(ino, version);
    }

    @Override
    public String toString() {
        return "version " + version + " of inode " + ino + " (" + size + " bytes)";
    }
}
