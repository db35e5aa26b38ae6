package io.fusecache.client.http;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the bytes of one file would come from if it were read now.
 *
 * @param tier {@code nvme}, {@code peer} or {@code cloud}; {@code none} for what has no bytes
 * @param reason one sentence
 * @param blocksPresent on this node's NVMe
 * @param whole and of this version: opens pass through where the kernel can
 * @param pending bytes that are not in the bucket yet
 * @param writer the node that has it open for writing
 * @param holders other nodes that can serve blocks of it
 * @param objectKey where the bucket has this version
 */
public record Explanation(
        String path,
        long ino,
        String type,
        String tier,
        String reason,
        long version,
        long size,
        int blockBytes,
        int blocks,
        int blocksPresent,
        boolean whole,
        boolean sealed,
        boolean pending,
        @Nullable String writer,
        List<Holding> holders,
        @Nullable String objectKey,
        @Nullable String objectEtag) {
    public Explanation {
        holders = List.copyOf(holders);
    }

    /** A node and how many blocks it has. */
    public record Holding(String id, String address, int blocks) {}
}
