package io.fusecache.bench;

import static io.fusecache.bench.Row.Unit.MIB_PER_SECOND;
import static io.fusecache.bench.Row.Unit.OPERATIONS_PER_SECOND;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A mount over a bucket beside a program that uses the same bucket by its SDK alone, doing the same work, repeat beside repeat.
 *
 * <p>Each cold measurement starts a client with an empty cache, and lets it fetch other files first, as the plain program has done. Nothing of the mount's is measured before what it wrote is in the
 * bucket: a write counts from the first byte until the object is there.
 */
public final class BucketSideBySide {
    private static final int MIB = 1 << 20;
    private static final int PAGE_BYTES = 4096;
    private static final int SMALL_BYTES = 10 << 10;
    private static final int RANDOM_READS = 40;
    private static final String LARGE = "large.bin";
    private static final String WARM = "warm.bin";
    private static final String WARM_FOLDER = "warm";
    private static final int WARM_FILES = 500;
    private static final String FETCHED = "fuse_cache_cloud_read_bytes_total";
    private static final double MOST_KIBIBYTES = 256;
    private static final double MOST_CLIENT_MEBIBYTES = 512;

    private final String bucket;
    private final Sizes sizes;
    private final int connections;
    private final Consumer<String> progress;

    /**
     * @param bucket an S3 bucket, to be found with the environment of this process; nothing is left there
     * @param connections requests that the plain program has at once, and threads that use small files of the mount
     * @param progress is told what is being measured, a line at a time
     */
    public BucketSideBySide(String bucket, Sizes sizes, int connections, Consumer<String> progress) {
        this.bucket = bucket;
        this.sizes = sizes;
        this.connections = connections;
        this.progress = progress;
    }

    /**
     * Starts a coordinator and a client, measures, and stops them.
     *
     * @param programs the folder of {@code client} and {@code coordinator}
     * @param disk a folder on the disk for the cache and for the plain program's files
     */
    public Report run(Path programs, Path disk) throws IOException, InterruptedException {
        Report report = new Report("SDK alone");
        String prefix = "fusecache-bench-" + ProcessHandle.current().pid() + "/";
        try (PlainBucket plain = new PlainBucket(bucket, connections, System.getenv());
                Scratch scratch = Scratch.within(disk.toRealPath())) {
            try (TrialCluster cluster = new TrialCluster(
                    programs,
                    scratch.folder(),
                    List.of("-cloud-provider", "s3", "-s3-bucket", bucket, "-prefix", prefix + "mount/"))) {
                cluster.startClient();
                new Rows(plain, cluster, prefix, scratch.folder(), report).measure();
            } finally {
                plain.clear(prefix);
            }
        }
        return report;
    }

    /** One side of a row. */
    @FunctionalInterface
    private interface Side {
        double run(int repeat) throws IOException, InterruptedException;
    }

    private final class Rows {
        private final PlainBucket plain;
        private final TrialCluster cluster;
        private final String prefix;
        private final Path scratch;
        private final PageCache pageCache;
        private final Report report;
        private final long bytes = sizes.largeFileMebibytes() * (long) MIB;
        private final Path source;
        private double peakMebibytes;

        Rows(PlainBucket plain, TrialCluster cluster, String prefix, Path scratch, Report report) {
            this.plain = plain;
            this.cluster = cluster;
            this.prefix = prefix;
            this.scratch = scratch;
            this.pageCache = new PageCache(scratch);
            this.report = report;
            this.source = scratch.resolve("source.bin");
        }

        void measure() throws IOException, InterruptedException {
            makeSource();
            makeWarm();
            row(
                    "write of " + bytes / MIB + " MiB until it is in the bucket",
                    MIB_PER_SECOND,
                    0.90,
                    this::write,
                    this::writePlain);
            row("cold sequential read of " + bytes / MIB + " MiB", MIB_PER_SECOND, 0.90, this::read, this::readPlain);
            List<Double> fetched = new ArrayList<>();
            row(
                    "first bytes of a cold 4 KiB read at a random offset",
                    OPERATIONS_PER_SECOND,
                    1 / 1.5,
                    repeat -> random(repeat, fetched),
                    this::randomPlain);
            report.bounded("fetched for one such read", "KiB", new Figures(fetched), MOST_KIBIBYTES);
            String files = sizes.smallFiles() + " files of 10 KiB, " + connections + " at once";
            row(
                    "write of " + files + ", until they are in the bucket",
                    OPERATIONS_PER_SECOND,
                    0.80,
                    this::writeSmall,
                    this::writeSmallPlain);
            row("cold read of " + files, OPERATIONS_PER_SECOND, 0.80, this::readSmall, this::readSmallPlain);
            notePeak();
            report.bounded(
                    "peak resident memory of the client",
                    "MiB",
                    new Figures(List.of(peakMebibytes)),
                    MOST_CLIENT_MEBIBYTES);
        }

