package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.cache.DiskException;
import io.fusecache.cache.FetchFailedException;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.WriteLease;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Opening and releasing: takes a file through the states of {@link InodeIo}, with the write lease, the backing file and the
 * kernel's registration of it in hand.
 */
final class Opens {
    /** Rounds of "the content changed again while we fetched it" before an open gives up. */
    private static final int MAX_FETCHES = 5;

    /** Nodes that a writer follows from one to the next before he gives up. */
    private static final int MAX_HOMES = 100;

    private final Metadata metadata;
    private final LocalTier local;
    private final Room room;
    private final OpenFiles table;
    private final Incarnations incarnations;
    private final BackingChoice choice;
    private final FileSpace space;
    private final Commits commits;
    private final Releases releases;
    private final PageCache pageCache;
    private final AccessTimes accessTimes;
    private final Activity activity;
    private final Forwarding forwarding;
    private final OpensAtHome atHome;
    private final FileSystemOptions options;

    Opens(
            Metadata metadata,
            LocalTier local,
            Room room,
            OpenFiles table,
            Incarnations incarnations,
            BackingChoice choice,
            FileSpace space,
            Commits commits,
            Releases releases,
            PageCache pageCache,
            AccessTimes accessTimes,
            Activity activity,
            Forwarding forwarding,
            FileSystemOptions options) {
        this.metadata = metadata;
        this.local = local;
        this.room = room;
        this.table = table;
        this.incarnations = incarnations;
        this.choice = choice;
        this.space = space;
        this.commits = commits;
        this.releases = releases;
        this.pageCache = pageCache;
        this.accessTimes = accessTimes;
        this.activity = activity;
        this.forwarding = forwarding;
        this.atHome = new OpensAtHome(metadata, incarnations, forwarding, options.homeWait());
        this.options = options;
    }

    // opening

    OpenFile open(long nodeId, OpenMode mode) throws ErrnoException {
        InodeIo io = table.use(nodeId);
        io.turn.lock();
        boolean opened = false;
        try {
            OpenFile file = mode.changes() ? openForWriting(io, mode) : openForReading(io);
            opened = true;
            return file;
        } catch (IOException e) {
            throw Failures.of("open of inode " + io.ino(), e);
        } finally {
            leave(io, opened);
        }
    }

    /** As {@link #open} for reading where all that it needs is at hand, else null. */
    @Nullable OpenFile tryOpen(long nodeId, OpenMode mode) throws ErrnoException {
        if (mode.changes()) {
            return null;
        }
        InodeIo io = table.use(nodeId);
        if (!io.turn.tryLock()) {
            table.done(io);
            return null;
        }
        boolean opened = false;
        try {
            // Asked once it counts as used: what nobody here uses may be released meanwhile.
            Inode inode = metadata.cachedInode(io.ino());
            opened = inode != null && forwarding.elsewhere(inode.writer()) == null && attachAtOnce(io, inode);
            return opened ? read(io, inode) : null;
        } catch (IOException e) {
            throw Failures.of("open of inode " + io.ino(), e);
        } finally {
            leave(io, opened);
        }
    }

    private boolean attachAtOnce(InodeIo io, Inode inode) throws IOException {
        InodeIo.Backing backing = io.backing();
        if (backing != null) {
            return io.joinable() && (io.writers() > 0 || backing.version().version() == inode.version());
        }
        if (!incarnations.isCurrent(io.nodeId)) {
            return false;
        }
        Optional<CachedFile> found = local.find(io.ino());
        if (found.isEmpty()) {
            return false;
        }
        CachedFile file = found.get();
        if (file.version().version() != inode.version() || file.writing() || !file.whole() || !file.verified()) {
            file.close();
            return false;
        }
        io.attach(choice.ready(file));
        return true;
    }

    /** What every open ends with: nothing half open stays. */
    private void leave(InodeIo io, boolean opened) {
        try {
            if (!opened && io.isOpen() && io.unused()) {
                releases.giveBack(io);
            }
        } finally {
            io.turn.unlock();
            if (!opened) {
                table.done(io);
            }
        }
    }

