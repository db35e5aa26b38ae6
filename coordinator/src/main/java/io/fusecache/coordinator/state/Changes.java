package io.fusecache.coordinator.state;

import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A view with pending changes on top of it; the changes are the batch that the log carries and every replica applies. A key
 * that is changed twice is in the batch once. Used by one thread.
 */
public final class Changes implements View {
    private final View base;
    private final TreeMap<byte[], byte @Nullable []> pending = new TreeMap<>(Arrays::compareUnsigned);

    public Changes(View base) {
        this.base = base;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        byte[] value = pending.get(key);
        return value != null || pending.containsKey(key) ? value : base.get(key);
    }

    public void put(byte[] key, byte[] value) {
        pending.put(key, value);
    }

    public void delete(byte[] key) {
        pending.put(key, null);
    }

    /** Whether the batch takes that key away, which need not be there. */
    public boolean deletes(byte[] key) {
        return pending.containsKey(key) && pending.get(key) == null;
    }

    public boolean isEmpty() {
        return pending.isEmpty();
    }

    /** The batch in order of keys; a null value deletes. */
    public Iterable<Map.Entry<byte[], byte @Nullable []>> entries() {
        return pending.entrySet();
    }

    @Override
    public void scan(byte[] from, byte[] to, Visitor visitor) {
        // The pending keys of a range are few: walk them beside the base.
        scan(new TreeMap<>(pending.subMap(from, to)), base, from, to, visitor);
    }

    /** Walks {@code ours}, which is used up, beside the base; a null value hides what the base has there. */
    static void scan(NavigableMap<byte[], byte @Nullable []> ours, View base, byte[] from, byte[] to, Visitor visitor) {
        boolean[] stopped = {false};
        base.scan(from, to, (key, value) -> {
            while (!ours.isEmpty() && Arrays.compareUnsigned(ours.firstKey(), key) < 0) {
                var entry = ours.pollFirstEntry();
                if (entry.getValue() != null && !visitor.visit(entry.getKey(), entry.getValue())) {
                    stopped[0] = true;
                    return false;
                }
            }
            boolean overlaid = ours.containsKey(key);
            byte[] shown = overlaid ? ours.remove(key) : value;
            if (shown != null && !visitor.visit(key, shown)) {
                stopped[0] = true;
                return false;
            }
            return true;
        });
        while (!stopped[0] && !ours.isEmpty()) {
            var entry = ours.pollFirstEntry();
            if (entry.getValue() != null && !visitor.visit(entry.getKey(), entry.getValue())) {
                return;
            }
        }
    }
}
