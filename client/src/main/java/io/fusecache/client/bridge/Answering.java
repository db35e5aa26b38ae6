package io.fusecache.client.bridge;

import io.fusecache.fuse.session.Reply;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it that every request is answered once: here, or on a virtual thread where the answer may take time; with the
 * result, or with the error's number. The one place where errors are logged: what means that something broke, as a warning;
 * what programs cause and expect (ENOENT and its like), hardly ever.
 */
final class Answering {
    private static final Logger LOG = LoggerFactory.getLogger(Answering.class);

    /** A reader thread that finds so many requests under way waits: the kernel queues the rest. */
    private static final int MAX_IN_FLIGHT = 4096;

    private final ExecutorService executor;
    private final Semaphore inFlight = new Semaphore(MAX_IN_FLIGHT);

    Answering(ExecutorService executor) {
        this.executor = executor;
    }

    /** An answer at once: returns false where it would have to wait, and then has not answered. */
    interface Fast {
        boolean answer() throws ErrnoException;
    }

    /** An answer that may take its time. */
    interface Slow {
        void answer() throws ErrnoException;
    }

    void answer(FuseRequest request, Reply reply, Fast fast, Slow slow) {
        try {
            if (fast.answer()) {
                return;
            }
        } catch (ErrnoException e) {
            failed(request, reply, e);
            return;
        }
        later(request, reply, slow);
    }

    void later(FuseRequest request, Reply reply, Slow slow) {
        inFlight.acquireUninterruptibly();
        try {
            executor.execute(() -> {
                try {
                    now(request, reply, slow);
                } finally {
                    inFlight.release();
                }
            });
        } catch (RejectedExecutionException e) {
            inFlight.release();
            reply.error(Errno.EIO.number());
        }
    }

    void now(FuseRequest request, Reply reply, Slow slow) {
        try {
            slow.answer();
        } catch (ErrnoException e) {
            failed(request, reply, e);
        } catch (RuntimeException | AssertionError e) {
            LOG.error("{} failed", request, e);
            if (!reply.isAnswered()) {
                reply.error(Errno.EIO.number());
            }
        }
    }

    private static void failed(FuseRequest request, Reply reply, ErrnoException e) {
        switch (e.errno()) {
            case EIO, ENOSPC, ETIMEDOUT, ENOMEM -> LOG.warn("{}: {}", describe(request), e.getMessage());
            case EBUSY -> LOG.info("{}: {}", describe(request), e.getMessage());
            default -> LOG.trace("{}: {}", describe(request), e.getMessage());
        }
        LOG.debug("{}", describe(request), e);
        reply.error(e.errno().number());
    }

    private static String describe(FuseRequest request) {
        return request.getClass().getSimpleName() + " of node " + Long.toHexString(request.nodeId()) + " by process "
                + request.header().pid();
    }
}
