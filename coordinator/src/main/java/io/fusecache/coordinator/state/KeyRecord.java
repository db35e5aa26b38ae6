package io.fusecache.coordinator.state;

/**
 * What the namespace knows of one key of the bucket.
 *
 * @param ino the inode that owns it, or 0
 * @param work the outstanding work that writes or deletes it, or 0: while there is some, nobody else writes the key
 * @param history when this changed last; a key that nobody owns any more is remembered for a while, so that a listing
 *     begun before it was freed does not bring its object back
 */
public record KeyRecord(long ino, long work, long history) {
    public boolean free() {
        return ino == 0 && work == 0;
    }

    public byte[] toBytes() {
        return new RecordWriter(1).number(ino).number(work).number(history).toBytes();
    }

    public static KeyRecord of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "object key", 1);
        return new KeyRecord(in.number(), in.number(), in.number());
    }
}
