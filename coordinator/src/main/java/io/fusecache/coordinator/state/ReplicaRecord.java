package io.fusecache.coordinator.state;

/**
 * Up to where the log of a replica group is in the state that this is part of, and so written with: what is applied is known
 * after any crash.
 *
 * @param term of the last entry
 * @param index of the last entry
 * @param reign whose batches are applied: see {@link io.fusecache.coordinator.raft.Proposal}
 * @param sequence of the last batch of that reign
 */
public record ReplicaRecord(long term, long index, long reign, long sequence) {
    public static final ReplicaRecord NONE = new ReplicaRecord(0, -1, 0, 0);

    public byte[] toBytes() {
        return new RecordWriter(1)
                .number(term)
                .signed(index)
                .number(reign)
                .number(sequence)
                .toBytes();
    }

    public static ReplicaRecord of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "replica", 1);
        return new ReplicaRecord(in.number(), in.signed(), in.number(), in.number());
    }
}
