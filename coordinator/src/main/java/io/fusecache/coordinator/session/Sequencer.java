package io.fusecache.coordinator.session;

import io.fusecache.coordinator.namespace.Context;
import io.fusecache.coordinator.namespace.Namespace;
import io.fusecache.coordinator.namespace.Outcome;
import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Log;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.View;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Upstream;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts what all sessions ask for into one order, and makes it coherent.
 *
 * <p>One lock is the order: whoever holds it executes one command on the state as it is. There is no thread of its own, so
 * that a request costs no handover; nothing under the lock waits for a disk sync or for the network.
 *
 * <p>A command first runs for what it would change. Where other sessions hold leases on that, it is parked: they are
 * recalled, and until it is done nobody gets a lease on these inodes. Whoever asks for them comes behind it, but for those that
 * it waits for: they may come before it ({@link UnderRecall}). When all have answered it runs again, on the state as it is
 * then, and may find more to recall; else its batch is appended to the log and its answer goes to the outbox, to be sent when the batch is durable. Because answers of reads wait for the
 * position of the log at which they were made, nobody hears of a change that a crash could undo.
 *
 * <p>A parked command holds its inodes only while it waits for recalls. One that has to come behind another gives its own
 * up first, so that no two wait for each other.
 */
final class Sequencer {
    private static final Logger LOG = LoggerFactory.getLogger(Sequencer.class);

    /** In one recall: of more names it says none, and means any. */
    private static final int MOST_NAMES_TOLD = 1024;

    private final ReentrantLock lock = new ReentrantLock();
    private final View view;
    private final Log log;
    private final InstantSource clock;
    private final ScheduledExecutorService timer;
    private final Duration lease;
    private final LeaseTable leases;
    private final BlockDirectory blocks;
    private final UnderRecall underRecall = new UnderRecall();
    private final Map<Long, Set<Turn>> writeWaiters = new HashMap<>();
    private final Set<NodeId> live = new HashSet<>();
    private final Set<Session> dirty = new HashSet<>();
    private final ArrayDeque<Turn> ready = new ArrayDeque<>();
    private long lastRecall;
    private boolean closed;
    private final AtomicLong recallsSent = new AtomicLong();
    private final AtomicLong commands = new AtomicLong();

    /** Who has the write leases, of those that are gone, too. */
    interface Fence {
        /** Called with the node that stands in a writer's way. Whether it was fenced, or will be looked at again. */
        boolean fenceIfGone(NodeId node);

        /** The session of a node; null where it has none: then what it had is being ended. */
        @Nullable Session sessionOf(NodeId node);
    }

    private final Fence fence;

    Sequencer(
            View view,
            Log log,
            InstantSource clock,
            ScheduledExecutorService timer,
            Duration lease,
            LeaseTable leases,
            BlockDirectory blocks,
            Fence fence) {
        this.view = view;
        this.log = log;
        this.clock = clock;
        this.timer = timer;
        this.lease = lease;
        this.leases = leases;
        this.blocks = blocks;
        this.fence = fence;
    }

    // the lock

    /**
     * Runs {@code work} in its turn, then everything that it made ready, then sends what is to be heard of it. False where
     * it was not run, because the state is closed.
     */
    boolean inTurn(Runnable work) {
        List<Session> heard;
        lock.lock();
        try {
            if (closed) {
                return false;
            }
            work.run();
            runReady();
            heard = List.copyOf(dirty);
            dirty.clear();
        } finally {
            lock.unlock();
        }
        for (Session session : heard) {
            session.outbox().drain();
        }
        return true;
    }

