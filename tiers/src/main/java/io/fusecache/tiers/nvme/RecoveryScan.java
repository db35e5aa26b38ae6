package io.fusecache.tiers.nvme;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The walk over everything that is on disk at start, one shard at a time, in the background: shards with unpersisted files
 * first. Whoever needs an inode before the walk has reached its shard walks that shard itself, or waits for whoever is
 * at it; so an answer is never wrong for being early, and mounting waits for nothing.
 */
final class RecoveryScan {
    private static final Logger log = LoggerFactory.getLogger(RecoveryScan.class);

    private final List<CacheDirectory> directories;
    private final ShardReader reader;
    private final AtomicReferenceArray<@Nullable CompletableFuture<Void>> shards =
            new AtomicReferenceArray<>(CacheDirectory.SHARDS);
    private final CountDownLatch pendingDone = new CountDownLatch(1);
    private final CountDownLatch allDone = new CountDownLatch(1);
    private final AtomicBoolean stopped = new AtomicBoolean();

    /** Takes over what one shard of one directory holds. */
    interface ShardReader {
        void read(CacheDirectory directory, int shard) throws IOException;
    }

    RecoveryScan(List<CacheDirectory> directories, ShardReader reader) {
        this.directories = directories;
        this.reader = reader;
    }

    Thread start() {
        return Thread.ofVirtual().name("cache-scan").start(this::run);
    }

    private void run() {
        List<Integer> later = new ArrayList<>();
        try {
            for (int shard = 0; shard < CacheDirectory.SHARDS && !stopped.get(); shard++) {
                int number = shard;
                if (directories.stream().anyMatch(d -> d.mayHavePending(number))) {
                    readLogged(shard);
                } else {
                    later.add(shard);
                }
            }
            pendingDone.countDown();
            for (int shard : later) {
                if (stopped.get()) {
                    return;
                }
                readLogged(shard);
            }
        } finally {
            pendingDone.countDown();
            allDone.countDown();
        }
    }

    private void readLogged(int shard) {
        try {
            ensure(shard);
        } catch (IOException e) {
            log.error("cannot read shard {} of the cache: its files are fetched again", "%03x".formatted(shard), e);
        }
    }

    /** Returns when the shard has been read. */
    void ensure(int shard) throws IOException {
        CompletableFuture<Void> reading = shards.get(shard);
        if (reading == null) {
            CompletableFuture<Void> mine = new CompletableFuture<>();
            reading = shards.compareAndExchange(shard, null, mine);
            if (reading == null) {
                read(shard, mine);
                reading = mine;
            }
        }
        try {
            reading.join();
        } catch (CompletionException e) {
            throw new IOException("shard %03x of the cache: %s".formatted(shard, e.getCause()), e.getCause());
        }
    }

    private void read(int shard, CompletableFuture<Void> done) {
        try {
            for (CacheDirectory directory : directories) {
                if (directory.hasShard(shard)) {
                    reader.read(directory, shard);
                }
            }
            done.complete(null);
        } catch (IOException | RuntimeException e) {
            done.completeExceptionally(e);
        }
    }

    void awaitPending() throws InterruptedException {
        pendingDone.await();
    }

    void awaitAll() throws InterruptedException {
        allDone.await();
    }

    void stop() {
        stopped.set(true);
    }
}
