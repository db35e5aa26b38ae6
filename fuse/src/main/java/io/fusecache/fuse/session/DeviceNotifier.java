package io.fusecache.fuse.session;

import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.sys.PosixException;
import io.fusecache.fuse.wire.Errno;
import io.fusecache.fuse.wire.FileName;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.NotifyEncoder;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Notifications written to the device; those that are answered are kept until they are. */
final class DeviceNotifier implements Notifier {
    private static final int EXPIRE_ONLY = 1;
    private static final int NODES_A_MESSAGE = 4096;

    private final int fd;
    private final DescriptorGate gate;
    private final AtomicLong lastUnique = new AtomicLong();
    private final ConcurrentHashMap<Long, CompletableFuture<Retrieved>> retrievals = new ConcurrentHashMap<>();

    DeviceNotifier(int fd, DescriptorGate gate) {
        this.fd = fd;
        this.gate = gate;
    }

    /** Writes the first {@code length} bytes of {@code message}: one notification. */
    private boolean send(String name, MemorySegment message, int length) throws PosixException {
        if (!gate.enter()) {
            throw new PosixException(name, Errno.ENODEV, "the session is closed");
        }
        long answer;
        try {
            do {
                answer = Posix.write(fd, message, length);
            } while (answer == -Errno.EINTR);
        } finally {
            gate.leave();
        }
        if (answer == -Errno.ENOENT) {
            return false;
        }
        if (answer < 0) {
            throw new PosixException(name, (int) -answer, "notification");
        }
        return true;
    }

    @Override
    public boolean invalInode(long nodeId, long offset, long length) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(NotifyEncoder.roomFor(0), 8);
            return send("inval_inode", out, NotifyEncoder.invalInode(out, nodeId, offset, length));
        }
    }

    @Override
    public boolean invalEntry(long parent, FileName name) throws PosixException {
        return entry("inval_entry", parent, name, 0);
    }

    @Override
    public boolean expireEntry(long parent, FileName name) throws PosixException {
        return entry("expire_entry", parent, name, EXPIRE_ONLY);
    }

    private boolean entry(String call, long parent, FileName name, int flags) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(NotifyEncoder.roomFor(name.length()), 8);
            return send(call, out, NotifyEncoder.invalEntry(out, parent, name, flags));
        }
    }

    @Override
    public boolean delete(long parent, long child, FileName name) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(NotifyEncoder.roomFor(name.length()), 8);
            return send("delete", out, NotifyEncoder.delete(out, parent, child, name));
        }
    }

    @Override
    public boolean store(long nodeId, long offset, MemorySegment data) throws PosixException {
        int room = NotifyEncoder.roomFor(0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(room + data.byteSize(), 8);
            int length = NotifyEncoder.store(out, nodeId, offset, Math.toIntExact(data.byteSize()));
            MemorySegment.copy(data, 0, out, length, data.byteSize());
            return send("store", out, length + (int) data.byteSize());
        }
    }

    @Override
    public CompletableFuture<Retrieved> retrieve(long nodeId, long offset, int size) {
        long unique = lastUnique.incrementAndGet();
        CompletableFuture<Retrieved> future = new CompletableFuture<>();
        retrievals.put(unique, future);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(NotifyEncoder.roomFor(0), 8);
            if (!send("retrieve", out, NotifyEncoder.retrieve(out, unique, nodeId, offset, size))) {
                fail(unique, new PosixException("retrieve", Errno.ENOENT, "node " + nodeId));
            }
        } catch (PosixException e) {
            fail(unique, e);
        }
        return future;
    }

    private void fail(long unique, PosixException e) {
        CompletableFuture<Retrieved> future = retrievals.remove(unique);
        if (future != null) {
            future.completeExceptionally(e);
        }
    }

    /** The kernel's answer to a retrieval. */
    void retrieved(FuseRequest.NotifyReply reply) {
        CompletableFuture<Retrieved> future = retrievals.remove(reply.header().unique());
        if (future != null) {
            future.complete(new Retrieved(
                    reply.offset(), MemorySegment.ofArray(reply.data().toArray(ValueLayout.JAVA_BYTE))));
        }
    }

    /** The session is over: nobody will answer what is asked for still. */
    void close() {
        for (Long unique : retrievals.keySet()) {
            fail(unique, new PosixException("retrieve", Errno.ENODEV, "the session is closed"));
        }
    }

    @Override
    public void poll(long kernelHandle) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(NotifyEncoder.roomFor(0), 8);
            send("poll", out, NotifyEncoder.poll(out, kernelHandle));
        }
    }

    @Override
    public void resend() throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(NotifyEncoder.roomFor(0), 8);
            send("resend", out, NotifyEncoder.resend(out));
        }
    }

    @Override
    public void incEpoch() throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(NotifyEncoder.roomFor(0), 8);
            send("inc_epoch", out, NotifyEncoder.incEpoch(out));
        }
    }

    @Override
    public void prune(long... nodeIds) throws PosixException {
        for (int from = 0; from < nodeIds.length; from += NODES_A_MESSAGE) {
            int count = Math.min(NODES_A_MESSAGE, nodeIds.length - from);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment out = arena.allocate(NotifyEncoder.roomFor(0) + count * 8L, 8);
                int length = NotifyEncoder.prune(out, count);
                MemorySegment.copy(nodeIds, from, out, ValueLayout.JAVA_LONG, length, count);
                send("prune", out, length + count * 8);
            }
        }
    }
}