    /** No turn begins any more: the state can be closed. */
    void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
    }

    void assertInTurn() {
        if (!lock.isHeldByCurrentThread()) {
            throw new AssertionError("outside of a turn");
        }
    }

    // for people

    /** What the state says, on behalf of nobody. */
    public <T> T read(BiFunction<Context, View, T> question) {
        AtomicReference<T> answer = new AtomicReference<>();
        inTurn(() -> answer.set(question.apply(nobody(), view)));
        T given = answer.get();
        if (given == null) {
            throw new IllegalStateException("the state is closed");
        }
        return given;
    }

    private Context nobody() {
        return new Context(now(), 0, null, Map.of(), Set.of());
    }

    /** Carries out a command on behalf of nobody; the answer comes when all who have leases were recalled. */
    public CompletableFuture<Answer> change(BiFunction<Context, View, Outcome> command) {
        CompletableFuture<Answer> done = new CompletableFuture<>();
        boolean begun = inTurn(() -> start(Turn.ofNobody(command::apply, outcome -> done.complete(outcome.answer()))));
        if (!begun) {
            done.completeExceptionally(new IllegalStateException("the state is closed"));
        }
        return done;
    }

    View view() {
        return view;
    }

    Timestamp now() {
        return Timestamp.of(clock.instant());
    }

    Set<NodeId> live() {
        return live;
    }

    long position() {
        return log.position();
    }

    long recallsSent() {
        return recallsSent.get();
    }

    long commands() {
        return commands.get();
    }

    /** The session has something to send when the turn is over. */
    void tell(Session session, Downstream message) {
        session.outbox().add(log.position(), message);
        dirty.add(session);
    }

    /** The same, of something that the log knows nothing of. */
    void tellPromptly(Session session, Downstream message) {
        session.outbox().addPrompt(message);
        dirty.add(session);
    }

    void tellLater(Session session) {
        dirty.add(session);
    }

    // turns

    void start(Turn turn) {
        assertInTurn();
        ready.add(turn);
    }

    private void runReady() {
        for (Turn turn = ready.poll(); turn != null; turn = ready.poll()) {
            run(turn);
        }
    }

    private void run(Turn turn) {
        turn.stops++;
        if (turn.session != null && turn.session.ended()) {
            release(turn);
            return;
        }
        if (turn.after != null && !turn.after.done) {
            turn.after.behind.add(turn);
            return;
        }
        commands.incrementAndGet();
        NodeId node = turn.session == null ? null : turn.session.node();
        long session = turn.session == null ? 0 : turn.session.id();
        Context context = new Context(now(), session, node, turn.inUse, Collections.unmodifiableSet(live));
        Outcome outcome = execute(turn, context);
        if (!outcome.delegated().isEmpty()) {
            awaitReturn(turn, outcome.delegated());
            return;
        }
        Turn ahead = ahead(turn, outcome);
        if (ahead != null) {
            release(turn);
            ahead.behind.add(turn);
        } else if (outcome.writeConflict() != null) {
            awaitWriter(turn, outcome, outcome.writeConflict());
        } else if (outcome.changes().isEmpty()) {
            finish(turn, outcome);
        } else {
            recallOrApply(turn, outcome);
        }
    }

    private Outcome execute(Turn turn, Context context) {
        try {
            return turn.command.execute(context, view);
        } catch (RuntimeException | AssertionError e) {
            // Executing is pure: nothing has changed, and who asked gets an answer.
            LOG.error("a command could not be executed", e);
            return Outcome.of(Answer.failed(Errno.EIO, "the coordinator failed: its log says why"), new Changes(view));
        }
    }

    private @Nullable Turn ahead(Turn turn, Outcome outcome) {
        return underRecall.isEmpty()
                ? null
                : underRecall.ahead(turn, List.of(outcome.touched(), outcome.leased()), this::isDirectory);
    }

    private boolean isDirectory(long ino) {
        byte[] node = view.get(Keys.inode(ino));
        return node != null && Node.of(node).inode().directory();
    }

    private void recallOrApply(Turn turn, Outcome outcome) {
        Session asker = outcome.recallAsker() ? null : turn.session;
        var conflicts = leases.conflicts(outcome, asker);
        Set<Long> asked = turn.asked(outcome);
        conflicts.values().forEach(inodes -> inodes.removeAll(asked));
        conflicts.values().removeIf(Set::isEmpty);
        if (conflicts.isEmpty()) {
            apply(turn, outcome);
            return;
        }
        // One that is yet to be made is no one's: the next command makes one of that number as well.
        underRecall.hold(turn, existing(outcome.touched()));
        conflicts.forEach((session, inodes) -> {
            Map<Long, Set<FileName>> changed = new HashMap<>(outcome.renamed());
            changed.keySet().retainAll(inodes);
            boolean names = !changed.isEmpty();
            Set<Long> left = new HashSet<>(names ? Set.of() : outcome.directories());
            left.retainAll(inodes);
            boolean many = changed.values().stream().mapToInt(Set::size).sum() > MOST_NAMES_TOLD;
            recall(
                    session,
                    new Session.Recalling(
                            turn, Set.copyOf(inodes), names, many ? Map.of() : changed, left, System.nanoTime()));
        });
    }

    /**
     * Asks for delegations back, and holds nothing meanwhile: what their nodes did there comes as commands, which are executed as they
     * come. The turn runs again when the last of the nodes has said that all of it has.
     */
    private void awaitReturn(Turn turn, Map<Long, NodeId> delegated) {
        release(turn);
        Map<NodeId, Set<Long>> holders = new HashMap<>();
        delegated.forEach((ino, node) ->
                holders.computeIfAbsent(node, none -> new HashSet<>()).add(ino));
        Map<Session, Set<Long>> asked = new HashMap<>();
        for (Map.Entry<NodeId, Set<Long>> held : holders.entrySet()) {
            Session holder = fence.sessionOf(held.getKey());
            if (holder == null) {
                // The end of what it had is a command on its way.
                await(turn, held.getValue().iterator().next(), lease.toNanos());
                return;
            }
            asked.put(holder, held.getValue());
        }
        asked.forEach(
                (holder, inodes) -> recall(holder, Session.Recalling.ofDelegations(turn, inodes, System.nanoTime())));
    }

    private Set<Long> existing(Set<Long> inodes) {
        return inodes.stream().filter(ino -> view.get(Keys.inode(ino)) != null).collect(Collectors.toSet());
    }

    private void recall(Session session, Session.Recalling recalling) {
        long id = ++lastRecall;
        recallsSent.incrementAndGet();
        session.recalls().put(id, recalling);
        if (recalling.turn() != null) {
            recalling.turn().awaiting++;
        }
        tell(session, recalling.request(id));
    }

    /** The session gave up the leases of a recall. */
    void recalled(Session session, Upstream.RecallDone done) {
        assertInTurn();
        Set<Long> inUse = done.inUse();
        Session.Recalling recalling = session.recalls().remove(done.recall());
        if (recalling == null) {
            return;
        }
        if (recalling.delegations()) {
            // Its leases are as they were; whoever waits comes behind the end of the delegations.
            NodeId node = session.node();
            Map<Long, NodeId> given = new HashMap<>();
            recalling.inodes().forEach(ino -> given.put(ino, node));
            start(Turn.ofNobody((context, state) -> Namespace.endDelegations(given, context, state), outcome -> {}));
            answered(session, recalling, Set.of());
            return;
        }
        // What was asked back for its number alone may have been granted again behind the recall.
        Set<Long> given = recalling.turn() == null ? session.givenUp() : existing(recalling.inodes());
        leases.recalled(session, given, inUse, recalling.named(done.named()));
        answered(session, recalling, inUse);
        if (recalling.turn() == null) {
            // It may be past its bound still, and never ask for anything again.
            trim(session);
        }
    }

    private void answered(Session session, Session.Recalling recalling, Set<Long> inUse) {
        Turn turn = recalling.turn();
        if (turn != null) {
            turn.inUse.computeIfAbsent(session.id(), none -> new HashSet<>()).addAll(inUse);
            if (--turn.awaiting == 0) {
                ready.add(turn);
            }
        }
    }

    /** The session is no more: nothing is expected of it, and nothing is left with it. */
    void ended(Session session) {
        assertInTurn();
        session.end();
        leases.forget(session);
        List<Session.Recalling> open = List.copyOf(session.recalls().values());
        session.recalls().clear();
        open.forEach(recalling -> answered(session, recalling, Set.of()));
        // What it had asked for is not executed any more, and what that had overtaken goes on.
        underRecall.of(session).forEach(this::release);
    }

    /** Asks for leases past the session's bound back. */
    private void trim(Session session) {
        Set<Long> surplus = leases.surplus(session);
        if (!surplus.isEmpty()) {
            recall(
                    session,
                    new Session.Recalling(null, Set.copyOf(surplus), true, Map.of(), Set.of(), System.nanoTime()));
        }
    }

    private void apply(Turn turn, Outcome outcome) {
        try {
            log.append(outcome.changes());
        } catch (IOException e) {
            LOG.error("{}", e.getMessage());
            Answer answer = Answer.failed(Errno.EIO, "the coordinator cannot write its state");
            finish(turn, Outcome.of(answer, outcome.changes()));
            return;
        }
        finish(turn, outcome);
        for (long ino : outcome.touched()) {
            if (outcome.changes().deletes(Keys.inode(ino))) {
                leases.ended(ino);
                blocks.ended(ino);
            }
            Set<Turn> waiters = writeWaiters.remove(ino);
            if (waiters != null) {
                ready.addAll(waiters);
            }
        }
    }

    private void finish(Turn turn, Outcome executed) {
        turn.done = true;
        release(turn);
        Session session = turn.session;
        Outcome outcome = executed.withoutLeases(session == null ? Set.of() : withheld(turn, session, executed));
        if (session != null) {
            for (long ino : outcome.leased()) {
                leases.grant(ino, session);
            }
        }
        turn.completion.complete(outcome);
        if (session != null) {
            // Behind the answer on the stream: what it has just been granted may be among it.
            trim(session);
        }
    }

    /**
     * What the session gets no lease on: inodes that other turns wait for. But what it has leased already it must hear of, for its cache
     * goes on with it: while it waits for others itself, nobody asks it to give that up.
     */
    private Set<Long> withheld(Turn turn, Session session, Outcome executed) {
        Set<Long> held = underRecall.heldByOthers(turn, executed.leased());
        held.removeIf(ino -> leases.holds(ino, session) && !session.isAwaited(ino));
        return held;
    }

    /** Gives up the inodes that the turn holds, to those behind it. */
    private void release(Turn turn) {
        underRecall.release(turn);
        turn.unlinked.clear();
        turn.renamed.clear();
        ready.addAll(turn.behind);
        turn.behind.clear();
    }

    private void awaitWriter(Turn turn, Outcome outcome, NodeId holder) {
        release(turn);
        long nanos = turn.deadlineNanos - System.nanoTime();
        if (nanos <= 0) {
            finish(turn, outcome);
            return;
        }
        boolean fenced = fence.fenceIfGone(holder);
        // A holder may go at any time while somebody waits for it: look again then.
        await(turn, outcome.touched().iterator().next(), fenced ? nanos : Math.min(nanos, lease.toNanos()));
    }

    /** Runs again when something of the inode has changed, or after that time. */
    private void await(Turn turn, long ino, long nanos) {
        writeWaiters.computeIfAbsent(ino, none -> new LinkedHashSet<>()).add(turn);
        int stop = turn.stops;
        schedule(() -> wake(turn, ino, stop), nanos);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // an error in a turn is logged by whoever runs it
    private void schedule(Runnable work, long nanos) {
        timer.schedule(() -> inTurn(work), nanos, TimeUnit.NANOSECONDS);
    }

    private void wake(Turn turn, long ino, int stop) {
        if (turn.stops == stop) {
            Set<Turn> waiters = writeWaiters.get(ino);
            if (waiters != null && waiters.remove(turn) && waiters.isEmpty()) {
                writeWaiters.remove(ino);
            }
            ready.add(turn);
        }
    }
}
