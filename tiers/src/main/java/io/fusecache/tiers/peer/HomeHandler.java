package io.fusecache.tiers.peer;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.HomeReply;
import io.fusecache.cache.HomeRequest;
import io.fusecache.cache.Homes;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the files that are open for writing on this node to other nodes. A request is executed when all of it is here and its
 * checksum is right; what is malformed is refused with status 400 and changes nothing.
 */
public final class HomeHandler extends Handler.Abstract {
    private static final Logger log = LoggerFactory.getLogger(HomeHandler.class);

    private final Homes.Host host;
    private final BufferArena buffers;
    private final PeerAccess access;

    /** @param buffers of this handler alone: a request holds some while the host executes it */
    public HomeHandler(Homes.Host host, BufferArena buffers, PeerAccess access) {
        if (buffers.largestLease() < HomeRequest.MAX_BYTES) {
            throw new IllegalArgumentException("buffers of " + buffers.largestLease() + " bytes are too small");
        }
        this.host = host;
        this.buffers = buffers;
        this.access = access;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws IOException {
        if (!Request.getPathInContext(request).equals(HomeProtocol.PATH)) {
            return false;
        }
        long length = request.getLength();
        if (!access.permits(request.getHeaders().get(HttpHeader.AUTHORIZATION))) {
            Response.writeError(request, response, callback, HttpStatus.UNAUTHORIZED_401, "the nodes' token is needed");
        } else if (!"POST".equals(request.getMethod())) {
            Response.writeError(request, response, callback, HttpStatus.METHOD_NOT_ALLOWED_405, "only POST");
        } else if (length < 0) {
            Response.writeError(request, response, callback, HttpStatus.LENGTH_REQUIRED_411, "no length");
        } else if (length > HomeProtocol.MAX_BYTES) {
            Response.writeError(request, response, callback, HttpStatus.PAYLOAD_TOO_LARGE_413, "too long");
        } else {
            try {
                serve(request, length, response, callback);
            } catch (HomeProtocol.Malformed wrong) {
                Response.writeError(request, response, callback, HttpStatus.BAD_REQUEST_400, wrong.getMessage());
            } catch (IOException e) {
                log.debug("a request broke off", e);
                callback.failed(e);
            }
        }
        return true;
    }

    private void serve(Request request, long length, Response response, Callback callback)
            throws IOException, HomeProtocol.Malformed {
        HomeMessage.Incoming message = new HomeMessage.Incoming(Content.Source.asInputStream(request), length);
        HomeProtocol.Asked asked = HomeProtocol.decodeRequest(message.head());
        boolean brings = HomeProtocol.brings(asked.request());
        if (message.dataBytes() > (brings ? HomeRequest.MAX_BYTES : 0)) {
            throw new HomeProtocol.Malformed(message.dataBytes() + " bytes with " + asked.request());
        }
        long bytes = brings ? message.dataBytes() : asked.wanted();
        if (bytes == 0) {
            message.data(MemorySegment.NULL);
            answer(asked, MemorySegment.NULL, response, callback);
            return;
        }
        try (BufferArena.Lease lease = buffers.lease(bytes)) {
            message.data(brings ? lease.segment() : MemorySegment.NULL);
            answer(asked, lease.segment(), response, callback);
        }
    }

    private void answer(HomeProtocol.Asked asked, MemorySegment data, Response response, Callback callback)
            throws IOException {
        HomeReply reply = host.serve(asked.guest(), asked.request(), data);
        boolean fetched = HomeProtocol.fetches(asked.request());
        MemorySegment answered = fetched && reply instanceof HomeReply.Done(long value, var now)
                ? data.asSlice(0, value)
                : MemorySegment.NULL;
        byte[] head = HomeProtocol.encode(reply);
        response.setStatus(HttpStatus.OK_200);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/octet-stream");
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, HomeMessage.length(head, answered.byteSize()));
        try (OutputStream out = Content.Sink.asOutputStream(response)) {
            HomeMessage.write(out, head, answered);
        }
        callback.succeeded();
    }
}
