package io.fusecache.client.bridge;

import io.fusecache.filesystem.NodeIds;
import io.fusecache.fuse.session.Reply;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.lock.FileLock;
import io.fusecache.metadata.lock.FileLocks;
import io.fusecache.metadata.lock.LockKind;
import io.fusecache.metadata.lock.LockType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's lock requests as {@link FileLocks} wants them, and what closing a file gives back.
 *
 * <p>A process owns its locks of fcntl(2): they go with the first FLUSH of that owner for the file, whichever descriptor it
 * comes from. An open file description owns those of flock(2), and those of F_OFD_SETLK, which look like a process's: they go
 * with the RELEASE of the handle they were taken by. For that it is remembered which owner asked by which handle, from
 * before it asks: an answer may come late, but what closing gives back is asked for after it.
 *
 * <p>The kernel sends RELEASE after close(2) has returned, but before any request that came later. A lock that is asked for
 * waits here until what an earlier RELEASE gives back has been given back.
 *
 * <p>Closing a file that no lock was asked for costs a look into a map. Guarded by its own monitor.
 */
final class KernelLocks {
    private record Owner(long ino, LockKind kind, long id) {}

    private final FileLocks locks;
    private final Answering answering;
    private final ExecutorService executor;

    /** Owners that may have locks, with the handles by which they asked. */
    private final Map<Owner, Set<Long>> handles = new HashMap<>();

    private final Map<Long, Set<Owner>> owners = new HashMap<>();

    /** What is being given back by RELEASE, by inode. */
    private final ConcurrentHashMap<Long, CompletableFuture<Void>> releasing = new ConcurrentHashMap<>();

    KernelLocks(FileLocks locks, Answering answering, ExecutorService executor) {
        this.locks = locks;
        this.answering = answering;
        this.executor = executor;
    }

    // asking

    void set(
            FuseRequest request,
            long handle,
            long owner,
            io.fusecache.fuse.wire.FileLock wanted,
            int flags,
            Reply reply) {
        FileLock lock;
        try {
            lock = lock(request, owner, wanted, (flags & FuseRequest.Setlk.FLOCK) != 0);
        } catch (ErrnoException e) {
            reply.error(e.errno().number());
            return;
        }
        remember(lock, handle);
        CompletableFuture<Void> before = releasing.get(lock.ino());
        boolean waits = request instanceof FuseRequest.Setlkw;
        FileLocks.Request asked = locks.request(lock, waits, new FileLocks.Decision() {
            @Override
            public void granted() {
                execute(reply, () -> answering.now(request, reply, reply::ok));
            }

            @Override
            public void refused(ErrnoException why) {
                execute(
                        reply,
                        () -> answering.now(request, reply, () -> {
                            throw why;
                        }));
            }
        });
        if (waits) {
            reply.onInterrupt(() -> execute(reply, asked::cancel));
        }
        answering.later(request, reply, () -> {
            if (before != null) {
                before.join();
            }
            asked.send();
        });
    }

    /** Not on the thread that decides, which reads the coordinator's stream. */
    private void execute(Reply reply, Runnable task) {
        try {
            executor.execute(task);
        } catch (RejectedExecutionException e) {
            if (!reply.isAnswered()) {
                reply.error(Errno.EIO.number());
            }
        }
    }

    void find(FuseRequest.Getlk request, Reply reply) throws ErrnoException {
        FileLock lock = lock(request, request.owner(), request.lock(), false);
        FileLocks.Obstacle found = locks.find(lock);
        if (found == null) {
            reply.lock(new io.fusecache.fuse.wire.FileLock(
                    request.lock().start(), request.lock().end(), io.fusecache.fuse.wire.FileLock.UNLOCKED, 0));
            return;
        }
        FileLock obstacle = found.lock();
        int type = obstacle.type() == LockType.SHARED
                ? io.fusecache.fuse.wire.FileLock.READ
                : io.fusecache.fuse.wire.FileLock.WRITE;
        // A process of another node has no number here; one that it has there may be anybody's here.
        int pid = found.here() ? obstacle.pid() : 0;
        reply.lock(new io.fusecache.fuse.wire.FileLock(obstacle.start(), obstacle.end(), type, pid));
    }

