package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.CloudTier;
import io.fusecache.metadata.FileVersion;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/** The bytes of a version, as they are put into the bucket. */
record UploadContent(CachedFile file, FileVersion content) implements CloudTier.RangeReader {
    @Override
    public void read(long offset, MemorySegment target) throws IOException {
        if (file.file().read(offset, target) != target.byteSize()) {
            throw new EOFException("inode " + file.ino() + " became shorter while it was uploaded");
        }
    }

    /** Its checksums are part of the name: another namespace has the same inodes and versions, of other bytes. */
    @Override
    public Optional<String> version() {
        int[] checksums = content.checksums();
        if (checksums == null) {
            return Optional.empty();
        }
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            ByteBuffer word = ByteBuffer.allocate(Integer.BYTES);
            for (int checksum : checksums) {
                digest.update(word.putInt(0, checksum).rewind());
            }
            return Optional.of("%d.%d.%d.%s"
                    .formatted(
                            content.ino(),
                            content.version(),
                            content.size(),
                            HexFormat.of().formatHex(digest.digest())));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