        private void row(String title, Row.Unit unit, double bar, Side mounted, Side alone)
                throws IOException, InterruptedException {
            progress.accept(title);
            List<Double> mount = new ArrayList<>();
            List<Double> other = new ArrayList<>();
            for (int repeat = 0; repeat <= sizes.repeats(); repeat++) {
                boolean mountFirst = repeat % 2 == 0;
                double first = mountFirst ? mounted.run(repeat) : alone.run(repeat);
                double second = mountFirst ? alone.run(repeat) : mounted.run(repeat);
                if (repeat > 0) {
                    mount.add(mountFirst ? first : second);
                    other.add(mountFirst ? second : first);
                }
            }
            Row row = new Row(title, unit, OptionalDouble.of(bar), (folder, repeat) -> 0);
            report.compared(row, new Figures(mount), new Figures(other));
            progress.accept("  %s on the mount, %s by the SDK alone"
                    .formatted(new Figures(mount).text(), new Figures(other).text()));
        }

        private void makeSource() throws IOException {
            try (FileChannel channel = FileChannel.open(source, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                Random random = new Random(1);
                byte[] chunk = new byte[MIB];
                for (long at = 0; at < bytes; at += MIB) {
                    random.nextBytes(chunk);
                    channel.write(ByteBuffer.wrap(chunk));
                }
            }
        }

        private void makeWarm() throws IOException, InterruptedException {
            copy(source, cluster.mount().resolve(WARM));
            Path folder = Files.createDirectory(cluster.mount().resolve(WARM_FOLDER));
            plain.each(WARM_FILES, index -> Files.write(folder.resolve("f" + index), new byte[SMALL_BYTES]));
            upload("mount/" + WARM_FOLDER + "/f", WARM_FILES);
            upload("mount/" + WARM, 1);
        }

        private double write(int repeat) throws IOException, InterruptedException {
            warmSource();
            Path file = cluster.mount().resolve(LARGE);
            Files.deleteIfExists(file);
            while (plain.count(prefix + "mount/" + LARGE) > 0) {
                cluster.flush();
            }
            pageCache.settle();
            Stopwatch watch = new Stopwatch();
            copy(source, file);
            upload("mount/" + LARGE, 1);
            return watch.perSecond(bytes / MIB);
        }

        private double writePlain(int repeat) throws IOException, InterruptedException {
            warmSource();
            pageCache.settle();
            Stopwatch watch = new Stopwatch();
            plain.write(prefix + "plain.bin", source);
            return watch.perSecond(bytes / MIB);
        }

        /** Until so many objects are there: a flush right after a close may come before the file's turn. */
        private void upload(String keys, int objects) throws IOException {
            do {
                cluster.flush();
            } while (plain.count(prefix + keys) < objects);
        }

        private void warmSource() throws IOException {
            readAll(source);
        }

        private double read(int repeat) throws IOException, InterruptedException {
            coldClient();
            Path file = cluster.mount().resolve(LARGE);
            pageCache.backWithMemory(bytes);
            Stopwatch watch = new Stopwatch();
            readAll(file);
            return watch.perSecond(bytes / MIB);
        }

        private double readPlain(int repeat) throws IOException, InterruptedException {
            Path target = scratch.resolve("fetched.bin");
            pageCache.settle();
            pageCache.backWithMemory(bytes);
            Stopwatch watch = new Stopwatch();
            plain.read(prefix + "mount/" + LARGE, bytes, target);
            double perSecond = watch.perSecond(bytes / MIB);
            if (Files.mismatch(source, target) >= 0) {
                throw new IOException("what was read is not what was written");
            }
            Files.delete(target);
            return perSecond;
        }

        /** Each read is of another part of the file, by a descriptor of its own; the file is known to the mount, none of its bytes are. */
        private double random(int repeat, List<Double> fetched) throws IOException, InterruptedException {
            coldClient();
            Path file = cluster.mount().resolve(LARGE);
            long size = Files.size(file);
            ByteBuffer page = ByteBuffer.allocateDirect(PAGE_BYTES);
            double before = cluster.clientCounter(FETCHED);
            long nanos = 0;
            for (int i = 0; i < RANDOM_READS; i++) {
                long start = System.nanoTime();
                try (FileChannel channel = FileChannel.open(file)) {
                    readFully(channel, page.clear(), offset(repeat, i, size));
                }
                nanos += System.nanoTime() - start;
            }
            if (repeat > 0) {
                fetched.add((cluster.clientCounter(FETCHED) - before) / 1024 / RANDOM_READS);
            }
            return RANDOM_READS * 1e9 / nanos;
        }

        private double randomPlain(int repeat) throws IOException {
            Stopwatch watch = new Stopwatch();
            for (int i = 0; i < RANDOM_READS; i++) {
                plain.readRange(prefix + "mount/" + LARGE, offset(repeat, i, bytes), PAGE_BYTES);
            }
            return watch.perSecond(RANDOM_READS);
        }

        private static long offset(int repeat, int index, long size) {
            long stretch = size / RANDOM_READS;
            long within = new Random(repeat * 1000L + index).nextLong(Math.max(1, stretch - PAGE_BYTES));
            return index * stretch + within;
        }

        private double writeSmall(int repeat) throws IOException, InterruptedException {
            Path folder = Files.createDirectory(cluster.mount().resolve("small-" + repeat));
            byte[] content = new byte[SMALL_BYTES];
            cluster.flush();
            pageCache.settle();
            Stopwatch watch = new Stopwatch();
            plain.each(sizes.smallFiles(), index -> Files.write(folder.resolve("f" + index), content));
            upload("mount/small-" + repeat + "/f", sizes.smallFiles());
            return watch.perSecond(sizes.smallFiles());
        }

        private double writeSmallPlain(int repeat) throws IOException, InterruptedException {
            byte[] content = new byte[SMALL_BYTES];
            pageCache.settle();
            Stopwatch watch = new Stopwatch();
            plain.each(sizes.smallFiles(), index -> plain.write(prefix + "plain-" + repeat + "/f" + index, content));
            return watch.perSecond(sizes.smallFiles());
        }

        private double readSmall(int repeat) throws IOException, InterruptedException {
            coldClient();
            Path folder = cluster.mount().resolve("small-" + repeat);
            Stopwatch watch = new Stopwatch();
            plain.each(sizes.smallFiles(), index -> {
                int found = Files.readAllBytes(folder.resolve("f" + index)).length;
                if (found != SMALL_BYTES) {
                    throw new IOException("f" + index + " has " + found + " bytes instead of " + SMALL_BYTES);
                }
            });
            return watch.perSecond(sizes.smallFiles());
        }

        private double readSmallPlain(int repeat) throws IOException, InterruptedException {
            Stopwatch watch = new Stopwatch();
            plain.each(
                    sizes.smallFiles(),
                    index -> plain.readWhole(prefix + "mount/small-" + repeat + "/f" + index, SMALL_BYTES));
            return watch.perSecond(sizes.smallFiles());
        }

        private void coldClient() throws IOException, InterruptedException {
            notePeak();
            cluster.restartEmpty();
            // What is cold is the cache, not the program, nor the store's own page cache: the other side has that warm,
            // too.
            readAll(cluster.mount().resolve(WARM));
            Path small = cluster.mount().resolve(WARM_FOLDER);
            plain.each(WARM_FILES, index -> Files.readAllBytes(small.resolve("f" + index)));
            try (Stream<Path> names = Files.list(cluster.mount())) {
                progress.accept("  a client with an empty cache lists " + names.count() + " names");
            }
        }

        private void notePeak() throws IOException {
            peakMebibytes = Math.max(peakMebibytes, cluster.clientPeakMebibytes());
        }

        private static void copy(Path from, Path to) throws IOException {
            try (FileChannel source = FileChannel.open(from);
                    FileChannel target =
                            FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                ByteBuffer chunk = ByteBuffer.allocateDirect(MIB);
                while (source.read(chunk.clear()) >= 0) {
                    chunk.flip();
                    while (chunk.hasRemaining()) {
                        target.write(chunk);
                    }
                }
            }
        }

        private static void readAll(Path file) throws IOException {
            try (FileChannel channel = FileChannel.open(file)) {
                ByteBuffer chunk = ByteBuffer.allocateDirect(MIB);
                while (channel.read(chunk.clear()) >= 0) {}
            }
        }

        private static void readFully(FileChannel channel, ByteBuffer buffer, long at) throws IOException {
            long next = at;
            while (buffer.hasRemaining()) {
                int read = channel.read(buffer, next);
                if (read < 0) {
                    throw new IOException("the file ends at " + next);
                }
                next += read;
            }
        }
    }
}
