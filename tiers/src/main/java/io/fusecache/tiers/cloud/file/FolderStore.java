package io.fusecache.tiers.cloud.file;

import io.fusecache.cache.CloudTier.OccupiedException;
import io.fusecache.cache.CloudTier.Over;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.PartBody;
import io.fusecache.tiers.cloud.PartSizes;
import io.fusecache.tiers.cloud.RefusedException;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A folder as a bucket: key {@code a/b} is the file {@code ROOT/a/b}, with the object's bytes and nothing else.
 *
 * <ul>
 *   <li>An object is written to {@code ROOT/.fusecache/tmp} and renamed, so it appears whole, and is durable when the call
 *       returns. Several nodes may share the folder; what dead ones left there is swept when the next one starts.
 *   <li>Its ETag is made of the file's inode number, modification time and size. What other tools put, change or remove is
 *       noticed by it; a file that {@code cp} put is an object like any other. (A tool that writes in place shows its bytes
 *       as they come, as it does to everybody.)
 *   <li>Attributes are in the extended attribute {@code user.fusecache}, see {@link AttributeRecords}.
 *   <li>A key that ends in '/' is a folder. One that was put stays until it is deleted; all others vanish with the last
 *       object below them, as prefixes of a bucket do, also those that another tool made. An empty folder that another
 *       tool made is a marker while it is there.
 *   <li>A folder cannot hold an object {@code a} beside {@code a/b}: the second one is refused, and says so.
 *   <li>Symbolic links and special files are no objects, and no link below the root is followed. (Whoever may replace
 *       folders by links while this process works there can mislead it: keep the folder to those you trust.)
 *   <li>Keys cannot leave the folder: "..", empty components and NUL are refused. A file whose name is not UTF-8 has no key.
 *   <li>{@code .fusecache} at the root is left out of listings of the root. Keys below it are objects, but for what the
 *       folder itself keeps there ({@code tmp}, {@code attributes}, {@code lock}).
 * </ul>
 *
 * <p>The root is never made: a bucket whose disk is not mounted must not look like an empty one.
 */
public final class FolderStore implements ObjectStore {
    /** A file of 5 TiB is the largest that every bucket takes: what is here can go there. */
    private static final PartSizes PARTS = new PartSizes(1, Integer.MAX_VALUE, 1_000_000, 5L << 40);

    private static final int COMPLETED_REMEMBERED = 256;
    /** Copied in one system call: between two of them an interrupt is answered. */
    private static final long COPY_BYTES = 64 << 20;

    private final Path root;
    private final Options options;
    private final ReentrantLock opening = new ReentrantLock();
    private final BegunListings listings = new BegunListings();
    private volatile @Nullable Opened opened;

