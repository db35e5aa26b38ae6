package io.fusecache.metadata.wire;

import io.fusecache.metadata.proto.SessionGrpc;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.session.Welcome;
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
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sessions over gRPC. {@link #open} tries each address once: those that it was given, which are how this client reaches them, then those
 * of the replicas that the leader told of, which change, and last the one that welcomed before.
 *
 * <p>One thread serves the network, and receivers are called on it, because a handover would cost each answer a quarter of
 * its time: they must not block. Only what comes first on a stream is handed over (see {@link GrpcStream}).
 */
public final class GrpcTransport implements SessionTransport {
    public static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    public static final String BEARER = "Bearer ";

    private static final Logger LOG = LoggerFactory.getLogger(GrpcTransport.class);
    private static final Pattern HOST_PORT = Pattern.compile("\\[?(.+?)]?:(\\d{1,5})");
    private static final int WINDOW_BYTES = 4 << 20;
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(10);
    private static final Duration KEEP_ALIVE_TIMEOUT = Duration.ofSeconds(5);

    private final Options options;
    private final EventLoopGroup network = NetworkThreads.start(1, "coordinator-session");

    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by lock.
    private boolean closed;
    private @Nullable Way welcomedBy;

    /** As the last welcome had them. */
    private List<Welcome.Member> members = List.of();

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
        /** Of several, each at most. */
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
            return new Options(grpc, http, apiKey, CONNECT_TIMEOUT, WELCOME_TIMEOUT);
        }

        private List<InetSocketAddress> addresses() {
            return grpc.isEmpty() ? http : grpc;
        }
    }

    @Override
    public Stream open(Hello hello, Receiver receiver) throws IOException {
        List<Way> ways = ways();
        Way broken = welcomedBy();
        Collections.rotate(ways, -(ways.indexOf(broken) + 1));
        // What broke may be silent for long.
        ways.sort(Comparator.comparingInt(way -> way.equals(broken) ? 2 : way.learned() ? 1 : 0));
        List<String> reasons = new ArrayList<>();
        RefusedException refusal = null;
        for (Way way : ways) {
            try {
                Stream stream = open(way, ways.size() > 1, hello, receiver);
                succeeded(way, stream.welcome().members());
                return stream;
            } catch (RefusedException refused) {
                // One of another group, say: it speaks for itself alone.
                refusal = refusal == null ? refused : refusal;
            } catch (InterruptedIOException interrupted) {
                throw interrupted;
            } catch (IOException failed) {
                reasons.add(text(way.address()) + " (" + failed.getMessage() + ")");
            }
        }
        throw refusal == null ? new IOException("no coordinator at " + String.join(", ", reasons)) : refusal;
    }

    @Override
    public boolean several() {
        return ways().size() > 1;
    }

    /**
     * @param http whether it is where HTTP answers, which knows where gRPC is
     * @param learned whether a leader told of it
     */
    private record Way(InetSocketAddress address, boolean http, boolean learned) {
        String text() {
            return GrpcTransport.text(address);
        }
    }

    /** Those given, then the other members; for the caller to arrange. */
    private List<Way> ways() {
        List<Welcome.Member> told;
        lock.lock();
        try {
            told = members;
        } finally {
            lock.unlock();
        }
        boolean http = options.grpc().isEmpty();
        List<Way> all = new ArrayList<>();
        for (InetSocketAddress given : options.addresses()) {
            all.add(new Way(given, http, false));
        }
        Set<String> taken = all.stream().map(Way::text).collect(Collectors.toSet());
        for (Welcome.Member member : told) {
            if (!taken.contains(http ? member.http() : member.grpc())) {
                address(member.grpc()).ifPresent(address -> all.add(new Way(address, false, true)));
            }
        }
        return all;
    }

    @Override
    public void learn(List<Welcome.Member> told) {
        lock.lock();
        try {
            members = List.copyOf(told);
        } finally {
            lock.unlock();
        }
    }

    private static Optional<InetSocketAddress> address(String text) {
        Matcher parts = HOST_PORT.matcher(text);
        return parts.matches()
                ? Optional.of(InetSocketAddress.createUnresolved(parts.group(1), Integer.parseInt(parts.group(2))))
                : Optional.empty();
    }

    private Stream open(Way way, boolean several, Hello hello, Receiver receiver) throws IOException {
        Duration connect = shortened(options.connectTimeout(), several);
        InetSocketAddress grpc = way.http() ? GrpcAddressLookup.grpcOf(way.address(), connect) : way.address();
        InetAddress[] resolved;
        try {
            resolved = InetAddress.getAllByName(grpc.getHostString());
        } catch (UnknownHostException unknown) {
            throw new IOException("unknown host", unknown);
        }
        IOException last = null;
        for (InetAddress host : resolved) {
            try {
                return open(new InetSocketAddress(host, grpc.getPort()), text(grpc), several, hello, receiver);
            } catch (InterruptedIOException interrupted) {
                throw interrupted;
            } catch (IOException failed) {
                // A refusal says more than that nobody is there.
                last = last instanceof RefusedException ? last : failed;
            }
        }
        throw last == null ? new IOException("unknown host") : last;
    }

    /** One of several that is stopped takes connections still. */
    private static Duration shortened(Duration timeout, boolean several) {
        return several && timeout.compareTo(Options.SHORT_TIMEOUT) > 0 ? Options.SHORT_TIMEOUT : timeout;
    }

    private Stream open(InetSocketAddress address, String name, boolean several, Hello hello, Receiver receiver)
            throws IOException {
        Duration connect = shortened(options.connectTimeout(), several);
        ManagedChannel channel = channel(address, connect);
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
        stream.begin(headers, greeting, connect.plus(shortened(options.welcomeTimeout(), several)));
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

    private ManagedChannel channel(InetSocketAddress address, Duration connect) {
        return NettyChannelBuilder.forAddress(address)
                .usePlaintext()
                .overrideAuthority("coordinator")
                .directExecutor()
                .eventLoopGroup(network)
                .channelType(NioSocketChannel.class)
                .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(connect.toMillis()))
                .disableRetry()
                .disableServiceConfigLookUp()
                .flowControlWindow(WINDOW_BYTES)
                .maxInboundMessageSize(StreamCodec.MAX_MESSAGE_BYTES)
                .keepAliveTime(KEEP_ALIVE.toSeconds(), TimeUnit.SECONDS)
                .keepAliveTimeout(KEEP_ALIVE_TIMEOUT.toSeconds(), TimeUnit.SECONDS)
                .build();
    }

    private @Nullable Way welcomedBy() throws IOException {
        lock.lock();
        try {
            if (closed) {
                throw new IOException("closed");
            }
            return welcomedBy;
        } finally {
            lock.unlock();
        }
    }

    private void succeeded(Way way, List<Welcome.Member> told) {
        lock.lock();
        try {
            welcomedBy = way;
            members = told;
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
