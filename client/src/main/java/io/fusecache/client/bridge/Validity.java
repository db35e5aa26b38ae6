package io.fusecache.client.bridge;

import io.fusecache.fuse.wire.FileName;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import java.time.Duration;
import java.util.List;

/**
 * For how long the kernel may trust what it is told. While the session with the coordinator stands, as long as it likes:
 * a recall takes it back. Names are the exception where they can also change without the coordinator: in the bucket,
 * which is asked again when a name is used after the refresh time. What was under way while leases were recalled is valid for no
 * time, because it may be from before.
 */
final class Validity {
    private static final long LONG_NANOS = Duration.ofHours(24).toNanos();
    private static final int RENAME_EXCHANGE = 2;

    private final Metadata metadata;
    private final GivenNames given;
    private final NameExpiry expiry;
    private final long namesNanos;
    private volatile boolean kept;

    Validity(Metadata metadata, SessionPort port, Duration names) {
        this.metadata = metadata;
        this.given = port.names();
        this.expiry = port.expiry();
        this.namesNanos = Math.min(LONG_NANOS, names.toNanos());
    }

    /** Whether the kernel can be told that all names are stale, come what may; else they are from the start. */
    void negotiated(boolean kernelHasEpochs) {
        kept = kernelHasEpochs && namesNanos > 0;
    }

    /** When the answer to a request is asked for: to be taken before anything is. */
    long asked(boolean atOnce) {
        return atOnce ? given.moment() : given.quietMoment();
    }

    /** Of a name in an answer that is about to be written. */
    long name(long directory, FileName name, long child, long asked) {
        return kept ? given.give(directory, name, child, asked, metadata.connected() ? namesNanos : 0) : 0;
    }

    /** What another node writes changes without a word to the coordinator: whoever looks asks again. */
    long attributes(Inode inode, long asked) {
        boolean here = inode.writer() == null || inode.writer().equals(metadata.self());
        return here && given.isStill(asked) && metadata.connected() ? LONG_NANOS : 0;
    }

    // what the kernel does to its names by itself

    /** A change of names. */
    interface Change {
        void make() throws ErrnoException;
    }

    /** The kernel takes the validity of what it renames along, when that is answered. */
    void renaming(FuseRequest.Rename r, Change change) throws ErrnoException {
        boolean exchange = (r.flags() & RENAME_EXCHANGE) != 0;
        List<GivenNames.Given> doubtful = given.moves(r.nodeId(), r.name(), r.newParent(), r.newName(), exchange);
        boolean done = false;
        try {
            change.make();
            done = true;
        } finally {
            if (!done) {
                expiry.again(doubtful, Duration.ZERO);
            }
        }
        if (!exchange) {
            given.removed(r.nodeId(), r.name());
        }
    }

    void removed(long directory, FileName name) {
        given.removed(directory, name);
    }
}
