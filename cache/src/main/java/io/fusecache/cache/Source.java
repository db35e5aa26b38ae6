package io.fusecache.cache;

import io.fusecache.metadata.NodeAddress;

/** Where a block can be fetched from. */
public sealed interface Source {
    TierKind tier();

    /** Another node's local tier. */
    record Peer(NodeAddress node) implements Source {
        @Override
        public TierKind tier() {
            return TierKind.PEER;
        }

        @Override
        public String toString() {
            return "node " + node.id() + " at " + node.http();
        }
    }

    /** The bucket. */
    record Cloud() implements Source {
        @Override
        public TierKind tier() {
            return TierKind.CLOUD;
        }

        @Override
        public String toString() {
            return "the bucket";
        }
    }
}
