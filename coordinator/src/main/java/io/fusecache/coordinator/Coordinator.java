package io.fusecache.coordinator;

import io.fusecache.coordinator.namespace.Trash;
import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.coordinator.state.LocalLog;
import io.fusecache.coordinator.state.Log;
import io.fusecache.coordinator.state.StateStore;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.RecallListener;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.SessionTransport;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One volume's coordinator: its state in a folder, and its sessions. How clients reach it is somebody else's: within this
 * process by {@link #transport}, over the network by {@link CoordinatorServer}.
 */
public final class Coordinator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Coordinator.class);

    private final StateStore store;
    private final LocalLog log;
    private final Sessions sessions;
    private final ScheduledExecutorService timer;
    private volatile @Nullable String failure;

    private Coordinator(Path folder, SessionLimits limits, InstantSource clock) throws IOException {
        store = StateStore.open(folder);
        timer = Executors.newSingleThreadScheduledExecutor(
                task -> Thread.ofPlatform().name("coordinator-timer").daemon().unstarted(task));
        log = new LocalLog(store, new Log.Listener() {
            @Override
            public void durable() {
                sessions().durable();
            }

            @Override
            public void failed(IOException cause) {
                failure = String.valueOf(cause.getMessage());
                LOG.error("the coordinator cannot go on: {}", cause.getMessage());
                sessions().broken(String.valueOf(cause.getMessage()));
            }
        });
        sessions = new Sessions(store, log, clock, new SecureRandom(), timer, limits);
        try {
            sessions.start();
            TrashSweep.start(sessions, timer);
        } catch (IOException e) {
            timer.shutdownNow();
            store.close();
            throw e;
        }
        log.start();
    }

    /** Opens the state in {@code folder}, or begins a new one there. Throws with one line that names the folder. */
    public static Coordinator open(Path folder) throws IOException {
        return open(folder, SessionLimits.DEFAULT);
    }

    public static Coordinator open(Path folder, SessionLimits limits) throws IOException {
        return new Coordinator(folder, limits, InstantSource.system());
    }

    public Sessions sessions() {
        return sessions;
    }

    /** Sets how long files are kept that are removed from now on; zero: not at all. */
    public void keepRemoved(Duration time) throws IOException {
        Answer.Failure failure = sessions.change((context, view) -> Trash.keep(time, context, view))
                .join()
                .failure();
        if (failure != null) {
            throw new IOException(failure.message());
        }
    }

    /** What the state takes on disk and in memory. */
    public Map<String, Long> sizes() {
        return store.sizes();
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
        store.close();
    }
}
