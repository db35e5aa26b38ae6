package io.fusecache.metadata.lock;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one owner has locked of one file: ranges in order, apart from each other, neighbours of the same type made one. What
 * is set last counts, byte by byte, as fcntl_locking(2) says. For use by one thread at a time.
 */
public final class LockedRanges {
    /** {@code end} is included. */
    public record Range(long start, long end, LockType type, int pid) {}

    private final TreeMap<Long, Range> ranges = new TreeMap<>();

    public boolean isEmpty() {
        return ranges.isEmpty();
    }

    public int size() {
        return ranges.size();
    }

    /** In ascending order. */
    public Collection<Range> all() {
        return ranges.values();
    }

    /** Locks the bytes, makes their lock another, or unlocks them. */
    public void set(long start, long end, LockType type, int pid) {
        for (Range range : overlapping(start, end)) {
            ranges.remove(range.start());
            if (range.start() < start) {
                put(new Range(range.start(), start - 1, range.type(), range.pid()));
            }
            if (range.end() > end) {
                put(new Range(end + 1, range.end(), range.type(), range.pid()));
            }
        }
        if (type != LockType.UNLOCKED) {
            put(joined(new Range(start, end, type, pid)));
        }
    }

    private void put(Range range) {
        ranges.put(range.start(), range);
    }

    private Range joined(Range range) {
        long start = range.start();
        long end = range.end();
        Map.Entry<Long, Range> before = ranges.lowerEntry(start);
        if (before != null
                && before.getValue().end() == start - 1
                && before.getValue().type() == range.type()) {
            start = before.getKey();
            ranges.remove(start);
        }
        Range after = end == Long.MAX_VALUE ? null : ranges.get(end + 1);
        if (after != null && after.type() == range.type()) {
            end = after.end();
            ranges.remove(after.start());
        }
        return new Range(start, end, range.type(), range.pid());
    }

    private List<Range> overlapping(long start, long end) {
        Map.Entry<Long, Range> first = ranges.floorEntry(start);
        long from = first != null && first.getValue().end() >= start ? first.getKey() : start;
        return from > end
                ? List.of()
                : new ArrayList<>(ranges.subMap(from, true, end, true).values());
    }

    /** The first range that keeps another owner from having {@code type} on these bytes, if any. */
    public @Nullable Range obstacle(long start, long end, LockType type) {
        for (Range range : overlapping(start, end)) {
            if (range.type().excludes(type)) {
                return range;
            }
        }
        return null;
    }

    /** Leaves of every byte's lock what {@code others} allow as well: the weaker of the two. */
    public void keepOnly(LockedRanges others) {
        List<Range> mine = new ArrayList<>(ranges.values());
        ranges.clear();
        for (Range range : mine) {
            for (Range other : others.overlapping(range.start(), range.end())) {
                set(
                        Math.max(range.start(), other.start()),
                        Math.min(range.end(), other.end()),
                        range.type().weaker(other.type()),
                        range.pid());
            }
        }
    }
}
