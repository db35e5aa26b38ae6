package io.fusecache.tiers.peer;

import io.fusecache.cache.Disk;
import io.fusecache.cache.HomeReply;
import io.fusecache.cache.HomeRequest;
import io.fusecache.cache.Homes;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Requests to homes and their replies as bytes. Both are a message: the length of its head (4 bytes), the head, the bytes of the
 * file that come with it, and the CRC32C of all that (4 bytes); big endian.
 */
final class HomeProtocol {
    static final String PATH = "/homes";
    static final int LENGTH_BYTES = 4;
    static final int CRC_BYTES = 4;

    /** Room for a sign of life with as many handles as there may be. */
    static final int MAX_HEAD_BYTES = 256 + 8 * HomeRequest.MAX_HANDLES;

    /** No message is longer. */
    static final int MAX_BYTES = LENGTH_BYTES + MAX_HEAD_BYTES + HomeRequest.MAX_BYTES + CRC_BYTES;

    private static final int MAX_REASON_BYTES = 1000;
    private static final int REPLY_BYTES = 128 + MAX_REASON_BYTES;

    private static final byte OPEN = 1;
    private static final byte READ = 2;
    private static final byte PEEK = 3;
    private static final byte WRITE = 4;
    private static final byte APPEND = 5;
    private static final byte TRUNCATE = 6;
    private static final byte ALLOCATE = 7;
    private static final byte SEEK = 8;
    private static final byte SYNC = 9;
    private static final byte FLUSH = 10;
    private static final byte RELEASE = 11;
    private static final byte INSPECT = 12;
    private static final byte SET_TIMES = 13;
    private static final byte KEEP_ALIVE = 14;

    private static final byte DONE = 1;
    private static final byte FAILED = 2;
    private static final byte NOT_HOME = 3;

    private HomeProtocol() {}

    /** @param wanted how many bytes of the file the reply brings at most */
    record Asked(Homes.Guest guest, HomeRequest request, int wanted) {}

