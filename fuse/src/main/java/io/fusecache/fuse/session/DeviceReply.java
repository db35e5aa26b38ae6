package io.fusecache.fuse.session;

import io.fusecache.fuse.session.BufferPool.Buffer;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.AttributesReply;
import io.fusecache.fuse.wire.Bytes;
import io.fusecache.fuse.wire.DirectoryBuffer;
import io.fusecache.fuse.wire.EntryReply;
import io.fusecache.fuse.wire.Errno;
import io.fusecache.fuse.wire.FileLock;
import io.fusecache.fuse.wire.OpenReply;
import io.fusecache.fuse.wire.ReplyEncoder;
import io.fusecache.fuse.wire.StatfsReply;
import io.fusecache.fuse.wire.StatxReply;
import java.lang.foreign.MemorySegment;

/** The reply to one request of the device. An answer is laid out first and claimed then: what throws, answers nothing. */
final class DeviceReply implements Reply {
    private static final int IOCTL = 1;
    private static final int BODY = ReplyEncoder.HEADER_LENGTH;

    private final Connection connection;
    private final Pending pending;
    /** Whether COPY_FILE_RANGE is to be answered with 64 bits. */
    private final boolean wide;

    DeviceReply(Connection connection, Pending pending, boolean wide) {
        this.connection = connection;
        this.pending = pending;
        this.wide = wide;
    }

    @Override
    public boolean error(int errno) {
        if (errno <= 0 || errno >= 4096) {
            throw new IllegalArgumentException("an error number is from 1 to 4095, not " + errno);
        }
        if (!pending.claim()) {
            return false;
        }
        try {
            return connection.device().writeError(pending.fd, pending.unique, errno);
        } finally {
            connection.answered(pending);
        }
    }

    @Override
    public boolean ok() {
        int piece = scratch().take();
        try {
            return send(scratch().piece(piece), 0);
        } finally {
            scratch().give(piece);
        }
    }

    @Override
    public boolean entry(EntryReply entry) {
        int piece = scratch().take();
        try {
            MemorySegment out = scratch().piece(piece);
            return sendEntry(out, ReplyEncoder.entry(out, BODY, entry), entry);
        } finally {
            scratch().give(piece);
        }
    }

    @Override
    public boolean attributes(AttributesReply attributes) {
        int piece = scratch().take();
        try {
            MemorySegment out = scratch().piece(piece);
            return send(out, ReplyEncoder.attributes(out, BODY, attributes));
        } finally {
            scratch().give(piece);
        }
    }

    @Override
    public boolean link(Bytes target) {
        return data(MemorySegment.ofArray(target.toByteArray()));
    }

    @Override
    public boolean opened(OpenReply open) {
        int piece = scratch().take();
        try {
            MemorySegment out = scratch().piece(piece);
            return send(out, ReplyEncoder.open(out, BODY, open));
        } finally {
            scratch().give(piece);
        }
    }

    @Override
    public boolean created(EntryReply entry, OpenReply open) {
        int piece = scratch().take();
        try {
            MemorySegment out = scratch().piece(piece);
            int length = ReplyEncoder.entry(out, BODY, entry);
            return sendEntry(out, length + ReplyEncoder.open(out, BODY + length, open), entry);
        } finally {
            scratch().give(piece);
        }
    }

    @Override
    public boolean data(MemorySegment content) {
        return sendContent(0, 0, content);
    }

    @Override
    public boolean dataFromFile(int fd, long offset, int length) {
        if (connection.splices(length)) {
            if (!pending.claim()) {
                return false;
            }
            boolean sent = false;
            try {
                sent = connection.device().splice(pending.fd, pending.unique, fd, offset, length);
            } finally {
                if (sent) {
                    connection.answered(pending);
                }
            }
            return sent || copyFromFile(fd, offset, length);
        }
        Buffer buffer = connection.buffers().takeForData(length);
        try {
            MemorySegment data = buffer.data(length);
            long n = readFile(fd, data, offset);
            return n < 0 ? error((int) -n) : data(data.asSlice(0, n));
        } finally {
            buffer.giveBack();
        }
    }

    /** The rest of an answer that is claimed and could not be spliced. */
    private boolean copyFromFile(int fd, long offset, int length) {
        Buffer buffer = connection.buffers().takeForData(length);
        int piece = scratch().take();
        try {
            MemorySegment data = buffer.data(length);
            long n = readFile(fd, data, offset);
            return n < 0
                    ? connection.device().writeError(pending.fd, pending.unique, (int) -n)
                    : connection
                            .device()
                            .write(pending.fd, pending.unique, scratch().piece(piece), 0, data.asSlice(0, n));
        } finally {
            scratch().give(piece);
            buffer.giveBack();
            connection.answered(pending);
        }
    }

    private static long readFile(int fd, MemorySegment target, long offset) {
        long done = 0;
        while (done < target.byteSize()) {
            long n = Posix.pread(fd, target.asSlice(done), target.byteSize() - done, offset + done);
            if (n == 0) {
                break;
            }
            if (n > 0) {
                done += n;
            } else if (n != -Errno.EINTR) {
                return n;
            }
        }
        return done;
    }

