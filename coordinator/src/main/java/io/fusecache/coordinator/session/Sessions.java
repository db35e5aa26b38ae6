package io.fusecache.coordinator.session;

import io.fusecache.coordinator.namespace.Context;
import io.fusecache.coordinator.namespace.Namespace;
import io.fusecache.coordinator.namespace.Outcome;
import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.Counters;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Log;
import io.fusecache.coordinator.state.ResultRecord;
import io.fusecache.coordinator.state.SessionRecord;
import io.fusecache.coordinator.state.View;
import io.fusecache.coordinator.state.VolumeRecord;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.SessionTransport.RefusedException;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import io.fusecache.metadata.wire.AnswerCodec;
import io.fusecache.metadata.wire.MalformedException;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sessions of a volume: their beginning, resumption and end, and what they say in between.
 *
 * <p>A session is a record in the state, so that it survives the coordinator: the client comes back with its number and
 * secret, its write leases and unlinked files are still its own, and what it had asked for before is answered once. Its read
 * leases are void after every break of the stream; the client drops what it cached before it goes on, and with its first word on the
 * new stream the coordinator knows that it has.
 *
 * <p>It ends when the client says goodbye, when its node comes with a new session, or when it is fenced: because it did not
 * answer a recall within its lease, or because it is gone and somebody waits for a file that it was writing, or for a lock.
 */
public final class Sessions {
    private static final Logger LOG = LoggerFactory.getLogger(Sessions.class);

    /** What a node that stays away so long has unlinked is not kept for it any more; its write leases are. */
    private static final Duration FORGOTTEN_AFTER = Duration.ofDays(1);

    private final Sequencer sequencer;
    private final LeaseTable leases;
    private final BlockDirectory blocks;
    private final LockDesk locks;
    private final Log log;
    private final Duration lease;
    private final RandomGenerator random;
    private final SessionTable sessions = new SessionTable();
    private final ScheduledExecutorService timer;

    public Sessions(
            View view,
            Log log,
            InstantSource clock,
            RandomGenerator random,
            ScheduledExecutorService timer,
            SessionLimits limits) {
        this.log = log;
        this.random = random;
        this.timer = timer;
        this.lease = limits.lease();
        this.leases = new LeaseTable(limits.mostLeasesPerSession());
        this.blocks = new BlockDirectory(limits.mostVersionsInDirectory());
        this.sequencer = new Sequencer(view, log, clock, timer, lease, leases, blocks, new Sequencer.Fence() {
            @Override
            public boolean fenceIfGone(NodeId node) {
                return Sessions.this.fenceIfGone(node);
            }

            @Override
            public @Nullable Session sessionOf(NodeId node) {
                return Sessions.this.sessionOf(node);
            }
        });
        this.locks = new LockDesk(sequencer, this::endIfGone, lease.toNanos());
    }

    /** Makes the root where there is nothing yet, and waits for the sessions of before. */
    public void start() throws IOException {
        View view = sequencer.view();
        if (view.get(Keys.counters()) == null) {
            log.append(Namespace.format(view, sequencer.now()));
        }
        nameNamespace(view);
        long nextInode = counters().nextInode();
        byte[] all = Keys.sessions();
        sequencer.inTurn(() -> view.scan(all, Keys.after(all), (key, value) -> {
            SessionRecord record = SessionRecord.of(value);
            NodeAddress unknown = new NodeAddress(record.node(), "", "");
            Session session =
                    new Session(Keys.number(key, 1), record.secret(), unknown, log::durable, System.nanoTime());
            Session older = sessions.of(session.node());
            if (older != null) {
                // The coordinator ended between the two batches that replaced it.
                end(older, false, "");
            }
            leases.suspect(session, nextInode);
            sessions.add(session);
            locks.await(session);
            return true;
        }));
        long period = Math.max(1, lease.toMillis() / 10);
        sweepEvery(period);
    }

    private void nameNamespace(View view) throws IOException {
        VolumeRecord volume = VolumeRecord.in(view);
        if (volume.namespace().isEmpty()) {
            String id = freshNamespace();
            Context context = new Context(sequencer.now(), 0, null, Map.of(), Set.of());
            log.append(Namespace.name(volume.withNamespace(id), context, view).changes());
        }
    }

    /** An id that no namespace has yet. */
    public String freshNamespace() {
        return "%016x%016x".formatted(random.nextLong(), random.nextLong());
    }

    @SuppressWarnings("FutureReturnValueIgnored") // it ends with the timer
    private void sweepEvery(long millis) {
        timer.scheduleWithFixedDelay(this::sweep, millis, millis, TimeUnit.MILLISECONDS);
    }

