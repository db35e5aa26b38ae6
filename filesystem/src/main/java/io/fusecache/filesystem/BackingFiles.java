package io.fusecache.filesystem;

import io.fusecache.cache.Disk;
import java.io.IOException;

/** The backing files that the kernel reads and writes itself (FUSE passthrough). */
public interface BackingFiles {
    /** Makes an open file known to the kernel. Returns its id, above 0. IOException where the kernel refuses. */
    int register(Disk.DiskFile file) throws IOException;

    /** No further open will name it. Files that are open with it go on. */
    void unregister(int backingId);
}
