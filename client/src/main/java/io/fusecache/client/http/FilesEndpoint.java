package io.fusecache.client.http;

import io.fusecache.client.http.NodeFiles.OpenedFile;
import io.fusecache.filesystem.Node;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Inode;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpHeader;

/**
 * {@code /api/files/{path}}: read whole or in part, store, remove; {@code /api/files/{path}/size}; {@code /api/refresh/{path}}: what others
 * did to the bucket there.
 */
final class FilesEndpoint {
    private static final int BUFFER_BYTES = 256 << 10;
    private static final int BUFFERS = 16;
    private static final long BUFFER_WAIT_SECONDS = 10;
    private static final String SIZE = "/size";
    private static final int DEFAULT_WAIT_SECONDS = 30;
    private static final int MAX_WAIT_SECONDS = 60;

    private final NodeFiles files;
    private final BlockingQueue<ByteBuffer> buffers = new ArrayBlockingQueue<>(BUFFERS);

    /** Listings under way, by path: they go on when whoever asked goes away. */
    private final ConcurrentHashMap<String, FutureTask<Integer>> listings = new ConcurrentHashMap<>();

    FilesEndpoint(NodeFiles files) {
        this.files = files;
        for (int i = 0; i < BUFFERS; i++) {
            buffers.add(ByteBuffer.allocate(0));
        }
    }

    /** The size route comes first: the catch-all would hide it. */
    List<Route> routes() {
        return List.of(
                new Route("GET", "/api/files/{path}/size", false, this::size),
                new Route("GET", "/api/files/{path}", false, this::read),
                new Route("HEAD", "/api/files/{path}", false, this::read),
                new Route("PUT", "/api/files/{path}", false, this::store),
                new Route("DELETE", "/api/files/{path}", false, this::remove),
                new Route("POST", "/api/refresh", false, this::refresh),
                new Route("POST", "/api/refresh/{path}", false, this::refresh));
    }

    /** A file that is itself called "size" is read where nothing of the path before it is a file. */
    private void size(Exchange exchange, String rest)
            throws HttpFailure, ErrnoException, IOException, InterruptedException {
        Node node = files.find(FilePath.decode(rest));
        if (node.inode().directory()) {
            read(exchange, rest + SIZE);
            return;
        }
        try (OpenedFile file = files.open(node)) {
            exchange.reply(200, file.size());
        }
    }

    private void read(Exchange exchange, String rest)
            throws HttpFailure, ErrnoException, IOException, InterruptedException {
        Node node = files.find(FilePath.decode(rest));
        try (OpenedFile file = files.open(node)) {
            long size = file.size();
            Optional<ByteRange> range = range(exchange, size);
            describe(exchange, node.inode());
            range.ifPresent(part -> exchange.replyHeaders().put(HttpHeader.CONTENT_RANGE, part.contentRange(size)));
            ByteRange part = range.orElse(new ByteRange(0, size));
            exchange.replyHeaders().put(HttpHeader.CONTENT_LENGTH, part.length());
            exchange.reply(range.isPresent() ? 206 : 200);
            if (!exchange.head()) {
                send(exchange, file, part);
            }
        }
    }

    private static Optional<ByteRange> range(Exchange exchange, long size) throws HttpFailure {
        String header = exchange.header(HttpHeader.RANGE);
        if (header == null || exchange.head()) {
            return Optional.empty();
        }
        try {
            return ByteRange.of(header, size);
        } catch (HttpFailure unsatisfiable) {
            exchange.replyHeaders().put(HttpHeader.CONTENT_RANGE, "bytes */" + size);
            throw unsatisfiable;
        }
    }

    private static void describe(Exchange exchange, Inode inode) {
        exchange.replyHeaders().put(HttpHeader.CONTENT_TYPE, "application/octet-stream");
        exchange.replyHeaders().put(HttpHeader.ACCEPT_RANGES, "bytes");
        exchange.replyHeaders().put(HttpHeader.ETAG, "\"" + inode.ino() + "-" + inode.version() + "\"");
        exchange.replyHeaders()
                .put(
                        HttpHeader.LAST_MODIFIED,
                        DateTimeFormatter.RFC_1123_DATE_TIME.format(
                                inode.modified().toInstant().atOffset(ZoneOffset.UTC)));
    }