    private Counters counters() {
        return Counters.of(Objects.requireNonNull(sequencer.view().get(Keys.counters())));
    }

    /** Sends what has become durable. */
    public void durable() {
        List<Session> all = new ArrayList<>();
        sequencer.inTurn(() -> all.addAll(sessions.all()));
        all.forEach(session -> session.outbox().drain());
    }

    /** Nothing can be promised any more: every stream ends. */
    public void broken(String reason) {
        List<Session> all = new ArrayList<>();
        sequencer.inTurn(() -> all.addAll(sessions.all()));
        all.forEach(session -> disconnect(session, null, reason));
    }

    /** Ends all streams; nothing reads or changes the state any more. */
    public void close() {
        broken("the coordinator shuts down");
        sequencer.close();
    }

    // beginning

    /**
     * A client said hello on a new stream. The welcome comes on {@code sink}, when the session is durable.
     *
     * @throws IOException where the state is closed, or cannot be written: it may be tried again, or elsewhere
     */
    public Session connect(Hello hello, Sink sink) throws IOException {
        if (hello.protocol() != Hello.PROTOCOL) {
            throw new RefusedException("node " + hello.node().id() + " speaks protocol " + hello.protocol()
                    + " and this coordinator " + Hello.PROTOCOL + ": run the same release on both");
        }
        if (!hello.volume().isEmpty()) {
            throw new RefusedException("there is no volume '" + hello.volume() + "' on this coordinator");
        }
        Object[] result = {null, null};
        boolean open = sequencer.inTurn(() -> {
            try {
                result[0] = connectInTurn(hello, sink);
            } catch (IOException refused) {
                result[1] = refused;
            }
        });
        if (!open) {
            throw new IOException("the coordinator shuts down");
        }
        if (result[1] instanceof IOException refused) {
            throw refused;
        }
        return (Session) Objects.requireNonNull(result[0]);
    }

    private Session connectInTurn(Hello hello, Sink sink) throws IOException {
        checkVolume(hello);
        Session known = sessions.find(hello.session());
        boolean resumed = known != null
                && known.secret() == hello.secret()
                && known.node().equals(hello.node().id());
        Session session = resumed && known != null ? known : open(hello);
        if (resumed) {
            session.mustSpeakAgain();
            locks.disconnected(session);
        }
        session.introduce(hello.node(), hello.nvmePath());
        session.heard(System.nanoTime());
        Sink before = session.outbox().connect(sink);
        if (before != null) {
            before.close("the client opened another stream");
        }
        sequencer.live().add(session.node());
        boolean fenced = hello.session() != 0 && !resumed;
        if (fenced) {
            // It was told that its write leases are gone: so they are, for whichever reason its session ended.
            startEnd(0, session.node(), true);
        }
        session.outbox()
                .add(
                        log.position(),
                        new Welcome(
                                session.id(),
                                session.secret(),
                                resumed,
                                fenced,
                                VolumeRecord.in(sequencer.view()).namespace(),
                                Session.SLOTS,
                                lease,
                                locks.welcome(session)));
        long now = System.nanoTime();
        session.recalls().replaceAll((id, recalling) -> {
            session.outbox().add(log.position(), recalling.request(id));
            return recalling.since(now);
        });
        sequencer.tellLater(session);
        return session;
    }

    private void checkVolume(Hello hello) throws IOException {
        if (sequencer.view().get(Keys.loading()) != null) {
            throw new IOException("the namespace is being loaded, or that broke off: it is to be loaded");
        }
        VolumeRecord volume = VolumeRecord.in(sequencer.view());
        if (!hello.namespace().isEmpty() && !hello.namespace().equals(volume.namespace())) {
            throw new RefusedException("node " + hello.node().id() + " has inodes of the namespace " + hello.namespace()
                    + ", and this coordinator's state is another one, " + volume.namespace()
                    + ": give it its state back, or start the node anew");
        }
        String prefix = volume.keyPrefix();
        if (prefix == null) {
            VolumeRecord named = volume.withKeyPrefix(hello.keyPrefix());
            appendNow((context, view) -> Namespace.name(named, context, view), "the volume cannot be named");
        } else if (!prefix.equals(hello.keyPrefix())) {
            throw new RefusedException("node " + hello.node().id() + " mounts the prefix '" + hello.keyPrefix()
                    + "', and this volume is '" + prefix + "'");
        }
    }

