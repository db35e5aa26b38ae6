package io.fusecache.coordinator;

import io.fusecache.coordinator.dump.Dump;
import io.fusecache.coordinator.dump.DumpException;
import io.fusecache.coordinator.dump.Load;
import io.fusecache.coordinator.namespace.Trash;
import io.fusecache.coordinator.raft.RaftMember;
import io.fusecache.coordinator.raft.RaftTiming;
import io.fusecache.coordinator.raft.ReignLog;
import io.fusecache.coordinator.raft.ReplicaGroup;
import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.LocalLog;
import io.fusecache.coordinator.state.Log;
import io.fusecache.coordinator.state.Snapshot;
import io.fusecache.coordinator.state.StateStore;
import io.fusecache.coordinator.state.View;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.RecallListener;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.SessionTransport;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One volume's coordinator: its state in a folder, and its sessions. How clients reach it is somebody else's: within this
 * process by {@link #transport}, over the network by {@link CoordinatorServer}.
 */
public final class Coordinator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Coordinator.class);

    /** A batch of a load that is not durable by then has failed. */
    private static final Duration ROOM_WITHIN = Duration.ofMinutes(1);

    private final Log log;
    private final Sessions sessions;
    private final Supplier<Map<String, Long>> sizes;
    private final Supplier<Snapshot> snapshots;
    private final AutoCloseable state;
    private final ScheduledExecutorService timer;
    private final StateLoad load;
    private volatile @Nullable String failure;
    private volatile boolean closing;

    /** What waits for the log to be durable, and for word that it is; see {@link #awaitDurable}. */
    private final Object durable = new Object();

    private Coordinator(
            View view,
            Log log,
            Hearing hearing,
            Supplier<Map<String, Long>> sizes,
            Supplier<Snapshot> snapshots,
            AutoCloseable state,
            SessionLimits limits,
            InstantSource clock)
            throws IOException {
        this.log = log;
        this.sizes = sizes;
        this.snapshots = snapshots;
        this.state = state;
        timer = Executors.newSingleThreadScheduledExecutor(
                task -> Thread.ofPlatform().name("coordinator-timer").daemon().unstarted(task));
        sessions = new Sessions(view, log, clock, new SecureRandom(), timer, limits);
        load = new StateLoad(sessions, () -> awaitDurable(ROOM_WITHIN));
        hearing.coordinator = this;
        boolean started = false;
        try {
            sessions.start();
            TrashSweep.start(sessions, timer);
            started = true;
        } finally {
            if (!started) {
                timer.shutdownNow();
            }
        }
    }

    /** The log's listener is there before its coordinator is; the log says nothing before it is started. */
    private static final class Hearing implements Log.Listener {
        private final Consumer<IOException> failed;
        private volatile @Nullable Coordinator coordinator;

        Hearing(Consumer<IOException> failed) {
            this.failed = failed;
        }

        @Override
        public void durable() {
            Coordinator of = coordinator;
            if (of != null) {
                of.sessions.durable();
                synchronized (of.durable) {
                    of.durable.notifyAll();
                }
            }
        }

        @Override
        public void failed(IOException cause) {
            Coordinator of = coordinator;
            if (of != null) {
                of.failure = String.valueOf(cause.getMessage());
                failed.accept(cause);
                of.sessions.broken(String.valueOf(cause.getMessage()));
            }
        }
    }

    /** Opens the state in {@code folder}, or begins a new one there. Throws with one line that names the folder. */
    public static Coordinator open(Path folder) throws IOException {
        return open(folder, SessionLimits.DEFAULT);
    }

    public static Coordinator open(Path folder, SessionLimits limits) throws IOException {
        if (ReplicaGroup.owns(folder)) {
            throw new IOException("data directory " + folder + " is of a member of a replica group: start it with"
                    + " -raft-id and -raft-peers, or give this coordinator a folder of its own");
        }
        StateStore store = StateStore.open(folder);
        Hearing hearing = new Hearing(cause -> LOG.error("the coordinator cannot go on: {}", cause.getMessage()));
        LocalLog log = new LocalLog(store, hearing);
        boolean opened = false;
        try {
            Coordinator coordinator = new Coordinator(
                    store, log, hearing, store::sizes, store::snapshot, store, limits, InstantSource.system());
            log.start();
            opened = true;
            return coordinator;
        } finally {
            if (!opened) {
                store.close();
            }
        }
    }

    /**
     * Leads a replica group, until the lead is lost.
     *
     * @param lost hears that, on a thread that must not wait
     * @throws IOException where {@code member} does not lead
     */
    static Coordinator lead(RaftMember member, RaftTiming timing, SessionLimits limits, Consumer<IOException> lost)
            throws IOException, InterruptedException {
        Hearing hearing = new Hearing(lost);
        ReignLog log = ReignLog.begin(member, timing, hearing);
        Coordinator coordinator = new Coordinator(
                log.view(), log, hearing, member::sizes, member::snapshot, () -> {}, limits, InstantSource.system());
        log.start();
        return coordinator;
    }

    /** Nobody hears anything any more: another member may lead. */
    void silence() {
        if (log instanceof ReignLog reign) {
            reign.silence();
        }
    }

    /** The same, and {@link #close} waits for nothing any more. */
    void abandon() {
        if (log instanceof ReignLog reign) {
            reign.abandon();
        }
    }

    /**
     * Waits until what was executed so far would survive this process, and until no other member can lead.
     *
     * @throws IOException where that is not so in time
     */
    public void awaitDurable(Duration patience) throws IOException {
        long position = log.position();
        long end = System.nanoTime() + patience.toNanos();
        synchronized (durable) {
            while (log.durable() < position) {
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (left <= 0 || failure != null || closing) {
                    throw new IOException("it is not known to be durable");
                }
                try {
                    durable.wait(Math.min(left, 100));
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                    throw new InterruptedIOException("interrupted");
                }
            }
        }
    }

    public Sessions sessions() {
        return sessions;
    }

    /** Sets how long files are kept that are removed from now on; zero: not at all. */
    public void keepRemoved(Duration time) throws IOException {
        if (loading()) {
            LOG.warn("the loading of a dump broke off: load it again; until then no client is let in");
            return;
        }
        Answer.Failure failure = sessions.change((context, view) -> Trash.keep(time, context, view))
                .join()
                .failure();
        if (failure != null) {
            throw new IOException(failure.message());
        }
    }

    /** Whether a dump is being loaded, or awaited: what there is till then is no namespace. */
    public boolean loading() {
        return sessions.state().get(Keys.loading()) != null;
    }

    /**
     * Writes the namespace as it is now, as the lines of {@code docs/DUMP.md}; returns how many inodes there are.
     *
     * @throws IOException also while {@link #loading}: half a tree is none
     */
    public long dump(OutputStream out) throws IOException {
        try (Snapshot now = snapshots.get()) {
            if (now.get(Keys.loading()) != null) {
                throw new IOException("a dump is being loaded, or awaited");
            }
            return Dump.write(now, Instant.now(), out);
        }
    }

    /**
     * Brings a dump into this state, which has to be empty, as a namespace of its own.
     *
     * @throws StateLoad.NotEmptyException where it is not; nothing is changed
     * @throws DumpException where that is no whole dump: the state is empty again
     */
    public Load.Loaded load(InputStream in) throws IOException {
        return load.run(in);
    }

    /** Lets no client into an empty state until a dump is loaded. */
    void awaitLoad() throws IOException {
        load.expect();
    }

    /** What the state takes on disk and in memory. */
    public Map<String, Long> sizes() {
        return sizes.get();
    }

    /** Why it cannot go on, or null. */
    public @Nullable String failure() {
        return failure;
    }

    /** A session of a node in this process. */
    public Metadata connect(NodeId node, RecallListener listener) throws IOException {
        return CoordinatorClient.builder(new NodeAddress(node, "", ""), listener)
                .connect(transport());
    }

    /** The way to this coordinator for clients in the same process; messages are handed over as they are. */
    public SessionTransport transport() {
        return new LocalTransport(sessions);
    }

    /** Ends all streams; sessions can be resumed when the state is opened again. */
    @Override
    public void close() {
        closing = true;
        sessions.close();
        timer.shutdownNow();
        try {
            if (!timer.awaitTermination(5, TimeUnit.SECONDS)) {
                LOG.warn("a timer of the coordinator does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        log.close();
        try {
            state.close();
        } catch (Exception failed) {
            throw new IllegalStateException("the state was not closed", failed);
        }
    }
}
