package io.fusecache.coordinator.session;

import io.fusecache.metadata.lock.FileLock;
import io.fusecache.metadata.lock.LockType;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where sessions ask for file locks, and where they say again after a restart of the coordinator what they hold.
 *
 * <p><b>The grace period.</b> Locks are in memory alone. A coordinator that starts knows its sessions from the state, and
 * gives no lock to anybody before each of them has said which it holds; what is asked for meanwhile is queued. A session
 * that stays away for a lease has lost its locks, because others may have them from then on; it is told so when it comes
 * back. (NFSv4 does the same, RFC 8881 section 8.4.2.1.)
 *
 * <p>What it says goes out without waiting for the log: nothing of it is in there. Guarded by the sequencer's lock.
 */
final class LockDesk {
    private static final Logger LOG = LoggerFactory.getLogger(LockDesk.class);

    private record Ticket(Session session, long number) {}

    private final Sequencer sequencer;
    private final LockTable table;
    private final long graceNanos;
    private final Set<Session> awaited = new HashSet<>();
    private final Set<Session> lost = new HashSet<>();
    private final Map<Session, List<FileLock>> claims = new HashMap<>();
    private final Map<Ticket, Operation.Locking> deferred = new LinkedHashMap<>();
    private long beganNanos;

    LockDesk(Sequencer sequencer, LockTable.Fence fence, long leaseNanos) {
        this.sequencer = sequencer;
        this.table = new LockTable(this::decided, fence, leaseNanos);
        this.graceNanos = leaseNanos;
    }

    private void decided(Session session, long ticket, Answer answer) {
        sequencer.tellPromptly(session, new Downstream.LockDecided(ticket, answer));
    }

    int size() {
        return table.size();
    }

    // asking

    Answer answer(Session session, Operation.Locking operation) {
        return switch (operation) {
            case Operation.SetLock set ->
                set.lock().type() != LockType.UNLOCKED && defer(session, set.ticket(), set)
                        ? Answer.of(new Answer.Locked(true))
                        : table.set(session, set, System.nanoTime());
            case Operation.FindLock find ->
                defer(session, find.ticket(), find)
                        ? Answer.of(new Answer.Locked(true))
                        : table.find(session, find.lock());
            case Operation.CancelLock(long ticket) -> {
                boolean wasThere = deferred.remove(new Ticket(session, ticket)) != null
                        || table.cancel(session, ticket, System.nanoTime());
                yield Answer.of(new Answer.Truth(wasThere));
            }
        };
    }

    private boolean defer(Session session, long ticket, Operation.Locking operation) {
        if (!awaited.isEmpty()) {
            deferred.put(new Ticket(session, ticket), operation);
        }
        return !awaited.isEmpty();
    }

    private void decideDeferred() {
        Map<Ticket, Operation.Locking> all = new LinkedHashMap<>(deferred);
        deferred.clear();
        all.forEach((ticket, operation) -> {
            if (!ticket.session().ended()) {
                Answer answer = answer(ticket.session(), operation);
                boolean queued = answer.result() instanceof Answer.Locked(boolean still) && still;
                if (!queued) {
                    decided(ticket.session(), ticket.number(), answer);
                }
            }
        });
    }

    // coming back

    /** The session was there before the coordinator began. */
    void await(Session session) {
        awaited.add(session);
        beganNanos = System.nanoTime();
    }

    Welcome.Locks welcome(Session session) {
        if (awaited.contains(session)) {
            return Welcome.Locks.AWAITED;
        }
        return lost.remove(session) ? Welcome.Locks.LOST : Welcome.Locks.KEPT;
    }

    void held(Session session, Upstream.HeldLocks held) {
        claims.computeIfAbsent(session, none -> new ArrayList<>()).addAll(held.locks());
        if (!held.last()) {
            return;
        }
        List<FileLock> all = claims.remove(session);
        if (!awaited.contains(session)) {
            table.keepOnly(session, all == null ? List.of() : all, System.nanoTime());
            return;
        }
        int refused = 0;
        for (FileLock lock : all == null ? List.<FileLock>of() : all) {
            refused += table.claim(session, lock) ? 0 : 1;
        }
        if (refused > 0) {
            LOG.error("node {} claims {} locks that others have, or that are none", session.node(), refused);
        }
        expectNoMore(session);
    }

    private void expectNoMore(Session session) {
        if (awaited.remove(session) && awaited.isEmpty()) {
            decideDeferred();
        }
    }

    /** The client asks again on its next stream for what it waits for. */
    void disconnected(Session session) {
        claims.remove(session);
        deferred.keySet().removeIf(ticket -> ticket.session() == session);
        table.forgetWaiters(session, System.nanoTime());
    }

    void ended(Session session) {
        disconnected(session);
        lost.remove(session);
        table.forget(session, System.nanoTime());
        expectNoMore(session);
    }

    /** Sessions whose locks others wait for; and the grace period ends in time. */
    Set<Session> review() {
        if (!awaited.isEmpty() && System.nanoTime() - beganNanos > graceNanos) {
            for (Session session : List.copyOf(awaited)) {
                if (!session.outbox().connected()) {
                    LOG.info("node {} has not come back: the locks that it may have had are lost", session.node());
                    lost.add(session);
                    expectNoMore(session);
                }
            }
        }
        return table.review(System.nanoTime());
    }
}
