package io.fusecache.filesystem;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * Which way the bytes of one node id go while it is open: the one I/O-mode state machine, per incarnation.
 *
 * <p><b>What the kernel demands</b> (fs/fuse/iomode.c and Documentation/filesystems/fuse-passthrough.rst):
 * <ol>
 *   <li>while any file of an inode is open with FOPEN_PASSTHROUGH, every further open must have it too (else EIO), and must
 *       name the same backing file (else EBUSY);
 *   <li>while any is open for cached I/O through the daemon, none may be opened with FOPEN_PASSTHROUGH (ETXTBSY);
 *   <li>FOPEN_DIRECT_IO without FOPEN_PASSTHROUGH takes no part in this but for the first rule: it goes with cached I/O, and
 *       must not come while the inode has a backing file. Private mappings of it work, shared ones fail (ENODEV);
 *   <li>FOPEN_PASSTHROUGH goes with neither FOPEN_KEEP_CACHE nor FOPEN_CACHE_DIR, nor with the writeback cache;
 *   <li>the kernel leaves its mode at the last close, before it sends that RELEASE: our count is never behind its.
 * </ol>
 *
 * <p><b>How it is met</b>: the first open chooses {@link Mode}, and it stays until the last close. Readers and writers
 * share one {@link CachedFile}. Content that another node committed meanwhile comes into an open incarnation only where what
 * it was opened as cannot be had any more ({@link #overtaken}): the next open of the name gets the next incarnation, which is another node id and so another inode to the kernel
 * ({@link Incarnations}). So does the next open after another node began to write the file, since that one is FORWARDED
 * (FOPEN_DIRECT_IO), and the next one after a file that is FORWARDED here is written there no more, or elsewhere. Closed -> (first
 * open) -> PASSTHROUGH, DAEMON or FORWARDED -> (last release) -> closed.
 *
 * <p><b>Turns.</b> Opens, commits, truncations and releases of one node id take turns ({@link #turn}): disk and
 * coordinator are asked in between, so it is a queue rather than a lock, and nothing but such calls for the very same file
 * waits in it. Reads, writes and stat take no turn, and neither does a recall.
 *
 * <p>Field -> guard: {@code uses}: the table's bin ({@link OpenFiles}); {@code backing}, {@code live}, {@code committedStat}:
 * written in turn, read by anyone; {@code overtaken}: set by anyone, cleared in turn; everything else: in turn only.
 */
final class InodeIo {
    /** A release that overtakes the kernel's own closing of the backing file looks like a mapping for a moment. */
    private static final long FIRST_LOOK_MILLIS = 5;

    private static final long LAST_LOOK_MILLIS = 1000;

    enum Mode {
        /** The kernel reads and writes the backing file itself. */
        PASSTHROUGH,
        /** Every read and write that the page cache does not answer comes to the daemon. */
        DAEMON,
        /** It is open for writing on another node, and every read and write goes there: the kernel caches nothing. */
        FORWARDED
    }

    /**
     * @param version what an open sees; while writing, what the writing is based on
     * @param file null where the local disk has no room for it: read-only, and fetched anew for each reader
     * @param backingId of the kernel, 0 but in mode PASSTHROUGH
     * @param home where it is open, in mode FORWARDED; else null
     */
    record Backing(
            Mode mode,
            FileVersion version,
            @Nullable CachedFile file,
            int backingId,
            @Nullable FileAtHome home) {
        static Backing daemon(FileVersion version, @Nullable CachedFile file) {
            return new Backing(Mode.DAEMON, version, file, 0, null);
        }

        static Backing passthrough(CachedFile file, int backingId) {
            return new Backing(Mode.PASSTHROUGH, file.version(), file, backingId, null);
        }

        static Backing forwarded(FileVersion version, FileAtHome home) {
            return new Backing(Mode.FORWARDED, version, null, 0, home);
        }

        CachedFile cached() {
            return Objects.requireNonNull(file, "a file without a backing file is never written");
        }

        Backing at(FileVersion next) {
            return new Backing(mode, next, file, backingId, home);
        }
    }

    final long nodeId;
    final ReentrantLock turn = new ReentrantLock();

    /**
     * Of a file that is not whole here, while it is written through the daemon: a write marks blocks as present and then
     * fills them, and a reader must see neither before the other.
     */
    final ReentrantReadWriteLock blocks = new ReentrantReadWriteLock();

    final AccessPattern pattern = new AccessPattern();

    int uses;

    private volatile @Nullable Backing backing;
    private volatile boolean live;
    private int readers;
    private int writers;
    private volatile Disk.@Nullable Stat committedStat;
    private volatile @Nullable Timestamp watched;
    private volatile boolean pagesKept;
    private volatile Disk.@Nullable Stat withoutPages;
    private volatile boolean overtaken;
    private boolean changed;
    private boolean committedHere;
    private boolean lost;
    private boolean mapped;
    private boolean mappable;
    private boolean doubted;
    private long lookMillis = FIRST_LOOK_MILLIS;

    InodeIo(long nodeId) {
        this.nodeId = nodeId;
    }

    long ino() {
        return NodeIds.ino(nodeId);
    }

    /** Null while closed. */
    @Nullable Backing backing() {
        return backing;
    }

    /** Of a node id that is open, by whoever made sure of that, in turn. */
    Backing opened() {
        return Objects.requireNonNull(backing);
    }

    boolean isOpen() {
        return backing != null;
    }

    /** Size and times are those of the backing file, which may be ahead of the committed ones. */
    boolean live() {
        return live;
    }

    int writers() {
        return writers;
    }

    /** Where it is open, if it is FORWARDED. */
    @Nullable FileAtHome home() {
        Backing now = backing;
        return now == null ? null : now.home();
    }

    /** Programs write it, and here. */
    boolean writtenHere() {
        inTurn();
        return writers > 0 && home() == null;
    }

    void attach(Backing first) {
        inTurn();
        if (backing != null) {
            throw new AssertionError("node " + nodeId + " is open already, as " + backing.mode());
        }
        backing = first;
    }

    /** After the last close: what was open, for the caller to give back. */
    Backing detach() {
        inTurn();
        Backing last = opened();
        if (readers + writers > 0) {
            throw new AssertionError(readers + " readers and " + writers + " writers of node " + nodeId + " are left");
        }
        backing = null;
        live = false;
        changed = false;
        committedHere = false;
        lost = false;
        mapped = false;
        mappable = false;
        doubted = false;
        lookMillis = FIRST_LOOK_MILLIS;
        committedStat = null;
        watched = null;
        pagesKept = false;
        withoutPages = null;
        overtaken = false;
        return last;
    }

    int readers() {
        return readers;
    }

    void addReader() {
        inTurn();
        readers++;
    }

    void addWriter() {
        inTurn();
        writers++;
    }

    /** True where that was the last handle of any kind. */
    boolean removeReader() {
        inTurn();
        readers--;
        if (readers == 0) {
            withoutPages = null;
        }
        return checkEmpty();
    }

    boolean removeWriter() {
        inTurn();
        writers--;
        return checkEmpty();
    }

    private boolean checkEmpty() {
        if (readers < 0 || writers < 0) {
            throw new AssertionError("node " + nodeId + " was released more often than opened");
        }
        return readers + writers == 0;
    }

    boolean unused() {
        inTurn();
        return readers + writers == 0;
    }

    /** More than one handle is open. */
    boolean shared() {
        inTurn();
        return readers + writers > 1;
    }

    /** From now on the backing file may be ahead; {@code asCommitted} is how it looks with the committed bytes. */
    void writingFrom(Disk.Stat asCommitted) {
        inTurn();
        committedStat = asCommitted;
        live = true;
    }

    /** There is something to commit that the backing file's size and times may not show. */
    void markChanged() {
        inTurn();
        changed = true;
    }

    /** Whether the backing file has something that is not committed. */
    boolean differs(Disk.Stat now) {
        inTurn();
        return live && (changed || committedStat == null || !sameContent(committedStat, now));
    }

    /** Since the first writer came, something was committed. */
    boolean committedHere() {
        inTurn();
        return committedHere;
    }

    void committed(FileVersion version, Disk.Stat asCommitted) {
        inTurn();
        committedHere = true;
        backing = opened().at(version);
        committedStat = asCommitted;
        changed = false;
    }

    /** The last writer is gone and all is committed: the inode tells size and times again. What never had a name never is. */
    void stoppedWriting() {
        inTurn();
        committedHere = false;
        mappable = false;
        live = false;
    }

    /** Somebody has it open for reading and writing, as a mapping that writes needs. */
    void openedForBoth() {
        inTurn();
        mappable = true;
    }

    /**
     * A mapping may have stored what neither size nor times show, into a page that was dirty when something was committed.
     * Where the daemon does the writing it sees every store.
     */
    boolean mayHaveBeenMapped() {
        inTurn();
        return mappable && committedHere && opened().mode() == Mode.PASSTHROUGH;
    }

    /** Takes in whether a mapping writes the file now; true where one did and does no more. */
    boolean unmapped(boolean now) {
        inTurn();
        boolean ended = mapped && !now;
        mapped = now;
        return ended;
    }

    /** When to look again whether the mapping is gone: soon at first, then seldom. */
    long nextLookMillis() {
        inTurn();
        long now = lookMillis;
        lookMillis = Math.min(LAST_LOOK_MILLIS, 4 * now);
        return now;
    }

    /** Whether a mapping writes the file could not be told when the last writer left. None does that nobody could make. */
    void doubtWhereMappable() {
        inTurn();
        doubted |= mappable;
    }

    boolean doubted() {
        inTurn();
        return doubted;
    }

    /** The write lease was lost to another node: what is here cannot be committed any more. */
    void markLost() {
        inTurn();
        lost = true;
    }

    boolean lost() {
        return lost;
    }

    /**
     * Whether nobody wrote between two looks at a file. Linux gives a change that follows a look a time of its own (multigrain
     * timestamps, 6.13; before, changes within one tick of the clock may look the same).
     */
    static boolean sameContent(Disk.Stat one, Disk.Stat other) {
        return one.size() == other.size() && one.modified().equals(other.modified());
    }

    /** Access time of the backing file as long as nobody reads it; null where reading it need not show. */
    @Nullable Timestamp watched() {
        return watched;
    }

    void watch(@Nullable Timestamp accessed) {
        watched = accessed;
    }

    /**
     * What it is open as cannot be had whole any more, and somebody has read of what came after it: so do all from then on, and nobody
     * joins them.
     */
    boolean overtaken() {
        return overtaken;
    }

    /** Whether it is read here, and of the version that it was opened as or that is written here. */
    boolean joinable() {
        return home() == null && !overtaken;
    }

    /** False where it was marked before. */
    boolean markOvertaken() {
        boolean first = !overtaken;
        overtaken = true;
        return first;
    }

    /**
     * Whether the kernel may have had pages to answer a reader from without a word: an open left it those that it had, or a writer has
     * made some since one took them away.
     *
     * @param now how the backing file looks
     */
    boolean mayHavePages(Disk.Stat now) {
        Disk.Stat before = withoutPages;
        return pagesKept || (before != null && !sameContent(before, now));
    }

    /**
     * Whether an open leaves the kernel its pages, and so from then on. Not where a read has to show: the first one must come
     * to the daemon, unless the file is being written. It is not any more, for that matter, when all is committed: its writer's
     * close(2) has returned, and the kernel's RELEASE is on its way.
     *
     * @param ofThisVersion whether pages that it may have from before are of what is open
     */
    boolean keepPages(boolean ofThisVersion) throws IOException {
        Backing now = opened();
        if (now.mode() != Mode.DAEMON) {
            return false;
        }
        Disk.Stat stat = live ? now.cached().file().stat() : null;
        boolean written = stat != null && differs(stat);
        boolean kept = (written || watched == null) && (shared() || ofThisVersion);
        pagesKept |= kept;
        if (!kept && readers > 0 && withoutPages == null) {
            withoutPages = stat;
        }
        return kept;
    }

    /** How the backing file looked with the content that was committed last; null while nobody writes. */
    Disk.@Nullable Stat committedStat() {
        return committedStat;
    }

    private void inTurn() {
        if (!turn.isHeldByCurrentThread()) {
            throw new AssertionError("not in turn for node " + nodeId);
        }
    }
}
