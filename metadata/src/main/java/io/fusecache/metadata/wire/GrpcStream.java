package io.fusecache.metadata.wire;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.SessionTransport.Receiver;
import io.fusecache.metadata.session.SessionTransport.RefusedException;
import io.fusecache.metadata.session.SessionTransport.Stream;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.shaded.io.netty.channel.EventLoop;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The client's end of one stream, on a channel of its own. gRPC calls the listener's methods one at a time on the event
 * loop; the welcome is handed from there to the thread that opens.
 *
 * <p>Until the opener has taken its stream over, the receiver may block. So what comes first after the welcome is told by a
 * thread of its own, and once that has caught up, the event loop tells everything itself.
 */
final class GrpcStream extends ClientCall.Listener<Wire.Downstream> implements Stream {
    /** After Goodbye the coordinator ends the stream; longer than this nobody waits for it. */
    private static final Duration GOODBYE = Duration.ofMillis(500);

    private static final Logger LOG = LoggerFactory.getLogger(GrpcStream.class);

    private final String address;
    private final ManagedChannel channel;
    private final ClientCall<Wire.Upstream, Wire.Downstream> call;
    private final Receiver receiver;
    private final EventLoop network;
    private final Outbox<Wire.Upstream> outbox;
    private final CompletableFuture<Welcome> welcome = new CompletableFuture<>();
    private final CompletableFuture<String> end = new CompletableFuture<>();
    private volatile boolean saidGoodbye;

    /** On the event loop alone: whether what comes is for the receiver. */
    private boolean welcomed;

    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by lock.
    private final ArrayDeque<Runnable> early = new ArrayDeque<>();
    private boolean tellingEarly;
    private boolean caughtUp;

    GrpcStream(
            String address,
            ManagedChannel channel,
            ClientCall<Wire.Upstream, Wire.Downstream> call,
            Receiver receiver,
            EventLoop network) {
        this.address = address;
        this.channel = channel;
        this.call = call;
        this.receiver = receiver;
        this.network = network;
        this.outbox = new Outbox<>(new Outbox.Call<>() {
            @Override
            public boolean isReady() {
                return call.isReady();
            }

            @Override
            public void sendMessage(Wire.Upstream message) {
                call.sendMessage(message);
            }
        });
    }

    /** Greets, and returns when the coordinator has answered. */
    void begin(Metadata headers, Wire.Upstream greeting, Duration timeout) throws IOException {
        call.start(this, headers);
        call.request(1);
        outbox.open(greeting);
        try {
            welcome.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof IOException reason ? reason : new IOException(failed.getCause());
        } catch (TimeoutException late) {
            cancel("no answer to Hello within " + timeout.toSeconds() + " s");
            throw new IOException("no answer within " + timeout.toSeconds() + " s", late);
        } catch (InterruptedException interrupted) {
            cancel("interrupted");
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    @Override
    public Welcome welcome() {
        return welcome.join();
    }

    @Override
    public void send(Upstream message) {
        Wire.Upstream encoded = StreamCodec.encode(message);
        switch (message) {
            case Upstream.Request request -> send(request, encoded);
            case Upstream.RecallDone done -> outbox.add(encoded);
            case Upstream.Heartbeat heartbeat -> outbox.add(encoded);
            case Upstream.HeldLocks held -> outbox.add(encoded);
            case Upstream.Goodbye goodbye -> {
                saidGoodbye = true;
                outbox.add(encoded);
            }
        }
    }

    private void send(Upstream.Request request, Wire.Upstream encoded) {
        if (encoded.getSerializedSize() > StreamCodec.MAX_MESSAGE_BYTES) {
            // The coordinator would break the stream for it, and the client send it again on the next one.
            String reason =
                    "a request of " + encoded.getSerializedSize() + " bytes: at most " + StreamCodec.MAX_MESSAGE_BYTES;
            Answer answer = Answer.failed(Errno.E2BIG, reason);
            Downstream reply = new Downstream.Reply(request.slot(), request.sequence(), answer);
            network.execute(() -> tell(() -> receiver.received(reply)));
        } else if (network.inEventLoop()) {
            outbox.add(encoded);
        } else {
            outbox.put(encoded);
        }
    }

    @Override
    public void close() {
        if (saidGoodbye && !network.inEventLoop()) {
            try {
                end.get(GOODBYE.toNanos(), TimeUnit.NANOSECONDS);
            } catch (ExecutionException | TimeoutException unanswered) {
                LOG.debug("{} did not answer Goodbye", address);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        cancel("closed here");
    }

    boolean ended() {
        return end.isDone();
    }

    private void cancel(String reason) {
        outbox.close(() -> call.cancel(reason, null));
    }

    @Override
    public void onReady() {
        outbox.drain();
    }

    @Override
    public void onMessage(Wire.Downstream message) {
        try {
            if (welcomed) {
                Downstream decoded = StreamCodec.decode(message);
                tell(() -> receiver.received(decoded));
            } else {
                Welcome decoded = StreamCodec.welcome(message);
                welcomed = true;
                welcome.complete(decoded);
            }
            call.request(1);
        } catch (MalformedException malformed) {
            cancel("malformed message from the coordinator: " + malformed.getMessage());
        }
    }

    private void tell(Runnable message) {
        lock.lock();
        try {
            if (!caughtUp) {
                early.add(message);
                if (!tellingEarly) {
                    tellingEarly = true;
                    Thread.ofVirtual().name("coordinator-session-begin").start(this::tellEarly);
                }
                return;
            }
        } finally {
            lock.unlock();
        }
        message.run();
    }

    private void tellEarly() {
        while (true) {
            Runnable next;
            lock.lock();
            try {
                next = early.poll();
                caughtUp = next == null;
            } finally {
                lock.unlock();
            }
            if (next == null) {
                return;
            }
            next.run();
        }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
        outbox.close(() -> {});
        channel.shutdown();
        if (welcomed) {
            tell(() -> receiver.broken(reason(status)));
        } else {
            welcome.completeExceptionally(refusal(status));
        }
        end.complete(reason(status));
    }

    private IOException refusal(Status status) {
        return switch (status.getCode()) {
            case FAILED_PRECONDITION, UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT ->
                new RefusedException("coordinator " + address + ": " + reason(status));
            case UNIMPLEMENTED ->
                new RefusedException(address + " speaks gRPC but is no fuse-cache coordinator of this version");
            default -> new IOException(reason(status), status.getCause());
        };
    }

    private static String reason(Status status) {
        Throwable cause = status.getCause();
        String detail = cause == null ? null : cause.getMessage();
        if (detail != null && detail.contains("First received frame was not SETTINGS")) {
            return "what listens there does not speak gRPC: is it the HTTP port?";
        }
        if (detail != null && status.getCode() == Status.Code.UNAVAILABLE) {
            return detail;
        }
        String description = status.getDescription();
        return description == null ? status.getCode().toString() : description;
    }
}
