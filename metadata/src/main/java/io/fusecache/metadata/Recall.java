package io.fusecache.metadata;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The coordinator takes back read leases before it changes what they cover.
 *
 * @param inodes whose attributes, entries (of a directory), extended attributes and content version change
 * @param names whether entries of a directory are among what changes, so that cached names must go
 * @param changed those entries, by directory; empty where it may be any of these inodes
 */
public record Recall(Set<Long> inodes, boolean names, Map<Long, Set<FileName>> changed) {
    public Recall(Set<Long> inodes, boolean names) {
        this(inodes, names, Map.of());
    }

    /** The directories of which names change, with these names; a directory with none here: any. */
    public Map<Long, Set<FileName>> directories() {
        if (!names || !changed.isEmpty()) {
            return changed;
        }
        Map<Long, Set<FileName>> all = new HashMap<>();
        inodes.forEach(ino -> all.put(ino, Set.of()));
        return all;
    }
}
