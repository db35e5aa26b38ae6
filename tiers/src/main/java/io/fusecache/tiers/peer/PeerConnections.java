package io.fusecache.tiers.peer;

import io.fusecache.metadata.NodeAddress;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.io.HttpClientResponseHandler;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Kept HTTP connections to other nodes. Every request ends by its deadline, however slowly the bytes drip: a timer aborts it.
 */
final class PeerConnections implements AutoCloseable {
    private static final int CONNECTIONS = 256;
    private static final int RECEIVE_BUFFER_BYTES = 1 << 20;

    private final CloseableHttpClient http;
    private final @Nullable String authorization;
    private final ScheduledThreadPoolExecutor deadlines = new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("peer-deadlines").factory());

    /**
     * @param connectTimeout what a peer that is away costs
     * @param longest no request takes longer
     * @param token what all nodes share, null where they share none
     */
    PeerConnections(Duration connectTimeout, Duration longest, int perPeer, @Nullable String token) {
        this.authorization = token == null ? null : PeerAccess.bearer(token);
        this.deadlines.setRemoveOnCancelPolicy(true);
        this.http = HttpClients.custom()
                .setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create()
                        // Peers speak plain HTTP. The default strategy reads the trust store, a tenth of the start-up
                        // time.
                        .setTlsSocketStrategy((socket, host, port, attachment, context) -> {
                            throw new IOException(host + ":" + port + ": peers are reached by http, not https");
                        })
                        .setMaxConnPerRoute(perPeer)
                        .setMaxConnTotal(CONNECTIONS)
                        .setDefaultSocketConfig(SocketConfig.custom()
                                .setTcpNoDelay(true)
                                .setRcvBufSize(RECEIVE_BUFFER_BYTES)
                                .build())
                        .setDefaultConnectionConfig(ConnectionConfig.custom()
                                .setConnectTimeout(Timeout.of(connectTimeout))
                                .setSocketTimeout(Timeout.of(longest))
                                .setValidateAfterInactivity(TimeValue.ofSeconds(1))
                                .setTimeToLive(TimeValue.ofMinutes(10))
                                .build())
                        .build())
                .setDefaultRequestConfig(RequestConfig.custom()
                        .setConnectionRequestTimeout(Timeout.of(longest))
                        .setResponseTimeout(Timeout.of(longest))
                        .setContentCompressionEnabled(false)
                        .setRedirectsEnabled(false)
                        .build())
                .disableAutomaticRetries()
                .disableCookieManagement()
                .disableAuthCaching()
                .evictIdleConnections(TimeValue.ofMinutes(1))
                .build();
    }

    static String uri(NodeAddress peer, String path) {
        return "http://" + peer.http() + path;
    }

    static IOException unreachable(NodeAddress peer, IllegalArgumentException wrong) {
        return new IOException("node %s has no address to reach it at: '%s'".formatted(peer.id(), peer.http()), wrong);
    }

    <T> T execute(NodeAddress peer, HttpUriRequestBase request, Duration timeout, HttpClientResponseHandler<T> handler)
            throws IOException {
        if (authorization != null) {
            request.setHeader(HttpHeaders.AUTHORIZATION, authorization);
        }
        AtomicBoolean late = new AtomicBoolean();
        ScheduledFuture<?> deadline = deadlines.schedule(
                () -> {
                    late.set(true);
                    request.cancel();
                },
                timeout.toMillis(),
                TimeUnit.MILLISECONDS);
        try {
            return http.execute(request, handler);
        } catch (IOException | RuntimeException e) {
            if (late.get()) {
                throw new IOException(
                        "node %s at %s did not answer within %d ms"
                                .formatted(peer.id(), peer.http(), timeout.toMillis()),
                        e);
            }
            throw e instanceof IOException io ? io : new IOException(e.toString(), e);
        } finally {
            deadline.cancel(false);
        }
    }

    static IOException refused(NodeAddress peer) {
        return new IOException(
                "node %s at %s refuses our token: all nodes need the same -api-key".formatted(peer.id(), peer.http()));
    }

    @Override
    public void close() {
        deadlines.shutdownNow();
        http.close(org.apache.hc.core5.io.CloseMode.IMMEDIATE);
    }
}