    private static FileLock lock(FuseRequest request, long owner, io.fusecache.fuse.wire.FileLock wanted, boolean flock)
            throws ErrnoException {
        LockType type = switch (wanted.type()) {
            case io.fusecache.fuse.wire.FileLock.READ -> LockType.SHARED;
            case io.fusecache.fuse.wire.FileLock.WRITE -> LockType.EXCLUSIVE;
            case io.fusecache.fuse.wire.FileLock.UNLOCKED -> LockType.UNLOCKED;
            default -> throw new ErrnoException(Errno.EINVAL, "a lock of type " + wanted.type());
        };
        long ino = NodeIds.ino(request.nodeId());
        return flock
                ? new FileLock(ino, LockKind.WHOLE_FILE, owner, wanted.pid(), type, 0, FileLock.TO_END)
                : new FileLock(ino, LockKind.BYTES, owner, wanted.pid(), type, wanted.start(), wanted.end());
    }

    private synchronized void remember(FileLock lock, long handle) {
        if (lock.type() != LockType.UNLOCKED) {
            Owner owner = new Owner(lock.ino(), lock.kind(), lock.owner());
            handles.computeIfAbsent(owner, none -> new HashSet<>()).add(handle);
            owners.computeIfAbsent(handle, none -> new HashSet<>()).add(owner);
        }
    }

    // closing

    /** Whether a close by this owner gives something back. */
    synchronized boolean mayHold(FuseRequest.Flush flush) {
        return handles.containsKey(process(flush));
    }

    private static Owner process(FuseRequest.Flush flush) {
        return new Owner(NodeIds.ino(flush.nodeId()), LockKind.BYTES, flush.lockOwner());
    }

    /** A process closed a descriptor of the file: its locks are gone when this returns. */
    void closed(FuseRequest.Flush flush) {
        Owner owner = process(flush);
        synchronized (this) {
            Set<Long> askedBy = handles.remove(owner);
            if (askedBy == null) {
                return;
            }
            askedBy.forEach(handle -> forget(handle, owner));
        }
        giveBack(List.of(owner));
    }

    private void forget(long handle, Owner owner) {
        Set<Owner> of = owners.get(handle);
        if (of != null && of.remove(owner) && of.isEmpty()) {
            owners.remove(handle);
        }
    }

    /** An open file description is gone. What gives its locks back, null where it has none. On the thread that read it. */
    @Nullable Runnable released(FuseRequest.Release release) {
        List<Owner> gone = new ArrayList<>();
        synchronized (this) {
            Set<Owner> of = owners.remove(release.fh());
            for (Owner owner : of == null ? Set.<Owner>of() : of) {
                Set<Long> others = handles.get(owner);
                if (others != null && others.remove(release.fh()) && others.isEmpty()) {
                    handles.remove(owner);
                    gone.add(owner);
                }
            }
        }
        if (gone.isEmpty()) {
            return null;
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        long ino = NodeIds.ino(release.nodeId());
        releasing.merge(ino, done, (one, other) -> CompletableFuture.allOf(one, other));
        return () -> {
            try {
                giveBack(gone);
            } finally {
                done.complete(null);
                releasing.computeIfPresent(ino, (same, all) -> all.isDone() ? null : all);
            }
        };
    }

    private void giveBack(List<Owner> gone) {
        for (Owner owner : gone) {
            FileLock all = FileLock.release(owner.ino(), owner.kind(), owner.id());
            locks.request(all, false, UNHEARD).send();
        }
    }

    /** The session sees to it that what is given back is gone, when the coordinator cannot be reached now. */
    private static final FileLocks.Decision UNHEARD = new FileLocks.Decision() {
        @Override
        public void granted() {}

        @Override
        public void refused(ErrnoException why) {
            org.slf4j.LoggerFactory.getLogger(KernelLocks.class)
                    .warn("locks of a closed file are given back later: {}", why.getMessage());
        }
    };
}
