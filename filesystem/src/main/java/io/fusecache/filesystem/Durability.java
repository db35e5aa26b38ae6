package io.fusecache.filesystem;

/** What close() and fsync() wait for. */
public enum Durability {
    /** The bytes are on this node's NVMe. */
    LOCAL,
    /** And on one more node. */
    PEER,
    /** And in the bucket. */
    CLOUD
}
