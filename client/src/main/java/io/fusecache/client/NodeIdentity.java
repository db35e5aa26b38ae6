package io.fusecache.client;

import io.fusecache.metadata.NodeId;
import io.fusecache.tiers.nvme.NvmeTier;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;

/** By which name a node goes: the given one, else that of whoever filled its cache, else a new one. */
final class NodeIdentity {
    private NodeIdentity() {}

    static NodeId of(NodeConfiguration configuration) throws IOException {
        NodeId given = configuration.network().id();
        if (given != null) {
            return given;
        }
        Optional<NodeId> kept =
                NvmeTier.nodeOf(configuration.cache().directories().getFirst());
        return kept.isPresent() ? kept.get() : fresh();
    }

    private static NodeId fresh() {
        byte[] random = new byte[6];
        new SecureRandom().nextBytes(random);
        return new NodeId("node-" + HexFormat.of().formatHex(random));
    }
}
