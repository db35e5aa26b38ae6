package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes blocks of files be here, right and in time: those that a call needs now, those that a sequential reader needs next,
 * and in the background the rest, so that the next open can be passed through.
 */
final class Blocks {
    private static final Logger LOG = LoggerFactory.getLogger(Blocks.class);

    /** A block that was dropped as wrong is fetched again; wrong this often in a row means that the disk is broken. */
    private static final int MAX_ROUNDS = 4;

    /** Blocks fetched at once ahead of one reader, and in all for completions. */
    private static final int WINDOW = 8;

    private final BlockSource source;
    private final ExecutorService executor;
    private final Semaphore ahead = new Semaphore(2 * WINDOW);
    private final Set<Long> completing = ConcurrentHashMap.newKeySet();
    private final Semaphore completions = new Semaphore(2);
    private volatile boolean stopped;

    Blocks(BlockSource source, ExecutorService executor) {
        this.source = source;
        this.executor = executor;
    }

    /** Returns when blocks {@code first} to {@code last} are present and verified. */
    void ensure(CachedFile file, int first, int last) throws IOException {
        for (int round = 0; round < MAX_ROUNDS; round++) {
            BitSet present = file.present();
            if (present.nextClearBit(first) <= last) {
                fetch(file, missing(present, first, last));
            }
            if (file.verify(first, last - first + 1)) {
                return;
            }
        }
        throw new IOException("blocks %d to %d of inode %d are wrong on the local disk time and again: %s"
                .formatted(first, last, file.ino(), file.path()));
    }

    /**
     * Where {@code offset} cuts a block of the base: returns when that block is here. What is cut, or grows from a cut, has
     * other bytes than the base's from then on, so nobody else could serve it.
     */
    void ensureCut(CachedFile file, FileVersion base, long offset) throws IOException {
        int block = FileSpace.block(offset, base);
        if (offset % base.blockBytes() != 0 && block < base.blocks()) {
            ensure(file, block, block);
        }
    }

    private static List<Integer> missing(BitSet present, int first, int last) {
        List<Integer> missing = new ArrayList<>();
        for (int block = present.nextClearBit(first); block <= last; block = present.nextClearBit(block + 1)) {
            missing.add(block);
        }
        return missing;
    }

    private void fetch(CachedFile file, List<Integer> blocks) throws IOException {
        if (blocks.size() == 1) {
            source.fetch(file, blocks.getFirst());
            return;
        }
        Semaphore window = new Semaphore(WINDOW);
        List<Future<?>> fetches = new ArrayList<>(blocks.size());
        IOException failure = null;
        for (int block : blocks) {
            window.acquireUninterruptibly();
            if (failed(fetches)) {
                break;
            }
            fetches.add(executor.submit(() -> {
                try {
                    source.fetch(file, block);
                } finally {
                    window.release();
                }
                return null;
            }));
        }
        for (Future<?> fetch : fetches) {
            try {
                fetch.get();
            } catch (ExecutionException e) {
                failure = e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
            } catch (InterruptedException e) {
                // What is under way goes on, for whoever asks next.
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while fetching inode " + file.ino());
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private static boolean failed(List<Future<?>> fetches) {
        return fetches.stream().anyMatch(f -> f.state() == Future.State.FAILED);
    }

    /** Fetches a few blocks from {@code block} on, without waiting, for a reader that goes forward. */
    void readAhead(CachedFile file, FileVersion version, int block) {
        BitSet present = file.present();
        int end = Math.min(version.blocks(), block + WINDOW);
        for (int next = present.nextClearBit(block); next < end; next = present.nextClearBit(next + 1)) {
            if (!ahead.tryAcquire()) {
                return;
            }
            int wanted = next;
            executor.execute(() -> {
                try {
                    source.fetch(file, wanted);
                } catch (IOException e) {
                    LOG.debug("read-ahead of block {} of inode {}", wanted, file.ino(), e);
                } finally {
                    ahead.release();
                }
            });
        }
    }

    /**
     * Fetches and verifies everything that is missing, in the background. {@code pin} is closed when that is done or given
     * up: a failure is none of anybody's business, the next reader asks again.
     */
    void complete(CachedFile pin) {
        if (stopped || !completing.add(pin.ino())) {
            pin.close();
            return;
        }
        executor.execute(() -> {
            completions.acquireUninterruptibly();
            try (pin) {
                completeNow(pin);
            } catch (IOException e) {
                LOG.debug("inode {} is not whole yet", pin.ino(), e);
            } finally {
                completions.release();
                completing.remove(pin.ino());
            }
        });
    }

    boolean isCompleting(long ino) {
        return completing.contains(ino);
    }

    private void completeNow(CachedFile file) throws IOException {
        int blocks = file.version().blocks();
        for (int first = 0; first < blocks && !stopped; first += WINDOW) {
            ensure(file, first, Math.min(first + WINDOW, blocks) - 1);
        }
    }

    BlockSource source() {
        return source;
    }

    /** No completion goes on after the block it is at. */
    void stop() {
        stopped = true;
    }
}
