package io.fusecache.coordinator.state;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * How far a database's log is known to be on disk: a sequence number of RocksDB's in a file beside it.
 *
 * <p>RocksDB reads a log up to the first record that is not whole, because that is how one ends that was being written when the
 * machine stopped, and drops the rest without a word. The mark tells an end that nobody was promised anything behind from one
 * behind which something was acknowledged. It is written after each sync and not forced: so it never is ahead of what is
 * durable, outlives a kill, and after a crash of the machine is some seconds old.
 *
 * <p>What it does not tell: the loss of what was written while a table was, because RocksDB's count of that table can hide it; and a
 * manifest whose last records are damaged or cut, which reads as an older one.
 */
final class DurableMark implements AutoCloseable {
    static final String FILE = "DURABLE";

    private static final int BYTES = 2 * Long.BYTES;

    private final FileChannel file;
    private final ByteBuffer buffer = ByteBuffer.allocate(BYTES);

    private DurableMark(FileChannel file) {
        this.file = file;
    }

    static DurableMark open(Path database) throws IOException {
        return new DurableMark(
                FileChannel.open(database.resolve(FILE), StandardOpenOption.WRITE, StandardOpenOption.CREATE));
    }

    /** For one thread at a time. */
    void write(long sequence) throws IOException {
        buffer.clear().putLong(sequence).putLong(check(sequence)).flip();
        while (buffer.hasRemaining()) {
            file.write(buffer, buffer.position());
        }
    }

    private static long check(long sequence) {
        CRC32C check = new CRC32C();
        check.update(ByteBuffer.allocate(Long.BYTES).putLong(sequence).flip());
        return check.getValue();
    }

    /**
     * Refuses a database that ends before its mark.
     *
     * @param found the last sequence number in it
     * @throws IOException with one line that names the folder
     */
    static void check(Path database, long found) throws IOException {
        Path file = database.resolve(FILE);
        if (!Files.exists(file)) {
            return;
        }
        ByteBuffer mark = ByteBuffer.wrap(Files.readAllBytes(file));
        if (mark.equals(ByteBuffer.allocate(mark.capacity()))) {
            // Empty, or of zeros: the machine stopped before it was written out.
            return;
        }
        long sequence = mark.capacity() == BYTES ? mark.getLong() : -1;
        if (sequence < 0 || mark.getLong() != check(sequence)) {
            throw new IOException(
                    "data directory " + database + " is damaged: " + file
                            + " does not say how far its log was durable: check the disk, and remove that file to go on without");
        }
        if (found < sequence) {
            throw new IOException(
                    "data directory " + database + " is damaged: its log can be read up to change " + found
                            + ", and was durable up to change " + sequence
                            + ": bring the namespace back from a backup, or remove " + file
                            + " to go on without the changes between");
        }
    }

    @Override
    public void close() throws IOException {
        try (file) {
            file.force(false);
        }
    }
}
