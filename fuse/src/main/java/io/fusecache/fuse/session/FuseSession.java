package io.fusecache.fuse.session;

import io.fusecache.fuse.mount.FuseDevice;
import io.fusecache.fuse.mount.FuseMount;
import io.fusecache.fuse.mount.MountException;
import io.fusecache.fuse.mount.MountTable;
import io.fusecache.fuse.session.BufferPool.Buffer;
import io.fusecache.fuse.sys.Linux;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.sys.PosixException;
import io.fusecache.fuse.wire.Errno;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.InitFlag;
import io.fusecache.fuse.wire.InitReply;
import io.fusecache.fuse.wire.MalformedRequest;
import io.fusecache.fuse.wire.ReplyEncoder;
import io.fusecache.fuse.wire.RequestDecoder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mounted file system being served: from {@link #start} until someone unmounts it or {@link #close} does.
 *
 * <p>Threads: some readers, on descriptors of their own. Locks: none on the way of a request. Ends in one order, whoever
 * begins it: nothing more is read, what is in flight is answered (by the handler, or EIO), the descriptors are closed, the
 * handler's {@code destroy} is called, and {@link #awaitUnmount} returns.
 */
public final class FuseSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FuseSession.class);

    /** A real-time signal, of which the JVM uses 62 and glibc the first two. */
    private static final int WAKING_SIGNAL = 60;

    private static final int CAP_SYS_ADMIN = 21;
    private static final Duration READER_GRACE = Duration.ofSeconds(2);
    private static final long SIGNAL_EVERY_MILLIS = 10;

    private final FuseMount mount;
    private final SessionOptions options;
    private final FuseHandler handler;
    private final Connection connection;
    private final DescriptorGate gate = new DescriptorGate();
    private final DeviceNotifier notifier;
    private final List<RequestReader> readers = new ArrayList<>();
    private final List<Integer> descriptors = new ArrayList<>();
    private final AtomicBoolean closing = new AtomicBoolean();
    private final AtomicBoolean finished = new AtomicBoolean();
    private final CountDownLatch over = new CountDownLatch(1);
    private CountDownLatch readersLeft = new CountDownLatch(0);
    private volatile boolean stopping;
    private volatile boolean aborted;
    private @Nullable Capabilities capabilities;

    private FuseSession(FuseMount mount, SessionOptions options, FuseHandler handler, Arena arena) {
        this.mount = mount;
        this.options = options;
        this.handler = handler;
        this.connection = new Connection(options, arena);
        this.notifier = new DeviceNotifier(mount.fd(), gate);
        descriptors.add(mount.fd());
    }

    /**
     * Mounts, negotiates and serves.
     *
     * @param arena where {@link SessionOptions#bufferBytes} bytes are taken from, now; shared, and closed after the session
     * @throws MountException with one line that says why not; nothing is left mounted then
     */
    public static FuseSession start(Path mountPoint, SessionOptions options, FuseHandler handler, Arena arena)
            throws MountException {
        FuseMount mount = FuseMount.mount(mountPoint, options.mount());
        FuseSession session = new FuseSession(mount, options, handler, arena);
        try {
            session.open();
            return session;
        } catch (IOException | RuntimeException | Error e) {
            session.giveUp(e);
            throw e instanceof MountException m
                    ? m
                    : new MountException("mount on " + mountPoint + " could not be served: " + e.getMessage(), e);
        }
    }

    private void open() throws IOException {
        Negotiation negotiation = negotiate();
        int longestSplice = InitFlag.SPLICE_WRITE.isIn(negotiation.reply().flags()) ? connection.allowSplice() : 0;
        int readAheadKib = raiseReadAhead();
        Capabilities agreed =
                negotiation.capabilities(readAheadKib, longestSplice, options.readers(), mount.byFusermount());
        capabilities = agreed;
        handler.init(agreed);
        boolean extendedSetxattr = agreed.has(InitFlag.SETXATTR_EXT);
        for (int i = 0; i < options.readers(); i++) {
            int fd = mount.fd();
            if (i > 0) {
                fd = FuseDevice.cloneOf(mount.fd());
                descriptors.add(fd);
            }
            readers.add(new RequestReader(this, connection, handler, fd, extendedSetxattr));
        }
        int answer = Linux.handleByInterruptingOnly(WAKING_SIGNAL);
        if (answer < 0) {
            throw new PosixException("sigaction", -answer, "signal " + WAKING_SIGNAL);
        }
        readersLeft = new CountDownLatch(readers.size());
        for (int i = 0; i < readers.size(); i++) {
            Thread.ofPlatform()
                    .name("fuse-" + mount.mountPoint().getFileName() + "-" + i)
                    .daemon()
                    .start(readers.get(i));
        }
    }

    /** Reads INIT and answers it; a kernel of a later major version sends it twice. */
    private Negotiation negotiate() throws IOException {
        Buffer buffer = connection.buffers().takeForMessage();
        try {
            while (true) {
                FuseRequest.Init offer = readInit(buffer);
                if (offer.major() < Negotiation.MAJOR
                        || (offer.major() == Negotiation.MAJOR && offer.minor() < Negotiation.OLDEST_MINOR)) {
                    connection.device().writeError(mount.fd(), offer.header().unique(), Errno.EPROTO);
                    throw new MountException("the kernel speaks FUSE " + offer.major() + "." + offer.minor() + "; 7."
                            + Negotiation.OLDEST_MINOR + " (Linux 5.4) or later is needed");
                }
                Negotiation negotiation = Negotiation.of(offer, options, mayPassThrough());
                answerInit(offer, negotiation.reply());
                if (offer.major() == Negotiation.MAJOR) {
                    return negotiation;
                }
            }
        } finally {
            buffer.giveBack();
        }
    }

    private FuseRequest.Init readInit(Buffer buffer) throws IOException {
        long n;
        do {
            n = Posix.read(mount.fd(), buffer.message(), buffer.message().byteSize());
        } while (n == -Errno.EINTR || n == -Errno.ENOENT);
        if (n < 0) {
            throw new PosixException("reading INIT", (int) -n, FuseDevice.PATH.toString());
        }
        try {
            FuseRequest first = new RequestDecoder(false).decode(buffer.message(), (int) n);
            if (first instanceof FuseRequest.Init init) {
                return init;
            }
            throw new MountException("the kernel began with " + first + " instead of INIT");
        } catch (MalformedRequest e) {
            throw new MountException("the kernel's INIT is not FUSE: " + e.getMessage(), e);
        }
    }

    private void answerInit(FuseRequest.Init offer, InitReply reply) throws MountException {
        ReplyScratch scratch = connection.device().scratch();
        int piece = scratch.take();
        try {
            MemorySegment out = scratch.piece(piece);
            int length = ReplyEncoder.init(out, ReplyEncoder.HEADER_LENGTH, reply);
            if (!connection.device().write(mount.fd(), offer.header().unique(), out, length)) {
                throw new MountException("the mount was taken away while it was being negotiated");
            }
        } finally {
            scratch.give(piece);
        }
    }

    private static boolean mayPassThrough() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("CapEff:")) {
                long effective = Long.parseUnsignedLong(line.substring(7).strip(), 16);
                return (effective >>> CAP_SYS_ADMIN & 1) != 0;
            }
        }
        return false;
    }

    /** Raises the mount's read-ahead where this process may; INIT itself can only lower it. */
    private int raiseReadAhead() throws IOException {
        Optional<MountTable.Entry> entry = MountTable.find(mount.mountPoint());
        if (entry.isEmpty()) {
            return 0;
        }
        Path file = Path.of("/sys/class/bdi/" + entry.get().deviceMajor() + ":"
                + entry.get().deviceMinor() + "/read_ahead_kb");
        try {
            if (options.readAheadKib() > 0) {
                Files.writeString(file, Integer.toString(options.readAheadKib()));
            }
        } catch (IOException e) {
            LOG.info("read-ahead of {} stays as the kernel has it: {} cannot be written", mount.mountPoint(), file);
        }
        try {
            return Integer.parseInt(Files.readString(file).strip());
        } catch (IOException | NumberFormatException e) {
            LOG.debug("read-ahead of {} is unknown", mount.mountPoint(), e);
            return 0;
        }
    }

    private void giveUp(Throwable cause) {
        stopping = true;
        try {
            mount.detach();
        } catch (MountException e) {
            cause.addSuppressed(e);
        }
        finish();
    }

    /** What kernel and session agreed on. */
    public Capabilities negotiated() {
        Capabilities agreed = capabilities;
        if (agreed == null) {
            throw new IllegalStateException("nothing is negotiated yet");
        }
        return agreed;
    }

    public Path mountPoint() {
        return mount.mountPoint();
    }

    public Notifier notifier() {
        return notifier;
    }

    /** The kernel's references to nodes; empty unless {@link SessionOptions#countLookups}. */
    public Optional<LookupCounts> lookups() {
        return Optional.ofNullable(connection.lookups());
    }

    /** Requests that wait for their answer now. */
    public int requestsInFlight() {
        return connection.inFlight().count();
    }

    /** Answers whose bytes went from file to kernel by splice, without passing through this process. */
    public long splicedAnswers() {
        return connection.device().spliced();
    }

    /**
     * Lets the kernel read and write a file by itself.
     *
     * @param fd open for what the passed-through opens are to do; may be closed afterwards
     * @throws PosixException EPERM without passthrough or CAP_SYS_ADMIN, ELOOP on a stacked file system
     */
    public BackingFile registerBacking(int fd) throws PosixException {
        return DeviceBackingFile.open(mount.fd(), gate, fd);
    }

    boolean isStopping() {
        return stopping;
    }

    /** Of the device, one for each reader; complete before the first of them runs. */
    List<Integer> descriptors() {
        return descriptors;
    }

    void retrieved(FuseRequest.NotifyReply reply) {
        notifier.retrieved(reply);
    }

    /** The connection was cut while the mount is still in the tree, dead. */
    void aborted() {
        aborted = true;
    }

    void readerEnded(RequestReader reader) {
        LOG.debug("reader {} of {} ended", reader.threadId(), this);
        readersLeft.countDown();
        if (readersLeft.getCount() == 0) {
            finish();
        }
    }

    /** Waits until the mount is gone and everything of the session with it. */
    public void awaitUnmount() throws InterruptedException {
        over.await();
    }

    /** The same, for so long at most; whether it is gone. */
    public boolean awaitUnmount(Duration timeout) throws InterruptedException {
        return over.await(timeout.toNanos(), TimeUnit.NANOSECONDS);
    }

    /**
     * Unmounts and ends. Where files are still open, takes the mount out of the tree and goes on serving them for {@link
     * SessionOptions#drainTimeout}; what is in flight then answers EIO, and everything after that ENOTCONN.
     *
     * <p>Not from a handler: it waits for the readers.
     *
     * @throws MountException when unmounting failed; the session is over nevertheless
     */
    @Override
    public void close() throws MountException {
        if (!closing.compareAndSet(false, true)) {
            awaitQuietly(over, Duration.ofDays(1));
            return;
        }
        try {
            if (over.getCount() > 0 && !mount.unmount()) {
                LOG.info("{} is in use: taken out of the tree, its open files are served on", mount.mountPoint());
                mount.detach();
            }
        } finally {
            if (!awaitQuietly(over, options.drainTimeout())) {
                LOG.warn(
                        "{} is still in use after {} s: {} requests are answered EIO and the connection ends",
                        mount.mountPoint(),
                        options.drainTimeout().toSeconds(),
                        requestsInFlight());
                stopReaders();
                finish();
            }
            awaitQuietly(over, READER_GRACE);
        }
    }

    /** Has {@link #close} called when the virtual machine ends, SIGTERM and SIGINT included. */
    public void closeAtExit() {
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("fuse-unmount").unstarted(() -> {
                    try {
                        close();
                    } catch (MountException e) {
                        LOG.error("{}", e.getMessage());
                    }
                }));
    }

    private void stopReaders() {
        stopping = true;
        connection.abandonAll();
        long deadline = System.nanoTime() + READER_GRACE.toNanos();
        // One signal may come just before a reader enters read(2), and be lost: again, until none is left.
        while (readersLeft.getCount() > 0 && System.nanoTime() < deadline) {
            for (RequestReader reader : readers) {
                if (reader.threadId() != 0) {
                    Linux.signalThread(reader.threadId(), WAKING_SIGNAL);
                }
            }
            awaitQuietly(readersLeft, Duration.ofMillis(SIGNAL_EVERY_MILLIS));
        }
    }

    /** The end, once, by whoever comes first. */
    private void finish() {
        if (!finished.compareAndSet(false, true)) {
            return;
        }
        stopping = true;
        try {
            connection.abandonAll();
            connection.inFlight().awaitNone();
            gate.close();
            descriptors.forEach(Posix::close);
            connection.device().close();
            notifier.close();
            if (aborted) {
                LOG.error("the connection of {} was aborted: it is unmounted", this);
                mount.detach();
            }
            handler.destroy();
        } catch (MountException | RuntimeException | AssertionError e) {
            LOG.error("the end of {} was not clean", this, e);
        } finally {
            over.countDown();
        }
    }

    private static boolean awaitQuietly(CountDownLatch latch, Duration timeout) {
        boolean interrupted = false;
        long deadline = System.nanoTime() + timeout.toNanos();
        try {
            while (true) {
                try {
                    return latch.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    // Ending half-way would leave a mount that nobody serves.
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public String toString() {
        return "fuse mount " + mount.mountPoint();
    }
}
