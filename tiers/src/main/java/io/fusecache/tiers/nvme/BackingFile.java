package io.fusecache.tiers.nvme;

import io.fusecache.cache.BlockChecksum;
import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CorruptBlockException;
import io.fusecache.cache.Disk;
import io.fusecache.cache.DiskException;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.ObjectRef;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One incarnation while somebody has it pinned: its open file, its record, and the journal of that record.
 *
 * <p>The lock guards the record and orders the journal's entries: what is written under it is a few dozen bytes to the
 * page cache. Blocks are read, written and checked outside of it. A block that is being stored is marked, so that
 * {@link #dirtied} can wait for it: otherwise the bytes of the base could land on top of newer ones. {@code generation}
 * counts the changes that make what was read before them mean nothing.
 */
final class BackingFile {
    private static final Logger log = LoggerFactory.getLogger(BackingFile.class);
    /** FALLOC_FL_PUNCH_HOLE with FALLOC_FL_KEEP_SIZE. */
    private static final int PUNCH_HOLE = 3;

    private static final int SEEK_DATA = 3;

    private static final int CHUNK_BYTES = 1 << 20;
    private static final int ZEROS_BYTES = 64 << 10;
    /** The kernel writes back on its own after this long at the latest, by its defaults. */
    private static final long WRITEBACK_MILLIS = 5_000;

    private final NvmeTier tier;
    private final CacheEntry entry;
    private final Disk.DiskFile file;
    private final RecordJournal journal;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition storeEnded = lock.newCondition();
    private final FileRecord record;
    private final BitSet storing = new BitSet();
    private final BitSet verified = new BitSet();
    private long generation;
    private boolean nameSynced;

    BackingFile(NvmeTier tier, CacheEntry entry, Disk.DiskFile file, RecordJournal journal, FileRecord record) {
        this.tier = tier;
        this.entry = entry;
        this.file = file;
        this.journal = journal;
        this.record = record;
    }

    /** Everything present was checked in an earlier pin of this process. */
    void alreadyVerified() {
        verified.or(record.present);
    }

    CacheEntry entry() {
        return entry;
    }

    Disk.DiskFile file() {
        return file;
    }

    FileVersion version() {
        lock.lock();
        try {
            return record.version;
        } finally {
            lock.unlock();
        }
    }

    boolean whole() {
        lock.lock();
        try {
            return record.whole();
        } finally {
            lock.unlock();
        }
    }

    boolean writing() {
        lock.lock();
        try {
            return record.writing;
        } finally {
            lock.unlock();
        }
    }

    BitSet present() {
        lock.lock();
        try {
            return (BitSet) record.present.clone();
        } finally {
            lock.unlock();
        }
    }

    CacheEntry.Facts facts() {
        lock.lock();
        try {
            return facts(entry.facts.bytes());
        } finally {
            lock.unlock();
        }
    }

    private CacheEntry.Facts facts(long bytes) {
        return new CacheEntry.Facts(
                record.version.version(),
                record.version.size(),
                bytes,
                record.whole(),
                record.writing,
                record.unpersisted,
                record.createdMillis,
                record.committedMillis);
    }

    private void report(long bytes) {
        tier.index().update(entry, facts(bytes));
    }

    void store(int block, MemorySegment bytes) throws IOException {
        FileVersion version;
        lock.lock();
        try {
            while (storing.get(block)) {
                storeEnded.awaitUninterruptibly();
            }
            version = record.version;
            if (block >= version.blocks() || record.has(block)) {
                return;
            }
            storing.set(block);
        } finally {
            lock.unlock();
        }
        boolean written = false;
        int checksum = 0;
        try {
            checksum = check(version, block, bytes);
            tier.reserve(entry.directory, bytes.byteSize());
            file.write((long) block * version.blockBytes(), bytes);
            written = true;
        } finally {
            ended(version, block, written, checksum);
        }
    }

    private int check(FileVersion version, int block, MemorySegment bytes) throws IOException {
        if (bytes.byteSize() != version.bytesInBlock(block)) {
            throw new IllegalArgumentException("block %d of %s has %d bytes, got %d"
                    .formatted(block, version, version.bytesInBlock(block), bytes.byteSize()));
        }
        int found = BlockChecksum.of(bytes);
        int[] sealed = version.checksums();
        if (sealed != null && sealed[block] != found) {
            throw new CorruptBlockException(version.block(block), sealed[block], found, "a fetch");
        }
        return found;
    }

    private void ended(FileVersion version, int block, boolean written, int checksum) throws IOException {
        lock.lock();
        try {
            storing.clear(block);
            storeEnded.signalAll();
            if (written && record.version.version() == version.version() && !record.has(block)) {
                record.stored(block, checksum);
                verified.set(block);
                journal.appendStored(record, block, checksum);
                report(entry.facts.bytes() + version.bytesInBlock(block));
            }
        } finally {
            lock.unlock();
        }
    }

    ReadOutcome read(long offset, MemorySegment target) throws IOException {
        long bytes = target.byteSize();
        lock.lock();
        try {
            if (!record.writing) {
                bytes = Math.max(0, Math.min(bytes, record.version.size() - offset));
            }
            long last = (offset + bytes - 1) / record.version.blockBytes();
            for (long block = offset / record.version.blockBytes(); bytes > 0 && block <= last; block++) {
                if (!record.has(block)) {
                    return new ReadOutcome.Miss();
                }
            }
        } finally {
            lock.unlock();
        }
        return new ReadOutcome.Hit(bytes == 0 ? 0 : file.read(offset, target.asSlice(0, bytes)));
    }

    boolean verify(int first, int count) throws IOException {
        boolean right = true;
        for (int block = unverified(first, first + count); block >= 0; block = unverified(block + 1, first + count)) {
            right &= verify(block);
        }
        if (right && first == 0 && verifiedWhole()) {
            tier.index().verified(entry, true);
        }
        return right;
    }

    /** All blocks are here, and all that have a checksum were checked by this process. */
    boolean verifiedWhole() {
        lock.lock();
        try {
            return !record.writing && record.whole() && nothingToCheck();
        } finally {
            lock.unlock();
        }
    }

    /** Whether {@link #verify} would have nothing to do. */
    boolean verified() {
        lock.lock();
        try {
            return record.writing || nothingToCheck();
        } finally {
            lock.unlock();
        }
    }

    private boolean nothingToCheck() {
        BitSet open = (BitSet) record.present.clone();
        open.and(record.checksumKnown);
        open.andNot(verified);
        return open.isEmpty();
    }

    /** The next present block in the range that can be checked and was not; -1 where there is none. */
    private int unverified(int from, int to) {
        lock.lock();
        try {
            if (record.writing) {
                return -1;
            }
            for (int block = from; block < to && block < record.version.blocks(); block++) {
                if (record.present.get(block) && record.checksumKnown.get(block) && !verified.get(block)) {
                    return block;
                }
            }
            return -1;
        } finally {
            lock.unlock();
        }
    }

    private boolean verify(int block) throws IOException {
        FileVersion version;
        int expected;
        long before;
        lock.lock();
        try {
            version = record.version;
            if (record.writing || block >= version.blocks() || !record.checksumKnown.get(block)) {
                return true;
            }
            expected = record.checksums[block];
            before = generation;
        } finally {
            lock.unlock();
        }
        int found;
        try (BufferArena.Lease buffer = tier.buffers().lease(Math.min(CHUNK_BYTES, version.blockBytes()))) {
            found = checksum((long) block * version.blockBytes(), version.bytesInBlock(block), buffer.segment());
        } catch (EOFException cut) {
            found = ~expected;
        }
        lock.lock();
        try {
            if (generation != before) {
                return true;
            }
            if (found == expected) {
                verified.set(block);
                return true;
            }
        } finally {
            lock.unlock();
        }
        log.warn(
                "block {} of {} in {} has CRC32C {}, expected {}: dropped",
                block,
                version,
                entry.path,
                "%08x".formatted(found),
                "%08x".formatted(expected));
        tier.index().corruptBlock();
        drop(block);
        return false;
    }

    private int checksum(long offset, long length, MemorySegment buffer) throws IOException {
        return nextData(offset) >= offset + length && file.stat().size() >= offset + length
                ? checksumOfZeros(length)
                : checksumOfData(offset, length, buffer);
    }

    /** Where the next bytes are that a hole does not stand for: what is hollow is not read. */
    private long nextData(long offset) throws IOException {
        try {
            return file.seek(offset, SEEK_DATA);
        } catch (DiskException e) {
            if (e.errno() == Errno.ENXIO) {
                return Long.MAX_VALUE;
            }
            throw e;
        }
    }

    private static int checksumOfZeros(long length) {
        byte[] zeros = new byte[(int) Math.min(ZEROS_BYTES, length)];
        CRC32C crc = new CRC32C();
        for (long done = 0; done < length; done += zeros.length) {
            crc.update(zeros, 0, (int) Math.min(zeros.length, length - done));
        }
        return (int) crc.getValue();
    }

    private int checksumOfData(long offset, long length, MemorySegment buffer) throws IOException {
        CRC32C crc = new CRC32C();
        for (long done = 0; done < length; ) {
            MemorySegment piece = buffer.asSlice(0, Math.min(buffer.byteSize(), length - done));
            int count = file.read(offset + done, piece);
            if (count <= 0) {
                throw new EOFException(entry.path + " ends at " + (offset + done) + ", expected " + (offset + length));
            }
            BlockChecksum.update(crc, piece.asSlice(0, count));
            done += count;
        }
        return (int) crc.getValue();
    }

    int[] checksum(long size, int blockBytes) throws IOException {
        int[] sums = new int[Math.toIntExact((size + blockBytes - 1) / blockBytes)];
        Integer hollow = null;
        try (BufferArena.Lease buffer = tier.buffers().lease(Math.min(CHUNK_BYTES, blockBytes))) {
            long data = -1;
            for (int block = 0; block < sums.length; block++) {
                long offset = (long) block * blockBytes;
                data = data < offset ? nextData(offset) : data;
                if (data < offset + blockBytes || size < offset + blockBytes) {
                    sums[block] = checksum(offset, Math.min(blockBytes, size - offset), buffer.segment());
                } else {
                    // Once for all of them, and only where there are any: it takes as long as a block of data.
                    hollow = hollow == null ? Integer.valueOf(checksumOfZeros(blockBytes)) : hollow;
                    sums[block] = hollow;
                }
            }
        }
        if (file.stat().size() < size) {
            throw new EOFException(entry.path + " has been cut, expected " + size + " bytes");
        }
        return sums;
    }

    void drop(int block) throws IOException {
        FileVersion version;
        boolean punch;
        lock.lock();
        try {
            version = record.version;
            if (record.writing || !record.present.get(block)) {
                return;
            }
            record.dropped(block);
            verified.clear(block);
            generation++;
            tier.index().verified(entry, false);
            // Bytes that exist nowhere else are kept for whoever wants to save what can be saved; they are not served.
            punch = !record.unpersisted;
            journal.appendDropped(record, block);
            report(Math.max(0, entry.facts.bytes() - (punch ? version.bytesInBlock(block) : 0)));
            if (punch) {
                storing.set(block);
            }
        } finally {
            lock.unlock();
        }
        if (punch) {
            try {
                file.allocate(PUNCH_HOLE, (long) block * version.blockBytes(), version.bytesInBlock(block));
            } catch (DiskException refused) {
                log.debug("no hole in {}: {}", entry.path, refused.getMessage());
            } finally {
                ended(version, block, false, 0);
            }
        }
    }

    void beginWriting() throws IOException {
        Disk.DiskFile sync;
        lock.lock();
        try {
            if (record.writing) {
                return;
            }
            entry.directory.pending(entry);
            // A record that says 'clean' after a power cut would have its half overwritten blocks dropped, and with
            // them
            // committed bytes that are nowhere else. What was committed a moment ago promises nothing yet.
            boolean precious = record.unpersisted
                    && record.version.size() > 0
                    && (journal.promised() || tier.nowMillis() - record.committedMillis > WRITEBACK_MILLIS);
            boolean before = record.unpersisted;
            record.writing = true;
            record.unpersisted = true;
            generation++;
            try {
                journal.appendWriting(record);
            } catch (IOException failed) {
                record.writing = false;
                record.unpersisted = before;
                throw failed;
            }
            tier.index().verified(entry, false);
            report(entry.facts.bytes());
            sync = precious ? journal.beginSync() : null;
        } finally {
            lock.unlock();
        }
        endSync(sync, true);
    }

    void dirtied(int first, int last) throws IOException {
        lock.lock();
        try {
            if (!record.writing) {
                throw new IllegalStateException(entry.path + " is not being written");
            }
            while (!storing.get(first, last + 1).isEmpty()) {
                storeEnded.awaitUninterruptibly();
            }
            boolean known = record.present.nextClearBit(first) > last
                    && record.checksumKnown.get(first, last + 1).isEmpty();
            if (!known) {
                record.dirtied(first, last);
                generation++;
                journal.appendDirtied(record, first, last);
            }
        } finally {
            lock.unlock();
        }
    }

    void committed(FileVersion version, boolean stillOpen) throws IOException {
        // A sparse file may be far smaller than its size; a small one is not worth the question.
        long bytes = version.size() <= version.blockBytes()
                ? version.size()
                : Math.min(file.stat().allocatedBytes(), version.size());
        lock.lock();
        try {
            record.committed(version, stillOpen, tier.nowMillis());
            if (record.unpersisted) {
                entry.directory.pending(entry);
            }
            generation++;
            verified.clear();
            journal.appendState(record);
            report(bytes);
            settleIfDone();
        } finally {
            lock.unlock();
        }
    }

    void sealed(long version, int[] checksums) throws IOException {
        lock.lock();
        try {
            if (record.version.version() == version && !record.version.sealed()) {
                if (!record.writing) {
                    trustOrCheckAgain(checksums);
                }
                record.sealed(checksums);
                journal.appendSealed(record, checksums);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Own bytes are what the checksums were computed from; fetched ones are to be checked where they had another. */
    private void trustOrCheckAgain(int[] checksums) {
        boolean own = record.committedMillis != 0;
        for (int block = 0; block < checksums.length; block++) {
            boolean known = record.checksumKnown.get(block);
            if (known && record.checksums[block] != checksums[block]) {
                verified.clear(block);
            } else if (!known && own) {
                verified.set(block);
            }
        }
    }

    void persisted(FileVersion version) throws IOException {
        ObjectRef object = version.object();
        if (object == null) {
            throw new IllegalArgumentException(version + " is in no bucket");
        }
        lock.lock();
        try {
            if (record.version.version() == version.version()) {
                record.persisted(object);
                journal.appendPersisted(record, object);
                report(entry.facts.bytes());
                settleIfDone();
            }
        } finally {
            lock.unlock();
        }
    }

    void unpersisted(long version) throws IOException {
        lock.lock();
        try {
            if (record.version.version() != version) {
                return;
            }
            entry.directory.pending(entry);
            record.unpersisted(tier.nowMillis());
            journal.appendState(record);
            report(entry.facts.bytes());
        } finally {
            lock.unlock();
        }
        sync(true);
    }

    private void settleIfDone() throws IOException {
        if (!record.unpersisted) {
            entry.directory.settled(entry);
        }
    }

    void sync(boolean dataOnly) throws IOException {
        file.sync(dataOnly);
        Disk.DiskFile due;
        boolean name;
        lock.lock();
        try {
            due = journal.beginSync();
            name = !nameSynced;
        } finally {
            lock.unlock();
        }
        endSync(due, true);
        if (name) {
            entry.directory.syncShard(entry.ino);
            entry.directory.syncPending();
            lock.lock();
            try {
                nameSynced = true;
            } finally {
                lock.unlock();
            }
        }
    }

    private void endSync(Disk.@Nullable DiskFile due, boolean dataOnly) throws IOException {
        if (due == null) {
            return;
        }
        boolean done = false;
        try {
            due.sync(dataOnly);
            done = true;
        } finally {
            lock.lock();
            try {
                journal.endSync(done);
            } finally {
                lock.unlock();
            }
        }
    }

    /** Looks how much a file that is being written has grown. */
    void measure() throws IOException {
        long allocated = file.stat().allocatedBytes();
        lock.lock();
        try {
            if (record.writing) {
                report(allocated);
            }
        } finally {
            lock.unlock();
        }
    }

    void close() throws IOException {
        lock.lock();
        try {
            journal.close();
        } finally {
            lock.unlock();
        }
        file.close();
    }
}
