package io.fusecache.coordinator.rpc;

import io.fusecache.metadata.wire.NetworkThreads;
import io.fusecache.metadata.wire.StreamCodec;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The gRPC port: plain text, few threads. */
public final class RpcServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RpcServer.class);
    private static final int THREADS = 2;
    private static final int WINDOW_BYTES = 4 << 20;
    private static final int MAX_HEADER_BYTES = 8 << 10;
    /** A node opens one; a second while the first is not known to be broken. */
    private static final int MAX_STREAMS_PER_CONNECTION = 4;

    private static final int KEEP_ALIVE_SECONDS = 10;
    private static final int KEEP_ALIVE_TIMEOUT_SECONDS = 5;
    /** Below the clients' own interval of 10 s. */
    private static final int LEAST_CLIENT_KEEP_ALIVE_SECONDS = 5;

    private static final int IDLE_SECONDS = 60;
    private static final int STOP_SECONDS = 2;

    private final EventLoopGroup network;
    private final Server server;

    private RpcServer(EventLoopGroup network, Server server) {
        this.network = network;
        this.server = server;
    }

    /** Binds at once; IOException where the port cannot be had. */
    public static RpcServer bind(InetSocketAddress address, SessionService service) throws IOException {
        EventLoopGroup network = NetworkThreads.start(THREADS, "rpc");
        Server server = NettyServerBuilder.forAddress(address)
                .bossEventLoopGroup(network)
                .workerEventLoopGroup(network)
                .channelType(NioServerSocketChannel.class)
                .directExecutor()
                .flowControlWindow(WINDOW_BYTES)
                .maxInboundMessageSize(StreamCodec.MAX_MESSAGE_BYTES)
                .maxInboundMetadataSize(MAX_HEADER_BYTES)
                .maxConcurrentCallsPerConnection(MAX_STREAMS_PER_CONNECTION)
                .maxConnectionIdle(IDLE_SECONDS, TimeUnit.SECONDS)
                .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
                .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .permitKeepAliveTime(LEAST_CLIENT_KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
                .addService(service.definition())
                .build();
        RpcServer rpc = new RpcServer(network, server);
        try {
            server.start();
        } catch (IOException refused) {
            rpc.close();
            throw refused;
        }
        return rpc;
    }

    public int port() {
        return server.getPort();
    }

    /** Ends what streams are left. */
    @Override
    public void close() {
        server.shutdownNow();
        try {
            if (!server.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("streams of clients did not end within {} s", STOP_SECONDS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        if (!network.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(STOP_SECONDS, TimeUnit.SECONDS)) {
            LOG.warn("the network threads did not end within {} s", STOP_SECONDS);
        }
    }
}
