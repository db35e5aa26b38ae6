package io.fusecache.coordinator.state;

/**
 * How far a node's changes in delegated directories have come.
 *
 * @param last the number of the last one that the state has
 */
public record DelegatedRecord(long last) {
    public byte[] toBytes() {
        return new RecordWriter(1).number(last).toBytes();
    }

    public static DelegatedRecord of(byte[] bytes) {
        return new DelegatedRecord(new RecordReader(bytes, "delegated changes", 1).number());
    }
}
