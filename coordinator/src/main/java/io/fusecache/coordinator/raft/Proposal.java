package io.fusecache.coordinator.raft;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One entry of the replicas' log.
 *
 * <p>A reign is the time in which one leader executes commands: it begins with an entry that says so, and its batches are
 * numbered. A batch of a reign that another one has ended, or with a number that is not the next, is applied by nobody, however
 * late it comes to be in the log: what a leader built its commands on is exactly what is applied before them.
 */
sealed interface Proposal {
    /** The longest there may be. */
    int MOST_BYTES = 8 << 20;

    int BATCH_HEADER_BYTES = 17;
    int CHANGE_HEADER_BYTES = 8;

    long reign();

    /** All before this is in the state when this is; nothing of an earlier reign comes after it. */
    record Begin(long reign) implements Proposal {}

    /** Changes nothing: where it is applied, its leader was the leader. */
    record Tick(long reign) implements Proposal {}

    /** What one or several commands change, in their order. */
    record Batch(long reign, long sequence, List<Map.Entry<byte[], byte @Nullable []>> changes) implements Proposal {}

    static byte[] begin(long reign) {
        return header(1, reign, 0).array();
    }

    static byte[] tick(long reign) {
        return header(2, reign, 0).array();
    }

    /** @param changes as {@link #changes} has them, one command behind the other */
    static byte[] batch(long reign, long sequence, List<byte[]> changes) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(header(3, reign, sequence).array());
        changes.forEach(bytes::writeBytes);
        return bytes.toByteArray();
    }

    private static ByteBuffer header(int kind, long reign, long sequence) {
        return ByteBuffer.allocate(BATCH_HEADER_BYTES)
                .put((byte) kind)
                .putLong(reign)
                .putLong(sequence);
    }

    static byte[] changes(Iterable<Map.Entry<byte[], byte @Nullable []>> entries) {
        int length = 0;
        for (Map.Entry<byte[], byte @Nullable []> entry : entries) {
            byte[] value = entry.getValue();
            length += CHANGE_HEADER_BYTES + entry.getKey().length + (value == null ? 0 : value.length);
        }
        ByteBuffer bytes = ByteBuffer.allocate(length);
        for (Map.Entry<byte[], byte @Nullable []> entry : entries) {
            byte[] value = entry.getValue();
            bytes.putInt(entry.getKey().length).putInt(value == null ? -1 : value.length);
            bytes.put(entry.getKey());
            if (value != null) {
                bytes.put(value);
            }
        }
        return bytes.array();
    }

    /** @throws IOException where the entry is none of ours: this release is too old, or the log is damaged */
    static Proposal of(byte[] bytes) throws IOException {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (in.remaining() < BATCH_HEADER_BYTES) {
            throw new IOException("an entry of " + bytes.length + " bytes: at least " + BATCH_HEADER_BYTES);
        }
        byte kind = in.get();
        long reign = in.getLong();
        long sequence = in.getLong();
        return switch (kind) {
            case 1 -> new Begin(reign);
            case 2 -> new Tick(reign);
            case 3 -> new Batch(reign, sequence, changes(in));
            default -> throw new IOException("an entry of kind " + kind + ", which this release does not know");
        };
    }

    private static List<Map.Entry<byte[], byte @Nullable []>> changes(ByteBuffer in) throws IOException {
        List<Map.Entry<byte[], byte @Nullable []>> changes = new ArrayList<>();
        while (in.hasRemaining()) {
            if (in.remaining() < CHANGE_HEADER_BYTES) {
                throw new IOException("a change that ends early");
            }
            int keyLength = in.getInt();
            int valueLength = in.getInt();
            if (keyLength < 0 || valueLength < -1 || (long) keyLength + Math.max(0, valueLength) > in.remaining()) {
                throw new IOException(
                        "a change of " + keyLength + " and " + valueLength + " bytes in " + in.remaining());
            }
            byte[] key = new byte[keyLength];
            in.get(key);
            byte[] value = null;
            if (valueLength >= 0) {
                value = new byte[valueLength];
                in.get(value);
            }
            changes.add(new AbstractMap.SimpleImmutableEntry<>(key, value));
        }
        return changes;
    }
}
