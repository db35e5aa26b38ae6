package io.fusecache.coordinator.rpc;

import io.fusecache.coordinator.session.Session;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.coordinator.session.Sink;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport.RefusedException;
import io.fusecache.metadata.session.Welcome;
import io.fusecache.metadata.wire.MalformedException;
import io.fusecache.metadata.wire.Outbox;
import io.fusecache.metadata.wire.StreamCodec;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.io.IOException;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The coordinator's end of one stream. What comes in is executed on the network thread that read it, because a command
 * waits neither for the disk nor for the network; what goes out may come from any thread.
 *
 * <p>What waits to go out is bounded by what a session may have under way, and by the outbox: a client that does not read
 * what it asked for loses its stream, and resumes on another.
 */
final class SessionStream extends ServerCall.Listener<Wire.Upstream> implements Sink {
    private static final Logger LOG = LoggerFactory.getLogger(SessionStream.class);

    private final ServerCall<Wire.Upstream, Wire.Downstream> call;
    private final Sessions sessions;
    private final Supplier<List<Welcome.Member>> members;
    private final Outbox<Wire.Downstream> outbox;

    /** Which members the client was told of. */
    private volatile List<Welcome.Member> told = List.of();

    // After Hello. gRPC calls the listener by one thread at a time, and nobody else looks at these.
    private @Nullable Session session;
    private String who = "a stranger";

    private SessionStream(
            ServerCall<Wire.Upstream, Wire.Downstream> call,
            Sessions sessions,
            Supplier<List<Welcome.Member>> members) {
        this.call = call;
        this.sessions = sessions;
        this.members = members;
        this.outbox = new Outbox<>(new Outbox.Call<>() {
            @Override
            public boolean isReady() {
                return call.isReady();
            }

            @Override
            public void sendMessage(Wire.Downstream message) {
                call.sendMessage(message);
            }
        });
    }

    /** @param members of the replica group, as each client is told */
    static SessionStream begin(
            ServerCall<Wire.Upstream, Wire.Downstream> call,
            Sessions sessions,
            Supplier<List<Welcome.Member>> members) {
        SessionStream stream = new SessionStream(call, sessions, members);
        call.sendHeaders(new Metadata());
        call.request(1);
        return stream;
    }

    // from the client

    @Override
    public void onMessage(Wire.Upstream message) {
        try {
            if (session == null) {
                Hello hello = hello(message);
                who = "node " + hello.node().id();
                session = sessions.connect(hello, this);
            } else {
                sessions.received(session, this, StreamCodec.decode(message));
            }
            call.request(1);
        } catch (RefusedException refused) {
            end(Status.FAILED_PRECONDITION.withDescription(refused.getMessage()));
        } catch (MalformedException malformed) {
            LOG.warn("{} sent what is no message of a session: {}", who, malformed.getMessage());
            end(Status.INVALID_ARGUMENT.withDescription("malformed message: " + malformed.getMessage()));
            leave("it sent a malformed message");
        } catch (IOException notNow) {
            end(Status.UNAVAILABLE.withDescription(notNow.getMessage()));
        } catch (RuntimeException broken) {
            LOG.error("a message of {} could not be carried out", who, broken);
            end(Status.INTERNAL.withDescription("the coordinator failed: its log says why"));
            leave("the coordinator failed");
        }
    }

    /** The protocol comes first: of another one, the rest may mean anything. */
    private static Hello hello(Wire.Upstream message) throws MalformedException, RefusedException {
        if (message.hasHello() && message.getHello().getProtocol() != Hello.PROTOCOL) {
            throw new RefusedException("node " + message.getHello().getNode().getId() + " speaks protocol "
                    + Integer.toUnsignedString(message.getHello().getProtocol()) + " and this coordinator "
                    + Hello.PROTOCOL + ": run the same release on both");
        }
        return StreamCodec.hello(message);
    }

    @Override
    public void onReady() {
        outbox.drain();
    }

    @Override
    public void onHalfClose() {
        end(Status.OK);
        leave("it ended its stream");
    }

    @Override
    public void onCancel() {
        outbox.close(() -> {});
        leave("its stream broke");
    }

    @Override
    public void onComplete() {
        leave("its stream was ended here");
    }

    private void leave(String reason) {
        if (session != null) {
            sessions.disconnected(session, this, reason);
        }
    }

    // to the client

    @Override
    public void welcome(Welcome welcome) {
        told = members.get();
        outbox.open(StreamCodec.encode(welcome.by(told)));
    }

    @Override
    public void send(Downstream message) {
        Wire.Downstream encoded = StreamCodec.encode(message instanceof Downstream.HeartbeatHeard ? heard() : message);
        int bytes = encoded.getSerializedSize();
        if (bytes > StreamCodec.MAX_MESSAGE_BYTES && message instanceof Downstream.Reply reply) {
            // The client's side would break the stream for it, ask again, and get it again.
            Answer failed = Answer.failed(
                    Errno.EIO, "an answer of " + bytes + " bytes: at most " + StreamCodec.MAX_MESSAGE_BYTES);
            encoded = StreamCodec.encode(new Downstream.Reply(reply.slot(), reply.sequence(), failed));
        }
        if (!outbox.offer(encoded)) {
            end(Status.RESOURCE_EXHAUSTED.withDescription("the client does not read its stream"));
        }
    }

    /** With word of the members, where others are since. */
    private Downstream.HeartbeatHeard heard() {
        List<Welcome.Member> now = members.get();
        if (now.equals(told)) {
            return new Downstream.HeartbeatHeard();
        }
        told = now;
        return new Downstream.HeartbeatHeard(now);
    }

    @Override
    public void close(String reason) {
        end(reason.isEmpty() ? Status.OK : Status.UNAVAILABLE.withDescription(reason));
    }

    private void end(Status status) {
        outbox.close(() -> call.close(status, new Metadata()));
    }
}
