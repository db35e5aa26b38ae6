package io.fusecache.tiers.peer;

import io.fusecache.cache.BlockChecksum;
import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.LocalTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.NodeAddress;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import java.util.zip.CRC32C;
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
 * Serves blocks that this node holds, from its local tier alone.
 *
 * <p>Bytes go from the file to a buffer of the arena and from there to the socket: never through the heap, and never
 * straight from a file that the kernel may be writing to. After each piece is in the buffer, the file must still hold the
 * version that was asked for and not be open for writing; then these bytes are of that version, whatever happens to the
 * file afterwards. Otherwise the answer breaks off, and the other end asks elsewhere. Blocks from before this process are
 * checked first.
 *
 * <p>The number of answers at once is bounded: beyond it the answer is 'busy', with others who hold the version.
 */
public final class PeerBlockHandler extends Handler.Abstract {
    private static final Logger log = LoggerFactory.getLogger(PeerBlockHandler.class);
    private static final int PIECE_BYTES = 512 << 10;

    private final LocalTier local;
    private final BufferArena buffers;
    private final PeerAccess access;
    private final Referrals referrals;
    private final Semaphore serves;
    private final LongAdder servedBytes = new LongAdder();
    private final LongAdder busyAnswers = new LongAdder();

    /** Who else has a version. */
    @FunctionalInterface
    public interface Referrals {
        List<NodeAddress> others(long ino, long version) throws IOException;
    }

    /**
     * @param buffers of this handler alone: a slow reader at the other end holds one for as long as he takes
     * @param maxServes answers at once
     */
    public PeerBlockHandler(
            LocalTier local, BufferArena buffers, PeerAccess access, Referrals referrals, int maxServes) {
        this.local = local;
        this.buffers = buffers;
        this.access = access;
        this.referrals = referrals;
        this.serves = new Semaphore(maxServes);
    }

    public long servedBytes() {
        return servedBytes.sum();
    }

    public long busyAnswers() {
        return busyAnswers.sum();
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws IOException {
        String path = Request.getPathInContext(request);
        if (!path.startsWith(PeerProtocol.PATH)) {
            return false;
        }
        if (!access.permits(request.getHeaders().get(HttpHeader.AUTHORIZATION))) {
            Response.writeError(request, response, callback, HttpStatus.UNAUTHORIZED_401, "the nodes' token is needed");
            return true;
        }
        if (!"GET".equals(request.getMethod())) {
            Response.writeError(request, response, callback, HttpStatus.METHOD_NOT_ALLOWED_405, "only GET");
            return true;
        }
        PeerProtocol.BlockRequest asked;
        try {
            asked = PeerProtocol.BlockRequest.parse(path, request.getHeaders().get(HttpHeader.RANGE));
        } catch (IllegalArgumentException e) {
            Response.writeError(request, response, callback, HttpStatus.BAD_REQUEST_400, e.getMessage());
            return true;
        }
        if (!serves.tryAcquire()) {
            busy(asked, response, callback);
            return true;
        }
        try {
            serve(asked, request, response, callback);
        } finally {
            serves.release();
        }
        return true;
    }

    private void busy(PeerProtocol.BlockRequest asked, Response response, Callback callback) throws IOException {
        busyAnswers.increment();
        List<NodeAddress> others = referrals.others(asked.ino(), asked.version());
        if (!others.isEmpty()) {
            response.getHeaders().put(PeerProtocol.HOLDERS, PeerProtocol.holders(others));
        }
        finish(HttpStatus.SERVICE_UNAVAILABLE_503, response, callback);
    }

    private static void finish(int status, Response response, Callback callback) {
        response.setStatus(status);
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, 0);
        response.write(true, null, callback);
    }