    private Session open(Hello hello) throws IOException {
        NodeId node = hello.node().id();
        Session other = sessions.of(node);
        if (other != null) {
            if (other.outbox().connected() && System.nanoTime() - other.heardNanos() < lease.toNanos()) {
                throw new RefusedException("a node '" + node + "' is connected already: give each its own -peer-id");
            }
            end(other, false, "its node began a new session");
        }
        long secret = random.nextLong();
        long id = counters().nextSession();
        SessionRecord record = new SessionRecord(node, secret);
        boolean newProcess = hello.session() == 0;
        appendNow(
                (context, view) -> Namespace.openSession(record, newProcess, context, view),
                "no session can be opened");
        Session session = new Session(id, secret, hello.node(), log::durable, System.nanoTime());
        sessions.add(session);
        return session;
    }

    /** For what touches no inode, and so conflicts with nothing. */
    private void appendNow(Turn.Command command, String failure) throws IOException {
        Outcome outcome = command.execute(new Context(sequencer.now(), 0, null, Map.of(), Set.of()), sequencer.view());
        try {
            log.append(outcome.changes());
        } catch (IOException e) {
            throw new IOException(failure + ": " + e.getMessage(), e);
        }
    }

    /** What replaces the state itself, which is no command's. */
    @FunctionalInterface
    public interface Replacement {
        /** @param sessions whether there are any */
        Changes of(View view, boolean sessions) throws IOException;
    }

    /** The state, as whoever replaces it reads it. */
    public View state() {
        return sequencer.view();
    }

    /** Appends such a batch, in its turn. */
    public void replace(Replacement replacement) throws IOException {
        IOException[] refused = {null};
        boolean open = sequencer.inTurn(() -> {
            try {
                log.append(replacement.of(sequencer.view(), !sessions.all().isEmpty()));
            } catch (IOException failed) {
                refused[0] = failed;
            }
        });
        if (!open) {
            throw new IOException("the coordinator shuts down");
        }
        IOException failure = refused[0];
        if (failure != null) {
            throw failure;
        }
    }

    // what clients say

    /** A message on the stream of {@code sink}; one of a stream that was replaced is ignored. */
    public void received(Session session, Sink sink, Upstream message) {
        sequencer.inTurn(() -> {
            if (session.ended() || !session.outbox().connectedTo(sink)) {
                return;
            }
            session.heard(System.nanoTime());
            if (!session.spokeYet()) {
                leases.suspect(session, counters().nextInode());
            }
            switch (message) {
                case Upstream.Request request -> request(session, request);
                case Upstream.RecallDone done -> sequencer.recalled(session, done);
                case Upstream.Heartbeat beat -> {
                    session.space(beat.availableBytes(), beat.usedBytes());
                    sequencer.tellPromptly(session, new Downstream.HeartbeatHeard());
                }
                case Upstream.HeldLocks held -> locks.held(session, held);
                case Upstream.Goodbye bye -> end(session, true, "");
            }
        });
    }

    private void request(Session session, Upstream.Request request) {
        int slot = request.slot();
        if (slot < 0 || slot >= Session.SLOTS) {
            // Not by reply(): there is no such slot to be free again.
            Answer refusal = Answer.failed(Errno.EINVAL, "slot " + slot + " of " + Session.SLOTS);
            sequencer.tell(session, new Downstream.Reply(slot, request.sequence(), refusal));
            return;
        }
        Answer kept = session.kept(slot, request.sequence());
        if (kept != null) {
            sequencer.tell(session, new Downstream.Reply(slot, request.sequence(), kept));
            return;
        }
        if (!session.begin(slot, request.sequence())) {
            return;
        }
        switch (request.operation()) {
            case Operation.Query query ->
                sequencer.start(turn(
                        session,
                        request,
                        false,
                        (context, view) -> Namespace.query(query, context, view),
                        outcome -> reply(session, request, outcome.answer())));
            case Operation.Mutation mutation -> mutate(session, request, mutation);
            case Operation.Registry registry -> reply(session, request, answer(session, registry));
            case Operation.Locking locking -> {
                session.finish(slot, request.sequence());
                Answer answer = locks.answer(session, locking);
                sequencer.tellPromptly(session, new Downstream.Reply(slot, request.sequence(), answer));
            }
        }
    }

