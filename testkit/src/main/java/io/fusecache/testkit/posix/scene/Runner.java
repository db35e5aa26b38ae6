package io.fusecache.testkit.posix.scene;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Checks rules in a directory of any mount, by some threads at once. A check that does not return is given up with its
 * thread, and counted as failed.
 */
public final class Runner {
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Duration PATIENCE_WHERE_SLOW = Duration.ofMinutes(10);
    private static final long POLL_MILLIS = 20;

    private final List<Rule> rules;
    private final Path directory;
    private final Shared shared;
    private final boolean removing;
    private final AtomicReferenceArray<Report.Result> results;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger workers = new AtomicInteger();
    /** Of the thread that runs. */
    private boolean gaveUp;

    private Runner(List<Rule> rules, Path directory, Shared shared, boolean removing) {
        this.rules = List.copyOf(rules);
        this.directory = directory;
        this.shared = shared;
        this.removing = removing;
        this.results = new AtomicReferenceArray<>(rules.size());
    }

    /** What becomes of what checks make. */
    public enum Leftovers {
        /** Removed after each check. */
        REMOVED,
        /** Left there: for a file system that goes with it, where removing takes as long as checking. */
        KEPT
    }

    /**
     * Blocks until all are checked. The directory must exist. Where what is made in it is to be removed, that leaves out what
     * a check has that was given up and still hangs.
     */
    public static Report run(List<Rule> rules, Path directory, int threads, Leftovers leftovers)
            throws IOException, InterruptedException {
        Path base = Files.createTempDirectory(directory.toAbsolutePath(), "posix-suite-");
        Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxr-xr-x"));
        Runner runner;
        Report report;
        try (Arena arena = Arena.ofConfined()) {
            Shared shared = new Shared(arena, base);
            runner = new Runner(rules, base, shared, leftovers == Leftovers.REMOVED);
            report = runner.run(threads);
            if (leftovers == Leftovers.KEPT) {
                return report;
            }
            shared.end();
        }
        try {
            Files.deleteIfExists(base);
        } catch (DirectoryNotEmptyException left) {
            if (!runner.gaveUp) {
                throw left;
            }
        }
        return report;
    }

    private Report run(int threads) throws InterruptedException {
        List<Work> under = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            under.add(new Work());
        }
        while (!under.isEmpty()) {
            for (int i = under.size() - 1; i >= 0; i--) {
                Work work = under.get(i);
                work.thread.join(POLL_MILLIS);
                if (!work.thread.isAlive()) {
                    under.remove(i);
                } else if (work.stuck()) {
                    gaveUp = true;
                    under.set(i, new Work());
                }
            }
        }
        List<Report.Result> all = new ArrayList<>();
        for (int i = 0; i < rules.size(); i++) {
            Report.Result result = results.get(i);
            all.add(result != null ? result : new Report.Failed(rules.get(i), "its thread broke"));
        }
        return new Report(all);
    }

    /** A thread, and since when it is at which rule. */
    private final class Work {
        private final Thread thread;
        private volatile int current = -1;
        private volatile long sinceNanos;

        Work() {
            thread = Thread.ofPlatform().daemon().name("posix-suite").start(this::run);
        }

        private void run() {
            try (Arena arena = Arena.ofConfined()) {
                Path home = directory.resolve("w" + workers.incrementAndGet());
                Worker worker = new Worker(arena, home, shared, removing);
                for (int i = next.getAndIncrement(); i < rules.size(); i = next.getAndIncrement()) {
                    sinceNanos = System.nanoTime();
                    current = i;
                    if (!results.compareAndSet(i, null, worker.check(rules.get(i)))) {
                        break;
                    }
                }
                worker.end();
            }
        }

        boolean stuck() {
            int i = current;
            if (i < 0) {
                return false;
            }
            Duration patience = rules.get(i).slow() ? PATIENCE_WHERE_SLOW : PATIENCE;
            return System.nanoTime() - sinceNanos > patience.toNanos()
                    && results.compareAndSet(
                            i,
                            null,
                            new Report.Failed(rules.get(i), "did not end within " + patience.toSeconds() + " s"));
        }
    }
}
