package io.fusecache.fuse.session;

import io.fusecache.fuse.session.BufferPool.Buffer;
import io.fusecache.fuse.sys.Linux;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.Errno;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.MalformedRequest;
import io.fusecache.fuse.wire.RequestDecoder;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread that reads requests from one descriptor and hands each to the handler, until the mount is gone.
 *
 * <p>It has one large buffer. What a request carries beyond numbers and names goes along in the buffer, which the reply
 * then owns, and the reader takes another; short data is copied to a small buffer, so that a 4 KiB write under way does not
 * hold 1 MiB.
 */
final class RequestReader implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(RequestReader.class);

    private final FuseSession session;
    private final Connection connection;
    private final FuseHandler handler;
    private final InFlight.Desk desk;
    private final int fd;
    private final RequestDecoder decoder;
    private final DeviceReply noAnswer;
    private volatile int threadId;

    RequestReader(FuseSession session, Connection connection, FuseHandler handler, int fd, boolean extendedSetxattr) {
        this.session = session;
        this.connection = connection;
        this.handler = handler;
        this.desk = connection.inFlight().desk();
        this.fd = fd;
        this.decoder = new RequestDecoder(extendedSetxattr);
        this.noAnswer = new DeviceReply(connection, Pending.unanswerable(), false);
    }

    /** The kernel's id of the thread that runs this; 0 before it does. */
    int threadId() {
        return threadId;
    }

    int fd() {
        return fd;
    }

    @Override
    public void run() {
        threadId = Linux.threadId();
        Buffer buffer = connection.buffers().takeForMessage();
        try {
            while (!session.isStopping()) {
                MemorySegment message = buffer.message();
                long n = Posix.read(fd, message, message.byteSize());
                if (n > 0) {
                    buffer = serve(buffer, (int) n);
                } else if (ends((int) -n)) {
                    return;
                }
            }
        } catch (Throwable t) {
            // A reader lost without a word would leave its mount hanging.
            LOG.error("a reader of {} died: the mount goes on with fewer", session, t);
            throw t;
        } finally {
            buffer.giveBack();
            session.readerEnded(this);
        }
    }

    private boolean ends(int errno) {
        return switch (errno) {
            // A signal; a request taken back before it was read; nothing there.
            case Errno.EINTR, Errno.ENOENT, Errno.EAGAIN -> false;
            case Errno.ENODEV, Errno.ENOTCONN -> true;
            case Errno.ECONNABORTED -> {
                session.aborted();
                yield true;
            }
            default -> {
                LOG.error("reading requests of {} failed: {}", session, Errno.name(errno));
                session.aborted();
                yield true;
            }
        };
    }

    /** @return the buffer to read the next message to */
    private Buffer serve(Buffer buffer, int length) {
        FuseRequest request;
        try {
            request = decoder.decode(buffer.message(), length);
        } catch (MalformedRequest e) {
            LOG.error("{} sent what is not FUSE: {}", session, e.getMessage());
            if (e.unique() != 0) {
                connection.device().writeError(fd, e.unique(), Errno.EIO);
            }
            return buffer;
        }
        switch (request) {
            case FuseRequest.Interrupt interrupt -> interrupt(interrupt);
            case FuseRequest.Forget forget -> forget(forget);
            case FuseRequest.BatchForget forget -> forget(forget);
            case FuseRequest.NotifyReply reply -> session.retrieved(reply);
            case FuseRequest.Unknown unknown ->
                connection.device().writeError(fd, unknown.header().unique(), Errno.ENOSYS);
            case FuseRequest.Init init ->
                connection.device().writeError(fd, init.header().unique(), Errno.EIO);
            case FuseRequest.Destroy destroy -> answerDestroy(destroy);
            case FuseRequest.Write write -> {
                return write(write, buffer);
            }
            case FuseRequest.Ioctl ioctl -> dispatch(onHeap(ioctl), pending(ioctl), false);
            case FuseRequest.CopyFileRange copy -> dispatch(copy, pending(copy), copy.wide());
            default -> dispatch(request, pending(request), false);
        }
        return buffer;
    }

    private Buffer write(FuseRequest.Write write, Buffer buffer) {
        Pending pending = pending(write);
        long size = write.data().byteSize();
        if (size > BufferPool.SMALL_BYTES) {
            pending.payload(buffer);
            dispatch(write, pending, false);
            return connection.buffers().takeForMessage();
        }
        Buffer small = connection.buffers().takeForData((int) size);
        pending.payload(small);
        MemorySegment data = small.data((int) size).copyFrom(write.data());
        dispatch(
                new FuseRequest.Write(
                        write.header(),
                        write.fh(),
                        write.offset(),
                        data,
                        write.writeFlags(),
                        write.lockOwner(),
                        write.flags()),
                pending,
                false);
        return buffer;
    }

    private static FuseRequest.Ioctl onHeap(FuseRequest.Ioctl ioctl) {
        MemorySegment copy = MemorySegment.ofArray(ioctl.input().toArray(ValueLayout.JAVA_BYTE));
        return new FuseRequest.Ioctl(
                ioctl.header(), ioctl.fh(), ioctl.flags(), ioctl.command(), ioctl.argument(), ioctl.outSize(), copy);
    }

    private Pending pending(FuseRequest request) {
        return new Pending(fd, request.header().unique());
    }

    private void dispatch(FuseRequest request, Pending pending, boolean wide) {
        DeviceReply reply = new DeviceReply(connection, pending, wide);
        desk.current(pending);
        try {
            handler.handle(request, reply);
        } catch (Throwable t) {
            LOG.error("{} failed", request, t);
            connection.answerInStead(pending);
            if (t instanceof VirtualMachineError e) {
                throw e;
            }
        } finally {
            if (!pending.isAnswered()) {
                connection.keep(pending, reply);
            }
            desk.current(null);
        }
    }

    private void forget(FuseRequest request) {
        LookupCounts lookups = connection.lookups();
        if (lookups != null) {
            switch (request) {
                case FuseRequest.Forget one -> lookups.forget(one.nodeId(), one.lookups());
                case FuseRequest.BatchForget many ->
                    many.nodes().forEach(node -> lookups.forget(node.nodeId(), node.lookups()));
                default -> throw new AssertionError(request);
            }
        }
        try {
            handler.handle(request, noAnswer);
        } catch (RuntimeException | AssertionError e) {
            LOG.error("{} failed", request, e);
        }
    }

    private void interrupt(FuseRequest.Interrupt interrupt) {
        Pending target = connection.inFlight().find(interrupt.target());
        if (target == null) {
            // Another reader has the request in its hands and has not shown it yet: have this sent once more. The
            // kernel
            // looks for the request among those of the descriptor that this is written to. Answered already, it is with
            // none.
            for (int each : session.descriptors()) {
                connection.device().writeError(each, interrupt.header().unique(), Errno.EAGAIN);
            }
            return;
        }
        try {
            target.interrupt();
        } catch (RuntimeException | AssertionError e) {
            LOG.error("the interrupt action of request {} failed", Long.toUnsignedString(interrupt.target()), e);
        }
    }

    private void answerDestroy(FuseRequest.Destroy destroy) {
        Pending pending = pending(destroy);
        new DeviceReply(connection, pending, false).ok();
    }
}
