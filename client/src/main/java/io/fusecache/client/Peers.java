package io.fusecache.client;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.Homes;
import io.fusecache.cache.PeerTier;
import io.fusecache.filesystem.FileSystem;
import io.fusecache.filesystem.HolderDirectory;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.Metadata;
import io.fusecache.tiers.nvme.NvmeTier;
import io.fusecache.tiers.peer.HomeClient;
import io.fusecache.tiers.peer.HomeHandler;
import io.fusecache.tiers.peer.PeerAccess;
import io.fusecache.tiers.peer.PeerBlockHandler;
import io.fusecache.tiers.peer.PeerClient;
import java.time.Duration;
import java.util.List;
import org.eclipse.jetty.server.Handler;
import org.jspecify.annotations.Nullable;

/** What nodes say to each other: blocks that they hold, and files that they have open for writing; both ends of each. */
final class Peers {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
    private static final int SERVES = 16;
    private static final int SERVE_BYTES = 512 << 10;
    private static final HomeClient.Timeouts HOME_ANSWERS_WITHIN =
            new HomeClient.Timeouts(Duration.ofSeconds(5), Duration.ofSeconds(10), Duration.ofSeconds(90));
    private static final int HOME_BYTES = 1 << 20;
    private static final int HOME_BUFFERS = 8;
    private static final int HOME_SLOT_BYTES = 64 << 10;

    /** What the handlers' buffers take. */
    static final long BUFFER_BYTES = (long) SERVES * SERVE_BYTES + (long) HOME_BUFFERS * HOME_BYTES;

    private final StopList started;
    private final @Nullable String key;

    /** @param key what all nodes share, null where they share none */
    Peers(StopList started, @Nullable String key) {
        this.started = started;
        this.key = key;
    }

    PeerTier blocks(Duration timeout) {
        return started.add("the peer client", new PeerClient(CONNECT_TIMEOUT, timeout, key));
    }

    Homes homes() {
        return started.add("the way to homes", new HomeClient(CONNECT_TIMEOUT, HOME_ANSWERS_WITHIN, key));
    }

    List<Handler> handlers(Metadata metadata, NvmeTier local, FileSystem tree) {
        PeerAccess access = key == null ? PeerAccess.open() : PeerAccess.token(key);
        BufferArena buffers =
                started.add("peer buffers", new BufferArena((long) SERVES * SERVE_BYTES, SERVE_BYTES, SERVE_BYTES));
        BufferArena homeBuffers = started.add(
                "home buffers", new BufferArena((long) HOME_BUFFERS * HOME_BYTES, HOME_SLOT_BYTES, HOME_BYTES));
        HolderDirectory holders = new HolderDirectory(metadata);
        return List.of(
                new PeerBlockHandler(
                        local,
                        buffers,
                        access,
                        (ino, version) -> holders.holders(ino, version).stream()
                                .map(Holder::node)
                                .toList(),
                        SERVES),
                new HomeHandler(tree.host(), homeBuffers, access));
    }
}
