package io.fusecache.tiers.nvme;

import java.io.IOException;
import java.nio.file.Path;

/** A cache directory that cannot be used as it is; the message names it and the way out. */
public final class CacheDirectoryException extends IOException {
    private static final long serialVersionUID = 1L;

    CacheDirectoryException(Path directory, String problem, String wayOut) {
        super("cache directory " + directory + " " + problem + ": " + wayOut);
    }

    CacheDirectoryException(Path directory, String problem, String wayOut, IOException cause) {
        super("cache directory " + directory + " " + problem + ": " + wayOut, cause);
    }
}
