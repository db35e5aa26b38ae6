package io.fusecache.coordinator.session;

import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Operation;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes said that they have blocks of which versions. In memory only: clients say it again after a restart.
 *
 * <p>Bounded by the number of versions, about 300 bytes each with one holder; past the bound the versions that were asked
 * for least recently are forgotten, which costs their readers a read from the bucket. Those of an inode go with it. Guarded by its own monitor.
 */
public final class BlockDirectory {
    private record Version(long ino, long version) {}

    /** {@code blocks} is null for all. */
    public record Holding(NodeId node, @Nullable BitSet blocks) {}

    private final int mostVersions;
    private final LinkedHashMap<Version, List<Holding>> holders = new LinkedHashMap<>(64, 0.75f, true);

    /** The same versions, by inode. */
    private final Map<Long, Set<Long>> versions = new HashMap<>();

    BlockDirectory(int mostVersions) {
        this.mostVersions = mostVersions;
    }

    public synchronized int size() {
        return holders.size();
    }

    public synchronized void report(NodeId node, Operation.Holding said) {
        Version version = new Version(said.ino(), said.version());
        List<Holding> known = holders.get(version);
        List<Holding> changed = new ArrayList<>(known == null ? List.of() : known);
        BitSet blocks = said.blocks();
        BitSet before = null;
        boolean all = said.all();
        for (Holding holding : List.copyOf(changed)) {
            if (holding.node().equals(node)) {
                before = holding.blocks();
                all |= before == null && blocks != null;
                changed.remove(holding);
            }
        }
        if (all) {
            changed.add(new Holding(node, null));
        } else if (blocks != null) {
            BitSet union = (BitSet) blocks.clone();
            if (before != null) {
                union.or(before);
            }
            changed.add(new Holding(node, union));
        }
        if (changed.isEmpty()) {
            remove(version);
        } else {
            holders.put(version, List.copyOf(changed));
            versions.computeIfAbsent(version.ino(), none -> new HashSet<>(2)).add(version.version());
        }
        if (holders.size() > mostVersions) {
            remove(holders.firstEntry().getKey());
        }
    }

    private void remove(Version version) {
        holders.remove(version);
        Set<Long> known = versions.get(version.ino());
        if (known != null && known.remove(version.version()) && known.isEmpty()) {
            versions.remove(version.ino());
        }
    }

    /** There is no such inode any more. */
    synchronized void ended(long ino) {
        Set<Long> known = versions.remove(ino);
        if (known != null) {
            known.forEach(version -> holders.remove(new Version(ino, version)));
        }
    }

    public synchronized List<Holding> holders(long ino, long version) {
        List<Holding> known = holders.get(new Version(ino, version));
        return known == null ? List.of() : known;
    }
}
