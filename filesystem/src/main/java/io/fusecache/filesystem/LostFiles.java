package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.Metadata;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bytes that were written here and can never be committed, because another node's version stands since this node lost its
 * lease: kept aside, named, and left to people.
 */
final class LostFiles {
    private static final Logger LOG = LoggerFactory.getLogger(LostFiles.class);
    private static final int MAX_PER_FILE = 1000;

    private final Path directory;

    LostFiles(Path directory) {
        this.directory = directory;
    }

    /** Gives the backing file a second name in the directory of lost files; what the cache does with it does not matter then. */
    void keep(long ino, long baseVersion, Path backing) throws IOException {
        Files.createDirectories(directory);
        for (int i = 0; i < MAX_PER_FILE; i++) {
            Path kept = directory.resolve(ino + "." + baseVersion + (i == 0 ? "" : "." + i));
            try {
                Files.createLink(kept, backing);
                LOG.error(
                        "inode {} was written here on top of version {}, but this node lost its lease and another version"
                                + " stands: the bytes are kept as {}",
                        ino,
                        baseVersion,
                        kept);
                return;
            } catch (FileAlreadyExistsException taken) {
                // The next number.
            }
        }
        throw new IOException(
                MAX_PER_FILE + " lost versions of inode " + ino + " are kept in " + directory + " already");
    }

    /** Keeps what is here of a file that this node made and that will never be in the namespace. */
    void keepIfLost(Metadata metadata, LocalTier local, long ino) throws IOException {
        if (metadata.lost(ino)) {
            Optional<CachedFile> found = local.find(ino);
            if (found.isPresent()) {
                try (CachedFile file = found.get()) {
                    keep(ino, file.version().version(), file.path());
                }
            }
        }
    }
}
