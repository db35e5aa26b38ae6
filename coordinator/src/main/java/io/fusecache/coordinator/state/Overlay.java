package io.fusecache.coordinator.state;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A state with batches on top of it that are on their way into it: what a leader executes on, because a command must see those
 * before it, and they are in the state only once a majority of the replicas has them.
 *
 * <p>One thread at a time adds and reads; another one says what has arrived in the state beneath. A key is looked for here first:
 * what has left meanwhile is beneath by then.
 */
public final class Overlay implements View {
    /** What an entry costs beside its bytes, about. */
    private static final int ENTRY_BYTES = 128;

    private record Pending(byte @Nullable [] value, long position) {}

    private record Batch(long position, Iterable<Map.Entry<byte[], byte @Nullable []>> entries, long bytes) {}

    private final View base;
    private final long mostBytes;

    // Guarded by this.
    private final TreeMap<byte[], Pending> pending = new TreeMap<>(Arrays::compareUnsigned);
    private final ArrayDeque<Batch> batches = new ArrayDeque<>();
    private long bytes;

    /** @param mostBytes about, of the batches at once */
    public Overlay(View base, long mostBytes) {
        this.base = base;
        this.mostBytes = mostBytes;
    }

    /** Puts a batch on top, which is not changed any more; false, and nothing done, where that would be too much. */
    public synchronized boolean add(long position, Changes batch) {
        long size = 0;
        for (Map.Entry<byte[], byte @Nullable []> entry : batch.entries()) {
            byte[] value = entry.getValue();
            size += ENTRY_BYTES + entry.getKey().length + (value == null ? 0 : value.length);
        }
        if (bytes + size > mostBytes) {
            return false;
        }
        for (Map.Entry<byte[], byte @Nullable []> entry : batch.entries()) {
            pending.put(entry.getKey(), new Pending(entry.getValue(), position));
        }
        batches.add(new Batch(position, batch.entries(), size));
        bytes += size;
        return true;
    }

    /** The batches up to {@code position} are in the state beneath. */
    public synchronized void applied(long position) {
        for (Batch batch = batches.peek(); batch != null && batch.position() <= position; batch = batches.peek()) {
            batches.remove();
            bytes -= batch.bytes();
            for (Map.Entry<byte[], byte @Nullable []> entry : batch.entries()) {
                Pending last = pending.get(entry.getKey());
                if (last != null && last.position() == batch.position()) {
                    pending.remove(entry.getKey());
                }
            }
        }
    }

    public synchronized long bytes() {
        return bytes;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        Pending ours;
        synchronized (this) {
            ours = pending.get(key);
        }
        return ours == null ? base.get(key) : ours.value();
    }

    @Override
    public void scan(byte[] from, byte[] to, Visitor visitor) {
        TreeMap<byte[], byte @Nullable []> ours = new TreeMap<>(Arrays::compareUnsigned);
        synchronized (this) {
            pending.subMap(from, to).forEach((key, value) -> ours.put(key, value.value()));
        }
        Changes.scan(ours, base, from, to, visitor);
    }
}
