package io.fusecache.filesystem;

import io.fusecache.cache.CloudTier;
import io.fusecache.metadata.CloudWork;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Expected;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.ObjectAttributes;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the bucket what happened in the namespace: objects of removed files go, those of renamed files move. The work is the
 * coordinator's, persistent, and done by whichever node takes it; each piece may be done more than once.
 */
final class CloudWorker implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CloudWorker.class);
    private static final int BATCH = 64;
    private static final Duration IDLE = Duration.ofSeconds(1);

    private final Metadata metadata;
    private final CloudTier cloud;
    private final SharedKeys sharedKeys;
    private final Orphans orphans;
    private final Duration lease;
    private final ExecutorService executor;
    private final Semaphore wanted = new Semaphore(0);
    private final Thread thread;

    CloudWorker(FileSystem.Ground ground, SharedKeys sharedKeys, Orphans orphans) {
        this.sharedKeys = sharedKeys;
        this.metadata = ground.metadata();
        this.cloud = ground.cloud();
        this.lease = Tenure.forAttemptsOf(cloud.timeout());
        this.orphans = orphans;
        this.executor = ground.executor();
        this.thread = Thread.ofVirtual().name("cloud-work").unstarted(this::work);
    }

    void start() {
        thread.start();
    }

    /** There is work, by what this node just did: no need to wait until the next look. */
    void nudge() {
        if (wanted.availablePermits() == 0) {
            wanted.release();
        }
    }

    private void work() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                if (!doSome()) {
                    wanted.tryAcquire(IDLE.toNanos(), TimeUnit.NANOSECONDS);
                }
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (RejectedExecutionException stopped) {
            LOG.debug("what was taken is some node's when its lease is over", stopped);
        }
    }

    /** Returns whether there may be more to do right now. */
    private boolean doSome() throws InterruptedException {
        List<CloudWork> batch;
        long asked = System.nanoTime();
        try {
            batch = metadata.connected() ? metadata.takeWork(BATCH, lease) : List.of();
        } catch (ErrnoException e) {
            LOG.debug("no cloud work to be had", e);
            return false;
        }
        CountDownLatch left = new CountDownLatch(batch.size());
        AtomicBoolean failed = new AtomicBoolean();
        for (CloudWork piece : batch) {
            executor.execute(() -> {
                try {
                    perform(piece, Tenure.of(lease, asked, metadata, () -> metadata.renewWork(piece.id(), lease)));
                } catch (IOException | ErrnoException e) {
                    failed.set(true);
                    LOG.warn("{} failed, some node tries again: {}", piece, e.getMessage());
                    giveBack(piece);
                } finally {
                    left.countDown();
                }
            });
        }
        left.await();
        return !batch.isEmpty() && !failed.get();
    }

    /** Soon, but not before what failed has certainly ended. */
    private void giveBack(CloudWork piece) {
        try {
            boolean ignored = metadata.connected() && metadata.renewWork(piece.id(), Tenure.SPARE);
        } catch (ErrnoException e) {
            LOG.debug("{} is this node's for a while yet", piece, e);
        }
    }

    private void perform(CloudWork piece, Tenure tenure) throws IOException, ErrnoException {
        switch (piece) {
            case CloudWork.Delete delete -> {
                sharedKeys.delete(delete.key(), delete.object(), tenure);
                metadata.finishWork(delete.id());
            }
            case CloudWork.DeleteMarker delete -> {
                cloud.delete(delete.key(), tenure);
                metadata.finishWork(delete.id());
            }
            case CloudWork.PutMarker put -> {
                cloud.put(put.key(), 0, Map.of(), CloudWorker::nothing, tenure);
                metadata.finishWork(put.id());
            }
            case CloudWork.Move move -> move(move, tenure);
        }
    }

    private static void nothing(long offset, MemorySegment target) throws IOException {
        if (target.byteSize() > 0) {
            throw new IOException("a marker has no bytes");
        }
    }

    private void move(CloudWork.Move move, Tenure tenure) throws IOException, ErrnoException {
        Optional<ObjectRef> copy = copy(move, tenure);
        if (copy.isPresent()) {
            boolean ours = cloud.delete(move.from(), tenure);
            if (!ours) {
                LOG.info("'{}' is another object by now: it stays", move.from().key());
            }
        } else {
            copy = movedBefore(move);
        }
        if (copy.isPresent()) {
            metadata.finishMove(move.id(), copy.get());
        } else {
            // A bucket that is not there has no objects either.
            cloud.check();
            LOG.warn(
                    "the object {} is gone or another one: it does not follow its file to {}",
                    move.from(),
                    move.toKey());
            Optional<FileVersion> kept = orphans.keep(move.ino(), move.version());
            metadata.finishWork(move.id());
            kept.ifPresent(orphans::upload);
        }
    }

    /** Empty where the source is not there, or another. */
    private Optional<ObjectRef> copy(CloudWork.Move move, Tenure tenure) throws IOException, ErrnoException {
        try {
            return cloud.copy(move.from(), move.toKey(), over(move.over()), tenure);
        } catch (CloudTier.OccupiedException occupied) {
            Optional<CloudTier.StoredObject> there = cloud.head(move.toKey());
            if (there.isPresent() && isCopy(move, there.get())) {
                return Optional.of(there.get().object());
            }
        }
        return sharedKeys.write(
                move.toKey(),
                move.over(),
                there -> false,
                tenure,
                over -> cloud.copy(move.from(), move.toKey(), over, tenure));
    }

    private static CloudTier.Over over(Expected expected) {
        return expected.etag() == null ? new CloudTier.Over.Nothing() : new CloudTier.Over.Version(expected.etag());
    }

    /** One that was made before, and whose answer was lost; in some stores an ETag is of the bytes. */
    private boolean isCopy(CloudWork.Move move, CloudTier.StoredObject there) throws IOException, ErrnoException {
        return there.object().etag().equals(move.from().etag()) || isOf(move, there);
    }

    /**
     * The copy that a node made which could not say so any more: what is at the new key, where it is of this file. Whatever is at the old
     * one now is a stranger's, and stays.
     */
    private Optional<ObjectRef> movedBefore(CloudWork.Move move) throws IOException, ErrnoException {
        Optional<CloudTier.StoredObject> found = cloud.head(move.toKey());
        return found.isPresent() && isOf(move, found.get())
                ? Optional.of(found.get().object())
                : Optional.empty();
    }

    /**
     * By its birth time, to the nanosecond, and its size; an object that strangers made has no birth time, and is told by its size and by
     * nothing being at the old key any more.
     */
    private boolean isOf(CloudWork.Move move, CloudTier.StoredObject found) throws IOException, ErrnoException {
        Optional<ObjectAttributes> attributes = ObjectAttributes.parse(found.attributes());
        Inode inode;
        FileVersion content;
        try {
            inode = metadata.inode(move.ino());
            content = metadata.content(move.ino());
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESTALE) {
                // Removed since, and so is what some node of ours made of it; what strangers made stays.
                return attributes.isPresent();
            }
            throw e;
        }
        boolean sameVersion = content.version() == move.version();
        boolean sameSize = content.size() == found.size();
        if (attributes.isPresent()) {
            return attributes.get().born().equals(inode.born()) && (sameSize || !sameVersion);
        }
        return sameVersion && sameSize && cloud.head(move.from().key()).isEmpty();
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
