package io.fusecache.bench;

import static io.fusecache.bench.Row.Unit.OPERATIONS_PER_SECOND;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;

/** Rows on many small files: stat and read of what is warm, and the making of new ones. */
final class SmallFileRows {
    private static final int FILE_BYTES = 4096;
    private static final String WARM_FOLDER = "small";

    private final int files;
    private final Duration span;
    private final PageCache pageCache;
    private final ByteBuffer content = ByteBuffer.allocateDirect(FILE_BYTES);

    /** @param span how long a row that can go on measures */
    SmallFileRows(int files, Duration span, PageCache pageCache) {
        this.files = files;
        this.span = span;
        this.pageCache = pageCache;
    }

    List<Row> rows() {
        return List.of(
                new Row(
                        "stat of " + files + " files, warm",
                        OPERATIONS_PER_SECOND,
                        0.80,
                        (folder, repeat) -> passes(folder, SmallFileRows::stat)),
                new Row(
                        "open, read, close of " + files + " files of 4 KiB, warm",
                        OPERATIONS_PER_SECOND,
                        0.05,
                        (folder, repeat) -> passes(folder, this::read)),
                new Row(
                        "create, write, close of " + files + " files of 4 KiB",
                        OPERATIONS_PER_SECOND,
                        OptionalDouble.empty(),
                        this::create));
    }

    /** Makes the files that the warm rows use. Not timed. */
    void prepare(Path folder) throws IOException {
        make(folder.resolve(WARM_FOLDER));
    }

    private double create(Path folder, int repeat) throws IOException, InterruptedException {
        Path fresh = folder.resolve("created-" + repeat);
        pageCache.settle();
        Stopwatch watch = new Stopwatch();
        make(fresh);
        double perSecond = watch.perSecond(files);
        for (int i = 0; i < files; i++) {
            Files.delete(fresh.resolve(name(i)));
        }
        Files.delete(fresh);
        return perSecond;
    }

    private void make(Path folder) throws IOException {
        Files.createDirectory(folder);
        for (int i = 0; i < files; i++) {
            try (FileChannel channel = FileChannel.open(
                    folder.resolve(name(i)), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                channel.write(content.clear());
            }
        }
    }

    /** One untimed pass, then as many as fit into the span. */
    private double passes(Path folder, Operation operation) throws IOException {
        Path warm = folder.resolve(WARM_FOLDER);
        Path[] paths = new Path[files];
        for (int i = 0; i < files; i++) {
            paths[i] = warm.resolve(name(i));
            operation.run(paths[i]);
        }
        long done = 0;
        Stopwatch watch = new Stopwatch();
        do {
            for (Path path : paths) {
                operation.run(path);
            }
            done += files;
        } while (watch.elapsed().compareTo(span) < 0);
        return watch.perSecond(done);
    }

    private static void stat(Path file) throws IOException {
        long size = Files.readAttributes(file, BasicFileAttributes.class).size();
        if (size != FILE_BYTES) {
            throw new IOException(file + " has " + size + " bytes instead of " + FILE_BYTES);
        }
    }

    private void read(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            int read = channel.read(content.clear());
            if (read != FILE_BYTES) {
                throw new IOException(file + ": " + read + " bytes read instead of " + FILE_BYTES);
            }
        }
    }

    private static String name(int index) {
        return "f" + index;
    }

    @FunctionalInterface
    private interface Operation {
        void run(Path file) throws IOException;
    }
}
