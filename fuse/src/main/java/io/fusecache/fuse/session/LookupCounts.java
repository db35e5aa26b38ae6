package io.fusecache.fuse.session;

import java.util.Arrays;

/**
 * How many references the kernel holds to each node: one more with every entry it is given, fewer with FORGET.
 *
 * <p>While a count is not zero, the kernel may name the node at any time. Sixteen hash tables of primitives, a lock each,
 * 16 bytes a slot, at most two thirds full.
 */
public final class LookupCounts {
    private static final int STRIPES = 16;
    private static final int SMALLEST = 64;

    private final Stripe[] stripes = new Stripe[STRIPES];

    LookupCounts() {
        Arrays.setAll(stripes, i -> new Stripe());
    }

    /** The kernel's references to the node now. */
    public long count(long nodeId) {
        return stripe(nodeId).add(nodeId, 0);
    }

    /** Nodes that the kernel holds references to. */
    public long nodes() {
        long sum = 0;
        for (Stripe stripe : stripes) {
            sum += stripe.size();
        }
        return sum;
    }

    void add(long nodeId) {
        stripe(nodeId).add(nodeId, 1);
    }

    void forget(long nodeId, long lookups) {
        stripe(nodeId).add(nodeId, -lookups);
    }

    private Stripe stripe(long nodeId) {
        return stripes[(int) (mix(nodeId) >>> 60)];
    }

    private static long mix(long nodeId) {
        long h = nodeId * 0x9e3779b97f4a7c15L;
        return h ^ (h >>> 29);
    }

    /** Open addressing with linear probing; a count of zero is an empty slot. */
    private static final class Stripe {
        private long[] nodes = new long[SMALLEST];
        private long[] counts = new long[SMALLEST];
        private int used;

        synchronized int size() {
            return used;
        }

        synchronized long add(long nodeId, long change) {
            int i = slot(nodeId);
            if (change == 0) {
                return counts[i];
            }
            long count = counts[i] + change;
            if (counts[i] == 0) {
                if (count <= 0) {
                    return 0;
                }
                nodes[i] = nodeId;
                counts[i] = count;
                if (++used * 3 > nodes.length * 2) {
                    resize(nodes.length * 2);
                }
            } else if (count > 0) {
                counts[i] = count;
            } else {
                remove(i);
            }
            return Math.max(count, 0);
        }

        private int slot(long nodeId) {
            int mask = nodes.length - 1;
            int i = (int) mix(nodeId) & mask;
            while (counts[i] != 0 && nodes[i] != nodeId) {
                i = (i + 1) & mask;
            }
            return i;
        }

        /** Empties a slot and moves up those after it that would no longer be found. */
        private void remove(int hole) {
            int mask = nodes.length - 1;
            int i = (hole + 1) & mask;
            int empty = hole;
            while (counts[i] != 0) {
                int wanted = (int) mix(nodes[i]) & mask;
                if (((i - wanted) & mask) >= ((i - empty) & mask)) {
                    nodes[empty] = nodes[i];
                    counts[empty] = counts[i];
                    empty = i;
                }
                i = (i + 1) & mask;
            }
            counts[empty] = 0;
            used--;
            if (nodes.length > SMALLEST && used * 8 < nodes.length) {
                resize(nodes.length / 2);
            }
        }

        private void resize(int length) {
            long[] oldNodes = nodes;
            long[] oldCounts = counts;
            nodes = new long[length];
            counts = new long[length];
            for (int i = 0; i < oldNodes.length; i++) {
                if (oldCounts[i] != 0) {
                    int to = slot(oldNodes[i]);
                    nodes[to] = oldNodes[i];
                    counts[to] = oldCounts[i];
                }
            }
        }
    }
}
