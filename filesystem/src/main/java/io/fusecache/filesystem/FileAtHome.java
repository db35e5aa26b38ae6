package io.fusecache.filesystem;

import io.fusecache.metadata.NodeId;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file that this node has open at its home: by one handle there for all who read it here, and one for all who write it.
 * Handles are opened and closed in turn for the inode, and used by anyone.
 */
final class FileAtHome {
    final long ino;
    final NodeId home;

    /** Of the home's {@code HomeRequest.Change}s: every one gets its own. */
    final AtomicLong lastChange = new AtomicLong();

    private volatile long reading;
    private volatile long writing;
    private volatile boolean gone;

    FileAtHome(long ino, NodeId home) {
        this.ino = ino;
        this.home = home;
    }

    /** The handle to read or to write with; 0 where there is none. */
    long handle(boolean write) {
        return write ? writing : reading;
    }

    /** Either will do. */
    long anyHandle() {
        long write = writing;
        return write != 0 ? write : reading;
    }

    void opened(boolean write, long handle) {
        if (write) {
            writing = handle;
        } else {
            reading = handle;
        }
    }

    /** The home does not know it any more: it ended, or took this node for gone. */
    boolean gone() {
        return gone;
    }

    void markGone() {
        gone = true;
    }
}
