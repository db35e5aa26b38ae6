package io.fusecache.fuse.wire;

import static io.fusecache.fuse.wire.Layout.U32;
import static io.fusecache.fuse.wire.Layout.U64;

import java.lang.foreign.MemorySegment;
import java.util.function.LongConsumer;

/**
 * A directory listing being put together for READDIR or READDIRPLUS: entries until one does not fit.
 *
 * <p>An entry's offset is where the next request goes on: a cookie of the file system's, never 0, stable while the
 * directory is open. An empty listing says that the directory has ended.
 */
public final class DirectoryBuffer {
    private final MemorySegment target;
    private final boolean plus;
    private int length;
    private int entries;

    /** @param target as long as the request's size, no longer */
    public DirectoryBuffer(MemorySegment target, boolean plus) {
        this.target = target;
        this.plus = plus;
    }

    /** Whether entries carry a lookup's answer: {@link #add(EntryReply, FileName, long)}, else {@link #add(long, int, FileName, long)}. */
    public boolean plus() {
        return plus;
    }

    /**
     * Adds a name to a plain listing.
     *
     * @param mode of which only the type bits count
     * @return false when it does not fit: answer with what is there
     */
    public boolean add(long ino, int mode, FileName name, long nextOffset) {
        requirePlus(false);
        int size = Layout.align(Layout.DIRENT + name.length());
        if (size > target.byteSize() - length) {
            return false;
        }
        dirent(length, ino, mode, name, nextOffset, size);
        return true;
    }

    /**
     * Adds a name with its attributes to a READDIRPLUS listing. Counts as a lookup of the node, except for node id 0 (the
     * kernel then looks it up when it needs it) and for '.' and '..'.
     *
     * @return false when it does not fit: answer with what is there
     */
    public boolean add(EntryReply entry, FileName name, long nextOffset) {
        requirePlus(true);
        int size = Layout.align(Layout.ENTRY_OUT + Layout.DIRENT + name.length());
        if (size > target.byteSize() - length) {
            return false;
        }
        int start = length;
        ReplyEncoder.entry(target, start, entry);
        dirent(
                start + Layout.ENTRY_OUT,
                entry.attributes().ino(),
                entry.attributes().mode(),
                name,
                nextOffset,
                size - Layout.ENTRY_OUT);
        return true;
    }

    private void dirent(int at, long ino, int mode, FileName name, long nextOffset, int size) {
        target.set(U64, at, ino);
        target.set(U64, at + 8L, nextOffset);
        target.set(U32, at + 16L, name.length());
        target.set(U32, at + 20L, (mode & 0xf000) >>> 12);
        name.copyTo(target, at + Layout.DIRENT);
        for (int i = Layout.DIRENT + name.length(); i < size; i++) {
            target.set(Layout.U8, at + (long) i, (byte) 0);
        }
        length = at + size;
        entries++;
    }

    private void requirePlus(boolean wanted) {
        if (plus != wanted) {
            throw new IllegalStateException(
                    plus ? "READDIRPLUS entries carry an EntryReply" : "READDIR entries carry none");
        }
    }

    public boolean isEmpty() {
        return entries == 0;
    }

    public int entries() {
        return entries;
    }

    /** The bytes so far: the answer's body. */
    public MemorySegment content() {
        return target.asSlice(0, length);
    }

    /** Calls {@code counter} for every node that this listing counts a lookup of. */
    public void forEachLookup(LongConsumer counter) {
        if (!plus) {
            return;
        }
        int at = 0;
        while (at < length) {
            long nodeId = Layout.u64(target, at);
            int nameAt = at + Layout.ENTRY_OUT + Layout.DIRENT;
            int nameLength = Layout.u32(target, at + Layout.ENTRY_OUT + 16L);
            if (nodeId != 0 && !isDots(nameAt, nameLength)) {
                counter.accept(nodeId);
            }
            at += Layout.align(Layout.ENTRY_OUT + Layout.DIRENT + nameLength);
        }
    }

    private boolean isDots(int at, int nameLength) {
        if (nameLength > 2) {
            return false;
        }
        for (int i = 0; i < nameLength; i++) {
            if (target.get(Layout.U8, at + (long) i) != '.') {
                return false;
            }
        }
        return true;
    }
}
