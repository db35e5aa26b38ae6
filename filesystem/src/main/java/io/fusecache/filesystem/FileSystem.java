package io.fusecache.filesystem;

import io.fusecache.cache.BlockFetcher;
import io.fusecache.cache.CloudTier;
import io.fusecache.cache.Disk;
import io.fusecache.cache.Homes;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.VolumeUsage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One mount's file system: the calls of POSIX by node id, name and handle.
 *
 * <p>Methods block as long as they must (they run on virtual threads); those that begin with {@code try} answer at once, or
 * say by null (or -1) that they would have to wait. Failures are {@link ErrnoException}s with the errno of the call's man
 * page. Who may do what is the kernel's business (default_permissions).
 *
 * <p>A node id is what {@link #lookup} and its like returned; {@link NodeIds} takes it apart. A handle is what an open
 * returned; it goes with its node id.
 */
public final class FileSystem implements AutoCloseable {
    /** What goes for a handle of any directory: listing needs none. */
    public static final long DIRECTORY_HANDLE = new Handle(true, false, true, 0).bits();

    /** What statfs(2) shows as the size of a volume: the bucket has no end. */
    private static final long UNLIMITED_BYTES = 1L << 60;

    private final Metadata metadata;
    private final LocalTier local;
    private final FileSystemOptions options;
    private final OpenFiles table;
    private final AccessTimes accessTimes;
    private final Attributes attributes;
    private final ExtendedAttributes extended;
    private final Names names;
    private final Opens opens;
    private final Releases releases;
    private final Reads reads;
    private final Writes writes;
    private final FileSpace space;
    private final Unlinked unlinked;
    private final Incarnations incarnations;
    private final Blocks blocks;
    private final Uploads uploads;
    private final CloudWorker cloudWorker;
    private final Recovery recovery;
    private final SharedKeys sharedKeys;
    private final LostFiles lost;
    private final Activity activity = new Activity();
    private final KernelCache kernel;
    private final Forwarding forwarding;
    private final Guests guests;

    /** What a file system stands on. It owns none of them. */
    public record Ground(
            Metadata metadata,
            LocalTier local,
            CloudTier cloud,
            BlockFetcher fetcher,
            Homes homes,
            Recalls recalls,
            @Nullable BackingFiles passthrough,
            InstantSource clock,
            ExecutorService executor) {}

    public FileSystem(Ground ground, FileSystemOptions options) {
        this.metadata = ground.metadata();
        this.local = ground.local();
        this.options = options;
        this.kernel = ground.recalls().kernel();
        this.incarnations = new Incarnations();
        this.table = new OpenFiles();
        this.lost = new LostFiles(options.lost());
        Departed departed = new Departed(metadata, local, table, ground.executor(), lost);
        this.unlinked = new Unlinked(metadata, incarnations, departed);
        this.extended = new ExtendedAttributes(metadata);
        this.accessTimes = new AccessTimes(metadata, kernel, ground.clock(), ground.executor(), !options.readOnly());
        long process = UUID.randomUUID().getMostSignificantBits();
        this.forwarding = new Forwarding(metadata, ground.homes(), ground.executor(), options.homeWait(), process);
        this.attributes = new Attributes(metadata, table, incarnations, accessTimes, forwarding, kernel);
        this.blocks = new Blocks(metadata, ground.fetcher(), local, ground.executor(), options.homeWait());
        this.space = new FileSpace(table, blocks, ground.clock(), forwarding);
        this.sharedKeys = new SharedKeys(ground.cloud(), metadata.self(), ground.clock());
        this.uploads = new Uploads(ground, sharedKeys, options, departed, this::recommitOvertaken);
        Room room = new Room(local, uploads, options.spaceWait());
        BackingChoice choice = new BackingChoice(local, blocks, ground.passthrough());
        Commits commits = new Commits(metadata, blocks, unlinked, lost, activity);
        PageCache pageCache = new PageCache();
        this.releases = new Releases(
                metadata,
                table,
                choice,
                commits,
                uploads,
                unlinked,
                departed,
                pageCache,
                accessTimes,
                kernel,
                forwarding,
                options.durability(),
                ground.executor(),
                (ino, committed) -> recommitInBackground(ino, committed, () -> false));
        this.opens = new Opens(
                metadata,
                local,
                room,
                table,
                incarnations,
                choice,
                space,
                commits,
                releases,
                pageCache,
                accessTimes,
                activity,
                forwarding,
                options);
        this.reads = new Reads(table, blocks, accessTimes, activity, forwarding, incarnations, ground, options);
        this.writes = new Writes(table, blocks, room, forwarding);
        this.guests = new Guests(
                table, incarnations, opens, reads, writes, space, releases, attributes, kernel, ground.executor());
        this.cloudWorker = new CloudWorker(ground, sharedKeys, new Orphans(metadata, local, blocks, uploads));
        BucketMirror mirror = new BucketMirror(metadata, ground.cloud(), options, ground.clock(), ground.executor());
        RecentLookups recent = new RecentLookups();
        this.names = new Names(metadata, mirror, attributes, opens, releases, unlinked, cloudWorker, recent);
        this.recovery = new Recovery(metadata, local, opens, uploads, departed, lost);
        ground.recalls().bind(new Recalls.Rooms(incarnations, table, unlinked, departed, recent, releases));
    }

    private void recommitOvertaken(long ino) {
        recommitInBackground(ino, null, () -> uploads.awaits(ino));
    }

    private void recommitInBackground(long ino, Disk.@Nullable Stat committed, BooleanSupplier needless) {
        try {
            opens.recommit(ino, committed, needless);
        } catch (ErrnoException e) {
            org.slf4j.LoggerFactory.getLogger(FileSystem.class)
                    .warn("inode {} changed after its last close and is not committed again: {}", ino, e.getMessage());
        }
    }

    /**
     * Commits what a killed process left behind, then begins to upload and to work for the bucket. IOException where the
     * cache cannot say what that is.
     */
    public void start() throws IOException {
        recovery.run();
        uploads.start();
        cloudWorker.start();
    }

    // names

    public Node root() throws ErrnoException {
        return new Node(Inode.ROOT, metadata.inode(Inode.ROOT));
    }

    public Node lookup(long parent, FileName name) throws ErrnoException {
        return names.lookup(parent, name);
    }

    public @Nullable Node tryLookup(long parent, FileName name) throws ErrnoException {
        return names.tryLookup(parent, name);
    }

    /** The directory that holds {@code directory}; the root's is itself. */
    public Inode parent(long directory) throws ErrnoException {
        return names.parent(directory);
    }

    /** As {@link Metadata#list}; "." and ".." are the caller's. */
    public List<DirectoryEntry> list(long directory, long cookie, int limit) throws ErrnoException {
        List<DirectoryEntry> entries = names.list(directory, cookie, limit);
        Inode inode = cookie <= DirectoryStream.DOT_DOT ? metadata.cachedInode(directory) : null;
        if (inode != null) {
            accessTimes.read(inode);
        }
        return entries;
    }

    /** An entry of a listing as a node of this mount, where its attributes are at hand, else null. */
    public @Nullable Node tryNode(DirectoryEntry entry) throws ErrnoException {
        return attributes.tryNode(entry.inode());
    }

    /** Before a directory is listed from its start: its names are as fresh as they can be when this returns. */
    public void openDirectory(long directory) throws ErrnoException {
        names.refresh(directory);
    }

    /** Whether {@link #openDirectory} has nothing to do. */
    public boolean tryOpenDirectory(long directory) {
        return names.isFresh(directory);
    }

    /** Lists a directory in the bucket now, for all nodes; returns how many names changed. EIO where the bucket does not answer. */
    public int relist(long directory) throws ErrnoException {
        return names.relist(directory);
    }

    /** mkdir(2), mknod(2), symlink(2). */
    public Node make(long parent, FileName name, NewInode what) throws ErrnoException {
        return names.make(
                parent, name, what.type() == io.fusecache.metadata.FileType.REGULAR ? what.forWriting() : what);
    }

    /** open(2) with O_CREAT of a name that is not there: EEXIST where it is. */
    public Names.Created create(long parent, FileName name, NewInode what, OpenMode mode) throws ErrnoException {
        return names.create(parent, name, what.forWriting(), mode);
    }

    /** open(2) with O_TMPFILE. */
    public Names.Created createUnnamed(long parent, NewInode what, OpenMode mode) throws ErrnoException {
        return names.createUnnamed(parent, what.forWriting(), mode);
    }

    public Node link(long node, long newParent, FileName newName) throws ErrnoException {
        return names.link(NodeIds.ino(node), newParent, newName);
    }

    public void unlink(long parent, FileName name) throws ErrnoException {
        names.unlink(parent, name);
    }

    public void rmdir(long parent, FileName name) throws ErrnoException {
        names.rmdir(parent, name);
    }

    /** renameat2(2). */
    public void rename(long parent, FileName name, long newParent, FileName newName, int flags) throws ErrnoException {
        names.rename(parent, name, newParent, newName, flags);
    }

    public byte[] readLink(long node) throws ErrnoException {
        Inode inode = metadata.inode(NodeIds.ino(node));
        byte[] target = inode.target();
        if (target == null) {
            throw new ErrnoException(Errno.EINVAL, "inode " + NodeIds.ino(node) + " is no symbolic link");
        }
        accessTimes.read(inode);
        return target;
    }

    /** The kernel has no more use of these nodes. */
    public void forget(long node) {
        long ino = NodeIds.ino(node);
        boolean open = table.isOpen(ino);
        if (!open && NodeIds.incarnation(node) != 0) {
            incarnations.forget(node);
        }
        unlinked.forget(ino, open);
    }

    // attributes

    public Inode attributes(long node) throws ErrnoException {
        return attributes.of(node);
    }

    public @Nullable Inode tryAttributes(long node) throws ErrnoException {
        return attributes.tryOf(node);
    }

    /** chmod, chown, utimensat, truncate: {@code size} null leaves the size. */
    public Inode change(long node, AttributeChange change, @Nullable Long size) throws ErrnoException {
        if (size != null) {
            truncate(node, size);
        }
        boolean more = change.permissions() != null
                || change.uid() != null
                || change.gid() != null
                || change.accessed() != null
                || change.modified() != null
                || change.clearSetId();
        return more ? attributes.change(node, change) : attributes.of(node);
    }

    /** Before somebody without the right to keep them writes: the set-id bits go, where there are any. */
    public void clearSetId(long node) throws ErrnoException {
        if (metadata.inode(NodeIds.ino(node)).setsId()) {
            attributes.change(node, new AttributeChange(null, null, null, null, null, true));
            // To whatever asked for it the kernel expects no new mode, and would go on with the one it knows.
            kernel.attributesChanged(node);
        }
    }

    private void truncate(long node, long size) throws ErrnoException {
        if (size < 0) {
            throw new ErrnoException(Errno.EINVAL, "truncate to " + size);
        }
        attributes.truncatable(metadata.inode(NodeIds.ino(node)));
        opens.truncate(node, size);
    }

    public byte[] extendedAttribute(long node, FileName name) throws ErrnoException {
        return extended.value(NodeIds.ino(node), name);
    }

    /** ENODATA where it is known without asking that there is none; returns where somebody must be asked. */
    public void tryExtendedAttribute(long node, FileName name) throws ErrnoException {
        extended.refuseWhereBare(NodeIds.ino(node), name);
    }

    public List<FileName> extendedAttributes(long node) throws ErrnoException {
        return extended.names(NodeIds.ino(node));
    }

    public void setExtendedAttribute(long node, FileName name, byte[] value, int flags) throws ErrnoException {
        extended.set(NodeIds.ino(node), name, value, flags);
    }

    public void removeExtendedAttribute(long node, FileName name) throws ErrnoException {
        extended.remove(NodeIds.ino(node), name);
    }

    // content

    public OpenFile open(long node, OpenMode mode) throws ErrnoException {
        return opens.open(node, mode);
    }

    public @Nullable OpenFile tryOpen(long node, OpenMode mode) throws ErrnoException {
        return opens.tryOpen(node, mode);
    }

    /** Fills {@code target}, which is native memory; fewer bytes only at the end of the file. With {@code trace}, it shows. */
    public int read(long node, long offset, MemorySegment target, boolean trace) throws ErrnoException {
        return reads.read(node, offset, target, trace);
    }

    /**
     * The descriptor of the backing file, to read from at the offsets of the file, where that is all it takes; -1 where
     * it is not. Valid while a handle that the caller knows of is open. With {@code trace}, the access time tells of it.
     */
    public int descriptor(long node, boolean trace) throws ErrnoException {
        return reads.descriptor(node, trace);
    }

    /** Writes all of {@code source}, which is native memory. */
    public void write(long node, long handle, long offset, MemorySegment source) throws ErrnoException {
        writes.write(node, handle, offset, source);
    }

    /**
     * Writes all of {@code source} at the end of the file: open(2) with O_APPEND. True where that was not at {@code expected},
     * where the caller took the end to be.
     */
    public boolean append(long node, long handle, long expected, MemorySegment source) throws ErrnoException {
        return writes.append(node, handle, expected, source);
    }

    /** After an append: what the kernel caches from {@code offset} on may be of before, or in the wrong place. */
    public void cacheIsBehind(long node, long offset) {
        kernel.contentChanged(node, offset, 0);
    }

    /** The end of the peers' protocol for files that are open for writing here. */
    public Homes.Host host() {
        return guests;
    }

    public void flush(long node, long handle) throws ErrnoException {
        releases.flush(node, handle);
    }

    public void fsync(long node, long handle, boolean dataOnly) throws ErrnoException {
        releases.fsync(node, handle, dataOnly);
    }

    public void release(long node, long handle) throws ErrnoException {
        releases.release(node, handle);
    }

    /** As {@link #release} of a reader; false where it takes more. */
    public boolean tryRelease(long node, long handle) throws ErrnoException {
        return releases.tryRelease(node, handle);
    }

    /** Whether closing it commits something. */
    public static boolean writable(long handle) {
        return Handle.of(handle).write();
    }

    public void allocate(long node, long handle, int mode, long offset, long length) throws ErrnoException {
        space.allocate(node, handle, mode, offset, length);
    }

    public long seek(long node, long offset, int whence) throws ErrnoException {
        return space.seek(node, offset, whence);
    }

    public long copy(long from, long fromOffset, long to, long toHandle, long toOffset, long length)
            throws ErrnoException {
        return space.copy(from, fromOffset, to, toHandle, toOffset, length);
    }

    /** statfs(2): a size that stands for "no limit", and what is really used. */
    public Usage usage() throws ErrnoException {
        VolumeUsage usage = metadata.usage();
        return new Usage(UNLIMITED_BYTES, usage.usedBytes(), usage.inodes());
    }

    public record Usage(long totalBytes, long usedBytes, long inodes) {}

    /**
     * Somebody other than the kernel changed these nodes through this file system (the HTTP interface): the kernel is told,
     * as it would be of a change by another node.
     */
    public void changedBehindKernel(Set<Long> nodes) {
        kernel.changed(nodes, nodes.stream().map(NodeIds::ino).collect(Collectors.toSet()), Set.of());
    }

    /** syncfs(2): all that is open for writing is durable on the local disk, and the coordinator has all names. */
    public void sync() throws ErrnoException {
        metadata.settle();
        for (InodeIo io : table.all()) {
            InodeIo.Backing backing = io.backing();
            if (backing != null && io.live()) {
                try {
                    Objects.requireNonNull(backing.file()).sync(false);
                } catch (IOException e) {
                    if (io.live() && io.isOpen()) {
                        throw Failures.of("sync of inode " + io.ino(), e);
                    }
                }
            }
        }
    }

    public Uploads.Pending pendingUploads() {
        return uploads.pending();
    }

    /** Objects of strangers at keys of this cluster's files, which were kept beside them since start. */
    public long conflicts() {
        return sharedKeys.conflicts();
    }

    public boolean uploadPending(long ino) {
        return uploads.isPending(ino);
    }

    /** Waits until all that was closed is in the bucket. False where it is not within {@code atMost}. */
    public boolean flushUploads(Duration atMost) {
        return uploads.flush(atMost);
    }

    public Activity.Figures activity() {
        return activity.figures();
    }

    public LocalTier.Usage cacheUsage() {
        return local.usage();
    }

    public FileSystemOptions options() {
        return options;
    }

    /** Commits what programs of other nodes wrote here and sends them away, and closes what is open on other nodes. */
    public void leaveCluster() {
        guests.close();
        forwarding.close();
    }

    /** Stops the background work. What waits for upload is taken up again by the next start. */
    @Override
    public void close() {
        leaveCluster();
        stop();
    }

    /** As {@link #close}, but tells nobody. */
    void stop() {
        blocks.stop();
        cloudWorker.close();
        uploads.close();
    }
}
