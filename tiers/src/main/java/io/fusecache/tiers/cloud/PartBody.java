package io.fusecache.tiers.cloud;

import io.fusecache.cache.BlockChecksum;
import io.fusecache.cache.CloudTier.RangeReader;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Objects;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What a request puts, to be read as often as it is wanted: for a checksum, for a signature, for each attempt.
 *
 * <p>A window of memory shows the bytes. What fits into it is read from its source once; a part that is larger, because its
 * object has too many bytes for small ones, is read through it piece by piece, each time anew. Whoever reads has the window for one
 * read, so several streams may go on at once, and one that is closed never touches it again.
 */
public final class PartBody {
    private final RangeReader source;
    private final long offset;
    private final long size;

    /** Guarded by this, as is what follows. */
    private final MemorySegment window;

    /** The bytes of the part that the window holds. */
    private long from;

    private long count;
    private @Nullable IOException broken;
    private @Nullable Integer crc32c;
    private byte @Nullable [] md5;

    /** Bytes {@code offset} to {@code offset + size} of {@code source}, through a window that is not empty. */
    PartBody(RangeReader source, long offset, long size, MemorySegment window) {
        this.source = source;
        this.offset = offset;
        this.size = size;
        this.window = window;
    }

    /** Bytes in memory. */
    public static PartBody of(MemorySegment bytes) {
        PartBody body = new PartBody(
                (offset, target) -> {
                    throw new AssertionError("all of it is in memory");
                },
                0,
                bytes.byteSize(),
                bytes);
        body.hold();
        return body;
    }

    private synchronized void hold() {
        count = size;
    }

    public long size() {
        return size;
    }

    @FunctionalInterface
    public interface Sink {
        /** @param position of the first byte, in the part */
        void take(long position, MemorySegment piece) throws IOException;
    }

    /** Hands out all bytes, in their order. A piece is the taker's until it returns. */
    public synchronized void forEach(Sink sink) throws IOException {
        for (long at = 0; at < size; at = from + count) {
            show(at);
            sink.take(from, window.asSlice(0, count));
        }
    }

    /** The first bytes, so that a source that cannot be read is found before anybody is asked to wait for it. */
    synchronized void begin() throws IOException {
        if (size > 0) {
            show(0);
        }
    }

    /** @throws IOException what kept the source from being read: no other attempt will do better */
    synchronized void requireSource() throws IOException {
        if (broken != null) {
            throw new RefusedException(String.valueOf(broken.getMessage()), broken);
        }
    }

    private void show(long position) throws IOException {
        if (position >= from && position < from + count) {
            return;
        }
        long start = position - position % window.byteSize();
        long bytes = Math.min(window.byteSize(), size - start);
        count = 0;
        try {
            source.read(offset + start, window.asSlice(0, bytes));
        } catch (IOException failed) {
            if (!Thread.currentThread().isInterrupted()) {
                broken = failed;
            }
            throw failed;
        }
        from = start;
        count = bytes;
    }

    private synchronized int read(long position, byte[] target, int at, int length) throws IOException {
        if (position == size) {
            return -1;
        }
        show(position);
        int bytes = (int) Math.min(length, from + count - position);
        MemorySegment.copy(window, ValueLayout.JAVA_BYTE, position - from, target, at, bytes);
        return bytes;
    }

    public synchronized int crc32c() throws IOException {
        Integer known = crc32c;
        if (known == null) {
            CRC32C crc = new CRC32C();
            forEach((position, piece) -> BlockChecksum.update(crc, piece));
            known = (int) crc.getValue();
            crc32c = known;
        }
        return known;
    }

    public synchronized byte[] md5() throws IOException {
        byte[] known = md5;
        if (known == null) {
            MessageDigest digest = digest();
            forEach((position, piece) -> digest.update(piece.asByteBuffer()));
            known = digest.digest();
            md5 = known;
        }
        return known.clone();
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("MD5");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has MD5", e);
        }
    }

    /**
     * The bytes from their beginning, by which it can be rewound. Closing it waits for a read that another thread is in the midst of: from
     * then on the window is left alone.
     */
    public InputStream stream() {
        return new Stream();
    }

    private final class Stream extends InputStream {
        private long position;
        private long mark;
        private boolean closed;

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public synchronized int read(byte[] target, int at, int length) throws IOException {
            Objects.checkFromIndexSize(at, length, target.length);
            if (closed) {
                throw new IOException("the call has ended");
            }
            if (length == 0) {
                return 0;
            }
            int bytes = PartBody.this.read(position, target, at, length);
            position += Math.max(0, bytes);
            return bytes;
        }

        @Override
        public synchronized int available() {
            return (int) Math.min(Integer.MAX_VALUE, size - position);
        }

        @Override
        public boolean markSupported() {
            return true;
        }

        @Override
        public synchronized void mark(int limit) {
            mark = position;
        }

        @Override
        public synchronized void reset() {
            position = mark;
        }

        @Override
        public synchronized void close() {
            closed = true;
        }
    }
}
