package io.fusecache.coordinator.state;

import java.util.Objects;

/** The last result of a session's slot: the sequence of its request, and the answer as it goes over the wire. */
public record ResultRecord(long sequence, byte[] answer) {
    public byte[] toBytes() {
        return new RecordWriter(1).number(sequence).bytes(answer).toBytes();
    }

    public static ResultRecord of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "result", 1);
        return new ResultRecord(in.number(), Objects.requireNonNull(in.bytes()));
    }
}
