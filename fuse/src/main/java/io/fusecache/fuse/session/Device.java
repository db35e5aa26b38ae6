package io.fusecache.fuse.session;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.Errno;
import io.fusecache.fuse.wire.ReplyEncoder;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writing answers to the device: one write each, no lock, no allocation. */
final class Device {
    private static final Logger LOG = LoggerFactory.getLogger(Device.class);

    private final ReplyScratch scratch;
    private final SplicePipes pipes;

    Device(Arena arena) {
        this.scratch = new ReplyScratch(arena);
        this.pipes = new SplicePipes();
    }

    ReplyScratch scratch() {
        return scratch;
    }

    /** Completes the header in front of a body laid out in {@code out}, and writes both. */
    boolean write(int fd, long unique, MemorySegment out, int bodyLength) {
        int length = ReplyEncoder.HEADER_LENGTH + bodyLength;
        ReplyEncoder.header(out, 0, length, 0, unique);
        return taken(fd, unique, Posix.write(fd, out, length), length);
    }

    /** @param errno positive */
    boolean writeError(int fd, long unique, int errno) {
        int piece = scratch.take();
        try {
            MemorySegment out = scratch.piece(piece);
            ReplyEncoder.header(out, 0, ReplyEncoder.HEADER_LENGTH, errno, unique);
            long n = Posix.write(fd, out, ReplyEncoder.HEADER_LENGTH);
            if (refused(n) != 0) {
                LOG.error(
                        "the kernel refused the error {} as the answer to request {}: {}",
                        Errno.name(errno),
                        Long.toUnsignedString(unique),
                        Errno.name(refused(n)));
            }
            return n == ReplyEncoder.HEADER_LENGTH;
        } finally {
            scratch.give(piece);
        }
    }

    /** Writes a header, {@code prefixLength} bytes of body laid out behind it, and {@code content} from where it lies. */
    boolean write(int fd, long unique, MemorySegment out, int prefixLength, MemorySegment content) {
        if (content.byteSize() == 0) {
            return write(fd, unique, out, prefixLength);
        }
        int first = ReplyEncoder.HEADER_LENGTH + prefixLength;
        int length = first + (int) content.byteSize();
        ReplyEncoder.header(out, 0, length, 0, unique);
        MemorySegment vectors = out.asSlice(ReplyScratch.VECTORS_AT, 32);
        vectors.set(JAVA_LONG, 0, out.address());
        vectors.set(JAVA_LONG, 8, first);
        vectors.set(JAVA_LONG, 16, content.address());
        vectors.set(JAVA_LONG, 24, content.byteSize());
        long n;
        try {
            n = Posix.writev(fd, vectors, 2);
        } finally {
            Reference.reachabilityFence(content);
        }
        return taken(fd, unique, n, length);
    }

    /**
     * Moves bytes of a file to the device by splice.
     *
     * @return false when this could not be done, and nothing was written: answer by a copy
     */
    boolean splice(int fd, long unique, int file, long offset, int length) {
        int piece = scratch.take();
        try {
            return pipes.send(fd, unique, file, offset, length, scratch.piece(piece));
        } finally {
            scratch.give(piece);
        }
    }

    /** Finds out what pipes may hold; the longest answer that can be spliced. */
    int probeSplice() {
        pipes.probe();
        return pipes.longest();
    }

    long spliced() {
        return pipes.spliced();
    }

    void close() {
        pipes.close();
    }

    private boolean taken(int fd, long unique, long n, int length) {
        if (n == length) {
            return true;
        }
        int errno = refused(n);
        if (errno != 0) {
            // The kernel did not like what it read, so the request still waits; or has had it ended, and this finds
            // none.
            LOG.error(
                    "the kernel refused the answer to request {} ({} bytes): {}",
                    Long.toUnsignedString(unique),
                    length,
                    Errno.name(errno));
            writeError(fd, unique, Errno.EIO);
        }
        return false;
    }

    /** 0 when a write went well or nobody waits for it any more; else the error. */
    private static int refused(long n) {
        if (n >= 0) {
            return 0;
        }
        int errno = (int) -n;
        return switch (errno) {
            case Errno.ENOENT, Errno.ENODEV, Errno.ENOTCONN, Errno.ECONNABORTED, Errno.EPERM -> 0;
            default -> errno;
        };
    }
}