    private void serve(PeerProtocol.BlockRequest asked, Request request, Response response, Callback callback)
            throws IOException {
        Optional<CachedFile> found = local.find(asked.ino());
        if (found.isEmpty()) {
            finish(HttpStatus.NOT_FOUND_404, response, callback);
            return;
        }
        try (CachedFile file = found.get()) {
            FileVersion version = file.version();
            if (version.version() == asked.version() && file.writing()) {
                // Right after its close(2), too, until the kernel's release has come through: it is worth asking again.
                finish(HttpStatus.SERVICE_UNAVAILABLE_503, response, callback);
            } else if (!holds(file, asked)) {
                finish(HttpStatus.NOT_FOUND_404, response, callback);
            } else if (asked.last() >= version.size()) {
                finish(HttpStatus.RANGE_NOT_SATISFIABLE_416, response, callback);
            } else if (!present(file, version, asked)) {
                finish(HttpStatus.NOT_FOUND_404, response, callback);
            } else {
                boolean append = PeerProtocol.CRC32C.equals(request.getHeaders().get(PeerProtocol.APPEND));
                send(file, version, asked, append, response, callback);
            }
        }
    }

    private static boolean holds(CachedFile file, PeerProtocol.BlockRequest asked) {
        return file.version().version() == asked.version() && !file.writing();
    }

    private static boolean present(CachedFile file, FileVersion version, PeerProtocol.BlockRequest asked)
            throws IOException {
        int first = (int) (asked.first() / version.blockBytes());
        int last = (int) (asked.last() / version.blockBytes());
        return file.verify(first, last - first + 1) && file.present().nextClearBit(first) > last;
    }

    private void send(
            CachedFile file,
            FileVersion version,
            PeerProtocol.BlockRequest asked,
            boolean append,
            Response response,
            Callback callback)
            throws IOException {
        CRC32C crc = new CRC32C();
        try (BufferArena.Lease lease = buffers.lease(Math.min(PIECE_BYTES, asked.length()))) {
            long done = 0;
            while (done < asked.length()) {
                MemorySegment piece =
                        lease.segment().asSlice(0, Math.min(lease.segment().byteSize(), asked.length() - done));
                read(file, asked, done, piece);
                if (done == 0) {
                    head(version, asked, append, response);
                }
                done += piece.byteSize();
                if (append) {
                    BlockChecksum.update(crc, piece);
                }
                Content.Sink.write(response, !append && done == asked.length(), piece.asByteBuffer());
            }
            if (append) {
                ByteBuffer end = ByteBuffer.allocate(PeerProtocol.CRC_BYTES)
                        .putInt((int) crc.getValue())
                        .flip();
                Content.Sink.write(response, true, end);
            }
            servedBytes.add(done);
            callback.succeeded();
        } catch (ChangedException changed) {
            log.debug("{} changed while it was read", asked);
            if (response.isCommitted()) {
                callback.failed(changed);
            } else {
                finish(HttpStatus.NOT_FOUND_404, response, callback);
            }
        } catch (IOException e) {
            log.debug("{} broke off", asked, e);
            // Where the head is out already this cuts the connection: the other end must not take it for a whole
            // answer.
            callback.failed(e);
        }
    }

    private static void read(CachedFile file, PeerProtocol.BlockRequest asked, long done, MemorySegment piece)
            throws IOException {
        ReadOutcome outcome = file.read(asked.first() + done, piece);
        boolean filled = outcome instanceof ReadOutcome.Hit hit && hit.bytes() == piece.byteSize();
        if (!filled || !holds(file, asked)) {
            throw new ChangedException(asked);
        }
    }

    /** The bytes of that version are not here any more: a miss, and no fault of this node. */
    private static final class ChangedException extends IOException {
        private static final long serialVersionUID = 1L;

        ChangedException(PeerProtocol.BlockRequest asked) {
            super("the file changed while it was read: " + asked);
        }
    }

    private static void head(FileVersion version, PeerProtocol.BlockRequest asked, boolean append, Response response) {
        if (append) {
            response.setStatus(HttpStatus.OK_200);
            response.getHeaders().put(PeerProtocol.APPEND, PeerProtocol.CRC32C);
            response.getHeaders().put(HttpHeader.CONTENT_LENGTH, asked.length() + PeerProtocol.CRC_BYTES);
        } else {
            response.setStatus(HttpStatus.PARTIAL_CONTENT_206);
            response.getHeaders()
                    .put(
                            HttpHeader.CONTENT_RANGE,
                            "bytes %d-%d/%d".formatted(asked.first(), asked.last(), version.size()));
            response.getHeaders().put(HttpHeader.CONTENT_LENGTH, asked.length());
        }
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/octet-stream");
    }
}
