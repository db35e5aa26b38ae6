package io.fusecache.tiers.cloud.azure;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * The way of the SDK's threads to the buffer of a call. They may go on for a while when the call has given up, and its buffer belongs
 * to somebody else then: once the gate is closed none of them touches it.
 */
final class Gate implements AutoCloseable {
    private final MemorySegment bytes;
    private boolean closed;
    private long position;

    Gate(MemorySegment bytes) {
        this.bytes = bytes;
    }

    /** Bytes that went through. */
    synchronized long position() {
        return position;
    }

    /** Returns when nobody is in the midst of it. */
    @Override
    public synchronized void close() {
        closed = true;
    }

    private synchronized void give(byte[] source, int offset, int length) throws IOException {
        requireOpen();
        if (length > bytes.byteSize() - position) {
            throw new IOException("more than the %d bytes that were asked for came".formatted(bytes.byteSize()));
        }
        MemorySegment.copy(source, offset, bytes, ValueLayout.JAVA_BYTE, position, length);
        position += length;
    }

    private void requireOpen() throws IOException {
        if (closed) {
            throw new IOException("the call has ended");
        }
    }

    /** Fills the buffer from its beginning. */
    OutputStream output() {
        return new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                give(new byte[] {(byte) value}, 0, 1);
            }

            @Override
            public void write(byte[] source, int offset, int length) throws IOException {
                Objects.checkFromIndexSize(offset, length, source.length);
                give(source, offset, length);
            }
        };
    }
}
