package io.fusecache.client.http;

import io.fusecache.metadata.Inode;
import java.util.List;
import java.util.Locale;
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

    /** Of what is no regular file. */
    public static Explanation withoutBytes(String path, Inode inode, String reason) {
        return new Explanation(
                path,
                inode.ino(),
                inode.type().name().toLowerCase(Locale.ROOT),
                "none",
                reason,
                0,
                inode.size(),
                0,
                0,
                0,
                false,
                false,
                false,
                null,
                List.of(),
                null,
                null);
    }

    /** A node and how many blocks it has. */
    public record Holding(String id, String address, int blocks) {}
}
