package io.fusecache.tiers.peer;

import io.fusecache.cache.BlockChecksum;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Reading and writing the messages of {@link HomeProtocol}, piece by piece: file bytes stay off the heap. */
final class HomeMessage {
    private static final int PIECE_BYTES = 64 << 10;

    private HomeMessage() {}

    static long length(byte[] head, long dataBytes) {
        return HomeProtocol.LENGTH_BYTES + head.length + dataBytes + HomeProtocol.CRC_BYTES;
    }

    static void write(OutputStream out, byte[] head, MemorySegment data) throws IOException {
        CRC32C crc = new CRC32C();
        byte[] length = number(head.length);
        crc.update(length);
        crc.update(head);
        BlockChecksum.update(crc, data);
        out.write(length);
        out.write(head);
        byte[] piece = new byte[(int) Math.min(PIECE_BYTES, data.byteSize())];
        for (long done = 0; done < data.byteSize(); done += piece.length) {
            int count = (int) Math.min(piece.length, data.byteSize() - done);
            MemorySegment.copy(data, ValueLayout.JAVA_BYTE, done, piece, 0, count);
            out.write(piece, 0, count);
        }
        out.write(number((int) crc.getValue()));
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(value).array();
    }

    /** A message that comes in: its head first, then {@link #data} and the check. */
    static final class Incoming {
        private final InputStream in;
        private final CRC32C crc = new CRC32C();
        private final byte[] head;
        private final long dataBytes;

        /** @param length of the whole message, as its carrier says */
        Incoming(InputStream in, long length) throws IOException, HomeProtocol.Malformed {
            this.in = in;
            if (length < HomeProtocol.LENGTH_BYTES + HomeProtocol.CRC_BYTES) {
                throw new HomeProtocol.Malformed("a message of " + length + " bytes");
            }
            byte[] first = exactly(HomeProtocol.LENGTH_BYTES);
            int headBytes = ByteBuffer.wrap(first).getInt();
            dataBytes = length - HomeProtocol.LENGTH_BYTES - headBytes - HomeProtocol.CRC_BYTES;
            if (headBytes <= 0 || headBytes > HomeProtocol.MAX_HEAD_BYTES || dataBytes < 0) {
                throw new HomeProtocol.Malformed("a head of " + headBytes + " in " + length + " bytes");
            }
            head = exactly(headBytes);
            crc.update(first);
            crc.update(head);
        }

        private byte[] exactly(int count) throws IOException {
            byte[] bytes = in.readNBytes(count);
            if (bytes.length < count) {
                throw new EOFException("a message that ends after " + bytes.length + " of " + count + " bytes");
            }
            return bytes;
        }

        byte[] head() {
            return head;
        }

        long dataBytes() {
            return dataBytes;
        }

        /** Fills {@code target}, of {@link #dataBytes}, and checks everything. */
        void data(MemorySegment target) throws IOException, HomeProtocol.Malformed {
            byte[] piece = new byte[(int) Math.min(PIECE_BYTES, target.byteSize())];
            for (long done = 0; done < target.byteSize(); ) {
                int count = in.read(piece, 0, (int) Math.min(piece.length, target.byteSize() - done));
                if (count < 0) {
                    throw new EOFException("a message that ends within its data, after " + done + " bytes");
                }
                crc.update(piece, 0, count);
                MemorySegment.copy(piece, 0, target, ValueLayout.JAVA_BYTE, done, count);
                done += count;
            }
            int sent = ByteBuffer.wrap(exactly(HomeProtocol.CRC_BYTES)).getInt();
            if (sent != (int) crc.getValue()) {
                throw new HomeProtocol.Malformed("a message that changed on the way: CRC32C %08x, sent as %08x"
                        .formatted((int) crc.getValue(), sent));
            }
        }
    }
}