    private void mutate(Session session, Upstream.Request request, Operation.Mutation mutation) {
        Answer before = request.resent() ? keptInState(session, request) : null;
        if (before != null) {
            replyToChange(session, request, before);
            return;
        }
        byte[] key = Keys.result(session.id(), request.slot());
        Turn.Command command = (context, view) -> {
            Outcome outcome = Namespace.execute(mutation, context, view);
            if (!outcome.changes().isEmpty()) {
                byte[] answer = AnswerCodec.toBytes(outcome.answer().withoutLeases());
                outcome.changes().put(key, new ResultRecord(request.sequence(), answer).toBytes());
            }
            return outcome;
        };
        Turn turn = turn(session, request, true, command, outcome -> {
            if (mutation instanceof Operation.EndWrite end) {
                session.writeEnded(end.ino());
            }
            if (outcome.answer().failure() == null) {
                holds(session, mutation);
            }
            if (mutation instanceof Operation.Delegated delegated
                    && outcome.answer().failure() == null) {
                delegated.changes().forEach(change -> holds(session, change.operation()));
            }
            replyToChange(session, request, outcome.answer());
        });
        if (mutation instanceof Operation.EndWrite end) {
            session.endsWrite(end.ino(), turn);
        } else if (mutation instanceof Operation.BeginWrite begin) {
            // Nobody waits for the answer to the end of the write before; begun first, this one would end with it.
            turn.after = session.endingWrite(begin.ino());
        }
        sequencer.start(turn);
    }

    /** Who has committed a version has all of it. */
    private void holds(Session session, Operation.Mutation done) {
        if (done instanceof Operation.Commit commit) {
            Operation.Holding all = new Operation.Holding(
                    commit.content().ino(), commit.content().version(), true, null);
            blocks.report(session.node(), all);
        }
    }

    private static Turn turn(
            Session session,
            Upstream.Request request,
            boolean mutation,
            Turn.Command command,
            Turn.Completion completion) {
        return new Turn(
                session,
                Overtakings.of(request.operation()),
                request.slot(),
                request.sequence(),
                mutation,
                System.nanoTime() + patienceNanos(request.operation()),
                command,
                completion);
    }

    private static long patienceNanos(Operation operation) {
        if (operation instanceof Operation.BeginWrite begin) {
            return Math.max(0, begin.patience().toNanos());
        }
        return operation instanceof Operation.AwaitWriter await
                ? Math.max(0, await.patience().toNanos())
                : 0;
    }

    private void reply(Session session, Upstream.Request request, Answer answer) {
        session.finish(request.slot(), request.sequence());
        sequencer.tell(session, new Downstream.Reply(request.slot(), request.sequence(), answer));
    }

    private void replyToChange(Session session, Upstream.Request request, Answer answer) {
        session.keep(request.slot(), request.sequence(), answer);
        reply(session, request, answer);
    }

    private @Nullable Answer keptInState(Session session, Upstream.Request request) {
        byte[] bytes = sequencer.view().get(Keys.result(session.id(), request.slot()));
        ResultRecord record = bytes == null ? null : ResultRecord.of(bytes);
        if (record == null || record.sequence() != request.sequence()) {
            return null;
        }
        try {
            return AnswerCodec.ofBytes(record.answer());
        } catch (MalformedException e) {
            throw new AssertionError("a result that this coordinator kept", e);
        }
    }

    private Answer answer(Session session, Operation.Registry operation) {
        return switch (operation) {
            case Operation.Report report -> {
                report.holdings().forEach(holding -> blocks.report(session.node(), holding));
                yield Answer.of(new Answer.Nothing());
            }
            case Operation.FindHolders find ->
                Answer.of(new Answer.Holders(sessions.holders(blocks.holders(find.ino(), find.version()), session)));
            case Operation.FindNodes find -> Answer.of(new Answer.Nodes(sessions.connected()));
        };
    }

    // ends

    /** The stream of {@code sink} broke: the session waits for the client to come back. */
    public void disconnected(Session session, Sink sink, String reason) {
        disconnect(session, sink, reason);
    }

    private void disconnect(Session session, @Nullable Sink which, String reason) {
        Sink[] closed = {null};
        sequencer.inTurn(() -> {
            if (which == null || session.outbox().connectedTo(which)) {
                closed[0] = session.outbox().connect(null);
                sequencer.live().remove(session.node());
                locks.disconnected(session);
            }
        });
        if (closed[0] != null) {
            closed[0].close(reason);
        }
    }

    private void fence(Session session, String reason) {
        LOG.warn("node {} is fenced: it {}", session.node(), reason);
        end(session, true, "fenced: the node " + reason);
    }

