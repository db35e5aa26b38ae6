package io.fusecache.metadata;

import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The session with the coordinator: requests in flight, recalls, heartbeats, and coming back after the stream broke.
 *
 * <p>A request keeps its slot and sequence until it is answered. On a new stream of the same session all unanswered ones are
 * sent again, in their order, and the coordinator answers those that it has executed from its records. Where the session
 * could not be resumed, nobody knows whether a change that was sent had been executed: its caller gets EIO.
 *
 * <p>Locks, in this order: {@code receiving} (held while a message of the stream takes effect, and while what an old
 * stream had leased is dropped), {@code lock} (slots and the stream). Recalls are passed on by a thread of their own, because the
 * listener talks to the kernel.
 */
final class SessionClient implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SessionClient.class);
    private static final long SHORTEST_RETRY_MILLIS = 20;
    private static final long LONGEST_RETRY_MILLIS = 1_000;
    private static final long FAREWELL_MILLIS = 5_000;
    /** Where there are several coordinators, one of which may lead at this moment. */
    private static final long LONGEST_RETRY_OF_SEVERAL_MILLIS = 250;

    private static final long BEAT_OF_SEVERAL_MILLIS = 1_000;
    private static final int MOST_UNANSWERED_BEATS = 3;

    /** How full the node's disk is. */
    record Space(long availableBytes, long usedBytes) {}

    interface SpaceSource {
        Space space();
    }

    private final SessionTransport transport;
    private final Hello hello;
    private final RecallListener listener;
    private final LeaseCache cache;
    private final Advertisements advertisements;
    private final SessionLocks locks = new SessionLocks(this);
    private final SpaceSource space;
    private final Duration bound;
    private final ScheduledExecutorService keeper =
            Executors.newSingleThreadScheduledExecutor(task -> daemon(task, "coordinator-session"));
    private final ExecutorService recaller =
            Executors.newSingleThreadExecutor(task -> daemon(task, "coordinator-recalls"));

    private final ReentrantLock receiving = new ReentrantLock();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable PendingRequest[] pending = new PendingRequest[0];
    private long[] sequences = new long[0];
    private final BitSet busy = new BitSet();
    private long lastOrder;
    /** New requests wait until those of before are on the new stream. */
    private boolean resuming;

    private volatile SessionTransport.@Nullable Stream stream;
    private volatile @Nullable Reader reader;
    private volatile @Nullable Welcome session;
    private long retryMillis = SHORTEST_RETRY_MILLIS;
    private volatile boolean closed;

    SessionClient(
            SessionTransport transport,
            Hello hello,
            RecallListener listener,
            LeaseCache cache,
            Advertisements advertisements,
            SpaceSource space,
            Duration bound) {
        this.transport = transport;
        this.hello = hello;
        this.listener = listener;
        this.cache = cache;
        this.advertisements = advertisements;
        this.space = space;
        this.bound = bound;
    }

    private static Thread daemon(Runnable task, String name) {
        return Thread.ofPlatform().name(name).daemon().unstarted(task);
    }

    /** The first connection. */
    void start() throws IOException {
        try {
            connect();
        } catch (IOException e) {
            keeper.shutdown();
            recaller.shutdown();
            transport.close();
            throw e;
        }
    }

    boolean connected() {
        return stream != null;
    }

    /** Which the coordinator had when this client first came, and has had ever since. */
    String namespace() {
        Welcome welcome = session;
        return welcome == null ? "" : welcome.namespace();
    }

    /** Of the coordinator's replicas, as the one that leads told last. */
    List<Welcome.Member> members() {
        Welcome welcome = session;
        return welcome == null ? List.of() : welcome.members();
    }

    SessionLocks locks() {
        return locks;
    }

    // requests

    /** Waits for the answer; {@code patience} is what the coordinator itself may wait for it. */
    Answer call(Operation operation, Duration patience) throws ErrnoException {
        long deadline = System.nanoTime() + bound.plus(patience).toNanos();
        PendingRequest request = begin(operation, deadline);
        try {
            return request.answer.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            abandon(request);
            throw new ErrnoException(Errno.EIO, "the coordinator has not answered for " + bound.toSeconds() + " s");
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new ErrnoException(Errno.EIO, String.valueOf(cause.getMessage()), cause);
        } catch (InterruptedException e) {
            abandon(request);
            Thread.currentThread().interrupt();
            throw new ErrnoException(Errno.EINTR, "interrupted while waiting for the coordinator");
        }
    }

    /** Sends without waiting for the answer. */
    void send(Operation operation) throws ErrnoException {
        CompletableFuture<Answer> ignored = submit(operation);
    }

    /** The same, for whoever wants to know when it came. */
    CompletableFuture<Answer> submit(Operation operation) throws ErrnoException {
        return begin(operation, System.nanoTime() + bound.toNanos()).answer;
    }

    private PendingRequest begin(Operation operation, long deadline) throws ErrnoException {
        PendingRequest request;
        SessionTransport.Stream to;
        lock.lock();
        try {
            int slot = busy.nextClearBit(0);
            while (slot >= pending.length || resuming || closed) {
                long left = deadline - System.nanoTime();
                if (closed || left <= 0) {
                    throw new ErrnoException(
                            Errno.EIO, closed ? "the session is closed" : "too many requests without an answer");
                }
                try {
                    changed.awaitNanos(left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new ErrnoException(Errno.EINTR, "interrupted while waiting for the coordinator");
                }
                slot = busy.nextClearBit(0);
            }
            busy.set(slot);
            request = new PendingRequest(++lastOrder, slot, ++sequences[slot], operation);
            pending[slot] = request;
            to = stream;
            request.sent = to != null;
        } finally {
            lock.unlock();
        }
        if (to != null) {
            // Outside of the lock: a coordinator in this process answers on this very thread. Where the stream broke
            // meanwhile this vanishes, and the next stream begins with it.
            to.send(new Upstream.Request(request.slot, request.sequence, false, operation));
        }
        return request;
    }

    /** Nobody waits any more. One that was never sent never will be; else its slot stays taken until the answer comes. */
    private void abandon(PendingRequest request) {
        lock.lock();
        try {
            if (!request.sent && pending[request.slot] == request) {
                free(request.slot);
            }
        } finally {
            lock.unlock();
        }
    }

    private void free(int slot) {
        pending[slot] = null;
        busy.clear(slot);
        changed.signalAll();
    }

    // the stream

    /** Hears one stream. Once it is not the current one any more, nothing it hears counts. */
    private final class Reader implements SessionTransport.Receiver {
        /** Opened once what the stream before had leased is dropped. */
        final CountDownLatch gate = new CountDownLatch(1);

        /** Where it hears; set before the gate opens. */
        private volatile SessionTransport.@Nullable Stream own;

        /** Since anything was heard. */
        final AtomicInteger unansweredBeats = new AtomicInteger();

        /** What is heard behind it waits until this has taken effect, and is not missed meanwhile. */
        private volatile boolean taking;

        /** Counts a beat that is about to be sent; whether too many of before are unanswered. */
        boolean silent() {
            return !taking && unansweredBeats.getAndIncrement() >= MOST_UNANSWERED_BEATS;
        }

        private void awaitGate() {
            try {
                gate.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void received(Downstream message) {
            unansweredBeats.set(0);
            taking = true;
            try {
                take(message);
            } finally {
                unansweredBeats.set(0);
                taking = false;
            }
        }

        private void take(Downstream message) {
            if (message instanceof Downstream.HeartbeatHeard(List<Welcome.Member> none) && none.isEmpty()) {
                return;
            }
            awaitGate();
            receiving.lock();
            try {
                if (reader != this) {
                    return;
                }
                switch (message) {
                    case Downstream.Reply reply -> answered(reply);
                    case Downstream.HeartbeatHeard(List<Welcome.Member> members) -> learned(members);
                    case Downstream.LockDecided decided -> locks.decided(decided.ticket(), decided.answer());
                    case Downstream.RecallRequest recall -> {
                        cache.drop(recall.inodes());
                        listener.recallBegins();
                        recaller.execute(() -> recalled(recall, own));
                    }
                }
            } finally {
                receiving.unlock();
            }
        }

        @Override
        public void broken(String reason) {
            awaitGate();
            receiving.lock();
            try {
                if (reader != this) {
                    return;
                }
                reader = null;
                setStream(null);
                locks.broken();
            } finally {
                receiving.unlock();
            }
            if (!closed) {
                LOG.warn("the session with the coordinator broke: {}", reason);
                later(SessionClient.this::reconnect, Duration.ZERO);
            }
        }
    }

    /** Holding {@code receiving}. */
    private void learned(List<Welcome.Member> members) {
        Welcome welcome = session;
        if (welcome != null) {
            session = welcome.by(members);
            transport.learn(members);
        }
    }

    private void setStream(SessionTransport.@Nullable Stream next) {
        lock.lock();
        try {
            stream = next;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void answered(Downstream.Reply reply) {
        PendingRequest request;
        lock.lock();
        try {
            request = reply.slot() < 0 || reply.slot() >= pending.length ? null : pending[reply.slot()];
            if (request == null || request.sequence != reply.sequence()) {
                return;
            }
        } finally {
            lock.unlock();
        }
        // Before its slot is free, and before its caller goes on.
        cache.apply(request.operation, reply.answer());
        locks.answered(request.operation, reply.answer());
        lock.lock();
        try {
            free(reply.slot());
        } finally {
            lock.unlock();
        }
        request.answer.complete(reply.answer());
    }

    /** Acknowledges on the stream that the recall came on, which may be too new to take requests yet. */
    private void recalled(Downstream.RecallRequest recall, SessionTransport.@Nullable Stream to) {
        try {
            Recall what = new Recall(recall.inodes(), recall.names(), recall.changed());
            Set<Long> inUse = listener.recalled(what);
            if (to != null) {
                // After a break in between this vanishes, and the coordinator recalls again, on the new stream.
                to.send(new Upstream.RecallDone(recall.recall(), Set.copyOf(inUse), listener.namesLeft(what)));
            }
        } finally {
            listener.recallEnds();
        }
    }

    /** On one connection, as often as its coordinator's lease needs; that of the next coordinator may be another. */
    private void beat(Reader of) {
        SessionTransport.Stream to = of.own;
        Welcome welcome = session;
        if (reader != of || to == null || welcome == null) {
            return;
        }
        if (transport.several() && of.silent()) {
            LOG.warn("the coordinator leaves {} signs of life unanswered: looking for another", MOST_UNANSWERED_BEATS);
            to.close();
            return;
        }
        Space now = space.space();
        to.send(new Upstream.Heartbeat(now.availableBytes(), now.usedBytes()));
        long millis = Math.max(1, welcome.lease().toMillis() / 3);
        // Whether there are several may change while the session stands.
        later(
                () -> beat(of),
                Duration.ofMillis(transport.several() ? Math.min(millis, BEAT_OF_SEVERAL_MILLIS) : millis));
    }

    private void reconnect() {
        if (closed || stream != null) {
            return;
        }
        try {
            connect();
            retryMillis = SHORTEST_RETRY_MILLIS;
            LOG.info("the session with the coordinator stands again");
        } catch (IOException e) {
            if (retryMillis == SHORTEST_RETRY_MILLIS || e instanceof SessionTransport.RefusedException) {
                LOG.warn("the coordinator cannot be reached, trying on: {}", e.getMessage());
            }
            long longest = transport.several() ? LONGEST_RETRY_OF_SEVERAL_MILLIS : LONGEST_RETRY_MILLIS;
            retryMillis = Math.min(longest, retryMillis * 2);
            // Not all nodes at once, when a coordinator comes back.
            long pause = retryMillis / 2 + ThreadLocalRandom.current().nextLong(retryMillis / 2 + 1);
            later(this::reconnect, Duration.ofMillis(pause));
        }
    }

    private void connect() throws IOException {
        Welcome before = session;
        Hello words = before == null
                ? hello
                : new Hello(
                        hello.protocol(),
                        hello.volume(),
                        hello.node(),
                        hello.nvmePath(),
                        hello.keyPrefix(),
                        before.namespace(),
                        before.session(),
                        before.secret());
        Reader next = new Reader();
        SessionTransport.Stream opened = open(words, next);
        next.own = opened;
        List<Upstream.HeldLocks> held = List.of();
        receiving.lock();
        try {
            Welcome welcome = opened.welcome();
            session = welcome;
            if (before != null) {
                cache.clear();
                held = locks.resumed(welcome);
                listener.reset(!welcome.resumed());
                advertisements.tellAgain();
            }
            reader = next;
        } finally {
            receiving.unlock();
            next.gate.countDown();
        }
        resume(next, opened, held, before != null);
        beat(next);
    }

    private SessionTransport.Stream open(Hello words, Reader next) throws IOException {
        boolean opened = false;
        try {
            SessionTransport.Stream stream = transport.open(words, next);
            opened = true;
            return stream;
        } finally {
            if (!opened) {
                // It may have been there for a moment, and whoever brings its last words is not to wait here for ever.
                next.gate.countDown();
            }
        }
    }

    /** Sends again what has no answer. Under no lock: a coordinator in this process answers on this very thread. */
    private void resume(Reader of, SessionTransport.Stream opened, List<Upstream.HeldLocks> held, boolean again) {
        Welcome welcome = opened.welcome();
        List<PendingRequest> waiting = new ArrayList<>();
        List<PendingRequest> lost = new ArrayList<>();
        lock.lock();
        try {
            if (reader != of) {
                return;
            }
            if (pending.length == 0) {
                pending = new PendingRequest[welcome.slots()];
                sequences = new long[welcome.slots()];
            }
            for (PendingRequest request : pending) {
                if (request == null) {
                    continue;
                }
                boolean mayBeDone = request.sent && request.operation instanceof Operation.Mutation;
                if (locks.cancelled(request.operation)) {
                    request.answer.complete(Answer.failed(Errno.EINTR, "interrupted while waiting for a lock"));
                    free(request.slot);
                } else if (again && !welcome.resumed() && mayBeDone) {
                    lost.add(request);
                    free(request.slot);
                } else {
                    waiting.add(request);
                }
            }
            stream = opened;
            resuming = true;
        } finally {
            lock.unlock();
        }
        held.forEach(opened::send);
        waiting.sort(Comparator.comparingLong(request -> request.order));
        for (PendingRequest request : waiting) {
            boolean sentBefore = request.sent;
            request.sent = true;
            opened.send(new Upstream.Request(request.slot, request.sequence, sentBefore, request.operation));
        }
        lock.lock();
        try {
            resuming = false;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        locks.sendAgain();
        lost.forEach(request -> request.answer.completeExceptionally(new IOException(
                "the session was lost while the request was under way: it may or may not have been carried out")));
    }

    /** Runs {@code task} on the keeper's thread. */
    @SuppressWarnings("FutureReturnValueIgnored") // nobody waits for it, and what it throws is logged
    void later(Runnable task, Duration delay) {
        Runnable guarded = () -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                LOG.error("a task of the session failed", e);
            }
        };
        try {
            keeper.schedule(guarded, delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("the session is closed", e);
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        awaitAnswers();
        closed = true;
        SessionTransport.Stream to = stream;
        if (to != null) {
            to.send(new Upstream.Goodbye());
            to.close();
            setStream(null);
        }
        keeper.shutdownNow();
        recaller.shutdown();
        transport.close();
        locks.close();
        lock.lock();
        try {
            for (PendingRequest request : pending) {
                if (request != null) {
                    request.answer.completeExceptionally(new IOException("the session was closed"));
                }
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void awaitAnswers() {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(FAREWELL_MILLIS);
        lock.lock();
        try {
            long left = deadline - System.nanoTime();
            while (!busy.isEmpty() && left > 0 && stream != null) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }
}
