package io.fusecache.coordinator.session;

import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Operation;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes said that they have blocks of which versions. In memory only: clients say it again after a restart.
 *
 * <p>Bounded by the number of versions, about 150 bytes each with one holder; past the bound the versions that were asked
 * for least recently are forgotten, which costs their readers a read from the bucket. Guarded by its own monitor.
 */
public final class BlockDirectory {
    private record Version(long ino, long version) {}

    /** {@code blocks} is null for all. */
    public record Holding(NodeId node, @Nullable BitSet blocks) {}

    private final int mostVersions;
    private final LinkedHashMap<Version, List<Holding>> holders = new LinkedHashMap<>(64, 0.75f, true);

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
            holders.remove(version);
        } else {
            holders.put(version, List.copyOf(changed));
        }
        if (holders.size() > mostVersions) {
            holders.remove(holders.firstEntry().getKey());
        }
    }

    public synchronized List<Holding> holders(long ino, long version) {
        List<Holding> known = holders.get(new Version(ino, version));
        return known == null ? List.of() : known;
    }
}
