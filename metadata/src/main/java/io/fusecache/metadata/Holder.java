package io.fusecache.metadata;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * A node that can serve blocks of one version from its local tier.
 *
 * @param blocks the blocks it has, or null where it has all
 */
public record Holder(NodeAddress node, @Nullable BitSet blocks) {
    public boolean has(int block) {
        return blocks == null || blocks.get(block);
    }
}