    @Override
    public boolean written(int bytes) {
        return count(bytes);
    }

    @Override
    public boolean copied(long bytes) {
        return wide ? number(bytes) : count(Math.toIntExact(bytes));
    }

    @Override
    public boolean statfs(StatfsReply statfs) {
        int piece = scratch().take();
        try {
            MemorySegment out = scratch().piece(piece);
            return send(out, ReplyEncoder.statfs(out, BODY, statfs));
        } finally {
            scratch().give(piece);
        }
    }

    @Override
    public boolean xattrSize(int bytes) {
        return count(bytes);
    }

    @Override
    public boolean listing(DirectoryBuffer directory) {
        LookupCounts lookups = connection.lookups();
        if (lookups != null) {
            directory.forEachLookup(lookups::add);
        }
        boolean sent = data(directory.content());
        if (!sent && lookups != null) {
            directory.forEachLookup(nodeId -> lookups.forget(nodeId, 1));
        }
        return sent;
    }

    @Override
    public boolean lock(FileLock lock) {
        int piece = scratch().take();
        try {
            MemorySegment out = scratch().piece(piece);
            return send(out, ReplyEncoder.lock(out, BODY, lock));
        } finally {
            scratch().give(piece);
        }
    }

    @Override
    public boolean offset(long offset) {
        return number(offset);
    }

    @Override
    public boolean statx(StatxReply statx) {
        int piece = scratch().take();
        try {
            MemorySegment out = scratch().piece(piece);
            return send(out, ReplyEncoder.statx(out, BODY, statx));
        } finally {
            scratch().give(piece);
        }
    }

    @Override
    public boolean block(long block) {
        return number(block);
    }

    @Override
    public boolean events(int events) {
        return count(events);
    }

    @Override
    public boolean ioctl(int result, MemorySegment output) {
        return sendContent(IOCTL, result, output);
    }

    @Override
    public void none() {
        if (pending.isAnswered()) {
            return;
        }
        throw new IllegalStateException("this request wants an answer: only FORGET and BATCH_FORGET have none");
    }

    @Override
    public MemorySegment buffer(int size) {
        if (pending.isClaimed()) {
            throw new IllegalStateException("a buffer for an answer that has been given");
        }
        Buffer buffer = connection.buffers().takeForData(size);
        pending.answer(buffer);
        return buffer.data(size);
    }

    @Override
    public DirectoryBuffer directory(int size, boolean plus) {
        return new DirectoryBuffer(buffer(size), plus);
    }

    @Override
    public boolean isAnswered() {
        return pending.isClaimed();
    }

    @Override
    public boolean isInterrupted() {
        return pending.isInterrupted();
    }

    @Override
    public void onInterrupt(Runnable action) {
        pending.onInterrupt(action);
    }

    private boolean count(int value) {
        int piece = scratch().take();
        try {
            MemorySegment out = scratch().piece(piece);
            return send(out, ReplyEncoder.count(out, BODY, value));
        } finally {
            scratch().give(piece);
        }
    }

    private boolean number(long value) {
        int piece = scratch().take();
        try {
            MemorySegment out = scratch().piece(piece);
            return send(out, ReplyEncoder.number(out, BODY, value));
        } finally {
            scratch().give(piece);
        }
    }

    private boolean sendEntry(MemorySegment out, int length, EntryReply entry) {
        LookupCounts lookups = connection.lookups();
        if (lookups == null || entry.nodeId() == 0) {
            return send(out, length);
        }
        // Counted before it is sent: the kernel may forget the node before write(2) has returned.
        lookups.add(entry.nodeId());
        boolean sent = false;
        try {
            sent = send(out, length);
        } finally {
            if (!sent) {
                lookups.forget(entry.nodeId(), 1);
            }
        }
        return sent;
    }

    private boolean send(MemorySegment out, int bodyLength) {
        if (!pending.claim()) {
            return false;
        }
        try {
            return connection.device().write(pending.fd, pending.unique, out, bodyLength);
        } finally {
            connection.answered(pending);
        }
    }

    /** @param kind 0, or {@link #IOCTL} for the struct that goes before an ioctl's output */
    private boolean sendContent(int kind, int result, MemorySegment content) {
        Buffer copy = null;
        MemorySegment body = content;
        if (!content.isNative() && content.byteSize() > 0) {
            copy = connection.buffers().takeForData(Math.toIntExact(content.byteSize()));
            body = copy.data((int) content.byteSize()).copyFrom(content);
        }
        int piece = scratch().take();
        try {
            MemorySegment out = scratch().piece(piece);
            int prefix = kind == IOCTL ? ReplyEncoder.ioctl(out, BODY, result, 0, 0, 0) : 0;
            if (!pending.claim()) {
                return false;
            }
            try {
                return connection.device().write(pending.fd, pending.unique, out, prefix, body);
            } finally {
                connection.answered(pending);
            }
        } finally {
            scratch().give(piece);
            if (copy != null) {
                copy.giveBack();
            }
        }
    }

    private ReplyScratch scratch() {
        return connection.device().scratch();
    }
}
