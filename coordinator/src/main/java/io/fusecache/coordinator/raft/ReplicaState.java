package io.fusecache.coordinator.raft;

import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.ReplicaRecord;
import io.fusecache.coordinator.state.Snapshot;
import io.fusecache.coordinator.state.StateFormat;
import io.fusecache.coordinator.state.StateStore;
import io.fusecache.coordinator.state.View;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.LifeCycle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of one replica: a database to which the log is applied, in its order, each entry together with its term and index in
 * one write. So whatever a crash leaves says itself up to where it has the log, and what Ratis applies again is passed over.
 *
 * <p>Readers may come at any time and from any thread. A snapshot from the leader replaces the database: whoever reads while it
 * is gone gets {@link ReplacedException}, because the database is native memory, and only one that has lost the lead since has
 * still something to read.
 */
final class ReplicaState extends BaseStateMachine implements View {
    /** What came of an entry, as its leader hears. */
    static final ByteString APPLIED = ByteString.copyFrom(new byte[] {1});

    private static final ByteString PASSED_OVER = ByteString.copyFrom(new byte[] {0});
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaState.class);

    private final Path live;
    private final RaftMember.Listener listener;
    private final Snapshots snapshots = new Snapshots();

    /** Held for reading by whoever uses the database, for writing by whoever opens or closes it. */
    private final ReentrantReadWriteLock using = new ReentrantReadWriteLock();

    /** Guarded by {@code using}. */
    private @Nullable StateStore store;

    /** Written by the one thread that applies, and when the database is opened. */
    private volatile ReplicaRecord applied = ReplicaRecord.NONE;

    private volatile long loadedIndex = -1;
    private volatile boolean closing;

    /** @param live the folder of the database */
    ReplicaState(Path live, RaftMember.Listener listener) {
        this.live = live;
        this.listener = listener;
    }

    /** The database is gone for a while, or for good. */
    static final class ReplacedException extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        ReplacedException() {
            super("the state of this replica is being replaced, or closed");
        }
    }

    // life

    @Override
    public void initialize(RaftServer server, RaftGroupId group, RaftStorage storage) throws IOException {
        super.initialize(server, group, storage);
        getLifeCycle()
                .startAndTransition(
                        () -> {
                            snapshots.init(storage);
                            load();
                            loadedIndex = applied.index();
                        },
                        IOException.class);
    }

    private void load() throws IOException {
        Snapshots.tidy(live);
        Optional<Snapshots.Snapshot> snapshot = snapshots.newest();
        using.writeLock().lock();
        try {
            if (!Files.exists(live.resolve("CURRENT")) && snapshot.isPresent()) {
                restore(snapshot.get().folder());
            }
            ReplicaRecord found = open();
            if (snapshot.isPresent() && found.index() < snapshot.get().upTo().getIndex()) {
                closeStore();
                restore(snapshot.get().folder());
                found = open();
            }
            applied = found;
            TermIndex upTo = TermIndex.valueOf(found.term(), found.index());
            boolean ahead = snapshot.isPresent() && snapshot.get().upTo().compareTo(upTo) > 0;
            setLastAppliedTermIndex(ahead ? snapshot.get().upTo() : upTo);
        } finally {
            using.writeLock().unlock();
        }
    }

    /** What this release does not know takes the place of nothing. */
    private void restore(Path snapshot) throws IOException {
        StateFormat.check(snapshot, live);
        Snapshots.restore(snapshot, live);
    }

    private ReplicaRecord open() throws IOException {
        StateStore opened = StateStore.open(live);
        store = opened;
        byte[] bytes = opened.get(Keys.replica());
        return bytes == null ? ReplicaRecord.NONE : ReplicaRecord.of(bytes);
    }

    private void closeStore() {
        using.writeLock().lock();
        try {
            if (store != null) {
                store.close();
                store = null;
            }
        } finally {
            using.writeLock().unlock();
        }
    }

    @Override
    public void pause() {
        getLifeCycle().transition(LifeCycle.State.PAUSING);
        closeStore();
        getLifeCycle().transition(LifeCycle.State.PAUSED);
    }

    @Override
    public void reinitialize() throws IOException {
        snapshots.refresh();
        try {
            load();
        } catch (IOException refused) {
            listener.failed("the leader's snapshot cannot be used: " + refused.getMessage());
            throw refused;
        }
        LOG.info("a snapshot up to {} of the log is installed", applied.index());
        getLifeCycle().transition(LifeCycle.State.STARTING);
        getLifeCycle().transition(LifeCycle.State.RUNNING);
    }

    /** This member ends on purpose. */
    void closing() {
        closing = true;
    }

    @Override
    public void close() {
        closeStore();
    }

    // applying

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
        LogEntryProto entry = transaction.getLogEntry();
        TermIndex at = TermIndex.valueOf(entry);
        boolean effective;
        using.readLock().lock();
        try {
            StateStore to = store;
            // Without a database the snapshot that replaces it has this entry.
            effective = to != null && apply(to, at, entry);
        } catch (IOException failed) {
            listener.failed("entry " + at.getIndex() + " of the log cannot be applied: " + failed.getMessage());
            // Nothing that comes behind it may be applied: Ratis ends this member.
            throw new IllegalStateException(failed.getMessage(), failed);
        } finally {
            using.readLock().unlock();
        }
        reached(at);
        return CompletableFuture.completedFuture(Message.valueOf(effective ? APPLIED : PASSED_OVER));
    }

    private boolean apply(StateStore to, TermIndex at, LogEntryProto entry) throws IOException {
        ReplicaRecord before = applied;
        if (at.getIndex() <= before.index()) {
            return false;
        }
        Proposal proposal =
                Proposal.of(entry.getStateMachineLogEntry().getLogData().toByteArray());
        ReplicaRecord after = new ReplicaRecord(at.getTerm(), at.getIndex(), before.reign(), before.sequence());
        List<Map.Entry<byte[], byte @Nullable []>> changes = new ArrayList<>();
        boolean effective = proposal.reign() == before.reign();
        switch (proposal) {
            case Proposal.Begin(long reign) -> {
                effective = true;
                after = new ReplicaRecord(at.getTerm(), at.getIndex(), reign, 0);
            }
            case Proposal.Batch batch -> {
                effective &= batch.sequence() == before.sequence() + 1;
                if (effective) {
                    changes.addAll(batch.changes());
                    after = new ReplicaRecord(at.getTerm(), at.getIndex(), batch.reign(), batch.sequence());
                }
            }
            case Proposal.Tick tick -> {}
        }
        changes.add(new AbstractMap.SimpleImmutableEntry<>(Keys.replica(), after.toBytes()));
        to.write(changes);
        applied = after;
        return effective;
    }

    private void reached(TermIndex at) {
        if (at.compareTo(getLastAppliedTermIndex()) > 0) {
            updateLastAppliedTermIndex(at);
        }
    }

    /** Of entries of Ratis' own. */
    @Override
    public void notifyTermIndexUpdated(long term, long index) {
        reached(TermIndex.valueOf(term, index));
    }

    /** Where the database was when it was opened first. */
    long loadedIndex() {
        return loadedIndex;
    }

    // snapshots

    /** Up to where the newest has the log, -1 where there is none. */
    long newestSnapshot() throws IOException {
        return snapshots.newest().map(snapshot -> snapshot.upTo().getIndex()).orElse(RaftLog.INVALID_LOG_INDEX);
    }

    @Override
    public StateMachineStorage getStateMachineStorage() {
        return snapshots;
    }

    @Override
    public long takeSnapshot() throws IOException {
        TermIndex upTo = getLastAppliedTermIndex();
        if (upTo.getIndex() < 0) {
            return RaftLog.INVALID_LOG_INDEX;
        }
        Path folder = snapshots.folderOf(upTo);
        using.readLock().lock();
        try {
            if (store == null) {
                return RaftLog.INVALID_LOG_INDEX;
            }
            if (!Files.exists(folder)) {
                // Entries of Ratis' own count as well, so that what is opened later is not taken for older than this.
                ReplicaRecord now = applied;
                ReplicaRecord whole = new ReplicaRecord(upTo.getTerm(), upTo.getIndex(), now.reign(), now.sequence());
                store.write(List.of(new AbstractMap.SimpleImmutableEntry<>(Keys.replica(), whole.toBytes())));
                applied = whole;
                store.checkpoint(folder);
            }
        } finally {
            using.readLock().unlock();
        }
        snapshots.refresh();
        return upTo.getIndex();
    }

    // what Ratis tells

    @Override
    public void notifyLeaderReady() {
        listener.leads();
    }

    @Override
    public void notifyNotLeader(Collection<TransactionContext> pending) {
        listener.leadsNoMore();
    }

    @Override
    public void notifyLogFailed(Throwable cause, LogEntryProto entry) {
        listener.failed("the log cannot be written: " + cause.getMessage());
    }

    @Override
    public void notifyServerShutdown(RoleInfoProto role, boolean all) {
        if (!closing) {
            listener.failed("this member of the replica group has ended: it was removed, or its log says why");
        }
    }

    // reading

    @Override
    public byte @Nullable [] get(byte[] key) {
        using.readLock().lock();
        try {
            return opened().get(key);
        } finally {
            using.readLock().unlock();
        }
    }

    @Override
    public void scan(byte[] from, byte[] to, Visitor visitor) {
        using.readLock().lock();
        try {
            opened().scan(from, to, visitor);
        } finally {
            using.readLock().unlock();
        }
    }

    /** Of what a majority has. */
    Snapshot snapshot() {
        using.readLock().lock();
        try {
            return opened().snapshot();
        } finally {
            using.readLock().unlock();
        }
    }

    Map<String, Long> sizes() {
        using.readLock().lock();
        try {
            return store == null ? Map.of() : store.sizes();
        } finally {
            using.readLock().unlock();
        }
    }

    private StateStore opened() {
        if (store == null) {
            throw new ReplacedException();
        }
        return store;
    }
}
