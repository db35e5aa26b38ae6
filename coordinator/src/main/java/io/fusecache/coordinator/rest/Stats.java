package io.fusecache.coordinator.rest;

/** What the coordinator knows of the whole, as JSON has it. */
record Stats(
        PeerCounts peers, Files files, Space space, Leases leases, State state, long commands, long uptimeSeconds) {

    /** {@code disconnected}: sessions that may come back. */
    record PeerCounts(int active, int sessions, int disconnected) {}

    record Files(long inodes, long usedBytes) {}

    /** Of the active peers' caches. */
    record Space(long availableBytes, long usedBytes) {}

    /** {@code inodes} that some node may cache; {@code recalls} sent since the start. */
    record Leases(int inodes, long recalls, int versionsWithHolders) {}

    record State(long diskBytes, long memoryBytes) {}
}
