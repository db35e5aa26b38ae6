package io.fusecache.metadata;

import io.fusecache.metadata.lock.FileLocks;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.session.Welcome;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The namespace by way of a coordinator, with a cache of what read leases cover: see {@link LeaseCache}. */
public final class CoordinatorClient implements Metadata {
    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorClient.class);
    /** A listing is taken over in parts, so that no command, no message and no turn of the coordinator grows with it. */
    private static final int IMPORT_PART = 1_000;

    private static final Duration REPORT_DELAY = Duration.ofMillis(100);

    private final NodeId self;
    private final LeaseCache cache;
    private final Advertisements advertisements = new Advertisements();
    private final SessionClient session;
    private final AtomicBoolean reporting = new AtomicBoolean();

    private CoordinatorClient(Builder builder, SessionTransport transport, NodeAddress node) {
        self = node.id();
        cache = new LeaseCache(builder.cacheBytes);
        Hello hello = new Hello(Hello.PROTOCOL, "", node, builder.nvmePath, builder.keyPrefix, "", 0, 0);
        LongSupplier available = builder.availableBytes;
        LongSupplier used = builder.usedBytes;
        session = new SessionClient(
                transport,
                hello,
                builder.listener,
                cache,
                advertisements,
                () -> new SessionClient.Space(available.getAsLong(), used.getAsLong()),
                builder.bound);
    }

    public static Builder builder(NodeAddress node, RecallListener listener) {
        return new Builder(node, listener);
    }

    /** What a client is made of; only node and listener have no default. */
    public static final class Builder {
        private final NodeAddress node;
        private final RecallListener listener;
        private String nvmePath = "";
        private String keyPrefix = "";
        private long cacheBytes = 64L << 20;
        private Duration bound = Duration.ofSeconds(30);
        private LongSupplier availableBytes = () -> 0;
        private LongSupplier usedBytes = () -> 0;

        private Builder(NodeAddress node, RecallListener listener) {
            this.node = node;
            this.listener = listener;
        }

        /** For people: where this node keeps its blocks. */
        public Builder nvmePath(String path) {
            nvmePath = path;
            return this;
        }

        /** What object keys begin with: the same for all nodes of the volume. */
        public Builder keyPrefix(String prefix) {
            keyPrefix = prefix;
            return this;
        }

        /** The bound of the lease cache. */
        public Builder cacheBytes(long bytes) {
            cacheBytes = bytes;
            return this;
        }

        /** How long a request waits for a coordinator that cannot be reached. */
        public Builder bound(Duration longest) {
            bound = longest;
            return this;
        }

        /** Asked with every heartbeat. */
        public Builder space(LongSupplier available, LongSupplier used) {
            availableBytes = available;
            usedBytes = used;
            return this;
        }

        /** Connects, or throws with one line that says why not. */
        public CoordinatorClient connect(SessionTransport transport) throws IOException {
            CoordinatorClient client = new CoordinatorClient(this, transport, node);
            client.session.start();
            return client;
        }
    }

    /** The coordinator's namespace, which stays the same for as long as this client lives. */
    public String namespace() {
        return session.namespace();
    }

    // asking

    private Answer.Result ask(Operation operation) throws ErrnoException {
        return ask(operation, Duration.ZERO);
    }

    private Answer.Result ask(Operation operation, Duration patience) throws ErrnoException {
        Answer answer = session.call(operation, patience);
        Answer.Failure failure = answer.failure();
        if (failure != null) {
            throw new ErrnoException(failure.errno(), failure.message());
        }
        return answer.result();
    }

    private <R extends Answer.Result> R ask(Class<R> kind, Operation operation) throws ErrnoException {
        return kind.cast(ask(operation));
    }

    private Inode inodeOf(Operation operation) throws ErrnoException {
        return ask(Answer.OneInode.class, operation).inode();
    }

    private void sendOnly(Operation operation) {
        CompletableFuture<?> ignored = submit(operation);
    }

    private CompletableFuture<?> submit(Operation operation) {
        try {
            return session.submit(operation);
        } catch (ErrnoException e) {
            // The coordinator takes it back when the session ends.
            LOG.warn("{} was not sent: {}", operation, e.getMessage());
            return CompletableFuture.failedFuture(e);
        }
    }

    // reading

    @Override
    public Inode lookup(long parent, FileName name) throws ErrnoException {
        Inode cached = cache.lookup(parent, name);
        return cached != null ? cached : inodeOf(new Operation.Lookup(parent, name));
    }

    @Override
    public Inode inode(long ino) throws ErrnoException {
        Inode cached = cache.inode(ino);
        return cached != null ? cached : inodeOf(new Operation.ReadInode(ino));
    }

    @Override
    public boolean exists(long ino) throws ErrnoException {
        try {
            Inode there = inodeOf(new Operation.ReadInode(ino));
            return there.ino() == ino;
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ESTALE) {
                throw e;
            }
            return false;
        }
    }

    @Override
    public @Nullable Inode cachedLookup(long parent, FileName name) throws ErrnoException {
        return cache.lookup(parent, name);
    }

    @Override
    public @Nullable Inode cachedInode(long ino) {
        return cache.inode(ino);
    }

    @Override
    public List<DirectoryEntry> list(long directory, long cookie, int limit) throws ErrnoException {
        return ask(Answer.Entries.class, new Operation.ListEntries(directory, cookie, limit))
                .entries();
    }

    @Override
    public Inode parent(long directory) throws ErrnoException {
        return inodeOf(new Operation.FindParent(directory));
    }

    @Override
    public FileVersion content(long ino) throws ErrnoException {
        FileVersion cached = cache.content(ino);
        return cached != null
                ? cached
                : ask(Answer.Content.class, new Operation.ReadContent(ino)).version();
    }

    @Override
    public VolumeUsage usage() throws ErrnoException {
        return ask(Answer.Usage.class, new Operation.ReadUsage()).usage();
    }

    // names

    @Override
    public Inode create(long parent, FileName name, NewInode inode) throws ErrnoException {
        return inodeOf(new Operation.Create(parent, name, inode));
    }

    @Override
    public Inode createUnnamed(long parent, NewInode inode) throws ErrnoException {
        return inodeOf(new Operation.CreateUnnamed(parent, inode));
    }

    @Override
    public Inode link(long ino, long newParent, FileName newName) throws ErrnoException {
        return inodeOf(new Operation.Link(ino, newParent, newName));
    }

    @Override
    public Inode unlink(long parent, FileName name) throws ErrnoException {
        return inodeOf(new Operation.Unlink(parent, name));
    }

    @Override
    public Inode rmdir(long parent, FileName name) throws ErrnoException {
        return inodeOf(new Operation.RemoveDirectory(parent, name));
    }

    @Override
    public Optional<Inode> rename(long parent, FileName name, long newParent, FileName newName, int flags)
            throws ErrnoException {
        Answer.Result result = ask(new Operation.Rename(parent, name, newParent, newName, flags));
        return result instanceof Answer.OneInode replaced ? Optional.of(replaced.inode()) : Optional.empty();
    }

    @Override
    public CompletableFuture<?> releaseUnlinked(Set<Long> inodes) {
        return submit(new Operation.ReleaseUnlinked(Set.copyOf(inodes)));
    }

    // attributes

    @Override
    public Inode setAttributes(long ino, AttributeChange change) throws ErrnoException {
        return inodeOf(new Operation.SetAttributes(ino, change));
    }

    @Override
    public void touch(Map<Long, Timestamp> accessed) throws ErrnoException {
        ask(new Operation.Touch(Map.copyOf(accessed)));
    }

    @Override
    public byte[] attribute(long ino, FileName name) throws ErrnoException {
        LeaseCache.Attribute cached = cache.attribute(ino, name);
        if (cached == null) {
            return ask(Answer.Value.class, new Operation.ReadAttribute(ino, name))
                    .bytes();
        }
        byte[] value = cached.value();
        if (value == null) {
            throw new ErrnoException(Errno.ENODATA, "no such attribute, as cached");
        }
        return value.clone();
    }

    @Override
    public List<FileName> attributeNames(long ino) throws ErrnoException {
        return ask(Answer.AttributeNames.class, new Operation.ReadAttributeNames(ino))
                .names();
    }

    @Override
    public void setAttribute(long ino, FileName name, byte[] value, int flags) throws ErrnoException {
        ask(new Operation.SetAttribute(ino, name, value.clone(), flags));
    }

    @Override
    public void removeAttribute(long ino, FileName name) throws ErrnoException {
        ask(new Operation.RemoveAttribute(ino, name));
    }

    // content

    @Override
    public WriteLease beginWrite(long ino, Duration wait) throws ErrnoException {
        Answer.Result result = ask(new Operation.BeginWrite(ino, wait), wait);
        return result instanceof Answer.HeldBy(NodeId home)
                ? new WriteLease.HeldBy(home)
                : new WriteLease.Granted(((Answer.Content) result).version());
    }

    @Override
    public Optional<NodeId> awaitWriter(long ino, Duration wait) throws ErrnoException {
        Answer.Result result = ask(new Operation.AwaitWriter(ino, wait), wait);
        return result instanceof Answer.HeldBy(NodeId home) ? Optional.of(home) : Optional.empty();
    }

    @Override
    public void endWrite(long ino) {
        sendOnly(new Operation.EndWrite(ino));
    }

    @Override
    public Inode commit(FileVersion content, Timestamp modified, Timestamp changed, long usedBytes)
            throws ErrnoException {
        Inode inode = inodeOf(new Operation.Commit(content, modified, changed, usedBytes));
        advertisements.committed(content.ino(), content.version());
        return inode;
    }

    @Override
    public boolean seal(long ino, long version, int[] checksums) throws ErrnoException {
        return ask(Answer.Truth.class, new Operation.Seal(ino, version, checksums))
                .value();
    }

    /** Tells the coordinator what was done in delegated directories; does not wait for the answer. */
    public CompletableFuture<Answer> delegated(Operation.Delegated changes) throws ErrnoException {
        for (Operation.DelegatedChange change : changes.changes()) {
            if (change.operation() instanceof Operation.Commit commit) {
                advertisements.committed(
                        commit.content().ino(), commit.content().version());
            }
        }
        return session.submit(changes);
    }

    // who holds what

    @Override
    public void advertise(long ino, long version, @Nullable BitSet blocks) {
        report(advertisements.add(ino, version, blocks));
    }

    @Override
    public void withdraw(long ino, long version) {
        report(advertisements.remove(ino, version));
    }

    private void report(int news) {
        if (news >= Advertisements.BATCH) {
            sendReports();
        } else if (reporting.compareAndSet(false, true)) {
            session.later(this::sendReports, REPORT_DELAY);
        }
    }

    private void sendReports() {
        reporting.set(false);
        for (var batch = advertisements.take(); !batch.isEmpty(); batch = advertisements.take()) {
            sendOnly(new Operation.Report(batch));
        }
    }

    @Override
    public List<Holder> holders(long ino, long version) throws ErrnoException {
        return ask(Answer.Holders.class, new Operation.FindHolders(ino, version))
                .holders();
    }

    @Override
    public List<NodeAddress> nodes() throws ErrnoException {
        return ask(Answer.Nodes.class, new Operation.FindNodes()).nodes();
    }

    @Override
    public FileLocks locks() {
        return session.locks();
    }

    // the bucket

    @Override
    public Optional<UploadTicket> beginUpload(long ino, long version) throws ErrnoException {
        Answer.Result result = ask(new Operation.BeginUpload(ino, version));
        return result instanceof Answer.Ticket leave ? Optional.of(leave.ticket()) : Optional.empty();
    }

    @Override
    public boolean finishUpload(long ino, long version, ObjectRef object) throws ErrnoException {
        return ask(Answer.Truth.class, new Operation.FinishUpload(ino, version, object))
                .value();
    }

    @Override
    public boolean renewUpload(long ino) throws ErrnoException {
        return ask(Answer.Truth.class, new Operation.RenewUpload(ino)).value();
    }

    @Override
    public boolean renewWork(long id, Duration lease) throws ErrnoException {
        return ask(Answer.Truth.class, new Operation.RenewWork(id, lease)).value();
    }

    @Override
    public List<CloudWork> takeWork(int limit, Duration lease) throws ErrnoException {
        return ask(Answer.Work.class, new Operation.TakeWork(limit, lease)).work();
    }

    @Override
    public void abandonUpload(long ino) throws ErrnoException {
        ask(new Operation.AbandonUpload(ino));
    }

    @Override
    public void finishWork(long id) throws ErrnoException {
        ask(new Operation.FinishWork(id));
    }

    @Override
    public void finishMove(long id, ObjectRef at) throws ErrnoException {
        ask(new Operation.FinishMove(id, at));
    }

    @Override
    public Listing beginListing(long directory) throws ErrnoException {
        return ask(Answer.Begun.class, new Operation.BeginListing(directory)).listing();
    }

    @Override
    public int importListing(
            Listing listing,
            List<ListedObject> objects,
            @Nullable FileName after,
            @Nullable FileName through,
            NewInode fallback)
            throws ErrnoException {
        List<ListedObject> sorted = new ArrayList<>(objects);
        sorted.sort(Comparator.comparing(ListedObject::name));
        int changed = 0;
        int from = 0;
        FileName begin = after;
        while (true) {
            int to = Math.min(from + IMPORT_PART, sorted.size());
            // Both objects of one name, "a" and "a/", stay together.
            while (to < sorted.size()
                    && sorted.get(to).name().equals(sorted.get(to - 1).name())) {
                to++;
            }
            boolean last = to == sorted.size();
            FileName end =
                    last ? through : FileName.later(begin, sorted.get(to - 1).name());
            List<ListedObject> part = List.copyOf(sorted.subList(from, to));
            changed += ask(Answer.Count.class, new Operation.ImportListing(listing, part, fallback, begin, end))
                    .value();
            if (last) {
                return changed;
            }
            begin = end;
            from = to;
        }
    }

    // life

    @Override
    public NodeId self() {
        return self;
    }

    @Override
    public boolean connected() {
        return session.connected();
    }

    @Override
    public List<String> coordinators() {
        return session.members().stream().map(Welcome.Member::http).toList();
    }

    @Override
    public void close() {
        sendReports();
        session.close();
    }
}
