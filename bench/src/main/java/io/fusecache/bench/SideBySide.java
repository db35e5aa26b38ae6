package io.fusecache.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Runs every row on a mount and on the disk below it, and reports both sides and their ratio.
 *
 * <p>What makes such figures comparable: each repeat runs on both sides, one directly after the other, and the order
 * swaps from repeat to repeat, so that both see the same machine; medians are taken, never the best; the page cache is
 * put into a known state before each measurement; memory is warmed up (see {@link PageCache#backWithMemory}); one
 * repeat is run first and thrown away.
 */
public final class SideBySide {
    /** What a trial cluster is held to, beside the ratios. */
    private static final double MOST_SECONDS_TO_MOUNT = 1.0;

    private static final double MOST_CLIENT_MEBIBYTES = 512;
    private static final double MOST_COORDINATOR_MEBIBYTES = 1024;

    private final Sizes sizes;
    private final Consumer<String> progress;

    /** @param progress is told what is being measured, a line at a time */
    public SideBySide(Sizes sizes, Consumer<String> progress) {
        this.sizes = sizes;
        this.progress = progress;
    }

    /**
     * Measures a mount that is there already. Its memory and its start are not in the report.
     *
     * @param mounted a folder within the mount
     * @param disk a folder on the disk that holds the mount's cache
     */
    public Report ofMount(Path mounted, Path disk) throws IOException, InterruptedException {
        if (mounted.toRealPath().equals(disk.toRealPath())) {
            throw new IllegalArgumentException("both sides are " + mounted + ": name two folders");
        }
        Report report = new Report();
        compare(mounted, disk, () -> {}, report);
        return report;
    }

    /**
     * Starts a coordinator and a client in a folder of their own, measures how soon they are mounted, all rows, and the
     * memory that they needed, and stops them.
     *
     * @param programs the folder of {@code client} and {@code coordinator}
     * @param disk a folder on the disk to measure; nothing is left there
     */
    public Report ofTrialCluster(Path programs, Path disk) throws IOException, InterruptedException {
        Report report = new Report();
        try (Scratch scratch = Scratch.within(disk.toRealPath());
                TrialCluster cluster = new TrialCluster(programs, scratch.folder())) {
            progress.accept("start to mounted");
            report.bounded("start to mounted", "s", starts(cluster), MOST_SECONDS_TO_MOUNT);
            cluster.startClient();
            compare(cluster.mount(), disk, cluster::flush, report);
            report.bounded(
                    "peak resident memory of the client",
                    "MiB",
                    new Figures(List.of(cluster.clientPeakMebibytes())),
                    MOST_CLIENT_MEBIBYTES);
            report.bounded(
                    "peak resident memory of the coordinator",
                    "MiB",
                    new Figures(List.of(cluster.coordinatorPeakMebibytes())),
                    MOST_COORDINATOR_MEBIBYTES);
        }
        return report;
    }

    private Figures starts(TrialCluster cluster) throws IOException, InterruptedException {
        List<Double> seconds = new ArrayList<>();
        for (int repeat = 0; repeat <= sizes.repeats(); repeat++) {
            double took = cluster.startClient().toNanos() / 1e9;
            cluster.stopClient();
            if (repeat > 0) {
                seconds.add(took);
            }
        }
        return new Figures(seconds);
    }

    private void compare(Path mounted, Path disk, Quiet quiet, Report report) throws IOException, InterruptedException {
        try (Scratch onMount = Scratch.within(mounted);
                Scratch onDisk = Scratch.within(disk)) {
            PageCache pageCache = new PageCache(onDisk.folder());
            if (!PageCache.droppable()) {
                progress.accept("not root: the page cache cannot be dropped, so the cold rows are left out");
            }
            LargeFileRows large = new LargeFileRows(sizes.largeFileMebibytes() * (1L << 20), sizes.span(), pageCache);
            SmallFileRows small = new SmallFileRows(sizes.smallFiles(), sizes.span(), pageCache);
            for (Path side : List.of(onMount.folder(), onDisk.folder())) {
                progress.accept("preparing " + side);
                large.prepare(side);
                small.prepare(side);
            }
            List<Row> rows = new ArrayList<>(large.rows());
            rows.addAll(small.rows());
            for (Row row : rows) {
                quiet.await();
                progress.accept(row.title());
                repeat(row, onMount.folder(), onDisk.folder(), report);
            }
        }
    }

    private void repeat(Row row, Path mounted, Path disk, Report report) throws IOException, InterruptedException {
        List<Double> onMount = new ArrayList<>();
        List<Double> onDisk = new ArrayList<>();
        row.measurement().run(disk, 0);
        row.measurement().run(mounted, 0);
        for (int repeat = 1; repeat <= sizes.repeats(); repeat++) {
            boolean mountFirst = repeat % 2 == 0;
            if (mountFirst) {
                onMount.add(row.measurement().run(mounted, repeat));
            }
            onDisk.add(row.measurement().run(disk, repeat));
            if (!mountFirst) {
                onMount.add(row.measurement().run(mounted, repeat));
            }
        }
        report.compared(row, new Figures(onMount), new Figures(onDisk));
    }

    /** Returns when the mount has nothing left to do from earlier steps. */
    @FunctionalInterface
    private interface Quiet {
        void await() throws IOException;
    }
}
