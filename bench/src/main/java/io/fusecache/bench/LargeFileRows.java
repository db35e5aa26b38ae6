package io.fusecache.bench;

import static io.fusecache.bench.Row.Unit.MIB_PER_SECOND;
import static io.fusecache.bench.Row.Unit.OPERATIONS_PER_SECOND;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Rows on one large file: written anew, and read back from the cache of this node, page cache cold and warm.
 *
 * <p>The file holds a pattern that says where each 8 bytes belong, and is read once against it, untimed: a fast read of
 * wrong bytes is a failure, not a figure.
 */
final class LargeFileRows {
    private static final int MIB = 1 << 20;
    private static final int PAGE_BYTES = 4096;
    private static final String CACHED_FILE = "cached.bin";

    private final long bytes;
    private final Duration span;
    private final PageCache pageCache;
    private final ByteBuffer large = ByteBuffer.allocateDirect(MIB);
    private final ByteBuffer page = ByteBuffer.allocateDirect(PAGE_BYTES);

    /**
     * @param bytes size of the file, whole MiB
     * @param span how long a row that can go on measures
     */
    LargeFileRows(long bytes, Duration span, PageCache pageCache) {
        this.bytes = bytes;
        this.span = span;
        this.pageCache = pageCache;
    }

    List<Row> rows() {
        String size = bytes / MIB + " MiB";
        String quarter = bytes / 4 / MIB + " MiB";
        List<Row> rows = new ArrayList<>();
        if (PageCache.droppable()) {
            rows.add(new Row(
                    "cached sequential read, " + size + " by 1 MiB, page cache cold",
                    MIB_PER_SECOND,
                    0.95,
                    this::readCold));
        }
        rows.add(new Row("cached sequential read, page cache warm", MIB_PER_SECOND, 0.95, this::readWarm));
        if (PageCache.droppable()) {
            rows.add(new Row(
                    "cached random read of 4 KiB, page cache cold", OPERATIONS_PER_SECOND, 0.95, this::readRandomCold));
        }
        rows.add(new Row(
                "cached random read of 4 KiB, page cache warm", OPERATIONS_PER_SECOND, 0.95, this::readRandomWarm));
        rows.add(new Row(
                "new file, " + size + " by 1 MiB",
                MIB_PER_SECOND,
                0.90,
                (folder, repeat) -> write(folder, bytes, large, false)));
        rows.add(new Row(
                "new file, " + size + " by 1 MiB, fsync at the end",
                MIB_PER_SECOND,
                0.90,
                (folder, repeat) -> write(folder, bytes, large, true)));
        rows.add(new Row(
                "new file, " + quarter + " by 4 KiB",
                MIB_PER_SECOND,
                0.80,
                (folder, repeat) -> write(folder, bytes / 4, page, false)));
        return rows;
    }

    /** Writes the file that the read rows read, and checks it. Not timed. */
    void prepare(Path folder) throws IOException {
        Path file = folder.resolve(CACHED_FILE);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long at = 0; at < bytes; at += MIB) {
                fill(at);
                while (large.hasRemaining()) {
                    channel.write(large);
                }
            }
            channel.force(true);
        }
        check(file);
    }

    private void check(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            for (long at = 0; at < bytes; at += MIB) {
                readFully(channel, large.clear(), at);
                large.flip();
                for (long word = at; large.hasRemaining(); word += Long.BYTES) {
                    long found = large.getLong();
                    if (found != word) {
                        throw new IOException(
                                "%s: wrong bytes at %d: %x instead of %x".formatted(file, word, found, word));
                    }
                }
            }
        }
    }

    private void fill(long at) {
        large.clear();
        for (long word = at; large.hasRemaining(); word += Long.BYTES) {
            large.putLong(word);
        }
        large.flip();
    }

    private double readCold(Path folder, int repeat) throws IOException, InterruptedException {
        pageCache.backWithMemory(bytes);
        pageCache.drop();
        Stopwatch watch = new Stopwatch();
        readAll(folder);
        return watch.perSecond(bytes / MIB);
    }

    private double readWarm(Path folder, int repeat) throws IOException, InterruptedException {
        warm(folder);
        long done = 0;
        Stopwatch watch = new Stopwatch();
        do {
            readAll(folder);
            done += bytes / MIB;
        } while (watch.elapsed().compareTo(span) < 0);
        return watch.perSecond(done);
    }

    /**
     * Fills the page cache by one sequential read from empty. What earlier rows left there came in other ways and in
     * pieces of other sizes, which makes random reads of the same bytes a fifth slower or faster.
     */
    private void warm(Path folder) throws IOException, InterruptedException {
        if (PageCache.droppable()) {
            pageCache.backWithMemory(bytes);
            pageCache.drop();
        }
        readAll(folder);
    }

    private void readAll(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder.resolve(CACHED_FILE))) {
            for (long at = 0; at < bytes; at += MIB) {
                readFully(channel, large.clear(), at);
            }
        }
    }

    private double readRandomCold(Path folder, int repeat) throws IOException, InterruptedException {
        pageCache.drop();
        return readRandom(folder, repeat);
    }

    private double readRandomWarm(Path folder, int repeat) throws IOException, InterruptedException {
        warm(folder);
        return readRandom(folder, repeat);
    }

    private double readRandom(Path folder, int repeat) throws IOException {
        Random random = new Random(repeat);
        long pages = bytes / PAGE_BYTES;
        long done = 0;
        try (FileChannel channel = FileChannel.open(folder.resolve(CACHED_FILE))) {
            Stopwatch watch = new Stopwatch();
            do {
                for (int i = 0; i < 64; i++) {
                    readFully(channel, page.clear(), random.nextLong(pages) * PAGE_BYTES);
                }
                done += 64;
            } while (watch.elapsed().compareTo(span) < 0);
            return watch.perSecond(done);
        }
    }

    /** Close is part of it, because that is where a network file system likes to hide its work. */
    private double write(Path folder, long size, ByteBuffer block, boolean sync)
            throws IOException, InterruptedException {
        Path file = folder.resolve("written.bin");
        pageCache.settle();
        pageCache.backWithMemory(size);
        Stopwatch watch = new Stopwatch();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long at = 0; at < size; at += block.capacity()) {
                block.clear();
                while (block.hasRemaining()) {
                    channel.write(block);
                }
            }
            if (sync) {
                channel.force(true);
            }
        }
        double perSecond = watch.perSecond(size / MIB);
        if (Files.size(file) != size) {
            throw new IOException(file + " has " + Files.size(file) + " bytes instead of " + size);
        }
        Files.delete(file);
        return perSecond;
    }

    private static void readFully(FileChannel channel, ByteBuffer buffer, long at) throws IOException {
        long next = at;
        while (buffer.hasRemaining()) {
            int read = channel.read(buffer, next);
            if (read < 0) {
                throw new IOException("the file ends at " + next + ", before " + (at + buffer.capacity()));
            }
            next += read;
        }
    }
}
