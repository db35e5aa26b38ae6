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
import java.util.zip.CRC32C;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpStatus;
import org.jspecify.annotations.Nullable;

/**
 * Reads blocks from other nodes, over connections that are kept.
 *
 * <p>Every read ends by its deadline, however slowly the bytes drip. Whoever calls avoids a peer that failed ({@code SourceHealth}), so one that is away costs one connect timeout, not one per block.
 */
public final class PeerClient implements PeerTier {
    private static final int CONNECTIONS_PER_PEER = 16;
    /** As much as the JDK's socket takes in one call. */
    private static final int CHUNK_BYTES = 128 << 10;

    private final PeerConnections connections;
    private final Duration timeout;
    private final BlockingQueue<byte[]> chunks = new ArrayBlockingQueue<>(CONNECTIONS_PER_PEER);

    /**
     * @param connectTimeout what a peer that is away costs
     * @param timeout what a read takes at most, connecting included
     * @param token what all nodes share, null where they share none
     */
    public PeerClient(Duration connectTimeout, Duration timeout, @Nullable String token) {
        this.timeout = timeout;
        this.connections = new PeerConnections(connectTimeout, timeout, CONNECTIONS_PER_PEER, token);
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
        return connections.execute(peer, get, timeout, response -> outcome(peer, response, target));
    }

    private static HttpGet get(NodeAddress peer, PeerProtocol.BlockRequest asked) throws IOException {
        try {
            return new HttpGet(PeerConnections.uri(peer, asked.path()));
        } catch (IllegalArgumentException wrong) {
            throw PeerConnections.unreachable(peer, wrong);
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
            case HttpStatus.SC_UNAUTHORIZED -> throw PeerConnections.refused(peer);
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
        connections.close();
    }
}
