package io.fusecache.metadata.wire;

import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;

/** The few threads that carry gRPC, on the JDK's own NIO. */
public final class NetworkThreads {
    static {
        // Else gRPC looks for Netty's epoll library, which unpacks it into /tmp and costs a start a tenth of a second.
        // Once
        // connected it would be no faster: one stream is one socket.
        System.setProperty("io.grpc.netty.shaded.io.netty.transport.noNative", "true");
    }

    private NetworkThreads() {}

    public static EventLoopGroup start(int count, String name) {
        return new MultiThreadIoEventLoopGroup(count, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
    }
}
