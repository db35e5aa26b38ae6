package io.fusecache.fuse.session;

import io.fusecache.fuse.sys.Linux;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.ReplyEncoder;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Pipes through which bytes of a file go to the device without passing through this process's memory.
 *
 * <p>An answer must reach the device from one pipe, with its length in front; how many bytes there are is known when they
 * have been read. So there are two: the file is spliced into the one, then the header is written to the other and the
 * bytes moved behind it, which copies nothing.
 */
final class SplicePipes {
    /** Pairs at rest, at most; each is two pipes of up to 2 MiB of references to pages, none of their own. */
    private static final int RESTING = 16;

    private static final int PAGE = 4096;

    /** What a pipe of a process without CAP_SYS_RESOURCE may hold, unless /proc/sys/fs/pipe-max-size says otherwise. */
    private static final int UNPRIVILEGED_CAPACITY = 1 << 20;

    private static final int PRIVILEGED_CAPACITY = 2 << 20;

    private final AtomicReferenceArray<@Nullable Pair> resting = new AtomicReferenceArray<>(RESTING);
    private final LongAdder spliced = new LongAdder();
    private volatile int capacity = PRIVILEGED_CAPACITY;
    private volatile boolean closed;

    /** Answers that went to the device this way. */
    long spliced() {
        return spliced.sum();
    }

    /** Makes one pair at start, so that it is known what pipes of this process may hold. */
    void probe() {
        Pair pair = make();
        if (pair != null) {
            give(pair);
        }
    }

    /** The longest answer that fits a pipe: a slot for each page that it touches, and one for the header. */
    int longest() {
        return Math.max(0, capacity - 2 * PAGE);
    }

    private record Pair(int dataOut, int dataIn, int messageOut, int messageIn) {
        void close() {
            Posix.close(dataOut);
            Posix.close(dataIn);
            Posix.close(messageOut);
            Posix.close(messageIn);
        }
    }

    /** @return false when nothing was written to the device */
    boolean send(int device, long unique, int file, long offset, int length, MemorySegment scratch) {
        Pair pair = closed || length > longest() ? null : take();
        if (pair == null) {
            return false;
        }
        boolean clean = false;
        try {
            MemorySegment position = scratch.asSlice(ReplyScratch.VECTORS_AT, 8);
            position.set(ValueLayout.JAVA_LONG, 0, offset);
            int moved = fill(pair, file, position, length);
            if (moved < 0) {
                return false;
            }
            int total = ReplyEncoder.HEADER_LENGTH + moved;
            ReplyEncoder.header(scratch, 0, total, 0, unique);
            if (Posix.write(pair.messageIn, scratch, ReplyEncoder.HEADER_LENGTH) != ReplyEncoder.HEADER_LENGTH
                    || !move(pair.dataOut, pair.messageIn, moved)) {
                return false;
            }
            // No SPLICE_F_MOVE: it would take the page out of the file's own cache, where the next reader wants it.
            clean = Linux.splice(pair.messageOut, MemorySegment.NULL, device, total, 0) == total;
            if (clean) {
                spliced.increment();
            }
            return clean;
        } finally {
            if (clean) {
                give(pair);
            } else {
                // Bytes may be left in it that belong to no other answer.
                pair.close();
            }
        }
    }

    /** Bytes spliced into the data pipe: fewer than wanted only at the end of the file; -1 for an error. */
    private static int fill(Pair pair, int file, MemorySegment position, int length) {
        int moved = 0;
        while (moved < length) {
            long n = Linux.splice(file, position, pair.dataIn, length - moved, Linux.SPLICE_F_NONBLOCK);
            if (n < 0) {
                return -1;
            }
            if (n == 0) {
                break;
            }
            moved += (int) n;
        }
        return moved;
    }

    private static boolean move(int from, int to, int length) {
        int moved = 0;
        while (moved < length) {
            long n = Linux.splice(from, MemorySegment.NULL, to, length - moved, Linux.SPLICE_F_NONBLOCK);
            if (n <= 0) {
                return false;
            }
            moved += (int) n;
        }
        return true;
    }

    private @Nullable Pair take() {
        int start = (int) Thread.currentThread().threadId();
        for (int i = 0; i < RESTING; i++) {
            Pair pair = resting.getAndSet((start + i) & (RESTING - 1), null);
            if (pair != null) {
                return pair;
            }
        }
        return make();
    }

    private void give(Pair pair) {
        int start = (int) Thread.currentThread().threadId();
        for (int i = 0; i < RESTING; i++) {
            if (resting.compareAndSet((start + i) & (RESTING - 1), null, pair)) {
                return;
            }
        }
        pair.close();
    }

    private @Nullable Pair make() {
        int[] data = Linux.pipe();
        int[] message = data.length == 2 ? Linux.pipe() : data;
        if (message.length != 2) {
            if (data.length == 2) {
                Posix.close(data[0]);
                Posix.close(data[1]);
            }
            return null;
        }
        Pair pair = new Pair(data[0], data[1], message[0], message[1]);
        if (!enlarge(pair)) {
            capacity = 0;
            pair.close();
            return null;
        }
        return pair;
    }

    /** Makes both pipes hold what is wanted, or what may be; false when not even that. */
    private boolean enlarge(Pair pair) {
        for (int wanted : new int[] {capacity, UNPRIVILEGED_CAPACITY}) {
            int data = Linux.setPipeSize(pair.dataIn, wanted);
            int message = data < 0 ? data : Linux.setPipeSize(pair.messageIn, wanted);
            if (message >= 0) {
                capacity = Math.min(data, message);
                return true;
            }
        }
        return false;
    }

    void close() {
        closed = true;
        for (int i = 0; i < RESTING; i++) {
            Pair pair = resting.getAndSet(i, null);
            if (pair != null) {
                pair.close();
            }
        }
    }
}
