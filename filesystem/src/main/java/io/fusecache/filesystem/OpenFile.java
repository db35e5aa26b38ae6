package io.fusecache.filesystem;

/**
 * A file that was opened.
 *
 * @param handle for reads, writes and the release; its upper 32 bits are the caller's, and mean nothing here
 * @param backingId what the kernel knows the backing file by, where it reads and writes that itself; 0 where all goes
 *     through the daemon
 * @param keepCache the kernel's page cache, if any, has bytes of this very version
 * @param direct the kernel may cache nothing of it, since others change it elsewhere
 */
public record OpenFile(long handle, int backingId, boolean keepCache, boolean direct) {
    public boolean passthrough() {
        return backingId != 0;
    }
}
