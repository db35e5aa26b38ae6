package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.CloudTier;
import io.fusecache.cache.Disk;
import io.fusecache.cache.LocalTier;
import io.fusecache.filesystem.UploadQueue.End;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Expected;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.UploadTicket;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes what was committed here to the bucket: sealed at once, put after a delay (so that a file that lives shorter never
 * leaves the node), a bounded number at a time, tried again until it is there or overtaken.
 *
 * <p>The bytes are read from the backing file, which may be opened and written meanwhile: size and times before and
 * after say whether what was put is the version. If not, it is not reported as such, and its key holds torn bytes until the
 * next version is put, which is queued at the latest when that writer closes.
 */
final class Uploads implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Uploads.class);

    private final Metadata metadata;
    private final LocalTier local;
    private final CloudTier cloud;
    private final SharedKeys sharedKeys;
    private final Sealer sealer;
    private final UploadQueue queue;
    private final ExecutorService executor;
    private final Semaphore seals = new Semaphore(2);
    private final Duration cloudWait;

    private final Departed departed;

    /** Commits the backing file of an inode anew, because it changed after its last commit with nobody having it open. */
    private final LongConsumer recommit;

    /** Files that no bucket takes, by inode: pending for good, so that nothing is tried again or waits for them. */
    private final ConcurrentHashMap<Long, FileVersion> tooLarge = new ConcurrentHashMap<>();

    /** Versions whose upload made way for a writer, by inode. */
    private final ConcurrentHashMap<Long, Long> parked = new ConcurrentHashMap<>();

    /** What was to be removed at the key of a file whose put over it has not come to its end: the coordinator says it once. */
    private final ConcurrentHashMap<Long, ObjectRef> replaced = new ConcurrentHashMap<>();

    private final Thread dispatcher;

    Uploads(
            FileSystem.Ground ground,
            SharedKeys sharedKeys,
            FileSystemOptions options,
            Departed departed,
            LongConsumer recommit) {
        this.metadata = ground.metadata();
        this.local = ground.local();
        this.cloud = ground.cloud();
        this.sharedKeys = sharedKeys;
        this.sealer = new Sealer(metadata);
        this.queue = new UploadQueue(options.uploadDelay(), options.uploads());
        this.executor = ground.executor();
        this.cloudWait = options.cloudWait();
        this.departed = departed;
        this.recommit = recommit;
        this.dispatcher = Thread.ofVirtual().name("uploads").unstarted(this::dispatch);
    }

    void start() {
        dispatcher.start();
    }

    /** The last writer of this version is gone. {@code stat}: how the backing file looked at the commit, if that is known. */
    void closed(FileVersion version, Disk.@Nullable Stat stat) {
        parked.remove(version.ino());
        tooLarge.remove(version.ino());
        if (version.persisted()) {
            return;
        }
        // Holes are uploaded as zeros: no bucket has any.
        if (version.size() > cloud.largestObject()) {
            tooLarge.put(version.ino(), version);
            LOG.error(
                    "{} is larger than an object can be, {} bytes: it stays on this node",
                    version,
                    cloud.largestObject());
            return;
        }
        queue.add(version, stat);
        if (!version.sealed()) {
            executor.execute(() -> sealInBackground(version, stat));
        }
    }

    /**
     * The last writer of this version is gone and left it as it was, but for times it may have set: an upload that made way
     * for him goes on, and one that waits expects the file as it looks now.
     */
    void closedUnchanged(FileVersion version, Disk.@Nullable Stat stat) {
        Long left = parked.remove(version.ino());
        if (left != null && left == version.version()) {
            closed(version, stat);
        } else {
            queue.looks(version, stat);
        }
    }

    /**
     * Whether the file is what was committed last, and no mapping can make it another: by its checksums, since a mapping that is gone may
     * have stored what no time shows. What has none yet is sealed as it is then.
     *
     * @param committed how it looked when it was committed
     */
    boolean stands(long ino, Disk.@Nullable Stat committed) {
        try {
            Optional<CachedFile> found = local.find(ino);
            if (found.isEmpty()) {
                return true;
            }
            try (CachedFile file = found.get()) {
                FileVersion version = file.version();
                if (committed == null
                        || file.writing()
                        || file.file().writableElsewhere()
                        || !InodeIo.sameContent(committed, file.file().stat())) {
                    return false;
                }
                return !version.sealed()
                        || Arrays.equals(version.checksums(), file.checksum(version.size(), version.blockBytes()));
            }
        } catch (IOException e) {
            LOG.debug("whether inode {} is as it was committed is not known", ino, e);
            return false;
        }
    }

    /** Whether the next upload of the file has not begun: it will see for itself what the file is then. */
    boolean awaits(long ino) {
        return queue.waits(ino);
    }

    /** The file was removed: nothing of it needs to be in the bucket. */
    void forget(long ino) {
        parked.remove(ino);
        tooLarge.remove(ino);
        replaced.remove(ino);
        queue.remove(ino);
    }

    /** Nothing waits for its delay any more. */
    void hurry() {
        queue.hurry();
    }

    void awaitProgress(Duration atMost) {
        queue.awaitProgress(atMost);
    }

    Pending pending() {
        List<FileVersion> unfit = List.copyOf(tooLarge.values());
        long bytes = unfit.stream().mapToLong(FileVersion::size).sum();
        return new Pending(queue.files() + unfit.size(), queue.bytes() + bytes, unfit.size());
    }

    boolean isPending(long ino) {
        return queue.contains(ino) || tooLarge.containsKey(ino);
    }

    /** Waits until everything that is closed, and fits into an object, is in the bucket. False where it is not within {@code atMost}. */
    boolean flush(Duration atMost) {
        return queue.drain(atMost);
    }

    /** {@code --durability cloud}: puts the version now, though its file may be open, and waits. EIO where that fails. */
    void uploadNow(FileVersion version) throws ErrnoException {
        if (version.persisted() || version.version() == 0) {
            return;
        }
        if (version.size() > cloud.largestObject()) {
            throw new ErrnoException(
                    Errno.EFBIG, version + " is larger than an object can be, " + cloud.largestObject() + " bytes");
        }
        queue.addForced(version);
        if (!queue.awaitGone(version, cloudWait)) {
            throw new ErrnoException(
                    Errno.EIO,
                    version + " did not reach the bucket within " + cloudWait.toSeconds() + " s; it is tried further");
        }
    }

    private void dispatch() {
        try {
            while (true) {
                UploadQueue.Task task = queue.take();
                executor.execute(() -> queue.finished(task, run(task)));
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (RejectedExecutionException stopped) {
            LOG.debug("what waits is uploaded after the next start", stopped);
        }
    }

    private void sealInBackground(FileVersion version, Disk.@Nullable Stat stat) {
        seals.acquireUninterruptibly();
        try {
            Optional<CachedFile> found = local.find(version.ino());
            if (found.isPresent()) {
                try (CachedFile file = found.get()) {
                    if (file.version().version() == version.version() && !file.writing()) {
                        Optional<FileVersion> ignored = sealer.seal(file, stat);
                    }
                }
            }
        } catch (IOException | ErrnoException e) {
            // The upload seals it otherwise.
            LOG.debug("{} is not sealed yet", version, e);
        } finally {
            seals.release();
        }
    }

    private End run(UploadQueue.Task task) {
        long ino = task.version().ino();
        try {
            Optional<CachedFile> found = local.find(ino);
            if (found.isEmpty()) {
                return End.THROUGH;
            }
            try (CachedFile file = found.get()) {
                FileVersion now = file.version();
                if (now.version() != task.version().version() || now.persisted()) {
                    // Committed anew, or there already.
                    return End.THROUGH;
                }
                if (file.writing() && !task.forced()) {
                    parked.put(ino, now.version());
                    // He may have closed it just before he could see that.
                    return file.writing() || parked.remove(ino) == null ? End.THROUGH : End.WAITS;
                }
                return upload(file, task);
            }
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESTALE) {
                departs(ino);
                return End.THROUGH;
            }
            return failed(task, e);
        } catch (IOException e) {
            return failed(task, e);
        }
    }

    /** Another node removed it. */
    private void departs(long ino) {
        departed.add(ino);
        departed.released(ino);
    }

    private static End failed(UploadQueue.Task task, Exception e) {
        if (task.attempts() % 8 == 0) {
            LOG.warn("upload of {} failed, trying again: {}", task.version(), e.getMessage());
        }
        return End.FAILED;
    }

    private End upload(CachedFile file, UploadQueue.Task task) throws IOException, ErrnoException {
        Disk.Stat before = file.file().stat();
        Optional<FileVersion> sealed =
                task.forced() && file.writing() ? Optional.of(file.version()) : sealer.seal(file, task.stat());
        if (sealed.isEmpty()) {
            return overtaken(file);
        }
        FileVersion version = sealed.get();
        long asked = System.nanoTime();
        Optional<UploadTicket> ticket = metadata.beginUpload(version.ino(), version.version());
        if (ticket.isEmpty()) {
            return waitsForItsKey(file, version) ? End.WAITS : End.THROUGH;
        }
        Tenure tenure = Tenure.of(UploadTicket.VALID, asked, metadata, () -> metadata.renewUpload(version.ino()));
        Optional<ObjectRef> object = put(file, before, version, ticket.get(), tenure);
        if (object.isEmpty()) {
            return overtaken(file);
        }
        if (!metadata.finishUpload(version.ino(), version.version(), object.get())) {
            return End.WAITS;
        }
        file.persisted(new FileVersion(
                version.ino(),
                version.version(),
                version.size(),
                version.blockBytes(),
                version.checksums(),
                object.get()));
        return End.THROUGH;
    }

    /** Empty where the file changed meanwhile, so that what was put is of no version. */
    private Optional<ObjectRef> put(
            CachedFile file, Disk.Stat before, FileVersion version, UploadTicket ticket, Tenure tenure)
            throws IOException, ErrnoException {
        boolean good = false;
        try {
            ObjectRef object = sharedKeys.write(
                    ticket.key(),
                    over(version.ino(), ticket),
                    there -> isLike(there, version, ticket),
                    tenure,
                    over -> cloud.put(
                            ticket.key(),
                            version.size(),
                            ticket.attributes(),
                            new UploadContent(file, version),
                            over,
                            tenure));
            replaced.remove(version.ino());
            good = InodeIo.sameContent(before, file.file().stat());
            return good ? Optional.of(object) : Optional.empty();
        } finally {
            if (!good) {
                metadata.abandonUpload(version.ino());
            }
        }
    }

    private Expected over(long ino, UploadTicket ticket) {
        Expected said = ticket.over();
        if (said.etag() != null) {
            replaced.put(ino, new ObjectRef(ticket.key(), said.etag()));
            return said;
        }
        ObjectRef before = replaced.get(ino);
        return before != null && before.key().equals(ticket.key())
                ? new Expected(before.etag(), said.leftover())
                : said;
    }

    /** An attempt at this very put that did not hear the answer. */
    private static boolean isLike(CloudTier.StoredObject there, FileVersion version, UploadTicket ticket) {
        return there.size() == version.size() && there.attributes().equals(ticket.attributes());
    }

    /** A writer has it, and will queue it; or nobody has, and a mapping that outlived its descriptor changed it. */
    private End overtaken(CachedFile file) {
        if (!file.writing()) {
            recommit.accept(file.ino());
        }
        return End.THROUGH;
    }

    private boolean waitsForItsKey(CachedFile file, FileVersion version) throws ErrnoException, IOException {
        Inode inode = metadata.inode(version.ino());
        if (inode.ending()) {
            departs(version.ino());
            return false;
        }
        if (inode.version() != version.version()) {
            return false;
        }
        FileVersion now = metadata.content(version.ino());
        if (now.version() == version.version() && now.persisted()) {
            file.persisted(now);
            return false;
        }
        return true;
    }

    @Override
    public void close() {
        dispatcher.interrupt();
    }

    /** What is not in the bucket yet; {@code tooLarge} of the files never will be as they are. */
    public record Pending(int files, long bytes, int tooLarge) {}
}
