package io.fusecache.coordinator.state;

/**
 * Where a name leads.
 *
 * @param cookie its place in listings of the directory
 * @param history when it came to lead there
 */
public record Entry(long ino, long cookie, long history) {
    public byte[] toBytes() {
        return new RecordWriter(1).number(ino).number(cookie).number(history).toBytes();
    }

    public static Entry of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "directory entry", 1);
        return new Entry(in.number(), in.number(), in.number());
    }
}
