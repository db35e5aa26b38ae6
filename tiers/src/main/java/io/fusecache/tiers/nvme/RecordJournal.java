package io.fusecache.tiers.nvme;

import io.fusecache.cache.BlockChecksum;
import io.fusecache.cache.Disk;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The durable side of a {@link FileRecord}: an append-only file of checksummed entries.
 *
 * <p>A change costs one small write at the end, whatever the size of the file: a block that lands in a file of a terabyte
 * does not rewrite a megabyte of bitmap and checksums. A process killed in the middle of a write leaves an entry whose
 * checksum fails; reading stops there, so that the record is as before the change. An entry's checksum covers its
 * position, and a torn tail is cut off before anything is appended, so that what lay behind it never comes back. When
 * the entries outgrow the state they describe, the state is written anew into a temporary file that replaces the journal.
 *
 * <pre>
 *   header  magic 8 "FCRECORD", format u32, incarnation u32, ino u64, crc32c of those u32, zero u32
 *   entry   length of body u32, crc32c of (position u64, kind, body) u32, kind u8, body
 * </pre>
 *
 * All numbers are little endian. Guarded by the lock of its {@link BackingFile}; not created before the first change.
 */
final class RecordJournal {
    static final int FORMAT = 1;
    private static final long MAGIC = 0x44524f4345524346L;
    private static final int HEADER_BYTES = 32;
    private static final int ENTRY_HEADER_BYTES = 9;
    /** Bitmap and checksums of a file of 64 Ti at the smallest useful block size stay below. */
    private static final int MAX_BYTES = 128 << 20;

    private static final int FIRST_READ_BYTES = 4096;
    private static final int MIN_COMPACT_BYTES = 8192;

    private static final byte STATE = 1;
    private static final byte STORED = 2;
    private static final byte DROPPED = 3;
    private static final byte DIRTIED = 4;
    private static final byte WRITING = 5;
    private static final byte PERSISTED = 6;
    private static final byte SEALED = 7;

    private static final byte FLAG_WRITING = 1;
    private static final byte FLAG_UNPERSISTED = 2;
    private static final byte FLAG_SEALED = 4;
    private static final byte FLAG_OBJECT = 8;

    private final Disk disk;
    private final Path path;
    private final long ino;
    private final int incarnation;
    private Disk.@Nullable DiskFile file;
    private long end;
    private long stateBytes;
    private boolean tornTail;
    private boolean unsynced;
    /** Someone was told that the journal is durable. */
    private boolean promised;

    private int syncs;
    private final List<Disk.DiskFile> retired = new ArrayList<>();

    RecordJournal(Disk disk, Path path, long ino, int incarnation) {
        this.disk = disk;
        this.path = path;
        this.ino = ino;
        this.incarnation = incarnation;
    }

