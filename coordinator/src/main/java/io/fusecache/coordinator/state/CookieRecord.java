package io.fusecache.coordinator.state;

import io.fusecache.metadata.FileName;
import java.util.Objects;

/** The entry at one cookie of a directory. */
public record CookieRecord(long ino, FileName name) {
    public byte[] toBytes() {
        return new RecordWriter(1).number(ino).bytes(name.toBytes()).toBytes();
    }

    public static CookieRecord of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "cookie", 1);
        return new CookieRecord(in.number(), RecordReader.name(Objects.requireNonNull(in.bytes())));
    }
}
