package io.fusecache.metadata.wire;

import io.fusecache.metadata.proto.SessionGrpc;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sessions over gRPC. {@link #open} tries each address once, beginning behind the one that welcomed last.
 *
 * <p>One thread serves the network, and receivers are called on it, because a handover would cost each answer a quarter of
 * its time: they must not block. Only what comes first on a stream is handed over (see {@link GrpcStream}).
 */
public final class GrpcTransport implements SessionTransport {
    public static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    public static final String BEARER = "Bearer ";

    private static final Logger LOG = LoggerFactory.getLogger(GrpcTransport.class);
    private static final int WINDOW_BYTES = 4 << 20;
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(10);
    private static final Duration KEEP_ALIVE_TIMEOUT = Duration.ofSeconds(5);

    private final Options options;
    private final EventLoopGroup network = NetworkThreads.start(1, "coordinator-session");

    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by lock.
    private boolean closed;
    private int preferred;
    private final List<GrpcStream> streams = new ArrayList<>();

    public GrpcTransport(Options options) {
        this.options = options;
    }

    /**
     * Where the coordinator is. The addresses are of its replicas, unresolved, so that each try asks the name service anew.
     *
     * @param grpc used where there are any
     * @param http else these are asked where their gRPC is
     * @param apiKey what the coordinator asks for, or null
     * @param connectTimeout for one address
     * @param welcomeTimeout from Hello to Welcome
     */
    public record Options(
            List<InetSocketAddress> grpc,
            List<InetSocketAddress> http,
            @Nullable String apiKey,
            Duration connectTimeout,
            Duration welcomeTimeout) {
        private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(3);
        private static final Duration WELCOME_TIMEOUT = Duration.ofSeconds(10);
        /** Of several: one that is stopped takes connections still. */
        private static final Duration SHORT_TIMEOUT = Duration.ofSeconds(2);

        public Options {
            grpc = List.copyOf(grpc);
            http = List.copyOf(http);
            if (grpc.isEmpty() && http.isEmpty()) {
                throw new IllegalArgumentException("no address of a coordinator");
            }
        }

        public static Options grpc(List<InetSocketAddress> addresses, @Nullable String apiKey) {
            return of(addresses, List.of(), apiKey);
        }

        public static Options http(List<InetSocketAddress> addresses, @Nullable String apiKey) {
            return of(List.of(), addresses, apiKey);
        }

        private static Options of(List<InetSocketAddress> grpc, List<InetSocketAddress> http, @Nullable String apiKey) {
            boolean several = grpc.size() + http.size() > 1;
            return new Options(
                    grpc,
                    http,
                    apiKey,
                    several ? SHORT_TIMEOUT : CONNECT_TIMEOUT,
                    several ? SHORT_TIMEOUT : WELCOME_TIMEOUT);
        }

        private List<InetSocketAddress> addresses() {
            return grpc.isEmpty() ? http : grpc;
        }
    }

    @Override
    public Stream open(Hello hello, Receiver receiver) throws IOException {
        List<InetSocketAddress> addresses = options.addresses();
        int first = preferred();
        List<String> reasons = new ArrayList<>();
        for (int i = 0; i < addresses.size(); i++) {
            int index = (first + i) % addresses.size();
            try {
                Stream stream = open(addresses.get(index), hello, receiver);
                succeeded(index);
                return stream;
            } catch (RefusedException refused) {
                throw refused;
            } catch (InterruptedIOException interrupted) {
                throw interrupted;
            } catch (IOException failed) {
                reasons.add(text(addresses.get(index)) + " (" + failed.getMessage() + ")");
            }
        }
        throw new IOException("no coordinator at " + String.join(", ", reasons));
    }

    @Override
    public boolean several() {
        return options.addresses().size() > 1;
    }

    private Stream open(InetSocketAddress address, Hello hello, Receiver receiver) throws IOException {
        InetSocketAddress grpc =
                options.grpc().isEmpty() ? GrpcAddressLookup.grpcOf(address, options.connectTimeout()) : address;
        InetAddress[] resolved;
        try {
            resolved = InetAddress.getAllByName(grpc.getHostString());
        } catch (UnknownHostException unknown) {
            throw new IOException("unknown host", unknown);
        }
        IOException last = null;
        for (InetAddress host : resolved) {
            try {
                return open(new InetSocketAddress(host, grpc.getPort()), text(grpc), hello, receiver);
            } catch (RefusedException | InterruptedIOException final_) {
                throw final_;
            } catch (IOException failed) {
                last = failed;
            }
        }
        throw last == null ? new IOException("unknown host") : last;
    }

    private Stream open(InetSocketAddress address, String name, Hello hello, Receiver receiver) throws IOException {
        ManagedChannel channel = channel(address);
        GrpcStream stream = new GrpcStream(
                name,
                channel,
                channel.newCall(SessionGrpc.getOpenMethod(), CallOptions.DEFAULT),
                receiver,
                network.next());
        Metadata headers = new Metadata();
        if (options.apiKey() != null) {
            headers.put(AUTHORIZATION, BEARER + options.apiKey());
        }
        Wire.Upstream greeting = StreamCodec.encode(hello);
        track(stream);
        stream.begin(headers, greeting, options.connectTimeout().plus(options.welcomeTimeout()));
        return stream;
    }

    /** For {@link #close}; those that ended are forgotten here. */
    private void track(GrpcStream stream) throws IOException {
        lock.lock();
        try {
            if (closed) {
                throw new IOException("closed");
            }
            streams.removeIf(GrpcStream::ended);
            streams.add(stream);
        } finally {
            lock.unlock();
        }
    }

    private ManagedChannel channel(InetSocketAddress address) {
        return NettyChannelBuilder.forAddress(address)
                .usePlaintext()
                .overrideAuthority("coordinator")
                .directExecutor()
                .eventLoopGroup(network)
                .channelType(NioSocketChannel.class)
                .withOption(
                        ChannelOption.CONNECT_TIMEOUT_MILLIS,
                        Math.toIntExact(options.connectTimeout().toMillis()))
                .disableRetry()
                .disableServiceConfigLookUp()
                .flowControlWindow(WINDOW_BYTES)
                .maxInboundMessageSize(StreamCodec.MAX_MESSAGE_BYTES)
                .keepAliveTime(KEEP_ALIVE.toSeconds(), TimeUnit.SECONDS)
                .keepAliveTimeout(KEEP_ALIVE_TIMEOUT.toSeconds(), TimeUnit.SECONDS)
                .build();
    }

    private int preferred() throws IOException {
        lock.lock();
        try {
            if (closed) {
                throw new IOException("closed");
            }
            return preferred;
        } finally {
            lock.unlock();
        }
    }

    /** Its successor is asked first when its stream is no more: what broke may be silent for long. */
    private void succeeded(int index) {
        lock.lock();
        try {
            preferred = (index + 1) % options.addresses().size();
        } finally {
            lock.unlock();
        }
    }

    private static String text(InetSocketAddress address) {
        String host = address.getHostString();
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
    }

    /** Ends what is left of streams, and then the network thread. */
    @Override
    public void close() {
        List<GrpcStream> left;
        lock.lock();
        try {
            closed = true;
            left = List.copyOf(streams);
        } finally {
            lock.unlock();
        }
        left.forEach(GrpcStream::close);
        if (!network.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS)) {
            LOG.warn("the network thread of the coordinator's session did not end");
        }
    }
}