    private void send(Exchange exchange, OpenedFile file, ByteRange range)
            throws HttpFailure, ErrnoException, IOException, InterruptedException {
        ByteBuffer buffer = buffers.poll(BUFFER_WAIT_SECONDS, TimeUnit.SECONDS);
        if (buffer == null) {
            throw new HttpFailure(503, "busy", BUFFERS + " transfers are under way: try again");
        }
        try {
            if (buffer.capacity() == 0) {
                buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
            }
            copy(exchange, file, range, buffer);
        } finally {
            buffers.add(buffer.clear());
        }
    }

    private static void copy(Exchange exchange, OpenedFile file, ByteRange range, ByteBuffer buffer)
            throws ErrnoException, IOException {
        long sent = 0;
        do {
            buffer.clear().limit((int) Math.min(BUFFER_BYTES, range.length() - sent));
            int count = range.length() == 0 ? 0 : file.read(range.offset() + sent, MemorySegment.ofBuffer(buffer));
            if (count == 0 && range.length() > 0) {
                // A reply shorter than its Content-Length: the connection is broken off, so that nobody takes it for
                // whole.
                throw new IOException("the file became shorter while it was sent");
            }
            sent += count;
            exchange.write(sent == range.length(), buffer.limit(count));
        } while (sent < range.length());
    }

    private void store(Exchange exchange, String rest) throws HttpFailure, ErrnoException, IOException {
        FilePath path = FilePath.decode(rest);
        boolean created;
        try (InputStream body = exchange.body()) {
            created = files.store(path, body, exchange.bodyLength());
        }
        exchange.reply(created ? 201 : 200, Map.of("success", true));
    }

    private void remove(Exchange exchange, String rest) throws HttpFailure, ErrnoException, IOException {
        files.remove(FilePath.decode(rest));
        exchange.reply(200, Map.of("success", true));
    }

    /** Waits for a listing of its own, for a bounded time; with {@code join=true} for one that is under way. */
    private void refresh(Exchange exchange, String rest)
            throws HttpFailure, ErrnoException, IOException, InterruptedException {
        Optional<FilePath> path = rest.isEmpty() ? Optional.empty() : Optional.of(FilePath.decode(rest));
        boolean join = exchange.query("join").filter("true"::equals).isPresent();
        long deadline = System.nanoTime()
                + TimeUnit.SECONDS.toNanos(
                        NodeEndpoint.number(exchange, "timeout_seconds", DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS));
        FutureTask<Integer> mine = new FutureTask<>(() -> {
            try {
                return files.relist(path);
            } finally {
                // Before it has ended, for whoever waits to begin the next.
                listings.remove(rest);
            }
        });
        FutureTask<Integer> other = listings.putIfAbsent(rest, mine);
        boolean begun = join || other == null;
        if (other != null && !join && ends(other, deadline)) {
            // It was begun before and may have seen less. Whichever is next has not.
            other = listings.putIfAbsent(rest, mine);
            begun = true;
        }
        FutureTask<Integer> listing = other == null ? mine : other;
        if (other == null) {
            Thread.ofVirtual().name("refresh").start(mine);
        }
        boolean done = begun && ends(listing, deadline);
        exchange.reply(200, Map.of("begun", begun, "done", done, "names_changed", done ? result(listing) : 0));
    }

    /** Whether it has, by then, in whatever way. */
    private static boolean ends(FutureTask<Integer> listing, long deadline) throws InterruptedException {
        try {
            listing.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            return true;
        } catch (ExecutionException failed) {
            return true;
        } catch (TimeoutException goesOn) {
            return false;
        }
    }

    private static int result(FutureTask<Integer> ended) throws ErrnoException, IOException, InterruptedException {
        try {
            return ended.get();
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof ErrnoException errno) {
                throw new ErrnoException(errno.errno(), errno.reason(), errno);
            }
            throw new IOException(failed.getCause());
        }
    }
}
