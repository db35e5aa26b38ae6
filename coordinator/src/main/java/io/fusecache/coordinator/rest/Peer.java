package io.fusecache.coordinator.rest;

import org.jspecify.annotations.Nullable;

/** A node as JSON has it; {@code lastHeartbeat} as of RFC 3339. */
record Peer(
        @Nullable String id,
        @Nullable String address,
        @Nullable String grpcAddress,
        @Nullable String nvmePath,
        @Nullable Long availableSpace,
        @Nullable Long usedSpace,
        @Nullable String status,
        @Nullable String lastHeartbeat) {
    static final String ACTIVE = "active";

    /** What a peer tells of itself from time to time. */
    record Status(
            @Nullable String peerId,
            @Nullable String status,
            @Nullable Long availableSpace,
            @Nullable Long usedSpace) {}
}
