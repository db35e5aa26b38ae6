package io.fusecache.metadata;

import java.time.Duration;
import java.util.Map;

/**
 * Leave to upload one version, for {@link #VALID} from when it was given or renewed: then another node may get it.
 *
 * @param key the object key, owned by this inode until it moves
 * @param over what the put replaces
 * @param attributes mode, owner, times and extended attributes as object metadata (see {@code ObjectAttributes})
 */
public record UploadTicket(FileVersion version, String key, Expected over, Map<String, String> attributes) {
    public static final Duration VALID = Duration.ofMinutes(10);
}
