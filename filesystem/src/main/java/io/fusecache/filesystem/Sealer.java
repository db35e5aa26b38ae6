package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Metadata;
import java.io.EOFException;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Gives committed versions the checksums that their close() did not wait for. */
final class Sealer {
    private final Metadata metadata;

    Sealer(Metadata metadata) {
        this.metadata = metadata;
    }

    /**
     * Seals the version that {@code file} holds. Empty where the bytes are not those of the version any more.
     *
     * @param committed how the file looked at the commit; null where that is not known any more, after a restart
     */
    Optional<FileVersion> seal(CachedFile file, Disk.@Nullable Stat committed) throws IOException, ErrnoException {
        FileVersion version = file.version();
        Disk.Stat before = file.file().stat();
        if (before.size() != version.size() || (committed != null && !InodeIo.sameContent(committed, before))) {
            return Optional.empty();
        }
        if (version.sealed()) {
            return Optional.of(version);
        }
        int[] checksums;
        try {
            checksums = file.checksum(version.size(), version.blockBytes());
        } catch (EOFException cutMeanwhile) {
            return Optional.empty();
        }
        if (!InodeIo.sameContent(before, file.file().stat())
                || file.writing()
                || !metadata.seal(version.ino(), version.version(), checksums)) {
            return Optional.empty();
        }
        file.sealed(version.version(), checksums);
        return Optional.of(new FileVersion(
                version.ino(), version.version(), version.size(), version.blockBytes(), checksums, version.object()));
    }
}
