package io.fusecache.fuse.session;

import io.fusecache.fuse.wire.Errno;
import java.lang.foreign.Arena;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/** What the readers and replies of one session share. */
final class Connection {
    /**
     * From here on splicing takes less processor time than copying (15 % at 256 KiB, 21 % at 512). At 128 KiB neither is
     * ahead, and at 64 the three splices cost 16 % more; figures in the README.
     */
    static final int SPLICE_FROM_BYTES = 256 * 1024;

    private final Device device;
    private final BufferPool buffers;
    private final InFlight inFlight = new InFlight();
    private final @Nullable LookupCounts lookups;
    private final Cleaner cleaner = Cleaner.create(
            Thread.ofPlatform().name("fuse-dropped-replies").daemon().factory());
    private volatile int longestSplice;

    Connection(SessionOptions options, Arena arena) {
        this.device = new Device(arena);
        this.buffers = new BufferPool(options, arena);
        this.lookups = options.countLookups() ? new LookupCounts() : null;
    }

    Device device() {
        return device;
    }

    BufferPool buffers() {
        return buffers;
    }

    InFlight inFlight() {
        return inFlight;
    }

    @Nullable LookupCounts lookups() {
        return lookups;
    }

    /** Lets answers be spliced, as long as pipes can hold them. */
    int allowSplice() {
        longestSplice = device.probeSplice();
        return longestSplice;
    }

    boolean splices(int length) {
        return length >= SPLICE_FROM_BYTES && length <= longestSplice;
    }

    void answered(Pending pending) {
        pending.answered();
        inFlight.answered(pending);
    }

    /** The handler keeps the reply: from now on someone else may answer it, or drop it. */
    void keep(Pending pending, DeviceReply reply) {
        inFlight.keep(pending);
        if (!pending.isClaimed()) {
            Cleaner.Cleanable watch = cleaner.register(reply, () -> answerInStead(pending));
            pending.watch = watch;
            if (pending.isAnswered()) {
                watch.clean();
            }
        }
    }

    /** Answers EIO where nobody has answered. */
    void answerInStead(Pending pending) {
        if (pending.claimForSession()) {
            sendInStead(pending);
        }
    }

    /** Answers EIO to everything in flight, and waits until every answer under way is out. */
    void abandonAll() {
        inFlight.abandonAll(this::sendInStead);
    }

    private void sendInStead(Pending pending) {
        try {
            device.writeError(pending.fd, pending.unique, Errno.EIO);
        } finally {
            answered(pending);
        }
    }
}
