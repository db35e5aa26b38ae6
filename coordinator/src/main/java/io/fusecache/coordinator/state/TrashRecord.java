package io.fusecache.coordinator.state;

import io.fusecache.metadata.FileName;
import io.fusecache.metadata.NodeId;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A removed file that is kept.
 *
 * @param path that its last name had, by names from the root
 * @param untilMillis when it goes for good
 * @param by the node on which it was removed, or null
 */
public record TrashRecord(
        List<FileName> path,
        long removedMillis,
        long untilMillis,
        @Nullable NodeId by) {
    public TrashRecord {
        path = List.copyOf(path);
    }

    public byte[] pathBytes() {
        return pathBytes(path);
    }

    /** Each name with a slash before it: below a directory lies what begins with its path and a slash. */
    public static byte[] pathBytes(List<FileName> path) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (FileName name : path) {
            bytes.write('/');
            bytes.writeBytes(name.toBytes());
        }
        return bytes.toByteArray();
    }

    public byte[] toBytes() {
        return new RecordWriter(1)
                .bytes(pathBytes())
                .number(removedMillis)
                .number(untilMillis)
                .text(by == null ? null : by.value())
                .toBytes();
    }

    public static TrashRecord of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "trash", 1);
        List<FileName> path = path(Objects.requireNonNull(in.bytes()));
        long removed = in.number();
        long until = in.number();
        String by = in.text();
        return new TrashRecord(path, removed, until, by == null ? null : new NodeId(by));
    }

    private static List<FileName> path(byte[] bytes) {
        List<FileName> path = new ArrayList<>();
        for (int begin = 1, end; begin < bytes.length; begin = end + 1) {
            end = begin;
            while (end < bytes.length && bytes[end] != '/') {
                end++;
            }
            path.add(RecordReader.name(Arrays.copyOfRange(bytes, begin, end)));
        }
        return path;
    }
}