    /** What completed uploads became, for those who did not hear the answer; guarded by itself. */
    private final Map<String, ObjectRef> completed = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, ObjectRef> eldest) {
            return size() > COMPLETED_REMEMBERED;
        }
    };

    /** Touches nothing yet: the folder is looked for when it is first needed. */
    public FolderStore(Path root) {
        this(root, Options.DEFAULT);
    }

    public FolderStore(Path root, Options options) {
        this.root = root.toAbsolutePath();
        this.options = options;
    }

    /**
     * @param synced whether an object is on the disk, and not only in the system's memory, when a put returns
     * @param extendedAttributes whether to use them where the file system has them
     * @param pageSize keys in one page of a listing
     * @param largestCopy in one call: a disk that cannot share blocks writes them within its time
     */
    public record Options(boolean synced, boolean extendedAttributes, int pageSize, long largestCopy) {
        public static final Options DEFAULT = new Options(true, true, 10_000);

        public Options(boolean synced, boolean extendedAttributes, int pageSize) {
            this(synced, extendedAttributes, pageSize, 1L << 30);
        }
    }

    /** @param identity of the root: device and inode */
    private record Opened(
            Object identity, KeyPaths keys, AttributeRecords records, TemporaryFiles temporary, FolderTree tree) {}

    private Opened opened() throws IOException {
        Opened now = opened;
        if (now != null) {
            if (!now.identity.equals(identity())) {
                throw new IOException("folder " + root + " is not the one it was: is its disk still mounted?");
            }
            return now;
        }
        opening.lock();
        try {
            Opened first = opened;
            return first != null ? first : open();
        } finally {
            opening.unlock();
        }
    }

    private Object identity() throws IOException {
        Object key = Files.readAttributes(root, BasicFileAttributes.class).fileKey();
        return key == null ? root : key;
    }

    private Opened open() throws IOException {
        Path real;
        try {
            real = root.toRealPath();
        } catch (NoSuchFileException absent) {
            throw new RefusedException(
                    "bucket folder %s does not exist: mount its disk, or make it (mkdir -p %s), or give another -file-root"
                            .formatted(root, root),
                    absent);
        }
        if (!Files.isDirectory(real)) {
            throw new RefusedException("bucket folder " + root + " is not a folder: give another -file-root");
        }
        if (!Files.isWritable(real)) {
            throw new RefusedException(
                    "bucket folder " + root + " is not writable by this user: give it the right (chown,"
                            + " chmod), mount the disk writable, or give another -file-root");
        }
        KeyPaths keys = new KeyPaths(real);
        AttributeRecords records = new AttributeRecords(keys.reserved(KeyPaths.ATTRIBUTES), options.extendedAttributes);
        TemporaryFiles temporary = TemporaryFiles.open(keys.reserved(KeyPaths.TEMPORARY));
        Opened ready = new Opened(identity(), keys, records, temporary, new FolderTree(keys, records, options.synced));
        opened = ready;
        return ready;
    }

    @Override
    public String name() {
        return "folder " + root;
    }

    @Override
    public Limits limits() {
        return new Limits(Integer.MAX_VALUE, PARTS, options.largestCopy);
    }

    @Override
    public boolean read(ObjectRef object, long offset, MemorySegment target) throws IOException {
        Opened at = opened();
        Path path = at.keys.path(object.key());
        if (!isNow(at, path, object)) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            int read = fill(channel, offset, target.asByteBuffer());
            // The file that was opened, and its bytes, are the ones asked for if nothing has changed until now.
            if (!isNow(at, path, object)) {
                return false;
            }
            if (read < target.byteSize()) {
                throw new EOFException("'%s' ends at byte %d: %d bytes from %d were asked for"
                        .formatted(object.key(), channel.size(), target.byteSize(), offset));
            }
            return true;
        } catch (NoSuchFileException gone) {
            return false;
        }
    }

    private static boolean isNow(Opened at, Path path, ObjectRef object) throws IOException {
        return at.tree.inside(FolderTree.parent(path))
                && FileStamp.find(path)
                        .filter(stamp -> stamp.object() && stamp.etag().equals(object.etag()))
                        .isPresent();
    }

    private static int fill(FileChannel channel, long offset, ByteBuffer target) throws IOException {
        while (target.hasRemaining()) {
            if (channel.read(target, offset + target.position()) < 0) {
                break;
            }
        }
        return target.position();
    }

    @Override
    public ObjectRef put(String key, MemorySegment bytes, Map<String, String> attributes, Over over)
            throws IOException {
        Opened at = opened();
        Path target = at.keys.path(key);
        ObjectStore.requireNoBytesInMarker(key, bytes.byteSize());
        if (KeyPaths.marker(key)) {
            at.tree.mark(key, target);
            return new ObjectRef(key, FileStamp.of(target).etag());
        }
        Path file = at.temporary.next();
        try {
            try (FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                write(channel, 0, bytes);
            }
            return publish(at, key, file, target, attributes, over);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private static void write(FileChannel channel, long offset, MemorySegment bytes) throws IOException {
        ByteBuffer source = bytes.asByteBuffer();
        while (source.hasRemaining()) {
            channel.write(source, offset + source.position());
        }
    }

    /** What is on disk when the object appears is the whole of it, attributes included. */
    private ObjectRef publish(Opened at, String key, Path file, Path target, Map<String, String> attributes, Over over)
            throws IOException {
        FileStamp stamp = FileStamp.of(file);
        at.records.write(key, file, stamp, attributes);
        if (options.synced) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
        }
        Optional<FileStamp> before = FileStamp.find(target);
        if (!over.covers(before.filter(FileStamp::object).map(FileStamp::etag).orElse(null))) {
            throw new OccupiedException(key);
        }
        at.tree.publish(key, file, target);
        if (before.isPresent() && !before.get().etag().equals(stamp.etag())) {
            at.records.forget(key, before.get().etag());
        }
        return new ObjectRef(key, stamp.etag());
    }

    @Override
    public Upload startUpload(String key, long size, long partBytes, Map<String, String> attributes)
            throws IOException {
        Opened at = opened();
        at.keys.path(key);
        ObjectStore.requireNoBytesInMarker(key, Math.max(1, size));
        Path file = at.temporary.next();
        Files.createFile(file);
        return new Upload(key, FolderTree.parent(file).relativize(file).toString(), size, partBytes, attributes);
    }

    @Override
    public Part putPart(Upload upload, int number, PartBody body, Duration timeout) throws IOException {
        upload.requirePart(number, body.size());
        // A channel of its own: an interrupt closes the channel that it meets.
        try (FileChannel channel = FileChannel.open(opened().temporary.of(upload.id()), StandardOpenOption.WRITE)) {
            body.forEach((position, piece) -> write(channel, upload.offsetOf(number) + position, piece));
        } catch (NoSuchFileException ended) {
            throw new RefusedException("the upload of '" + upload.key() + "' has ended", ended);
        }
        return new Part(number, Long.toHexString(body.size()));
    }

    @Override
    public ObjectRef completeUpload(Upload upload, List<Part> parts, Over over) throws IOException {
        synchronized (completed) {
            ObjectRef done = completed.get(upload.id());
            if (done != null) {
                return done;
            }
        }
        upload.requireWhole(parts);
        Opened at = opened();
        Path file = at.temporary.of(upload.id());
        if (!Files.exists(file)) {
            throw new RefusedException("the upload of '" + upload.key() + "' has ended");
        }
        ObjectRef object = publish(at, upload.key(), file, at.keys.path(upload.key()), upload.attributes(), over);
        synchronized (completed) {
            completed.put(upload.id(), object);
        }
        return object;
    }

    /** They are in a file that the next process sweeps away: an upload is gone on with by nobody. */
    @Override
    public Optional<List<Part>> parts(Upload upload) {
        return Optional.empty();
    }

    @Override
    public Optional<Part> same(Upload upload, Part there, PartBody body) {
        throw new AssertionError("no parts are found here: " + there);
    }

    @Override
    public void abortUpload(Upload upload) throws IOException {
        Files.deleteIfExists(opened().temporary.of(upload.id()));
    }

    @Override
    public Copy copy(ObjectRef from, String toKey, Over over) throws IOException {
        Opened at = opened();
        Path source = at.keys.path(from.key());
        Path target = at.keys.path(toKey);
        if (KeyPaths.marker(from.key()) || KeyPaths.marker(toKey)) {
            throw new RefusedException("'%s' to '%s': markers are put, not copied".formatted(from.key(), toKey));
        }
        if (!isNow(at, source, from)) {
            return new Copy.NoSource();
        }
        Path file = at.temporary.next();
        try {
            FileStamp stamp = FileStamp.of(source);
            if (stamp.size() > options.largestCopy) {
                return new Copy.TooLarge(stamp.size());
            }
            Map<String, String> attributes = at.records.read(from.key(), source, stamp);
            try (FileChannel in = FileChannel.open(source, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
                    FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                transfer(in, 0, in.size(), out);
            }
            return isNow(at, source, from)
                    ? new Copy.Done(publish(at, toKey, file, target, attributes, over))
                    : new Copy.NoSource();
        } catch (NoSuchFileException gone) {
            if (FileStamp.find(source).isEmpty()) {
                return new Copy.NoSource();
            }
            throw gone;
        } finally {
            Files.deleteIfExists(file);
        }
    }

    @Override
    public Copy followCopy(ObjectRef from, String toKey, Copy.GoesOn begun) {
        throw new AssertionError("no copy goes on here: " + begun);
    }

    @Override
    public Optional<Upload> startCopy(ObjectRef from, String toKey, long size, long partBytes) throws IOException {
        Opened at = opened();
        Path source = at.keys.path(from.key());
        try {
            Map<String, String> attributes = at.records.read(from.key(), source, FileStamp.of(source));
            return isNow(at, source, from)
                    ? Optional.of(startUpload(toKey, size, partBytes, attributes))
                    : Optional.empty();
        } catch (NoSuchFileException gone) {
            return Optional.empty();
        }
    }

    @Override
    public Optional<Part> copyPart(Upload upload, int number, ObjectRef from) throws IOException {
        Opened at = opened();
        Path source = at.keys.path(from.key());
        if (!isNow(at, source, from)) {
            return Optional.empty();
        }
        long bytes = upload.bytesInPart(number);
        try (FileChannel in = FileChannel.open(source, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
                FileChannel out = FileChannel.open(at.temporary.of(upload.id()), StandardOpenOption.WRITE)) {
            out.position(upload.offsetOf(number));
            transfer(in, upload.offsetOf(number), bytes, out);
        } catch (NoSuchFileException gone) {
            if (FileStamp.find(source).isEmpty()) {
                return Optional.empty();
            }
            throw new RefusedException("the upload of '" + upload.key() + "' has ended", gone);
        }
        return isNow(at, source, from) ? Optional.of(new Part(number, Long.toHexString(bytes))) : Optional.empty();
    }

    /** By copy_file_range(2): where the file system shares blocks, nothing is copied. */
    private static void transfer(FileChannel in, long from, long bytes, FileChannel out) throws IOException {
        long end = from + bytes;
        for (long at = from; at < end; ) {
            long moved = in.transferTo(at, Math.min(COPY_BYTES, end - at), out);
            if (moved <= 0) {
                throw new EOFException("the source became shorter while it was copied");
            }
            at += moved;
        }
    }

    @Override
    public void delete(String key) throws IOException {
        Opened at = opened();
        Path path = at.keys.path(key);
        if (!at.tree.inside(FolderTree.parent(path))) {
            return;
        }
        Optional<FileStamp> stamp = FileStamp.find(path);
        if (stamp.isEmpty()) {
            return;
        }
        if (KeyPaths.marker(key)) {
            if (stamp.get().folder()) {
                at.tree.unmark(key, path);
            }
        } else if (stamp.get().object()) {
            Files.deleteIfExists(path);
            at.records.forget(key, stamp.get().etag());
            at.tree.removeEmpty(key.substring(0, key.lastIndexOf('/') + 1), FolderTree.parent(path));
        }
    }

    @Override
    public boolean delete(ObjectRef object) throws IOException {
        Optional<StoredObject> there = head(object.key());
        if (there.isPresent() && !there.get().object().equals(object)) {
            return false;
        }
        delete(object.key());
        return true;
    }

    @Override
    public Page list(String prefix, Depth depth, @Nullable String continuation) throws IOException {
        Opened at = opened();
        if (!at.tree.inside(at.keys.folder(prefix))) {
            return new Page(List.of(), List.of(), null);
        }
        listings.begin();
        try {
            return FolderListing.page(at.keys, at.records, listings, prefix, depth, continuation, options.pageSize);
        } finally {
            listings.end();
        }
    }

    @Override
    public Optional<StoredObject> head(String key) throws IOException {
        Opened at = opened();
        Path path = at.keys.path(key);
        if (!at.tree.inside(FolderTree.parent(path))) {
            return Optional.empty();
        }
        Optional<FileStamp> found = FileStamp.find(path);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        FileStamp stamp = found.get();
        try {
            if (KeyPaths.marker(key)) {
                return stamp.folder() && (FolderTree.empty(path) || at.records.marked(key, path))
                        ? Optional.of(new StoredObject(new ObjectRef(key, stamp.etag()), 0, Map.of()))
                        : Optional.empty();
            }
            return stamp.object()
                    ? Optional.of(new StoredObject(
                            new ObjectRef(key, stamp.etag()), stamp.size(), at.records.read(key, path, stamp)))
                    : Optional.empty();
        } catch (NoSuchFileException gone) {
            return Optional.empty();
        }
    }

    @Override
    public void check() throws IOException {
        opened();
    }

    @Override
    public void close() {
        Opened at = opened;
        if (at != null) {
            try (TemporaryFiles temporary = at.temporary;
                    FolderTree tree = at.tree) {
                opened = null;
            } catch (IOException left) {
                // Swept at the next start.
                throw new UncheckedIOException(left);
            }
        }
    }
}