    private OpenFile openForReading(InodeIo io) throws ErrnoException, IOException {
        for (int i = 0; !io.writtenHere() && !atHome.forReading(io) && !openHere(io); i++) {
            if (i == MAX_FETCHES) {
                throw new ErrnoException(Errno.EIO, "inode " + io.ino() + " is written elsewhere, and nobody has it");
            }
        }
        return read(io, io.live() ? null : metadata.inode(io.ino()));
    }

    /** What was committed last. False where another node writes over it, and nobody else has it. */
    private boolean openHere(InodeIo io) throws ErrnoException, IOException {
        FileVersion now = metadata.content(io.ino());
        if (io.isOpen()) {
            refuseOther(io, now);
            return true;
        }
        atHome.refuseOldIncarnation(io);
        return attach(io, now, false);
    }

    private OpenFile read(InodeIo io, @Nullable Inode inode) throws IOException {
        accessTimes.opening(io, inode);
        io.addReader();
        CachedFile file = io.opened().file();
        activity.opened(file != null && file.whole());
        return answer(io, new OpenMode(true, false, false));
    }

    private OpenFile openForWriting(InodeIo io, OpenMode mode) throws ErrnoException, IOException {
        beginWriting(io, mode.truncate());
        io.addWriter();
        if (mode.read()) {
            io.openedForBoth();
        }
        boolean done = false;
        try {
            if (mode.truncate()) {
                space.truncate(io, 0);
            }
            done = true;
            return answer(io, mode);
        } finally {
            if (!done) {
                releases.writerLeaves(io);
            }
        }
    }

    /**
     * Takes the write lease and makes the backing file writable, where no writer here has done so; or opens it for writing
     * where the lease is. Only the current incarnation asks for the lease, so none gives back what another one uses.
     */
    private void beginWriting(InodeIo io, boolean anew) throws ErrnoException, IOException {
        if (io.writtenHere()) {
            return;
        }
        atHome.refuseOldIncarnation(io);
        for (int i = 0; i < MAX_HOMES; i++) {
            switch (metadata.beginWrite(io.ino(), Duration.ZERO)) {
                case WriteLease.Granted(FileVersion base) -> {
                    beginHere(io, base, anew);
                    return;
                }
                case WriteLease.HeldBy(NodeId home) -> {
                    if (atHome.forWriting(io, home)) {
                        return;
                    }
                }
            }
        }
        throw new ErrnoException(Errno.EBUSY, "inode " + io.ino() + " had " + MAX_HOMES + " homes, and none for long");
    }

    private void beginHere(InodeIo io, FileVersion base, boolean anew) throws ErrnoException, IOException {
        boolean begun = false;
        try {
            if (io.home() != null) {
                throw atHome.superseded(io, "is written elsewhere no more");
            } else if (io.isOpen()) {
                refuseOther(io, base);
            } else {
                boolean watched = metadata.inode(io.ino()).setsId();
                if (anew || base.size() == 0) {
                    attachEmpty(io, base, watched);
                } else if (!attach(io, base, watched)) {
                    throw new AssertionError("inode " + io.ino() + " is written elsewhere, with the lease here");
                }
            }
            startWriting(io);
            begun = true;
        } finally {
            if (!begun) {
                metadata.endWrite(io.ino());
            }
        }
    }

    /** From here on the backing file tells size and times, so it is given those of the inode first. */
    private void startWriting(InodeIo io) throws ErrnoException, IOException {
        InodeIo.Backing backing = io.opened();
        CachedFile file = backing.file();
        if (file == null) {
            throw new ErrnoException(Errno.ENOSPC, "no room on the local disk to write inode " + io.ino());
        }
        Inode inode = metadata.inode(io.ino());
        if (!file.verified()) {
            // Once it is written to, no checksum of before tells a flipped bit from a new byte.
            choice.verify(file);
        }
        file.beginWriting();
        if (!file.whole()) {
            file.file().truncate(backing.version().size());
        }
        if (!io.live()) {
            accessTimes.writing(io, file.file(), accessTimes.of(inode), inode.modified());
        }
    }

