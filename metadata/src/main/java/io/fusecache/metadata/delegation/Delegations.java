package io.fusecache.metadata.delegation;

import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.Listing;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.UploadTicket;
import io.fusecache.metadata.VolumeUsage;
import io.fusecache.metadata.WriteLease;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Operation.DelegatedChange;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's view of the namespace that answers itself in directories that are delegated to the node, and asks the coordinator for the
 * rest.
 *
 * <p>A directory is delegated when it is made. What is done in it then, and in files made in it, is written to the
 * {@link ChangeJournal}, done in the {@link DelegatedTree}, answered, and given to the coordinator later ({@link PendingChanges}).
 * When anybody else comes by it, the coordinator recalls it: it gets what is pending, and the directory is here no more. The same
 * happens before this node does what the tree cannot.
 *
 * <p><b>Order.</b> What is forwarded about an inode waits until the coordinator has all pending changes of that inode. While a
 * directory is being given back, its inodes are answered still, but nothing changes them.
 *
 * <p><b>Durability.</b> What was answered outlives the process. It outlives the machine once the coordinator has it: {@link #settle}.
 */
public final class Delegations extends CoordinatorView {
    private static final Logger LOG = LoggerFactory.getLogger(Delegations.class);
    /** What delegations are made of. */
    public record Options(Path folder, Path asideFolder, boolean granted, Duration bound, InstantSource clock) {}

    private final DelegatedWork work;
    private final boolean granted;

    private Delegations(CoordinatorClient coordinator, DelegatedWork work, boolean granted) {
        super(coordinator);
        this.work = work;
        this.granted = granted;
    }

    /** Gives the coordinator what a process of before has left in the folder, and begins. What it does not take is set aside. */
    public static Delegations open(CoordinatorClient coordinator, DelegationRecalls recalls, Options options)
            throws IOException, ErrnoException {
        NavigableMap<Long, DelegatedChange> left = ChangeJournal.read(options.folder());
        Answer.Delegation given = PendingChanges.greet(coordinator::delegated);
        long last = left.isEmpty() ? given.last() : Math.max(given.last(), left.lastKey());
        left.headMap(given.last(), true).clear();
        List<DelegatedChange> refused = List.of();
        if (!left.isEmpty()) {
            refused = replay(coordinator, options, left);
        }
        ChangeJournal.clear(options.folder());
        DelegatedWork work = new DelegatedWork(
                coordinator,
                options,
                ChangeJournal.begin(options.folder(), options.asideFolder(), last),
                last,
                given,
                ChangeJournal.madeAside(options.asideFolder()),
                refused.size());
        work.start();
        Delegations here = new Delegations(coordinator, work, options.granted());
        recalls.bind(here);
        return here;
    }

    /** What was refused. */
    private static List<DelegatedChange> replay(
            CoordinatorClient coordinator, Options options, NavigableMap<Long, DelegatedChange> left)
            throws IOException, ErrnoException {
        List<DelegatedChange> changes = List.copyOf(left.values());
        try {
            PendingChanges.replay(coordinator::delegated, left.firstKey(), changes);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EIO) {
                throw e;
            }
            Path to = ChangeJournal.setAside(options.folder(), options.asideFolder(), e.getMessage());
            LOG.error(
                    "{} changes of before the restart were not taken ({}): they are in {}",
                    changes.size(),
                    e.getMessage(),
                    to);
            return changes;
        }
        LOG.info("{} changes of before the restart are with the coordinator", changes.size());
        Set<Long> nobodys = changes.stream()
                .filter(change -> !(change.operation() instanceof Operation.Create))
                .map(DelegatedChange::ino)
                .filter(ino -> ino != 0)
                .collect(Collectors.toSet());
        // Whoever had them open has ended.
        CompletableFuture<?> ignored = coordinator.releaseUnlinked(nobodys);
        return List.of();
    }

    void lose(String reason) {
        work.lose(reason);
    }

    Set<Long> giveBack(Set<Long> recalled) {
        return work.giveBack(recalled);
    }

    /** How many changes the coordinator did not take, because the delegation had ended by force. */
    public long setAside() {
        return work.setAside();
    }

    @Override
    public boolean lost(long ino) {
        return work.lost(ino);
    }

    /** How many inodes this node answers for. */
    public int delegatedInodes() {
        return work.delegatedInodes();
    }

    /** How many changes the coordinator is still to get. */
    public int pendingChanges() {
        return work.pendingChanges();
    }

    /** The child that a name leads to, 0 for none: what else is wrong the coordinator says, in its order. */
    private long child(long parent, FileName name) throws ErrnoException {
        try {
            return lookup(parent, name).ino();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EIO) {
                throw e;
            }
            return 0;
        }
    }

    // reading

    @Override
    public VolumeUsage usage() throws ErrnoException {
        work.settleAll();
        return coordinator.usage();
    }

    @Override
    public Inode lookup(long parent, FileName name) throws ErrnoException {
        Inode here = work.ask(tree -> tree.lookup(parent, name));
        if (here != null) {
            return here;
        }
        work.settleAll(parent);
        return work.current(coordinator.lookup(parent, name));
    }

    @Override
    public Inode inode(long ino) throws ErrnoException {
        Inode here = cachedInode(ino);
        if (here != null) {
            return here;
        }
        work.settleAll(ino);
        return work.current(coordinator.inode(ino));
    }

    @Override
    public boolean exists(long ino) throws ErrnoException {
        Boolean ended = work.ask(tree -> tree.ended(ino));
        if (Boolean.TRUE.equals(ended)) {
            return false;
        }
        work.settleAll(ino);
        return coordinator.exists(ino);
    }

    @Override
    public @Nullable Inode cachedLookup(long parent, FileName name) throws ErrnoException {
        Inode here = work.ask(tree -> tree.lookup(parent, name));
        if (here != null) {
            return here;
        }
        if (!work.settled(parent)) {
            return null;
        }
        Inode cached = coordinator.cachedLookup(parent, name);
        return cached == null ? null : work.current(cached);
    }

    @Override
    public @Nullable Inode cachedInode(long ino) {
        Inode here = work.find(ino);
        return here != null || !work.settled(ino) ? here : coordinator.cachedInode(ino);
    }

    @Override
    public List<DirectoryEntry> list(long directory, long cookie, int limit) throws ErrnoException {
        if (Boolean.TRUE.equals(work.ask(tree -> tree.hasDirectory(directory)))) {
            work.settleAll();
        }
        work.settleAll(directory);
        List<DirectoryEntry> entries = new ArrayList<>();
        for (DirectoryEntry entry : coordinator.list(directory, cookie, limit)) {
            entries.add(new DirectoryEntry(entry.name(), entry.cookie(), work.current(entry.inode())));
        }
        return entries;
    }

    @Override
    public Inode parent(long directory) throws ErrnoException {
        work.settleAll(directory);
        return work.current(coordinator.parent(directory));
    }

    @Override
    public FileVersion content(long ino) throws ErrnoException {
        FileVersion here = work.pendingContent(ino);
        if (here != null) {
            return here;
        }
        work.settleAll(ino);
        return coordinator.content(ino);
    }

    // names

    @Override
    public Inode create(long parent, FileName name, NewInode inode) throws ErrnoException {
        Inode here = work.change(tree -> tree.create(parent, name, inode), parent);
        if (here != null) {
            work.makeRoom();
            return here;
        }
        work.end(parent);
        return granted && inode.type() == FileType.DIRECTORY
                ? createDelegated(parent, name, inode)
                : coordinator.create(parent, name, inode);
    }

    private Inode createDelegated(long parent, FileName name, NewInode wanted) throws ErrnoException {
        Inode made = null;
        work.asks();
        try {
            made = coordinator.create(parent, name, wanted.forWriting());
            return made;
        } finally {
            work.answered(made, parent);
        }
    }

    @Override
    public Inode createUnnamed(long parent, NewInode inode) throws ErrnoException {
        work.settleAll(parent);
        return coordinator.createUnnamed(parent, inode);
    }

    @Override
    public Inode link(long ino, long newParent, FileName newName) throws ErrnoException {
        work.end(ino, newParent);
        return coordinator.link(ino, newParent, newName);
    }

    @Override
    public Inode unlink(long parent, FileName name) throws ErrnoException {
        Inode here = work.change(tree -> tree.unlink(parent, name), parent);
        if (here != null) {
            return here;
        }
        work.end(parent);
        return coordinator.unlink(parent, name);
    }

    @Override
    public Inode rmdir(long parent, FileName name) throws ErrnoException {
        Inode here = work.change(tree -> tree.rmdir(parent, name), parent);
        if (here != null) {
            return here;
        }
        work.end(parent, child(parent, name));
        return coordinator.rmdir(parent, name);
    }

    @Override
    public Optional<Inode> rename(long parent, FileName name, long newParent, FileName newName, int flags)
            throws ErrnoException {
        DelegatedTree.Renamed here =
                work.change(tree -> tree.rename(parent, name, newParent, newName, flags), parent, newParent);
        if (here != null) {
            return Optional.ofNullable(here.replaced());
        }
        work.end(parent, newParent, child(parent, name), child(newParent, newName));
        return coordinator.rename(parent, name, newParent, newName, flags);
    }

    @Override
    public CompletableFuture<?> releaseUnlinked(Set<Long> inodes) {
        Set<Long> elsewhere = new HashSet<>();
        try {
            for (long ino : inodes) {
                Boolean here = work.change(tree -> tree.release(ino), ino);
                if (!Boolean.TRUE.equals(here)) {
                    elsewhere.add(ino);
                    work.settleAll(ino);
                }
            }
        } catch (ErrnoException e) {
            // The coordinator takes it back when the session ends.
            return CompletableFuture.failedFuture(e);
        }
        return elsewhere.isEmpty() ? CompletableFuture.completedFuture(null) : coordinator.releaseUnlinked(elsewhere);
    }

    // attributes

    @Override
    public Inode setAttributes(long ino, AttributeChange change) throws ErrnoException {
        Inode here = work.change(tree -> tree.setAttributes(ino, change), ino);
        if (here != null) {
            return here;
        }
        work.end(ino);
        return coordinator.setAttributes(ino, change);
    }

    @Override
    public void touch(Map<Long, Timestamp> accessed) throws ErrnoException {
        Map<Long, Timestamp> elsewhere = new HashMap<>();
        for (Map.Entry<Long, Timestamp> access : accessed.entrySet()) {
            long ino = access.getKey();
            Boolean here = work.change(tree -> tree.touch(ino, access.getValue()), ino);
            if (!Boolean.TRUE.equals(here)) {
                work.settleAll(ino);
                elsewhere.put(ino, access.getValue());
            }
        }
        if (!elsewhere.isEmpty()) {
            coordinator.touch(elsewhere);
        }
    }

    @Override
    public byte[] attribute(long ino, FileName name) throws ErrnoException {
        if (Boolean.TRUE.equals(work.ask(tree -> tree.contains(ino)))) {
            throw new ErrnoException(Errno.ENODATA, "an inode that was made here has no attributes");
        }
        work.settleAll(ino);
        return coordinator.attribute(ino, name);
    }

    @Override
    public List<FileName> attributeNames(long ino) throws ErrnoException {
        work.settleAll(ino);
        return coordinator.attributeNames(ino);
    }

    @Override
    public void setAttribute(long ino, FileName name, byte[] value, int flags) throws ErrnoException {
        work.end(ino);
        coordinator.setAttribute(ino, name, value, flags);
    }

    @Override
    public void removeAttribute(long ino, FileName name) throws ErrnoException {
        work.end(ino);
        coordinator.removeAttribute(ino, name);
    }

    // content

    @Override
    public WriteLease beginWrite(long ino, Duration wait) throws ErrnoException {
        FileVersion here = work.change(tree -> tree.beginWrite(ino), ino);
        if (here != null) {
            return new WriteLease.Granted(here);
        }
        work.end(ino);
        return coordinator.beginWrite(ino, wait);
    }

    @Override
    public void endWrite(long ino) {
        try {
            if (!Boolean.TRUE.equals(work.change(tree -> tree.endWrite(ino), ino))) {
                work.end(ino);
                coordinator.endWrite(ino);
            }
        } catch (ErrnoException e) {
            // The coordinator takes it back when the session ends.
            LOG.warn("the write lease of inode {} was not given back: {}", ino, e.getMessage());
        }
    }

    @Override
    public Optional<NodeId> awaitWriter(long ino, Duration wait) throws ErrnoException {
        work.settleAll(ino);
        return coordinator.awaitWriter(ino, wait);
    }

    @Override
    public Inode commit(FileVersion content, Timestamp modified, Timestamp changed, long usedBytes)
            throws ErrnoException {
        Inode here = work.change(tree -> tree.commit(content, modified, changed, usedBytes), content.ino());
        if (here != null) {
            return here;
        }
        work.end(content.ino());
        return coordinator.commit(content, modified, changed, usedBytes);
    }

    @Override
    public boolean seal(long ino, long version, int[] checksums) throws ErrnoException {
        Boolean here = work.change(tree -> tree.seal(ino, version, checksums), ino);
        if (here != null) {
            return here;
        }
        work.end(ino);
        return coordinator.seal(ino, version, checksums);
    }

    @Override
    public void settle(long ino) throws ErrnoException {
        work.settleAll(ino);
    }

    @Override
    public void settle() throws ErrnoException {
        work.settleAll();
    }

    @Override
    public Optional<UploadTicket> beginUpload(long ino, long version) throws ErrnoException {
        work.settleAll(ino);
        return coordinator.beginUpload(ino, version);
    }

    @Override
    public boolean finishUpload(long ino, long version, ObjectRef object) throws ErrnoException {
        work.settleAll(ino);
        return coordinator.finishUpload(ino, version, object);
    }

    @Override
    public void abandonUpload(long ino) throws ErrnoException {
        work.settleAll(ino);
        coordinator.abandonUpload(ino);
    }

    @Override
    public Listing beginListing(long directory) throws ErrnoException {
        work.end(directory);
        return coordinator.beginListing(directory);
    }

    @Override
    public int importListing(
            Listing listing,
            List<ListedObject> objects,
            @Nullable FileName after,
            @Nullable FileName through,
            NewInode fallback)
            throws ErrnoException {
        work.end(listing.directory());
        return coordinator.importListing(listing, objects, after, through, fallback);
    }

    // life

    /** The coordinator has all changes, or they are in the journal for the next process. The session goes on. */
    @Override
    public void close() {
        work.close();
    }
}
