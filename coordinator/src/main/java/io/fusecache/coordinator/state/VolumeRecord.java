package io.fusecache.coordinator.state;

import java.util.Objects;

/** What holds for the volume as a whole: the prefix of all its object keys, as its first client said. */
public record VolumeRecord(String keyPrefix) {
    public byte[] toBytes() {
        return new RecordWriter(1).text(keyPrefix).toBytes();
    }

    public static VolumeRecord of(byte[] bytes) {
        return new VolumeRecord(Objects.requireNonNull(new RecordReader(bytes, "volume", 1).text()));
    }
}
