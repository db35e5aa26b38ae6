package io.fusecache.coordinator.raft;

/**
 * How much of the log a member keeps.
 *
 * @param snapshotEvery so many entries; what is before the snapshot goes, in whole files
 * @param fileBytes of one file of the log
 */
public record LogKeeping(long snapshotEvery, int fileBytes) {
    public static final LogKeeping DEFAULT = new LogKeeping(20_000, 16 << 20);
}
