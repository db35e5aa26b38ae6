package io.fusecache.metadata.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.session.SessionTransport.RefusedException;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import io.fusecache.metadata.wire.GrpcTransport.Options;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class GrpcTransportIT {
    private static final Hello HELLO =
            new Hello(1, "", new NodeAddress(new NodeId("n1"), "127.0.0.1:8081", ""), "/nvme", "prefix/", "", 0, 0);

    private ScriptedCoordinator coordinator;
    private GrpcTransport transport;
    private final Ears ears = new Ears();

    private static class Ears implements SessionTransport.Receiver {
        final BlockingQueue<Downstream> heard = new LinkedBlockingQueue<>();
        final CompletableFuture<String> broken = new CompletableFuture<>();

        @Override
        public void received(Downstream message) {
            heard.add(message);
        }

        @Override
        public void broken(String reason) {
            assertThat(broken.complete(reason)).as("broken once").isTrue();
        }

        String reason() throws Exception {
            return broken.get(5, TimeUnit.SECONDS);
        }
    }

    @BeforeEach
    void start() throws IOException {
        coordinator = new ScriptedCoordinator();
        transport = to(coordinator.address());
    }

    @AfterEach
    void stop() {
        transport.close();
        coordinator.close();
    }

    private static GrpcTransport to(InetSocketAddress... addresses) {
        return new GrpcTransport(Options.grpc(List.of(addresses), null));
    }

    @Test
    void messagesTravelBothWaysInOrder() throws Exception {
        SessionTransport.Stream stream = transport.open(HELLO, ears);

        assertThat(stream.welcome()).isEqualTo(ScriptedCoordinator.WELCOME);
        assertThat(StreamCodec.hello(coordinator.next())).isEqualTo(HELLO);
        for (int i = 0; i < 1000; i++) {
            stream.send(new Upstream.Request(i % 16, i + 1, false, new Operation.ReadInode(i)));
        }
        for (int i = 0; i < 1000; i++) {
            assertThat(coordinator.next().getRequest().getReadInode()).isEqualTo(i);
        }
        ServerCallStreamObserver<Wire.Downstream> answers = coordinator.stream();
        for (int i = 0; i < 1000; i++) {
            answers.onNext(StreamCodec.encode(new Downstream.RecallRequest(i, Set.of((long) i), true)));
        }
        for (int i = 0; i < 1000; i++) {
            assertThat(ears.heard.poll(5, TimeUnit.SECONDS))
                    .isEqualTo(new Downstream.RecallRequest(i, Set.of((long) i), true));
        }
        stream.close();
        assertThat(ears.reason()).isEqualTo("closed here");
    }

    @Test
    void aRefusalIsToldFromAnAbsence() {
        coordinator.refusal = Status.FAILED_PRECONDITION.withDescription("protocol 2 here, protocol 1 there");
        assertThatThrownBy(() -> transport.open(HELLO, ears))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("127.0.0.1:")
                .hasMessageEndingWith("protocol 2 here, protocol 1 there");

        coordinator.refusal = Status.UNAVAILABLE.withDescription("starting");
        assertThatThrownBy(() -> transport.open(HELLO, ears))
                .isExactlyInstanceOf(IOException.class)
                .hasMessageContaining("no coordinator at 127.0.0.1:")
                .hasMessageContaining("starting");

        InetSocketAddress gone = coordinator.address();
        coordinator.close();
        try (GrpcTransport other = to(gone)) {
            assertThatThrownBy(() -> other.open(HELLO, ears))
                    .isExactlyInstanceOf(IOException.class)
                    .hasMessageContaining("Connection refused");
        }
    }

    @Test
    void theNextAddressIsTriedAndRemembered() throws Exception {
        InetSocketAddress nobody = InetSocketAddress.createUnresolved("127.0.0.1", 1);
        InetSocketAddress nowhere = InetSocketAddress.createUnresolved("no-such-host.invalid", 1);
        try (GrpcTransport several = to(nobody, nowhere, coordinator.address())) {
            several.open(HELLO, ears).close();
            ears.reason();
            several.open(HELLO, new Ears()).close();
        }
    }

    /** One that is stopped takes connections and says nothing: who lost a stream to it asks the others first. */
    @Test
    void whereAStreamBrokeIsAskedLast() throws Exception {
        try (ScriptedCoordinator follower = new ScriptedCoordinator();
                ScriptedCoordinator other = new ScriptedCoordinator();
                GrpcTransport several = new GrpcTransport(
                        Options.grpc(List.of(coordinator.address(), follower.address(), other.address()), null))) {
            follower.refusal = Status.UNAVAILABLE.withDescription("not the leader, it is c");
            several.open(HELLO, ears).close();
            coordinator.next();
            several.open(HELLO, new Ears()).close();
            follower.next();
            other.next();
            assertThat(coordinator.heard).isEmpty();

            other.refusal = follower.refusal;
            coordinator.refusal = follower.refusal;
            assertThatThrownBy(() -> several.open(HELLO, new Ears()))
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(RefusedException.class)
                    .hasMessageContaining("not the leader, it is c");
        }
    }

    /** They are how this client reaches the group; members may know each other by names that mean nothing here. */
    @Test
    void whatWasGivenIsTriedBeforeWhatTheGroupTells() throws Exception {
        try (ScriptedCoordinator second = new ScriptedCoordinator();
                ScriptedCoordinator told = new ScriptedCoordinator();
                GrpcTransport several = to(coordinator.address(), second.address())) {
            Welcome.Member member =
                    new Welcome.Member("127.0.0.1:" + told.address().getPort(), "127.0.0.1:1");
            coordinator.refusal = Status.UNAVAILABLE.withDescription("not the leader");
            several.learn(List.of(member));
            several.open(HELLO, ears).close();
            coordinator.next();
            second.next();
            assertThat(told.heard).isEmpty();

            several.learn(List.of(member));
            several.open(HELLO, new Ears()).close();
            coordinator.next();
            told.next();
            assertThat(second.heard).as("where a stream broke").isEmpty();
        }
    }

    @Test
    void oneThatRefusesIsNotTheLastToBeAsked() throws Exception {
        try (ScriptedCoordinator stranger = new ScriptedCoordinator();
                GrpcTransport several = to(stranger.address(), coordinator.address())) {
            for (Status refusal : List.of(
                    Status.FAILED_PRECONDITION.withDescription("inodes of another namespace"),
                    Status.PERMISSION_DENIED.withDescription("no"),
                    Status.UNAUTHENTICATED.withDescription("an API key"),
                    Status.UNIMPLEMENTED)) {
                stranger.refusal = refusal;
                several.open(HELLO, new Ears()).close();
                coordinator.next();
            }
            coordinator.refusal = Status.UNAVAILABLE.withDescription("not the leader");
            stranger.refusal = Status.FAILED_PRECONDITION.withDescription("inodes of another namespace");
            assertThatThrownBy(() -> several.open(HELLO, new Ears()))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("inodes of another namespace");
        }
    }

    @Test
    void aReceiverMayBlockUntilItsOpenerIsReady() throws Exception {
        CompletableFuture<String> gate = new CompletableFuture<>();
        Ears ears = new Ears() {
            @Override
            public void received(Downstream message) {
                gate.join();
                super.received(message);
            }
        };
        SessionTransport.Stream stream = transport.open(HELLO, ears);
        ServerCallStreamObserver<Wire.Downstream> answers = coordinator.stream();
        for (int i = 0; i < 100; i++) {
            answers.onNext(StreamCodec.encode(new Downstream.RecallRequest(i, Set.of(1L), true)));
        }
        stream.send(new Upstream.Heartbeat(1, 2));
        coordinator.next();
        assertThat(coordinator.next().hasHeartbeat()).as("the network goes on").isTrue();
        gate.complete("open");
        for (int i = 0; i < 100; i++) {
            assertThat(ears.heard.poll(5, TimeUnit.SECONDS))
                    .isEqualTo(new Downstream.RecallRequest(i, Set.of(1L), true));
        }
    }

    @Test
    void whatSpeaksHttpIsNamed() throws Exception {
        try (HealthAnswer http = new HealthAnswer("{\"service\":\"client\"}");
                GrpcTransport wrong = to(http.address())) {
            assertThatThrownBy(() -> wrong.open(HELLO, ears)).hasMessageContaining("is it the HTTP port?");
        }
    }

    @Test
    void theHttpAddressIsEnough() throws Exception {
        String grpc = "127.0.0.1:" + coordinator.address().getPort();
        try (HealthAnswer http = new HealthAnswer(
                        "{\"status\":\"healthy\",\"service\":\"coordinator\",\"grpc_address\":\"" + grpc + "\"}");
                HealthAnswer stranger = new HealthAnswer("{\"service\":\"client\"}");
                GrpcTransport byHttp =
                        new GrpcTransport(Options.http(List.of(stranger.address(), http.address()), null));
                GrpcTransport byStranger = new GrpcTransport(Options.http(List.of(stranger.address()), null))) {
            byHttp.open(HELLO, ears).close();
            assertThatThrownBy(() -> byStranger.open(HELLO, new Ears()))
                    .isExactlyInstanceOf(IOException.class)
                    .hasMessageContaining("what answers there is no coordinator: HTTP/1.1 200 OK");
        }
    }

    @Test
    void aRequestTooLargeForAMessageFailsAlone() throws Exception {
        SessionTransport.Stream stream = transport.open(HELLO, ears);
        byte[] value = new byte[StreamCodec.MAX_MESSAGE_BYTES];

        stream.send(new Upstream.Request(3, 9, false, new Operation.SetAttribute(5, FileName.of("user.a"), value, 0)));

        Downstream answer = ears.heard.poll(5, TimeUnit.SECONDS);
        assertThat(answer).isInstanceOfSatisfying(Downstream.Reply.class, reply -> {
            assertThat(reply.slot()).isEqualTo(3);
            assertThat(reply.sequence()).isEqualTo(9);
            assertThat(reply.answer().failure())
                    .isNotNull()
                    .extracting(Answer.Failure::errno)
                    .isEqualTo(Errno.E2BIG);
        });
        stream.send(new Upstream.Heartbeat(1, 2));
        coordinator.next();
        assertThat(coordinator.next().hasHeartbeat()).isTrue();
    }

    @Test
    void malformedMessagesBreakTheStream() throws Exception {
        transport.open(HELLO, ears);
        coordinator.stream()
                .onNext(Wire.Downstream.newBuilder()
                        .setReply(Wire.Reply.newBuilder()
                                .setAttributeNames(
                                        Wire.AttributeNames.newBuilder().addNames(ByteString.EMPTY)))
                        .build());

        assertThat(ears.reason())
                .contains("malformed message from the coordinator")
                .contains("ERANGE");
    }

    @Test
    void anEndOfTheCoordinatorIsHeardOnceAndLaterMessagesVanish() throws Exception {
        SessionTransport.Stream stream = transport.open(HELLO, ears);
        coordinator.close();

        ears.reason();
        stream.send(new Upstream.Request(0, 1, false, new Operation.ReadInode(1)));
        stream.close();
    }

    @Test
    void goodbyeIsAnsweredByTheEnd() throws Exception {
        SessionTransport.Stream stream = transport.open(HELLO, ears);
        stream.send(new Upstream.Goodbye());
        stream.close();

        coordinator.next();
        assertThat(coordinator.next().hasGoodbye()).isTrue();
        assertThat(ears.reason()).isEqualTo("OK");
    }

    @Test
    void aCoordinatorThatDoesNotReadHoldsItsClientUp() throws Exception {
        coordinator.reading = false;
        SessionTransport.Stream stream = transport.open(HELLO, ears);
        byte[] value = new byte[1 << 20];
        Thread sender = Thread.ofVirtual().start(() -> {
            for (int i = 1; i <= 60; i++) {
                Operation big = new Operation.Commit(
                        new io.fusecache.metadata.FileVersion(
                                1,
                                1,
                                0,
                                4096,
                                new int[0],
                                new io.fusecache.metadata.ObjectRef(
                                        new String(value, StandardCharsets.ISO_8859_1).replace('\0', 'x'), "")),
                        io.fusecache.metadata.Timestamp.EPOCH,
                        io.fusecache.metadata.Timestamp.EPOCH,
                        0);
                stream.send(new Upstream.Request(0, i, false, big));
            }
        });
        Awaitility.await().until(() -> sender.getState() == Thread.State.WAITING);

        stream.close();
        assertThat(sender.join(Duration.ofSeconds(5)))
                .as("senders go on when the stream ends")
                .isTrue();
    }

    /** Answers every connection with one JSON body. */
    private static final class HealthAnswer implements AutoCloseable {
        private final ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());

        HealthAnswer(String json) throws IOException {
            Thread.ofVirtual().start(() -> {
                while (!server.isClosed()) {
                    try (Socket socket = server.accept();
                            OutputStream out = socket.getOutputStream()) {
                        socket.getInputStream().read(new byte[1000]);
                        out.write(("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
                                        + json)
                                .getBytes(StandardCharsets.UTF_8));
                    } catch (IOException closed) {
                        return;
                    }
                }
            });
        }

        InetSocketAddress address() {
            return InetSocketAddress.createUnresolved("127.0.0.1", server.getLocalPort());
        }

        @Override
        public void close() throws IOException {
            server.close();
        }
    }
}
