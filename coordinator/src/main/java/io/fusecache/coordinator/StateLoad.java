package io.fusecache.coordinator;

import io.fusecache.coordinator.dump.Load;
import io.fusecache.coordinator.dump.LoadTarget;
import io.fusecache.coordinator.namespace.Namespace;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.Counters;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.View;
import io.fusecache.coordinator.state.VolumeRecord;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a dump into an empty state, batch by batch through the log, so that replicas have it as well. From the first batch to the
 * last one the state says that it is being loaded, and no client is let in; where loading fails, the state is emptied. Where
 * the coordinator ends in between, the next load empties it first.
 */
public final class StateLoad {
    private static final Logger LOG = LoggerFactory.getLogger(StateLoad.class);
    private static final int KEYS_AT_ONCE = 1_000;

    /** What a state has that is empty: counters, volume, format, how long the trash keeps, this load, up to where a replica has the log. */
    private static final Set<Character> STAYS = Set.of('A', 'B', 'F', 'J', 'N', 'Z');

    private final Sessions sessions;
    private final Durable durable;
    private final ReentrantLock one = new ReentrantLock();

    /** Waits until what was appended is durable. */
    @FunctionalInterface
    interface Durable {
        void await() throws IOException;
    }

    StateLoad(Sessions sessions, Durable durable) {
        this.sessions = sessions;
        this.durable = durable;
    }

    /** There is something already, or somebody. */
    public static final class NotEmptyException extends IOException {
        private static final long serialVersionUID = 1L;

        NotEmptyException(String message) {
            super(message);
        }
    }

    Load.Loaded run(InputStream in) throws IOException {
        if (!one.tryLock()) {
            throw new NotEmptyException("a dump is being loaded");
        }
        try {
            boolean expected = begin();
            boolean whole = false;
            try {
                Load.Loaded loaded = load(in);
                whole = true;
                LOG.info("a dump is loaded: {} inodes, as namespace {}", loaded.inodes(), loaded.namespace());
                return loaded;
            } finally {
                // Where the last batch is there, and was only slow to be durable, nodes are let in already.
                if (!whole && sessions.state().get(Keys.loading()) != null) {
                    empty(expected);
                }
            }
        } finally {
            one.unlock();
        }
    }

    /** A state that is empty, and has no session, is marked as one that is being loaded. */
    void expect() throws IOException {
        try {
            sessions.replace((view, anySession) -> {
                if (anySession || view.get(Keys.loading()) != null || !fresh(view)) {
                    throw new NotEmptyException("it needs no load");
                }
                return mark(view);
            });
            LOG.warn("no client is let in before a dump is loaded: fusecache load, restore or rebuild");
        } catch (NotEmptyException inUse) {
            LOG.info("no load is awaited: {}", inUse.getMessage());
        }
    }

    private static boolean fresh(View view) {
        return counters(view).nextInode() == Counters.INITIAL.nextInode();
    }

    private static Changes mark(View view) {
        Changes changes = new Changes(view);
        changes.put(Keys.loading(), new byte[0]);
        return changes;
    }

    /** Returns whether a load was expected already, because one broke off or was asked for at the start. */
    private boolean begin() throws IOException {
        boolean[] again = {false};
        sessions.replace((view, anySession) -> {
            again[0] = view.get(Keys.loading()) != null;
            if (anySession) {
                throw new NotEmptyException(
                        "nodes are connected, or were: stop them, and load into a coordinator with an empty data directory");
            }
            if (!again[0] && !fresh(view)) {
                throw new NotEmptyException(
                        "this coordinator has a namespace: load into one with an empty data directory");
            }
            return mark(view);
        });
        if (again[0]) {
            wipe();
        }
        return again[0];
    }

    private static Counters counters(View view) {
        return Counters.of(Objects.requireNonNull(view.get(Keys.counters())));
    }

    private Load.Loaded load(InputStream in) throws IOException {
        View view = sessions.state();
        return Load.run(
                in,
                new LoadTarget() {
                    @Override
                    public View view() {
                        return view;
                    }

                    @Override
                    public void write(Changes batch) throws IOException {
                        append(batch);
                    }
                },
                sessions.freshNamespace(),
                System.currentTimeMillis());
    }

    private void append(Changes batch) throws IOException {
        sessions.replace((view, anySession) -> batch);
        durable.await();
    }

    /** As a new state is, with a namespace that nobody has heard of. */
    private void empty(boolean expected) throws IOException {
        wipe();
        Changes changes = Namespace.format(sessions.state(), Timestamp.of(Instant.now()));
        changes.put(Keys.volume(), new VolumeRecord(null, sessions.freshNamespace()).toBytes());
        if (!expected) {
            changes.delete(Keys.loading());
        }
        append(changes);
    }

    private void wipe() throws IOException {
        List<byte[]> some = new ArrayList<>();
        do {
            some.clear();
            sessions.state().scan(new byte[] {'A'}, new byte[] {'z'}, (key, value) -> {
                if (!STAYS.contains((char) key[0])) {
                    some.add(key);
                }
                return some.size() < KEYS_AT_ONCE;
            });
            Changes changes = new Changes(sessions.state());
            some.forEach(changes::delete);
            append(changes);
        } while (!some.isEmpty());
    }
}