    /** A node that is silent for a lease loses its session, and its locks with it, to whoever wants one of them. */
    private boolean endIfGone(Session session) {
        boolean gone = isGone(session);
        if (gone) {
            LOG.warn("node {} is fenced: it is gone, and another node wants a lock that it had", session.node());
            end(session, false, "fenced: the node is gone, and another wants a lock that it had");
        }
        return gone;
    }

    private boolean isGone(Session session) {
        return !session.outbox().connected() && System.nanoTime() - session.heardNanos() > lease.toNanos();
    }

    private boolean fenceIfGone(NodeId node) {
        Session session = sessions.of(node);
        if (session != null) {
            boolean gone = isGone(session);
            if (gone) {
                fence(session, "is gone, and another node wants to write a file that it was writing");
            }
            return gone;
        }
        // Its session ended without giving them back: the node restarted, and never came again.
        startEnd(0, node, true);
        return true;
    }

    private @Nullable Session sessionOf(NodeId node) {
        Session session = sessions.of(node);
        if (session == null) {
            startEnd(0, node, true);
        }
        return session;
    }

    /** Nothing of the session counts from now on; what it held in the state goes with the next turn. */
    private void end(Session session, boolean leasesToo, String reason) {
        if (session.ended()) {
            return;
        }
        sessions.remove(session);
        sequencer.ended(session);
        locks.ended(session);
        Sink sink = session.outbox().connect(null);
        if (sessions.of(session.node()) == null) {
            sequencer.live().remove(session.node());
        }
        startEnd(session.id(), session.node(), leasesToo);
        if (sink != null) {
            // Closing a stream may block: not in a turn.
            timer.execute(() -> sink.close(reason));
        }
    }

    private void startEnd(long session, NodeId node, boolean leasesToo) {
        sequencer.start(Turn.ofNobody(
                (context, view) -> Namespace.endSession(session, node, leasesToo, context, view), outcome -> {}));
    }

    /** Fences who leaves a recall unanswered; a stream that is silent for a lease is taken for broken. */
    private void sweep() {
        sequencer.inTurn(() -> {
            long now = System.nanoTime();
            for (Session session : sessions.all()) {
                if (!session.outbox().connected() && now - session.heardNanos() > FORGOTTEN_AFTER.toNanos()) {
                    end(session, false, "");
                    continue;
                }
                if (session.leavesRecall(now, lease.toNanos())) {
                    fence(session, "did not answer a recall within " + lease.toMillis() + " ms");
                }
            }
        });
        sequencer.inTurn(() -> locks.review().forEach(this::endIfGone));
        List<Session> silent = new ArrayList<>();
        sequencer.inTurn(() -> sessions.all().stream()
                .filter(session -> session.outbox().connected())
                .filter(session -> System.nanoTime() - session.heardNanos() > lease.toNanos())
                .forEach(silent::add));
        silent.forEach(session -> disconnect(session, null, "nothing was heard for " + lease.toSeconds() + " s"));
    }

    // for people

    /** A node with a session. */
    public record NodeStatus(
            NodeAddress address,
            String nvmePath,
            long availableBytes,
            long usedBytes,
            boolean connected,
            Duration silence,
            int leases) {}

    public List<NodeStatus> nodes() {
        List<NodeStatus> nodes = new ArrayList<>();
        sequencer.inTurn(() -> nodes.addAll(sessions.statuses(System.nanoTime())));
        return nodes;
    }

    public List<Holder> holdersOf(long ino, long version) {
        return sequencer.read((context, view) -> sessions.holders(blocks.holders(ino, version), null));
    }

    /** Asks the namespace on behalf of nobody: the answer is not leased. */
    public Answer ask(Operation.Query query) {
        return sequencer.read(
                (context, view) -> Namespace.query(query, context, view).answer());
    }

    public <T> T read(BiFunction<Context, View, T> question) {
        return sequencer.read(question);
    }

    /** Carries out a command on behalf of nobody; the answer comes when all who have leases were recalled. */
    public CompletableFuture<Answer> change(BiFunction<Context, View, Outcome> command) {
        return sequencer.change((context, view) -> view.get(Keys.loading()) == null
                ? command.apply(context, view)
                : Outcome.of(Answer.failed(Errno.EAGAIN, "a dump is being loaded"), new Changes(view)));
    }

    public BlockDirectory blocks() {
        return blocks;
    }

    public long recallsSent() {
        return sequencer.recallsSent();
    }

    public long commands() {
        return sequencer.commands();
    }

    public int heldLocks() {
        int[] count = {0};
        sequencer.inTurn(() -> count[0] = locks.size());
        return count[0];
    }

    public int leasedInodes() {
        return sequencer.read((context, view) -> leases.size());
    }
}
