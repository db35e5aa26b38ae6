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
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a dump into an empty state, batch by batch through the log, so that replicas have it as well. From the first batch to the
 * last one the state says that it is being loaded, and no client is let in; where loading fails, the state is emptied. Where
 * the coordinator ends in between, a load that goes on comes to its end at its next look at the state, which stays as it is then:
 * the next load empties it first.
 *
 * <p>All of the state is seen in turns, because there are none any more when the database is closed.
 */
public final class StateLoad {
    private static final Logger LOG = LoggerFactory.getLogger(StateLoad.class);

    /** Of what is deleted; the log bounds a batch in bytes. */
    private static final int KEYS_AT_ONCE = 10_000;

    private static final int KEY_BYTES_AT_ONCE = 1 << 20;

    /** What a state has that is empty: counters, volume, format, how long the trash keeps, this load, up to where a replica has the log. */
    private static final Set<Character> STAYS = Set.of('A', 'B', 'F', 'J', 'N', 'Z');

    private final Sessions sessions;
    private final Durable durable;
    private final View state = new InTurns();
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
                if (!whole && state.get(Keys.loading()) != null) {
                    empty(expected);
                }
            }
        } catch (IllegalStateException closed) {
            throw new IOException("the coordinator ends, and the load with it: load the dump again", closed);
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
        return Load.run(
                in,
                new LoadTarget() {
                    @Override
                    public View view() {
                        return state;
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
        Changes changes = Namespace.format(state, Timestamp.of(Instant.now()));
        changes.put(Keys.volume(), new VolumeRecord(null, sessions.freshNamespace()).toBytes());
        if (!expected) {
            changes.delete(Keys.loading());
        }
        append(changes);
    }

    private void wipe() throws IOException {
        byte[] from = {'A'};
        while (from != null) {
            from = wipeSome(from);
            durable.await();
        }
    }

    /**
     * Returns where to go on, or null at the end. From the beginning, each batch would walk over all that was deleted before, which
     * the database has still.
     */
    private byte @Nullable [] wipeSome(byte[] from) throws IOException {
        List<byte[]> some = new ArrayList<>();
        int[] bytes = {0};
        sessions.replace((view, anySession) -> {
            view.scan(from, new byte[] {'z'}, (key, value) -> {
                if (!STAYS.contains((char) key[0])) {
                    some.add(key);
                    bytes[0] += key.length;
                }
                return some.size() < KEYS_AT_ONCE && bytes[0] < KEY_BYTES_AT_ONCE;
            });
            Changes changes = new Changes(view);
            some.forEach(changes::delete);
            return changes;
        });
        boolean more = some.size() >= KEYS_AT_ONCE || bytes[0] >= KEY_BYTES_AT_ONCE;
        return more ? Keys.justAfter(some.getLast()) : null;
    }

    /** The state in turns. */
    private final class InTurns implements View {
        @Override
        public byte @Nullable [] get(byte[] key) {
            return read(view -> view.get(key));
        }

        @Override
        public void scan(byte[] from, byte[] to, Visitor visitor) {
            read(view -> {
                view.scan(from, to, visitor);
                return null;
            });
        }

        private <T> @Nullable T read(Function<View, @Nullable T> question) {
            return sessions.read((context, view) -> Optional.ofNullable(question.apply(view)))
                    .orElse(null);
        }
    }
}
