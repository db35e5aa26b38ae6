package io.fusecache.coordinator;

import io.fusecache.coordinator.session.Session;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.coordinator.session.Sink;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

/** Streams within one process: a call instead of a message. */
final class LocalTransport implements SessionTransport {
    private static final long WELCOME_SECONDS = 30;

    private final Sessions sessions;

    LocalTransport(Sessions sessions) {
        this.sessions = sessions;
    }

    @Override
    public Stream open(Hello hello, Receiver receiver) throws IOException {
        LocalSink sink = new LocalSink(receiver);
        Session session = sessions.connect(hello, sink);
        try {
            Welcome welcome = sink.welcome.get(WELCOME_SECONDS, TimeUnit.SECONDS);
            Thread.ofVirtual().name("local-stream").start(sink::deliverEarly);
            return new LocalStream(session, sink, welcome);
        } catch (TimeoutException | ExecutionException e) {
            leave(session, sink);
            throw new IOException("the coordinator did not welcome this node", e);
        } catch (InterruptedException e) {
            leave(session, sink);
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while connecting", e);
        }
    }

    /** The welcome may come at this very moment: its receiver takes nothing from a stream that it was not given, and waits for it. */
    private void leave(Session session, LocalSink sink) {
        sink.broken.set(true);
        sessions.disconnected(session, sink, "no welcome");
    }

    @Override
    public void close() {
        // The coordinator is somebody else's.
    }

    /**
     * The client reads nothing before it has taken the stream over, for which the thread that opens it is needed: and that one may be
     * told of what is behind the welcome. So this is kept until another thread has delivered it.
     */
    private static final class LocalSink implements Sink {
        final CompletableFuture<Welcome> welcome = new CompletableFuture<>();
        private final ArrayDeque<Downstream> early = new ArrayDeque<>();
        private boolean direct;
        private final Receiver receiver;
        private final AtomicBoolean broken = new AtomicBoolean();

        LocalSink(Receiver receiver) {
            this.receiver = receiver;
        }

        @Override
        public void welcome(Welcome message) {
            welcome.complete(message);
        }

        @Override
        public void send(Downstream message) {
            synchronized (this) {
                if (!direct) {
                    early.add(message);
                    return;
                }
            }
            receiver.received(message);
        }

        void deliverEarly() {
            while (true) {
                Downstream next;
                synchronized (this) {
                    next = early.poll();
                    if (next == null) {
                        direct = true;
                        return;
                    }
                }
                receiver.received(next);
            }
        }

        @Override
        public void close(String reason) {
            boolean opened =
                    !welcome.completeExceptionally(new IOException(reason)) && !welcome.isCompletedExceptionally();
            if (opened && broken.compareAndSet(false, true)) {
                receiver.broken(reason);
            }
        }
    }

    private final class LocalStream implements Stream {
        private final Session session;
        private final LocalSink sink;
        private final Welcome welcome;

        LocalStream(Session session, LocalSink sink, Welcome welcome) {
            this.session = session;
            this.sink = sink;
            this.welcome = welcome;
        }

        @Override
        public Welcome welcome() {
            return welcome;
        }

        @Override
        public void send(Upstream message) {
            sessions.received(session, sink, message);
        }

        @Override
        public void close() {
            sessions.disconnected(session, sink, "closed");
        }
    }
}