    /** What is no message of this protocol; says why. */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String message) {
            super(message, null, false, false);
        }
    }

    static boolean brings(HomeRequest request) {
        return request instanceof HomeRequest.Write || request instanceof HomeRequest.Append;
    }

    static boolean fetches(HomeRequest request) {
        return request instanceof HomeRequest.Read || request instanceof HomeRequest.Peek;
    }

    // requests

    static byte[] encode(Homes.Guest guest, HomeRequest request, int wanted) {
        int handles =
                request instanceof HomeRequest.KeepAlive alive ? alive.open().size() : 0;
        ByteBuffer to = ByteBuffer.allocate(256 + 8 * handles);
        text(to, guest.node().value());
        to.putLong(guest.process());
        to.putInt(wanted);
        switch (request) {
            case HomeRequest.Open r -> truth(of(to, OPEN, r), r.write());
            case HomeRequest.Read r -> of(to, READ, r).putLong(r.offset());
            case HomeRequest.Peek r -> to.put(PEEK).putLong(r.ino()).putLong(r.offset());
            case HomeRequest.Write r -> change(to, WRITE, r).putLong(r.offset());
            case HomeRequest.Append r -> change(to, APPEND, r);
            case HomeRequest.Truncate r -> change(to, TRUNCATE, r).putLong(r.size());
            case HomeRequest.Allocate r ->
                change(to, ALLOCATE, r).putInt(r.mode()).putLong(r.offset()).putLong(r.length());
            case HomeRequest.Seek r -> of(to, SEEK, r).putLong(r.offset()).putInt(r.whence());
            case HomeRequest.Sync r -> truth(of(to, SYNC, r), r.dataOnly());
            case HomeRequest.Flush r -> of(to, FLUSH, r);
            case HomeRequest.Release r -> of(to, RELEASE, r);
            case HomeRequest.Inspect r -> to.put(INSPECT).putLong(r.ino());
            case HomeRequest.SetTimes r -> {
                to.put(SET_TIMES).putLong(r.ino());
                time(to, r.accessed());
                time(to, r.modified());
            }
            case HomeRequest.KeepAlive r -> {
                to.put(KEEP_ALIVE).putLong(r.newest()).putInt(r.open().size());
                r.open().forEach(to::putLong);
            }
        }
        return Arrays.copyOf(to.array(), to.position());
    }

    private static ByteBuffer of(ByteBuffer to, byte kind, HomeRequest.OfHandle request) {
        return to.put(kind).putLong(request.ino()).putLong(request.handle());
    }

    private static ByteBuffer change(ByteBuffer to, byte kind, HomeRequest.Change request) {
        return of(to, kind, request).putLong(request.sequence());
    }

    static Asked decodeRequest(byte[] head) throws Malformed {
        try {
            ByteBuffer from = ByteBuffer.wrap(head);
            Homes.Guest guest = new Homes.Guest(new NodeId(text(from)), from.getLong());
            int wanted = from.getInt();
            HomeRequest request = request(from);
            if (from.hasRemaining()) {
                throw new Malformed(from.remaining() + " bytes too many in the head");
            }
            if (wanted < 0 || wanted > HomeRequest.MAX_BYTES || (wanted > 0 && !fetches(request))) {
                throw new Malformed("a request that wants " + wanted + " bytes");
            }
            return new Asked(guest, request, wanted);
        } catch (BufferUnderflowException cut) {
            throw new Malformed("a head that ends early, after " + head.length + " bytes");
        } catch (IllegalArgumentException wrong) {
            throw new Malformed(String.valueOf(wrong.getMessage()));
        }
    }

    private static HomeRequest request(ByteBuffer from) throws Malformed {
        byte kind = from.get();
        return switch (kind) {
            case OPEN -> new HomeRequest.Open(ino(from), from.getLong(), truth(from));
            case READ -> new HomeRequest.Read(ino(from), from.getLong(), from.getLong());
            case PEEK -> new HomeRequest.Peek(ino(from), from.getLong());
            case WRITE -> new HomeRequest.Write(ino(from), from.getLong(), from.getLong(), from.getLong());
            case APPEND -> new HomeRequest.Append(ino(from), from.getLong(), from.getLong());
            case TRUNCATE -> new HomeRequest.Truncate(ino(from), from.getLong(), from.getLong(), from.getLong());
            case ALLOCATE ->
                new HomeRequest.Allocate(
                        ino(from), from.getLong(), from.getLong(), from.getInt(), from.getLong(), from.getLong());
            case SEEK -> new HomeRequest.Seek(ino(from), from.getLong(), from.getLong(), from.getInt());
            case SYNC -> new HomeRequest.Sync(ino(from), from.getLong(), truth(from));
            case FLUSH -> new HomeRequest.Flush(ino(from), from.getLong());
            case RELEASE -> new HomeRequest.Release(ino(from), from.getLong());
            case INSPECT -> new HomeRequest.Inspect(ino(from));
            case SET_TIMES -> new HomeRequest.SetTimes(ino(from), time(from), time(from));
            case KEEP_ALIVE -> new HomeRequest.KeepAlive(from.getLong(), handles(from));
            default -> throw new Malformed("request of unknown kind " + kind);
        };
    }

    private static long ino(ByteBuffer from) throws Malformed {
        long ino = from.getLong();
        if (ino < Inode.ROOT || ino > Inode.MAX) {
            throw new Malformed("inode " + ino);
        }
        return ino;
    }

    private static List<Long> handles(ByteBuffer from) throws Malformed {
        int count = from.getInt();
        if (count < 0 || count > HomeRequest.MAX_HANDLES) {
            throw new Malformed(count + " handles");
        }
        List<Long> handles = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            handles.add(from.getLong());
        }
        return handles;
    }

    // replies

    static byte[] encode(HomeReply reply) {
        ByteBuffer to = ByteBuffer.allocate(REPLY_BYTES);
        switch (reply) {
            case HomeReply.Done(long value, Disk.@Nullable Stat now) -> {
                to.put(DONE).putLong(value);
                truth(to, now != null);
                if (now != null) {
                    to.putLong(now.size()).putLong(now.allocatedBytes());
                    time(to, now.accessed());
                    time(to, now.modified());
                    time(to, now.changed());
                }
            }
            case HomeReply.Failed(Errno errno, String reason) -> {
                to.put(FAILED).putInt(errno.number());
                text(to, reason);
            }
            case HomeReply.NotHome() -> to.put(NOT_HOME);
        }
        return Arrays.copyOf(to.array(), to.position());
    }

    static HomeReply decodeReply(byte[] head) throws Malformed {
        try {
            ByteBuffer from = ByteBuffer.wrap(head);
            HomeReply reply = reply(from);
            if (from.hasRemaining()) {
                throw new Malformed(from.remaining() + " bytes too many in the head");
            }
            return reply;
        } catch (BufferUnderflowException cut) {
            throw new Malformed("a head that ends early, after " + head.length + " bytes");
        } catch (IllegalArgumentException wrong) {
            throw new Malformed(String.valueOf(wrong.getMessage()));
        }
    }

    private static HomeReply reply(ByteBuffer from) throws Malformed {
        byte kind = from.get();
        return switch (kind) {
            case DONE -> new HomeReply.Done(from.getLong(), truth(from) ? stat(from) : null);
            case FAILED -> new HomeReply.Failed(Errno.of(from.getInt()), text(from));
            case NOT_HOME -> new HomeReply.NotHome();
            default -> throw new Malformed("reply of unknown kind " + kind);
        };
    }

    private static Disk.Stat stat(ByteBuffer from) throws Malformed {
        long size = from.getLong();
        long allocated = from.getLong();
        Timestamp accessed = time(from);
        Timestamp modified = time(from);
        Timestamp changed = time(from);
        if (size < 0 || allocated < 0 || accessed == null || modified == null || changed == null) {
            throw new Malformed("a file of " + size + " bytes, or without its times");
        }
        return new Disk.Stat(size, allocated, accessed, modified, changed);
    }

    // words

    private static void truth(ByteBuffer to, boolean value) {
        to.put((byte) (value ? 1 : 0));
    }

    private static boolean truth(ByteBuffer from) throws Malformed {
        byte value = from.get();
        if (value != 0 && value != 1) {
            throw new Malformed("a truth of " + value);
        }
        return value == 1;
    }

    private static void time(ByteBuffer to, @Nullable Timestamp time) {
        truth(to, time != null);
        if (time != null) {
            to.putLong(time.seconds()).putInt(time.nanos());
        }
    }

    private static @Nullable Timestamp time(ByteBuffer from) throws Malformed {
        return truth(from) ? new Timestamp(from.getLong(), from.getInt()) : null;
    }

    /** Cut where it is too long: it is for people. */
    private static void text(ByteBuffer to, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(bytes.length, MAX_REASON_BYTES);
        to.putShort((short) length).put(bytes, 0, length);
    }

    private static String text(ByteBuffer from) throws Malformed {
        int length = from.getShort();
        if (length < 0 || length > Math.min(MAX_REASON_BYTES, from.remaining())) {
            throw new Malformed("a text of " + length + " bytes");
        }
        byte[] bytes = new byte[length];
        from.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
