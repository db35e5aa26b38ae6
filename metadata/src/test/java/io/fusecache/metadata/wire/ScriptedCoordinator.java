package io.fusecache.metadata.wire;

import io.fusecache.metadata.proto.SessionGrpc;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Welcome;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The far end of a stream over a real gRPC server, which does what a test says. */
final class ScriptedCoordinator implements AutoCloseable {
    static final Welcome WELCOME =
            new Welcome(7, 8, false, false, "a1", 16, Duration.ofSeconds(10), Welcome.Locks.KEPT);

    final BlockingQueue<Wire.Upstream> heard = new LinkedBlockingQueue<>();
    final BlockingQueue<ServerCallStreamObserver<Wire.Downstream>> streams = new LinkedBlockingQueue<>();
    volatile Status refusal = Status.OK;
    volatile boolean reading = true;
    private final Server server;

    ScriptedCoordinator() throws IOException {
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .maxInboundMessageSize(StreamCodec.MAX_MESSAGE_BYTES)
                .addService(new Script())
                .build()
                .start();
    }

    InetSocketAddress address() {
        return InetSocketAddress.createUnresolved("127.0.0.1", server.getPort());
    }

    ServerCallStreamObserver<Wire.Downstream> stream() throws InterruptedException {
        ServerCallStreamObserver<Wire.Downstream> stream = streams.poll(5, TimeUnit.SECONDS);
        if (stream == null) {
            throw new AssertionError("no stream was opened within 5 s");
        }
        return stream;
    }

    Wire.Upstream next() throws InterruptedException {
        Wire.Upstream message = heard.poll(5, TimeUnit.SECONDS);
        if (message == null) {
            throw new AssertionError("nothing was heard within 5 s");
        }
        return message;
    }

    @Override
    public void close() {
        server.shutdownNow();
    }

    private final class Script extends SessionGrpc.SessionImplBase {
        @Override
        public StreamObserver<Wire.Upstream> open(StreamObserver<Wire.Downstream> answers) {
            ServerCallStreamObserver<Wire.Downstream> stream = (ServerCallStreamObserver<Wire.Downstream>) answers;
            if (!reading) {
                stream.disableAutoRequest();
                stream.request(1);
            }
            return new StreamObserver<>() {
                @Override
                public void onNext(Wire.Upstream message) {
                    heard.add(message);
                    if (message.hasHello()) {
                        if (refusal.isOk()) {
                            stream.onNext(StreamCodec.encode(WELCOME));
                            streams.add(stream);
                        } else {
                            stream.onError(refusal.asRuntimeException());
                        }
                    } else if (message.hasGoodbye()) {
                        stream.onCompleted();
                    }
                }

                @Override
                public void onError(Throwable broken) {
                    // The test looks at its own end.
                }

                @Override
                public void onCompleted() {
                    stream.onCompleted();
                }
            };
        }
    }
}
