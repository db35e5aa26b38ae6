package io.fusecache.coordinator.dump;

import io.fusecache.coordinator.dump.DumpLine.Attribute;
import io.fusecache.coordinator.dump.DumpLine.EntryLine;
import io.fusecache.coordinator.dump.DumpLine.Header;
import io.fusecache.coordinator.dump.DumpLine.InodeLine;
import io.fusecache.coordinator.namespace.Places;
import io.fusecache.coordinator.namespace.Trash;
import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.Counters;
import io.fusecache.coordinator.state.Entry;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.QuotaRecord;
import io.fusecache.coordinator.state.TrashRecord;
import io.fusecache.coordinator.state.View;
import io.fusecache.coordinator.state.VolumeRecord;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes a state as a dump. It is read in parts, so that nothing is held while somebody slow takes the lines, and memory does not
 * grow with the tree.
 */
public final class Dump {
    private static final int PART = 500;

    private final View view;
    private final LineWriter out;
    private final Places places;

    private Dump(View view, OutputStream out) {
        this.view = view;
        this.out = new LineWriter(out);
        this.places = new Places(view);
    }

    /** @param view that does not change meanwhile; returns how many inodes there are */
    public static long write(View view, Instant now, OutputStream out) throws IOException {
        return new Dump(view, out).write(now);
    }

    private long write(Instant now) throws IOException {
        VolumeRecord volume = VolumeRecord.in(view);
        Counters counters = Counters.of(Objects.requireNonNull(view.get(Keys.counters())));
        out.write(new Header(
                now.toString(),
                volume.namespace(),
                volume.keyPrefix(),
                counters.nextInode(),
                counters.history(),
                Trash.rule(view).keepMillis()));
        each(new byte[] {'I'}, (key, value) -> inode(Node.of(value)));
        each(new byte[] {'D'}, (key, value) -> {
            Entry entry = Entry.of(value);
            out.write(new EntryLine(
                    Keys.number(key, 1),
                    DumpText.of(Keys.name(key, 9).toBytes()),
                    entry.ino(),
                    entry.cookie(),
                    entry.history()));
        });
        return out.end();
    }

    private void inode(Node node) throws IOException {
        if (node.inode().ending()) {
            // Only those who have it open know of it, and they are not in the dump.
            return;
        }
        byte[] quota = view.get(Keys.quota(node.ino()));
        byte[] trash = view.get(Keys.trashed(node.ino()));
        byte[] bytes = view.get(Keys.content(node.ino()));
        ContentRecord content = bytes == null ? null : ContentRecord.of(bytes);
        out.write(InodeLine.of(
                node,
                place(node, content),
                quota == null ? null : QuotaRecord.of(quota),
                trash == null ? null : TrashRecord.of(trash),
                content));
        byte[] attributes = Keys.attributes(node.ino());
        if (node.inode().extended()) {
            each(
                    attributes,
                    (key, value) -> out.write(new Attribute(
                            node.ino(),
                            DumpText.of(
                                    Keys.attributeName(key, attributes.length).toBytes()),
                            DumpText.base64(value))));
        }
    }

    /** The key that the name gives: of a directory with a marker elsewhere, of a file whose object is not there. */
    private @Nullable String place(Node node, @Nullable ContentRecord content) {
        if (node.inode().directory()) {
            String place = node.marker() == null ? null : places.ofDirectory(node.ino());
            return Objects.equals(place, node.marker()) ? null : place;
        }
        if (content == null || content.last().version() == 0) {
            return null;
        }
        String place = places.ofFile(node);
        boolean there = content.object() != null && content.object().key().equals(place);
        return there && content.persisted() ? null : place;
    }

    /** Does something with a record. */
    private interface Use {
        void with(byte[] key, byte[] value) throws IOException;
    }

    private void each(byte[] prefix, Use use) throws IOException {
        byte[] from = prefix;
        byte[] end = Keys.after(prefix);
        while (from != null) {
            List<Map.Entry<byte[], byte[]>> part = new ArrayList<>(PART);
            view.scan(from, end, (key, value) -> {
                part.add(Map.entry(key, value));
                return part.size() < PART;
            });
            for (Map.Entry<byte[], byte[]> record : part) {
                use.with(record.getKey(), record.getValue());
            }
            from = part.size() < PART ? null : Keys.justAfter(part.getLast().getKey());
        }
    }
}
