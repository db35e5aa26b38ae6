package io.fusecache.coordinator.state;

import io.fusecache.metadata.Timestamp;

/** When a listing of a directory was last taken over, and from which point in history. */
public record ImportRecord(Timestamp at, long token) {
    public byte[] toBytes() {
        return new RecordWriter(1).time(at).number(token).toBytes();
    }

    public static ImportRecord of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "import", 1);
        return new ImportRecord(in.time(), in.number());
    }
}
