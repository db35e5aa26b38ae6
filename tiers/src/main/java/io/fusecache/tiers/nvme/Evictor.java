package io.fusecache.tiers.nvme;

import io.fusecache.cache.Disk;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the tier within its capacity and the disks above their reserve.
 *
 * <p>Above the high watermark, or the file count, one thread evicts down to the low one. Whoever needs room that is not
 * there evicts for itself. Files that the kernel writes grow unseen: while there are any they are measured every second.
 */
final class Evictor {
    private static final Logger log = LoggerFactory.getLogger(Evictor.class);
    /** How old a figure of statfs may be; what is stored in between is small against any sensible reserve. */
    private static final long SPACE_MILLIS = 100;

    private static final long MEASURE_SECONDS = 1;

    private final NvmeOptions options;
    private final List<CacheDirectory> directories;
    private final CacheIndex index;
    private final InstantSource clock;
    private final Consumer<CacheEntry> remove;
    private final Semaphore work = new Semaphore(0);
    private final Map<CacheDirectory, Seen> spaces = new ConcurrentHashMap<>();
    private volatile boolean stopped;
    private @Nullable Thread thread;

    private record Seen(long atMillis, long availableBytes, long availableInodes) {}

    Evictor(
            NvmeOptions options,
            List<CacheDirectory> directories,
            CacheIndex index,
            InstantSource clock,
            Consumer<CacheEntry> remove) {
        this.options = options;
        this.directories = directories;
        this.index = index;
        this.clock = clock;
        this.remove = remove;
    }

    void start() {
        thread = Thread.ofVirtual().name("cache-evict").start(this::run);
    }

    void stop() {
        stopped = true;
        work.release();
    }

    void join() throws InterruptedException {
        Thread running = thread;
        if (running != null) {
            running.join();
        }
    }

    private void run() {
        try {
            while (!stopped) {
                if (index.writing().isEmpty()) {
                    work.acquire();
                } else if (work.tryAcquire(MEASURE_SECONDS, TimeUnit.SECONDS)) {
                    log.trace("woken");
                }
                work.drainPermits();
                measureWriting();
                trim();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void measureWriting() {
        for (CacheEntry entry : index.writing()) {
            CompletableFuture<BackingFile> backing = index.opened(entry);
            if (backing != null && backing.isDone() && !backing.isCompletedExceptionally()) {
                try {
                    backing.join().measure();
                } catch (IOException closedMeanwhile) {
                    log.debug("cannot measure {}: {}", entry.path, closedMeanwhile.getMessage());
                }
            }
        }
    }

    private void trim() {
        if (tooMuch()) {
            while (!stopped && (index.usedBytes() > options.lowBytes() || index.files() > options.maxFiles())) {
                if (!evictOne(null)) {
                    break;
                }
            }
        }
        for (CacheDirectory directory : directories) {
            while (!stopped && missing(directory, 0) > 0 && evictOne(directory)) {
                spaces.remove(directory);
            }
        }
    }

    private boolean tooMuch() {
        return index.usedBytes() > options.highBytes() || index.files() > options.maxFiles();
    }

    private boolean evictOne(@Nullable CacheDirectory directory) {
        CacheEntry victim = index.evict(directory);
        if (victim != null) {
            remove.accept(victim);
        }
        return victim != null;
    }

    /** Evicts until {@code bytes} more fit. */
    void reserve(CacheDirectory directory, long bytes) throws IOException {
        if (tooMuch()) {
            work.release();
        }
        while (index.usedBytes() + bytes > options.capacityBytes()) {
            if (!evictOne(null)) {
                throw NvmeTier.full(directory, bytes);
            }
        }
        while (missing(directory, bytes) > 0) {
            if (!evictOne(directory)) {
                throw NvmeTier.full(directory, bytes);
            }
            spaces.remove(directory);
        }
    }

    /** How many bytes, or inodes, the directory's file system lacks for {@code bytes} more. */
    private long missing(CacheDirectory directory, long bytes) {
        Seen seen = space(directory);
        long missingInodes = seen.availableInodes() < 4 ? 4 : 0;
        return Math.max(missingInodes, options.reserveBytes() + bytes - seen.availableBytes());
    }

    private Seen space(CacheDirectory directory) {
        long now = clock.millis();
        Seen seen = spaces.get(directory);
        if (seen != null && Math.abs(now - seen.atMillis()) < SPACE_MILLIS) {
            return seen;
        }
        try {
            Disk.Space space = directory.space();
            seen = new Seen(now, space.availableBytes(), space.availableInodes());
        } catch (IOException e) {
            log.warn("cannot see the free space of {}: taken as full", directory.root(), e);
            seen = new Seen(now, 0, 0);
        }
        spaces.put(directory, seen);
        return seen;
    }

    /** Where a new file goes. */
    CacheDirectory roomiest() {
        if (directories.size() == 1) {
            return directories.getFirst();
        }
        return directories.stream()
                .max(Comparator.comparingLong(d -> space(d).availableBytes()))
                .orElseThrow();
    }

    boolean hasRoom(long bytes) {
        boolean fits = index.usedBytes() + bytes <= options.capacityBytes()
                && directories.stream().anyMatch(d -> missing(d, bytes) <= 0);
        if (!fits || tooMuch()) {
            work.release();
        }
        return fits;
    }
}
