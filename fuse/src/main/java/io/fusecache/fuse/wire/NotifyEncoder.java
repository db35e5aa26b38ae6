package io.fusecache.fuse.wire;

import static io.fusecache.fuse.wire.Layout.U32;
import static io.fusecache.fuse.wire.Layout.U64;

import java.lang.foreign.MemorySegment;

/**
 * Lays notifications out: messages to the kernel that answer nothing. Each method writes the whole message but a
 * trailing payload, header included, and returns the length written; {@code payload} counts in the header's length.
 */
public final class NotifyEncoder {
    /** Room for every notification but STORE's data and PRUNE's list, with a name of {@code nameLength} bytes. */
    public static int roomFor(int nameLength) {
        return Layout.OUT_HEADER + 40 + nameLength + 1;
    }

    private static final int POLL = 1;
    private static final int INVAL_INODE = 2;
    private static final int INVAL_ENTRY = 3;
    private static final int STORE = 4;
    private static final int RETRIEVE = 5;
    private static final int DELETE = 6;
    private static final int RESEND = 7;
    private static final int INC_EPOCH = 8;
    private static final int PRUNE = 9;

    private NotifyEncoder() {}

    private static int finish(MemorySegment out, int code, int length, int payload) {
        out.set(U32, 0, length + payload);
        // A notification is told from an answer by the unique 0; its code stands where the error would, not negated.
        out.set(U32, 4, code);
        out.set(U64, 8, 0);
        return length;
    }

    public static int poll(MemorySegment out, long kernelHandle) {
        out.set(U64, 16, kernelHandle);
        return finish(out, POLL, 24, 0);
    }

    public static int invalInode(MemorySegment out, long nodeId, long offset, long length) {
        out.set(U64, 16, nodeId);
        out.set(U64, 24, offset);
        out.set(U64, 32, length);
        return finish(out, INVAL_INODE, 40, 0);
    }

    /** @param flags 0, or 1 for expire only */
    public static int invalEntry(MemorySegment out, long parent, FileName name, int flags) {
        out.set(U64, 16, parent);
        out.set(U32, 24, name.length());
        out.set(U32, 28, flags);
        return finish(out, INVAL_ENTRY, name(out, 32, name), 0);
    }

    public static int delete(MemorySegment out, long parent, long child, FileName name) {
        out.set(U64, 16, parent);
        out.set(U64, 24, child);
        out.set(U32, 32, name.length());
        out.set(U32, 36, 0);
        return finish(out, DELETE, name(out, 40, name), 0);
    }

    public static int store(MemorySegment out, long nodeId, long offset, int size) {
        out.set(U64, 16, nodeId);
        out.set(U64, 24, offset);
        out.set(U32, 32, size);
        out.set(U32, 36, 0);
        return finish(out, STORE, 40, size);
    }

    public static int retrieve(MemorySegment out, long notifyUnique, long nodeId, long offset, int size) {
        out.set(U64, 16, notifyUnique);
        out.set(U64, 24, nodeId);
        out.set(U64, 32, offset);
        out.set(U32, 40, size);
        out.set(U32, 44, 0);
        return finish(out, RETRIEVE, 48, 0);
    }

    public static int resend(MemorySegment out) {
        return finish(out, RESEND, Layout.OUT_HEADER, 0);
    }

    public static int incEpoch(MemorySegment out) {
        return finish(out, INC_EPOCH, Layout.OUT_HEADER, 0);
    }

    /** The node ids, 8 bytes each, are the payload. */
    public static int prune(MemorySegment out, int nodes) {
        out.set(U32, 16, nodes);
        out.set(U32, 20, 0);
        out.set(U64, 24, 0);
        return finish(out, PRUNE, 32, nodes * Long.BYTES);
    }

    private static int name(MemorySegment out, int at, FileName name) {
        name.copyTo(out, at);
        out.set(Layout.U8, at + (long) name.length(), (byte) 0);
        return at + name.length() + 1;
    }
}
