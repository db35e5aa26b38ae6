package io.fusecache.coordinator.state;

import io.fusecache.metadata.NodeId;
import java.util.Objects;

/** A session that may come back: the node it is of, and the secret that it must show. */
public record SessionRecord(NodeId node, long secret) {
    public byte[] toBytes() {
        return new RecordWriter(1).text(node.value()).signed(secret).toBytes();
    }

    public static SessionRecord of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "session", 1);
        return new SessionRecord(new NodeId(Objects.requireNonNull(in.text())), in.signed());
    }
}
