package io.fusecache.tiers.nvme;

import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.ObjectRef;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * What one backing file holds. Guarded by the lock of its {@link BackingFile}; {@link RecordJournal} keeps it on disk.
 *
 * <p>A checksum is known for every block that was fetched, whether its version is sealed or not, and for all blocks of
 * a sealed version. Bytes that were written here have none until the version is sealed.
 */
final class FileRecord {
    /** Which one is newer of two incarnations of the same version; milliseconds since the epoch. */
    final long createdMillis;

    FileVersion version;
    boolean writing;
    /** It holds bytes of this node that the bucket has not. */
    boolean unpersisted;

    long committedMillis;
    final BitSet present;
    final BitSet checksumKnown;
    int[] checksums;

    FileRecord(FileVersion version, long createdMillis) {
        this.version = version;
        this.createdMillis = createdMillis;
        this.present = new BitSet(version.blocks());
        this.checksumKnown = new BitSet(version.blocks());
        this.checksums = new int[version.blocks()];
        takeChecksums();
    }

    private void takeChecksums() {
        int[] sealed = version.checksums();
        if (sealed != null) {
            checksums = sealed.clone();
            checksumKnown.set(0, sealed.length);
        }
    }

    boolean whole() {
        return present.nextClearBit(0) >= version.blocks();
    }

    /**
     * Whether the block can be read from here: what lies past the base's end while writing is ours, a hole at worst.
     */
    boolean has(long block) {
        boolean stored = block <= Integer.MAX_VALUE && present.get((int) block);
        return stored || (writing && block * version.blockBytes() >= version.size());
    }

    void stored(int block, int checksum) {
        present.set(block);
        checksumKnown.set(block);
        checksums[block] = checksum;
    }

    void dropped(int block) {
        present.clear(block);
        if (!version.sealed()) {
            checksumKnown.clear(block);
        }
    }

    void dirtied(int first, int last) {
        present.set(first, last + 1);
        checksumKnown.clear(first, last + 1);
    }

    void committed(FileVersion next, boolean stillOpen, long nowMillis) {
        writing = stillOpen;
        if (next.version() == version.version()) {
            takeChecksums();
        } else {
            takeOver(next);
            committedMillis = nowMillis;
        }
        boolean committedHere = version.version() > 0 && committedMillis != 0;
        unpersisted = writing || (committedHere && !version.persisted());
    }

    private void takeOver(FileVersion next) {
        int blocks = next.blocks();
        if (next.blockBytes() == version.blockBytes()) {
            // What lies past the base's end is ours; what the base did not have and nobody wrote is as in the base.
            present.set(Math.min(version.blocks(), blocks), blocks);
        } else if (whole()) {
            present.set(0, blocks);
        } else {
            throw new IllegalArgumentException(
                    next + " has another block size than " + version + ", which is not whole");
        }
        present.clear(blocks, Math.max(present.length(), blocks));
        checksumKnown.clear();
        checksums = new int[blocks];
        version = next;
        takeChecksums();
    }

    void sealed(int[] sums) {
        version = new FileVersion(
                version.ino(), version.version(), version.size(), version.blockBytes(), sums, version.object());
        if (!writing) {
            takeChecksums();
        }
    }

    void persisted(ObjectRef object) {
        version = new FileVersion(
                version.ino(), version.version(), version.size(), version.blockBytes(), version.checksums(), object);
        unpersisted = writing;
    }

    /** No bucket has it any more: as if it had been committed here. */
    void unpersisted(long nowMillis) {
        version = new FileVersion(
                version.ino(), version.version(), version.size(), version.blockBytes(), version.checksums(), null);
        if (committedMillis == 0) {
            committedMillis = nowMillis;
        }
        unpersisted = true;
    }

    /** Bytes of the blocks that are present. */
    long presentBytes() {
        int count = present.cardinality();
        int last = version.blocks() - 1;
        long bytes = (long) count * version.blockBytes();
        if (last >= 0 && present.get(last)) {
            bytes -= version.blockBytes() - version.bytesInBlock(last);
        }
        return bytes;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof FileRecord that
                && version.equals(that.version)
                && writing == that.writing
                && unpersisted == that.unpersisted
                && createdMillis == that.createdMillis
                && committedMillis == that.committedMillis
                && present.equals(that.present)
                && checksumKnown.equals(that.checksumKnown)
                && checksumKnown.stream().allMatch(b -> checksums[b] == that.checksums[b]);
    }

    @Override
    public int hashCode() {
        return version.hashCode();
    }

    @Override
    public String toString() {
        return version + (writing ? ", writing" : "") + (unpersisted ? ", unpersisted" : "") + ", present " + present;
    }
}
