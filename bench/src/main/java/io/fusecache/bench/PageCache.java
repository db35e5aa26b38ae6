package io.fusecache.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The kernel's page cache, brought into a known state before a measurement. */
final class PageCache {
    private static final Path DROP = Path.of("/proc/sys/vm/drop_caches");
    private static final int CHUNK_BYTES = 1 << 20;

    private final Path scratch;

    /** @param scratch a folder on the disk below the mount */
    PageCache(Path scratch) {
        this.scratch = scratch;
    }

    /** Whether this process may drop the cache (root alone may): without it there are no cold rows. */
    static boolean droppable() {
        return Files.isWritable(DROP);
    }

    /** Waits until nothing is dirty, so that no step pays for the one before it. */
    void settle() throws IOException, InterruptedException {
        int status = new ProcessBuilder("sync").inheritIO().start().waitFor();
        if (status != 0) {
            throw new IOException("sync ended with status " + status);
        }
    }

    /** Empties it. What was dirty is written first, because dirty pages stay. */
    void drop() throws IOException, InterruptedException {
        settle();
        Files.writeString(DROP, "3\n");
    }

    /**
     * Makes {@code bytes} of free memory cheap to use. A virtual machine gives memory that it freed back to its host, and
     * the next touch of it is a fault in the host: the same write then takes two times or ten times as long. Memory that
     * was in use a moment ago is still there, so a scratch file is written and removed right before the measurement.
     */
    void backWithMemory(long bytes) throws IOException {
        Path file = Files.createTempFile(scratch, "back", ".scratch");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
            for (long done = 0; done < bytes; done += CHUNK_BYTES) {
                channel.write(chunk.rewind());
            }
        } finally {
            Files.delete(file);
        }
    }
}
