package io.fusecache.fuse.session;

import io.fusecache.fuse.wire.RequestDecoder;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The session's I/O buffers: a fixed number of two sizes, taken from an arena once. Who finds none free waits, which is
 * what bounds the data in flight.
 *
 * <p>A large buffer is laid out so that a message read at {@link Buffer#message} has the data of a WRITE begin on a
 * page, as O_DIRECT and splice like it.
 */
final class BufferPool {
    static final int SMALL_BYTES = 64 * 1024;
    private static final int PAGE = 4096;
    /** A message is a header of some kind and up to maxWrite bytes; a page before the data holds the former. */
    private static final int MESSAGE_START = PAGE - RequestDecoder.WRITE_PREFIX;

    private final Stack large;
    private final Stack small;
    private final int largest;

    BufferPool(SessionOptions options, Arena arena) {
        int largeBytes = largeBytes(options);
        this.largest = options.maxWriteBytes();
        this.large = new Stack(arena, options.readers() + options.largeBuffers(), largeBytes);
        this.small = new Stack(arena, options.smallBuffers(), SMALL_BYTES);
    }

    private static int largeBytes(SessionOptions options) {
        // A page more at the end: the kernel wants room for its longest header and maxWrite beyond where we begin.
        return PAGE + options.maxWriteBytes() + PAGE;
    }

    static long bytesOf(SessionOptions options) {
        return (long) (options.readers() + options.largeBuffers()) * largeBytes(options)
                + (long) options.smallBuffers() * SMALL_BYTES
                + PAGE;
    }

    /** A buffer for a whole message; waits for one. */
    Buffer takeForMessage() {
        return large.take();
    }

    /** A buffer for {@code size} bytes of data; waits for one. */
    Buffer takeForData(int size) {
        if (size > largest) {
            throw new IllegalArgumentException(size + " bytes; buffers have " + largest);
        }
        return (size <= SMALL_BYTES ? small : large).take();
    }

    /** A piece of native memory that one owner has at a time. */
    static final class Buffer {
        private final Stack home;
        private final MemorySegment whole;
        private final MemorySegment message;

        private Buffer(Stack home, MemorySegment whole) {
            this.home = home;
            this.whole = whole;
            this.message = whole.byteSize() > SMALL_BYTES ? whole.asSlice(MESSAGE_START) : whole;
        }

        /** Where a message is read to. */
        MemorySegment message() {
            return message;
        }

        MemorySegment data(int size) {
            return whole.asSlice(0, size);
        }

        void giveBack() {
            home.give(this);
        }
    }

    /** Last in, first out: the buffer used last is the one still in the processor's cache. */
    private static final class Stack {
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition returned = lock.newCondition();
        private final @Nullable Buffer[] free;
        private int count;

        Stack(Arena arena, int buffers, int bytesEach) {
            free = new @Nullable Buffer[buffers];
            MemorySegment slab = arena.allocate((long) buffers * bytesEach, PAGE);
            for (int i = 0; i < buffers; i++) {
                free[i] = new Buffer(this, slab.asSlice((long) i * bytesEach, bytesEach));
            }
            count = buffers;
        }

        Buffer take() {
            lock.lock();
            try {
                while (count == 0) {
                    returned.awaitUninterruptibly();
                }
                count--;
                Buffer buffer = free[count];
                free[count] = null;
                if (buffer == null) {
                    throw new AssertionError("a free buffer is missing");
                }
                return buffer;
            } finally {
                lock.unlock();
            }
        }

        void give(Buffer buffer) {
            lock.lock();
            try {
                free[count++] = buffer;
                returned.signal();
            } finally {
                lock.unlock();
            }
        }
    }
}
