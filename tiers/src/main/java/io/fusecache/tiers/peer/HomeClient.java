package io.fusecache.tiers.peer;

import io.fusecache.cache.HomeReply;
import io.fusecache.cache.HomeRequest;
import io.fusecache.cache.Homes;
import io.fusecache.metadata.NodeAddress;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.http.io.entity.AbstractHttpEntity;
import org.jspecify.annotations.Nullable;

/** Asks homes over HTTP; {@link HomeHandler} is the other end. */
public final class HomeClient implements Homes {
    private static final int CONNECTIONS_PER_PEER = 64;

    private final PeerConnections connections;
    private final Timeouts timeouts;

    /**
     * How long an answer may take.
     *
     * @param inspect to a question that is asked for every stat(2)
     * @param use to what needs the home's disk, or blocks that it fetches
     * @param durable to what is to be durable then, in the bucket as may be
     */
    public record Timeouts(Duration inspect, Duration use, Duration durable) {
        Duration of(HomeRequest request) {
            return switch (request) {
                case HomeRequest.Inspect inspect -> this.inspect;
                case HomeRequest.Flush flush -> durable;
                case HomeRequest.Sync sync -> durable;
                default -> use;
            };
        }
    }

    /**
     * @param connectTimeout what a node that is away costs
     * @param token what all nodes share, null where they share none
     */
    public HomeClient(Duration connectTimeout, Timeouts timeouts, @Nullable String token) {
        this.timeouts = timeouts;
        this.connections = new PeerConnections(connectTimeout, timeouts.durable(), CONNECTIONS_PER_PEER, token);
    }

    @Override
    public HomeReply ask(NodeAddress home, Guest guest, HomeRequest request, MemorySegment data) throws IOException {
        if (data.byteSize() > HomeRequest.MAX_BYTES) {
            throw new IllegalArgumentException(data.byteSize() + " bytes, at most " + HomeRequest.MAX_BYTES);
        }
        boolean fetches = HomeProtocol.fetches(request);
        byte[] head = HomeProtocol.encode(guest, request, fetches ? (int) data.byteSize() : 0);
        HttpPost post = post(home);
        post.setEntity(new Outgoing(head, fetches ? MemorySegment.NULL : data));
        return connections.execute(
                home,
                post,
                timeouts.of(request),
                response -> reply(home, response, fetches ? data : MemorySegment.NULL));
    }

    private static HttpPost post(NodeAddress home) throws IOException {
        try {
            return new HttpPost(PeerConnections.uri(home, HomeProtocol.PATH));
        } catch (IllegalArgumentException wrong) {
            throw PeerConnections.unreachable(home, wrong);
        }
    }

    private static HomeReply reply(NodeAddress home, ClassicHttpResponse response, MemorySegment target)
            throws IOException {
        HttpEntity entity = response.getEntity();
        switch (response.getCode()) {
            case HttpStatus.SC_OK -> {
                // Read below.
            }
            case HttpStatus.SC_UNAUTHORIZED -> throw PeerConnections.refused(home);
            default ->
                throw new IOException("node %s at %s answered %d %s"
                        .formatted(home.id(), home.http(), response.getCode(), response.getReasonPhrase()));
        }
        if (entity == null || entity.getContentLength() < 0) {
            throw new IOException("node %s at %s answered nothing that has a length".formatted(home.id(), home.http()));
        }
        try (InputStream in = entity.getContent()) {
            HomeMessage.Incoming message = new HomeMessage.Incoming(in, entity.getContentLength());
            HomeReply reply = HomeProtocol.decodeReply(message.head());
            long expected = reply instanceof HomeReply.Done done && target.byteSize() > 0 ? done.value() : 0;
            if (message.dataBytes() != expected || expected > target.byteSize()) {
                throw new HomeProtocol.Malformed(
                        message.dataBytes() + " bytes for " + expected + " of " + target.byteSize());
            }
            message.data(target.asSlice(0, expected));
            return reply;
        } catch (HomeProtocol.Malformed wrong) {
            throw new IOException(
                    "node %s at %s answered what is none: %s".formatted(home.id(), home.http(), wrong.getMessage()),
                    wrong);
        }
    }

    @Override
    public void close() {
        connections.close();
    }

    /** A message that goes out. */
    private static final class Outgoing extends AbstractHttpEntity {
        private final byte[] head;
        private final MemorySegment data;

        Outgoing(byte[] head, MemorySegment data) {
            super(ContentType.APPLICATION_OCTET_STREAM, null);
            this.head = head;
            this.data = data;
        }

        @Override
        public boolean isRepeatable() {
            return true;
        }

        @Override
        public boolean isStreaming() {
            return false;
        }

        @Override
        public long getContentLength() {
            return HomeMessage.length(head, data.byteSize());
        }

        @Override
        public InputStream getContent() {
            throw new UnsupportedOperationException("it is written, not read");
        }

        @Override
        public void writeTo(OutputStream out) throws IOException {
            HomeMessage.write(out, head, data);
        }

        @Override
        public void close() {}
    }
}
