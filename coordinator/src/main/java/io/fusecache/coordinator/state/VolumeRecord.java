package io.fusecache.coordinator.state;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What holds for the volume as a whole.
 *
 * @param keyPrefix of all its object keys, as its first client said; null before
 * @param namespace made with the state and never given again, so that nobody takes an inode of another one for one of these;
 *     empty in a state of before there were any, until it is opened
 */
public record VolumeRecord(@Nullable String keyPrefix, String namespace) {
    public VolumeRecord withKeyPrefix(String prefix) {
        return new VolumeRecord(prefix, namespace);
    }

    public VolumeRecord withNamespace(String id) {
        return new VolumeRecord(keyPrefix, id);
    }

    public byte[] toBytes() {
        return new RecordWriter(2).text(keyPrefix).text(namespace).toBytes();
    }

    public static VolumeRecord of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "volume", 2);
        String keyPrefix = in.text();
        return new VolumeRecord(keyPrefix, in.layout() < 2 ? "" : Objects.requireNonNull(in.text()));
    }

    /** As the state has it, which may be of before its first client. */
    public static VolumeRecord in(View view) {
        byte[] bytes = view.get(Keys.volume());
        return bytes == null ? new VolumeRecord(null, "") : of(bytes);
    }
}