    /** A new file, made by {@link Metadata#create} with the write lease: opened for writing. */
    OpenFile created(Inode inode, OpenMode mode) throws ErrnoException {
        InodeIo io = table.use(incarnations.nodeId(inode.ino()));
        io.turn.lock();
        boolean opened = false;
        try {
            attachEmpty(io, FileVersion.empty(inode.ino(), options.blockBytes()), inode.setsId());
            CachedFile file = io.opened().cached();
            file.beginWriting();
            accessTimes.writing(io, file.file(), inode.accessed(), inode.modified());
            io.markChanged();
            io.addWriter();
            if (mode.read()) {
                io.openedForBoth();
            }
            opened = true;
            // A writer even where it was created for reading: its release gives the write lease back.
            return answer(io, new OpenMode(mode.read(), true, mode.truncate()));
        } catch (IOException e) {
            throw Failures.of("create of inode " + inode.ino(), e);
        } finally {
            leave(io, opened);
            if (!opened) {
                metadata.endWrite(inode.ino());
            }
        }
    }

    private OpenFile answer(InodeIo io, OpenMode mode) throws IOException {
        InodeIo.Backing backing = io.opened();
        CachedFile file = backing.file();
        int incarnation = file == null ? 0 : file.incarnation();
        boolean keepCache = !mode.truncate()
                && io.keepPages(pageCache.holds(io.nodeId, backing.version().version()));
        return new OpenFile(
                new Handle(mode.read(), mode.changes(), false, incarnation).bits(),
                backing.backingId(),
                keepCache,
                backing.mode() == InodeIo.Mode.FORWARDED);
    }

    // backing

    private void attachEmpty(InodeIo io, FileVersion base, boolean watched) throws IOException {
        FileVersion empty = base.size() == 0 && base.sealed()
                ? base
                : new FileVersion(io.ino(), base.version(), 0, options.blockBytes(), new int[0], null);
        io.attach(choice.forWriting(room.create(empty), watched));
    }

    /** False where another node writes over that version, and nobody else has it. */
    private boolean attach(InodeIo io, FileVersion first, boolean watched) throws ErrnoException, IOException {
        FileVersion version = first;
        for (int i = 0; ; i++) {
            CachedFile file = cached(version);
            if (file == null) {
                io.attach(InodeIo.Backing.daemon(version, null));
                return true;
            }
            boolean kept = false;
            try {
                io.attach(choice.forContent(file, watched));
                kept = true;
                return true;
            } catch (FetchFailedException e) {
                FileVersion now = metadata.content(version.ino());
                if (now.version() == version.version()
                        && forwarding.elsewhere(metadata.inode(version.ino()).writer()) != null) {
                    return false;
                }
                // Its holders may have gone on to the next version, which is what this open should see then.
                if (i == MAX_FETCHES || now.version() == version.version()) {
                    throw e;
                }
                version = now;
            } finally {
                if (!kept) {
                    file.close();
                }
            }
        }
    }

    /** The local file of that version, made where there is none; null where the disk has no room. */
    private @Nullable CachedFile cached(FileVersion version) throws IOException {
        Optional<CachedFile> found = local.find(version.ino());
        if (found.isPresent()) {
            CachedFile file = found.get();
            if (file.version().version() == version.version()) {
                int[] checksums = version.checksums();
                if (checksums != null && !file.version().sealed()) {
                    file.sealed(version.version(), checksums);
                }
                return file;
            }
            file.close();
        }
        try {
            return local.create(version);
        } catch (DiskException e) {
            if (e.errno() == Errno.ENOSPC) {
                return null;
            }
            throw e;
        }
    }

