package io.fusecache.tiers.nvme;

import io.fusecache.metadata.NodeId;
import java.nio.file.Path;
import java.util.List;

/**
 * How a local tier is set up.
 *
 * @param directories at least one; files are spread over them by free space
 * @param volume whose files these are
 * @param namespace the coordinator's namespace that they are of; empty where nobody knows
 * @param node whose cache this is
 * @param capacityBytes of all directories together
 * @param reserveBytes what is left free on each directory's file system
 * @param highWatermark share of the capacity at which eviction begins in the background
 * @param lowWatermark share of the capacity at which it ends
 * @param maxFiles how many files are kept: each takes some memory
 */
public record NvmeOptions(
        List<Path> directories,
        String volume,
        String namespace,
        NodeId node,
        long capacityBytes,
        long reserveBytes,
        double highWatermark,
        double lowWatermark,
        int maxFiles) {
    public NvmeOptions {
        directories = List.copyOf(directories);
        if (directories.isEmpty() || capacityBytes <= 0 || reserveBytes < 0 || maxFiles <= 0) {
            throw new IllegalArgumentException("a cache of %d bytes in %s, %d bytes left free, %d files"
                    .formatted(capacityBytes, directories, reserveBytes, maxFiles));
        }
        if (!(0 < lowWatermark && lowWatermark <= highWatermark && highWatermark <= 1)) {
            throw new IllegalArgumentException("watermarks " + lowWatermark + " and " + highWatermark);
        }
    }

    /** Watermarks at 90 and 95 per cent, a million files. */
    public static NvmeOptions of(
            List<Path> directories, String volume, NodeId node, long capacityBytes, long reserveBytes) {
        return new NvmeOptions(directories, volume, "", node, capacityBytes, reserveBytes, 0.95, 0.90, 1_000_000);
    }

    public NvmeOptions withNamespace(String id) {
        return new NvmeOptions(
                directories, volume, id, node, capacityBytes, reserveBytes, highWatermark, lowWatermark, maxFiles);
    }

    long highBytes() {
        return (long) (capacityBytes * highWatermark);
    }

    long lowBytes() {
        return (long) (capacityBytes * lowWatermark);
    }
}
