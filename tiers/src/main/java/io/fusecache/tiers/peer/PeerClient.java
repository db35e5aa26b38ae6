package io.fusecache.tiers.peer;

import io.fusecache.cache.CorruptTransferException;
import io.fusecache.cache.PeerTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.NodeAddress;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.CRC32C;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Reads blocks from other nodes, over connections that are kept.
 *
 * <p>Every read ends by its deadline, however slowly the bytes drip: a timer aborts the request. Whoever calls avoids a peer
 * that failed ({@code SourceHealth}), so one that is away costs one connect timeout, not one per block.
 */
public final class PeerClient implements PeerTier {
    private static final int CONNECTIONS_PER_PEER = 16;
    private static final int CONNECTIONS = 256;
    /** As much as the JDK's socket takes in one call. */
    private static final int CHUNK_BYTES = 128 << 10;

    private static final int RECEIVE_BUFFER_BYTES = 1 << 20;

    private final CloseableHttpClient http;
    private final Duration timeout;
    private final @Nullable String authorization;
    private final ScheduledThreadPoolExecutor deadlines = new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("peer-deadlines").factory());
    private final BlockingQueue<byte[]> chunks = new ArrayBlockingQueue<>(CONNECTIONS_PER_PEER);

    /**
     * @param connectTimeout what a peer that is away costs
     * @param timeout what a read takes at most, connecting included
     * @param token what all nodes share, null where they share none
     */
    public PeerClient(Duration connectTimeout, Duration timeout, @Nullable String token) {
        this.timeout = timeout;
        this.authorization = token == null ? null : PeerAccess.bearer(token);
        this.deadlines.setRemoveOnCancelPolicy(true);
        this.http = HttpClients.custom()
                .setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create()
                        // Peers speak plain HTTP. The default strategy reads the trust store, a tenth of the start-up
                        // time.
                        .setTlsSocketStrategy((socket, host, port, attachment, context) -> {
                            throw new IOException(host + ":" + port + ": peers are reached by http, not https");
                        })
                        .setMaxConnPerRoute(CONNECTIONS_PER_PEER)
                        .setMaxConnTotal(CONNECTIONS)
                        .setDefaultSocketConfig(SocketConfig.custom()
                                .setTcpNoDelay(true)
                                .setRcvBufSize(RECEIVE_BUFFER_BYTES)
                                .build())
                        .setDefaultConnectionConfig(ConnectionConfig.custom()
                                .setConnectTimeout(Timeout.of(connectTimeout))
                                .setSocketTimeout(Timeout.of(timeout))
                                .setValidateAfterInactivity(TimeValue.ofSeconds(1))
                                .setTimeToLive(TimeValue.ofMinutes(10))
                                .build())
                        .build())
                .setDefaultRequestConfig(RequestConfig.custom()
                        .setConnectionRequestTimeout(Timeout.of(timeout))
                        .setResponseTimeout(Timeout.of(timeout))
                        .setContentCompressionEnabled(false)
                        .setRedirectsEnabled(false)
                        .build())
                .disableAutomaticRetries()
                .disableCookieManagement()
                .disableAuthCaching()
                .evictIdleConnections(TimeValue.ofMinutes(1))
                .build();
    }

    @Override
    public ReadOutcome read(NodeAddress peer, FileVersion version, long offset, MemorySegment target)
            throws IOException {
        if (target.byteSize() == 0) {
            return new ReadOutcome.Hit(0);
        }
        PeerProtocol.BlockRequest asked =
                new PeerProtocol.BlockRequest(version.ino(), version.version(), offset, offset + target.byteSize() - 1);
        HttpGet get = get(peer, asked);
        get.setHeader(HttpHeaders.RANGE, asked.range());
        get.setHeader(PeerProtocol.APPEND, PeerProtocol.CRC32C);
        if (authorization != null) {
            get.setHeader(HttpHeaders.AUTHORIZATION, authorization);
        }
        AtomicBoolean late = new AtomicBoolean();
        ScheduledFuture<?> deadline = deadlines.schedule(
                () -> {
                    late.set(true);
                    get.cancel();
                },
                timeout.toMillis(),
                TimeUnit.MILLISECONDS);
        try {
            return http.execute(get, response -> outcome(peer, response, target));
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

    private static HttpGet get(NodeAddress peer, PeerProtocol.BlockRequest asked) throws IOException {
        try {
            return new HttpGet("http://" + peer.http() + asked.path());
        } catch (IllegalArgumentException wrong) {
            throw new IOException(
                    "node %s has no address to reach it at: '%s'".formatted(peer.id(), peer.http()), wrong);
        }
    }

    private ReadOutcome outcome(NodeAddress peer, ClassicHttpResponse response, MemorySegment target)
            throws IOException {
        return switch (response.getCode()) {
            case HttpStatus.SC_OK -> {
                receive(peer, response, target);
                yield new ReadOutcome.Hit((int) target.byteSize());
            }
            case HttpStatus.SC_NOT_FOUND, HttpStatus.SC_REQUESTED_RANGE_NOT_SATISFIABLE -> new ReadOutcome.Miss();
            case HttpStatus.SC_SERVICE_UNAVAILABLE -> {
                Header holders = response.getFirstHeader(PeerProtocol.HOLDERS);
                yield new ReadOutcome.Busy(PeerProtocol.parseHolders(holders == null ? null : holders.getValue()));
            }
            case HttpStatus.SC_UNAUTHORIZED ->
                throw new IOException("node %s at %s refuses our token: all nodes need the same -api-key"
                        .formatted(peer.id(), peer.http()));
            default ->
                throw new IOException("node %s at %s answered %d %s"
                        .formatted(peer.id(), peer.http(), response.getCode(), response.getReasonPhrase()));
        };
    }

    private void receive(NodeAddress peer, ClassicHttpResponse response, MemorySegment target) throws IOException {
        HttpEntity entity = response.getEntity();
        long expected = target.byteSize() + PeerProtocol.CRC_BYTES;
        Header append = response.getFirstHeader(PeerProtocol.APPEND);
        if (entity == null || entity.getContentLength() != expected || append == null) {
            throw new IOException("node %s at %s answered %s bytes, expected %d with a checksum"
                    .formatted(peer.id(), peer.http(), entity == null ? "no" : entity.getContentLength(), expected));
        }
        byte[] pooled = chunks.poll();
        byte[] chunk = pooled == null ? new byte[CHUNK_BYTES] : pooled;
        try (InputStream in = entity.getContent()) {
            CRC32C crc = new CRC32C();
            long done = 0;
            while (done < target.byteSize()) {
                int count = in.read(chunk, 0, (int) Math.min(chunk.length, target.byteSize() - done));
                if (count < 0) {
                    throw new EOFException("node %s at %s broke off after %d of %d bytes"
                            .formatted(peer.id(), peer.http(), done, target.byteSize()));
                }
                crc.update(chunk, 0, count);
                MemorySegment.copy(chunk, 0, target, ValueLayout.JAVA_BYTE, done, count);
                done += count;
            }
            int sent = ByteBuffer.wrap(in.readNBytes(PeerProtocol.CRC_BYTES)).getInt();
            if (sent != (int) crc.getValue()) {
                throw new CorruptTransferException(
                        "bytes from node %s at %s changed on the way: CRC32C %08x, sent as %08x"
                                .formatted(peer.id(), peer.http(), (int) crc.getValue(), sent));
            }
        } catch (java.nio.BufferUnderflowException cut) {
            throw new EOFException("node %s at %s broke off before the checksum".formatted(peer.id(), peer.http()));
        } finally {
            // Where the pool is full the chunk goes to the collector.
            chunks.offer(chunk);
        }
    }

    @Override
    public void close() {
        deadlines.shutdownNow();
        http.close(org.apache.hc.core5.io.CloseMode.IMMEDIATE);
    }
}
