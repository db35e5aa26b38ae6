package io.fusecache.coordinator.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.fusecache.coordinator.CoordinatorConfiguration;
import io.fusecache.coordinator.CoordinatorServer;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.proto.SessionGrpc;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.wire.StreamCodec;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What clients of our own would never send: each stream ends by itself, and the coordinator goes on. */
final class SessionStreamIT {
    @TempDir
    private Path data;

    private CoordinatorServer server;
    private ManagedChannel channel;

    @BeforeEach
    void start() throws Exception {
        server = CoordinatorServer.start(new CoordinatorConfiguration("127.0.0.1", 0, 0, data, null));
        channel = NettyChannelBuilder.forAddress("127.0.0.1", server.grpcPort())
                .usePlaintext()
                .maxInboundMessageSize(64 << 20)
                .build();
    }

    @AfterEach
    void stop() {
        Stranger last = new Stranger(SessionGrpc.getOpenMethod());
        last.say(hello("after"));
        last.listen(1);
        assertThat(last.heard().hasWelcome()).as("the coordinator goes on").isTrue();
        channel.shutdownNow();
        server.close();
    }

    /** A client by hand. */
    private final class Stranger extends ClientCall.Listener<Wire.Downstream> {
        private final ClientCall<Wire.Upstream, Wire.Downstream> call;
        private final BlockingQueue<Wire.Downstream> heard = new LinkedBlockingQueue<>();
        private final CompletableFuture<Status> end = new CompletableFuture<>();

        Stranger(MethodDescriptor<Wire.Upstream, Wire.Downstream> method) {
            call = channel.newCall(method, CallOptions.DEFAULT);
            call.start(this, new Metadata());
        }

        Stranger welcomed(String node) {
            listen(1);
            say(hello(node));
            assertThat(heard().hasWelcome()).isTrue();
            return this;
        }

        void say(Wire.Upstream message) {
            call.sendMessage(message);
        }

        void listen(int messages) {
            call.request(messages);
        }

        Wire.Downstream heard() {
            try {
                Wire.Downstream message = heard.poll(10, TimeUnit.SECONDS);
                if (message == null) {
                    throw new AssertionError("nothing was heard; the stream ended with " + end.getNow(Status.OK));
                }
                return message;
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
        }

        Status end() throws Exception {
            return end.get(20, TimeUnit.SECONDS);
        }

        @Override
        public void onMessage(Wire.Downstream message) {
            heard.add(message);
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            end.complete(status);
        }
    }

    private static Wire.Upstream hello(String node) {
        return StreamCodec.encode(
                new Hello(Hello.PROTOCOL, "", new NodeAddress(new NodeId(node), "h:1", ""), "", "", "", 0, 0));
    }

    private static Wire.Upstream request(long sequence, Operation operation) {
        return StreamCodec.encode(new Upstream.Request(0, sequence, false, operation));
    }

    private void ends(Status.Code code, String saying, Wire.Upstream... messages) throws Exception {
        Stranger stranger = new Stranger(SessionGrpc.getOpenMethod());
        stranger.listen(100);
        for (Wire.Upstream message : messages) {
            stranger.say(message);
        }
        assertThat(stranger.end().getCode()).isEqualTo(code);
        assertThat(stranger.end().getDescription()).contains(saying);
    }

    @Test
    void whatIsNoSessionIsRefused() throws Exception {
        Wire.Upstream goodbye = StreamCodec.encode(new Upstream.Goodbye());
        ends(Status.Code.INVALID_ARGUMENT, "begins with Hello", goodbye);
        ends(Status.Code.INVALID_ARGUMENT, "begins with Hello", Wire.Upstream.getDefaultInstance());
        ends(Status.Code.INVALID_ARGUMENT, "a second Hello", hello("n1"), hello("n1"));
        ends(
                Status.Code.INVALID_ARGUMENT,
                "inode number",
                hello("n2"),
                request(1, new Operation.ReadInode(Inode.MAX + 1)));
        ends(
                Status.Code.FAILED_PRECONDITION,
                "speaks protocol " + (Hello.PROTOCOL + 1),
                Wire.Upstream.newBuilder()
                        .setHello(Wire.Hello.newBuilder().setProtocol(Hello.PROTOCOL + 1))
                        .build());
        ends(
                Status.Code.INVALID_ARGUMENT,
                "node id ''",
                Wire.Upstream.newBuilder()
                        .setHello(Wire.Hello.newBuilder().setProtocol(Hello.PROTOCOL))
                        .build());
    }

    @Test
    void bytesThatAreNoMessageEndTheStream() throws Exception {
        MethodDescriptor<Wire.Upstream, Wire.Downstream> garbling = SessionGrpc.getOpenMethod().toBuilder()
                .setRequestMarshaller(new MethodDescriptor.Marshaller<Wire.Upstream>() {
                    @Override
                    public InputStream stream(Wire.Upstream message) {
                        return new ByteArrayInputStream(new byte[] {(byte) 0xff, 1, 2, 3});
                    }

                    @Override
                    public Wire.Upstream parse(InputStream stream) {
                        throw new AssertionError("only sent");
                    }
                })
                .build();
        Stranger stranger = new Stranger(garbling);
        stranger.say(Wire.Upstream.getDefaultInstance());

        assertThat(stranger.end().isOk()).isFalse();
    }

    @Test
    void aMessageThatIsTooLargeEndsTheStream() throws Exception {
        Stranger stranger = new Stranger(SessionGrpc.getOpenMethod()).welcomed("n1");
        stranger.say(Wire.Upstream.newBuilder()
                .setRequest(Wire.Request.newBuilder()
                        .setSetAttribute(Wire.SetAttribute.newBuilder()
                                .setIno(1)
                                .setName(ByteString.copyFromUtf8("user.a"))
                                .setValue(ByteString.copyFrom(new byte[17 << 20]))))
                .build());

        assertThat(stranger.end().isOk()).isFalse();
    }

    @Test
    void aSlotThatIsNotThereIsAnError() throws Exception {
        Stranger stranger = new Stranger(SessionGrpc.getOpenMethod()).welcomed("n1");
        stranger.listen(1);
        stranger.say(StreamCodec.encode(new Upstream.Request(1 << 20, 1, false, new Operation.ReadUsage())));

        assertThat(((Downstream.Reply) StreamCodec.decode(stranger.heard()))
                        .answer()
                        .failure())
                .isNotNull();
    }

    @Test
    void whoAsksAndDoesNotListenLosesTheStream() throws Exception {
        Stranger stranger = new Stranger(SessionGrpc.getOpenMethod()).welcomed("n1");
        FileName name = FileName.of("user.a");
        stranger.listen(1);
        stranger.say(request(1, new Operation.SetAttribute(Inode.ROOT, name, new byte[60_000], 0)));
        assertThat(((Downstream.Reply) StreamCodec.decode(stranger.heard()))
                        .answer()
                        .failure())
                .isNull();
        for (int i = 2; i < 2000 && !stranger.end.isDone(); i++) {
            stranger.say(request(i, new Operation.ReadAttribute(Inode.ROOT, name)));
        }
        // The end comes behind what was sent before it.
        stranger.listen(10_000);

        assertThat(stranger.end().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(stranger.end().getDescription()).isEqualTo("the client does not read its stream");
    }
}