    private void refuseOther(InodeIo io, FileVersion now) throws ErrnoException {
        if (io.home() != null) {
            throw atHome.superseded(io, "is written elsewhere no more");
        }
        if (io.overtaken() || io.opened().version().version() != now.version()) {
            throw atHome.superseded(io, "has a new version while an older one is open here");
        }
    }

    /**
     * truncate(2), ftruncate(2): as a writer that opens, truncates and leaves at once, and commits where he is the only one.
     * Whoever writes at a home that is gone truncates nothing elsewhere.
     */
    void truncate(long nodeId, long size) throws ErrnoException {
        InodeIo io = table.use(nodeId);
        io.turn.lock();
        try {
            if (io.home() == null || io.writers() == 0) {
                beginWriting(io, size == 0);
            }
            io.addWriter();
            try {
                space.truncate(io, size);
                FileAtHome home = io.home();
                if (io.writers() == 1 && home != null) {
                    forwarding.flush(home);
                } else if (io.writers() == 1) {
                    commits.commitChanges(io, true);
                }
            } finally {
                releases.writerLeaves(io);
            }
        } catch (IOException e) {
            throw Failures.of("truncate of inode " + io.ino(), e);
        } finally {
            leave(io, false);
        }
    }

    /**
     * Commits the backing file of a file that nobody has open, on top of the version that its record says: it was being
     * written when the process ended, or by a mapping that outlived the last close. Its bytes are not those that the
     * version's checksums know, so they are not held to them.
     *
     * @param committed how it looked with what was committed last, where that is known: then it may have stayed as it was
     * @param needless asked in turn, when whoever had it open has left: whether he saw to it
     */
    void recommit(long ino, Disk.@Nullable Stat committed, BooleanSupplier needless) throws ErrnoException {
        InodeIo io = table.use(incarnations.nodeId(ino));
        io.turn.lock();
        try {
            if (io.writtenHere()) {
                io.markChanged();
                return;
            }
            if (needless.getAsBoolean()) {
                return;
            }
            takeUpAsItIs(io, committed);
            if (committed == null) {
                io.markChanged();
            } else {
                commits.commitOtherBytes(io);
            }
            io.addWriter();
            releases.writerLeaves(io);
        } catch (IOException e) {
            throw Failures.of("recovery of inode " + ino, e);
        } finally {
            leave(io, false);
        }
    }

    private void takeUpAsItIs(InodeIo io, Disk.@Nullable Stat committed) throws ErrnoException, IOException {
        FileVersion now = switch (metadata.beginWrite(io.ino(), options.homeWait())) {
            case WriteLease.Granted(FileVersion base) -> base;
            case WriteLease.HeldBy(NodeId home) ->
                throw new ErrnoException(Errno.EBUSY, "node " + home + " writes inode " + io.ino());
        };
        boolean begun = false;
        try {
            if (io.isOpen()) {
                refuseOther(io, now);
            } else {
                attachAsItIs(io, now);
            }
            CachedFile file = io.opened().cached();
            file.beginWriting();
            if (committed != null && InodeIo.sameContent(committed, file.file().stat())) {
                // Stores that left no trace have no time of their own, and a program may have set others since.
                Inode inode = metadata.inode(io.ino());
                file.file().setTimes(accessTimes.of(inode), inode.modified());
            }
            io.writingFrom(file.file().stat());
            begun = true;
        } finally {
            if (!begun) {
                metadata.endWrite(io.ino());
            }
        }
    }

    private void attachAsItIs(InodeIo io, FileVersion now) throws ErrnoException, IOException {
        Optional<CachedFile> found = local.find(io.ino());
        if (found.isEmpty()) {
            throw new ErrnoException(Errno.EIO, "inode " + io.ino() + " is not in the cache any more");
        }
        CachedFile file = found.get();
        if (file.version().version() != now.version()) {
            file.close();
            throw new ErrnoException(Errno.EIO, "inode " + io.ino() + " went on to " + now + " elsewhere");
        }
        io.attach(InodeIo.Backing.daemon(file.version(), file));
    }
}
