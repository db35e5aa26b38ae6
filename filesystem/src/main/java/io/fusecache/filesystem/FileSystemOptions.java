package io.fusecache.filesystem;

import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.NewInode;
import java.nio.file.Path;
import java.time.Duration;

/**
 * How a node's file system behaves.
 *
 * @param blockBytes of the versions that this node commits
 * @param durability what close() and fsync() wait for
 * @param homeWait how long a call waits for the node where a file is open for writing, or who alone holds its bytes, when
 *     that does not answer
 * @param spaceWait how long a write waits for room on a full disk
 * @param uploadDelay from close to upload
 * @param uploads how many at once
 * @param bucketRefresh a listing older than this is made anew on use
 * @param cloudWait how long close() waits for the bucket at durability cloud
 * @param foreign type, permissions and owner of a file that somebody else put into the bucket without saying them
 * @param lost where bytes go that could not be committed because another node's version stands
 * @param readOnly nobody writes: not even access times change
 */
public record FileSystemOptions(
        int blockBytes,
        Durability durability,
        Duration homeWait,
        Duration spaceWait,
        Duration uploadDelay,
        int uploads,
        Duration bucketRefresh,
        Duration cloudWait,
        NewInode foreign,
        Path lost,
        boolean readOnly) {
    public static FileSystemOptions defaults(Path lost) {
        return new FileSystemOptions(
                FileVersion.DEFAULT_BLOCK_BYTES,
                Durability.LOCAL,
                Duration.ofSeconds(30),
                Duration.ofSeconds(30),
                Duration.ofSeconds(1),
                16,
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                new NewInode(FileType.REGULAR, 0644, 0, 0, 0, null, false),
                lost,
                false);
    }
}