    /** What the journal says; null where there is none, or none that can be believed. */
    @Nullable FileRecord read() throws IOException {
        Disk.DiskFile opened;
        try {
            opened = disk.open(path, false);
        } catch (NoSuchFileException absent) {
            return null;
        }
        file = opened;
        promised = true;
        try (Arena arena = Arena.ofConfined()) {
            // Most are small: one read, and no question for the size before it.
            for (int room = FIRST_READ_BYTES; room <= MAX_BYTES; room *= 8) {
                MemorySegment bytes = arena.allocate(room);
                int count = opened.read(0, bytes);
                if (count < room) {
                    return replay(bytes.asSlice(0, count).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
                }
            }
            return null;
        }
    }

    private @Nullable FileRecord replay(ByteBuffer in) {
        if (!headerMatches(in)) {
            return null;
        }
        end = HEADER_BYTES;
        FileRecord record = null;
        while (in.remaining() >= ENTRY_HEADER_BYTES) {
            int length = in.getInt(in.position());
            int crc = in.getInt(in.position() + 4);
            if (length < 0 || length > in.remaining() - ENTRY_HEADER_BYTES) {
                break;
            }
            ByteBuffer covered = in.slice(in.position() + 8, length + 1).order(ByteOrder.LITTLE_ENDIAN);
            if (entryChecksum(end, covered) != crc) {
                break;
            }
            try {
                record = apply(record, covered);
            } catch (BufferUnderflowException | IllegalArgumentException | IndexOutOfBoundsException malformed) {
                break;
            }
            in.position(in.position() + ENTRY_HEADER_BYTES + length);
            if (covered.get(0) == STATE) {
                stateBytes = ENTRY_HEADER_BYTES + (long) length;
            }
            end += ENTRY_HEADER_BYTES + (long) length;
        }
        tornTail = in.hasRemaining();
        return record;
    }

    /** Entries after the last one that could be believed: a crash, or a damaged record. */
    boolean tornTail() {
        return tornTail;
    }

    private boolean headerMatches(ByteBuffer in) {
        if (in.remaining() < HEADER_BYTES) {
            return false;
        }
        ByteBuffer header = header();
        ByteBuffer found = in.slice(0, HEADER_BYTES);
        in.position(HEADER_BYTES);
        return found.mismatch(header) < 0;
    }

    private ByteBuffer header() {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(MAGIC).putInt(FORMAT).putInt(incarnation).putLong(ino);
        header.putInt(BlockChecksum.of(MemorySegment.ofArray(header.array()).asSlice(0, 24)));
        return header.clear();
    }

    private static int entryChecksum(long position, ByteBuffer kindAndBody) {
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(ByteBuffer.allocate(8).putLong(position).flip());
        crc.update(kindAndBody.duplicate());
        return (int) crc.getValue();
    }

    private @Nullable FileRecord apply(@Nullable FileRecord record, ByteBuffer entry) {
        ByteBuffer in = entry.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        byte kind = in.get();
        if (kind == STATE) {
            return state(in);
        }
        if (record == null) {
            throw new IllegalArgumentException("a change before any state");
        }
        switch (kind) {
            case STORED -> record.stored(in.getInt(), in.getInt());
            case DROPPED -> record.dropped(in.getInt());
            case DIRTIED -> record.dirtied(in.getInt(), in.getInt());
            case WRITING -> {
                record.writing = true;
                record.unpersisted = true;
            }
            case PERSISTED -> record.persisted(new ObjectRef(text(in), text(in)));
            case SEALED -> record.sealed(numbers(in));
            default -> throw new IllegalArgumentException("entry of kind " + kind);
        }
        return record;
    }

    private FileRecord state(ByteBuffer in) {
        byte flags = in.get();
        long version = in.getLong();
        long size = in.getLong();
        int blockBytes = in.getInt();
        long createdMillis = in.getLong();
        long committedMillis = in.getLong();
        ObjectRef object = (flags & FLAG_OBJECT) != 0 ? new ObjectRef(text(in), text(in)) : null;
        int[] sealed = (flags & FLAG_SEALED) != 0 ? numbers(in) : null;
        FileRecord record =
                new FileRecord(new FileVersion(ino, version, size, blockBytes, sealed, object), createdMillis);
        record.writing = (flags & FLAG_WRITING) != 0;
        record.unpersisted = (flags & FLAG_UNPERSISTED) != 0;
        record.committedMillis = committedMillis;
        record.present.or(bits(in));
        record.checksumKnown.clear();
        record.checksumKnown.or(bits(in));
        if (sealed == null) {
            int[] known = numbers(in);
            int next = 0;
            for (int block : record.checksumKnown.stream().toArray()) {
                record.checksums[block] = known[next++];
            }
        }
        return record;
    }

    private static byte[] encode(FileRecord record) {
        FileVersion version = record.version;
        int[] sealed = version.checksums();
        ObjectRef object = version.object();
        byte[] present = record.present.toByteArray();
        byte[] known = record.checksumKnown.toByteArray();
        int[] sums = sealed != null
                ? sealed
                : record.checksumKnown.stream().map(b -> record.checksums[b]).toArray();
        byte[] key = object == null ? new byte[0] : bytes(object.key());
        byte[] etag = object == null ? new byte[0] : bytes(object.etag());
        ByteBuffer out = ByteBuffer.allocate(
                        64 + key.length + etag.length + present.length + known.length + 4 * sums.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        out.put((byte) ((record.writing ? FLAG_WRITING : 0)
                | (record.unpersisted ? FLAG_UNPERSISTED : 0)
                | (sealed != null ? FLAG_SEALED : 0)
                | (object != null ? FLAG_OBJECT : 0)));
        out.putLong(version.version()).putLong(version.size()).putInt(version.blockBytes());
        out.putLong(record.createdMillis).putLong(record.committedMillis);
        if (object != null) {
            out.putInt(key.length).put(key).putInt(etag.length).put(etag);
        }
        if (sealed != null) {
            put(out, sums);
        }
        out.putInt(present.length).put(present).putInt(known.length).put(known);
        if (sealed == null) {
            put(out, sums);
        }
        return java.util.Arrays.copyOf(out.array(), out.position());
    }

    private static void put(ByteBuffer out, int[] numbers) {
        out.putInt(numbers.length);
        for (int number : numbers) {
            out.putInt(number);
        }
    }

    private static int[] numbers(ByteBuffer in) {
        int[] numbers = new int[length(in, 4)];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = in.getInt();
        }
        return numbers;
    }

    private static BitSet bits(ByteBuffer in) {
        byte[] bytes = new byte[length(in, 1)];
        in.get(bytes);
        return BitSet.valueOf(bytes);
    }

    private static String text(ByteBuffer in) {
        byte[] bytes = new byte[length(in, 1)];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** A count of items that the rest of the entry can hold. */
    private static int length(ByteBuffer in, int itemBytes) {
        int length = in.getInt();
        if (length < 0 || (long) length * itemBytes > in.remaining()) {
            throw new IllegalArgumentException("length " + length);
        }
        return length;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    void appendState(FileRecord record) throws IOException {
        byte[] state = encode(record);
        stateBytes = ENTRY_HEADER_BYTES + (long) state.length;
        if (file != null && end > MIN_COMPACT_BYTES && end > 2 * stateBytes) {
            replace(state);
        } else {
            append(STATE, state);
        }
    }

    void appendStored(FileRecord record, int block, int checksum) throws IOException {
        change(record, STORED, encode(block, checksum));
    }

    void appendDropped(FileRecord record, int block) throws IOException {
        change(record, DROPPED, encode(block));
    }

    void appendDirtied(FileRecord record, int first, int last) throws IOException {
        change(record, DIRTIED, encode(first, last));
    }

    void appendWriting(FileRecord record) throws IOException {
        change(record, WRITING, new byte[0]);
    }

    void appendPersisted(FileRecord record, ObjectRef object) throws IOException {
        byte[] key = bytes(object.key());
        byte[] etag = bytes(object.etag());
        byte[] body = new byte[8 + key.length + etag.length];
        wrap(body).putInt(key.length).put(key).putInt(etag.length).put(etag);
        change(record, PERSISTED, body);
    }

    void appendSealed(FileRecord record, int[] checksums) throws IOException {
        byte[] body = new byte[4 + 4 * checksums.length];
        put(wrap(body), checksums);
        change(record, SEALED, body);
    }

    private static byte[] encode(int... numbers) {
        byte[] body = new byte[4 * numbers.length];
        ByteBuffer out = wrap(body);
        for (int number : numbers) {
            out.putInt(number);
        }
        return body;
    }

    private static ByteBuffer wrap(byte[] body) {
        return ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The record has the change already: the first entry of a journal, and a compaction, write it whole. */
    private void change(FileRecord record, byte kind, byte[] body) throws IOException {
        if (file == null || (end > MIN_COMPACT_BYTES && end > 4 * stateBytes)) {
            appendState(record);
        } else {
            append(kind, body);
        }
    }

    private void append(byte kind, byte[] body) throws IOException {
        Disk.DiskFile out = file;
        boolean fresh = out == null;
        if (out == null) {
            out = disk.open(path, true);
            file = out;
            end = HEADER_BYTES;
        } else if (tornTail) {
            out.truncate(end);
            tornTail = false;
        }
        try (Arena arena = Arena.ofConfined()) {
            out.write(fresh ? 0 : end, encode(arena, fresh, end, kind, body));
        } catch (IOException failed) {
            // The entry may be there in part: it must not shine through behind a shorter one.
            tornTail = true;
            throw failed;
        }
        unsynced = true;
        end += ENTRY_HEADER_BYTES + (long) body.length;
    }

    private MemorySegment encode(Arena arena, boolean withHeader, long position, byte kind, byte[] body) {
        int lead = withHeader ? HEADER_BYTES : 0;
        MemorySegment bytes = arena.allocate((long) lead + ENTRY_HEADER_BYTES + body.length);
        ByteBuffer out = bytes.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        if (withHeader) {
            out.put(header());
        }
        out.putInt(body.length).putInt(0).put(kind).put(body);
        out.putInt(lead + 4, entryChecksum(position, out.slice(lead + 8, body.length + 1)));
        return bytes;
    }

    /**
     * A new journal of one state takes the old one's place. Synced under the caller's lock where the old one ever was: it
     * is rare, and a promise that was given must hold at every instant.
     */
    private void replace(byte[] state) throws IOException {
        Path fresh = path.resolveSibling(path.getFileName() + ".new");
        Disk.DiskFile out = disk.open(fresh, true);
        try (Arena arena = Arena.ofConfined()) {
            out.truncate(0);
            out.write(0, encode(arena, true, HEADER_BYTES, STATE, state));
            if (promised) {
                out.sync(true);
            }
            Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException failed) {
            out.close();
            Files.deleteIfExists(fresh);
            throw failed;
        }
        Disk.DiskFile old = file;
        file = out;
        if (old != null && syncs > 0) {
            retired.add(old);
        } else if (old != null) {
            old.close();
        }
        end = HEADER_BYTES + ENTRY_HEADER_BYTES + (long) state.length;
        tornTail = false;
        unsynced = true;
    }

    /** The file to sync for what was appended so far to be durable, or null where it is. Ends with {@link #endSync}. */
    Disk.@Nullable DiskFile beginSync() {
        if (!unsynced || file == null) {
            return null;
        }
        unsynced = false;
        promised = true;
        syncs++;
        return file;
    }

    /** Someone was told that the journal is durable. */
    boolean promised() {
        return promised;
    }

    void endSync(boolean done) throws IOException {
        unsynced |= !done;
        syncs--;
        if (syncs == 0) {
            for (Disk.DiskFile replaced : retired) {
                replaced.close();
            }
            retired.clear();
        }
    }

    void close() throws IOException {
        Disk.DiskFile open = file;
        file = null;
        if (open != null) {
            open.close();
        }
    }
}
