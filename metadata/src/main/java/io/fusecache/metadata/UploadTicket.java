package io.fusecache.metadata;

import java.util.Map;

/**
 * Leave to upload one version.
 *
 * @param key the object key, owned by this inode until it moves
 * @param attributes mode, owner, times and extended attributes as object metadata (see {@code ObjectAttributes})
 */
public record UploadTicket(FileVersion version, String key, Map<String, String> attributes) {}
